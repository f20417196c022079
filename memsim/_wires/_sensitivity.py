r"""How the current of a bit line follows small changes of its cells, for any input: the law of noise behind wires.

$\partial I_j / \partial G_{ij}$ is the voltage of the cell times the adjoint voltage $a_{ij}$, that of the cell with
one volt at the sink of its bit line and none elsewhere. The cell's voltage depends on all inputs. Most of it is its own
word line's; the rest, by which bit lines rise and word lines fall less, is smooth along a bit line and is written in
two shapes. What reaches the sinks of other bit lines is left out: 0.1 % of the variance at 128 x 128 and 2 ohm.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._abstract import AbstractWires
from ._ladder import Lines, passed_share, seen_from_node
from ._resistive import ResistiveWires

TOGETHER = 32  # inputs solved at once


class Sensitivity(NamedTuple):
    r"""$dI_j = \sum_i dG_{ij}\,\big(o_{ij} x_i + \sum_k m_{kij} \sum_l r_{klj} x_l\big)$.

    **Arguments:**

    - `own`: $o$, shape (rows, columns); of several arrays (planes, rows, columns).
    - `modes`, `responses`: Of each $k$, in the same shape.
    """

    own: Float[Array, "*planes rows columns"]
    modes: tuple[Float[Array, "*planes rows columns"], ...] = ()
    responses: tuple[Float[Array, "*planes rows columns"], ...] = ()


def sensitivity(wires: AbstractWires) -> Callable[[Float[Array, "rows columns"]], Sensitivity]:
    """Of an array of conductances `g` behind `wires`.

    Wires other than `ResistiveWires` know no voltages of cells: a cell's change then loses what its current loses,
    which is right while the other inputs are silent.
    """

    def of_cells(g: Array) -> Sensitivity:
        if isinstance(wires, ResistiveWires):
            oriented = _solved(wires.lines(g), wires.oriented(g))
            return jax.lax.stop_gradient(jax.tree.map(wires.oriented, oriented))
        return Sensitivity(jnp.where(g > 0, wires.effective(g) / jnp.where(g > 0, g, 1.0), 1.0))

    return of_cells


def _solved(lines: Lines, g: Float[Array, "rows columns"]) -> Sensitivity:
    """By one solution of the circuit for each input."""
    lines, g = jax.lax.stop_gradient((lines, g))
    rows = g.shape[0]
    shapes = _shapes(lines, g)

    def one(row: Array) -> tuple[Array, Array]:
        v = (jnp.arange(rows) == row).astype(g.dtype)[:, None]
        rise, fall = _lost(lines, g, v)
        smooth = jnp.where(v > 0, -rise, v - fall - rise)
        return (v - fall - rise)[row], jnp.sum(shapes * smooth[None], axis=1)

    own, along = jax.lax.map(one, jnp.arange(rows), batch_size=min(TOGETHER, rows))
    a = _adjoint(lines, g)
    smooth = jnp.sum(shapes * jnp.swapaxes(along, 0, 1), axis=0)
    return Sensitivity(a * (own - smooth), tuple(a[None] * shapes), tuple(jnp.swapaxes(along, 0, 1)))


def _lost(lines: Lines, g: Array, v: Float[Array, "rows 1"]) -> tuple[Array, Array]:
    """By how much the bit lines rise, and the word lines fall, for the inputs `v`."""
    c, _ = lines.cell_currents(g, g * v, told=False)
    return lines.bit_drop(c), lines.word_drop(c)


def _shapes(lines: Lines, g: Float[Array, "rows columns"]) -> Float[Array, "modes rows columns"]:
    """How the bit lines rise for two smooth inputs; orthonormal on each bit line, zero where nothing new rises."""
    wave = np.cos(np.pi * (np.arange(g.shape[0]) + 0.5) / g.shape[0])
    found: list[Array] = []
    for v in (np.ones_like(wave), wave)[: g.shape[0]]:
        rise = new = _lost(lines, g, jnp.asarray(v[:, None], g.dtype))[0]
        for shape in found:
            new = new - shape * jnp.sum(shape * new, axis=0, keepdims=True)
        size, least = (jnp.linalg.norm(a, axis=0, keepdims=True) for a in (new, rise))
        is_new = size > 1e-3 * least
        found.append(jnp.where(is_new, new / jnp.where(is_new, size, 1.0), 0.0))
    return jnp.stack(found)


def _adjoint(lines: Lines, g: Float[Array, "rows columns"]) -> Float[Array, "rows columns"]:
    """Voltage of each cell with one volt at the sink of its own bit line: other bit lines stay at ground."""
    word = seen_from_node(g.T, lines.word.T, lines.far_driver).T
    behind = 1 / (1 + g * word)
    return passed_share(g * behind, lines.bit) * behind
