"""Studies of any model, of any labels, on any number of devices."""

import contextlib
import subprocess
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms

KEY = jr.key(0)
PCM = ms.Crossbar(dm.pcm_joshi2020(write_noise_scale=3.0), tile=(16, 16), compensation=None)
XS = np.random.default_rng(0).normal(size=(40, 1, 8, 8)).astype(np.float32)


class CNN(eqx.Module):
    conv: eqx.nn.Conv2d
    dropout: eqx.nn.Dropout
    last: eqx.nn.Linear

    def __call__(self, x, *, key=None):
        return self.last(self.dropout(jax.nn.relu(self.conv(x)).ravel(), key=key))


def cnn():
    keys = jr.split(KEY)
    made = CNN(eqx.nn.Conv2d(1, 4, 3, key=keys[0]), eqx.nn.Dropout(0.5), eqx.nn.Linear(4 * 36, 3, key=keys[1]))
    return ms.nn.convert(made)


def labelled(model):
    """What the digital model says: its accuracy is 1."""
    return np.asarray(jax.vmap(eqx.nn.inference_mode(model))(jnp.asarray(XS))).argmax(1)


def test_chips_of_a_cnn_are_those_that_one_makes_by_hand():
    model = cnn()
    result = ms.study.robustness(model, (XS, labelled(model)), PCM, chips=2, times=[0.0, 1e6], key=KEY)
    assert dict(result.sizes)["chip"] == 2 and dict(result.sizes)["time"] == 2
    assert 0.3 < float(result.accuracy.mean()) < 1.0
    # The same by the functions that everybody has.
    program_key, life_key = jr.split(jr.fold_in(KEY, 1))
    chip = ms.program(eqx.nn.inference_mode(model), PCM, key=program_key)
    words = jax.lax.bitcast_convert_type(jnp.zeros(()), jnp.uint32)
    moment_key, read_key, _ = jr.split(jr.fold_in(life_key, words), 3)
    now = ms.at(chip, 0.0, key=moment_key)
    ys = jax.vmap(lambda x, key: ms.nn.call(now, x, key=key))(jnp.asarray(XS), jr.split(read_key, 40))
    share = np.mean(np.asarray(ys).argmax(1) == labelled(model))
    assert float(result.accuracy[1, 0]) == pytest.approx(share)
    weights = model.conv.weight.size + model.last.weight.size
    assert result.on_chips == f"{weights / (weights + 7):.1%} of the model's numbers, in .conv, .last"  # all but biases
    rights = ms.study.right(result)
    np.testing.assert_array_equal(rights[1, 0], np.asarray(ys).argmax(1) == labelled(model))


@pytest.mark.slow
def test_several_metrics_and_numbers_are_studied_as_accuracy_is():
    model = cnn()
    classes = ms.study.robustness(
        model, (XS, labelled(model)), PCM, chips=2, times=[0.0], key=KEY, metrics=["accuracy", "f1", "auroc"]
    )
    assert {"accuracy", "f1", "auroc", "right"} <= set(classes.data_vars)
    ys = np.asarray(jax.vmap(eqx.nn.inference_mode(model))(jnp.asarray(XS)))
    numbers = ms.study.robustness(model, (XS, ys), PCM, chips=3, times=[0.0, 1e7], key=KEY, metrics=["rmse", "r2"])
    assert set(numbers.data_vars) == {"rmse", "r2"} and numbers.rmse.dims == ("chip", "time")
    ideal = ms.study.robustness(model, (XS, ys), ms.Crossbar(dm.Ideal()), chips=1, times=[0.0], key=KEY)
    assert float(ideal.rmse[0, 0]) < 1e-5 < float(numbers.rmse.min())
    one = jax.tree.map(float, ms.train.evaluate(model, (XS, ys), ["rmse", "r2"]))
    assert one["rmse"] < 1e-6 and one["r2"] > 0.9999


@pytest.mark.slow
def test_attribution_of_a_cnn_names_what_costs_it():
    model = cnn()
    design = ms.Crossbar(dm.pcm_joshi2020(write_noise_scale=5.0), tile=(16, 16), adc=ms.ADC(8), dac=ms.DAC(8))
    design = ms.calibrate(model, XS[:8], design)
    found = ms.study.attribute(model, (XS, labelled(model)), design, chips=2, key=KEY, recordings=8)
    assert float(found.digital_accuracy) == 1.0
    alone = found.layer_error.sel(case="alone").mean(["layer", "chip", "time"])
    assert str(found.effect.values[alone.values.argmax()]) == "write noise"


def test_attribution_of_any_model_says_what_an_effect_costs_its_predictions():
    model = ms.nn.convert(eqx.nn.Sequential([eqx.nn.Lambda(jnp.ravel), eqx.nn.Linear(64, 3, key=KEY)]))
    ys = np.asarray(jax.vmap(model)(jnp.asarray(XS)))
    design = ms.Crossbar(dm.pcm_joshi2020(), compensation=None, reads=ms.Reads("off"))
    found = ms.study.attribute(model, (XS, ys), design, chips=1, key=KEY, recordings=8)
    assert float(found.rmse_ideal.max()) < 1e-5 < float(found.rmse_together.min())
    np.testing.assert_allclose(found.rmse.sel(case="alone", effect="write noise"), found.rmse_together, rtol=1e-4)


