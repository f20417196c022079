"""Windows have the published values, vanish where they should, and lose nothing to rounding near the ends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import device_models as dm

X = jnp.array([0.0, 0.1, 0.5, 0.9, 1.0])
UP, DOWN = jnp.ones(5), -jnp.ones(5)


def test_joglekar_has_the_published_values():
    """Those of p = 2 by hand, and of p = 1, where another library's misplaced square gives 3.24 at 0.1."""
    np.testing.assert_allclose(dm.memristors.Joglekar(2.0)(X, UP), [0, 0.5904, 1, 0.5904, 0], atol=1e-6)
    np.testing.assert_allclose(dm.memristors.Joglekar(1.0)(X, UP), [0, 0.36, 1, 0.36, 0], atol=1e-6)


def test_prodromakis_has_the_published_values():
    """Another library has 1.59 for the second of the last line."""
    np.testing.assert_allclose(dm.memristors.Prodromakis(2.0)(X, UP), [0, 0.1719, 0.4375, 0.1719, 0], atol=1e-4)
    np.testing.assert_allclose(dm.memristors.Prodromakis(1.0, 2.0)(X, UP), [0, 0.18, 0.5, 0.18, 0], atol=1e-6)


def test_biolek_vanishes_only_where_the_current_drives_the_state():
    np.testing.assert_allclose(dm.memristors.Biolek(2.0)(X, UP), 1 - X**4, atol=1e-6)
    np.testing.assert_allclose(dm.memristors.Biolek(2.0)(X, DOWN), 1 - (1 - X) ** 4, atol=1e-6)


def test_no_window_is_one():
    np.testing.assert_array_equal(dm.memristors.NoWindow()(X, UP), np.ones(5))


@pytest.mark.parametrize(
    "window", [dm.memristors.Joglekar(7.0), dm.memristors.Prodromakis(3.0, 2.0)], ids=["joglekar", "prodromakis"]
)
def test_a_window_near_an_end_is_proportional_to_the_distance(window):
    """By the derivative of the published form there, 4p and jp; in 32 bits, where that form cancels to noise."""
    slope = 28.0 if isinstance(window, dm.memristors.Joglekar) else 6.0
    distance = jnp.array([1e-30, 1e-12, 1e-7])
    np.testing.assert_allclose(window(distance, jnp.ones(3)), slope * distance, rtol=1e-5)
    near_one = jnp.array([1 - 2**-20])
    np.testing.assert_allclose(window(near_one, jnp.ones(1)), [slope * 2**-20], rtol=1e-4)


@pytest.mark.parametrize("make", [dm.memristors.Joglekar, dm.memristors.Biolek, dm.memristors.Prodromakis])
def test_the_gradient_to_the_power_is_finite_everywhere_and_right_between(make):
    gradient = jax.jit(jax.jacfwd(lambda p: make(p)(X, UP)))(jnp.asarray(3.0))
    assert jnp.isfinite(gradient).all()
    with jax.enable_x64(True):
        x = jnp.array([0.2])
        low, high = (float(make(p)(x, jnp.ones(1))[0]) for p in (3 - 1e-5, 3 + 1e-5))
        exact = jax.jacfwd(lambda p: make(p)(x, jnp.ones(1)))(jnp.asarray(3.0))
    np.testing.assert_allclose(exact, [(high - low) / 2e-5], rtol=1e-6)


@pytest.mark.parametrize("make", [dm.memristors.Joglekar, dm.memristors.Prodromakis, dm.memristors.Biolek])
def test_the_gradient_to_the_state_is_finite_in_the_middle_and_at_the_ends(make):
    gradient = jax.jit(jax.vmap(jax.grad(lambda x: make(2.0)(x, jnp.ones(())))))(X)
    assert jnp.isfinite(gradient).all()


def test_a_power_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        dm.memristors.Joglekar(0.5)
    with pytest.raises(ValueError, match="For no window use"):
        dm.memristors.Biolek(float("nan"))
    with pytest.raises(ValueError, match="`j` must be positive"):
        dm.memristors.Prodromakis(1.0, -1.0)


def test_both_kinds_of_interval_take_a_state_there_and_back():
    for interval in (dm.memristors.Walls(2.0, 5.0), dm.memristors.Asymptotes(2.0, 5.0)):
        states = jnp.array([2.1, 3.0, 4.9])
        np.testing.assert_allclose(interval.state(interval.coordinate(states)), states, rtol=1e-6)
        # The chain rule: a flow of one per second moves the coordinate by its own derivative.
        slope = jax.vmap(jax.grad(interval.coordinate))(states)
        rate = interval.rate(jnp.ones_like, interval.coordinate(states))
        np.testing.assert_allclose(rate, slope, rtol=1e-5)
    assert dm.memristors.Walls(2.0, 5.0).holds(2.0) and not dm.memristors.Asymptotes(2.0, 5.0).holds(2.0)


def test_a_coordinate_beyond_a_wall_comes_back_to_it_and_a_logit_may_be_anything():
    far = jnp.array([-30.0, 0.5, 30.0])
    np.testing.assert_array_equal(dm.memristors.Walls(2.0, 5.0).state(far), [2.0, 3.5, 5.0])
    interval = dm.memristors.Asymptotes(0.0, 1.0)
    np.testing.assert_array_equal(interval.keep(far), far)
    # dx/dt = x (1 - x) moves the logit by one per second, also where x rounds to one.
    np.testing.assert_allclose(interval.rate(lambda x: x * (1 - x), jnp.array([-60.0, 0.0, 60.0])), 1.0, rtol=1e-5)
