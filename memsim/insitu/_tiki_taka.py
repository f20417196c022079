"""A fast array that collects gradients, and a slow one that it is read into, column by column."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Float, Int, Key

from device_models._draws import normal
from device_models.pulsed import AbstractPulsed

from .._checks import Checked, at_least, check, checked
from ._cells import (
    TRAINS,
    Cells,
    Trains,
    balanced,
    bare,
    descended,
    fabricated,
    resumed,
    rounded,
    warn_without_symmetry,
    with_device,
)
from ._outer import OuterProduct
from ._transfer import TRANSFER, Buffer, Transfer, buffer_of
from ._transform import COUNT, DEVICE, RATE, SCALE, AbstractRule, Gradient, Now, Rate, check_devices, transformation

COMMON = {"device": DEVICE, "learning_rate": RATE, "scale": SCALE}


class Fast(Checked):
    """What `tiki_taka` and `tiki_taka_v2` do with their fast array beside reading it into the slow one.

    **Arguments:**

    - `gamma`: Share of the fast array in what the network reads.
    - `reference_std`: Standard deviation with which its reference $A^*$ is known, in units of the device.
    - `period`: Reads of a column between two changes of the sign ("chopper") that its inputs, and then what is read,
        are multiplied with: an error of $A^*$ cancels over two periods. `None` is no chopper.

    Reference: Gokmen2020; of the chopper, Rasch2024.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> fast = ms.insitu.Fast(reference_std=0.02, period=10)
    >>> optimizer = ms.insitu.tiki_taka_v2(dm.pulsed.reram_sb_gong2018(), 0.1, fast=fast, key=jr.key(0))
    >>> list(optimizer.init({"weight": jnp.ones((2, 3))}).arrays)
    ["['weight']"]
    """

    gamma: float = 0.0
    reference_std: float = 0.0
    period: int | None = eqx.field(static=True, default=None)

    def __check_init__(self):
        check(self, gamma=at_least(0.0), reference_std=at_least(0.0, "in units of the device"), period=COUNT)


FAST = Fast()


@checked(**COMMON)
def tiki_taka(
    device: AbstractPulsed,
    learning_rate: Rate,
    *,
    transfer: Transfer = TRANSFER,
    fast: Fast = FAST,
    trains: Trains = TRAINS,
    scale: float | None = None,
    digital: optax.GradientTransformation | None = None,
    key: Key[Array, ""],
) -> optax.GradientTransformation:
    r"""Two arrays a matrix: gradients go to a fast one, $A$, which is read into a slow one, $C$, now and then.

    $A \leftarrow A - \eta\,\delta x^T$ by coincidence, and every few steps, for the next columns $k$ in turn, $C_k
    \leftarrow C_k + \lambda (A_k - A^*_k)$ by pulses, rounded at random to a whole number. The network reads $\gamma (A
    - A^*) + C$. $A^*$ is the symmetry point of each device of $A$, which a reference array holds: there its steps up
    and down are equal, so without a gradient $A$ stays and nothing is transferred, and the asymmetry of the devices
    biases nothing. A pair of one-sided devices has it at zero. Cells of constant steps have none between their bounds:
    they start at zero with their reference there, with a warning.

    **Arguments:** as for `analog_sgd`, and

    - `device`, `learning_rate`: Of the fast array.
    - `transfer`: How it is read into the slow one; $\lambda$ is its `rate`.
    - `fast`: $\gamma$, how well $A^*$ is known, and a chopper.

    Raises `ValueError` for a transfer with a buffer.

    Reference: Gokmen2020.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> optimizer = ms.insitu.tiki_taka(dm.pulsed.reram_sb_gong2018(), 0.1, key=jr.key(0))
    >>> list(optimizer.init({"weight": jnp.ones((2, 3)), "bias": jnp.zeros(2)}).arrays)
    ["['weight']"]
    """
    if transfer.buffer is not None:
        raise ValueError(
            f"`transfer` must have no buffer, as `tiki_taka` has none. Got {transfer.buffer}. Use `tiki_taka_v2`."
        )
    rule = _TikiTaka(device, transfer, None, fast, trains)
    return _transformation(rule, learning_rate, scale, digital, key)


@checked(**COMMON)
def tiki_taka_v2(
    device: AbstractPulsed,
    learning_rate: Rate,
    *,
    transfer: Transfer = TRANSFER,
    fast: Fast = FAST,
    trains: Trains = TRAINS,
    scale: float | None = None,
    digital: optax.GradientTransformation | None = None,
    key: Key[Array, ""],
) -> optax.GradientTransformation:
    r"""As `tiki_taka`, with a digital buffer between the arrays.

    What is read is added up, $H_k \leftarrow H_k + \lambda (A_k - A^*_k)$, and sent when it is worth pulses of the slow
    array. The buffer averages the noise of the fast array before the slow one feels it. With a `period` of the fast
    array this is the chopped transfer of Rasch2024.

    **Arguments:** as for `tiki_taka`; the `buffer` of `transfer` says when it sends, and what then stays in it.

    Reference: Gokmen2021.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> transfer = ms.insitu.Transfer(rate=0.5, buffer=ms.insitu.Buffer(momentum=0.1))
    >>> optimizer = ms.insitu.tiki_taka_v2(dm.pulsed.reram_sb_gong2018(), 0.1, transfer=transfer, key=jr.key(0))
    >>> list(optimizer.init({"weight": jnp.ones((2, 3))}).scales)
    ["['weight']"]
    """
    rule = _TikiTaka(device, transfer, buffer_of(transfer), fast, trains)
    return _transformation(rule, learning_rate, scale, digital, key)


class TwoArrays(NamedTuple):
    """A fast array with its reference, a slow one, the buffer between them, and how often each column was read.

    All in units of their devices; `None` is what an algorithm does not have.
    """

    fast: Cells
    reference: Float[Array, "outputs inputs"]
    slow: Cells
    buffer: Float[Array, "outputs inputs"] | None
    reads: Int[Array, " inputs"] | None


class _TikiTaka(AbstractRule):
    device: AbstractPulsed
    transfer: Transfer
    buffer: Buffer | None
    fast: Fast
    trains: Trains = eqx.field(static=True)

    @property
    def slow(self) -> AbstractPulsed:
        return self.device if self.transfer.slow is None else self.transfer.slow

    def start(self, weight: Float[Array, "outputs inputs"], *, key: Key[Array, ""]) -> TwoArrays:
        fast_key, slow_key, reference_key = jr.split(key, 3)
        fast, shown = balanced(fabricated(self.device, jnp.zeros_like(weight), key=fast_key))
        error = self.fast.reference_std * normal(reference_key, weight.shape, weight.dtype)
        slow = fabricated(self.slow, weight, key=slow_key)
        buffer = None if self.buffer is None else jnp.zeros_like(weight)
        reads = None if self.fast.period is None else jnp.zeros(weight.shape[1], jnp.int32)
        return TwoArrays(bare(fast), shown + error, bare(slow), buffer, reads)

    def step(self, state: TwoArrays, gradient: Gradient, now: Now, *, key: Key[Array, ""]) -> TwoArrays:
        fast_key, transfer_key = jr.split(key)
        fast = resumed(state.fast, self.device, key=fast_key)
        fast = descended(fast, chopped(gradient, self.sign(state)), now.rate, self.trains, key=fast_key)
        slow = resumed(state.slow, self.slow, key=transfer_key)
        state = state._replace(fast=bare(fast), slow=bare(slow))
        return self.transfer.when_due(now, lambda state: self._transferred(state, now, transfer_key), state)

    def sign(self, state: TwoArrays) -> Float[Array, " inputs"] | None:
        """Of the chopper of each column."""
        if state.reads is None or self.fast.period is None:
            return None
        return jnp.where(state.reads // self.fast.period % 2 == 0, 1.0, -1.0)

    def _transferred(self, state: TwoArrays, now: Now, key: Key[Array, ""]) -> TwoArrays:
        rounding_key, pulse_key, read_key = jr.split(key, 3)
        sign, inputs = self.sign(state), state.reference.shape[1]
        mask = self.transfer.mask(now, inputs)
        found = self.transfer.found(state.fast.shown - state.reference, key=read_key)
        found = found if sign is None else found * sign[None, :]
        read = jnp.where(mask[None, :], self.transfer.share(now) * found, 0.0)
        step, most = self.slow.granularity, self.transfer.length
        if state.buffer is None or self.buffer is None:
            pulses, buffer = rounded(read / step, most, key=rounding_key), None
        else:
            pulses, buffer = self.buffer.released(state.buffer + read, step, self.transfer.period(inputs), most)
        slow = with_device(state.slow, self.slow).burst(pulses, most=most, key=pulse_key)
        reads = None if state.reads is None else state.reads + mask.astype(jnp.int32)
        return TwoArrays(state.fast, state.reference, bare(slow), buffer, reads)

    def weight(self, state: TwoArrays) -> Float[Array, "outputs inputs"]:
        gamma = self.fast.gamma
        if not isinstance(gamma, float) or gamma > 0:
            sign = self.sign(state)
            fast = state.fast.shown - state.reference
            return gamma * (fast if sign is None else fast * sign[None, :]) + state.slow.shown
        return state.slow.shown


def chopped(gradient: Gradient, sign: Float[Array, " inputs"] | None) -> Gradient:
    """The gradient by inputs of these signs."""
    if sign is None:
        return gradient
    if isinstance(gradient, OuterProduct):
        return OuterProduct(gradient.inputs * sign[None, :], gradient.errors)
    return gradient * sign[None, :]


def _transformation(rule: _TikiTaka, learning_rate, scale, digital, key) -> optax.GradientTransformation:
    check_devices(rule.device, rule.slow)
    warn_without_symmetry(rule.device)
    return transformation(rule, learning_rate, scale, digital, key)
