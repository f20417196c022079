r"""A crossbar of ohmic cells seen from all its terminals: every cell's voltage for one volt at each of them.

With the voltages $u_a$ of the cells for one volt at terminal $a$ alone, and the currents $s_a$ of the wires' segments,
the currents into the array, $Y_{ab}$ at terminal $b$, follow each cell and each segment by
$\partial Y_{ab} / \partial G_{ij} = u_{aij}\,u_{bij}$ and $\partial Y_{ab} / \partial R_k = -s_{ak}\,s_{bk}$.

Rows are joined from the open end of the bit lines to their sinks: of what lies above, bit line nodes draw
$i = d - Q v$ at voltages $v$ below. A row adds the ladder of its word line, a segment divides by $1 + r (Q + \dots)$,
and on the way back all voltages are known. Wires without resistance and open cells are numbers like any other.
"""

from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

SMALL = 64  # of a matrix that is inverted row by row


class Ohms(NamedTuple):
    """Resistances of a segment of a word line and of a bit line, of a driver and of a sink, in ohm."""

    word_line: Float[Array, ""]
    bit_line: Float[Array, ""]
    source: Float[Array, ""]
    sink: Float[Array, ""]


class Sides(NamedTuple):
    """Where drivers and sinks are, as of `ResistiveWires`."""

    drive: Literal["left", "right", "both"]
    sense: Literal["bottom", "top"]


class Network(NamedTuple):
    """An array seen from its terminals, the drivers of the rows first, then the sinks of the columns.

    `volts` and `amperes` are those of the cells, from word line to bit line.
    """

    volts: Float[Array, "terminals rows columns"]
    amperes: Float[Array, "terminals rows columns"]
    y: Float[Array, "terminals terminals"]


def network(g: Float[Array, "rows columns"], ohms: Ohms, sides: Sides) -> Network:
    """The network of cells of `g` siemens. Negative ones are numbers, too: solvers try what no cell has."""
    volts, amperes = _solved(g if sides.sense == "bottom" else g[::-1], ohms, sides.drive)
    rows = g.shape[0]
    if sides.sense == "top":
        order = jnp.concatenate([jnp.arange(rows)[::-1], jnp.arange(rows, rows + g.shape[1])])
        volts, amperes = volts[order, ::-1], amperes[order, ::-1]
    y = jnp.concatenate([jnp.sum(amperes, axis=2), -jnp.sum(amperes, axis=1)], axis=1)
    return Network(volts, amperes, y)


def by_ohm(
    amperes: Float[Array, "terminals rows columns"], name: str, ohms: Ohms, sides: Sides, *, inputs: int | None = None
) -> Float[Array, "inputs outputs"]:
    """Slope of the currents into the array by the resistance `name`, for those of its cells.

    Terminals before `inputs` are then inputs, the others outputs; `None` are all as both.
    """
    currents = _segments(amperes, name, ohms, sides).reshape(amperes.shape[0], -1)
    return -_product(currents, currents.T) if inputs is None else -_product(currents[:inputs], currents[inputs:].T)


def _solved(g: Array, ohms: Ohms, drive: str) -> tuple[Array, Array]:
    """Voltages and currents of the cells, with the sinks below the last row."""
    rows, columns = g.shape
    word = _word_resistance(columns, ohms, drive, g.dtype)
    eye = jnp.eye(columns, dtype=g.dtype)
    segments = jnp.full(rows, ohms.bit_line, g.dtype).at[-1].add(ohms.sink)
    drivers = jnp.eye(rows, dtype=g.dtype)

    def down(above, row):
        q, drawn = above  # by drivers: nothing of it depends on the sinks
        cells, driver, segment = row
        # Currents of a word line's cells: (v - bit line nodes) times this.
        ladder = inverse(eye + cells[:, None] * word) * cells[None]
        ladder = (ladder + ladder.T) / 2
        q, drawn = q + ladder, drawn + jnp.sum(ladder, axis=1)[:, None] * driver[None]
        share = inverse(eye + segment * q)
        passed = (_product(share, q), _product(share, drawn))
        return passed, (ladder, *passed, segment)

    nothing = jnp.zeros((columns, columns), g.dtype), jnp.zeros((columns, rows), g.dtype)
    _, kept = jax.lax.scan(down, nothing, (g, drivers, segments))

    def up(below, row):
        (ladder, q, drawn, segment), driver = row
        node = below + segment * (jnp.pad(drawn, [(0, 0), (0, columns)]) - _product(q, below))
        across = jnp.pad(driver, (0, columns))[None] - node
        amperes = _product(ladder, across)
        return node, ((across - _product(word, amperes)).T, amperes.T)

    sinks = jnp.eye(columns, rows + columns, k=rows, dtype=g.dtype)
    _, (volts, amperes) = jax.lax.scan(up, sinks, (kept, drivers), reverse=True)
    return jnp.moveaxis(volts, 1, 0), jnp.moveaxis(amperes, 1, 0)


