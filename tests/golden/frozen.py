"""Results that must not move when code does: cells, chips, reads, spikes, training, studies.

`make freeze` writes them anew to tests/data/frozen.npz. Do so only where a change of numbers is meant, and say so in
the changelog.
"""

import functools
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax

import device_models as dm
import memsim as ms

FILE = Path(__file__).parents[1] / "data" / "frozen.npz"
KEYS = jr.split(jr.key(7), 4)
ROW = jnp.linspace(-1.0, 1.0, 12)
W = jnp.sin(3.0 * jnp.arange(60.0)).reshape(5, 12)
X = jnp.cos(jnp.arange(36.0)).reshape(3, 12)
YEAR = 3.15e7
RESULTS: dict[str, Callable[[], Any]] = {}


def result(function: Callable[[], Any]) -> Callable[[], Any]:
    RESULTS[function.__name__] = function
    return function


def cells(device: dm.AbstractDevice, t: float = 3600.0) -> Any:
    """Conductances and read noise of eleven cells of `device` at two times."""
    cells = device.program(jnp.linspace(device.g_min, device.g_max, 11), key=KEYS[0])
    times = [jnp.asarray(0.0), jnp.asarray(t)]
    return [(device.conductance(cells, t), device.read_noise(cells, t)) for t in times]


def read(crossbar: ms.Crossbar, t: float = 3600.0) -> Any:
    """A chip's weights and a noisy read of it."""
    matrix = crossbar.deploy(W, t, key=KEYS[0])
    return matrix.effective_weight, matrix(X, key=KEYS[1])


@result
def every_cell_of_the_catalogue():
    return {name: cells(entry.make(), 900.0) for name, entry in dm.DEVICES.items()}


@result
def stuck_cells():
    return cells(dm.StuckCells(dm.pcm_joshi2020(), p_on=0.1, p_off=0.2), YEAR)


@result
def verified_cells():
    return cells(dm.WriteVerify(dm.pcm_joshi2020(), window=1e-6, max_pulses=5))


@result
def parallel_cells_with_levels():
    return cells(dm.Levels(dm.Parallel(dm.pcm_joshi2020(), n=3), n=16))


@result
def pair_of_cells():
    return cells(dm.CellPair(dm.pcm_joshi2020(), dm.rram_wan2022(), significance=4.0))


@result
def walking_cells():
    return cells(dm.rram_wan2022().remembering("walk"), 900.0)


@result
def trap_noise():
    process = dm.noise.Telegraph(1e-3, 1.0)
    state = process.initial((9,), key=KEYS[0])
    return process.value(process.advance(state, 0.02, key=KEYS[1]))


@result
def memristor_current():
    t = jnp.linspace(0.0, 1.0, 200)
    return dm.memristors.simulate(dm.memristors.hp_strukov2008(), t, 0.1 * jnp.sin(6.0 * t)).current


@result
def pulsed_updates():
    array = dm.pulsed.PulsedArray.fabricate(dm.pulsed.reram_sb_gong2018(), 0.1 * W, key=KEYS[0])
    return array.update(ROW, jnp.linspace(1.0, -1.0, 5), 0.5, key=KEYS[1]).shown


@result
def one_sided_pair():
    pair = dm.pulsed.OneSidedPair.fabricate(dm.pulsed.pcm_onesided_nandakumar2020(), 0.1 * W, key=KEYS[0])
    return pair.update(ROW, jnp.linspace(1.0, -1.0, 5), 0.05, key=KEYS[1]).shown


@result
def fitted_programming():
    levels = np.repeat(np.linspace(2e-6, 20e-6, 10), 8)
    measured = levels + 1e-6 * np.random.default_rng(0).normal(size=levels.shape)
    found = dm.fit.fit_programming(levels, measured, degree=1, g_max=25e-6)
    return [estimate.value for estimate in found.parameters.values()]


@result
def default_crossbar():
    return read(ms.Crossbar(dm.pcm_joshi2020()))


@result
def crossbar_with_converters():
    return read(ms.Crossbar(dm.pcm_joshi2020(), dac=ms.DAC(6), adc=ms.ADC(6), tile=(5, 4)))


@result
def crossbar_of_a_pulse_width_dac_and_a_sar():
    return read(ms.Crossbar(dm.rram_wan2022(), dac=ms.PulseWidthDAC(5), adc=ms.SAR(6), tile=(8, 8)), 60.0)


@result
def crossbar_of_bits_and_a_ramp():
    return read(ms.Crossbar(dm.rram_milo2021(), dac=ms.BitSerialDAC(4), adc=ms.Ramp(6)), 60.0)


@result
def crossbar_of_slices():
    return read(
        ms.Crossbar(dm.Levels(dm.rram_wan2022(), n=4), ms.BitSliced(ms.DifferentialPair(), 2, 2), adc=ms.ADC(7)), 60.0
    )


@result
def crossbar_with_an_offset_column():
    return read(ms.Crossbar(dm.pcm_hermes2(), ms.OffsetColumn(offset="column"), adc=ms.ADC(7), tile=(8, 3)))


@result
def crossbar_behind_wires():
    return read(ms.Crossbar(dm.pcm_hermes1(), wires=ms.ResistiveWires(5.0, 5.0), compensation=None))


@result
def crossbar_with_sense_amplifiers():
    sense = ms.SenseAmplifier(series_resistance=100.0, offset=1e-3, saturation=0.1, noise=0.04)
    return read(ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8), reads=ms.Reads(sense=sense), tile=(8, 8)))


