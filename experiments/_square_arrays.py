"""Square arrays of random cells on resistive wires: how wrong simpler wires are, and where voltage is lost."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import memsim as ms

V_READ = 0.2  # volts; ohmic cells lose the same share at any
INPUTS = 100
SHOWN = 128  # lines


class Cells(NamedTuple):
    """Conductances between two, in siemens."""

    g_min: float
    g_max: float

    def array(self, n: int) -> jax.Array:
        """A square of `n` lines, always the same one."""
        return jr.uniform(jr.key(1), (n, n), minval=self.g_min, maxval=self.g_max)


def array_error(sizes: Sequence[int], cells: Cells, r: float) -> xr.DataArray:
    """Mean error of bit-line currents over their mean, without resistance and by the closed form; `r` ohm a segment."""
    found = []
    for n in sizes:
        g, v = cells.array(n), jr.uniform(jr.key(2), (INPUTS, n), maxval=V_READ)
        exact = v @ ms.ResistiveWires(r, r).effective(g)
        others = v @ g, v @ ms.AlphaBetaWires(r, r).effective(g)
        found.append([float(jnp.mean(jnp.abs(other - exact)) / jnp.mean(exact)) for other in others])
    coordinates = {"size": list(sizes), "model": ["ideal wires", "closed form"]}
    return xr.DataArray(found, coordinates, tuple(coordinates))


def lost_voltage(sizes: Sequence[int], cells: Cells, r: float) -> xr.DataArray:
    """Of one voltage on all word lines, the share that each cell does not see, in the largest array up to `SHOWN`."""
    n = min(SHOWN, max(sizes))
    solved = ms.ResistiveWires(r, r).solve(cells.array(n), jnp.full(n, V_READ))
    lost = 1 - (solved.word_line - solved.bit_line) / V_READ
    return xr.DataArray(np.asarray(lost), dims=("word_line", "bit_line"))
