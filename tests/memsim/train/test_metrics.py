"""Metrics against their definitions written out in plain numpy, and on cases small enough to count."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest

import memsim as ms
from memsim.train._metrics import METRICS, as_metrics

RNG = np.random.default_rng(0)
SCORES = np.round(RNG.normal(size=(60, 4)), 1).astype(np.float32)  # rounded, so that some are equal
LABELS = RNG.integers(0, 3, 60)  # the last class never occurs


def of(name, predictions, labels, mask=None):
    mask = None if mask is None else jnp.asarray(mask)
    return float(METRICS[name](jnp.asarray(predictions), jnp.asarray(labels), mask))


def softmax(scores):
    e = np.exp(scores.astype(np.float64) - scores.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def test_balanced_accuracy_is_the_mean_recall_of_the_classes_that_occur():
    named = SCORES.argmax(1)
    assert of("balanced_accuracy", SCORES, LABELS) == pytest.approx(
        np.mean([np.mean(named[c == LABELS] == c) for c in np.unique(LABELS)])
    )


def test_f1_is_the_mean_over_classes_of_the_harmonic_mean_of_precision_and_recall():
    named = SCORES.argmax(1)
    each = []
    for c in set(LABELS) | set(named):
        hit = np.sum((named == c) & (c == LABELS))
        precision, recall = hit / max(1, np.sum(named == c)), hit / max(1, np.sum(c == LABELS))
        each.append(2 * precision * recall / (precision + recall) if hit else 0.0)
    assert of("f1", SCORES, LABELS) == pytest.approx(np.mean(each))


@pytest.mark.slow
def test_auroc_is_the_share_of_pairs_in_order_of_their_probability():
    p = softmax(SCORES)
    areas = []
    for c in np.unique(LABELS):
        pairs = [(a > b) + 0.5 * (a == b) for a, b in itertools.product(p[c == LABELS, c], p[c != LABELS, c])]
        areas.append(np.mean(pairs))
    assert of("auroc", SCORES, LABELS) == pytest.approx(np.mean(areas), abs=2e-3)  # ties are ties in float32


def test_auroc_of_two_classes_is_that_of_their_difference_and_does_not_saturate():
    scores = np.array([[0, 50], [0, 60], [0, 70], [0, 80]], np.float32)  # probabilities are all 1 in float32
    assert of("auroc", scores, [0, 0, 1, 1]) == 1.0
    assert of("auroc", scores, [1, 1, 0, 0]) == 0.0
    assert of("auroc", scores, [0, 1, 0, 1]) == 0.75


def test_numbers_are_measured_as_their_definitions_say():
    y = RNG.normal(size=(50, 3)).astype(np.float32)
    found = y + RNG.normal(0, 0.5, (50, 3)).astype(np.float32)
    error = found.astype(float) - y
    assert of("rmse", found, y) == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-5)
    r2 = np.mean(1 - np.sum(error**2, 0) / np.sum((y - y.mean(0)) ** 2, 0))
    assert of("r2", found, y) == pytest.approx(r2, rel=1e-5)
    assert of("smape", found, y) == pytest.approx(np.mean(2 * abs(error) / (abs(found) + abs(y))), rel=1e-5)
    assert of("smape", np.zeros(2, np.float32), np.zeros(2, np.float32)) == 0.0


def test_r2_of_targets_far_from_zero_keeps_its_digits():
    y = (300 + 0.1 * RNG.normal(size=10_000)).astype(np.float32)  # kelvin
    found = (y + 0.05 * RNG.normal(size=10_000)).astype(np.float32)
    y64 = y.astype(float)
    r2 = 1 - np.sum((found - y64) ** 2) / np.sum((y64 - y64.mean()) ** 2)
    assert of("r2", found, y) == pytest.approx(r2, rel=1e-4)


@pytest.mark.parametrize("name", ["rmse", "r2", "smape"])
def test_steps_that_do_not_count_are_left_out(name):
    y, found = RNG.normal(size=(2, 6, 9, 1)).astype(np.float32)
    mask = np.arange(9) < RNG.integers(1, 10, (6, 1))
    expected = of(name, found[mask], y[mask])
    assert of(name, np.where(mask[..., None], found, 1e3).astype(np.float32), y, mask) == pytest.approx(
        expected, rel=1e-5
    )


def test_a_prediction_that_is_not_a_number_makes_every_metric_one():
    for name, metric in METRICS.items():
        kind = (SCORES, LABELS) if metric.of == "classes" else (SCORES[:, 0], SCORES[:, 1])
        assert np.isfinite(of(name, *kind))
        assert np.isnan(
            of(name, np.where(np.arange(60).reshape(-1, *[1] * (kind[0].ndim - 1)) == 3, np.nan, kind[0]), kind[1])
        )


@pytest.mark.parametrize(
    ("metrics", "kind", "says"),
    [
        ("acuracy", "classes", "Did you mean accuracy?"),
        ("rmse", "classes", "must be of labels that are classes"),
        (["f1", "accuracy"], "numbers", "must be of labels that are numbers, such as rmse, r2, smape. Got f1"),
        (["f1", "f1"], "classes", "each with a name of its own"),
        ([], "classes", "one or more"),
        ([3], "classes", "a name or a function"),
    ],
)
def test_a_metric_that_cannot_be_is_refused(metrics, kind, says):
    with pytest.raises(ValueError, match=says):
        as_metrics(metrics, kind)


@pytest.mark.slow
def test_a_function_of_ones_own_is_a_metric_by_its_name():
    def largest(predictions, labels):
        return jnp.max(jnp.abs(predictions - labels))

    xs = jnp.arange(3.0)
    found = ms.train.evaluate(lambda x: x + 1, (xs, xs), [largest, "rmse"])
    assert {name: float(value) for name, value in found.items()} == {"largest": 1.0, "rmse": 1.0}
