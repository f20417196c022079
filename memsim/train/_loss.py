"""From what a model gives out for one sample to its loss: by mean, count, maximum, rate, first spike or distance."""

import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Int

from .._checks import checked, is_known, that
from ..encoding import exponential_trace, first_spike_time
from ..encoding._checks import SECONDS, check_tau

Mask = Bool[Array, " steps"]
RATE = that("a rate of at least 0 and finite, in spikes a step", lambda rate: np.isfinite(rate) & (rate >= 0))


@checked()
def class_scores(outputs: Float[Array, "*steps classes"], *, mask: Mask | None = None) -> Float[Array, " classes"]:
    """The scores that a model gives out, (classes,); of a readout over time its mean. The largest names the class.

    `mask` says which steps count, as in all losses here; by default all.

    - `outputs`: Shape (classes,) or (steps, classes).

    >>> import jax.numpy as jnp, memsim as ms
    >>> print(ms.train.class_scores(jnp.array([[1.0, 0.0], [3.0, 0.0]])))
    [2. 0.]
    """
    if outputs.ndim == 1:
        return outputs
    return _mean(outputs, mask)


@checked()
def cross_entropy(
    outputs: Float[Array, "*steps classes"], label: Int[Array, ""], *, mask: Mask | None = None
) -> Float[Array, ""]:
    """Softmax cross-entropy of the class scores of one sample: (classes,), or (steps, classes) over time.

    - `outputs`, `label`: The scores, and the class.
    - `mask`: Steps that count, shape (steps,).

    >>> import jax.numpy as jnp, memsim as ms
    >>> print(f"{ms.train.cross_entropy(jnp.array([1.0, 1.0]), jnp.array(0)):.3f}")  # log 2
    0.693
    """
    return optax.softmax_cross_entropy_with_integer_labels(class_scores(outputs, mask=mask), label)


@checked()
def count_cross_entropy(
    outputs: Float[Array, "steps classes"], label: Int[Array, ""], *, mask: Mask | None = None
) -> Float[Array, ""]:
    """Softmax cross-entropy of the spike counts: a lead of one spike is a factor e of odds, at any number of steps.

    - `outputs`, `label`: Spikes, shape (steps, classes), and the class.
    - `mask`: Steps that count, shape (steps,).

    >>> import jax.numpy as jnp, memsim as ms
    >>> spikes = jnp.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> print(f"{ms.train.count_cross_entropy(spikes, jnp.array(0)):.3f}")  # log(1 + exp(-1))
    0.313
    """
    counts = jnp.sum(_where(mask, outputs, 0.0), axis=0)
    return optax.softmax_cross_entropy_with_integer_labels(counts, label)


@checked()
def max_cross_entropy(
    outputs: Float[Array, "steps classes"], label: Int[Array, ""], *, mask: Mask | None = None
) -> Float[Array, ""]:
    """Softmax cross-entropy of each readout's largest value over time.

    For a readout that does not spike (`memsim.nn.LI`): spikes all have the same maximum. The gradient reaches the step
    of the maximum only, or is shared between equal ones.

    - `outputs`, `label`: Shape (steps, classes), and the class.
    - `mask`: Steps that count, shape (steps,).

    >>> import jax.numpy as jnp, memsim as ms
    >>> outputs = jnp.array([[0.0, 0.0], [1.0, 0.0]])
    >>> print(f"{ms.train.max_cross_entropy(outputs, jnp.array(0)):.3f}")  # log(1 + exp(-1))
    0.313
    """
    largest = jnp.max(_where(mask, outputs, -jnp.inf), axis=0)
    return optax.softmax_cross_entropy_with_integer_labels(largest, label)


