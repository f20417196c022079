"""Converter ranges of any model: layers are watched wherever they are called."""

import re
import warnings

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from device_models import Ideal, pcm_joshi2020
from memsim.nn import LIF, Linear, SpikingNetwork, convert

KEY = jr.key(3)
DESIGN = ms.Crossbar(Ideal(), dac=ms.DAC(8), adc=ms.ADC(8))
COVER_ALL = ms.Percentile(1.0)


class Mixture(eqx.Module):
    """One layer mapped over rows, one in a scan, one called twice, one under a checkpoint."""

    rows: eqx.nn.Linear
    cell: eqx.nn.GRUCell
    twice: eqx.nn.Linear
    kept: eqx.nn.Linear

    def __init__(self, key):
        k = jr.split(key, 4)
        self.rows, self.cell = eqx.nn.Linear(6, 5, key=k[0]), eqx.nn.GRUCell(5, 4, key=k[1])
        self.twice, self.kept = eqx.nn.Linear(4, 4, key=k[2]), eqx.nn.Linear(4, 3, key=k[3])

    def __call__(self, x):
        rows = jax.vmap(self.rows)(x)
        hidden, _ = jax.lax.scan(lambda h, row: (self.cell(row, h), None), jnp.zeros(4), rows)
        return jax.checkpoint(lambda x: self.kept(x))(self.twice(3 * self.twice(hidden)))


def seen_by_hand(model, xs):
    """The largest inputs of the layers of a `Mixture`, from its own equations in NumPy's loops."""
    largest = dict.fromkeys((".rows", ".cell.weight_ih", ".cell.weight_hh", ".twice", ".kept"), 0.0)

    def note(path, x):
        largest[path] = max(largest[path], float(jnp.abs(x).max()))
        return x

    for x in xs:
        hidden = jnp.zeros(4)
        for row in x:
            driven = note(".cell.weight_ih", model.rows(note(".rows", row)))
            hidden = model.cell(driven, note(".cell.weight_hh", hidden))
        once = model.twice(note(".twice", hidden))
        note(".kept", model.twice(note(".twice", 3 * once)))
    return largest


def test_input_ranges_are_the_largest_inputs_that_any_call_of_a_layer_meets():
    model, xs = Mixture(KEY), jr.normal(KEY, (4, 3, 6))
    found = ms.calibrate(convert(model), xs, DESIGN, ranges=COVER_ALL).designs
    for path, largest in seen_by_hand(model, xs).items():
        np.testing.assert_allclose(found[path].dac.input_range, largest, rtol=1e-5, err_msg=path)


@pytest.mark.slow
def test_after_calibration_nothing_is_clipped_and_the_model_comes_back():
    model, xs = convert(Mixture(KEY)), jr.normal(KEY, (4, 3, 6))
    design = ms.calibrate(model, xs, ms.Crossbar(Ideal(), dac=ms.DAC(12), adc=ms.ADC(12)), ranges=COVER_ALL)
    chip = ms.deploy(model, design, 0.0, key=KEY)
    for clipped in ms.nn.clipping(chip, xs).values():
        assert clipped.dac == 0 and not np.any(clipped.adc)
    np.testing.assert_allclose(jax.vmap(chip)(xs), jax.vmap(model)(xs), atol=0.01)


@pytest.mark.slow
def test_clipping_of_a_model_that_was_not_calibrated_is_the_fraction_of_large_inputs():
    model, xs = convert(eqx.nn.MLP(6, 3, 8, 1, key=KEY)), 2 * jr.normal(KEY, (200, 6))
    with pytest.warns(UserWarning, match="default"):
        chip = ms.deploy(model, DESIGN, 0.0, key=KEY)
    found = ms.nn.clipping(chip, xs)
    np.testing.assert_allclose(found[".layers[0]"].dac, np.mean(np.abs(xs) > 1.0), atol=2e-3)


