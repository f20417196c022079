"""What the word lines of an array put onto its bit lines, before any converter."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._converters._drive import AbstractDrive
from ._mapping._mapping import AbstractMapping
from ._read_noise import pairwise


class BitLines(NamedTuple):
    """Per unit of drive, in units of one fully-on cell. A word line has a row for each term of its drive.

    `variance` is that of the read noise, `shared` that of cells which all bit lines of a tile share; they belong to the
    products of two terms.
    """

    weight: Float[Array, "slices rows_terms columns"]
    variance: Float[Array, "slices rows_products columns"] | None
    shared: Float[Array, "slices rows_products column_tiles"] | None


def bit_lines(
    mapping: AbstractMapping,
    g: Float[Array, "planes rows lines"],
    std: Float[Array, "planes rows lines"] | None,
    drive: AbstractDrive | None,
    *,
    columns: int,
    one_cell: float | Float[Array, ""],
) -> BitLines:
    """The bit lines of cells of conductance `g`, with read noise of standard deviation `std`, both in siemens.

    **Arguments:**

    - `mapping`: Which bit lines make a weight.
    - `g`, `std`: As seen through wires and amplifiers.
    - `drive`: `None` for ohmic cells.
    - `columns`: Bit lines of one tile that hold weights.
    - `one_cell`: The unit, in siemens.
    """
    terms = [g] if drive is None else drive.terms(g)
    weight = _side_by_side([mapping.presented(term, columns) / one_cell for term in terms])
    if std is None:
        return BitLines(weight, None, None)
    # By how much each term moves when the cells move by one standard deviation.
    moves = [std] if drive is None else jax.jvp(drive.terms, (g,), (std,))[1]
    # Divided before they are multiplied: siemens squared are below float32's precision floor.
    products = pairwise([move / one_cell for move in moves])
    found = [mapping.fluctuation(product, columns) for product in products]
    shared = [part.shared for part in found if part.shared is not None]
    own = _side_by_side([part.own for part in found])
    return BitLines(weight, own, _side_by_side(shared) if shared else None)


def beside(values: Float[Array, "slices rows columns"]) -> Float[Array, "rows slices_columns"]:
    """The slices side by side."""
    return values[0] if values.shape[0] == 1 else values.transpose(1, 0, 2).reshape(values.shape[1], -1)


def _side_by_side(terms: list[Array]) -> Float[Array, "slices rows_terms columns"]:
    """The terms of a word line on neighbouring rows."""
    stacked = jnp.stack(terms, axis=2)
    return stacked.reshape(stacked.shape[0], -1, stacked.shape[-1])
