"""Two cells of different significance, of which the second corrects the first."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from .._checks import at_least, check
from .._device import AbstractDevice, ages, writes
from .._roots import root_of_squares
from ._wrapper import AbstractWrapper


class PairCells(NamedTuple):
    """The coarse and the fine cells."""

    coarse: Any
    fine: Any


class CellPair(AbstractWrapper):
    r"""A coarse and a fine cell read together, $G = G_c + (G_f - \bar G_f) / s$, with $s$ the significance.

    The coarse cell is written first and read without noise at time 0. The fine cell, whose current counts $1/s$, is
    then written to what the coarse one missed, around the middle of its range $\bar G_f$, as far as the range reaches.
    Errors of the coarse write within $\pm (g_\mathrm{max} - g_\mathrm{min}) / 2 s$ of the fine cell are left with the
    error of the fine one over $s$; what the coarse cell does later is not corrected. The middle is subtracted exactly
    (assumed: in digital, or by a reference line); of an even number of levels it is the upper one of the lower half.

    **Arguments:**

    - `coarse`, `fine`: The two cells; the range of targets is that of the coarse one. Both must have the same I-V.
    - `significance`: How much more a siemens of the coarse cell counts, at least 1.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> coarse = dm.Gaussian(0.0, 25e-6, write_noise=dm.curves.Constant(1e-6))
    >>> pair = dm.CellPair(coarse, fine=coarse, significance=4.0)
    >>> cells = pair.program(jnp.full(1000, 10e-6), key=jr.key(0))
    >>> print(f"{1e6 * pair.conductance(cells, jnp.array(0.0)).std():.2f} uS")  # the error of the fine one over 4
    0.25 uS
    """

    coarse: AbstractDevice
    fine: AbstractDevice
    significance: float | Float[Array, ""]

    def __check_init__(self):
        check(self, significance=at_least(1.0))
        if "I-V" in (*self.coarse.effects, *self.fine.effects):
            raise ValueError(
                "`coarse` and `fine` must be ohmic: of other cells, what the middle of the fine cell's range adds "
                f"depends on the voltage. Got {type(self.coarse.iv).__name__} and {type(self.fine.iv).__name__}."
            )

    @writes
    def program(self, target: Float[Array, "*cells"], *, key: Key[Array, ""]) -> PairCells:
        coarse_key, fine_key = jr.split(key)
        coarse = self.coarse.program(target, key=coarse_key)
        missing = target - self.coarse.conductance(coarse, jnp.zeros((), target.dtype))
        wanted = jnp.clip(self._middle + self.significance * missing, self.fine.g_min, self.fine.g_max)
        # The correction is the controller's, not the designer's: no gradient passes from one cell to the other.
        return PairCells(coarse, self.fine.program(jax.lax.stop_gradient(wanted), key=fine_key))

    def holding(self, g: Float[Array, "*cells"], *, key: Key[Array, ""]) -> PairCells:
        raise ValueError(
            "Cells that were measured must be cells of their own. Got a `CellPair`, whose conductance does not say "
            "that of its coarse and of its fine cell. Use one that is one cell."
        )

    @ages
    def conductance(self, cells: PairCells, t: Float[Array, ""]) -> Float[Array, "*cells"]:
        fine = self.fine.conductance(cells.fine, t) - self._middle
        # The difference may fall below what a line can carry; a reference line does not make current negative.
        return jnp.maximum(self.coarse.conductance(cells.coarse, t) + fine / self.significance, 0.0)

    @ages
    def read_noise(self, cells: PairCells, t: Float[Array, ""]) -> Float[Array, "*cells"] | None:
        coarse, fine = self.coarse.read_noise(cells.coarse, t), self.fine.read_noise(cells.fine, t)
        if fine is None:
            return coarse
        fine = fine / self.significance
        return fine if coarse is None else root_of_squares(jnp.stack([coarse, fine]))

    @property
    def _middle(self) -> float:
        low, high, levels = self.fine.g_min, self.fine.g_max, self.fine.levels
        if levels is None or levels % 2:
            return (low + high) / 2
        return low + (high - low) * (levels // 2 - 1) / (levels - 1)