@pytest.mark.slow
def test_a_noisy_chip_of_any_model_tells_what_it_clips_with_a_key():
    model, xs = convert(eqx.nn.MLP(6, 3, 8, 1, key=KEY)), jr.normal(KEY, (20, 6))
    design = ms.calibrate(model, xs, ms.Crossbar(pcm_joshi2020(), adc=ms.ADC(8)))
    chip = ms.deploy(model, design, 3600.0, key=KEY)
    with pytest.raises(ValueError, match="needs `key=`"):
        ms.nn.clipping(chip, xs)
    assert ms.nn.clipping(chip, xs, key=KEY).keys() == {".layers[0]", ".layers[1]"}


@pytest.mark.slow
def test_watching_finds_what_a_network_records():
    model = SpikingNetwork([Linear(6, 5, key=KEY), LIF(5), Linear(5, 4, key=KEY)])
    xs = jr.normal(KEY, (3, 120, 6))  # long enough for chunks

    class Within(eqx.Module):
        network: SpikingNetwork

        def __call__(self, x):
            return self.network(x)

    recorded = ms.calibrate(model, xs, DESIGN, ranges=COVER_ALL).designs
    watched = ms.calibrate(Within(model), xs, DESIGN, ranges=COVER_ALL).designs
    for path, design in recorded.items():
        assert eqx.tree_equal(watched[".network" + path], design, rtol=1e-6)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:All samples drive")
def test_layers_of_another_module_within_a_network_are_watched():
    model = SpikingNetwork([convert(eqx.nn.MLP(6, 5, 8, 1, key=KEY)), LIF(5), Linear(5, 4, key=KEY)])
    xs = jr.normal(KEY, (3, 10, 6))
    found = ms.calibrate(model, xs, DESIGN, ranges=COVER_ALL).designs
    np.testing.assert_allclose(found[".layers[0].layer.layers[0]"].dac.input_range, np.abs(xs).max(), rtol=1e-6)
    assert found[".layers[2]"].dac.input_range == 1.0  # spikes


def test_models_that_draw_random_numbers_are_calibrated_as_they_are_evaluated():
    parts = [eqx.nn.Linear(6, 5, key=KEY), eqx.nn.Dropout(0.5), eqx.nn.Linear(5, 4, key=KEY)]
    found = ms.calibrate(convert(eqx.nn.Sequential(parts)), jnp.ones((20, 6)), DESIGN, ranges=COVER_ALL, key=KEY)
    driven = jnp.abs(parts[0](jnp.ones(6))).max()  # dropout is off
    np.testing.assert_allclose(found.designs[".layers[2]"].dac.input_range, driven, rtol=1e-5)


@pytest.mark.slow
def test_whole_numbers_and_lists_are_the_numbers_they_hold(unchecked):
    model, xs = convert(eqx.nn.MLP(3, 2, 4, 1, key=KEY)), np.array([[0, 1, 200], [7, 8, 9]], np.uint8)
    expected = ms.calibrate(model, xs.astype(np.float32), DESIGN).designs
    for given in (xs, jnp.asarray(xs)):
        assert eqx.tree_equal(ms.calibrate(model, given, DESIGN).designs, expected)


