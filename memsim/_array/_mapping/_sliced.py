"""Several cells a weight, one for each digit."""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, PyTree

from ..._checks import check, plain, whole, write
from ._mapping import AbstractMapping, Fluctuation, Scale
from ._offset import OffsetColumn
from ._pair import DifferentialPair


class BitSliced(AbstractMapping):
    r"""`mapping` with every conductance as `slices` digits of base $2^b$, each in a cell of its own.

    With $L = 2^{b\,\mathrm{slices}} - 1$, a pair holds the digits of $\mathrm{round}(L |w|)$, and an offset column
    those of $\mathrm{round}((L - 1)(w + 1) / 2) + 1$, in which zero is a code. Every slice has arrays and ADC reads of
    its own, and they are shifted and added in digital. With ideal cells the weight is that of `mapping`, rounded.

    Of cells with more levels than the base, as many equally spaced ones are used, the lowest and the highest that go.

    The gradient passes the rounding as if it were not there: each digit moves by as much as the weight.

    **Arguments:**

    - `mapping`: `DifferentialPair` or `OffsetColumn`.
    - `bits_per_cell`: $b$.
    - `slices`: Number of digits; slice 0 is the smallest.

    >>> import jax.random as jr, numpy as np, device_models as dm, memsim as ms
    >>> design = ms.Crossbar(dm.Ideal(), ms.BitSliced(ms.DifferentialPair(), bits_per_cell=2, slices=2))
    >>> matrix = design.deploy([[1.0, 0.3]], 0.0, key=jr.key(0))
    >>> print(np.asarray(15 * matrix.effective_weight).round(3))
    [[15.  4.]]
    """

    mapping: DifferentialPair | OffsetColumn
    bits_per_cell: int = eqx.field(static=True, converter=plain)
    slices: int = eqx.field(static=True, converter=plain)

    def __check_init__(self):
        check(
            self,
            mapping=write("Its cells must be such as can be split into digits."),
            bits_per_cell=whole(1),
            slices=whole(1),
        )
        # 23 bits: float32 holds a code to half a unit.
        if not 2 <= self.bits_per_cell * self.slices <= 23:
            raise ValueError(
                "`bits_per_cell` times `slices` must be 2 to 23 bits together. "
                f"Got bits_per_cell={self.bits_per_cell}, slices={self.slices}."
            )

    @property
    def scale(self) -> Scale:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.mapping.scale

    @property
    def weights(self) -> tuple[float, ...]:
        (unit,) = self.mapping.weights
        codes = [(self._base - 1) * self._base**place for place in range(self.slices)]
        return tuple(unit * code / self._steps for code in codes)

    @property
    def middle(self) -> tuple[float, ...] | None:
        if self.mapping.middle is None:
            return None
        (middle,) = self.mapping.middle
        code = round(middle * self._steps) + self._first
        return tuple(code // self._base**place % self._base / (self._base - 1) for place in range(self.slices))

    def reach(self, levels: int | None) -> tuple[float, float]:
        if levels is None:
            return 0.0, 1.0
        if levels < self._base:
            raise ValueError(
                f"`BitSliced` must have cells of at least 2**bits_per_cell levels. Got {levels} levels for "
                f"bits_per_cell={self.bits_per_cell}. Use fewer bits a cell, and more slices."
            )
        apart = (levels - 1) // (self._base - 1)
        return 0.0, apart * (self._base - 1) / (levels - 1)

    def fractions(self, w: Float[Array, "rows columns"], columns: int) -> Float[Array, "planes rows lines"]:
        whole = self.mapping.fractions(w, columns)
        code = jnp.round(whole * self._steps) + self._first
        moved = whole * (self._steps / (self._steps + self._first))
        digits = [jnp.floor(code / self._base**place) % self._base for place in range(self.slices)]
        return jnp.concatenate([moved + lax.stop_gradient(digit / (self._base - 1) - moved) for digit in digits])

    def behind(
        self, wires: Callable[[Array], PyTree], g: Float[Array, "planes rows lines"], tile: tuple[int, int]
    ) -> PyTree[Float[Array, "planes rows lines"]]:
        return self.mapping.behind(wires, g, tile)

    def presented(self, g: Float[Array, "planes rows lines"], columns: int) -> Float[Array, "slices rows columns"]:
        return jnp.concatenate([self.mapping.presented(part, columns) for part in self._split(g)])

    def fluctuation(self, variance: Float[Array, "planes rows lines"], columns: int) -> Fluctuation:
        parts = [self.mapping.fluctuation(part, columns) for part in self._split(variance)]
        shared = [part.shared for part in parts if part.shared is not None]
        return Fluctuation(jnp.concatenate([part.own for part in parts]), jnp.concatenate(shared) if shared else None)

    @property
    def _base(self) -> int:
        return 2**self.bits_per_cell

    @property
    def _first(self) -> int:
        """The code of a cell at `g_min`: one where zero lies in the middle of an odd number of codes."""
        return 1 if isinstance(self.mapping, OffsetColumn) else 0

    @property
    def _steps(self) -> int:
        """The code of a cell at `g_max`, less the first."""
        return self._base**self.slices - 1 - self._first

    def _split(self, g: Array) -> list[Array]:
        """The planes of each slice."""
        return jnp.split(g, self.slices)
