"""An array of fabricated pulsed devices, and the updates it can take."""

import dataclasses
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key, UInt32

from .._checks import Checked, checked, is_known, is_zero, that, whole
from .._checks._quantities import NOT_NEGATIVE
from .._draws import normal
from ._burst import at_once, one_by_one, one_pulse
from ._coincidence import BALANCED, RATE, AbstractScaling, trains
from ._hash import fast_normal, index_of
from ._pulsed import AbstractPulsed, PulsedCells
from ._rows import Sides, by_rows


class PulsedArray(Checked):
    """One fabricated array of pulsed devices, at one moment.

    `hidden` is the state that pulses act on. `shown` is what a read finds: the hidden state less the reference of the
    device, plus write noise, which is drawn anew where a pulse came and stays until the next one.

    Methods return the array after what happened; the array itself does not change.

    >>> import jax.numpy as jnp, jax.random as jr, numpy as np, device_models as dm
    >>> device = dm.pulsed.SoftBounds(dm.pulsed.Steps(0.1))
    >>> array = dm.pulsed.PulsedArray.fabricate(device, (3,), key=jr.key(0))
    >>> print(np.asarray(array.pulse(jnp.array([1, 2, -1]), key=jr.key(1)).shown).round(3))
    [ 0.1   0.19 -0.1 ]
    """

    device: AbstractPulsed
    cells: PulsedCells
    hidden: Float[Array, "*cells"]
    shown: Float[Array, "*cells"]

    @staticmethod
    @checked()
    def fabricate(
        device: AbstractPulsed, weights: Float[Array, "*cells"] | tuple[int, ...], *, key: Key[Array, ""]
    ) -> "PulsedArray":
        """Draws the devices of an array, which show `weights`, or zeros of a shape, as far as their bounds allow."""
        shape = weights if isinstance(weights, tuple) else weights.shape
        cells = device.fabricate(shape, key=key)
        wanted = jnp.zeros(shape) if isinstance(weights, tuple) else weights
        hidden = jnp.clip(wanted + cells.reference, cells.w_min, cells.w_max)
        return PulsedArray(device, cells, hidden, hidden - cells.reference)

    @checked()
    def pulse(self, counts: Int[Array, "*cells"], *, key: Key[Array, ""]) -> "PulsedArray":
        """Sends each cell its number of pulses, one after another: up where positive, down where negative.

        Takes time in proportion to the largest number.
        """
        pulse_key, write_key = jr.split(key)
        hidden = one_by_one(self.device, self.cells, self.hidden, counts, key=pulse_key)
        return self._after(hidden, counts != 0, write_key)

    @checked(most=whole(1))
    def burst(self, counts: Int[Array, "*cells"], *, most: int, key: Key[Array, ""]) -> "PulsedArray":
        """As `pulse`, for numbers of at most `most`, all at once.

        Without noise it is exact where the step is constant or linear in the weight, and of second order in the
        relative change of the step during the burst elsewhere. Noise is of the right variance to first order, is
        clipped once and not at every pulse, and comes from a fast hash instead of JAX's generator.
        """
        check_most(counts, most)
        return self.burst_at(counts, most, index_of(counts.shape), key=key)

    def burst_at(
        self, counts: Int[Array, "*cells"], most: int, index: UInt32[Array, "*cells"], *, key: Key[Array, ""]
    ) -> "PulsedArray":
        """`burst` on cells that have these numbers in a larger array."""
        pulse_key, write_key = jr.split(key)
        hidden = at_once(self.device, self.cells, self.hidden, counts, most, key=pulse_key, index=index)
        return self._after(hidden, counts != 0, write_key, index)

    @checked(directions=that("+1 or -1 each", lambda x: np.abs(x) == 1))
    def staircase(
        self, directions: Int[Array, " pulses"], *, key: Key[Array, ""]
    ) -> tuple["PulsedArray", Float[Array, "pulses *cells"]]:
        """Sends every cell the same pulses, +1 up and -1 down; returns also what a read finds after each."""

        def body(carry, pulse):
            direction, key = pulse
            array = dataclasses.replace(self, hidden=carry[0], shown=carry[1])
            pulse_key, write_key = jr.split(key)
            up = jnp.broadcast_to(direction > 0, array.hidden.shape)
            hidden = one_pulse(self.device, self.cells, array.hidden, up, key=pulse_key)
            array = array._after(hidden, jnp.ones_like(up), write_key)
            return (array.hidden, array.shown), array.shown

        keys = jr.split(key, directions.shape[0])
        (hidden, shown), history = jax.lax.scan(body, (self.hidden, self.shown), (directions, keys))
        return dataclasses.replace(self, hidden=hidden, shown=shown), history

    @checked(learning_rate=RATE, length=whole(1))
    def update(
        self,
        x: Float[Array, "*batch columns"],
        d: Float[Array, "*batch rows"],
        learning_rate: float | Float[Array, ""],
        *,
        length: int = 31,
        scaling: AbstractScaling = BALANCED,
        key: Key[Array, ""],
    ) -> "PulsedArray":
        """Adds `learning_rate * outer(d, x)` on average, by stochastic coincidence of pulse trains.

        The weights have one row for each output and one column for each input: to descend, pass the *negative*
        gradient of the loss with respect to the outputs as `d`. With a batch axis, samples are applied one after the
        other. On average means: where a step is the device's `granularity`, as at zero, and where no probability is
        clipped, so that an update is not larger than `length` steps.

        **Arguments:**

        - `x`, `d`: Inputs of the columns, and what drives the rows.
        - `learning_rate`: Not negative.
        - `length`: Pulses of a train.
        - `scaling`: How the learning rate is divided between rows and columns.

        Reference: Gokmen2016.
        """
        strength = update_strength(self.hidden, self.device, x, d, learning_rate)

        def one(array: PulsedArray, x, d, key) -> PulsedArray:
            count_key, pulse_key = jr.split(key)
            sent = trains(x, d, strength, length=length, scaling=scaling, key=count_key)

            def burst(sides: Sides, counts, index) -> Sides:
                return (sides[0].burst_at(counts, length, index, key=pulse_key),)

            return by_rows(burst, (array,), sent)[0]

        return sample_by_sample(one, self, x, d, key=key)

    @checked(batches=NOT_NEGATIVE)
    def decay(self, batches: float | Float[Array, ""] = 1.0) -> "PulsedArray":
        """Lets the weights leak for the time of some mini-batches; the same array where devices do not leak."""
        leak = self.device.upkeep.leak
        if leak is None or self.cells.lifetime is None:
            return self
        left = jnp.exp(batches * jnp.log1p(-1.0 / self.cells.lifetime))
        change = (leak.towards - self.hidden) * (1.0 - left)
        return dataclasses.replace(self, hidden=self.hidden + change, shown=self.shown + change)

    @checked()
    def reset(self, where: Bool[Array, "*cells"], *, key: Key[Array, ""]) -> "PulsedArray":
        """Resets those cells to what `device.upkeep.reset` leaves."""
        reset_key, write_key = jr.split(key)
        found = self.cells.reset + self.device.upkeep.reset.std * normal(reset_key, where.shape, self.hidden.dtype)
        hidden = jnp.where(where, jnp.clip(found, self.cells.w_min, self.cells.w_max), self.hidden)
        return self._after(hidden, where, write_key)

    def _after(
        self,
        hidden: Float[Array, "*cells"],
        touched: Bool[Array, "*cells"],
        key: Key[Array, ""],
        index: UInt32[Array, "*cells"] | None = None,
    ) -> "PulsedArray":
        """The array with this hidden state, after pulses on the cells `touched`."""
        steps, found = self.device.steps, hidden - self.cells.reference
        if not is_zero(steps.write_noise):
            noise = fast_normal(index_of(hidden.shape) if index is None else index, key=key).astype(hidden.dtype)
            found = found + steps.write_noise * steps.dw_min * noise
        return dataclasses.replace(self, hidden=hidden, shown=jnp.where(touched, found, self.shown))