@pytest.mark.parametrize(
    "xs, says",
    [
        (np.full((4, 6), np.nan, np.float32), "`xs` must be a batch of samples as one array of finite numbers"),
        (
            np.ones((4, 5), np.float32),
            "`xs` must be a batch of samples of `model`, the batch on its first axis. Got sh",
        ),
        (np.ones(6, np.float32), "Got shape (6,)"),
        (np.ones((0, 6), np.float32), "at least one sample"),
        ("data", "`xs` must be a batch of samples"),
        (None, "`xs` must be a batch of samples"),
    ],
)
def test_samples_that_do_not_fit_are_refused_before_anything_runs(unchecked, xs, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        ms.calibrate(convert(eqx.nn.MLP(6, 3, 8, 1, key=KEY)), xs, DESIGN)


def test_a_layer_that_no_sample_reaches_is_named():
    class Spare(eqx.Module):
        used: Linear
        spare: Linear

        def __call__(self, x):
            return self.used(x)

    model = Spare(Linear(3, 2, key=KEY), Linear(3, 2, key=KEY))
    with pytest.raises(ValueError, match=re.escape("Got no call of .spare")):
        ms.calibrate(model, jnp.ones((2, 3)), DESIGN)


# What is said when a model is programmed.


def told(model, design=DESIGN):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        ms.program(model, design, key=KEY)
    return [str(one.message) for one in found]


def test_default_ranges_under_a_converted_model_are_said_once_by_layer():
    (message,) = told(convert(eqx.nn.MLP(6, 3, 8, 1, key=KEY)))
    assert "default `input_range` of the DAC and `full_scale` of the ADC in .layers[0], .layers[1]" in message
    assert "memsim.calibrate" in message


@pytest.mark.parametrize(
    "design",
    [
        ms.Crossbar(Ideal()),
        ms.Crossbar(Ideal(), dac=ms.DAC(8, input_range=2.0), adc=ms.ADC(8, full_scale=None)),
        ms.Crossbar(Ideal(), dac=ms.DAC(8, input_range=jnp.asarray(1.0))),
        lambda path, layer: None,
    ],
)
def test_ranges_that_somebody_chose_are_no_news(design):
    assert told(convert(eqx.nn.MLP(6, 3, 8, 1, key=KEY)), design) == []


def test_calibrated_models_and_networks_of_spikes_are_no_news():
    model, xs = convert(eqx.nn.MLP(6, 3, 8, 1, key=KEY)), jr.normal(KEY, (20, 6))
    assert told(model, ms.calibrate(model, xs, DESIGN)) == []
    assert told(SpikingNetwork([Linear(6, 5, key=KEY), LIF(5)])) == []
    assert told(Linear(6, 5, key=KEY)) == []


def test_layers_of_equinox_that_stay_digital_on_a_chip_are_named():
    model = SpikingNetwork([eqx.nn.Linear(4, 6, key=KEY), LIF(6), Linear(6, 3, key=KEY), eqx.nn.LayerNorm((3,))])
    (message,) = told(model)
    assert ".layers[0].layer" not in message and ".layers[0]" in message and ".layers[3]" not in message
    assert "stays digital" in message and "memsim.nn.convert(model)" in message
    assert told(convert(model)) == []


def test_one_array_in_two_layers_is_said_to_be_two_chips():
    layer = Linear(4, 4, key=KEY)
    (message,) = told([layer, layer, Linear(4, 4, key=KEY)])
    assert "the weight of [0], [1], which become 2 chips" in message and "equinox.nn.Shared" in message
    (message,) = told(convert([shared := eqx.nn.Linear(4, 4, key=KEY), shared]))
    assert "2 chips" in message


@pytest.mark.parametrize(
    "design, says",
    [
        ({".layers[0]": DESIGN}, "`memsim.nn.PerLayer({...})`"),
        (Ideal(), "`memsim.Crossbar(device)`"),
        (ms.Crossbar, "Got the class Crossbar. Make one of it: `Crossbar(...)`"),
        (None, "`crossbar` must be a Crossbar"),
        (lambda path, layer: Ideal(), "a Crossbar or None for each layer. Got an Ideal for .layers[0]"),
        (lambda path: DESIGN, "`crossbar` must be a design, or a function that takes a layer's path and the layer"),
        (ms.nn.PerLayer({".layers[1]": DESIGN}), "Got .layers[0], where there are .layers[1]"),
    ],
)
def test_what_is_no_design_is_refused_with_what_to_write(unchecked, design, says):
    model = SpikingNetwork([Linear(6, 5, key=KEY), LIF(5)])
    for use in (
        lambda: ms.deploy(model, design, 0.0, key=KEY),
        lambda: ms.calibrate(model, jnp.ones((2, 3, 6)), design),
    ):
        with pytest.raises(ValueError, match=re.escape(says)):
            use()


NO_LAYERS = ["net", 3, {"a": 3}, [], jnp.ones((2, 2)), jnp.tanh, eqx.nn.Linear]


@pytest.mark.parametrize("model", NO_LAYERS, ids=lambda model: type(model).__name__)
def test_what_is_no_model_is_refused(unchecked, model):
    uses = [
        lambda: ms.program(model, DESIGN, key=KEY),
        lambda: ms.deploy(model, DESIGN, 0.0, key=KEY),
        lambda: convert(model),
    ]
    if isinstance(model, str | int | type):  # of others there may be no layers, as of a function of samples
        uses += [lambda: ms.nn.with_read_keys(model, key=KEY), lambda: ms.nn.analog_layers(model)]
    for use in uses:
        with pytest.raises(ValueError, match="`model` must be a model") as refused:
            use()
        assert ("Call it: `Linear(...)`" in str(refused.value)) == (model is eqx.nn.Linear)


def test_a_model_without_a_layer_for_a_crossbar_is_refused_with_the_way_to_convert_it():
    for use in (ms.program, lambda model, design, key: ms.deploy(model, design, 0.0, key=key)):
        with pytest.raises(ValueError, match=r"`model` must hold a layer .*`memsim.nn.convert\(model\)`"):
            use(eqx.nn.MLP(3, 2, 4, 1, key=KEY), DESIGN, key=KEY)


def test_lists_and_dictionaries_of_layers_are_models():
    layer = Linear(3, 2, key=KEY)
    for model in ([layer], {"a": layer, "b": 3.0}, (layer, jnp.tanh)):
        assert len(ms.nn.analog_layers(ms.program(model, ms.Crossbar(Ideal()), key=KEY))) == 1


def test_a_weight_that_is_not_finite_is_named_by_its_layer():
    model = SpikingNetwork([Linear(6, 5, key=KEY), LIF(5), Linear(5, 4, key=KEY)])
    bad = eqx.tree_at(lambda m: m.layers[2].weight, model, replace_fn=lambda w: w.at[0, 1].set(jnp.nan))
    for use in (
        lambda: ms.program(bad, DESIGN, key=KEY),
        lambda: ms.deploy(bad, DESIGN, 0.0, key=KEY),
        lambda: ms.calibrate(bad, jnp.ones((2, 3, 6)), DESIGN),
    ):
        with pytest.raises(ValueError, match=r"`model.layers\[2\].weight` must be finite. Got 1 .* at \[0, 1\]"):
            use()


def test_a_layer_that_samples_leave_silent_is_named_once():
    model = convert(eqx.nn.MLP(6, 3, 8, 1, use_bias=False, key=KEY))
    with pytest.warns(UserWarning, match=r"All samples drive .layers\[0\], .layers\[1\] with zeros") as found:
        ms.calibrate(model, jnp.zeros((4, 6)), DESIGN)
    assert len(found) == 1


def test_a_design_for_each_layer_can_be_written_by_path():
    model = SpikingNetwork([Linear(6, 5, key=KEY), LIF(5), Linear(5, 4, key=KEY)])
    chip = ms.program(model, ms.nn.PerLayer({".layers[0]": DESIGN, ".layers[2]": None}), key=KEY)
    assert not isinstance(chip.layers[0].weight, jax.Array) and isinstance(chip.layers[2].weight, jax.Array)


def test_a_batch_of_models_is_refused_with_the_way_to_map_over_it():
    models = eqx.filter_vmap(lambda key: eqx.nn.Linear(7, 3, key=key))(jr.split(KEY, 4))
    with pytest.raises(ValueError, match=re.escape("`equinox.filter_vmap(memsim.nn.convert)(models)`")):
        convert(models)
    found = eqx.filter_vmap(convert)(models)
    np.testing.assert_array_equal(found.weight, models.weight)
