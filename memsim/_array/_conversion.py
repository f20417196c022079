"""What the converters of row tiles make of their currents, and what that is worth."""

from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from ._converters._adc import ADC, AbstractADC
from ._sums import DigitalSum
from ._tiles import are_many

ROUNDING = 2  # folded into the key of a tile's noise, so that other draws leave it as it is


def converted(
    currents: list[Float[Array, "pulses_n columns"]],
    adc: AbstractADC | None,
    sums: DigitalSum,
    significance: tuple[float, ...],
    together: bool,
    *,
    key: Key[Array, ""] | None,
) -> list[Float[Array, "n outputs"]]:
    """The partial sum of each row tile, in weight times input units, of the `currents` in front of its ADC.

    With many tiles `together` all are converted at once, which compiles as one; converters of one's own, which may
    know their tile by a number only, are one by one.
    """
    keys = None
    if adc is not None and adc.needs_key and key is not None:
        keys = jax.vmap(lambda one: jr.fold_in(one, ROUNDING))(jr.split(key, len(currents)))

    def of_tile(current: Array, tile: Any, key: Array | None) -> Array:
        codes = current if adc is None else adc.codes(current, tile, key=key)
        return sums.shifted(sums.worth(codes, tile), significance)

    if together and are_many(len(currents)) and (adc is None or isinstance(adc, ADC)):
        return list(jax.vmap(of_tile)(jnp.stack(currents), jnp.arange(len(currents)), keys))
    return [of_tile(current, tile, None if keys is None else keys[tile]) for tile, current in enumerate(currents)]
