"""What is found now and then, for the times between."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def in_time(correction: Callable[[float], Any], found_at: list[float]) -> Any:
    """Of each time the `correction` found then, stacked over times; zero if that is at 0."""
    found = {t: correction(t) for t in sorted(set(found_at)) if t > 0}
    nothing = jax.tree.map(jnp.zeros_like, next(iter(found.values()))) if found else {}
    return jax.tree.map(lambda *each: jnp.stack(each), *(found.get(t, nothing) for t in found_at))
