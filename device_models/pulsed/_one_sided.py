"""Signed weights of two devices that pulses only raise, refreshed before they saturate."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, Int, Key

from .._checks import Checked, checked, fraction, is_known, whole
from .._checks._quantities import NOT_NEGATIVE
from ._array import PulsedArray, sample_by_sample, update_strength
from ._coincidence import BALANCED, RATE, AbstractScaling, trains
from ._pulsed import AbstractPulsed
from ._rows import Sides, by_rows


class OneSidedPair(Checked):
    """Two arrays of one kind of device; a weight is the difference of what they show.

    Pulses up go to `plus`, pulses down to `minus`, and raise either. Both fill up, so now and then `refresh` resets
    pairs and writes their weights anew.

    Reference: Nandakumar2020.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.pulsed.pcm_onesided_nandakumar2020()
    >>> pair = dm.pulsed.OneSidedPair.fabricate(device, (2,), key=jr.key(0))
    >>> print(jnp.sign(pair.pulse(jnp.array([5, -5]), key=jr.key(1)).shown))
    [ 1. -1.]
    """

    plus: PulsedArray
    minus: PulsedArray

    @staticmethod
    @checked()
    def fabricate(
        device: AbstractPulsed, weights: Float[Array, "*cells"] | tuple[int, ...], *, key: Key[Array, ""]
    ) -> "OneSidedPair":
        """Draws the devices of two arrays, which together show `weights`, or zeros of a shape, as far as they can."""
        plus_key, minus_key = jr.split(key)
        wanted = jnp.zeros(weights) if isinstance(weights, tuple) else weights
        return OneSidedPair(
            PulsedArray.fabricate(device, jnp.maximum(wanted, 0.0), key=plus_key),
            PulsedArray.fabricate(device, jnp.maximum(-wanted, 0.0), key=minus_key),
        )

    @property
    def device(self) -> AbstractPulsed:
        """Of both arrays."""
        return self.plus.device

    @property
    def hidden(self) -> Float[Array, "*cells"]:
        """Difference of the states that pulses act on."""
        return self.plus.hidden - self.minus.hidden

    @property
    def shown(self) -> Float[Array, "*cells"]:
        """What a read finds."""
        return self.plus.shown - self.minus.shown

    @checked()
    def pulse(self, counts: Int[Array, "*cells"], *, key: Key[Array, ""]) -> "OneSidedPair":
        """As `PulsedArray.pulse`: one after another, to `plus` where positive and to `minus` where negative."""
        plus_key, minus_key = jr.split(key)
        plus = self.plus.pulse(jnp.maximum(counts, 0), key=plus_key)
        return OneSidedPair(plus, self.minus.pulse(jnp.maximum(-counts, 0), key=minus_key))

    @checked(most=whole(1))
    def burst(self, counts: Int[Array, "*cells"], *, most: int, key: Key[Array, ""]) -> "OneSidedPair":
        """As `PulsedArray.burst`: at most `most` at once."""
        plus_key, minus_key = jr.split(key)
        plus = self.plus.burst(jnp.maximum(counts, 0), most=most, key=plus_key)
        return OneSidedPair(plus, self.minus.burst(jnp.maximum(-counts, 0), most=most, key=minus_key))

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
    ) -> "OneSidedPair":
        """As `PulsedArray.update`: adds `learning_rate * outer(d, x)` on average."""
        strength = update_strength(self.hidden, self.device, x, d, learning_rate)

        def one(pair: OneSidedPair, x, d, key) -> OneSidedPair:
            count_key, pulse_key = jr.split(key)
            sent = trains(x, d, strength, length=length, scaling=scaling, key=count_key)
            plus_key, minus_key = jr.split(pulse_key)

            def burst(sides: Sides, counts, index) -> Sides:
                plus = sides[0].burst_at(jnp.maximum(counts, 0), length, index, key=plus_key)
                return plus, sides[1].burst_at(jnp.maximum(-counts, 0), length, index, key=minus_key)

            return OneSidedPair(*by_rows(burst, (pair.plus, pair.minus), sent))

        return sample_by_sample(one, self, x, d, key=key)

    @checked(above=fraction(), below=fraction(), pulses=whole(0))
    def refresh(
        self, above: float = 0.75, below: float = 0.25, *, pulses: int = 100, key: Key[Array, ""]
    ) -> "OneSidedPair":
        """Resets the pairs that are full, and writes what they showed with pulses on one side.

        A pair is full where one device is above the share `above` of its range, and its weight is one that can be
        written with less: the other device is above the share `below`. How the two published thresholds combine is our
        reading. Pulses come one by one until a read finds the weight, or as many as `pulses` have come.
        """
        if is_known(below, above) and not float(below) < float(above):
            raise ValueError(
                "`below` and `above` must satisfy 0 <= below < above <= 1. "
                f"Got below={below}, above={above}. Swap them."
            )
        reset_key, write_key = jr.split(key)
        full, wanted = self.full(above, below), self.shown
        one, other = jr.split(reset_key)
        pair = OneSidedPair(self.plus.reset(full, key=one), self.minus.reset(full, key=other))

        moving, still = eqx.partition(pair, eqx.is_array)

        def missing(moving):
            return _towards(eqx.combine(moving, still), wanted, full)

        def body(carry):
            number, moving = carry
            pair = eqx.combine(moving, still).pulse(missing(moving), key=jr.fold_in(write_key, number))
            return number + 1, eqx.filter(pair, eqx.is_array)

        def unfinished(carry):
            return (carry[0] < pulses) & jnp.any(missing(carry[1]) != 0)

        _, moving = jax.lax.while_loop(unfinished, body, (jnp.zeros((), int), moving))
        return eqx.combine(moving, still)

    @checked(above=fraction(), below=fraction())
    def full(self, above: float, below: float) -> Bool[Array, "*cells"]:
        """Where one device is above a share of its range, and the other above another share."""
        plus, minus = (
            (side.hidden - side.cells.w_min) / (side.cells.w_max - side.cells.w_min) for side in (self.plus, self.minus)
        )
        return (jnp.maximum(plus, minus) > above) & (jnp.minimum(plus, minus) > below)

    @checked(batches=NOT_NEGATIVE)
    def decay(self, batches: float | Float[Array, ""] = 1.0) -> "OneSidedPair":
        """As `PulsedArray.decay`."""
        return dataclasses.replace(self, plus=self.plus.decay(batches), minus=self.minus.decay(batches))


def _towards(pair: OneSidedPair, wanted: Float[Array, "*cells"], full: Bool[Array, "*cells"]) -> Int[Array, "*cells"]:
    """One pulse in the direction of the weight `wanted`, where it is further than a pulse would move it beyond."""
    left = wanted - pair.shown
    up = left > 0.5 * pair.device.step_up(pair.plus.cells, pair.plus.hidden)
    down = -left > 0.5 * pair.device.step_up(pair.minus.cells, pair.minus.hidden)
    # Only the side of the weight's own sign: what overshoots stays, for pulses only fill the other side again.
    return jnp.where(full & up & (wanted > 0), 1, 0) - jnp.where(full & down & (wanted < 0), 1, 0)
