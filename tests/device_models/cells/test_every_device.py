"""What every device promises, and that every device stands in the table."""

import functools
import inspect

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
from helpers import DEVICES, EVERY_DEVICE, slow

YEAR = 365.25 * 86400.0
TIMES = (0.0, 1.0, 3600.0, 10 * YEAR)
every_device = pytest.mark.parametrize("name", EVERY_DEVICE)
N, STANDARD_ERRORS = 20_000, 4
EXACT = ("ideal", "ideal_sinh", "ideal_milo")  # nothing about them is left to chance


def targets(device):
    return jnp.linspace(device.g_min, device.g_max, 61)


@eqx.filter_jit
def history(device, target, key):
    """Conductance and read noise at TIMES, each (times, *cells), of one chip."""
    cells = device.program(target, key=key)
    return jax.vmap(lambda t: moment(device, cells, t))(jnp.asarray(TIMES))


def moment(device, cells, t):
    g, std = device.conductance(cells, t), device.read_noise(cells, t)
    return g, jnp.zeros_like(g) if std is None else std


@functools.cache
def population(name):
    """Conductances and read noise, each (times, N, targets), of N chips."""
    device = DEVICES[name]
    target = jnp.broadcast_to(jnp.linspace(device.g_min, device.g_max, 5), (N, 5))
    return [np.asarray(x, np.float64) for x in history(device, target, jr.key(7))]


def test_every_device_of_the_package_stands_in_the_table():
    """A new device is to be added to `DEVICES` of tests/support/helpers.py, a published set also to the catalogue."""
    kinds = {type(part) for device in DEVICES.values() for part in nested(device)}
    classes = {c for _, c in inspect.getmembers(dm, inspect.isclass) if issubclass(c, dm.AbstractDevice)}
    missing = {c.__name__ for c in classes if not inspect.isabstract(c)} - {kind.__name__ for kind in kinds}
    assert not missing
    made = {entry.make.__name__ for entry in dm.DEVICES.values()}
    sets = {
        name
        for name, f in inspect.getmembers(dm, inspect.isfunction)
        if inspect.signature(f).return_annotation in (dm.Gaussian, dm.PCM, dm.AbstractDevice)
    }
    assert sets - {"pcm_with_drift"} <= made  # that one takes numbers of your own


def nested(device):
    """A device and those it wraps."""
    yield device
    for part in vars(device).values():
        if isinstance(part, dm.AbstractDevice):
            yield from nested(part)


@every_device
def test_one_key_makes_one_chip_with_one_history_and_another_key_another_chip(name):
    device = DEVICES[name]
    write = eqx.filter_jit(lambda key: device.program(targets(device), key=key))
    read = eqx.filter_jit(lambda cells, t: moment(device, cells, t))
    cells, other = write(jr.key(0)), write(jr.key(1))
    first, _, again = (read(cells, jnp.asarray(t)) for t in (3600.0, YEAR, 3600.0))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, read(write(jr.key(0)), jnp.asarray(3600.0)))
    assert name in EXACT or np.mean(np.asarray(first[0] != read(other, jnp.asarray(3600.0))[0])) > 0.5


@every_device
def test_a_batch_of_chips_is_the_chips_one_by_one_and_cells_come_in_any_shape(name):
    device, keys = DEVICES[name], jr.split(jr.key(0), 3)
    middle = jnp.asarray((device.g_min + device.g_max) / 2)
    batch, one = (
        eqx.filter_vmap(history, in_axes=(None, None, 0))(device, middle, keys),
        history(device, middle, keys[2]),
    )
    for several, single in zip(batch, one, strict=True):
        assert several.shape == (3, len(TIMES)) and single.shape == (len(TIMES),)
        assert several.dtype == single.dtype == jnp.float32
        np.testing.assert_allclose(several[2], single, rtol=1e-5, atol=1e-12)
    current = device.current(one[0], jnp.full_like(one[0], 0.2))
    assert "I-V" in device.effects or np.allclose(current, 0.2 * one[0], rtol=1e-6, atol=0)


@pytest.mark.parametrize("name", ["pcm_joshi2020", slow("cmo_hfox_falcone2025")])
def test_compiled_cells_are_the_eager_cells(name):
    device, target = DEVICES[name], targets(DEVICES[name])[::6]
    with jax.disable_jit():
        eager = history(device, target, jr.key(0))
    for compiled, plain in zip(history(device, target, jr.key(0)), eager, strict=True):
        np.testing.assert_allclose(compiled, plain, rtol=1e-5, atol=1e-12)


@every_device
def test_gradients_in_the_target_are_finite_from_end_to_end_at_every_age(name):
    device = DEVICES[name]

    @eqx.filter_jit
    def gradients(x):
        return jax.jacrev(lambda x: tuple(part.sum(-1) for part in history(device, x, jr.key(0))))(x)

    of_conductance, of_noise = gradients(targets(device))
    assert np.isfinite(of_conductance).all() and np.isfinite(of_noise).all()
    assert np.any(np.asarray(of_conductance) != 0, axis=-1).all()


@every_device
def test_conductance_and_read_noise_are_finite_and_never_negative(name):
    for x in population(name):
        assert np.isfinite(x).all() and np.min(x) >= 0


@every_device
def test_a_higher_target_is_a_higher_conductance_on_average_at_every_age(name):
    g, _ = population(name)
    step, error = np.diff(g.mean(1)), np.sqrt(g.var(1)[:, 1:] + g.var(1)[:, :-1]) / np.sqrt(N)
    assert np.all(step > -STANDARD_ERRORS * error)
    assert np.all(g.mean(1)[:, -1] > g.mean(1)[:, 0])


@every_device
def test_written_cells_lie_about_their_targets(name):
    # Means by 6 % of the range, for cells clipped at zero and stuck ones; spread by 12 %, HERMES has 10 %.
    device, start = DEVICES[name], population(name)[0][0]
    ends = [0, -1] if "levels" in device.effects else range(5)
    off = start.mean(0) - np.linspace(device.g_min, device.g_max, 5)
    assert np.all(np.abs(off)[ends] < 0.06 * device.g_max)
    assert np.all(start.std(0) < 0.12 * device.g_max) or "stuck cells" in device.effects


@every_device
def test_a_device_cites_its_papers(name):
    device, entries = DEVICES[name], dm.citation(DEVICES[name])
    assert entries.count("@") == len(entries.splitlines()) and all(line.endswith("}}") for line in entries.splitlines())
    own = name.startswith(("ideal", "gaussian"))
    assert bool(device.sources) == (not own)
    assert bool(entries) == (not own and name != "mtj_generic")  # which is of no paper, and says so


@pytest.mark.parametrize("name", dm.DEVICES)
def test_every_number_of_the_catalogue_has_a_unit_and_a_paper(name):
    entry = dm.device(name)
    assert isinstance(entry.make(), dm.AbstractDevice)
    assert entry.numbers or name == "ideal"
    for number in entry.numbers.values():
        assert isinstance(number, dm.Sourced) and np.isfinite(number.value).all()
        assert set(number.unit.split(", ")) <= {"S", "s", "1", "nA", "1/nA", "day", "ohm"}
        paper = number.where.split(",")[0].split(";")[0]
        assumed = paper.startswith("assumed")
        assert assumed or f"{{{paper}," in dm.citation(entry.make()), "a place begins with the key of its paper"
