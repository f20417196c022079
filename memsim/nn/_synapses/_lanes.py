"""One matrix of cells whose word lines carry several inputs, each met by some of the cells only."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ..._matrix import AnalogMatrix


def in_lanes(matrix: AnalogMatrix, meets: Bool[Array, "rows lanes columns"]) -> AnalogMatrix:
    """`matrix` with a row for each lane of each word line; a cell is there in the lanes that it `meets`.

    Currents and noise of all lanes of a tile's word lines are summed before its converter, as on one bit line. The rows
    are (word line, lane) with the lane running fastest, so that tiles are cut between the same word lines as before.
    """
    lanes = meets.shape[1]
    variance = None if matrix.variance is None else spread_lanes(matrix.variance, meets)
    weight = spread_lanes(matrix.weight, meets)
    return AnalogMatrix(weight, variance, matrix.scale, matrix.dac, matrix.adc, matrix.rows * lanes)


def spread_lanes(
    values: Float[Array, "rows columns"], meets: Bool[Array, "rows lanes columns"]
) -> Float[Array, "rows_lanes columns"]:
    """`values` in the lanes that each cell meets, zero in the others."""
    spread = jnp.where(meets, jnp.expand_dims(values, 1), jnp.zeros((), values.dtype))
    return spread.reshape(-1, values.shape[1])
