"""From a readout sequence to class scores, and their cross-entropy."""

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int


def class_scores(outputs: Float[Array, "steps classes"]) -> Float[Array, " classes"]:
    """The readout's mean over time; the largest names the class."""
    return jnp.mean(outputs, axis=0)


def cross_entropy(outputs: Float[Array, "steps classes"], label: Int[Array, ""]) -> Float[Array, ""]:
    """Softmax cross-entropy of the class scores of one sequence."""
    return optax.softmax_cross_entropy_with_integer_labels(class_scores(outputs), label)
