"""Moments multiply by `@` and in the solvers of lineax, also from their other side, and draw what noise they have."""

import jax
import jax.numpy as jnp
import jax.random as jr
import lineax as lx
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from circuits import dense_crossbar
from helpers import slow

KEY = jr.key(0)
TRIDIAGONAL = 3 * np.eye(8) - np.eye(8, k=1) - np.eye(8, k=-1)
NOISY = ms.Crossbar(dm.pcm_joshi2020(), compensation=None, reads=ms.Reads("per_read"))


def ideal(w, **settings):
    return ms.Crossbar(dm.Ideal(), compensation=None, **settings).deploy(jnp.asarray(w, jnp.float32), 0.0, key=KEY)


def test_at_is_a_read_of_each_column_as_in_numpy():
    rng = np.random.default_rng(0)
    w, x = rng.normal(size=(3, 5)), rng.normal(size=(2, 5, 4))
    np.testing.assert_allclose(ideal(w) @ x, w @ x, atol=1e-5)
    np.testing.assert_allclose(ideal(w) @ x[0, :, 0], w @ x[0, :, 0], atol=1e-5)


@pytest.mark.parametrize("adc", [None, ms.ADC(8, rounding="stochastic")])
def test_at_of_a_matrix_that_draws_says_where_a_key_goes(adc):
    matrix = NOISY.deploy(jnp.eye(2), 1.0, key=KEY) if adc is None else ideal(np.eye(2), adc=adc)
    with pytest.raises(ValueError, match=r"matrix\(x, key=key\).*LinearOperator\(matrix, key=key\)"):
        matrix @ jnp.ones(2)
    with pytest.raises(ValueError, match="needs `key`"):
        ms.solve.LinearOperator(matrix)


SOLVERS = [
    (lx.GMRES(rtol=1e-5, atol=1e-5), ()),
    slow(lx.BiCGStab(rtol=1e-5, atol=1e-5), ()),
    slow(lx.CG(rtol=1e-5, atol=1e-5), lx.positive_semidefinite_tag),
    slow(lx.LSMR(rtol=1e-6, atol=1e-6), ()),  # multiplies with the transposed matrix, too
]


@pytest.mark.parametrize("solver, tags", SOLVERS)
def test_solvers_of_lineax_find_the_solution_of_a_dense_float64_solve(solver, tags):
    operator = lx.TaggedLinearOperator(ms.solve.LinearOperator(ideal(TRIDIAGONAL)), tags)
    b = np.random.default_rng(1).normal(size=8)
    found = lx.linear_solve(operator, jnp.asarray(b, jnp.float32), solver)
    np.testing.assert_allclose(found.value, np.linalg.solve(TRIDIAGONAL, b), atol=1e-4)


@pytest.mark.slow
def test_a_rectangular_array_gives_least_squares():
    w = np.random.default_rng(2).normal(size=(9, 4))
    b = np.random.default_rng(3).normal(size=9)
    solver = lx.LSMR(rtol=1e-6, atol=1e-6)
    found = lx.linear_solve(ms.solve.LinearOperator(ideal(w)), jnp.asarray(b, jnp.float32), solver)
    np.testing.assert_allclose(found.value, np.linalg.lstsq(w, b)[0], atol=1e-4)


def test_inputs_use_the_whole_range_of_the_dac():
    w, x = np.random.default_rng(4).normal(size=(3, 6)), np.random.default_rng(5).normal(size=6)
    operator = ms.solve.LinearOperator(ideal(w, dac=ms.DAC(4)))
    codes = np.round(x / np.abs(x).max() * 7)
    for size in (1e-6, 1.0, 1e6):
        np.testing.assert_allclose(
            operator.mv(jnp.asarray(size * x, jnp.float32)), size * np.abs(x).max() / 7 * (w @ codes), rtol=2e-5
        )
    np.testing.assert_array_equal(operator.mv(jnp.zeros(6)), np.zeros(3))


