"""The study of images has the networks it names, noise of the size it says, and is drawn."""

import inspect
import json

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from memsim._cli import load_script, main

pytestmark = pytest.mark.slow  # compiles for minutes together


@pytest.fixture(scope="module")
def images():
    return load_script("experiments", "images")


def numbers_in(model):
    return sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array)))


def test_lenet_has_its_61706_numbers_and_the_others_theirs(images):
    assert numbers_in(images.network("LeNet-5", 8, key=jr.key(0))) == 61706  # as LeCun's with whole connections
    convolutions = 9 * (1 * 16 + 4 * 16 * 16 // 2 + 16 * 32 + 32 * 32 + 32 * 64 + 64 * 64) + 16 * 32 + 32 * 64
    norms = 2 * (16 + 2 * 16 + 3 * 32 + 3 * 64)
    residual = images.network("ResNet-8", 16, key=jr.key(0))
    assert numbers_in(residual.model) == convolutions + norms + 65 * 10
    lstm = images.network("LSTM", 8, key=jr.key(0))
    assert numbers_in(lstm) == 4 * 64 * (28 + 64 + 1) + 65 * 10


@pytest.mark.parametrize("name", ["LeNet-5", "ResNet-8", "vision transformer", "LSTM"])
def test_each_network_gives_one_score_a_class_and_all_its_matrices_go_on_chips(images, name):
    model = eqx.nn.inference_mode(images.network(name, 4, key=jr.key(0)))
    assert ms.nn.call(model, jnp.ones((1, 28, 28))).shape == (10,)
    layers = {"LeNet-5": 5, "ResNet-8": 10, "vision transformer": 1 + 2 * (4 + 2) + 1, "LSTM": 3}
    assert len(ms.nn.analog_layers(model)) == layers[name]


@pytest.mark.parametrize("kind", ["weight", "input", "output"])
def test_noise_is_the_fraction_of_the_range_that_it_says(images, kind):
    layer = ms.nn.convert(eqx.nn.Linear(30, 5, use_bias=False, key=jr.key(0)))
    xs = jr.normal(jr.key(1), (64, 30))
    noise = inspect.getmodule(images.noisy_accuracies).Noise(layer, xs)
    (one,) = noise.designs.values()
    model, design = noise.of(kind, jnp.asarray(0.05))

    def error(key):
        now = ms.deploy(model, design, 0.0, key=key)
        return jax.vmap(lambda x, key: ms.nn.call(now, x, key=key))(xs, jr.split(key, 64)) - xs @ layer.weight.T

    draws = 400
    found = np.asarray(jax.jit(jax.vmap(error))(jr.split(jr.key(3), draws))).std(0)
    w, x = np.asarray(layer.weight), np.asarray(xs)
    largest, full = np.abs(w).max(1), float(one.adc.full_scale) * float(one.dac.input_range)
    expected = {
        "weight": 0.05 * largest * np.linalg.norm(x, axis=1)[:, None],
        "input": 0.05 * float(one.dac.input_range) * np.linalg.norm(w, axis=1) * np.ones_like(found),
        "output": 0.05 * full * largest * np.ones_like(found),
    }[kind]
    # Of 320 deviations of 400 draws the mean ratio has a standard error of 0.002, of 5 weights' rows 0.016 at most.
    # The ADC clips 1e-4 of the outputs, with noise some more.
    assert (found / expected).mean() == pytest.approx(1.0, abs=0.05)


def test_norms_are_re_estimated_on_each_chip_at_each_time(images):
    model = images.network("ResNet-8", 4, key=jr.key(0))
    xs = np.asarray(ms.data.fashion_mnist().train.inputs[:32])
    model = ms.nn.adapt_batch_norm(model, xs)
    design = ms.calibrate(model, xs, images.design("pcm_joshi2020", compensation=None))
    labels = jnp.argmax(jax.vmap(eqx.nn.inference_mode(model))(jnp.asarray(xs)), -1)
    times, chips = jnp.asarray([0.0, 1e7]), jnp.arange(2)
    test = (jnp.asarray(xs), labels)
    found = images.adapted_or_not(model, design, jnp.asarray(xs), test, times, chips, key=jr.key(1))
    assert found.shape == (2, 2, 2) and float(found[1, :, 1].mean()) >= float(found[0, :, 1].mean())


def test_the_full_study_has_25_chips_at_8_times_of_all_images(images):
    full = images.Config(full=True)
    assert (full.chips, len(full.times), full.images, full.training_images) == (25, 8, 10000, 54000)
    assert images.Config(full=True, chips=3).chips == 3


def test_more_images_than_there_are_are_refused(images):
    with pytest.raises(ValueError, match="`images` must be at most 10000"):
        images.Config(images=10001)


@pytest.mark.parametrize("options", [{"networks": ("AlexNet",)}, {"trainings": ("none",)}, {"cells": ("pcm",)}])
def test_what_there_is_not_is_refused(images, options):
    with pytest.raises(ValueError, match=r"must be of .* Got"):
        images.Config(**options)


def test_the_experiment_runs_and_its_figure_is_drawn(tmp_path):
    assert main(["run", "images", "--quick", "--out", str(tmp_path)]) == 0
    result = ms.study.open_result(tmp_path / "images.nc")
    for variable in result.variables.values():
        assert variable.dtype.kind in "TUO" or "units" in variable.attrs
    assert bool(result.accuracy.notnull().all()) and bool(result.noisy_accuracy.notnull().all())
    assert json.loads(result.config)["quick"] and "Fashion-MNIST" in result.data
    assert main(["draw", "images", "--result", str(tmp_path / "images.nc"), "--out", str(tmp_path / "figure")]) == 0
    pdf = (tmp_path / "figure.pdf").read_bytes()
    assert b"/FontFile2" in pdf and b"/Type3" not in pdf
