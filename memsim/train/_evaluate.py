"""A model on a set of samples, and how good its predictions are."""

from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, Int, Key, Num

from .._array import AnalogMatrix
from .._checks import checked
from ..nn import analog_layers
from ..nn._calling import call, evaluating
from ._memory import MEMORY, MEMORY_RULE, Memory, as_bytes, in_batches, told
from ._metrics import METRICS, Metrics, as_metrics
from ._objective import Scores, as_scores, masked
from ._samples import Samples
from ._task import MODEL, SET, check_task


@checked(memory=MEMORY_RULE)
def accuracy(
    model: Any,
    xs: Num[Array, "batch *sample"],
    labels: Int[Array, " batch"],
    *,
    key: Key[Array, ""] | None = None,
    scores: Scores | None = None,
    memory: Memory = None,
) -> Float[Array, ""]:
    """Fraction of samples whose class, that of the largest of the `scores`, is named rightly. Noise needs `key`.

    It is NaN where an output of any sample is not finite, or a matrix on a chip is not: a NaN names no class.

    **Arguments:**

    - `model`: A network over time, or any other model that is called on one sample; digital or deployed.
    - `xs`, `labels`: Samples, of a network sequences, counts in bytes as well, and the class of each.
    - `key`: For reads.
    - `scores`: From the outputs of one sample to one score a class.
    - `memory`: Bytes, or words such as "4 GiB", for the samples that run side by side, by an estimate; by
      default what the device suggests. Scores are the same whatever it is, but for the rounding of products of another
      size.

    Raises `ValueError` for what does not fit: data of another shape, fewer scores than classes, labels that are no
    classes, NaN in the data or the model.

    >>> import jax.numpy as jnp, memsim as ms
    >>> outputs = jnp.array([[2.0, 1.0], [0.0, 1.0], [3.0, 1.0]])
    >>> print(f"{ms.train.accuracy(lambda x: x, outputs, jnp.array([0, 1, 1])):.2f}")
    0.67
    """
    samples = Samples(jnp.asarray(xs), jnp.asarray(labels))
    check_task(model, samples, as_scores(scores, "classes"), kinds=("classes",))
    with told("Lower `memory`."):
        found = predictions(model, samples, key=key, scores=as_scores(scores, "classes"), memory=as_bytes(memory))
        return METRICS["accuracy"](found, samples.labels, None)


@checked(model=MODEL, data=SET, memory=MEMORY_RULE)
def evaluate(
    model: Any,
    data: Any,
    metrics: Metrics | None = None,
    *,
    key: Key[Array, ""] | None = None,
    scores: Scores | None = None,
    memory: Memory = None,
) -> dict[str, Float[Array, ""]]:
    """How good `model`, digital or deployed, is on `data`: each of the `metrics` by its name.

    **Arguments:**

    - `model`: As of `accuracy`; dropout and norms are in inference mode.
    - `data`: A `memsim.data.Dataset`, arrays (xs, ys), or an iterable of batches of them.
    - `metrics`: One or several of "accuracy", "balanced_accuracy", "f1", "auroc" of classes, "rmse", "r2", "smape" of
      numbers, or functions of all predictions and labels. By default "accuracy", or "rmse".
    - `key`: For reads.
    - `scores`: From the outputs of one sample to the scores of the classes, or to the prediction.
    - `memory`: As of `accuracy`.

    A metric is NaN where an output is not finite. Raises `ValueError` for what does not fit.

    >>> import jax, jax.numpy as jnp, memsim as ms
    >>> found = ms.train.evaluate(lambda x: 2 * x, (jnp.arange(3.0), jnp.arange(3.0)), ["rmse", "r2"])
    >>> {name: round(float(value), 3) for name, value in found.items()}
    {'rmse': 1.291, 'r2': -1.5}
    """
    samples = Samples.of(data)
    if metrics is None:
        samples.check_meant('metrics="rmse"')
    chosen = as_metrics(metrics, samples.kind)
    scores = as_scores(scores, samples.kind, samples.labels.shape[1:])
    check_task(model, samples, scores)
    with told("Lower `memory`."):
        found = predictions(model, samples, key=key, scores=scores, memory=as_bytes(memory))
        return measured(found, samples, chosen)


