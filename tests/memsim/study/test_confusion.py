"""Confusion is counted as by hand, confidence against closed forms, and chips are those of other studies."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from memsim.study._confusion import counted
from right_parts import network

CROSSBAR = ms.Crossbar(dm.pcm_joshi2020(), compensation=None, reads=ms.Reads("off"))


@pytest.fixture(scope="module")
def task():
    """A linear layer on three clouds, that names most of them."""
    key, noise_key, model_key = jr.split(jr.key(0), 3)
    labels = jr.randint(key, (60,), 0, 3)
    xs = 2 * jax.nn.one_hot(labels, 3) + jr.normal(noise_key, (60, 3))
    model = ms.nn.Linear(3, 3, key=model_key)
    return _with(model, 2 * jnp.eye(3)), xs, labels


def _with(model, weight):
    return eqx.tree_at(lambda layer: (layer.weight, layer.bias), model, (weight, jnp.zeros(3)))


def test_counts_are_those_by_hand():
    labels, named = np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 2, 0, 2])
    np.testing.assert_array_equal(counted(labels, named, 3), [[1, 1, 0], [0, 1, 0], [1, 0, 2]])


def test_counts_are_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    labels, named = np.random.default_rng(0).integers(0, 5, (2, 300))
    np.testing.assert_array_equal(counted(labels, named, 5), metrics.confusion_matrix(labels, named))


def test_rows_are_classes_and_the_diagonal_is_the_accuracy(task):
    model, xs, labels = task
    found = ms.study.confusion(model, (xs, labels), CROSSBAR, key=jr.key(1), chips=3)
    np.testing.assert_array_equal(found.digital_count.sum("named"), np.bincount(labels, minlength=3))
    scores = xs @ model.weight.T
    assert float(np.trace(found.digital_count)) == int((scores.argmax(1) == labels).sum())
    assert found["count"].sizes == {"chip": 3, "true": 3, "named": 3}


def test_chips_are_those_of_robustness_and_do_not_depend_on_their_number(task):
    model, xs, labels = task
    found = ms.study.confusion(model, (xs, labels), CROSSBAR, key=jr.key(1), chips=3, time=3600.0)
    beside = ms.study.robustness(model, (xs, labels), CROSSBAR, key=jr.key(1), chips=3, times=[3600.0])
    right = [np.trace(each) for each in found["count"].values]
    np.testing.assert_allclose(right, 60 * beside.accuracy.values[:, 0], atol=1e-4)


def test_one_confidence_and_one_accuracy_are_apart_by_their_difference():
    sure = np.full((1000, 4), 0.1)
    sure[:, 0] = 0.7
    labels = np.where(np.arange(1000) < 550, 0, 1)
    found = ms.study.reliability(sure, labels)
    assert float(found.calibration_error) == pytest.approx(0.7 - 0.55)
    assert int(found.number.sel(bin=0.75)) == 1000 or int(found.number.sel(bin=0.65)) == 1000


def test_labels_that_are_drawn_from_the_probabilities_are_calibrated():
    rng, n, bins = np.random.default_rng(2), 40_000, 10
    first = rng.uniform(0.5, 1.0, n)
    labels = (rng.random(n) > first).astype(int)
    found = ms.study.reliability(np.stack([first, 1 - first], 1), labels, bins=bins)
    known = found.number > 0
    p, count = found.confidence.where(known, 0.5), found.number.where(known, 1)
    errors = np.sqrt(p * (1 - p) / count)
    # Five bins, each within four standard errors.
    assert float((abs(found.right - p) / errors).where(known, 0).max()) < 4


def test_the_error_of_a_ramp_is_its_integral():
    """Confidence uniform from 0.5 to 1, right always: the mean distance is 1 - 0.75."""
    first = np.linspace(0.5, 1.0, 20_001)[:-1]
    found = ms.study.reliability(np.stack([first, 1 - first], 1), np.zeros(20_000, int), bins=50)
    assert float(found.calibration_error) == pytest.approx(0.25, abs=1e-4)


def test_a_sample_with_an_infinite_score_is_named_by_no_class(task):
    model, xs, labels = task
    found = ms.study.confusion(_with(model, jnp.eye(3)), (xs.at[0].set(1e38), labels), CROSSBAR, key=jr.key(1), chips=1)
    assert int(found.digital_count.sum()) + int(found.digital_not_named) == 60


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: ms.study.reliability(np.full((2, 2), 1.5), np.array([0, 1])), "probabilities"),
        (lambda: ms.study.reliability(np.full((2, 2), 0.5), np.array([0, 2])), "classes from 0 to 1"),
        (lambda: ms.study.distributions({}, CROSSBAR, key=jr.key(0)), "networks by name"),
    ],
)
def test_what_cannot_be_is_refused(call, says, unchecked):
    with pytest.raises(ValueError, match=says):
        call()


def test_densities_integrate_to_one_and_hold_all_weights_and_cells(task):
    model, _, _ = task
    other = _with(model, jnp.eye(3) - 0.5)
    found = ms.study.distributions({"one": model, "other": other}, CROSSBAR, key=jr.key(0), chips=2, bins=20)
    for name, at in (("weight_density", "weight"), ("conductance_density", "conductance")):
        step = found[at].diff(f"{at}_bin").isel({f"{at}_bin": 0}, drop=True)
        np.testing.assert_allclose(found[name].sum(f"{at}_bin") * step, 1.0, rtol=1e-5)
    step = float(found.weight[0, 1] - found.weight[0, 0])
    counts = found.weight_density.sel(version="one", layer=found.layer[0]) * 9 * step
    assert sorted(counts.values.round(6))[-2:] == [3.0, 6.0]  # three weights of 2 and six of 0


def test_cells_are_those_of_the_programmed_chip(task):
    model, _, _ = task
    found = ms.study.distributions({"one": model}, CROSSBAR, key=jr.key(3), chips=1, time=86400.0, bins=30)
    program_key, _ = jr.split(jr.fold_in(jr.key(3), 0))
    chip = ms.program(model, CROSSBAR, key=program_key)
    cells = ms.files.conductances(chip.weight, 86400.0).conductance.values
    at = found.conductance.values[0]
    half = (at[1] - at[0]) / 2
    assert cells.min() == pytest.approx(at[0] - half, rel=1e-4) and cells.max() == pytest.approx(
        at[-1] + half, rel=1e-4
    )


def test_networks_with_other_layers_are_refused(task, unchecked):
    with pytest.raises(ValueError, match="the same layers"):
        ms.study.distributions({"one": task[0], "two": network()}, CROSSBAR, key=jr.key(0), chips=1)