def check_most(counts: Int[Array, "*cells"], most: int) -> None:
    """Raises `ValueError` for known numbers of pulses beyond `most`, of which only the lowest bits would count."""
    if is_known(counts) and np.size(counts) and (largest := int(np.abs(np.asarray(counts)).max())) > most:
        raise ValueError(f"`counts` must be within -`most` and `most`. Got up to {largest} for most={most}. Raise it.")


def update_strength(
    weights: Float[Array, "*cells"],
    device: AbstractPulsed,
    x: Float[Array, "*batch columns"],
    d: Float[Array, "*batch rows"],
    learning_rate: float | Float[Array, ""],
) -> Float[Array, ""]:
    """The learning rate in steps of the device. Raises `ValueError` for an update that does not fit the `weights`."""
    if (*d.shape[-1:], *x.shape[-1:]) != weights.shape or x.shape[:-1] != d.shape[:-1] or x.ndim > 2:
        raise ValueError(
            "`x` and `d` must have as many entries as the array has columns and rows, and the same batch axis, or "
            f"none. Got x {x.shape} and d {d.shape} for an array of {weights.shape}."
        )
    return jnp.asarray(learning_rate, weights.dtype) / device.granularity.astype(weights.dtype)


def sample_by_sample(one: Callable[..., Any], array: Any, x: Array, d: Array, *, key: Key[Array, ""]) -> Any:
    """`one(array, x, d, key)` for one sample, or for all samples of a batch one after the other."""
    if x.ndim == 1:
        return one(array, x, d, key)
    moving, still = eqx.partition(array, eqx.is_array)

    def body(moving, sample):
        return eqx.filter(one(eqx.combine(moving, still), *sample), eqx.is_array), None

    moving, _ = jax.lax.scan(body, moving, (x, d, jr.split(key, x.shape[0])))
    return eqx.combine(moving, still)
