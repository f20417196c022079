"""Read noise by the coding of the inputs, behind wires, by its spectrum, and as it grows in training."""

import dataclasses
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from helpers import quick_and_slow

YEAR = 3.15576e7
N, STANDARD_ERRORS = 10_000, 5
NOISE = 1e-6
STEADY = dm.Gaussian(
    g_min=10e-6, g_max=100e-6, write_noise=dm.curves.Constant(0.0), noise=dm.ageing.Steady(dm.curves.Constant(NOISE))
)  # of unknown spectrum
MOVING = ms.Correlated(dm.noise.Flicker(1.0, 1e4), 1e-3)


def reads(matrix, x, n=N):
    """`n` reads of the rows of `x`."""
    keys = jr.split(jr.key(1), n)
    return np.asarray(jax.jit(jax.vmap(lambda key: matrix(x, key=key)))(keys), np.float64)


def moments(design, w, x, n):
    """One read in each of `n` moments of a chip."""
    chip = design.program(w, key=jr.key(0))
    keys = jr.split(jr.key(2), n)
    return np.asarray(
        jax.jit(lambda keys: jax.lax.map(lambda key: chip.at(0.0, key=key)(x), keys, batch_size=200))(keys)
    )


# By the coding of the inputs.

CODES = np.array([1, 8, 32, 127])


def of_code(dac, codes, read_noise="per_read", device=STEADY):
    """Standard deviation of a read of one cell pair, relative to that of the last code."""
    design = ms.Crossbar(device, dac=dac, reads=ms.Reads(read_noise), compensation=None)
    matrix = design.deploy(jnp.ones((1, 1)), 0.0, key=jr.key(0))
    spread = reads(matrix, jnp.asarray(codes, jnp.float32)[:, None] / (1 if dac is None else 127)).std(0)[:, 0]
    return spread / spread[-1]


ERROR = STANDARD_ERRORS * math.sqrt(1 / N)  # of the ratio of two standard deviations


def test_white_noise_grows_as_the_root_of_a_pulses_duration():
    np.testing.assert_allclose(
        of_code(ms.PulseWidthDAC(8), CODES), [0.0887, 0.2510, 0.5020, 1.0], rtol=ERROR, atol=1e-4
    )


def test_noise_that_is_slow_against_a_pulse_grows_as_the_pulse():
    for dac, read_noise, device in (
        (ms.DAC(8), "per_read", STEADY),  # voltage levels
        (ms.PulseWidthDAC(8), "by_spectrum", dm.pcm_joshi2020()),  # 1/f noise up to one over two reads
    ):
        np.testing.assert_allclose(of_code(dac, CODES, read_noise, device), CODES / 127, rtol=ERROR)


def test_variances_of_several_spikes_add_up():
    np.testing.assert_allclose(of_code(None, [0.5, 2, 3, -1]), [0.5, math.sqrt(2), math.sqrt(3), 1], rtol=ERROR)


def test_white_noise_of_digits_is_that_of_its_time_slots():
    """Fresh noise in each unit of time, of which a full pulse has as many as there are values of a digit."""
    bits, codes = 3, np.array([1, 3, 7, 8, 100, 127])
    rng, full = np.random.default_rng(0), 2**bits - 1
    slots = math.sqrt(full) * rng.normal(size=(N, 3, full))  # so that the mean over a full pulse has unit variance
    digits = np.stack([codes >> shift & full for shift in (0, 3, 6)])
    on = np.arange(full) < digits[..., None]
    summed = np.einsum("p,npt,pct->nc", [1, 8, 64], slots, on).std(0)
    found = of_code(ms.BitSerialDAC(8, 1.0, bits), codes)
    np.testing.assert_allclose(found, summed / summed[-1], rtol=1.5 * ERROR)


# Behind wires. 16 x 16 at 128 ohm lose what 128 x 128 lose at 2 ohm.

ROWS, OHM = 16, 128.0
WIRED = {
    "pair": ms.DifferentialPair(),
    "column": ms.OffsetColumn(offset="column"),
    "sliced": ms.BitSliced(ms.DifferentialPair(arrangement="interleaved"), 2, 2),
}


