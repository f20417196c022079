"""What the word lines of an array put onto its bit lines, before any converter."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._converters._drive import AbstractDrive
from ._mapping._mapping import AbstractMapping
from ._read_noise import Crossed, ReadNoise, SharedNoise, pairwise
from ._tiles import cuts, spread_rows
from ._wires import Sensitivity


class BitLines(NamedTuple):
    """Per unit of drive, in units of one fully-on cell. A word line has a row for each term of its drive.

    `variance` is that of the read noise, `shared` that of cells which all bit lines of a tile share; they belong to the
    products of two terms. `crossed` and `shared_crossed` are what several word lines add to them together.
    """

    weight: Float[Array, "slices rows_terms columns"]
    variance: Float[Array, "slices rows_products columns"] | None = None
    shared: Float[Array, "slices rows_products column_tiles"] | None = None
    crossed: Crossed | None = None
    shared_crossed: Crossed | None = None

    def noise(self, gain: Any, columns: int, white: bool) -> ReadNoise | None:
        """The read noise in ADC codes; `gain` is that of one cell, or of each slice, and tiles have `columns`."""
        crossed, shared_crossed = jax.tree.map(lambda a: beside(a * gain), (self.crossed, self.shared_crossed))
        variance, shared = jax.tree.map(lambda a: beside(a * gain**2), (self.variance, self.shared))
        if variance is None:
            return None
        return ReadNoise(
            variance, crossed, None if shared is None else SharedNoise(shared, columns, shared_crossed), white
        )


def bit_lines(
    mapping: AbstractMapping,
    g: Float[Array, "planes rows lines"],
    std: Float[Array, "planes rows lines"] | None,
    drive: AbstractDrive | None,
    sensitivity: Sensitivity | None,
    *,
    tile: tuple[int, int],
    one_cell: float | Float[Array, ""],
) -> BitLines:
    """The bit lines of cells of conductance `g`, with read noise of standard deviation `std`, both in siemens.

    **Arguments:**

    - `mapping`: Which bit lines make a weight.
    - `g`: As seen through wires and amplifiers.
    - `std`: As seen through amplifiers.
    - `drive`: `None` for ohmic cells.
    - `sensitivity`: How bit lines follow their cells behind wires; `None` for ideal ones.
    - `tile`: Word lines of one tile, and its bit lines that hold weights.
    - `one_cell`: The unit, in siemens.
    """
    columns = tile[1]
    terms = [g] if drive is None else drive.terms(g)
    weight = side_by_side([mapping.presented(term, columns) / one_cell for term in terms])
    if std is None:
        return BitLines(weight)
    # Divided before they are multiplied: siemens squared are below float32's precision floor.
    moves = [move / one_cell for move in moved_terms(drive, g, std)]
    own = moves if sensitivity is None else [move * sensitivity.own for move in moves]
    found = [mapping.fluctuation(product, columns) for product in pairwise(own)]
    shared = [part.shared for part in found if part.shared is not None]
    crossed = shared_crossed = None
    if sensitivity is not None and sensitivity.modes:
        crossed, shared_crossed = _crossed(mapping, moves[0], sensitivity, tile)
    variance = side_by_side([part.own for part in found])
    return BitLines(weight, variance, side_by_side(shared) if shared else None, crossed, shared_crossed)


def moved_terms(
    drive: AbstractDrive | None, g: Float[Array, "planes rows lines"], std: Float[Array, "planes rows lines"]
) -> list[Float[Array, "planes rows lines"]]:
    """By how much each term moves when the cells move by one standard deviation."""
    return [std] if drive is None else list(jax.jvp(drive.terms, (g,), (std,))[1])


def beside(values: Float[Array, "*batch slices rows columns"]) -> Float[Array, "*batch rows slices_columns"]:
    """The slices side by side."""
    return jnp.concatenate([values[..., place, :, :] for place in range(values.shape[-3])], axis=-1)


def side_by_side(terms: list[Array]) -> Float[Array, "slices rows_terms columns"]:
    """The terms of a word line on neighbouring rows."""
    stacked = jnp.stack(terms, axis=2)
    return stacked.reshape(stacked.shape[0], -1, stacked.shape[-1])


def over_tiles(values: Float[Array, "planes rows lines"], tile: int) -> Float[Array, "planes rows lines"]:
    """Summed over the word lines of each tile of `tile` word lines, and given to each of them."""
    rows = values.shape[1]
    each = jnp.stack([jnp.sum(values[:, cut], axis=1) for cut in cuts(rows, tile)], axis=1)
    return jax.vmap(lambda plane: spread_rows(plane, rows, tile))(each)


def _crossed(
    mapping: AbstractMapping, std: Float[Array, "planes rows lines"], found: Sensitivity, tile: tuple[int, int]
) -> tuple[Crossed, Crossed | None]:
    r"""The variance of $\sum_i \xi_i s_i (o_i x_i + \sum_k m_{ki}\, x \cdot r_k)$ that is not $\sum_i (s_i o_i x_i)^2$.

    With modes that are orthonormal in the weights $s^2$ it is $\sum_k (x \cdot r_k + x \cdot h_k)^2 - (x \cdot h_k)^2$,
    $h_{ki} = s_i^2 o_i m_{ki}$.
    """
    modes, responses = [std * mode for mode in found.modes], list(found.responses)
    more, less = [], []
    for k in range(len(modes)):
        size2 = over_tiles(modes[k] ** 2, tile[0])
        size = jnp.where(size2 > 0, jnp.sqrt(jnp.where(size2 > 0, size2, 1.0)), 0.0)
        mode = modes[k] / jnp.where(size > 0, size, 1.0)
        response = size * responses[k]
        for later in range(k + 1, len(modes)):
            overlap = over_tiles(mode * modes[later], tile[0])
            modes[later] = modes[later] - overlap * mode
            response = response + overlap * responses[later]
        less.append(std * found.own * mode)
        more.append(response + less[-1])
    of_a_slice = std.shape[0] // len(mapping.weights)
    plane = (jnp.arange(std.shape[0]) % of_a_slice).reshape(-1, 1, 1)

    def on_lines(factors: list[Array]) -> list[Any]:
        """Each factor on the bit lines; the planes of a weight, which add up as squares, one by one."""
        alone = [jnp.where(plane == p, factor, 0.0) for factor in factors for p in range(of_a_slice)]
        return [mapping.fluctuation(factor, tile[1]) for factor in alone]

    parts = [on_lines(factors) for factors in (more, less)]
    own = Crossed(*(jnp.stack([part.own for part in each]) for each in parts))
    if parts[0][0].shared is None:
        return own, None
    return own, Crossed(*(jnp.stack([part.shared for part in each]) for each in parts))
