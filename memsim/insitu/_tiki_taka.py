"""A fast array that collects gradients, and a slow one that it is read into, column by column."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Bool, Float, Int, Key

from device_models import AbstractPulsed

from .._checks import at_least, checked, positive
from ._cells import Cells, balanced, bare, descended, fabricated, resumed, rounded, whole, with_device
from ._transform import COUNT, DEVICE, RATE, SCALE, AbstractRule, Gradient, Rate, check_devices, transformation

State = TypeVar("State")
TRANSFER = {
    "device": DEVICE,
    "slow": DEVICE,
    "learning_rate": RATE,
    "length": COUNT,
    "scale": SCALE,
    "transfer_rate": positive(),
    "transfer_every": COUNT,
    "columns": COUNT,
}
THRESHOLD = positive("in nominal steps of the slow device")
RULES = {**TRANSFER, "gamma": at_least(0.0), "reference_std": at_least(0.0, "in units of the device")}


@checked(**RULES)
def tiki_taka(
    device: AbstractPulsed,
    learning_rate: Rate,
    *,
    slow: AbstractPulsed | None = None,
    gamma: float = 0.0,
    transfer_rate: float = 0.1,
    transfer_every: int = 1,
    columns: int | None = 1,
    reference_std: float = 0.0,
    length: int = 31,
    scale: float | None = None,
    digital: optax.GradientTransformation | None = None,
    key: Key[Array, ""],
) -> optax.GradientTransformation:
    r"""Two arrays a matrix: gradients go to a fast one, $A$, which is read into a slow one, $C$, now and then.

    $A \leftarrow A - \eta\,\delta x^T$ by coincidence, and every few steps, for the next columns $k$ in turn, $C_k
    \leftarrow C_k + \lambda (A_k - A^*_k)$ by pulses, rounded at random to a whole number. The network reads $\gamma (A
    - A^*) + C$. $A^*$ is the symmetry point of each device of $A$, which a reference array holds: there its steps up
    and down are equal, so without a gradient $A$ stays and nothing is transferred, and the asymmetry of the devices
    biases nothing. A pair of one-sided devices has it at zero.

    **Arguments:** as for `analog_sgd`, and

    - `device`, `learning_rate`: Of the fast array.
    - `slow`: The cells of the slow array; `device` by default.
    - `gamma`: Share of the fast array in what the network reads.
    - `transfer_rate`: $\lambda$.
    - `transfer_every`: Steps from one transfer to the next.
    - `columns`: Columns of a transfer; `None` is all.
    - `reference_std`: Standard deviation with which $A^*$ is known, in units of the device.

    Reference: Gokmen2020.
    """
    slow = device if slow is None else slow
    check_devices(device, slow)
    rule = _TikiTaka(device, slow, Turns(transfer_every, columns), gamma, transfer_rate, reference_std, None, length)
    return transformation(rule, learning_rate, scale, digital, key)


@checked(**RULES, threshold=THRESHOLD)
def tiki_taka_v2(
    device: AbstractPulsed,
    learning_rate: Rate,
    *,
    slow: AbstractPulsed | None = None,
    gamma: float = 0.0,
    transfer_rate: float = 0.1,
    transfer_every: int = 1,
    columns: int | None = 1,
    threshold: float = 1.0,
    reference_std: float = 0.0,
    length: int = 31,
    scale: float | None = None,
    digital: optax.GradientTransformation | None = None,
    key: Key[Array, ""],
) -> optax.GradientTransformation:
    r"""As `tiki_taka`, with a digital buffer between the arrays.

    What is read is added up, $H_k \leftarrow H_k + \lambda (A_k - A^*_k)$, and where $|H| \geq \theta$ the slow array
    gets $n = \mathrm{trunc}(H / \theta)$ pulses and $H$ loses $n \theta$. The buffer averages the noise of the fast
    array before the slow one feels it.

    **Arguments:** as for `tiki_taka`, and

    - `threshold`: $\theta$, in nominal steps of the slow device.

    Reference: Gokmen2021.
    """
    slow = device if slow is None else slow
    check_devices(device, slow)
    rule = _TikiTaka(
        device, slow, Turns(transfer_every, columns), gamma, transfer_rate, reference_std, threshold, length
    )
    return transformation(rule, learning_rate, scale, digital, key)


class Turns(eqx.Module):
    """Which columns are read into the slow array in a step: `columns` of them in turn, `every` so many steps."""

    every: int = eqx.field(static=True)
    columns: int | None = eqx.field(static=True)

    def when_due(self, count: Int[Array, ""], transferred: Callable[[State], State], state: State) -> State:
        """`transferred(state)` in a step that is due, and `state` otherwise."""
        if self.every == 1:
            return transferred(state)
        return jax.lax.cond((count + 1) % self.every == 0, transferred, lambda state: state, state)

    def mask(self, count: Int[Array, ""], inputs: int) -> Bool[Array, " inputs"]:
        """The columns whose turn it is, in a step that is due."""
        if self.columns is None or self.columns >= inputs:
            return jnp.ones(inputs, bool)
        first = count // self.every * self.columns % inputs
        return (jnp.arange(inputs) - first) % inputs < self.columns


class TwoArrays(NamedTuple):
    """A fast array with its reference, a slow one, and the buffer between them, if there is one.

    All in units of their devices.
    """

    fast: Cells
    reference: Float[Array, "outputs inputs"]
    slow: Cells
    buffer: Float[Array, "outputs inputs"] | None


class _TikiTaka(AbstractRule):
    fast: AbstractPulsed
    slow: AbstractPulsed
    turns: Turns
    gamma: float
    transfer_rate: float
    reference_std: float
    threshold: float | None
    length: int = eqx.field(static=True)

    def start(self, weight: Float[Array, "outputs inputs"], *, key: Key[Array, ""]) -> TwoArrays:
        fast_key, slow_key, reference_key = jr.split(key, 3)
        fast, shown = balanced(fabricated(self.fast, jnp.zeros_like(weight), key=fast_key))
        error = self.reference_std * jr.normal(reference_key, weight.shape, weight.dtype)
        slow = fabricated(self.slow, weight, key=slow_key)
        return TwoArrays(
            bare(fast), shown + error, bare(slow), None if self.threshold is None else jnp.zeros_like(weight)
        )

    def step(
        self,
        state: TwoArrays,
        gradient: Gradient,
        rate: Float[Array, ""],
        count: Int[Array, ""],
        *,
        key: Key[Array, ""],
    ) -> TwoArrays:
        fast_key, transfer_key = jr.split(key)
        fast = resumed(state.fast, self.fast, key=fast_key)
        fast = descended(fast, gradient, rate, self.length, key=fast_key)
        slow = resumed(state.slow, self.slow, key=transfer_key)
        state = TwoArrays(bare(fast), state.reference, bare(slow), state.buffer)
        return self.turns.when_due(count, lambda state: self._transferred(state, count, transfer_key), state)

    def _transferred(self, state: TwoArrays, count: Int[Array, ""], key: Key[Array, ""]) -> TwoArrays:
        rounding_key, pulse_key = jr.split(key)
        mask = self.turns.mask(count, state.reference.shape[1])
        read = jnp.where(mask[None, :], self.transfer_rate * (state.fast.shown - state.reference), 0.0)
        if state.buffer is None or self.threshold is None:
            pulses, buffer = rounded(read / self.slow.dw_min, self.length, key=rounding_key), None
        else:
            pulses, buffer = released(state.buffer + read, self.threshold * self.slow.dw_min, self.length)
        slow = with_device(state.slow, self.slow).burst(pulses, most=self.length, key=pulse_key)
        return TwoArrays(state.fast, state.reference, bare(slow), buffer)

    def weight(self, state: TwoArrays) -> Float[Array, "outputs inputs"]:
        return self.gamma * (state.fast.shown - state.reference) + state.slow.shown


def released(
    buffer: Float[Array, "outputs inputs"], threshold: Any, length: int
) -> tuple[Int[Array, "outputs inputs"], Float[Array, "outputs inputs"]]:
    """The pulses that a buffer gives out, and what stays in it."""
    pulses = whole(buffer / threshold, length)
    return pulses, buffer - pulses.astype(buffer.dtype) * threshold
