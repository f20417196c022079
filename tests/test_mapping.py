"""Weights become pairs of conductances, tile by tile."""

import re

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from memsim import DifferentialPair

W = np.array([[0.5, -4.0, 0.0], [-2.0, 1.0, 0.0], [0.25, 0.0, 0.0], [8.0, 3.0, 0.0]], np.float32)  # rows are inputs


@pytest.mark.parametrize(
    "scale, tile, expected",
    [  # by hand; a column of zeros has scale one
        ("column", (2, 2), [[2, 4, 1], [8, 3, 1]]),
        ("column", (3, 1), [[2, 4, 1], [8, 3, 1]]),
        ("column", (9, 9), [[8, 4, 1]]),
        ("column", (1, 1), [[0.5, 4, 1], [2, 1, 1], [0.25, 1, 1], [8, 3, 1]]),
        ("tile", (2, 2), [[4, 4, 1], [8, 8, 1]]),
        ("tile", (3, 3), [[4, 4, 4], [8, 8, 8]]),
        ("tile", (9, 9), [[8, 8, 8]]),
    ],
)
def test_scales_are_the_largest_magnitudes_of_a_bit_line_or_a_tile(scale, tile, expected):
    np.testing.assert_array_equal(DifferentialPair(scale).scales(jnp.asarray(W), tile), expected)


def test_a_weight_goes_to_the_cell_of_its_sign_and_the_partner_to_g_min():
    pair = DifferentialPair()
    scales = pair.scales(jnp.asarray(W), (2, 2))
    positive, negative = pair.targets(jnp.asarray(W), scales, 2, 1e-6, 21e-6)
    # 1 µS plus 20 µS times w / scale, by hand.
    np.testing.assert_allclose(positive[:, :2] * 1e6, [[6, 1], [1, 6], [1.625, 1], [21, 21]], rtol=1e-6)
    np.testing.assert_allclose(negative[:, :2] * 1e6, [[1, 21], [21, 1], [1, 1], [1, 1]], rtol=1e-6)
    np.testing.assert_allclose([positive[:, 2], negative[:, 2]], 1e-6, rtol=1e-6)


@pytest.mark.parametrize("scale", ["column", "tile"])
@pytest.mark.parametrize("tile", [(1, 1), (4, 5), (10, 6), (99, 99)])
def test_conductances_read_back_are_the_weights(scale, tile):
    pair, w = DifferentialPair(scale), jr.normal(jr.key(0), (10, 6))
    scales = pair.scales(w, tile)
    g = pair.targets(w, scales, tile[0], 1e-6, 21e-6)
    assert g.min() >= 0.999999e-6 and g.max() <= 21.00001e-6
    row_tile = np.arange(10) // tile[0]
    back = pair.relative_weights(g, 1e-6, 21e-6) * np.asarray(scales)[row_tile]
    np.testing.assert_allclose(back, w, rtol=1e-6, atol=1e-6)  # g_min is subtracted: absolute, not relative


def test_the_variances_of_both_cells_add():
    std = jnp.asarray([[[3e-7]], [[4e-7]]])
    got = DifferentialPair().relative_variance(std, 5e-6, 10e-6)  # (0.5 µS / 5 µS)^2
    np.testing.assert_allclose(got, [[0.01]], rtol=1e-6)


def test_an_unknown_scale_is_refused(unchecked):
    with pytest.raises(ValueError, match=re.escape('`scale` must be "column" or "tile". Got \'row\'.')):
        DifferentialPair("row")
