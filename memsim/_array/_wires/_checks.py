"""What the models of wires are given, judged, and made arrays."""

from collections.abc import Sequence
from typing import Any

from jaxtyping import Array, ArrayLike, Float, Shaped

from ..._checks import as_numbers, at_least, check_finite, numbers

Conductances = Shaped[ArrayLike, "rows columns"] | Sequence[Sequence[float]]
Voltages = Shaped[ArrayLike, " rows"] | Sequence[float]

OHMS = at_least(0.0, "in ohm")


def as_conductances(g: Any) -> Float[Array, "rows columns"]:
    """Conductances of an array; raises `ValueError` where they are known to be negative or not finite."""
    found = as_numbers("g", g)
    if found.ndim != 2 or found.size == 0:
        raise ValueError(f"`g` must be a matrix of shape (rows, columns) with no empty axis. Got shape {found.shape}.")
    check_finite("g", found)
    for values in numbers(found):
        wrong = int((values < 0).sum())
        if wrong:
            raise ValueError(
                f"`g` must be conductances of at least 0 siemens. Got {wrong} others of {values.size}. A signed "
                "weight needs two cells, see `DifferentialPair`."
            )
    return found


def as_voltages(v: Any, g: Array) -> Float[Array, " rows"]:
    """One voltage for each word line of `g`; raises `ValueError` where one is known not to be finite."""
    found = as_numbers("v", v)
    if found.shape != g.shape[:1]:
        raise ValueError(
            f"`v` must hold one voltage for each of {g.shape[0]} word lines. Got shape {found.shape}. "
            "Several inputs? Use jax.vmap."
        )
    check_finite("v", found)
    return found
