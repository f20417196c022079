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
from ._switched import SwitchedWires

TOGETHER = 32  # bit lines solved at once


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
        if isinstance(wires, SwitchedWires):
            solved = sensitivity(wires.wires)
            ideal = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), jax.eval_shape(solved, g))
            return jax.lax.cond(wires.real, solved, lambda g: ideal._replace(own=jnp.ones_like(g)), g)
        if isinstance(wires, ResistiveWires):
            oriented = _solved(wires.lines(g), wires.oriented(g))
            return jax.lax.stop_gradient(jax.tree.map(wires.oriented, oriented))
        return Sensitivity(jnp.where(g > 0, wires.effective(g) / jnp.where(g > 0, g, 1.0), 1.0))

    return of_cells


def _solved(lines: Lines, g: Float[Array, "rows columns"]) -> Sensitivity:
    r"""With the rise of each bit line as a sum of shapes, $\rho_{ij} = \sum_k q_{kij} C_{kj}$.

    Cells see $u = U (x - \rho)$, $U = (1 + R_w g)^{-1}$ on each word line, and the bit lines rise by $R_b\,g u$: a
    linear system for $C$, exact for the inputs that the shapes are made from.
    """
    lines, g = jax.lax.stop_gradient((lines, g))
    q = _shapes(lines, g)
    p = jnp.stack([lines.bit_drop(shape) for shape in q]) * g[None]

    def of_column(column: Array) -> tuple[Array, Array]:
        """What the rise of one bit line by each shape does to the rises, and to the voltages, of all."""
        risen = q * (jnp.arange(g.shape[1]) == column).astype(g.dtype)[None, None]
        seen = jnp.stack([_seen(lines, g, shape) for shape in risen])
        rises, voltages = (jnp.einsum("kij,lij->lkj", a, seen, precision="highest") for a in (p, q))
        return rises, voltages

    size = q.shape[0] * g.shape[1]
    found = jax.lax.map(of_column, jnp.arange(g.shape[1]), batch_size=min(TOGETHER, g.shape[1]))
    rises, voltages = (a.transpose(2, 3, 1, 0).reshape(size, size) for a in found)
    driven = jnp.swapaxes(p * _seen(lines, g, jnp.ones_like(g))[None], 1, 2).reshape(size, -1)
    c = jnp.linalg.solve(jnp.eye(size, dtype=g.dtype) + rises, driven)
    along = -jnp.matmul(voltages, c, precision="highest").reshape(q.shape[0], g.shape[1], -1).transpose(0, 2, 1)
    a = _adjoint(lines, g)
    own = _driven_alone(lines, g) - jnp.sum(q * along, axis=0)
    return Sensitivity(a * own, tuple(a[None] * q), tuple(along))


def _seen(lines: Lines, g: Array, v: Float[Array, "rows columns"]) -> Float[Array, "rows columns"]:
    """What is left at each cell of voltages `v` in series with the cells, behind word lines."""
    return v - lines.word_drop(g * v, g)


def _shapes(lines: Lines, g: Float[Array, "rows columns"]) -> Float[Array, "modes rows columns"]:
    """How the bit lines rise for two smooth inputs; orthonormal on each bit line, zero where nothing new rises."""
    wave = np.cos(np.pi * (np.arange(g.shape[0]) + 0.5) / g.shape[0])
    found: list[Array] = []
    for v in (np.ones_like(wave), wave)[: g.shape[0]]:
        c, _ = lines.cell_currents(g, g * jnp.asarray(v[:, None], g.dtype), told=False)
        rise = new = lines.bit_drop(c)
        for shape in found:
            new = new - shape * jnp.sum(shape * new, axis=0, keepdims=True)
        size, least = (jnp.linalg.norm(a, axis=0, keepdims=True) for a in (new, rise))
        is_new = size > 1e-3 * least
        found.append(jnp.where(is_new, new / jnp.where(is_new, size, 1.0), 0.0))
    return jnp.stack(found)


def _driven_alone(lines: Lines, g: Float[Array, "rows columns"]) -> Float[Array, "rows columns"]:
    """Voltage of each cell with one volt at the driver of its own word line: other word lines stay at ground."""
    behind = 1 / (1 + g * seen_from_node(g, lines.bit, None))
    return _seen(lines, g * behind, jnp.ones_like(g)) * behind


def _adjoint(lines: Lines, g: Float[Array, "rows columns"]) -> Float[Array, "rows columns"]:
    """Voltage of each cell with one volt at the sink of its own bit line: other bit lines stay at ground."""
    word = seen_from_node(g.T, lines.word.T, lines.far_driver).T
    behind = 1 / (1 + g * word)
    return passed_share(g * behind, lines.bit) * behind