@checked(tau=SECONDS, dt=SECONDS)
def latency_cross_entropy(
    outputs: Float[Array, "steps classes"], label: Int[Array, ""], *, tau: float, dt: float, mask: Mask | None = None
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

    >>> import jax.numpy as jnp, memsim as ms
    >>> spikes = jnp.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> loss = ms.train.latency_cross_entropy(spikes, jnp.array(0), tau=1e-3, dt=1e-3)
    >>> print(f"{loss:.3f}")  # log(1 + exp(-1)): the class leads by one tau
    0.313
    """
    check_tau(tau, dt)
    times = first_spike_time(_where(mask, outputs, 0.0))
    return optax.softmax_cross_entropy_with_integer_labels(times * (-dt / tau), label)


@checked()
def latency_scores(outputs: Float[Array, "steps classes"], *, mask: Mask | None = None) -> Float[Array, " classes"]:
    """Minus the step of each class's first spike: the first to spike names the class.

    >>> import jax.numpy as jnp, memsim as ms
    >>> print(ms.train.latency_scores(jnp.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])))
    [-1. -2.]
    """
    return -first_spike_time(_where(mask, outputs, 0.0))


@checked(right=RATE, wrong=RATE)
def rate_mse(
    outputs: Float[Array, "steps classes"],
    label: Int[Array, ""],
    *,
    right: float = 0.8,
    wrong: float = 0.2,
    mask: Mask | None = None,
) -> Float[Array, ""]:
    """Mean over classes of the squared distance of a rate from its target, both in spikes a step.

    **Arguments:**

    - `outputs`: Spikes.
    - `label`: The class.
    - `right`, `wrong`: Target of the class itself, and of the others. A target above zero keeps them alive.

    >>> import jax.numpy as jnp, memsim as ms
    >>> spikes = jnp.array([[1.0, 0.0], [1.0, 0.0]])
    >>> print(f"{ms.train.rate_mse(spikes, jnp.array(0)):.2f}")  # 0.2^2 from each target
    0.04
    """
    if is_known(right, wrong) and not wrong < right:
        raise ValueError(
            "`right` and `wrong` must satisfy 0 <= wrong < right, in spikes a step. "
            f"Got right={right}, wrong={wrong}. From Hz? Multiply by dt."
        )
    rates = class_scores(outputs, mask=mask)
    targets = jnp.where(jnp.arange(rates.shape[0]) == label, right, wrong).astype(rates.dtype)
    return jnp.mean((rates - targets) ** 2)


@checked()
def mse(outputs: Float[Array, "..."], target: Float[Array, "..."], *, mask: Mask | None = None) -> Float[Array, ""]:
    """Mean squared distance of what `prediction` makes of the outputs from the target of one sample.

    - `outputs`, `target`: As of `prediction`; the target has the shape of what is predicted.
    - `mask`: Steps that count, shape (steps,).

    >>> import jax.numpy as jnp, memsim as ms
    >>> float(ms.train.mse(jnp.array([1.0, 2.0]), jnp.array([0.0, 0.0])))
    2.5
    """
    squares = (prediction(outputs, target.shape, mask=mask) - target) ** 2
    over_time = mask is not None and outputs.shape == target.shape != () and target.shape[0] == mask.shape[0]
    return jnp.mean(_mean(squares, mask)) if over_time else jnp.mean(squares)


@checked()
def prediction(
    outputs: Float[Array, "..."], shape: tuple[int, ...] = (), *, mask: Mask | None = None
) -> Float[Array, "..."]:
    """What a model's `outputs` for one sample say of a target of `shape`.

    Outputs of that shape are the prediction; of outputs over time, (steps, *shape), it is their mean; and a last axis
    of one, as of `equinox.nn.Linear(n, 1)`, is dropped where the target has none. Raises `ValueError` for others.

    >>> import jax.numpy as jnp, memsim as ms
    >>> float(ms.train.prediction(jnp.array([[1.0], [3.0]])))  # the mean over time of one output
    2.0
    """
    if outputs.shape == (*shape, 1):
        return outputs[..., 0]
    if outputs.ndim > 1 and outputs.shape[1:] in (shape, (*shape, 1)) and outputs.shape != shape:
        return _mean(outputs, mask).reshape(shape)
    if outputs.shape != shape:
        raise ValueError(
            f"The outputs for one sample must have the shape of its target, {shape}, or that behind an axis of steps. "
            f"Got {outputs.shape}. Reshape one of them; if labels are classes, make them whole numbers."
        )
    return outputs


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

    >>> import jax.numpy as jnp, memsim as ms
    >>> spikes, none = jnp.array([[0.0], [1.0], [0.0]]), jnp.zeros((3, 1))
    >>> print(f"{ms.train.van_rossum(spikes, none, tau=0.02, dt=1e-3):.3f}")
    0.500
    """
    y = exponential_trace(spikes - target, tau, dt)
    decay = jnp.exp(jnp.asarray(-2 * dt / tau, y.dtype))
    return (jnp.sum(y**2) * (1 - decay) + jnp.sum(y[-1] ** 2) * decay) / 2


def _mean(values: Float[Array, "steps *rest"], mask: Mask | None) -> Float[Array, "*rest"]:
    """The mean over the steps that count."""
    if mask is None:
        return jnp.mean(values, axis=0)
    counted = jnp.sum(_where(mask, values, 0.0), axis=0)
    return counted / jnp.maximum(jnp.sum(mask, dtype=values.dtype), 1.0)


def _where(mask: Mask | None, values: Float[Array, "steps *rest"], other: float) -> Float[Array, "steps *rest"]:
    """`values`, with `other` in steps that do not count."""
    if mask is None:
        return values
    return jnp.where(mask.reshape(-1, *(1,) * (values.ndim - 1)), values, other)
