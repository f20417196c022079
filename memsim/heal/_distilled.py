"""The outputs of the digital model as what is learnt, of samples without labels and of mixtures of them."""

from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Float, Key

from ..nn._calling import evaluating
from ..train._evaluate import outputs_of
from ..train._objective import class_scores, masked
from ..train._samples import Samples
from ._through import straight_through


def distilled_loss(model: Any, behind: Any, teacher: Any, samples: Samples, key: Key[Array, ""]) -> Float[Array, ""]:
    """Mean cross-entropy of `model` from the probabilities of the `teacher`; with the gradient of `behind`, if given.

    It is least where both name each class with the same probability, whatever the labels say.
    """
    teacher = evaluating(teacher)

    def one(x: Array, length: Array | None, key: Array) -> Array:
        wanted, mask = outputs_of(teacher, x, length, key=None)
        found, _ = outputs_of(model, x, length, key=key)
        if behind is not None:
            found = straight_through(found, outputs_of(behind, x, length, key=key)[0])
        scores = masked(class_scores, mask, "scores")
        return optax.softmax_cross_entropy(scores(found), jax.nn.softmax(jax.lax.stop_gradient(scores(wanted))))

    return jnp.mean(jax.vmap(one)(samples.xs, samples.lengths, jr.split(key, len(samples))))


def mixtures(samples: Samples, *, key: Key[Array, ""]) -> Samples:
    """As many means of two samples each, of uniform weights; of lengths the longer."""
    order_key, weight_key = jr.split(key)
    number, xs, lengths = len(samples), samples.xs, samples.lengths
    order = jr.permutation(order_key, number)
    weight = jr.uniform(weight_key, (number, *(1,) * (xs.ndim - 1)), xs.dtype)
    longer = None if lengths is None else jnp.maximum(lengths, lengths[order])
    return Samples(weight * xs + (1 - weight) * xs[order], samples.labels, longer)
