"""A sampled chip passes its gradient through one number a cell: the same numbers, and the same gradient."""

import dataclasses
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from device_models._elementwise import is_elementwise
from helpers import DEVICES, quick_and_slow
from memsim.train import _hardware
from memsim.train._sloped import Sloped, SlopedCells

KEY, T = jr.key(0), jnp.asarray(3600.0)
NOT_PROVEN = {"write_verify", "empirical"}  # loops
QUICK = ("ideal", "pcm_joshi2020", "sonos_agrawal2022", "fefet_jerry2017", "stuck_cells", "write_verify", "empirical")
every_device = pytest.mark.parametrize("name", quick_and_slow(QUICK, DEVICES))


def reads(device, target, t=T):
    """A number that follows from conductances and read noise, each cell weighted by itself."""
    cells = device.program(target, key=KEY)
    found = [read(cells, t) for read in (device.conductance, device.read_noise)]
    weights = jr.normal(jr.key(1), (len(found), *target.shape))
    return sum(jnp.sum(w * 1e5 * a) for w, a in zip(weights, found, strict=True) if a is not None)


def targets(device):
    """Away from the ends of the range, from levels and from knots, where a gradient has two sides."""
    share = jnp.linspace(0.0631, 0.9437, 24).reshape(2, 3, 4)
    return device.g_min + share * (device.g_max - device.g_min)


@every_device
def test_values_and_gradients_are_those_of_the_device(name):
    device = DEVICES[name]
    x = targets(device)
    found, slope = jax.jit(jax.value_and_grad(partial(reads, Sloped(device))))(x)
    expected, exact = jax.jit(jax.value_and_grad(partial(reads, device)))(x)
    assert isinstance(jax.eval_shape(lambda x: Sloped(device).program(x, key=KEY), x), SlopedCells) == (
        name not in NOT_PROVEN
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(slope, exact, rtol=1e-4, atol=1e-5 * jnp.max(jnp.abs(exact)))


@pytest.mark.slow
def test_derivatives_forward_of_time_and_of_second_order_are_those_of_the_device():
    with jax.enable_x64(True):
        plain = dm.pcm_joshi2020()
        x, t, along = targets(plain).astype(float), jnp.asarray(3600.0), jnp.cos(jnp.arange(24.0)).reshape(2, 3, 4)

        def all_of(device):
            def value(x, t):
                return reads(device, x, t)

            by_both = jax.grad(value, (0, 1))
            return [
                jax.jvp(value, (x, t), (1e-6 * along, 1.0))[1],
                by_both(x, t),
                jax.jvp(by_both, (x, t), (1e-6 * along, 1.0))[1],
                jax.grad(lambda x: jnp.sum(along * by_both(x, t)[0]))(x),
                jax.grad(lambda x: by_both(x, t)[1])(x),
            ]

        found, expected = (jax.jit(partial(all_of, device))() for device in (Sloped(plain), plain))
        for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * jnp.max(jnp.abs(b)))


def test_each_of_many_chips_has_the_gradient_of_its_own_cells():
    plain, keys = dm.pcm_joshi2020(), jr.split(KEY, 3)

    def slopes(device):
        def one(key, x):
            return jax.grad(lambda x: jnp.sum(1e5 * device.conductance(device.program(x, key=key), T)))(x)

        return jax.jit(jax.vmap(one, (0, None)))(keys, targets(plain))

    np.testing.assert_allclose(slopes(Sloped(plain)), slopes(plain), rtol=1e-4)


class Neighbours(dm.AbstractDevice):
    """Cells that follow their neighbours, as those of no published device do."""

    g_min: float = 0.0
    g_max: float = 25e-6

    def program(self, target, *, key):
        return target + 0.1 * jnp.roll(target, 1, -1) - 0.05 * jnp.mean(target)

    def conductance(self, cells, t):
        return cells * (1.0 + t) ** -0.05


def test_cells_that_follow_others_pass_their_whole_gradient():
    device = Neighbours()
    x = targets(device)
    np.testing.assert_array_equal(jax.grad(partial(reads, Sloped(device)))(x), jax.grad(partial(reads, device))(x))


@pytest.mark.parametrize(
    "function",
    [jnp.cumsum, jnp.flip, jnp.sort, lambda x: x - jnp.mean(x), lambda x: x @ jnp.ones(3), lambda x: x[..., :1] * x],
)
def test_what_mixes_elements_is_not_element_by_element(function):
    assert not is_elementwise(function, jnp.ones((3,)))


@pytest.mark.parametrize("function", [jnp.exp, jax.nn.relu, jax.jit(jnp.tanh), lambda x: jnp.where(x > 0, x, 0.0)])
def test_what_does_not_is(function):
    assert is_elementwise(function, jnp.ones((3,)))


DESIGN = ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8), tile=(5, 4), reads=ms.Reads("per_moment"))
DESIGNS = {
    "pairs": DESIGN,
    "slices": dataclasses.replace(DESIGN, mapping=ms.BitSliced(ms.DifferentialPair(), 2, 2)),
    "read noise": dataclasses.replace(DESIGN, reads=ms.Reads("per_read"), device=dm.rram_wan2022()),
    "wires": dataclasses.replace(DESIGN, wires=ms.ResistiveWires(2.0, 2.0)),
    "numbers of its own": dataclasses.replace(
        DESIGN, device=dataclasses.replace(DESIGN.device, nu_scale=jnp.asarray(1.5))
    ),
    "a function": lambda path, layer: DESIGN,
    "mixed signal": ms.nn.MixedSignal(DESIGN, ms.nn.NeuronCircuit({}, 0.0)),
}


@pytest.mark.parametrize("name", quick_and_slow(("slices", "a function"), DESIGNS))
def test_a_sampled_chip_has_the_gradient_that_reverse_mode_finds(name, monkeypatch):
    layer, x = ms.nn.Linear(7, 6, key=jr.key(2)), jr.normal(jr.key(3), (4, 7))
    hardware = ms.train.SampledChip(DESIGNS[name], time=ms.train.LogUniform(1.0, 1e6))

    def loss(layer):
        chip = hardware.sample(layer, strength=jnp.asarray(0.7), key=jr.key(4))
        return jnp.sum(jnp.sin(chip.weight(x, key=jr.key(5))))

    found = eqx.filter_jit(eqx.filter_value_and_grad(loss))(layer)
    monkeypatch.setattr(_hardware, "with_sloped_cells", lambda designs: designs)
    exact = eqx.filter_jit(eqx.filter_value_and_grad(loss))(layer)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(exact), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * np.max(np.abs(b)))
