"""A study gives the right number, NaN with a name, or an error with the name of what does not fit."""

import logging

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr

import device_models as dm
import memsim as ms
from memsim.study._chips import Workload
from memsim.study._on_chips import measured
from memsim.train._samples import Samples

KEY = jr.key(0)
NOISY = ms.Crossbar(dm.pcm_joshi2020(write_noise_scale=4.0))


@pytest.fixture(scope="module")
def data():
    return ms.data.spoken_digits(steps=8).test.take(np.arange(40))


@pytest.fixture(scope="module")
def model():
    keys = jr.split(KEY)
    return ms.nn.SpikingNetwork(
        [ms.nn.Linear(13, 12, gain=2.0, key=keys[0]), ms.nn.LIF(12), ms.nn.Linear(12, 10, key=keys[1]), ms.nn.LI(10)]
    )


def readout(outputs, key=KEY):
    return ms.nn.SpikingNetwork([ms.nn.Linear(13, outputs, key=key), ms.nn.LI(outputs)])


def study(model, data, crossbar=NOISY, **settings):
    return ms.study.robustness(model, data, crossbar, **{"chips": 2, "times": [0.0], "key": KEY, **settings})


def without_a_number(crossbar=NOISY):
    """A design whose writes are NaN: set behind the checks, as a mistake in a device's equation would."""
    curve = jax.tree.map(lambda number: float("nan"), crossbar.device.write_noise)
    return eqx.tree_at(lambda c: c.device.write_noise, crossbar, curve)


# Random numbers.


@pytest.mark.slow
def test_a_time_gives_the_same_number_alone_among_others_twice_and_in_any_order(model, data):
    all_three = study(model, data, times=[0.0, 3600.0, 3.15e7]).accuracy.values
    assert len(np.unique(all_three)) > 2, "the numbers must differ for this test to say anything"
    np.testing.assert_array_equal(study(model, data, times=[3600.0]).accuracy.values, all_three[:, [1]])
    np.testing.assert_array_equal(study(model, data, times=[3.15e7, 3600.0, 3600.0]).accuracy, all_three[:, [2, 1, 1]])


@pytest.mark.slow
def test_a_time_is_attributed_the_same_alone_and_among_others(model, data):
    two, one = (ms.study.attribute(model, data, NOISY, chips=2, times=t, key=KEY) for t in ([0.0, 3600.0], [3600.0]))
    np.testing.assert_array_equal(two.accuracy.isel(time=[1]), one.accuracy)
    np.testing.assert_allclose(two.layer_error.isel(time=[1]), one.layer_error, rtol=1e-6)


# Memory.


@pytest.mark.slow
def test_a_study_is_the_same_within_any_memory(model, data):
    whole = study(model, data)
    for memory in (1e5, 3e4, 1.0):
        np.testing.assert_array_equal(study(model, data, memory=memory).accuracy, whole.accuracy)


@pytest.mark.slow
@pytest.mark.parametrize("memory", [2e6, 2e5])
def test_memory_does_not_grow_with_the_recordings(memory):
    """Bytes that XLA says the compiled study needs beside its inputs and outputs."""
    keys, chips, times = jr.split(KEY), jnp.arange(1), jnp.zeros(1)
    network = ms.nn.SpikingNetwork(
        [ms.nn.Conv2d(2, 4, 3, key=keys[0]), ms.nn.LIF((4, 8, 8)), ms.nn.Flatten(), ms.nn.Linear(256, 10, key=keys[1])],
        input_shape=(2, 10, 10),
    )
    needed = []
    for n in (400, 1600):  # either is more than `memory` holds
        xs, labels = jnp.zeros((n, 5, 2, 10, 10), jnp.uint8), jnp.zeros(n, jnp.int32)
        design = ms.Crossbar(dm.Ideal(), compensation=None)
        samples, metrics = Samples(xs, labels), (ms.train.METRICS["accuracy"],)
        workload = Workload(samples, times, ms.train.class_scores, metrics, memory)
        lowered = measured.lower(network, design, workload, chips, KEY, chunk=1)
        needed.append(lowered.compile().compiled.memory_analysis().temp_size_in_bytes)
    assert needed[0] < 2 * memory + 1e5  # some is there once, whatever the batch: weights and keys
    # Scores and keys, not the 90 kB of each recording's run; but that of one, by which batches may differ.
    assert needed[1] - needed[0] < 1200 * 100 + 9e4