def behind_wires(read_noise, mapping, **settings):
    wires = ms.ResistiveWires(OHM, OHM)
    return ms.Crossbar(STEADY, mapping, wires=wires, reads=ms.Reads(read_noise), compensation=None, **settings)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["pair", *(pytest.param(name, marks=pytest.mark.slow) for name in ("column", "sliced"))]
)
def test_noise_behind_wires_has_the_law_of_fresh_cells(name):
    """Of cells drawn anew and the circuit solved for each, with all inputs on, and with some."""
    w = jr.uniform(jr.key(3), (4, ROWS))
    x = jnp.stack([jnp.ones(ROWS), jnp.where(jnp.arange(ROWS) % 3 == 0, 1.0, 0.0)])
    fresh = moments(behind_wires("per_moment", WIRED[name]), w, x, 3000)
    ours = reads(behind_wires("per_read", WIRED[name]).deploy(w, 0.0, key=jr.key(0)), x)
    moving = moments(behind_wires(MOVING, WIRED[name]), w, x, 3000)
    for k in range(2):
        expected = np.cov(fresh[:, k].T)
        size = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
        for found in (ours, moving):
            error = np.abs(np.cov(found[:, k].T) - expected) / size
            assert error.max() < 4.5 * math.sqrt(2 * (1 / 3000 + 1 / len(found)))
            assert abs(np.trace(np.cov(found[:, k].T)) / np.trace(expected) - 1) < 0.06  # 0.03 of the spread


@pytest.mark.slow
def test_pulses_of_white_noise_behind_wires_overlap_in_time():
    """The circuit of every unit of time has the word lines that are still on; derivatives from autodiff."""
    device, codes = STEADY, np.array([15, 4, 9, 1, 0, 12, 7, 3, 14, 5, 10, 2])
    wires, n = ms.ResistiveWires(200.0, 200.0), len(codes)
    design = ms.Crossbar(device, wires=wires, dac=ms.PulseWidthDAC(5), reads=ms.Reads("per_read"), compensation=None)
    chip = design.program(jr.uniform(jr.key(3), (3, n)), key=jr.key(0))
    x = jnp.asarray(codes, jnp.float32) / 15
    slope = jax.jit(lambda g: jax.jacobian(lambda g: wires.effective(g))(g))  # (input, line, row, line)
    variance = np.zeros(3)
    for plane in np.asarray(
        chip.cells if isinstance(chip.cells, jax.Array) else device.conductance(chip.cells, jnp.zeros(()))
    ):
        of_cells = np.asarray(slope(jnp.asarray(plane)), np.float64)
        for t in range(15):
            moved = np.einsum("i,ijkl->jkl", (codes > t) * 1.0, of_cells)
            variance += 15 / 15**2 * (moved**2).sum((1, 2)) * NOISE**2
    expected = np.sqrt(variance) / (device.g_max - device.g_min) * np.asarray(chip.scales, np.float64)[0]
    found = reads(chip.at(0.0, key=jr.key(1)), x).std(0)
    np.testing.assert_allclose(found, expected, rtol=0.03)


# By its spectrum.


@pytest.mark.slow
def test_of_one_over_f_noise_what_an_inference_does_not_cover_stands_still():
    """After a year 32 e-folds, of which 40 ms cover ln(40 ms / 0.5 us) = 11.3."""
    w, x, n = jr.normal(jr.key(3), (2, 64)), jnp.ones(64), 4000
    device = dm.pcm_joshi2020(read_noise_scale=0.1)  # so that no cell is clipped at zero
    variance = {}
    for read_noise in ("by_spectrum", "per_read"):
        chip = ms.Crossbar(device, reads=ms.Reads(read_noise), compensation=None).program(w, key=jr.key(0))

        def two(key, chip=chip):
            matrix = chip.at(YEAR, key=key)
            return jnp.stack([matrix(x, key=jr.fold_in(key, k)) for k in range(2)])

        y = np.asarray(jax.jit(lambda keys, two=two: jax.lax.map(two, keys, batch_size=500))(jr.split(jr.key(1), n)))
        variance[read_noise] = y.var((0, 1))
        shared = [np.corrcoef(y[:, 0, j], y[:, 1, j])[0, 1] for j in range(2)]
        expected = 1 - math.log(0.04 / 5e-7) / math.log((YEAR + 20) / 5e-7) if read_noise == "by_spectrum" else 0.0
        np.testing.assert_allclose(shared, expected, rtol=0, atol=STANDARD_ERRORS / math.sqrt(n))
    np.testing.assert_allclose(variance["by_spectrum"], variance["per_read"], rtol=STANDARD_ERRORS * math.sqrt(2 / n))


def test_a_longer_inference_leaves_less_that_stands_still():
    spectrum = dm.StuckCells(dm.pcm_joshi2020(), 0.01, 0.01).read_spectrum
    assert spectrum == dm.noise.OneOverF(t_0=20.0, t_read=250e-9)
    found = [float(spectrum.frozen(jnp.asarray(YEAR), duration)) for duration in (1e-9, 5e-7, 0.04, 1e9)]
    np.testing.assert_allclose(found, [1, 1, 0.6447, 0], atol=1e-4)


