"""Two arrays whose inputs change sign now and then, so that no reference need be known."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Bool, Float, Int, Key

from device_models.pulsed import AbstractPulsed

from .._checks import Checked, check, checked, fraction
from ._cells import TRAINS, Cells, Trains, bare, descended, fabricated, resumed, with_device
from ._tiki_taka import COMMON, chopped
from ._transfer import TRANSFER, Buffer, Transfer, buffer_of
from ._transform import COUNT, AbstractRule, Gradient, Now, Rate, check_devices, transformation


class Chopper(Checked):
    r"""How `agad` changes the signs of inputs, and what it remembers of its reads.

    **Arguments:**

    - `period`: Reads of a column between two changes of its sign.
    - `smoothing`: $\beta$ of the running mean of its reads.

    Reference: Rasch2024.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> chopper = ms.insitu.Chopper(period=5)
    >>> optimizer = ms.insitu.agad(dm.pulsed.reram_sb_gong2018(), 0.1, chopper=chopper, key=jr.key(0))
    >>> list(optimizer.init({"weight": jnp.ones((2, 3))}).arrays)
    ["['weight']"]
    """

    period: int = eqx.field(static=True, default=10)
    smoothing: float = 0.3

    def __check_init__(self):
        check(self, period=COUNT, smoothing=fraction(zero=False))


CHOPPER = Chopper()


@checked(**COMMON)
def agad(
    device: AbstractPulsed,
    learning_rate: Rate,
    *,
    transfer: Transfer = TRANSFER,
    chopper: Chopper = CHOPPER,
    trains: Trains = TRAINS,
    scale: float | None = None,
    digital: optax.GradientTransformation | None = None,
    key: Key[Array, ""],
) -> optax.GradientTransformation:
    r"""Tiki-Taka with choppers: "analog gradient accumulation with dynamic reference".

    Each column $k$ of the fast array has a sign $c_k$ that its inputs are multiplied with, $A \leftarrow A -
    \eta\,\delta (c \circ x)^T$, and which changes after every period of reads of the column. A read $\omega = A_k$
    updates a running mean, $\mu_k \leftarrow (1 - \beta) \mu_k + \beta \omega$, and the buffer, $H_k \leftarrow H_k +
    \lambda c_k (\omega - P_k)$, where $P_k$ is the mean at the end of the period before, of the other sign. Whatever
    offset the devices have is in both and falls out of the difference; no symmetry point is measured or stored.
    From buffer to slow array, which is all that the network reads, as in `tiki_taka_v2`; until a column has completed
    its first period nothing goes to its buffer.

    **Arguments:** as for `tiki_taka_v2`, but for `fast`, and

    - `chopper`: The period, and $\beta$.

    The equations are recalled from the paper; that the mean of the last period is the reference of this one, with
    regular periods, was read in the documentation of aihwkit. Reference: Rasch2024.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> optimizer = ms.insitu.agad(dm.pulsed.reram_sb_gong2018(), 0.1, key=jr.key(0))
    >>> params = {"weight": jnp.ones((2, 3)), "bias": jnp.zeros(2)}
    >>> state = optimizer.init(params)
    >>> list(state.arrays)
    ["['weight']"]
    """
    rule = _AGAD(device, transfer, buffer_of(transfer), chopper, trains)
    check_devices(device, rule.slow)
    return transformation(rule, learning_rate, scale, digital, key)


class ChoppedArrays(NamedTuple):
    """A fast and a slow array, the buffer between them, and what is known of each column of the fast one.

    `sign` is that of the chopper, `reads` how often a column was read, `mean` the running mean of its reads and `past`
    that at the last change of sign.
    """

    fast: Cells
    slow: Cells
    buffer: Float[Array, "outputs inputs"]
    mean: Float[Array, "outputs inputs"]
    past: Float[Array, "outputs inputs"]
    sign: Float[Array, " inputs"]
    reads: Int[Array, " inputs"]


class _AGAD(AbstractRule):
    fast: AbstractPulsed
    transfer: Transfer
    buffer: Buffer
    chopper: Chopper
    trains: Trains = eqx.field(static=True)

    @property
    def slow(self) -> AbstractPulsed:
        return self.fast if self.transfer.slow is None else self.transfer.slow

    def start(self, weight: Float[Array, "outputs inputs"], *, key: Key[Array, ""]) -> ChoppedArrays:
        fast_key, slow_key = jr.split(key)
        zeros, ones = jnp.zeros_like(weight), jnp.ones_like(weight[0])
        fast = fabricated(self.fast, zeros, key=fast_key)
        slow = fabricated(self.slow, weight, key=slow_key)
        reads = jnp.zeros(weight.shape[1], jnp.int32)
        return ChoppedArrays(bare(fast), bare(slow), zeros, fast.shown, fast.shown, ones, reads)

    def step(self, state: ChoppedArrays, gradient: Gradient, now: Now, *, key: Key[Array, ""]) -> ChoppedArrays:
        fast_key, transfer_key = jr.split(key)
        fast = resumed(state.fast, self.fast, key=fast_key)
        fast = descended(fast, chopped(gradient, state.sign), now.rate, self.trains, key=fast_key)
        slow = resumed(state.slow, self.slow, key=transfer_key)
        state = state._replace(fast=bare(fast), slow=bare(slow))
        return self.transfer.when_due(now, lambda state: self._transferred(state, now, transfer_key), state)

    def _transferred(self, state: ChoppedArrays, now: Now, key: Key[Array, ""]) -> ChoppedArrays:
        read_key, key = jr.split(key)
        inputs, most = state.sign.shape[0], self.transfer.length
        read = self.transfer.mask(now, inputs)
        found = self.transfer.found(state.fast.shown, key=read_key)
        mean = _where(read, (1 - self.chopper.smoothing) * state.mean + self.chopper.smoothing * found, state.mean)
        known = read & (state.reads >= self.chopper.period)
        change = self.transfer.share(now) * state.sign[None, :] * (found - state.past)
        buffer = _where(known, state.buffer + change, state.buffer)
        pulses, buffer = self.buffer.released(buffer, self.slow.granularity, self.transfer.period(inputs), most)
        slow = with_device(state.slow, self.slow).burst(pulses, most=most, key=key)
        reads = state.reads + read.astype(jnp.int32)
        turning = read & (reads % self.chopper.period == 0)
        return ChoppedArrays(
            state.fast,
            bare(slow),
            buffer,
            mean,
            _where(turning, mean, state.past),
            jnp.where(turning, -state.sign, state.sign),
            reads,
        )

    def weight(self, state: ChoppedArrays) -> Float[Array, "outputs inputs"]:
        return state.slow.shown


def _where(
    columns: Bool[Array, " inputs"], then: Float[Array, "outputs inputs"], otherwise: Float[Array, "outputs inputs"]
) -> Float[Array, "outputs inputs"]:
    return jnp.where(columns[None, :], then, otherwise)
