"""A model on a batch of sequences, and how many it names rightly."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, Int, Key, Num

from .._array import AnalogMatrix
from .._checks import as_floats, checked, positive
from ..nn import AbstractNetwork, analog_layers
from ._loss import class_scores
from ._memory import MEMORY, in_batches, told
from ._task import NETWORK, check_task

ENOUGH = positive("in bytes", hint="A mebibyte is 2**20.")


@checked(memory=ENOUGH)
def accuracy(
    model: AbstractNetwork,
    xs: Num[Array, "batch steps *inputs"],
    labels: Int[Array, " batch"],
    *,
    key: Key[Array, ""] | None = None,
    scores: Callable[[Array], Array] = class_scores,
    memory: float = MEMORY,
) -> Float[Array, ""]:
    """Fraction of sequences whose class, that of the largest of the `scores`, is named rightly. Noise needs `key`.

    It is NaN where an output of any sequence is not finite, or a matrix on a chip is not: a NaN names no class.

    **Arguments:**

    - `model`: A network, digital or deployed.
    - `xs`, `labels`: Sequences, counts in bytes as well, and the class of each.
    - `key`: For reads.
    - `scores`: From the outputs of one sequence to one score a class.
    - `memory`: Bytes for the sequences that run side by side, by an estimate; scores are the same whatever it is, but
      for the rounding of products of another size.

    Raises `ValueError` for what does not fit: data of another shape, fewer scores than classes, labels that are no
    classes, NaN in the data or the model.
    """
    xs, labels = jnp.asarray(xs), jnp.asarray(labels)
    check_task(model, xs, labels, scores, "`memsim.train.accuracy`")
    with told("Lower `memory`."):
        return share_right(sequence_scores(model, xs, key=key, scores=scores, memory=memory), labels)


def sequence_scores(
    model: AbstractNetwork,
    xs: Num[Array, "batch steps *inputs"],
    *,
    key: Key[Array, ""] | None = None,
    scores: Callable[[Array], Array] = class_scores,
    memory: float = MEMORY,
) -> Float[Array, "batch classes"]:
    """The scores of each sequence, with independent reads; NaN for one whose outputs are not all finite."""
    keys = None if key is None else jr.split(key, xs.shape[0])
    sound = finite_on_chip(model)

    def one(x: Array, key: Array | None) -> Array:
        outputs = model(as_floats(x), key=key)
        return jnp.where(sound & jnp.isfinite(outputs).all(), scores(outputs), jnp.nan)

    return in_batches(one, (xs, keys), memory)


def share_right(found: Float[Array, "batch classes"], labels: Array) -> Float[Array, ""]:
    """The fraction whose largest score is that of its label; NaN where a score is."""
    share = jnp.mean(jnp.argmax(found, axis=-1) == labels, dtype=jnp.result_type(float))
    return jnp.where(jnp.isnan(found).any(), jnp.nan, share)


def finite_on_chip(model: AbstractNetwork) -> Bool[Array, ""]:
    """Whether all that the chips of a deployed `model` present is finite: an ADC would clip infinity to a number."""
    matrices = [layer.weight for layer in analog_layers(model).values() if isinstance(layer.weight, AnalogMatrix)]
    leaves = [leaf for leaf in jax.tree.leaves(matrices) if isinstance(leaf, jax.Array)]
    floats = [jnp.isfinite(leaf).all() for leaf in leaves if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    return jnp.stack(floats).all() if floats else jnp.asarray(True)


@checked(model=NETWORK)
def run_batch(
    model: AbstractNetwork,
    xs: Num[Array, "batch steps *inputs"],
    *,
    key: Key[Array, ""] | None = None,
) -> Float[Array, "batch steps *outputs"]:
    """The model on each sequence, with independent reads."""
    keys = None if key is None else jr.split(key, xs.shape[0])
    return jax.vmap(lambda x, k: model(x, key=k))(as_floats(xs), keys)
