"""Converter ranges that are trained with the weights."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import memsim as ms
from device_models import Ideal, pcm_joshi2020
from helpers import slow
from memsim.nn import LI, LIF, LearnedRanges, Linear, PerLayer, SpikingNetwork, analog_layers, convert

KEY = jr.key(1)
LAYER = Linear(6, 3, use_bias=False, key=KEY)
X, C = jr.normal(KEY, (6,)), jnp.asarray([1.0, -2.0, 0.5])
deploy = eqx.filter_jit(ms.deploy)


def slopes(crossbar, layer=LAYER, x=X):
    """Derivatives of c y with respect to the logarithms of the ranges."""

    @eqx.filter_jit
    @eqx.filter_grad
    def gradient(learned):
        return C @ ms.deploy(learned, crossbar, 0.0, key=KEY)(x)

    found = gradient(LearnedRanges(layer, crossbar))
    return found.log_input_ranges.get(""), found.log_full_scales.get("")


@pytest.mark.parametrize("bits", [slow(3), 6, slow(None)])
def test_the_slope_of_an_input_range_is_a_learned_step_inside_and_a_clip_outside(bits):
    x, w, full = np.asarray(X, np.float64), np.asarray(LAYER.weight, np.float64), 1.1
    levels = 1 if bits is None else 2 ** (bits - 1) - 1
    code = np.clip(x * levels / full, -levels, levels)
    read = (code if bits is None else np.round(code)) * full / levels
    of_range = np.where(np.abs(x) > full, np.sign(x), (read - x) / full)
    assert (np.abs(x) > full).any() and (np.abs(x) < full).any()
    found, none = slopes(ms.Crossbar(Ideal(), dac=ms.DAC(bits, full)))
    np.testing.assert_allclose(found, C @ w @ of_range * full, rtol=1e-4)
    assert none is None


@pytest.mark.parametrize("bits", [3, slow(6), slow(None)])
def test_the_slope_of_a_full_scale_is_a_learned_step_inside_and_a_clip_outside(bits):
    y, full = np.asarray(LAYER(X), np.float64), 1.0
    scale = np.abs(np.asarray(LAYER.weight, np.float64)).max(axis=1)  # of one fully-on cell
    most, levels = full * scale, 1 if bits is None else 2 ** (bits - 1) - 1
    code = np.clip(y * levels / most, -levels, levels)
    read = (code if bits is None else np.round(code)) * most / levels
    of_log = np.where(np.abs(y) > most, np.sign(y) * most, read - y)
    assert (np.abs(y) > most).any() and (np.abs(y) < most).any()
    none, found = slopes(ms.Crossbar(Ideal(), adc=ms.ADC(bits, full)))
    np.testing.assert_allclose(found, C @ of_log, rtol=1e-3)
    assert none is None


@pytest.mark.slow
def test_the_slopes_of_clips_without_rounding_are_finite_differences():
    with jax.enable_x64(True):
        layer = eqx.tree_at(lambda made: made.weight, LAYER, LAYER.weight.astype(float))
        crossbar = ms.Crossbar(Ideal(), dac=ms.DAC(None, 1.1), adc=ms.ADC(None, 0.6), tile=(4, 2))
        learned, step = LearnedRanges(layer, crossbar), 1e-6

        @eqx.filter_jit
        def loss(learned):
            return jnp.sum(ms.deploy(learned, crossbar, 0.0, key=KEY)(X.astype(float)) ** 2)

        gradient = eqx.filter_grad(loss)(learned)
        for name in ("log_input_ranges", "log_full_scales"):
            at = lambda m, name=name: getattr(m, name)[""]  # noqa: E731
            up, down = (loss(eqx.tree_at(at, learned, at(learned) + side * step)) for side in (1, -1))
            np.testing.assert_allclose(at(gradient), (up - down) / (2 * step), rtol=1e-5)
            assert abs(at(gradient)) > 1e-3


def network():
    k = jr.split(KEY, 2)
    return SpikingNetwork([Linear(4, 8, key=k[0]), LIF(8), Linear(8, 3, key=k[1]), LI(3)])


CONVERTERS = ms.Crossbar(pcm_joshi2020(), dac=ms.DAC(6), adc=ms.ADC(6), reads=ms.Reads("off"))


def test_layers_and_designs_have_the_paths_of_the_model():
    net, learned = network(), LearnedRanges(network(), CONVERTERS)
    assert list(analog_layers(learned)) == list(analog_layers(net)) == [".layers[0]", ".layers[2]"]
    xs = jr.normal(KEY, (20, 4))
    np.testing.assert_array_equal(learned(xs), net(xs))
    _, record = learned(xs, record="spikes")
    assert set(record["spikes"]) == {".layers[1]"}
    only = PerLayer({".layers[0]": CONVERTERS, ".layers[2]": None})
    made = ms.program(learned, only, key=KEY)
    assert isinstance(made.model.layers[0].weight, ms.Chip) and not isinstance(made.model.layers[2].weight, ms.Chip)
    assert set(LearnedRanges(net, only).full_scales) == {".layers[0]"}
    inputs = ms.nn.clipping(ms.deploy(learned, CONVERTERS, 0.0, key=KEY), xs[None])
    assert set(inputs) == {".layers[0]", ".layers[2]"}


@pytest.mark.slow
def test_a_chip_has_the_ranges_that_were_learned_and_the_design_all_else():
    start = ms.calibrate(network(), jr.normal(KEY, (3, 20, 4)), CONVERTERS)
    learned = LearnedRanges(network(), start)
    for path in (".layers[0]", ".layers[2]"):
        np.testing.assert_allclose(learned.full_scales[path], start.designs[path].adc.full_scale, rtol=1e-6)
    moved = eqx.tree_at(lambda m: m.log_full_scales[".layers[0]"], learned, jnp.log(3.0))
    chips = ms.program(moved, CONVERTERS, key=KEY)
    plain = ms.program(moved.model, moved.design(CONVERTERS), key=KEY)
    for path, layer in analog_layers(chips).items():
        assert eqx.tree_equal(layer.weight, analog_layers(plain)[path].weight)
    np.testing.assert_allclose(chips.model.layers[0].weight.crossbar.adc.full_scale, 3.0, rtol=1e-6)
    calibrated = ms.calibrate(moved, jr.normal(KEY, (3, 20, 4)), CONVERTERS)
    np.testing.assert_allclose(calibrated.designs[".layers[0]"].adc.full_scale, 3.0, rtol=1e-6)
    mixed = moved.design(ms.nn.MixedSignal(CONVERTERS, ms.nn.NeuronCircuit({"tau_mem": 0.1})))
    assert isinstance(mixed, ms.nn.MixedSignal) and mixed.neurons is not None


def test_a_full_scale_of_none_starts_at_what_a_tile_carries_and_slices_have_their_own():
    sliced = ms.BitSliced(ms.DifferentialPair(), 2, 3)
    for adc, mapping, expected in (
        (ms.ADC(8, None), ms.DifferentialPair(), 4.0),
        (ms.ADC(8, jnp.array([1.0, 2.0, 3.0])), sliced, [1.0, 2.0, 3.0]),
    ):
        learned = LearnedRanges(LAYER, ms.Crossbar(Ideal(), mapping, adc=adc, tile=(4, 9)))
        np.testing.assert_allclose(learned.full_scales[""], expected, rtol=1e-6)
    with pytest.raises(ValueError, match="one for each slice"):
        learned.design(CONVERTERS)


@pytest.mark.slow
def test_training_finds_ranges_that_read_what_bad_ones_did_not():
    model = convert(eqx.nn.MLP(4, 3, 16, 1, key=KEY))
    xs = jr.normal(KEY, (128, 4))
    wanted = jax.vmap(model)(xs)
    crossbar = ms.Crossbar(
        Ideal(), dac=ms.DAC(6, 0.2), adc=ms.ADC(6, 40.0)
    )  # clips inputs, and rounds outputs coarsely
    learned = LearnedRanges(model, crossbar)

    def loss(learned):
        chip = ms.deploy(learned, crossbar, 0.0, key=KEY)
        return jnp.mean((jax.vmap(chip)(xs) - wanted) ** 2)

    optimizer = optax.adam(0.05)

    @eqx.filter_jit
    def step(learned, state):
        value, slope = eqx.filter_value_and_grad(loss)(learned)
        with jax.numpy_dtype_promotion("standard"):  # optax multiplies integers and floats
            updates, state = optimizer.update(slope, state)
        return eqx.apply_updates(learned, updates), state, value

    state, values = optimizer.init(eqx.filter(learned, eqx.is_inexact_array)), []
    for _ in range(150):
        learned, state, value = step(learned, state)
        values.append(float(value))
    assert values[-1] < 0.05 * values[0]
    assert learned.input_ranges[".layers[0]"] > 1.0
    assert all(full < 10.0 for full in learned.full_scales.values())


def data():
    rng = np.random.default_rng(0)
    xs = rng.normal(size=(48, 10, 4)).astype(np.float32)
    labels = np.arange(48) % 3
    xs[np.arange(48), :, labels] += 1.5
    return xs, labels


@pytest.mark.slow
def test_fit_trains_ranges_and_robustness_uses_them(tmp_path):
    sets = ms.data.Dataset(*data())
    splits, hardware = ms.data.Splits(sets, sets, sets), ms.train.SampledChip(CONVERTERS)
    start = LearnedRanges(network(), ms.calibrate(network(), sets.inputs, CONVERTERS))
    settings = dict(key=KEY, hardware=hardware, epochs=4, batch_size=16)
    found = ms.train.fit(start, splits, checkpoint=tmp_path / "run.eqx", **settings)
    assert isinstance(found, LearnedRanges)
    for path in (".layers[0]", ".layers[2]"):
        assert found.full_scales[path] != start.full_scales[path]
        assert found.input_ranges[path] != start.input_ranges[path]
    result = ms.study.robustness(found, sets, CONVERTERS, chips=2, times=[0.0], key=KEY)
    same = ms.study.robustness(found.model, sets, found.design(CONVERTERS), chips=2, times=[0.0], key=KEY)
    np.testing.assert_array_equal(result.accuracy, same.accuracy)
    effects = ms.study.attribute(found, sets, CONVERTERS, chips=1, recordings=8, key=KEY)
    assert set(effects.layer.values) == {".layers[0]", ".layers[2]"}


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: LearnedRanges(LAYER, ms.Crossbar(Ideal())), "a converter whose range is learned"),
        (lambda: LearnedRanges(LearnedRanges(LAYER, CONVERTERS), CONVERTERS), "without learned ranges"),
        (lambda: LearnedRanges(LAYER, Ideal()), "A device goes in a crossbar"),
        (
            lambda: ms.program(eqx.nn.Sequential([LearnedRanges(LAYER, CONVERTERS)]), CONVERTERS, key=KEY),
            "must be the outermost, or they would not be used. Got a LearnedRanges within a Sequential",
        ),
    ],
)
def test_what_does_not_fit_is_refused(unchecked, make, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()
