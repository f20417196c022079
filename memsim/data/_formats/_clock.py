"""Clocks of few bits that start again at zero, counted on."""

import numpy as np
from jaxtyping import Int


def turns(clock: Int[np.ndarray, " ticks"], *, fall: int) -> Int[np.ndarray, " ticks"]:
    """How often the clock has started again, up to each of its values: whenever it falls by at least `fall`."""
    return np.cumsum(np.diff(clock, prepend=clock[:1]) <= -fall)
