"""Current-voltage relations follow their published formulas, and their derivative is the conductance."""

import math
import re

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import device_models as dm

G = np.array([62.5e-6, 76.2e-6, 93.9e-6, 110e-6])  # those that Milo et al., IRPS 2021, measured
V = np.array([-0.5, -0.2, -0.05, 0.0, 0.1, 0.3, 0.5])


def milo(g, v):
    """Milo et al., IRPS 2021, Fig. 1, as fitted in CrossSim: retyped."""
    x = np.log10(g)
    nl2 = 1.388e-4 * x**3 + 1.541e-3 * x**2 + 5.711e-3 * x + 7.063e-3
    nl3 = 8.8710e-5 * x**2 + 6.7919e-4 * x + 1.2968e-3
    return g * v + nl2 * v**2 + nl3 * v**3


IVS = {
    "Ohmic": (dm.iv.Ohmic(), lambda g, v: g * v),
    "Sinh": (dm.iv.Sinh(2.5), lambda g, v: g * np.sinh(2.5 * v) / 2.5),
    "Cubic": (dm.iv.Cubic(0.8), lambda g, v: g * (v + 0.8 * v**3)),
    "MiloPolynomial": (dm.iv.MiloPolynomial(), milo),
}
every_iv = pytest.mark.parametrize("iv, formula", IVS.values(), ids=IVS.keys())
PAIRS = tuple(x.ravel() for x in np.meshgrid(G, V))


@every_iv
def test_current_is_the_formula(iv, formula):
    g, v = PAIRS
    current = iv.current(jnp.asarray(g, jnp.float32), jnp.asarray(v, jnp.float32))
    assert current.dtype == jnp.float32
    # Milo's polynomials cancel to 1e-3 of their terms: 1e-9 A/V^2 of float32.
    np.testing.assert_allclose(current, formula(g, v), rtol=1e-6, atol=1e-9)
    with jax.enable_x64(True):
        np.testing.assert_allclose(iv.current(jnp.asarray(g), jnp.asarray(v)), formula(g, v), rtol=1e-12, atol=1e-18)


@pytest.mark.parametrize(
    "iv, v, current",
    [  # a cell of 100 uS, worked out by hand to the digits shown
        (dm.iv.Ohmic(), 0.2, 20.0e-6),
        (dm.iv.Sinh(2.5), 0.2, 20.8438e-6),  # sinh(0.5) = 0.521095
        (dm.iv.Cubic(1.0), 0.2, 20.8e-6),
        (dm.iv.MiloPolynomial(), 0.2, 19.6672e-6),  # x = -4: N_2 = -8.2e-6, N_3 = -6e-7
        (dm.iv.MiloPolynomial(), -0.2, -20.3232e-6),
    ],
)
def test_current_takes_the_golden_value(iv, v, current):
    np.testing.assert_allclose(iv.current(jnp.asarray(100e-6), jnp.asarray(v)), current, rtol=0, atol=5.1e-10)


@every_iv
def test_conductance_is_the_slope_of_the_current(iv, formula):
    step = 1e-5  # the error of a central difference is step^2 / 6 times the third derivative
    g, v = np.meshgrid(G, np.array([-0.4, -0.1, 0.0, 0.2, 0.4]))
    slope = (formula(g, v + step) - formula(g, v - step)) / (2 * step)
    with jax.enable_x64(True):
        got = eqx.filter_jit(iv.conductance)(jnp.asarray(g), jnp.asarray(v))
    np.testing.assert_allclose(got, slope, rtol=1e-8)


@every_iv
def test_conductance_at_zero_voltage_is_g(iv, formula):
    g = jnp.asarray(G, jnp.float32)
    np.testing.assert_allclose(iv.conductance(g, jnp.zeros_like(g)), g, rtol=1e-6)


