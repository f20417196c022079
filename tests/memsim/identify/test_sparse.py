"""Larger arrays than ngspice gives, judged by the nodal equations of all their wires, solved by SuperLU in scipy."""

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu

import device_models as dm
import memsim as ms
from circuits import resistors
from helpers import slow

OHMS = np.array([2.0, 3.0, 40.0, 25.0])


def currents(g, x):
    """Out of the drivers and into the sinks, for voltages `x` of all terminals."""
    rows, columns = g.shape
    links = [(a, b, 1 / ohm) for a, b, ohm in resistors(g.shape, *OHMS)]
    links += [(("w", i, j), ("b", i, j), g[i, j]) for i, j in np.ndindex(g.shape)]
    ends = [("v", i) for i in range(rows)] + [("o", j) for j in range(columns)]
    inner = [(kind, i, j) for kind in "wb" for i, j in np.ndindex(g.shape)]
    place = {node: k for k, node in enumerate([*ends, *inner])}
    a, b = (np.array([place[link[end]] for link in links]) for end in (0, 1))
    s, t = np.array([link[2] for link in links]), len(ends)
    entries = np.concatenate([s, s, -s, -s]), (np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a]))
    y = coo_matrix(entries).tocsc()
    volts = splu(y[t:, t:]).solve(-(y[t:, :t] @ x.T))
    into = (y[:t, :t] @ x.T + y[:t, t:] @ volts).T
    return np.concatenate([into[:, :rows], -into[:, rows:]], axis=1)


@pytest.mark.parametrize("size, reads", [(24, 24), slow(32, 32), slow(64, 64)])
def test_cells_and_wires_are_told_from_all_terminals_by_half_as_many_reads_as_terminals(size, reads):
    """Cells anywhere in the range, resistances guessed within a factor of two: within 1 % of it, and 5 %."""
    rng = np.random.default_rng(size)
    g, x = rng.uniform(1e-6, 100e-6, (size, size)), rng.choice([-0.2, 0.2], (reads, 2 * size))
    guess = ms.ResistiveWires(*OHMS * [2.0, 0.5, 0.5, 2.0])
    circuit = ms.identify.Circuit(dm.Ideal(1e-6, 100e-6), size, size, guess, terminals="all")
    found = ms.identify.infer(x, currents(g, x), circuit)
    assert np.abs(found.conductances.mean[0] - g).max() < 0.01 * 99e-6
    names = ("word_line", "bit_line", "source", "sink")
    assert np.abs(np.array([found.shared[name].median for name in names]) / OHMS - 1).max() < 0.05
    assert found.not_told == ()
