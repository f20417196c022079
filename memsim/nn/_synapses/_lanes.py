"""One matrix of cells whose word lines carry several inputs, each met by some of the cells only."""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ..._array import AnalogMatrix


def in_lanes(matrix: AnalogMatrix, meets: Bool[Array, "rows lanes columns"]) -> AnalogMatrix:
    """`matrix` with a row for each lane of each word line; a cell is there in the lanes that it `meets`.

    Currents and noise of all lanes of a tile's word lines are summed before its converter, as on one bit line. The rows
    are (word line, lane) with the lane running fastest, so that tiles are cut between the same word lines as before.

    Bit lines that meet different lanes are read at different times, so each has noise of its own from the cells that
    they share.
    """
    lanes = meets.shape[1]
    matrix = matrix.now.with_noise_apart
    sums, noise = matrix.sums, matrix.noise
    meets_slices = jnp.tile(meets, (1, 1, sums.slices))
    if noise is not None:
        crossed = jax.tree.map(lambda terms: jax.vmap(spread_lanes, (0, None))(terms, meets_slices), noise.crossed)
        noise = dataclasses.replace(noise, variance=spread_lanes(noise.variance, meets_slices), crossed=crossed)
    of_codes = None if sums.of_codes is None else spread_lanes(sums.of_codes, meets)
    return dataclasses.replace(
        matrix,
        weight=spread_lanes(matrix.weight, meets_slices),
        noise=noise,
        sums=dataclasses.replace(sums, of_codes=of_codes, rows=sums.rows * lanes),
    )


def spread_lanes(
    values: Float[Array, "rows_terms columns"], meets: Bool[Array, "rows lanes columns"]
) -> Float[Array, "rows_lanes_terms columns"]:
    """`values` in the lanes that each cell meets, zero in the others."""
    rows, lanes, columns = meets.shape
    terms = values.reshape(rows, 1, -1, columns)
    shape = (rows, lanes, terms.shape[2], columns)
    spread = jnp.where(jnp.broadcast_to(meets[:, :, None], shape), jnp.broadcast_to(terms, shape), 0.0)
    return spread.reshape(-1, columns)