def test_the_other_side_of_an_array_behind_wires_is_what_kirchhoff_says():
    with jax.enable_x64(True):
        wires = ms.ResistiveWires(20.0, 30.0, source=50.0, sink=70.0)
        device = dm.Ideal(1e-6, 25e-6)
        w = np.random.default_rng(6).uniform(0.1, 1.0, (4, 5))  # outputs, inputs
        chip = ms.Crossbar(device, wires=wires, compensation=None).program(jnp.asarray(w), key=jr.key(0))
        plus, minus = np.asarray(chip.conductances(0.0))
        scale = np.asarray(chip.scales)[0] / (25e-6 - 1e-6)
        x = np.random.default_rng(7).normal(size=4)
        found = ms.solve.transposed(chip.at(0.0))(jnp.asarray(x))

        def driven_at_the_bit_lines(g):
            # The same resistors: the driver of a bit line, with the 70 ohm of its sink, is beyond the last row, and a
            # word line ends behind the 50 ohm of its driver at column 0.
            settings = {"source": 70.0, "sink": 50.0, "drive": "right", "sense": "top"}
            return dense_crossbar(g.T, x * scale, 30.0, 20.0, **settings).currents

        expected = driven_at_the_bit_lines(plus) - driven_at_the_bit_lines(minus)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"adc": ms.ADC(8)}, "an ADC"),
        ({"mapping": ms.BitSliced(ms.DifferentialPair(), 2, 2), "adc": ms.ADC(8)}, "bit-sliced"),
        ({"device": dm.Ideal(iv=dm.iv.Sinh(2.0))}, "nonlinear"),
    ],
)
def test_an_array_that_has_no_other_side_is_refused(settings, words):
    matrix = ms.Crossbar(**({"device": dm.Ideal()} | settings)).deploy(jnp.eye(3), 0.0, key=KEY)
    with pytest.raises(ValueError, match=words):
        ms.solve.LinearOperator(matrix).transpose()


def test_another_vector_another_count_and_another_key_have_other_noise_and_the_same_has_the_same():
    matrix = NOISY.deploy(jnp.ones((2, 3)), 1.0, key=KEY)
    operator, x = ms.solve.LinearOperator(matrix, key=jr.key(1), count=jnp.asarray(0)), np.array([1.0, 0.5, -0.25])
    product = jax.jit(lambda operator, x: operator.mv(x) - matrix.effective_weight @ x)
    near, turned = np.array([1.0, 0.5, np.nextafter(np.float32(-0.25), 0)]), x[::-1]
    noise = [
        float(product(each, jnp.asarray(vector, jnp.float32))[0])
        for each, vector in (
            (operator, x),
            (operator, near),
            (operator, turned),
            (operator.again(), x),
            (ms.solve.LinearOperator(matrix, jr.key(2), jnp.asarray(0)), x),
            (operator, x),
        )
    ]
    assert len(set(noise)) == len(noise) - 1 and noise[-1] == noise[0]


@pytest.mark.slow
def test_noise_of_a_product_has_the_variance_of_a_read_of_the_scaled_vector():
    matrix = NOISY.deploy(jnp.ones((2, 3)), 1.0, key=KEY)
    draws, x = 4000, np.array([2.0, -1.0, 0.5])
    scaled = jnp.asarray(x * (1 + 1e-4 * np.random.default_rng(8).random((draws, 1))), jnp.float32)
    found = np.asarray(jax.vmap(ms.solve.LinearOperator(matrix, key=jr.key(3)).mv)(scaled))
    # White noise without a DAC: a height x / 2 that the full input 1 stands for.
    expected = 4 * (x / 2) ** 2 @ np.asarray(matrix.noise.variance)
    # The standard error of a variance of n normal draws is sqrt(2 / n) of it; five of them.
    np.testing.assert_allclose(found.var(0), expected, rtol=5 * (2 / draws) ** 0.5)
