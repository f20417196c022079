"""Several cells that act as one, and cells that fail with age."""

import math

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm

N, STANDARD_ERRORS = 50_000, 4
NOISY = dm.Gaussian(
    0.0, 25e-6, write_noise=dm.curves.Constant(0.5e-6), noise=dm.ageing.Steady(dm.curves.Constant(0.2e-6))
)


@eqx.filter_jit
def at_start(device, target):
    """Conductance and read noise of N cells, in microsiemens."""
    cells, t = device.program(jnp.full(N, target), key=jr.key(0)), jnp.zeros(())
    return 1e6 * device.conductance(cells, t), 1e6 * device.read_noise(cells, t)


@pytest.mark.parametrize("n", [1, 4])
def test_errors_of_parallel_cells_add_in_squares(n):
    device = dm.Parallel(NOISY, n)
    assert (device.g_min, device.g_max) == (0.0, n * 25e-6)
    g, std = (np.asarray(x, np.float64) for x in at_start(device, n * 12e-6))
    sigma = 0.5 * math.sqrt(n)
    assert abs(g.mean() - n * 12) < STANDARD_ERRORS * sigma / math.sqrt(N)
    assert abs(g.std() - sigma) < STANDARD_ERRORS * sigma / math.sqrt(2 * N)
    np.testing.assert_allclose(std, 0.2 * math.sqrt(n), rtol=1e-5)


def test_the_fine_cell_of_a_pair_takes_over_the_error_of_the_coarse_one():
    # Coarse error 0.5 uS, far within the reach 12.5 / 5 uS of the fine cell: what is left is 0.5 / 5 uS.
    g, std = (np.asarray(x, np.float64) for x in at_start(dm.CellPair(NOISY, NOISY, significance=5.0), 12e-6))
    assert abs(g.mean() - 12) < STANDARD_ERRORS * 0.1 / math.sqrt(N)
    assert abs(g.std() - 0.1) < STANDARD_ERRORS * 0.1 / math.sqrt(2 * N)
    np.testing.assert_allclose(std, math.hypot(0.2, 0.2 / 5), rtol=1e-5)


def test_the_fine_cell_corrects_no_further_than_its_range():
    coarse = dm.Gaussian(
        0.0, 25e-6, write_noise=dm.curves.Constant(3e-6), noise=dm.ageing.Steady(dm.curves.Constant(0.0))
    )
    g, _ = at_start(dm.CellPair(coarse, dm.Ideal(), significance=25.0), 12e-6)  # the fine cell reaches 0.5 uS
    error = np.abs(np.asarray(g, np.float64) - 12)
    inside = math.erf(0.5 / 3 / math.sqrt(2))
    assert (error < 1e-3).mean() == pytest.approx(inside, abs=STANDARD_ERRORS * math.sqrt(inside / N))


def test_resistance_grows_by_a_power_law_from_the_onset_on():
    device = dm.Retention(dm.Ideal(), onset=1e4, exponent=0.25)
    times = (0.0, 1e4, 16e4)
    left = [float(device.conductance(jnp.asarray(1e-5), jnp.asarray(t))) for t in times]
    np.testing.assert_allclose(left, [1e-5, 1e-5, 0.5e-5], rtol=1e-6)  # 16^-0.25 = 1/2


def test_retention_follows_the_equation_of_its_paper():
    # Lammie 2021: log10 R = p3 s log10(x) + log10 R0 - p3 s log10(x_th), x_th = p0 exp(s), s = p1 c + p2 T'.
    p, temperature, c = (1e3, 0.05, 2.0, 0.1), 358.0, 20.0
    device = dm.retention_lammie2021(dm.Ideal(), p, temperature=temperature, cell_size=20e-9)
    s = p[1] * c + p[2] * min(298 / temperature, 1)
    threshold, t = p[0] * math.exp(s), 1e6
    log_r = p[3] * s * math.log10(t) + 5.0 - p[3] * s * math.log10(threshold)
    got = float(device.conductance(jnp.asarray(1e-5), jnp.asarray(t)))
    assert got == pytest.approx(10**-log_r, rel=1e-5)
    hotter = dm.retention_lammie2021(dm.Ideal(), p, temperature=400.0, cell_size=20e-9)
    assert float(hotter.onset) < float(device.onset)


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: dm.Parallel(dm.Ideal(), 0), "at least 1"),
        (lambda: dm.CellPair(dm.Ideal(), dm.Ideal(), significance=0.5), "at least 1"),
        (lambda: dm.CellPair(dm.Ideal(iv=dm.iv.Sinh(2.0)), dm.Ideal(), significance=2.0), "ohmic"),
        (lambda: dm.Retention(dm.Ideal(), onset=0.0, exponent=0.1), "positive and finite"),
        (lambda: dm.Retention(dm.Ideal(), onset=1.0, exponent=-0.1), "at least 0"),
        (lambda: dm.retention_lammie2021(dm.Ideal(), (1.0, 1.0, 1.0, 1.0), temperature=-5.0), "kelvin"),
        (lambda: dm.retention_lammie2021(dm.Ideal(), (1.0, 1.0, 1.0, 1.0), cell_size=10.0), "Nanometres"),
    ],
)
def test_bad_input_is_refused_with_its_remedy(make, says):
    with pytest.raises(ValueError, match=says):
        make()