@pytest.mark.slow
def test_chips_come_until_the_interval_is_narrow_enough():
    model = cnn()
    data = (XS, labelled(model))
    until = ms.study.IntervalWidth(0.09, least=5, most=15)
    result = ms.study.robustness(model, data, PCM, chips=5, times=[0.0], key=KEY, until=until)
    assert result.sizes["chip"] in (5, 10, 15) and result.attrs["until"].split(":")[0] in ("narrow enough", "all chips")
    plain = ms.study.robustness(model, data, PCM, chips=result.sizes["chip"], times=[0.0], key=KEY)
    np.testing.assert_array_equal(result.right, plain.right)


@pytest.mark.slow
def test_a_person_sees_how_many_chips_are_done(monkeypatch):
    model, seen = cnn(), []

    @contextlib.contextmanager
    def shown(what, total, *, first=0, words=""):
        seen.append((what, total, words))
        yield lambda done, words="": seen.append((what, done))

    monkeypatch.setattr("memsim.study._on_chips.progress", shown)
    monkeypatch.setattr("memsim.study._on_chips.looked_at", lambda: True)
    ms.study.robustness(model, (XS, labelled(model)), PCM, chips=2, times=[0.0, 1.0], key=KEY)
    assert seen == [("chip and time", 4, "compiling"), *(("chip and time", n) for n in (1, 2, 3, 4))]


@pytest.mark.slow
def test_clipping_of_any_model_is_told():
    model = cnn()
    tight = ms.Crossbar(dm.Ideal(), dac=ms.DAC(8, input_range=0.1), tile=(16, 16))
    result = ms.study.robustness(model, (XS, labelled(model)), tight, chips=1, times=[0.0], key=KEY)
    assert ".conv clips" in result.attrs["clipping"] and "inputs of its DAC" in result.attrs["clipping"]


@pytest.mark.slow
def test_what_is_not_finite_in_any_model_is_named():
    model = cnn()
    bad = eqx.tree_at(lambda m: m.last, model, eqx.nn.Lambda(lambda x: model.last(x) / 0.0))
    with pytest.warns(RuntimeWarning, match="with sample 0, the outputs are not finite"):
        result = ms.study.robustness(bad, (XS, labelled(model)), PCM, chips=1, times=[0.0], key=KEY)
    assert np.isnan(result.accuracy).all()


@pytest.mark.parametrize("change", [{"metrics": "rmse"}, {"metrics": "recall"}, {"memory": "lots"}, {"memory": "0 MB"}])
def test_settings_that_cannot_be_are_refused(change, unchecked):
    model = cnn()
    with pytest.raises(ValueError, match=r"`metrics` must be|A metric must be|`memory` must be positive"):
        ms.study.robustness(model, (XS, labelled(model)), PCM, chips=1, times=[0.0], key=KEY, **change)


DEVICES = """
import os
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4 --xla_cpu_use_fusion_emitters=false"
import jax, jax.random as jr, numpy as np, device_models as dm, memsim as ms
jax.config.update("jax_disable_most_optimizations", True)
net = ms.nn.SpikingNetwork([ms.nn.Linear(4, 3, key=jr.key(0)), ms.nn.LIF(3)])
data = np.random.default_rng(0).normal(size=(16, 5, 4)), np.arange(16) % 3
design = ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8))
settings = {"times": [0.0, 1e5], "key": jr.key(2), "metrics": "auroc"}
study = lambda chips: ms.study.robustness(net, data, design, chips=chips, **settings)
three, six = study(3), study(6)
here = jax.local_devices()
jax.local_devices = lambda: here[:1]
jax.clear_caches()
one = study(6)
assert six.identical(one.assign_attrs(six.attrs)) and three.right.equals(one.right[:3])
print(len(here), np.unique(one.auroc).size > 6)
"""


@pytest.mark.slow
def test_chips_over_four_devices_are_those_of_one():
    done = subprocess.run([sys.executable, "-c", DEVICES], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["4", "True"]


def test_a_model_most_of_which_is_digital_says_so(caplog):
    class Own(eqx.Module):
        w: jax.Array
        last: eqx.nn.Linear

        def __call__(self, x):
            return self.last(self.w @ x)

    own = ms.nn.convert(Own(jnp.ones((8, 4)), eqx.nn.Linear(8, 2, key=KEY)))  # 16 of 50 numbers in a layer
    with caplog.at_level("WARNING", "memsim"):
        result = ms.study.robustness(own, (np.ones((4, 4)), np.arange(4) % 2), PCM, chips=1, times=[0.0], key=KEY)
    assert result.attrs["on_chips"] == "32.0% of the model's numbers, in .last"
    assert [record.getMessage() for record in caplog.records] == [
        "On chips are 32.0% of the model's numbers, in .last. The rest is digital, without any error of a chip."
    ]
