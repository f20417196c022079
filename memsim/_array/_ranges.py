"""Converter ranges from what converters would see."""

from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._checks import Checked, as_data, between, check, fraction, plain, whole
from ._converters._codes import largest_code, to_codes


class AbstractRanges(Checked):
    """How `memsim.calibrate` chooses the range of a converter: a pass over data that returns a number.

    >>> import equinox as eqx, jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> class Fixed(ms.extend.AbstractRanges):
    ...     def of_inputs(self, x, bits):
    ...         return jnp.array(2.0)
    ...     def of_currents(self, cells, bits):
    ...         return None
    >>> model = ms.nn.convert(eqx.nn.Linear(2, 1, key=jr.key(0)))
    >>> design = ms.calibrate(model, jnp.ones((4, 2)), ms.Crossbar(dm.Ideal(), dac=ms.DAC(8)), ranges=Fixed())
    >>> [each.dac.input_range.item() for each in design.designs.values()]
    [2.0]
    """

    @abstractmethod
    def of_inputs(self, x: Float[Array, "..."], bits: int | None) -> Float[Array, ""]:
        """Input range of a DAC for the inputs `x`."""

    @abstractmethod
    def of_currents(self, cells: Float[Array, "..."], bits: int | None) -> Float[Array, ""] | None:
        """Full scale of an ADC for currents of so many fully-on cells; `None` for all that a tile can carry."""


class Percentile(AbstractRanges):
    """Ranges that just cover a fraction of the magnitudes.

    **Arguments:**

    - `coverage`: That fraction.

    >>> import equinox as eqx, jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> xs = jnp.linspace(-1.0, 1.0, 1001)[:, None]
    >>> model = ms.nn.convert(eqx.nn.Linear(1, 1, key=jr.key(0)))
    >>> design = ms.calibrate(model, xs, ms.Crossbar(dm.Ideal(), dac=ms.DAC(8)), ranges=ms.Percentile(0.9))
    >>> print([f"{each.dac.input_range:.2f}" for each in design.designs.values()])
    ['0.90']
    """

    coverage: float = 0.9999

    def __check_init__(self):
        check(self, coverage=fraction(zero=False))

    def of_inputs(self, x: Float[Array, "..."], bits: int | None) -> Float[Array, ""]:
        x = as_data(x)
        # NumPy selects; the device would sort tens of millions of values.
        return or_one(jnp.asarray(np.quantile(np.abs(np.asarray(x)), self.coverage), x.dtype))

    def of_currents(self, cells: Float[Array, "..."], bits: int | None) -> Float[Array, ""]:
        return self.of_inputs(cells, bits)


class LeastSquares(AbstractRanges):
    """Ranges with the smallest squared error of clipping and rounding together, found among candidates.

    **Arguments:**

    - `candidates`: Number of ranges that are tried, evenly spaced in their logarithm up to the largest magnitude.
    - `smallest`: The smallest of them, relative to the largest magnitude.

    >>> import equinox as eqx, jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> x = jr.normal(jr.key(0), (1000, 4))
    >>> model = ms.nn.convert(eqx.nn.Linear(4, 2, key=jr.key(1)))
    >>> design = ms.calibrate(model, x, ms.Crossbar(dm.Ideal(), dac=ms.DAC(4)), ranges=ms.LeastSquares())
    >>> print([f"{each.dac.input_range:.1f}" for each in design.designs.values()], f"of {jnp.abs(x).max():.1f}")
    ['2.5'] of 3.9
    """

    candidates: int = eqx.field(static=True, converter=plain, default=100)
    smallest: float = 0.01

    def __check_init__(self):
        check(self, candidates=whole(2), smallest=between(0.0, 1.0, "relative to the largest magnitude"))

    def of_inputs(self, x: Float[Array, "..."], bits: int | None) -> Float[Array, ""]:
        x = as_data(x)
        ranges = jnp.max(jnp.abs(x)) * jnp.geomspace(self.smallest, 1.0, self.candidates, dtype=x.dtype)
        return or_one(ranges[jnp.argmin(_squared_errors(x, ranges, bits))])

    def of_currents(self, cells: Float[Array, "..."], bits: int | None) -> Float[Array, ""]:
        return self.of_inputs(cells, bits)


class Maximal(AbstractRanges):
    """Ranges that nothing exceeds: the largest input of the data, and all word lines of a tile fully on.

    >>> import equinox as eqx, jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> xs = jnp.array([[0.5, -3.0], [1.0, 2.0]])
    >>> model = ms.nn.convert(eqx.nn.Linear(2, 2, key=jr.key(0)))
    >>> design = ms.calibrate(model, xs, ms.Crossbar(dm.Ideal(), dac=ms.DAC(8)), ranges=ms.Maximal())
    >>> [each.dac.input_range.item() for each in design.designs.values()]
    [3.0]
    """

    def of_inputs(self, x: Float[Array, "..."], bits: int | None) -> Float[Array, ""]:
        return or_one(jnp.max(jnp.abs(as_data(x))))

    def of_currents(self, cells: Float[Array, "..."], bits: int | None) -> None:
        return None


def or_one(value: Float[Array, ""]) -> Float[Array, ""]:
    """`value`, or one where it is zero: a silent layer has no range of its own."""
    return jnp.where(value > 0, value, jnp.ones_like(value))


@eqx.filter_jit
def _squared_errors(
    x: Float[Array, "..."], ranges: Float[Array, " candidates"], bits: int | None
) -> Float[Array, " candidates"]:
    """Mean squared error of a converter with each of the `ranges`."""

    def error(full: Array) -> Array:
        step = jnp.where(full > 0, full, 1.0) / largest_code(bits)
        return jnp.mean((to_codes(x / step, bits) * step - x) ** 2)

    return jax.lax.map(error, ranges)  # one after the other: the data may fill the memory
