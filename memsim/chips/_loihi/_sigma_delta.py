"""Graded spikes of Loihi 2: layers that send what has changed, in the fixed point of lava-nc."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Int


class Delta(NamedTuple):
    """What a layer that sends changes remembers.

    **Arguments:**

    - `sent_from`: The activation of the step before.
    - `residue`: What has changed and was not sent.
    - `error`: The sum of all changes since something was sent, where they are cumulated.
    """

    sent_from: Int[Array, " units"]
    residue: Int[Array, " units"]
    error: Int[Array, " units"]


def no_changes(units: int) -> Delta:
    """The state before the first step."""
    zero = jnp.zeros(units, jnp.int32)
    return Delta(zero, zero, zero)


def send_changes(
    activation: Int[Array, " units"],
    state: Delta,
    *,
    threshold: Int[Array, "..."],
    state_exponent: int | Int[Array, ""],
    cumulative: bool,
) -> tuple[Int[Array, " units"], Delta]:
    """The graded spikes: what an `activation` has changed by, where that reaches the `threshold`; and the new state.

    Activation and threshold hold their shifts. The documentation says above the threshold, the code at it as well.
    """
    change = activation - state.sent_from + state.residue
    error = state.error + change if cumulative else state.error
    sends = jnp.abs(error if cumulative else change) >= threshold
    sent = jnp.where(sends, change, 0)
    after = Delta(activation, change - sent, jnp.where(sends, 0, error) if cumulative else error)
    return sent >> state_exponent, after


class SigmaDelta(NamedTuple):
    """What a layer that sums changes, and sends those of its own activation, remembers."""

    sigma: Int[Array, " units"]
    delta: Delta


def sigma_delta(
    change: Int[Array, " units"],
    state: SigmaDelta,
    *,
    bias: Int[Array, "..."],
    threshold: Int[Array, "..."],
    state_exponent: int | Int[Array, ""],
    cumulative: bool,
    rectified: bool = True,
) -> tuple[Int[Array, " units"], SigmaDelta]:
    """The graded spikes of one step, and the new state. Bias and threshold hold their shifts."""
    sigma = state.sigma + change
    activation = sigma + bias
    activation = jnp.maximum(activation, 0) if rectified else activation
    spikes, delta = send_changes(
        activation, state.delta, threshold=threshold, state_exponent=state_exponent, cumulative=cumulative
    )
    return spikes, SigmaDelta(sigma, delta)
