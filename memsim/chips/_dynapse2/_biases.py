"""The bias generator of DYNAP-SE2: a coarse and a fine number for each current that a core has."""

import functools
from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

TYPES = ("N", "P")  # of the transistor that mirrors the current
FINE = 256


class Bias(NamedTuple):
    """A setting of the generator, and the current it gives, in amperes."""

    coarse: Int[Array, "..."]
    fine: Int[Array, "..."]
    current: Float[Array, "..."]


@functools.cache
def table() -> np.ndarray:
    """All currents by type, coarse and fine number, in amperes, as the vendor documents them."""
    with np.load(Path(__file__).with_name("currents.npz"), allow_pickle=False) as file:
        return file["current"]


def current(kind: str, coarse: int, fine: int) -> float:
    """What the generator gives for a coarse and a fine number, in amperes."""
    return float(table()[TYPES.index(kind), coarse, fine])


def nearest(wanted: Float[Array, "*shape"], kind: str = "N") -> Bias:
    """The settings whose currents are nearest to `wanted` amperes, by their ratio."""
    currents = jnp.asarray(table()[TYPES.index(kind)].reshape(-1), wanted.dtype)
    logs = jnp.log(currents).reshape((1,) * wanted.ndim + (-1,))
    place = jnp.argmin(jnp.abs(logs - jnp.expand_dims(jnp.log(wanted), -1)), axis=-1).astype(jnp.int32)
    return Bias(place // FINE, place % FINE, currents[place])
