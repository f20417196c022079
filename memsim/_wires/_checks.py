"""Checks shared by the models of wires."""

from typing import Any

import numpy as np
from jax.core import Tracer


def check_resistance(name: str, resistance: Any) -> None:
    """Raises `ValueError` unless a concrete `resistance` is finite and not negative."""
    if isinstance(resistance, Tracer):
        return
    if not (np.isfinite(np.asarray(resistance)) & (np.asarray(resistance) >= 0)).all():
        raise ValueError(f"`{name}` must be a resistance of at least 0 ohm, and finite. Got {name}={resistance}.")


def check_end(name: str, end: str, known: tuple[str, ...]) -> None:
    """Raises `ValueError` unless `end` is one of `known`."""
    if end not in known:
        raise ValueError(f"`{name}` must be one of {', '.join(known)}. Got {end!r}.")


def check_conductances(g: Any) -> None:
    """Raises `ValueError` for concrete conductances that are negative or not finite."""
    if isinstance(g, Tracer):
        return
    values = np.asarray(g)
    wrong = int((~(np.isfinite(values) & (values >= 0))).sum())
    if wrong:
        raise ValueError(
            f"Conductances must be finite and at least 0 siemens. Got {wrong} others of {g.size}. A signed weight "
            "needs two cells, see `DifferentialPair`."
        )
