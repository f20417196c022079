"""Writes of the size of the write error, each with the probability that makes their mean the update."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Float, Int, Key

from device_models.pulsed import AbstractPulsed

from .._checks import checked, fraction, is_zero, positive
from ._cells import Cells, bare, dense, fabricated, resumed, rounded
from ._transform import COUNT, DEVICE, RATE, SCALE, AbstractRule, Gradient, Now, Rate, check_devices, transformation


@checked(
    device=DEVICE,
    learning_rate=RATE,
    threshold=positive("in units of the device"),
    momentum=fraction(one=False),
    length=COUNT,
    scale=SCALE,
)
def eapu(
    device: AbstractPulsed,
    learning_rate: Rate,
    *,
    threshold: float | None = None,
    momentum: float = 0.0,
    length: int = 127,
    scale: float | None = None,
    digital: optax.GradientTransformation | None = None,
    key: Key[Array, ""],
) -> optax.GradientTransformation:
    r"""Error-aware probabilistic update: few writes, none smaller than the error that a write makes.

    An update $u = -\eta\,\nabla L$ of a weight becomes a write of $\pm\Delta$ with the probability $|u| / \Delta$, and
    none otherwise; of more than $\Delta$, the whole multiples for certain. The mean is $u$; most weights are not
    touched in a step. A write of error $\sigma$ then adds a variance of $|u| (\Delta + \sigma^2 / \Delta)$, the least
    of which is at $\Delta = \sigma$, the default: the error of the write itself, of the last read after it and of its
    pulses, $\sigma^2 = \sigma_\mathrm{write}^2 + n \sigma_\mathrm{pulse}^2$ for $n = \Delta / \overline{\Delta w}$.

    That an update comes with "a specified probability derived from device writing noise", and most of them not at all,
    is said in the abstract of the paper. The rule, and its least variance, are our reading: its equations could not be
    read.

    The state counts the `writes`, cells that got pulses, of each matrix.

    **Arguments:** as for `analog_sgd`, and

    - `threshold`: $\Delta$, in units of the device; that of the least variance by default. At least one step.
    - `momentum`: $\beta$ of a running mean of the gradient, $m \leftarrow \beta m + (1 - \beta) \nabla L$, that takes
        its place: what averages out is not written. One digital number for each weight, if not zero.
    - `length`: Pulses of a cell in one step, at most.

    Reference: Liu2025.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> optimizer = ms.insitu.eapu(dm.pulsed.idealized(), 0.1, threshold=0.05, key=jr.key(0))
    >>> params = {"weight": jnp.ones((20, 20))}
    >>> updates, state = optimizer.update({"weight": jnp.full((20, 20), 0.1)}, optimizer.init(params), params)
    >>> print(f"{(updates['weight'] != 0).mean():.1f} of the weights are written")
    0.2 of the weights are written
    """
    check_devices(device)
    return transformation(_EaPU(device, threshold, momentum, length), learning_rate, scale, digital, key)


class Written(NamedTuple):
    """An array of cells, how often one of them was written, and the running mean of its gradient, if there is one."""

    array: Cells
    writes: Int[Array, ""]
    mean: Float[Array, "outputs inputs"] | None


class _EaPU(AbstractRule):
    device: AbstractPulsed
    threshold: float | None
    momentum: float
    length: int = eqx.field(static=True)

    def start(self, weight: Float[Array, "outputs inputs"], *, key: Key[Array, ""]) -> Written:
        mean = None if is_zero(self.momentum) else jnp.zeros_like(weight)
        return Written(bare(fabricated(self.device, weight, key=key)), jnp.zeros((), jnp.int32), mean)

    def step(self, state: Written, gradient: Gradient, now: Now, *, key: Key[Array, ""]) -> Written:
        rounding_key, pulse_key = jr.split(key)
        step = self.device.granularity
        threshold = least_variance(self.device) if self.threshold is None else jnp.asarray(self.threshold)
        pulses = jnp.clip(jnp.rint(threshold / step), 1, self.length).astype(jnp.int32)
        mean, downhill = state.mean, dense(gradient)
        if mean is not None:
            downhill = mean = self.momentum * mean + (1.0 - self.momentum) * downhill
        wanted = -now.rate * downhill / (pulses.astype(step.dtype) * step)
        counts = pulses * rounded(wanted, self.length, key=rounding_key)
        counts = jnp.clip(counts, -self.length, self.length)
        array = resumed(state.array, self.device, key=pulse_key).burst(counts, most=self.length, key=pulse_key)
        return Written(bare(array), state.writes + jnp.sum(counts != 0, dtype=jnp.int32), mean)

    def weight(self, state: Written) -> Float[Array, "outputs inputs"]:
        return state.array.shown


def least_variance(device: AbstractPulsed) -> Float[Array, ""]:
    r"""The size of a write that equals its own error: $\Delta^2 = \sigma_\mathrm{write}^2 + \Delta\,\sigma_p^2 / s$.

    $\sigma_p$ is the noise of one pulse of the mean step $s$ at zero.
    """
    steps, step = device.steps, device.granularity
    pulse = steps.noise.deviation(step, jnp.asarray(steps.dw_min, step.dtype), jnp.zeros_like(step))
    write = steps.write_noise * steps.dw_min
    half = pulse**2 / step / 2
    return half + jnp.sqrt(half**2 + jnp.square(write))
