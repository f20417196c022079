r"""The voltages in a crossbar for one input, by conjugate gradients over whole lines.

A line with a resistance in each segment and a cell at each node is a ladder, solved exactly by one pass out and one
back. With the cell currents $c$ of one input, the voltage lost along word lines is $R_w c$ and that along bit lines
$R_b c$, $R_b = F F^\top$. Cells that draw $c = s - g\,(R_w + R_b)\,c$ are found from $y$, the current of each bit-line
segment times the root of its resistance: $(1 + F^\top W F)\,y = F^\top (1 + g R_w)^{-1} s$ with
$W = (1 + g R_w)^{-1} g$. The matrix is symmetric and positive definite for all resistances and conductances of at
least zero, and $(1 + F^\top g F)^{-1}$, two passes along the bit lines, makes it nearly one.
"""

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

MAX_ITERATIONS = 500


class Lines(NamedTuple):
    """Resistances of the segments on the near side of each cell; drivers are at column 0, sinks at row 0.

    `far_driver` is the resistance between the last cell of a word line and a second driver, `None` where it is open.
    """

    word: Float[Array, "rows columns"]
    bit: Float[Array, "rows columns"]
    far_driver: Float[Array, ""] | None

    def word_drop(
        self, c: Float[Array, "rows columns"], g: Float[Array, "rows columns"] | None = None
    ) -> Float[Array, "rows columns"]:
        """Voltage lost between the drivers and each cell, for cell currents `c`, less `g` times the loss itself."""
        return _drop(self._word_ladder(jnp.zeros_like(c) if g is None else g), c.T).T

    def bit_drop(self, c: Float[Array, "rows columns"]) -> Float[Array, "rows columns"]:
        """Voltage of each bit-line node above its sink, for cell currents `c`."""
        return jnp.cumsum(self.bit * _from_far(c), axis=0)

    def _word_ladder(self, g: Array) -> "_Ladder":
        return _ladder(g.T, self.word.T, self.far_driver)

    def cell_currents(
        self, g: Float[Array, "rows columns"], s: Float[Array, "rows columns"], *, told: bool = True
    ) -> tuple[Float[Array, "rows columns"], Int[Array, ""]]:
        """Currents of cells that draw `s` less `g` times the voltage lost on their lines; and the iterations taken.

        Linear in `s`, differentiable by the same solve. If the iterations do not converge, raises at run time, or,
        where that is not to be `told`, gives NaN.
        """
        word, bit, root = self._word_ladder(g), _ladder(g, self.bit, None), jnp.sqrt(self.bit)

        def behind_words(s):
            return s - g * _drop(word, s.T).T

        def to_cells(y):
            return jnp.cumsum(root * y, axis=0)

        def to_segments(c):
            return root * _from_far(c)

        def operator(y):
            return y + to_segments(behind_words(g * to_cells(y)))

        def precondition(y):
            s = g * to_cells(y)
            return y - to_segments(s - g * _drop(bit, s))

        def solve(_, b):
            return _conjugate_gradients(*jax.lax.stop_gradient((b,)), operator, precondition, told)

        b = to_segments(behind_words(s))
        y, iterations = jax.lax.custom_linear_solve(operator, b, solve, symmetric=True, has_aux=True)
        return behind_words(s - g * to_cells(y)), iterations


class _Ladder(NamedTuple):
    """Lines along the first axis: segment resistances, and what share of the near node's voltage reaches each node."""

    resistance: Array
    passed: Array


def _ladder(g: Array, resistance: Array, far_driver: Array | None) -> _Ladder:
    def toward_near(beyond, cell):
        g, r = cell
        passed = 1 / (1 + r * (g + beyond))
        return (g + beyond) * passed, passed

    far = jnp.zeros_like(g[0])
    if far_driver is not None:
        # A driver behind no resistance at all is behind a line without any, which it cannot change.
        far = far + 1 / jnp.where(far_driver > 0, far_driver, 1.0).astype(g.dtype)
    _, passed = jax.lax.scan(toward_near, far, (g, resistance), reverse=True)
    return _Ladder(resistance, passed)


def passed_share(
    g: Float[Array, "along lines"], resistance: Float[Array, "along lines"]
) -> Float[Array, "along lines"]:
    """Voltage at each node of ladders with one volt at their near ends."""
    return jnp.cumprod(_ladder(g, resistance, None).passed, axis=0)


def seen_from_node(
    g: Float[Array, "along lines"], resistance: Float[Array, "along lines"], far_driver: Array | None
) -> Float[Array, "along lines"]:
    """Resistance between each node of ladders and ground, without the node's own cell."""

    def toward_far(before, cell):
        g, r = cell
        here = before + r
        return here / (1 + g * here), here

    def toward_near(beyond, cell):
        g, r = cell
        return (g + beyond) / (1 + r * (g + beyond)), beyond

    none = jnp.zeros_like(g[0])
    far = none if far_driver is None else none + 1 / jnp.where(far_driver > 0, far_driver, 1.0).astype(g.dtype)
    _, near = jax.lax.scan(toward_far, none, (g, resistance))
    _, beyond = jax.lax.scan(toward_near, far, (g, resistance), reverse=True)
    return near / (1 + near * beyond)


def _drop(ladder: _Ladder, s: Array) -> Array:
    """Voltage lost at each node when currents `s` are drawn there, and the ladder's cells draw less for it."""

    def toward_near(beyond, cell):
        s, r, passed = cell
        through = (s + beyond) * passed
        return through, r * through

    def toward_far(lost, cell):
        own, passed = cell
        lost = passed * lost + own
        return lost, lost

    none = jnp.zeros_like(s[0])
    _, own = jax.lax.scan(toward_near, none, (s, *ladder), reverse=True)
    return jax.lax.scan(toward_far, none, (own, ladder.passed))[1]


def _from_far(c: Array) -> Array:
    """The current of each segment of a bit line: that of all cells beyond it."""
    return jnp.cumsum(c[::-1], axis=0)[::-1]


def tolerance(dtype: jnp.dtype) -> float:
    """Relative to the right-hand side: 3e-13 in float64, 3e-6 in float32."""
    return float(jnp.finfo(dtype).eps) ** 0.8


def _conjugate_gradients(
    b: Array, operator: Callable[[Array], Array], precondition: Callable[[Array], Array], told: bool
) -> tuple[Array, Array]:
    enough = (tolerance(b.dtype) ** 2) * jnp.sum(b**2)

    def unfinished(state):
        _, residual, _, _, iterations = state
        return (jnp.sum(residual**2) > enough) & (iterations < MAX_ITERATIONS)

    def iterate(state):
        x, residual, direction, product, iterations = state
        applied = operator(direction)
        step = product / jnp.sum(direction * applied)
        x, residual = x + step * direction, residual - step * applied
        conditioned = precondition(residual)
        new_product = jnp.sum(residual * conditioned)
        return x, residual, conditioned + (new_product / product) * direction, new_product, iterations + 1

    first = precondition(b)
    state = jnp.zeros_like(b), b, first, jnp.sum(b * first), jnp.zeros((), int)
    x, residual, _, _, iterations = jax.lax.while_loop(unfinished, iterate, state)
    failed = ~(jnp.sum(residual**2) <= enough)
    if not told:
        return jnp.where(failed, jnp.nan, x), iterations
    return eqx.error_if(
        x,
        failed,
        f"The wires' voltages must converge within {MAX_ITERATIONS} iterations, which conductances of at least "
        "zero, in siemens, and finite voltages do. They did not: look for NaN or negative numbers among them.",
    ), iterations
