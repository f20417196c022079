"""How good predictions are, all of a set at once: by name, or a function of one's own."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from .._checks import described, did_you_mean

Function = Callable[..., Any]
Metrics = str | Function | Sequence[str | Function]


class Metric(NamedTuple):
    """A number for a whole set: `function(predictions, labels)`, or with `mask=` of what counts where steps do not."""

    name: str
    function: Function
    of: Literal["classes", "numbers", "anything"] = "anything"
    better: Literal["larger", "smaller"] = "larger"

    def __call__(self, predictions: Array, labels: Array, mask: Array | None) -> Float[Array, ""]:
        """NaN where any prediction is."""
        if mask is not None and "mask" not in inspect.signature(self.function).parameters:
            raise ValueError(
                "A metric of targets over time must take `mask=`, (n, steps), for data with `lengths`. "
                f"Got {self.name} without; add it, or leave out the lengths."
            )
        more = {} if mask is None else {"mask": mask}
        found = jnp.asarray(self.function(predictions, labels, **more), jnp.result_type(float))
        return jnp.where(jnp.isnan(predictions).any(), jnp.nan, found)


def accuracy(scores: Float[Array, "n classes"], labels: Int[Array, " n"]) -> Float[Array, ""]:
    return jnp.mean(jnp.argmax(scores, axis=-1) == labels, dtype=scores.dtype)


def balanced_accuracy(scores: Float[Array, "n classes"], labels: Int[Array, " n"]) -> Float[Array, ""]:
    """Mean over the classes that occur of the share named rightly."""
    hit, true, _ = _counts(scores, labels)
    return _mean(hit / jnp.maximum(true, 1.0), true > 0)


def f1(scores: Float[Array, "n classes"], labels: Int[Array, " n"]) -> Float[Array, ""]:
    """Mean over the classes that occur, as a label or as a prediction, of 2 TP / (2 TP + FP + FN)."""
    hit, true, named = _counts(scores, labels)
    return _mean(2 * hit / jnp.maximum(true + named, 1.0), true + named > 0)


def auroc(scores: Float[Array, "n classes"], labels: Int[Array, " n"]) -> Float[Array, ""]:
    """Area under the ROC curve of the softmax, each class against the rest, mean over the classes that occur."""
    classes = scores.shape[-1]
    others = jnp.where(jnp.eye(classes, dtype=bool)[:, None], -jnp.inf, scores[None])
    odds = scores.T - jax.nn.logsumexp(others, axis=-1)  # rises with the probability, and never saturates
    positive = jnp.expand_dims(labels, 0) == jnp.expand_dims(jnp.arange(classes, dtype=labels.dtype), 1)
    areas, there = jax.vmap(_area)(odds, positive)
    return _mean(areas, there)


def rmse(found: Float[Array, "n *targets"], y: Float[Array, "n *targets"], *, mask: Array | None = None) -> Array:
    w = _weights(mask, y)
    return jnp.sqrt(jnp.sum(w * (found - y) ** 2) / jnp.sum(w))


def r2(found: Float[Array, "n *targets"], y: Float[Array, "n *targets"], *, mask: Array | None = None) -> Array:
    """1 less the squared errors over those of the mean; of several targets, the mean over the last axis."""
    w = _weights(mask, y)
    axes = tuple(range(max(1, y.ndim - 1)))
    mean = jnp.sum(w * y, axes, keepdims=True) / jnp.sum(w, axes, keepdims=True)
    return jnp.mean(1 - jnp.sum(w * (found - y) ** 2, axes) / jnp.sum(w * (y - mean) ** 2, axes))


def smape(found: Float[Array, "n *targets"], y: Float[Array, "n *targets"], *, mask: Array | None = None) -> Array:
    """Mean of 2 |error| / (|prediction| + |target|), from 0 to 2; 0 where both are 0."""
    w, size = _weights(mask, y), jnp.abs(found) + jnp.abs(y)
    return jnp.sum(w * 2 * jnp.abs(found - y) / jnp.where(size > 0, size, 1.0)) / jnp.sum(w)


METRICS = {
    metric.name: metric
    for metric in (
        Metric("accuracy", accuracy, "classes"),
        Metric("balanced_accuracy", balanced_accuracy, "classes"),
        Metric("f1", f1, "classes"),
        Metric("auroc", auroc, "classes"),
        Metric("rmse", rmse, "numbers", "smaller"),
        Metric("r2", r2, "numbers"),
        Metric("smape", smape, "numbers", "smaller"),
    )
}


def as_metrics(metrics: Any, of: Literal["classes", "numbers"]) -> tuple[Metric, ...]:
    """Those asked for, of labels that are "classes" or "numbers": by default "accuracy", and "rmse".

    Raises `ValueError` for an unknown name, for one of the other kind of labels, and for the same name twice.
    """
    if metrics is None:
        metrics = ("accuracy" if of == "classes" else "rmse",)
    each = (metrics,) if isinstance(metrics, str) or callable(metrics) else tuple(metrics)
    found = tuple(_metric(one) for one in each)
    names = [metric.name for metric in found]
    if not found or len(set(names)) < len(names):
        raise ValueError(f"`metrics` must be one or more, each with a name of its own. Got {names or 'none'}.")
    for metric in found:
        if metric.of not in (of, "anything"):
            fit = ", ".join(name for name, other in METRICS.items() if other.of == of)
            raise ValueError(f"`metrics` must be of labels that are {of}, such as {fit}. Got {metric.name}.")
    return found


def _metric(given: Any) -> Metric:
    if isinstance(given, str):
        if given not in METRICS:
            raise ValueError(did_you_mean("A metric", given, METRICS))
        return METRICS[given]
    if isinstance(given, Metric):
        return given
    if not callable(given) or isinstance(given, type):
        raise ValueError(
            f"A metric must be a name or a function of predictions and labels of a whole set. Got {described(given)}."
        )
    return Metric(getattr(given, "__name__", type(given).__name__), given)


def _counts(scores: Array, labels: Array) -> tuple[Array, Array, Array]:
    """Of each class, how many are named rightly, occur, and are named."""
    classes = jnp.arange(scores.shape[-1])
    true = (jnp.expand_dims(labels, 1) == jnp.expand_dims(classes, 0)).astype(scores.dtype)
    named = (jnp.argmax(scores, axis=-1, keepdims=True) == jnp.expand_dims(classes, 0)).astype(scores.dtype)
    return jnp.sum(true * named, 0), jnp.sum(true, 0), jnp.sum(named, 0)


def _area(odds: Float[Array, " n"], positive: Bool[Array, " n"]) -> tuple[Array, Array]:
    """Share of pairs that are in order, ties half, and whether there are any."""
    ordered = jnp.sort(odds)
    ranks = jnp.searchsorted(ordered, odds, side="left") + jnp.searchsorted(ordered, odds, side="right")
    yes = jnp.sum(positive, dtype=odds.dtype)
    no = odds.shape[0] - yes
    in_order = jnp.sum(jnp.where(positive, (ranks + 1).astype(odds.dtype) / 2, 0.0)) - yes * (yes + 1) / 2
    return in_order / jnp.maximum(yes * no, 1.0), yes * no > 0


def _mean(values: Float[Array, " classes"], there: Bool[Array, " classes"]) -> Array:
    return jnp.sum(jnp.where(there, values, 0.0)) / jnp.sum(there, dtype=values.dtype)


def _weights(mask: Bool[Array, "n steps"] | None, y: Array) -> Array:
    """1 for each target that counts, in the shape of the targets."""
    if mask is None:
        return jnp.ones_like(y)
    return jnp.broadcast_to(mask.reshape(mask.shape + (1,) * (y.ndim - 2)), y.shape).astype(y.dtype)