@pytest.mark.slow
def test_noise_of_unknown_spectrum_is_new_in_every_read():
    w, x = jr.normal(jr.key(0), (3, 5)), jnp.ones(5)
    one, other = (
        ms.Crossbar(STEADY, compensation=None, **setting).deploy(w, 0.0, key=jr.key(1))(x, key=jr.key(2))
        for setting in ({}, {"reads": ms.Reads("per_read")})
    )
    np.testing.assert_array_equal(one, other)


# As it grows in training.

STAYS = {"word_lines.dac", "adc", "dtype", "noise.white"}  # converters, and structure
STAYS |= {f"sums.{name}" for name in ("scale", "rows", "slices", "of_codes", "dead")}
DEVIATING = {
    "wires": behind_wires("per_read", WIRED["column"]),
    "moving": ms.Crossbar(STEADY, reads=ms.Reads(MOVING), compensation=None),
    "curved": ms.Crossbar(dm.Ideal(20e-6, 110e-6, dm.iv.Sinh(4.0)), dac=ms.DAC(None, 4.0)),
    "amplifier": ms.Crossbar(
        dm.pcm_joshi2020(),
        adc=ms.ADC(None, 64.0),
        reads=ms.Reads(sense=ms.SenseAmplifier(series_resistance=1e3, offset=1e-2, saturation=0.5, noise=0.1)),
    ),
}


@pytest.mark.parametrize("name", quick_and_slow(("curved",), DEVIATING))
def test_at_no_strength_a_sampled_chip_is_the_digital_network(name):
    net = ms.nn.SpikingNetwork([ms.nn.Linear(12, 4, use_bias=False, key=jr.key(0))])
    hardware, xs = ms.train.SampledChip(DEVIATING[name], time=10.0), jr.normal(jr.key(1), (3, 12))

    @eqx.filter_jit
    def run(strength):
        return hardware.sample(net, strength=strength, key=jr.key(2))(xs, key=jr.key(3))

    np.testing.assert_allclose(run(jnp.zeros(())), net(xs), atol=2e-5)
    assert np.abs(np.asarray(run(jnp.ones(())) - net(xs))).max() > 0.01


def test_every_part_of_a_matrix_grows_or_is_known_to_stay():
    """A new field of `AnalogMatrix`, or of its parts, must be in `AnalogMatrix.ramped`, or in STAYS."""
    grown, there = set(), set()

    @eqx.filter_jit
    def both(design):
        matrix = design.deploy(jr.normal(jr.key(0), (4, ROWS)), 10.0, key=jr.key(1))
        return matrix, matrix.ramped(jnp.zeros((4, ROWS)), jnp.zeros(()))

    for name, design in DEVIATING.items():
        matrix, none = both(design)
        for field, before in parts(matrix).items():
            there.add(field)
            if not bool(eqx.tree_equal(before, parts(none)[field])):
                assert field not in STAYS, (name, field)
                grown.add(field)
    assert grown | STAYS == there


def parts(matrix):
    """The fields of a matrix, and of those that are parts of a read."""
    found = {}
    for field in dataclasses.fields(matrix):
        value = getattr(matrix, field.name)
        whole = value is None or field.name in ("weight", "adc", "fluctuation", "dtype")
        inner = {} if whole else {f"{field.name}.{f.name}": getattr(value, f.name) for f in dataclasses.fields(value)}
        found |= {field.name: value} if whole else inner
    return {name: value for name, value in found.items() if name not in ("noise", "amplifiers")}


@pytest.mark.slow
def test_neurons_deviate_from_nothing():
    net = ms.nn.SpikingNetwork([ms.nn.Linear(6, 8, gain=4.0, key=jr.key(0)), ms.nn.LIF(8)])
    circuit = ms.nn.NeuronCircuit({"threshold": 0.3, "tau_mem": 0.3}, noise=0.5)
    hardware = ms.train.SampledChip(ms.nn.MixedSignal(ms.Crossbar(dm.Ideal()), circuit))
    xs = jr.uniform(jr.key(1), (30, 6))
    one, other = (hardware.sample(net, strength=jnp.asarray(s), key=jr.key(2))(xs, key=jr.key(3)) for s in (0.0, 1.0))
    np.testing.assert_array_equal(one, net(xs))
    assert np.any(np.asarray(one) != np.asarray(other))
