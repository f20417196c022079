"""From the outputs (steps, classes) of one sequence to its loss: by mean, count, maximum, rate or first spike."""

import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int

from .._checks import checked, is_known, that
from ..encoding import exponential_trace, first_spike_time
from ..encoding._checks import SECONDS, check_tau

RATE = that("a rate of at least 0 and finite, in spikes a step", lambda rate: np.isfinite(rate) & (rate >= 0))


@checked()
def class_scores(outputs: Float[Array, "steps classes"]) -> Float[Array, " classes"]:
    """The readout's mean over time; the largest names the class."""
    return jnp.mean(outputs, axis=0)


@checked()
def cross_entropy(outputs: Float[Array, "steps classes"], label: Int[Array, ""]) -> Float[Array, ""]:
    """Softmax cross-entropy of the class scores of one sequence."""
    return optax.softmax_cross_entropy_with_integer_labels(class_scores(outputs), label)


@checked()
def count_cross_entropy(outputs: Float[Array, "steps classes"], label: Int[Array, ""]) -> Float[Array, ""]:
    """Softmax cross-entropy of the spike counts: a lead of one spike is a factor e of odds, at any number of steps."""
    return optax.softmax_cross_entropy_with_integer_labels(jnp.sum(outputs, axis=0), label)


@checked()
def max_cross_entropy(outputs: Float[Array, "steps classes"], label: Int[Array, ""]) -> Float[Array, ""]:
    """Softmax cross-entropy of each readout's largest value over time.

    For a readout that does not spike (`memsim.nn.LI`): spikes all have the same maximum. The gradient reaches the step
    of the maximum only, or is shared between equal ones.
    """
    return optax.softmax_cross_entropy_with_integer_labels(jnp.max(outputs, axis=0), label)


@checked(tau=SECONDS, dt=SECONDS)
def latency_cross_entropy(
    outputs: Float[Array, "steps classes"], label: Int[Array, ""], *, tau: float, dt: float
) -> Float[Array, ""]:
    r"""Cross-entropy of a softmax over $-t / \tau$ of the first spikes' times: the class should be the first to spike.

    The time is `memsim.encoding.first_spike_time`, that of the sequence's end for a silent class. Its derivative in a
    spike is what that spike being there changes, so that a silent class is pulled up at every step, the most at the
    first. Goltz2021 has this loss of exact times and Mostafa2017 one of their exponentials, for neurons that do spike.

    **Arguments:**

    - `outputs`: Spikes.
    - `label`: The class.
    - `tau`: Lead that is a factor e of odds, in seconds.
    - `dt`: Length of a step, in seconds.
    """
    check_tau(tau, dt)
    return optax.softmax_cross_entropy_with_integer_labels(first_spike_time(outputs) * (-dt / tau), label)


@checked()
def latency_scores(outputs: Float[Array, "steps classes"]) -> Float[Array, " classes"]:
    """Minus the step of each class's first spike: the first to spike names the class."""
    return -first_spike_time(outputs)


@checked(right=RATE, wrong=RATE)
def rate_mse(
    outputs: Float[Array, "steps classes"], label: Int[Array, ""], *, right: float = 0.8, wrong: float = 0.2
) -> Float[Array, ""]:
    """Mean over classes of the squared distance of a rate from its target, both in spikes a step.

    **Arguments:**

    - `outputs`: Spikes.
    - `label`: The class.
    - `right`, `wrong`: Target of the class itself, and of the others. A target above zero keeps them alive.
    """
    if is_known(right, wrong) and not wrong < right:
        raise ValueError(
            "`right` and `wrong` must satisfy 0 <= wrong < right, in spikes a step. "
            f"Got right={right}, wrong={wrong}. From Hz? Multiply by dt."
        )
    rates = class_scores(outputs)
    targets = jnp.where(jnp.arange(rates.shape[0]) == label, right, wrong).astype(rates.dtype)
    return jnp.mean((rates - targets) ** 2)


@checked(tau=SECONDS, dt=SECONDS)
def van_rossum(
    spikes: Float[Array, "steps *units"], target: Float[Array, "steps *units"], *, tau: float, dt: float
) -> Float[Array, ""]:
    r"""Squared van Rossum distance $\frac{1}{\tau} \int (f - g)^2 dt$, summed over units.

    $f$ and $g$ are the trains with each spike replaced by $e^{-(t - t_i)/\tau}$. The integral is exact and goes on
    beyond the last step, so that a spike against none is 1/2 wherever it is, and two spikes $\delta$ apart are
    $1 - e^{-\delta/\tau}$. As a loss of `fit`: `lambda outputs, label: van_rossum(outputs, targets[label], ...)`.

    **Arguments:**

    - `spikes`, `target`: The two sets of trains.
    - `tau`: Time constant, in seconds: long compares counts, short compares times.
    - `dt`: Length of a step, in seconds.

    Reference: VanRossum2001.
    """
    y = exponential_trace(spikes - target, tau, dt)
    decay = jnp.exp(jnp.asarray(-2 * dt / tau, y.dtype))
    return (jnp.sum(y**2) * (1 - decay) + jnp.sum(y[-1] ** 2) * decay) / 2
