"""How a fast array is read into a slow one: which columns when, through what, and what a buffer does in between."""

from collections.abc import Callable
from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key

from device_models.pulsed import AbstractPulsed

from .._checks import Checked, check, fraction, positive
from ._cells import whole
from ._periphery import Periphery
from ._transform import COUNT, DEVICE, Now

State = TypeVar("State")


class Buffer(Checked):
    r"""Digital numbers between two arrays, one for each weight: what is read adds up until it is worth pulses.

    Where $|H| \geq \theta$ the slow array gets $n = \mathrm{trunc}(H / \theta)$ pulses, at most as many as a transfer
    may send, and $H \leftarrow H - (1 - m)\,n\,\theta$, or $H \leftarrow m H$ if it forgets.

    **Arguments:**

    - `threshold`: $\theta$, in steps of the slow device.
    - `momentum`: $m$, the share of what was sent that stays.
    - `forgets`: Whether what exceeds the pulses sent is dropped, as is the default of aihwkit.
    - `crossing`: `None`, or a number of products, such as 1000, in which a weight may be expected to cross the
        threshold: $\theta$ is then multiplied by it, and divided by the products from one read of a column to the next.

    Reference: Gokmen2021; momentum, forgetting and crossing as coded in aihwkit.

    >>> import memsim as ms
    >>> buffer = ms.insitu.Buffer(threshold=2.0, momentum=0.1)
    >>> ms.insitu.Transfer(buffer=buffer).buffer.threshold
    2.0
    """

    threshold: float = 1.0
    momentum: float = 0.0
    forgets: bool = eqx.field(static=True, default=False)
    crossing: float | None = None

    def __check_init__(self):
        check(
            self,
            threshold=positive("in steps of the slow device"),
            momentum=fraction(),
            crossing=positive("in products of the array"),
        )

    def released(
        self,
        held: Float[Array, "outputs inputs"],
        step: Float[Array, ""],
        period: float,
        most: int,
    ) -> tuple[Int[Array, "outputs inputs"], Float[Array, "outputs inputs"]]:
        """The pulses that a buffer gives out, and what stays in it, for a `step` of the slow device."""
        threshold = self.threshold * step * (1.0 if self.crossing is None else self.crossing / period)
        pulses = whole(held / threshold, most)
        if self.forgets:
            return pulses, jnp.where(pulses != 0, self.momentum * held, held)
        return pulses, held - (1.0 - self.momentum) * pulses.astype(held.dtype) * threshold


class Transfer(Checked):
    """What `tiki_taka`, `tiki_taka_v2` and `agad` have in common: how the fast array is read into the slow one.

    **Arguments:**

    - `rate`: Share of what is read that goes to the slow array.
    - `every`: Steps from one transfer to the next.
    - `columns`: Columns of a transfer, in turn; `None` is all.
    - `slow`: The cells of the slow array; those of the fast one by default.
    - `coupled`: Whether the rate is multiplied by the learning rate of the step, as a schedule gives it. The default of
        aihwkit, where the share is then that product.
    - `read`: What stands between the fast array and the transfer, in units of its device; `None` reads exactly.
    - `length`: Pulses of a slow cell in one transfer, at most.
    - `buffer`: What is between the arrays of `tiki_taka_v2` and `agad`: `Buffer()` by default. `tiki_taka` has none.

    Reference: Gokmen2020.

    >>> import memsim as ms
    >>> transfer = ms.insitu.Transfer(rate=0.2, every=2, columns=None)
    >>> transfer.length, transfer.columns
    (31, None)
    """

    rate: float = 0.1
    every: int = eqx.field(static=True, default=1)
    columns: int | None = eqx.field(static=True, default=1)
    slow: AbstractPulsed | None = None
    coupled: bool = eqx.field(static=True, default=False)
    read: Periphery | None = None
    length: int = eqx.field(static=True, default=31)
    buffer: Buffer | None = None

    def __check_init__(self):
        check(self, rate=positive(), every=COUNT, columns=COUNT, slow=DEVICE, length=COUNT)

    def when_due(self, now: Now, transferred: Callable[[State], State], state: State) -> State:
        """`transferred(state)` in a step that is due, and `state` otherwise."""
        if self.every == 1:
            return transferred(state)
        return jax.lax.cond((now.count + 1) % self.every == 0, transferred, lambda state: state, state)

    def mask(self, now: Now, inputs: int) -> Bool[Array, " inputs"]:
        """The columns whose turn it is, in a step that is due."""
        if self.columns is None or self.columns >= inputs:
            return jnp.ones(inputs, bool)
        first = now.count // self.every * self.columns % inputs
        return (jnp.arange(inputs) - first) % inputs < self.columns

    def period(self, inputs: int) -> float:
        """Steps from one read of a column to the next."""
        return self.every * inputs / min(self.columns or inputs, inputs)

    def share(self, now: Now) -> float | Float[Array, ""]:
        """Of what is read, in this step."""
        return self.rate * now.learning_rate if self.coupled else self.rate

    def found(self, shown: Float[Array, "outputs inputs"], *, key: Key[Array, ""]) -> Float[Array, "outputs inputs"]:
        """What a read of every column by itself finds of what an array shows."""
        if self.read is None:
            return shown
        one_hot = jnp.eye(shown.shape[1], dtype=shown.dtype)
        return self.read.product(one_hot, shown, jnp.ones(()), key=key).T


def buffer_of(transfer: Transfer) -> Buffer:
    """That of an algorithm which has one."""
    return Buffer() if transfer.buffer is None else transfer.buffer


TRANSFER = Transfer()