def test_too_little_memory_names_what_to_lower(model, data, monkeypatch):
    def exhausted(*_, **__):
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 64000000000 bytes.")

    monkeypatch.setattr("memsim.study._on_chips.measured", exhausted)
    with pytest.raises(MemoryError, match=r"64000000000 bytes.* Lower `memory` or `chunk`"):
        study(model, data)


# NaN.


def test_what_is_not_finite_is_nan_and_its_layer_chip_and_time_are_named(model, data):
    def design(path, layer):
        return without_a_number() if path == ".layers[2]" else NOISY

    with pytest.warns(
        RuntimeWarning, match=r"4 of 4 .* on chip 0 at 3600 s, what the chip presents in layer .layers\[2"
    ):
        result = study(model, data, design, times=[3600.0, 0.0])
    assert np.isnan(result.accuracy).all()
    assert ".layers[2]" in result.attrs["not_finite"]
    with pytest.raises(ValueError, match="`values` must be finite"):
        ms.study.mean_interval(result.accuracy.values)


@pytest.mark.slow
def test_scores_that_are_not_finite_are_named(model, data):
    with pytest.warns(RuntimeWarning, match="with recording 0, what `scores` makes of finite outputs is not"):
        study(model, data, scores=lambda outputs: outputs.mean(0) * jnp.nan)


@pytest.mark.slow
def test_nothing_clips_of_what_is_not_a_number(model, data):
    design = without_a_number(ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8)))
    with pytest.warns(RuntimeWarning, match="Accuracy"):
        found = ms.study.attribute(model, data, design, chips=1, key=KEY)
    for measure in ("accuracy", "output_error", "layer_error", "adc_clipped"):
        assert np.isnan(found[f"{measure}_together"]).all(), measure
    with pytest.raises(ValueError, match="must be finite"):
        ms.study.explain(found)


# Converters.


@pytest.mark.slow
def test_a_study_says_what_its_converters_clip(data, caplog):
    """The fraction of the currents of ideal cells, x W^T over the largest weight of each bit line, above full scale."""
    model, full_scale = readout(10), 1.0
    w, x = np.asarray(model.layers[0].weight, float), data.inputs[:8].reshape(-1, 13).astype(float)
    currents = x @ (w / np.abs(w).max(1, keepdims=True)).T
    share = np.mean(np.abs(currents) > full_scale)
    design = ms.Crossbar(dm.Ideal(), adc=ms.ADC(12, full_scale), compensation=None)
    with caplog.at_level(logging.WARNING, "memsim"):
        told = study(model, data, design).attrs["clipping"]
    assert f".layers[0] clips {share:.1%} of the currents of its ADC" in told
    assert [record.getMessage() for record in caplog.records] == [told]
    caplog.clear()
    wide = study(model, data, ms.Crossbar(dm.Ideal(), adc=ms.ADC(12, 100.0), compensation=None))
    assert "clipping" not in wide.attrs and not caplog.records


# What does not fit.


def nan_in(array):
    array = np.array(array)
    array.ravel()[7] = np.nan
    return array


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"chips": 2.5}, "`chips` must be a whole number"),
        ({"chips": np.float32(2)}, "`chips` must be a whole number"),
        ({"memory": 0.0}, "`memory` must be positive"),
        ({"times": [1e38]}, "`times` must be one or more seconds"),
        ({"times": "1 h"}, "`times` must be"),
        ({"times": 3600.0}, "Write a list of seconds"),
        ({"times": np.float32([-1])}, "`times` must be one or more seconds"),
        ({"crossbar": "pcm_joshi2020"}, "`crossbar` must be a Crossbar"),
        ({"crossbar": dm.pcm_joshi2020()}, "`memsim.Crossbar(device)`"),
        ({"crossbar": ms.train.SampledChip(NOISY)}, "Pass its `crossbar`"),
        ({"scores": 3}, "`scores` must be a function"),
        ({"scores": lambda outputs: outputs}, "one score a class"),
        ({"model": readout(9)}, "a score for each class, 10 of them by the labels. Got 9"),
        ({"model": readout(1)}, "a score for each class, 10 of them by the labels. Got 1"),
        ({"model": eqx.nn.MLP(12, 10, 8, 1, key=KEY)}, "`model` must take a sample of shape"),
        ({"model": ms.nn.SpikingNetwork([ms.nn.Linear(12, 10, key=KEY)])}, "Layer 0 (Linear) must take an input"),
    ],
)
def test_a_study_that_does_not_fit_is_refused_before_any_work(model, data, change, says, unchecked):
    arguments = {"model": model, "data": data, "crossbar": NOISY} | change
    with pytest.raises(ValueError) as refused:
        study(**arguments)
    assert says in str(refused.value)