@every_iv
def test_products_of_terms_and_basis_read_an_array(iv, formula):
    # 6 vectors of 4 inputs on 4 x 3 cells: as many matrix products as terms, against each cell by itself.
    rng = np.random.default_rng(0)
    g, v = rng.uniform(60e-6, 110e-6, (4, 3)), rng.uniform(-0.5, 0.5, (6, 4))
    terms, basis = iv.terms(jnp.asarray(g, jnp.float32)), iv.basis(jnp.asarray(v, jnp.float32))
    products = [np.asarray(b, np.float64) @ np.asarray(t, np.float64) for t, b in zip(terms, basis, strict=True)]
    np.testing.assert_allclose(sum(products), formula(g, v[:, :, None]).sum(1), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("name", ["Ohmic", "Sinh", "Cubic"])
def test_current_at_the_opposite_voltage_is_opposite(name):
    iv, (g, v) = IVS[name][0], (jnp.asarray(x, jnp.float32) for x in PAIRS)
    np.testing.assert_allclose(iv.current(g, -v), -iv.current(g, v), rtol=1e-6)


def test_even_part_of_milo_is_the_published_quadratic():
    # I(v) + I(-v) = 2 N_2 v^2; N_2 = -8.2e-6 A/V^2 at 100 uS, by hand: less current forward, more backward.
    with jax.enable_x64(True):
        g, v = jnp.full(3, 100e-6), jnp.asarray([0.1, 0.3, 0.5])
        even = dm.iv.MiloPolynomial().current(g, v) + dm.iv.MiloPolynomial().current(g, -v)
    np.testing.assert_allclose(even, 2 * -8.2e-6 * np.array([0.1, 0.3, 0.5]) ** 2, rtol=1e-6)


def test_currents_of_milo_rise_with_the_voltage_at_every_conductance():
    """The published polynomials do not, below 38 uS: outside 50 to 225 uS their shape is held."""
    g, v = (jnp.asarray(a.ravel()) for a in np.meshgrid(np.geomspace(1e-9, 1e-3, 50), np.linspace(-0.5, 0.5, 41)))
    slope = jax.jit(dm.iv.MiloPolynomial().conductance)(g, v)
    assert jnp.all(slope > 0.1 * g)
    low = dm.iv.MiloPolynomial().current(jnp.asarray([0.0, 1e-6, 50e-6]), jnp.full(3, 0.5))
    np.testing.assert_allclose(low[:2], low[2] * np.array([0.0, 1 / 50]), rtol=1e-5)


@every_iv
def test_gradients_are_finite_in_open_cells(iv, formula):
    g, v = jnp.zeros(3), jnp.asarray([-0.3, 0.0, 0.3])
    in_g, in_v = eqx.filter_jit(jax.grad(lambda g, v: iv.current(g, v).sum(), argnums=(0, 1)))(g, v)
    assert np.isfinite(in_g).all()
    np.testing.assert_array_equal(in_v, 0.0)


def test_kappa_and_a_may_be_trained():
    # dI/dkappa = g (v cosh(kappa v) / kappa - sinh(kappa v) / kappa^2), dI/da = g v^3.
    g, v, k = 100e-6, 0.4, 2.5
    in_kappa = jax.grad(lambda k: dm.iv.Sinh(k).current(jnp.asarray(g), jnp.asarray(v)))(jnp.asarray(k))
    np.testing.assert_allclose(in_kappa, g * (v * math.cosh(k * v) / k - math.sinh(k * v) / k**2), rtol=1e-5)
    in_a = jax.grad(lambda a: dm.iv.Cubic(a).current(jnp.asarray(g), jnp.asarray(v)))(jnp.asarray(1.0))
    np.testing.assert_allclose(in_a, g * v**3, rtol=1e-5)


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: dm.iv.Sinh(0.0), "Ohmic()"),
        (lambda: dm.iv.Sinh(-2.5), "positive"),
        (lambda: dm.iv.Sinh(math.inf), "finite"),
        (lambda: dm.iv.Sinh(math.nan), "finite"),
        (lambda: dm.iv.Cubic(-0.1), "at least 0"),
        (lambda: dm.iv.Cubic(math.inf), "finite"),
        (lambda: dm.iv.MiloPolynomial().basis(jnp.asarray([0.1, 0.6])), "v_read"),
        (lambda: dm.iv.MiloPolynomial().basis(jnp.asarray([-0.6])), "0.5 V"),
        (lambda: dm.iv.MiloPolynomial().basis(jnp.asarray([math.nan])), "0.5 V"),
    ],
)
def test_bad_input_is_refused_with_its_remedy(make, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()


def test_a_traced_voltage_beyond_the_range_of_milo_makes_nan_there_only():
    current = jax.jit(dm.iv.MiloPolynomial().current)(jnp.full(4, 100e-6), jnp.asarray([-0.6, -0.5, 0.5, 0.6]))
    np.testing.assert_array_equal(np.isnan(current), [True, False, False, True])
