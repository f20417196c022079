"""Cells that jump in log time: their law in closed form, one history, and tables that grow from nothing."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm

pytestmark = pytest.mark.slow  # minutes together

N, STANDARD_ERRORS = 50_000, 4
AGES = np.array([0.01, 1.0, 1e3, 1e5])
ONSET, RATE, HEALING, OWN, LEAN = 0.01, 0.2, 0.05, 0.15, -0.4
U = np.log1p(AGES / ONSET)


def jumps(unevenness=0.0, healing=0.0, own=0.0, lean=0.0):
    """Its numbers as arrays, so that all are one compiled function."""
    return dm.ageing.Jumps(ONSET, *map(jnp.asarray, (RATE, unevenness, healing, own, lean)))


@eqx.filter_jit
def histories(path, state, g, ages):
    return jax.vmap(lambda t: path.value(state, t, g))(ages)


def paths(path, g=0.5, ages=AGES):
    """Z of N cells, (ages, N)."""
    state = path.draw((N,), jnp.float32, key=jr.key(3))
    z = histories(path, state, jnp.full(N, g), jnp.asarray(ages, jnp.float32))
    return np.asarray(z, np.float64)


def test_correlations_are_those_of_shot_noise_that_heals():
    # Cells alike: n(u) = rate (1 - exp(-theta u)) / theta jumps last; what two ages share is n(u) exp(-theta (u' - u)).
    z = paths(jumps(healing=HEALING, own=OWN, lean=LEAN))
    lasting = RATE * (1 - np.exp(-HEALING * U)) / HEALING
    expected = np.minimum.outer(lasting, lasting) * np.exp(-HEALING * np.abs(np.subtract.outer(U, U)))
    expected = (1 - OWN) * expected / np.sqrt(np.outer(lasting, lasting))
    np.fill_diagonal(expected, 1.0)
    # A product of deviations of kurtosis up to 11 has a standard deviation of about 3.
    np.testing.assert_allclose(np.corrcoef(z), expected, rtol=0, atol=STANDARD_ERRORS * 3 / np.sqrt(N))
    np.testing.assert_allclose(z.mean(1), 0.0, rtol=0, atol=STANDARD_ERRORS / np.sqrt(N))
    np.testing.assert_allclose(z.var(1), 1.0, rtol=0, atol=STANDARD_ERRORS * 3.3 / np.sqrt(N))


def test_tails_are_those_of_a_poisson_number_of_jumps():
    # A Poisson sum of n jumps m + sqrt(1 - m^2) eta: cumulants n E[x^3] and n E[x^4], with E[eta^4] = 3 - 1.2 / 4.
    z = paths(jumps(lean=LEAN))[2:]
    n, s = RATE * U[2:], 1 - LEAN**2
    third, fourth = 3 * LEAN * s + LEAN**3, LEAN**4 + 6 * LEAN**2 * s + 2.7 * s**2
    np.testing.assert_allclose((z**3).mean(1), third / np.sqrt(n), rtol=0, atol=0.08)
    np.testing.assert_allclose((z**4).mean(1) - 3, fourth / n, rtol=0, atol=0.3)


def test_cells_that_jump_more_than_others_keep_the_tails_heavy():
    # The rate v = (1 + a) U^a of mean 1 adds 3 var(v) of kurtosis, var(v) = a^2 / (1 + 2 a).
    a = 2.0
    even, uneven = (paths(jumps(unevenness=of))[-1] for of in (0.0, a))
    added = np.mean(uneven**4) / np.var(uneven) ** 2 - np.mean(even**4)
    np.testing.assert_allclose(added, 3 * a**2 / (1 + 2 * a), rtol=0, atol=0.7)


def test_the_level_decides_where_a_part_is_a_table():
    own = dm.curves.Table((0.0, 1.0), (0.0, 1.0))
    path = dm.ageing.Jumps(ONSET, 0.3, own=own)
    state = path.draw((N,), jnp.float32, key=jr.key(3))
    g = jnp.asarray(np.resize([0.0, 0.5, 1.0], N), jnp.float32)
    z = np.asarray(histories(path, state, g, jnp.asarray(AGES, jnp.float32)), np.float64)
    found = [np.corrcoef(z[:, i::3])[1, 3] for i in range(3)]
    share = np.sqrt(U[1] / U[3])
    np.testing.assert_allclose(found, [share, share / 2, 0.0], rtol=0, atol=0.06)
    with pytest.raises(ValueError, match="`g` must say"):
        path.value(jnp.zeros(3, jnp.uint32), jnp.asarray(1.0))


def test_one_cell_has_one_history_in_any_order_of_asking():
    path = dm.ageing.Jumps(ONSET, RATE, healing=HEALING, own=OWN)
    state = path.draw((50,), jnp.float32, key=jr.key(0))
    ages = [jnp.asarray(t, jnp.float32) for t in (1e4, 0.1, 3.0)]
    first = [path.value(state, t) for t in ages]
    again = [path.value(state, t) for t in reversed(ages)][::-1]
    np.testing.assert_array_equal(first, again)
    assert "jumps" in path.assumes and "drawn anew" in path.assumes


def test_growth_is_linear_in_log_time_between_its_tables():
    at, onset = (0.0, 1.0), 0.01
    spread = dm.ageing.Growth(
        (1.0, 100.0), (dm.curves.Table(at, (1e-6, 2e-6)), dm.curves.Table(at, (2e-6, 2e-6))), onset, power=2
    )
    g = jnp.array([0.0, 1.0], jnp.float32)

    def clock(t):
        return np.log1p(t / onset)

    between = (clock(10.0) - clock(1.0)) / (clock(100.0) - clock(1.0))
    before = clock(0.1) / clock(1.0)
    beyond = 1 + (clock(1e4) - clock(100.0)) / (clock(100.0) - clock(1.0))
    squares = np.array(
        [[0.0, 0.0], [before, 4 * before], [1.0, 4.0], [1 + 3 * between, 4.0], [1 + 3 * beyond, 4.0]],
    )
    found = jax.jit(jax.vmap(lambda t: spread(g, t)))(jnp.array([0.0, 0.1, 1.0, 10.0, 1e4], jnp.float32))
    np.testing.assert_allclose(found, 1e-6 * np.sqrt(squares), rtol=1e-5, atol=1e-12)
    slope = jax.grad(lambda t: spread(g, t).sum())(jnp.asarray(0.0))
    assert np.isfinite(slope)


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda table: dm.ageing.Growth((1.0, 0.5), (table, table), 0.01), "increasing"),
        (lambda table: dm.ageing.Growth((1.0,), (table, table), 0.01), "one of `tables` for each"),
        (
            lambda table: dm.ageing.Growth((1.0, 2.0), (table, dm.curves.Table((0.0, 0.5), (1.0, 1.0))), 0.01),
            "same relative",
        ),
        (lambda table: dm.ageing.Jumps(0.01, 0.0), "`rate` must be positive"),
        (lambda table: dm.ageing.Jumps(0.01, 0.1, lean=2.0), "`lean` must be"),
    ],
)
def test_what_cannot_be_is_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make(dm.curves.Table((0.0, 1.0), (1.0, 1.0)))