@result
def crossbar_of_nonlinear_cells():
    return read(ms.Crossbar(dm.Ideal(iv=dm.iv.Sinh(2.5)), dac=ms.DAC(4), adc=ms.ADC(8)))


@result
def crossbar_with_moving_noise():
    process = dm.noise.Flicker(1.0, 1e3)
    return read(ms.Crossbar(dm.pcm_joshi2020(), reads=ms.Reads(ms.Correlated(process, 1e-3)), adc=ms.ADC(8)))


@result
def crossbar_written_by_gradient_descent():
    return read(ms.Crossbar(dm.pcm_joshi2020(), programming=ms.GradientDescent(3), adc=ms.ADC(8)))


@result
def compensation_measures():
    measures = (ms.GlobalDriftCompensation(measure=m, per="bit line") for m in ("identity", "summed current"))
    return [read(ms.Crossbar(dm.pcm_joshi2020(), compensation=measure), YEAR) for measure in measures]


@result
def gradient_through_a_chip():
    crossbar = ms.Crossbar(dm.pcm_joshi2020(), dac=ms.DAC(6), adc=ms.ADC(6))
    return jax.grad(lambda w: jnp.sum(crossbar.deploy(w, 60.0, key=KEYS[0])(X, key=KEYS[1]) ** 2))(W)


def network() -> ms.nn.SpikingNetwork:
    layers = [ms.nn.Linear(13, 16, key=KEYS[0]), ms.nn.LIF(16), ms.nn.Linear(16, 10, key=KEYS[1]), ms.nn.LI(10)]
    return ms.nn.SpikingNetwork(layers)


@functools.cache
def recordings() -> Any:
    return ms.data.spoken_digits()


@result
def spikes_on_a_chip():
    model = ms.deploy(network(), ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8)), 60.0, key=KEYS[2])
    x = jnp.asarray(recordings().test.inputs[0], jnp.float32)
    return model(4.0 * x, key=KEYS[3], record=("spikes", "membranes"))


@result
def spikes_of_every_neuron():
    currents = 3.0 * jnp.sin(jnp.arange(150.0)).reshape(30, 5)
    neurons = (ms.nn.LIF, ms.nn.IF, ms.nn.CuBaLIF, ms.nn.ALIF, ms.nn.AdEx, ms.nn.Izhikevich, ms.nn.ResonateAndFire)
    return [ms.nn.SpikingNetwork([neuron(5)])(currents) for neuron in neurons]


@result
def convolution_on_a_chip():
    layer = ms.nn.Conv2d(1, 2, 3, key=KEYS[0])
    chip = ms.deploy(ms.nn.SpikingNetwork([layer]), ms.Crossbar(dm.pcm_joshi2020()), 60.0, key=KEYS[1])
    return chip(jnp.sin(jnp.arange(72.0)).reshape(2, 1, 6, 6), key=KEYS[2])


@result
def encoded_signals():
    x = jnp.linspace(0.0, 1.0, 6)
    return ms.encoding.Poisson(20, 1e-3)(100.0 * x, key=KEYS[0]), ms.encoding.LinearLatency(20)(x)


@result
def trained_network():
    data = recordings()
    few = ms.data.Splits(data.train.take(np.arange(64)), data.validation.take(np.arange(32)), data.test)
    hardware = ms.train.SampledChip(ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8)), time=ms.train.LogUniform(1.0, YEAR))
    return ms.train.fit(network(), few, hardware=hardware, epochs=1, batch_size=32, key=KEYS[3])


@result
def weights_learnt_in_the_array():
    optimizer = ms.insitu.tiki_taka(dm.pulsed.reram_es_gong2018(), 0.1, key=KEYS[0])
    weights = {"w": 0.1 * W}

    def step(carry, _):
        weights, state = carry
        updates, state = optimizer.update({"w": W}, state, weights)
        return (optax.apply_updates(weights, updates), state), None

    return eqx.filter_jit(lambda: jax.lax.scan(step, (weights, optimizer.init(weights)), length=3))()[0][0]


@result
def robustness_study():
    crossbar = ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8))
    few = recordings().test.take(np.arange(40))
    found = ms.study.robustness(network(), few, crossbar, chips=3, times=[0.0, YEAR], key=KEYS[3])
    return {name: np.asarray(values) for name, values in found.data_vars.items() if values.dtype.kind in "fiub"}


def numbers(found: Any) -> dict[str, np.ndarray]:
    """Every array and number in `found`, in the order of a walk through it."""
    leaves = [leaf for leaf in jax.tree.leaves(found) if eqx.is_array_like(leaf) and not _is_key(leaf)]
    return {str(place): np.asarray(leaf) for place, leaf in enumerate(leaves)}


def _is_key(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def machine() -> str:
    """What bits of floating-point results may depend on."""
    flags = Path("/proc/cpuinfo")
    text = flags.read_text() if flags.exists() else ""
    vectors = sorted({word for word in text.split() if word.startswith(("avx", "fma", "amx"))})
    return " ".join([platform.machine(), *vectors, "jax", jax.__version__, "numpy", np.__version__])


def record() -> None:
    arrays = {f"{name}/{place}": a for name, make in RESULTS.items() for place, a in numbers(make()).items()}
    np.savez_compressed(FILE, machine=machine(), **arrays)
    print(f"{len(RESULTS)} results, {len(arrays)} arrays, {FILE.stat().st_size} bytes: {FILE}")