def test_a_study_of_what_is_on_chips_already_or_stays_digital_is_refused(model, data):
    deployed = ms.deploy(model, NOISY, 0.0, key=KEY)
    for study_of in (study, lambda *args: ms.study.attribute(*args, key=KEY)):
        with pytest.raises(ValueError, match="`model` is on chips already"):
            study_of(deployed, data, NOISY)
        with pytest.raises(ValueError, match=r"`crossbar` must .* no layer a design"):
            study_of(model, data, lambda path, layer: None)
        with pytest.raises(ValueError, match=r"a NeuronCircuit or None .* Got 3 for .layers\[1\]"):
            study_of(model, data, ms.nn.MixedSignal(NOISY, lambda path, neuron: 3))


@pytest.mark.slow
def test_one_array_in_two_layers_is_told_once_by_a_study(data):
    layer = ms.nn.Linear(13, 13, key=KEY)
    twice = ms.nn.SpikingNetwork([layer, ms.nn.LIF(13), layer, ms.nn.LI(13)])
    xs, labels = jnp.asarray(data.inputs), jnp.asarray(data.labels)
    for run in (
        lambda: study(twice, data),
        lambda: ms.study.chip_accuracies(twice, NOISY, xs, labels, jnp.zeros(1), jnp.arange(1), key=KEY),
    ):
        with pytest.warns(UserWarning, match=r"weight of .layers\[0\], .layers\[2\], which become 2 chips") as found:
            run()
        assert len(found) == 1


@pytest.mark.slow
def test_one_array_in_two_layers_is_told_once_by_an_attribution(data):
    layer = ms.nn.Linear(13, 13, key=KEY)
    twice = ms.nn.SpikingNetwork([layer, ms.nn.LIF(13), layer, ms.nn.LI(13)])
    with pytest.warns(UserWarning, match="which become 2 chips") as found:
        ms.study.attribute(twice, data, NOISY, chips=1, key=KEY)
    assert len(found) == 1


def test_a_study_on_all_three_sets_or_of_what_is_not_finite_is_refused(model, data, unchecked):
    with pytest.raises(ValueError, match=r"`data.test`"):
        study(model, ms.data.Splits(data, data, data))
    diverged = eqx.tree_at(lambda m: m.layers[2].weight, model, replace_fn=lambda w: jnp.asarray(nan_in(w)))
    with pytest.raises(ValueError, match=r"model.layers\[2\].weight` must be finite. Got 1 NaN or infinite of 120"):
        study(diverged, data)
    xs, labels = data.inputs, data.labels
    for inputs, classes, says in (
        (nan_in(xs), labels, "finite"),
        (xs, labels.astype(np.float32), "`labels` must be"),
        (xs, -labels, "`labels` must be at least 0"),
        (xs[:3], labels, "a label for each"),
        (xs.tolist(), labels, "`xs` must be"),
    ):
        with pytest.raises(ValueError, match=says):
            ms.train.accuracy(model, inputs, classes)


@pytest.mark.parametrize("values", [[], [0.5, float("nan")], "0.9", [float("inf")]])
def test_an_interval_of_what_is_no_number_is_refused(values, unchecked):
    with pytest.raises(ValueError, match="`values` must be"):
        ms.study.mean_interval(values)


def test_a_summary_refuses_a_row_of_which_some_is_missing():
    whole = xr.DataArray([[0.9, 0.8], [np.nan, np.nan]], dims=("time", "chip"), coords={"time": [0.0, 1.0]})
    assert ms.study.summary(whole)["mean"].isna().tolist() == [False, True]
    whole[0, 1] = np.nan
    with pytest.raises(ValueError, match="must be finite"):
        ms.study.summary(whole)