def measured(found: Array, samples: Samples, metrics: Any) -> dict[str, Float[Array, ""]]:
    """Each of the metrics of predictions, by its name."""
    mask = _masks(samples) if samples.targets_over_time else None
    return {metric.name: metric(found, samples.labels, mask) for metric in metrics}


def predictions(
    model: Any,
    samples: Samples,
    *,
    key: Key[Array, ""] | None = None,
    scores: Scores,
    memory: float = MEMORY,
) -> Float[Array, "batch *scores"]:
    """What `scores` makes of the outputs of each sample, with independent reads; NaN where not all are finite."""
    keys = None if key is None else jr.split(key, len(samples))
    model = evaluating(model)
    sound = finite_on_chip(model)

    def one(x: Array, length: Array | None, key: Array | None) -> Array:
        outputs, mask = outputs_of(model, x, length, key=key)
        return jnp.where(sound & jnp.isfinite(outputs).all(), masked(scores, mask, "scores")(outputs), jnp.nan)

    return in_batches(one, (samples.xs, samples.lengths, keys), memory)


def outputs_of(
    model: Any, x: Array, length: Int[Array, ""] | None, *, key: Key[Array, ""] | None
) -> tuple[Array, Bool[Array, " steps"] | None]:
    """What a model gives out for one sample, and which of its steps count: `None` where all do, or there are none."""
    mask = mask_of(x, length)
    outputs = call(model, x, key=key, mask=mask)
    return outputs, over_time(outputs, mask)


def mask_of(x: Array, length: Int[Array, ""] | None) -> Bool[Array, " steps"] | None:
    """Which steps of a sample count."""
    return None if length is None else jnp.arange(x.shape[0]) < length


def over_time(outputs: Array, mask: Bool[Array, " steps"] | None) -> Bool[Array, " steps"] | None:
    """The mask, where the outputs have the steps that it is of."""
    return mask if outputs.ndim > 1 and mask is not None and outputs.shape[0] == mask.shape[0] else None


def finite_on_chip(model: Any) -> Bool[Array, ""]:
    """Whether all that the chips of a deployed `model` present is finite: an ADC would clip infinity to a number."""
    matrices = [layer.weight for layer in analog_layers(model).values() if isinstance(layer.weight, AnalogMatrix)]
    leaves = [leaf for leaf in jax.tree.leaves(matrices) if isinstance(leaf, jax.Array)]
    floats = [jnp.isfinite(leaf).all() for leaf in leaves if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    return jnp.stack(floats).all() if floats else jnp.asarray(True)


@checked(model=MODEL)
def run_batch(
    model: Any, xs: Num[Array, "batch *sample"], *, key: Key[Array, ""] | None = None
) -> Float[Array, "batch *outputs"]:
    """What the model gives out for each sample, with independent reads.

    - `model`: Digital or deployed.
    - `xs`: A batch of samples, shape (batch, *sample).
    - `key`: For reads, one of its own for each sample.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> model = ms.nn.SpikingNetwork([ms.nn.Linear(3, 2, key=jr.key(0)), ms.nn.LIF(2)])
    >>> ms.train.run_batch(model, jnp.ones((4, 10, 3))).shape
    (4, 10, 2)
    """
    keys = None if key is None else jr.split(key, xs.shape[0])
    return jax.vmap(lambda x, key: call(model, x, key=key))(xs, keys)


def _masks(samples: Samples) -> Bool[Array, "n steps"]:
    assert samples.lengths is not None
    return jnp.expand_dims(jnp.arange(samples.labels.shape[1]), 0) < jnp.expand_dims(samples.lengths, 1)
