"""A crossbar from all its terminals against Kirchhoff's equations, densely and in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from circuits import resistors
from helpers import slow
from memsim.identify._network import Ohms, Sides, by_ohm, network

OHMS = (3.0, 2.0, 10.0, 20.0)
STEP = 1e-3  # ohm, of central differences
WIRED = [("left", "bottom"), slow("right", "bottom"), slow("left", "top"), ("both", "top"), slow("right", "top")]


def cells(rows=4, columns=5):
    return np.random.default_rng(0).uniform(1e-6, 80e-6, (rows, columns))


def dense(g, ohms, drive="left", sense="bottom"):
    """Currents into all terminals for one volt at each, by eliminating the inner nodes."""
    rows, columns = g.shape
    links = [(a, b, 1 / ohm) for a, b, ohm in resistors(g.shape, *ohms, drive=drive, sense=sense)]
    links += [(("w", i, j), ("b", i, j), g[i, j]) for i, j in np.ndindex(g.shape)]
    ends = [("v", i) for i in range(rows)] + [("o", j) for j in range(columns)]
    nodes = {
        node: place for place, node in enumerate([*ends, *((k, i, j) for k in "wb" for i, j in np.ndindex(g.shape))])
    }
    y = np.zeros((len(nodes), len(nodes)))
    for a, b, siemens in links:
        a, b = nodes[a], nodes[b]
        y[[a, b], [a, b]] += siemens
        y[[a, b], [b, a]] -= siemens
    t = len(ends)
    return y[:t, :t] - y[:t, t:] @ np.linalg.solve(y[t:, t:], y[t:, :t])


def solved(g, ohms, drive="left", sense="bottom"):
    with jax.enable_x64(True):
        found = network(jnp.asarray(g), Ohms(*(jnp.asarray(ohm) for ohm in ohms)), Sides(drive, sense))
        return jax.tree.map(np.asarray, found)


def slopes(found, name, sides, inputs):
    with jax.enable_x64(True):
        ohms = Ohms(*(jnp.asarray(ohm) for ohm in OHMS))
        return np.asarray(by_ohm(jnp.asarray(found.amperes), name, ohms, sides, inputs=inputs))


@pytest.mark.parametrize("drive, sense", WIRED)
def test_currents_at_all_terminals_and_their_slopes_are_those_of_the_nodal_equations(drive, sense):
    g, found = cells(), solved(cells(), OHMS, drive, sense)
    exact = dense(g, OHMS, drive, sense)
    assert np.abs(found.y - exact).max() < 1e-10 * np.abs(exact).max()
    for k, name in enumerate(Ohms._fields):
        up, down = (dense(g, OHMS + sign * STEP * np.eye(4)[k], drive, sense) for sign in (1, -1))
        slope = (up - down) / (2 * STEP)
        ours, given = (slopes(found, name, Sides(drive, sense), inputs) for inputs in (None, 4))
        assert np.abs(ours - slope).max() < 1e-4 * np.abs(slope).max()
        assert np.abs(given - slope[:4, 4:]).max() < 1e-4 * np.abs(slope[:4, 4:]).max()
    up, down = (dense(g + sign * 1e-8 * np.eye(4, 5), OHMS, drive, sense) for sign in (1, -1))
    slope = (up - down) / 2e-8
    of_cells = sum(np.outer(found.volts[:, i, i], found.volts[:, i, i]) for i in range(4))
    assert np.abs(of_cells - slope).max() < 1e-5 * np.abs(slope).max()


@pytest.mark.parametrize("sides", [("left", "bottom"), slow(("both", "top"))])
def test_without_resistance_a_cell_carries_its_own_current_only(sides):
    g = cells()
    g[1, 2] = 0.0  # open
    found = solved(g, (0.0, 0.0, 0.0, 0.0), *sides)
    assert np.allclose(found.y[:4, 4:], -g, rtol=0, atol=1e-18)
    assert np.allclose(found.y[:4, :4], np.diag(g.sum(1)), rtol=1e-12, atol=1e-18)
