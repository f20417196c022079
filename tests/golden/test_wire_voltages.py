"""Voltages and currents within a crossbar, cells of a nonlinear I-V among them, against others' solutions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_wires import DATA, case, random_array

import device_models as dm
from circuits import HAS_NGSPICE, dense_crossbar, ngspice
from helpers import slow
from memsim import ResistiveWires

KAPPA = 2.5
needs_ngspice = pytest.mark.skipif(not HAS_NGSPICE, reason="ngspice is not installed; Debian has it as a package")


@pytest.mark.parametrize("name", [slow("bcb_2x3_hand"), slow("bcb_8x5_nodes"), "bcb_16x16_spice"])
def test_node_voltages_are_those_of_another_solver(name):
    data = np.load(DATA / f"{name}.npz")
    with jax.enable_x64(True):
        g, v, _, (word, bit, _) = case(DATA / f"{name}.npz")
        found = ResistiveWires(float(word), float(bit)).solve(jnp.asarray(g), jnp.asarray(v[0]))
        np.testing.assert_allclose(found.word_line, data["V_wl"][0], atol=1e-13)
        np.testing.assert_allclose(found.bit_line, data["V_bl"][0], atol=1e-13)


@pytest.mark.parametrize("drive, sense", [slow("left", "bottom"), ("right", "top"), slow("both", "bottom")])
def test_voltages_currents_and_power_balance(drive, sense):
    g, v = random_array(6, 9), np.random.default_rng(1).normal(size=6)
    settings = {"source": 3.0, "sink": 4.0, "drive": drive, "sense": sense}
    exact = dense_crossbar(g, v, 1.0, 2.0, **settings)
    with jax.enable_x64(True):
        found = ResistiveWires(1.0, 2.0, **settings).solve(jnp.asarray(g), jnp.asarray(v))
        np.testing.assert_allclose(found.word_line, exact.word_line, atol=1e-11)
        np.testing.assert_allclose(found.bit_line, exact.bit_line, atol=1e-11)
        np.testing.assert_allclose(found.currents, exact.currents, atol=1e-11 * np.abs(exact.currents).max())
        cells = g * (exact.word_line - exact.bit_line)
        np.testing.assert_allclose(found.cell_currents, cells, atol=1e-11 * np.abs(cells).max())
        np.testing.assert_allclose(found.power, v @ cells.sum(1), rtol=1e-10)
        in_cells = np.sum(cells * (exact.word_line - exact.bit_line))
        np.testing.assert_allclose(found.wire_power, v @ cells.sum(1) - in_cells, rtol=1e-8)


@pytest.mark.slow
def test_the_two_solvers_agree_where_lines_are_ideal():
    g, v = jnp.asarray(random_array(7, 5)), jnp.linspace(-1.0, 1.0, 7)
    for resistances in ((0.0, 3.0), (3.0, 0.0), (0.0, 0.0)):
        wires = ResistiveWires(*resistances, sink=2.0)
        found, matrix = wires.solve(g, v), wires.effective(g)
        np.testing.assert_allclose(found.currents, v @ matrix, rtol=2e-5)


@pytest.mark.slow
def test_ohmic_cells_are_the_linear_case_of_the_nonlinear_solver():
    g, v = jnp.asarray(random_array(6, 8)), jnp.linspace(-0.3, 0.2, 6)
    wires = ResistiveWires(5.0, 3.0)
    point = wires.operating_point(dm.Ideal(), g, v)
    np.testing.assert_allclose(point.currents, v @ wires.effective(g), rtol=1e-4)
    assert point.iterations <= 2


def test_one_sinh_cell_in_series_with_wires_by_bisection():
    from scipy.optimize import brentq

    g, resistance = 1e-3, 300.0
    with jax.enable_x64(True):
        wires = ResistiveWires(100.0, 150.0, source=20.0, sink=30.0)
        found = wires.currents(dm.Ideal(iv=dm.iv.Sinh(KAPPA)), jnp.asarray([[g]]), jnp.asarray([1.5]))
    exact = brentq(lambda i: i - g * np.sinh(KAPPA * (1.5 - resistance * i)) / KAPPA, 0, 0.1, xtol=1e-16)
    np.testing.assert_allclose(found, exact, rtol=1e-10)


@pytest.mark.parametrize("drive, sense", [("left", "bottom"), ("both", "top")])
@needs_ngspice
def test_sinh_cells_behind_wires_and_terminals_are_those_of_ngspice(drive, sense, tmp_path):
    rng = np.random.default_rng(4)
    g, v = 10.0 ** rng.uniform(-5, -3, (9, 12)), rng.uniform(-0.6, 0.6, 9)
    settings = {"source": 50.0, "sink": 20.0, "drive": drive, "sense": sense}
    judge = ngspice(g, v, 1.5, 2.5, tmp_path, cell=f"{{g}}*sinh({KAPPA}*{{u}})/{KAPPA}", **settings)
    with jax.enable_x64(True):
        wires = ResistiveWires(1.5, 2.5, **settings)
        found = wires.currents(dm.Ideal(iv=dm.iv.Sinh(KAPPA)), jnp.asarray(g), jnp.asarray(v))
    np.testing.assert_allclose(found, judge, atol=1e-6 * np.abs(judge).max())


@needs_ngspice
def test_ohmic_cells_are_those_of_ngspice(tmp_path):
    g, v = random_array(10, 7), np.random.default_rng(5).normal(size=10)
    settings = {"source": 5.0, "sink": 2.0, "drive": "right", "sense": "bottom"}
    judge = ngspice(g, v, 1.5, 2.5, tmp_path, **settings)
    with jax.enable_x64(True):
        found = v @ np.asarray(jax.jit(ResistiveWires(1.5, 2.5, **settings).effective)(jnp.asarray(g)))
    np.testing.assert_allclose(found, judge, atol=1e-6 * np.abs(judge).max())


def test_the_implicit_gradient_is_a_finite_difference():
    rng = np.random.default_rng(6)
    with jax.enable_x64(True):
        g, v = jnp.asarray(10.0 ** rng.uniform(-4, -2, (4, 5))), jnp.asarray(rng.uniform(-0.8, 0.8, 4))
        weights = jnp.asarray(rng.normal(size=5))
        device = dm.Ideal(iv=dm.iv.Sinh(KAPPA))

        @jax.jit
        def scalar(g, v, sink):
            return 1e3 * jnp.sum(weights * ResistiveWires(5.0, 3.0, sink=sink).currents(device, g, v))

        arguments = g, v, jnp.asarray(2.0)
        found = jax.jit(jax.grad(scalar, (0, 1, 2)))(*arguments)
        found = np.concatenate([np.ravel(part) for part in found])
        flat, unravel = jax.flatten_util.ravel_pytree(arguments)
        step = 1e-4 * np.abs(flat)
        ups, downs = ([float(scalar(*unravel(flat.at[i].add(s * step[i])))) for i in range(flat.size)] for s in (1, -1))
        expected = (np.array(ups) - np.array(downs)) / (2 * step)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8 * np.abs(expected).max())


@pytest.mark.slow
def test_a_batch_of_inputs_is_mapped():
    g = jnp.asarray(random_array(5, 6))
    v = jnp.asarray(np.random.default_rng(7).normal(size=(3, 5)), jnp.float32)
    wires = ResistiveWires(2.0, 3.0)
    batch = jax.jit(jax.vmap(lambda v: wires.solve(g, v).currents))(v)
    np.testing.assert_allclose(batch, v @ wires.effective(g), rtol=2e-5, atol=1e-9)


def test_what_does_not_converge_is_told():
    """Voltages that are known not to be finite are refused before, those that are traced cannot be."""
    wires, g, v = ResistiveWires(1.0, 1.0), jnp.ones((2, 2)), jnp.asarray([1.0, jnp.nan])
    with pytest.raises(Exception, match="must converge within 500 iterations"):
        jax.block_until_ready(jax.jit(lambda v: wires.solve(g, v))(v))
    falling = dm.Ideal(iv=dm.iv.Cubic(0.0))
    with pytest.raises(Exception, match="operating point must be found within 50 Newton steps"):
        jax.block_until_ready(jax.jit(lambda v: wires.currents(falling, g, v))(v))