def _word_resistance(columns: int, ohms: Ohms, drive: str, dtype: jnp.dtype) -> Float[Array, "columns columns"]:
    """Voltage lost at each cell of a word line for the current of each."""
    place = jnp.arange(1, columns + 1, dtype=dtype)
    left, right = ohms.source + ohms.word_line * place, ohms.source + ohms.word_line * place[::-1]
    first, last = jnp.minimum(left[:, None], left[None]), jnp.minimum(right[:, None], right[None])
    if drive != "both":
        return first if drive == "left" else last
    whole = 2 * ohms.source + (columns + 1) * ohms.word_line
    return first * last / jnp.where(whole > 0, whole, 1.0)


def _segments(amperes: Array, name: str, ohms: Ohms, sides: Sides) -> Float[Array, "terminals *segments"]:
    """Currents of all resistances `name`."""
    if name == "sink":
        return jnp.sum(amperes, axis=1)
    if name == "bit_line":
        return jnp.cumsum(amperes if sides.sense == "bottom" else amperes[:, ::-1], axis=1)
    if sides.drive != "both":
        if name == "source":
            return jnp.sum(amperes, axis=2)
        return jnp.cumsum(amperes[..., ::-1] if sides.drive == "left" else amperes, axis=2)
    columns = amperes.shape[2]
    place = jnp.arange(1, columns + 1, dtype=amperes.dtype)
    whole = 2 * ohms.source + (columns + 1) * ohms.word_line
    near = ohms.source + ohms.word_line * place[::-1]
    # Of each cell's current this much enters on the left.
    entering = jnp.where(whole > 0, near / jnp.where(whole > 0, whole, 1.0), 0.5)
    left = jnp.sum(amperes * entering[None, None], axis=2)
    segments = left[..., None] - jnp.cumsum(amperes, axis=2)
    if name == "source":
        return jnp.stack([left, segments[..., -1]], axis=2)
    return jnp.concatenate([left[..., None], segments], axis=2)


def inverse(a: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """By halves, and small ones by Gauss-Jordan elimination: in a loop LAPACK takes hundreds of times as long.

    Its pivots are positive without an exchange of rows, as those of `_array/_wires/_dissection.py`.
    """
    n = a.shape[0]
    if n <= SMALL:
        return _eliminated(a)
    top, left = slice(None, n // 2), slice(n // 2, None)
    first = inverse(a[top, top])
    down, across = _product(a[left, top], first), _product(first, a[top, left])
    last = inverse(a[left, left] - _product(a[left, top], across))
    corner = -_product(last, down)
    return jnp.block([[first - _product(across, corner), -_product(across, last)], [corner, last]])


def _eliminated(a: Float[Array, "n n"]) -> Float[Array, "n n"]:
    places = jnp.arange(a.shape[0])

    def eliminate(pivot, a):
        unit = (places == pivot).astype(a.dtype)
        row, column = a[pivot], a[:, pivot]
        return a - (column - unit)[:, None] * ((row + unit) / row[pivot])[None]

    return jax.lax.fori_loop(0, a.shape[0], eliminate, a)


def inverse_root(a: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """The inverse of the lower Cholesky factor of a positive definite matrix: as `inverse`, as exact as by LAPACK."""
    n = a.shape[0]
    if n <= SMALL:
        return _forward(a)
    top, left = slice(None, n // 2), slice(n // 2, None)
    first = inverse_root(a[top, top])
    below = _product(a[left, top], first.T)
    last = inverse_root(a[left, left] - _product(below, below.T))
    return jnp.block([[first, jnp.zeros_like(a[top, left])], [-_product(last, _product(below, first)), last]])


def _forward(a: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """By Gauss: what makes `a` upper triangular, by roots of the pivots."""
    n = a.shape[0]
    places = jnp.arange(n)

    def eliminate(pivot, both):
        row = both[pivot] / both[pivot, pivot]
        return both - jnp.where(places > pivot, both[:, pivot], 0.0)[:, None] * row[None]

    both = jax.lax.fori_loop(0, n, eliminate, jnp.concatenate([a, jnp.eye(n, dtype=a.dtype)], axis=1))
    return both[:, n:] / jnp.sqrt(jnp.diagonal(both))[:, None]


def _product(a: Array, b: Array) -> Array:
    return jnp.matmul(a, b, precision="highest")
