"""The matrix a crossbar presents behind its wires: against other solvers, a dense solve, and finite differences."""

from pathlib import Path

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
from circuits import dense_crossbar
from helpers import quick_and_slow, slow
from memsim import AlphaBetaWires, Crossbar, DifferentialPair, IdealWires, ResistiveWires

DATA = Path(__file__).parents[1] / "data" / "irdrop"
# Slow ones; of 64 by 64 there is one that is quick.
LARGE = ("bcb_16x16_spice", "bcb_24x40_signed", "bcb_32x32_open", "bcb_256x256_r1_p1")
CASES = sorted(path.stem for path in DATA.glob("*.npz"))


def case(path):
    """Conductances, inputs, currents and the wires of a reference result."""
    data = np.load(path)
    sense = "top" if "top" in path.stem else "bottom"
    return data["G"], np.atleast_2d(data["V"]), np.atleast_2d(data["I"]), (data["r_wl"], data["r_bl"], sense)


def relative_error(path, dtype):
    g, v, currents, (word, bit, sense) = case(path)
    wires = ResistiveWires(jnp.asarray(word, dtype), jnp.asarray(bit, dtype), sense=sense)
    found = v @ np.asarray(wires.effective(jnp.asarray(g, dtype)), np.float64)
    return np.abs(found - currents).max() / np.abs(currents).max()


@pytest.mark.parametrize("name", quick_and_slow([c for c in CASES if c not in LARGE], CASES))
def test_currents_are_those_of_other_solvers(name):
    with jax.enable_x64(True):
        assert relative_error(DATA / f"{name}.npz", jnp.float64) < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("name", [slow("bcb_24x40_signed"), "bcb_64x64_severe", "bcb_256x256_r1_p1"])
def test_single_precision_suffices_up_to_losses_of_seventy_percent(name):
    assert relative_error(DATA / f"{name}.npz", jnp.float32) < 2e-5


def random_array(rows, columns, seed=0):
    """Conductances over four decades, one in five cells open, some as good as the wires."""
    rng = np.random.default_rng(seed)
    g = 10.0 ** rng.uniform(-6, -2, (rows, columns))
    return np.where(rng.random((rows, columns)) < 0.2, 0.0, g)


@pytest.mark.parametrize(
    "drive, sense", [slow("left", "top"), ("right", "bottom"), slow("both", "bottom"), ("both", "top")]
)
def test_every_side_and_terminal_resistance_is_that_of_a_dense_solve(drive, sense):
    g, settings = random_array(5, 11), {"source": 3.0, "sink": 4.0, "drive": drive, "sense": sense}
    with jax.enable_x64(True):
        found = ResistiveWires(1.0, 2.0, **settings).effective(jnp.asarray(g))
        for i in range(5):
            exact = dense_crossbar(g, np.eye(5)[i], 1.0, 2.0, **settings)
            np.testing.assert_allclose(found[i], exact.currents, atol=1e-12 * exact.currents.max())


@pytest.mark.parametrize("drive", [slow("left"), "both"])
def test_lines_without_resistance_are_ideal(drive):
    g = jnp.asarray(random_array(6, 7))
    np.testing.assert_allclose(ResistiveWires(0.0, 0.0, drive=drive).effective(g), g, rtol=1e-6)


def test_an_ideal_word_line_behind_a_driver_is_a_divider():
    """All cells of a row in parallel behind the driver, bit lines ideal: by hand."""
    g = random_array(4, 6)
    share = 1 / (1 + 100.0 * g.sum(1, keepdims=True))
    np.testing.assert_allclose(ResistiveWires(0.0, 0.0, source=100.0).effective(jnp.asarray(g)), g * share, rtol=1e-5)
    both = ResistiveWires(0.0, 0.0, source=200.0, drive="both").effective(jnp.asarray(g))
    np.testing.assert_allclose(both, g * share, rtol=1e-5)


def test_one_cell_is_three_resistors_in_series():
    found = ResistiveWires(7.0, 11.0, source=2.0, sink=5.0).effective(jnp.asarray([[1e-3]]))
    np.testing.assert_allclose(found, 1 / (1000.0 + 7 + 11 + 2 + 5), rtol=1e-6)


def test_gradients_are_finite_differences():
    """Of every conductance and resistance, at a word line of zero resistance, too."""
    rng = np.random.default_rng(1)
    g, weights = random_array(6, 5) + 1e-6, rng.normal(size=(6, 5))
    with jax.enable_x64(True):
        weights = jnp.asarray(weights)

        @jax.jit
        def scalar(g, resistances):
            return jnp.sum(weights * ResistiveWires(*resistances, drive="both").effective(g) * 1e3) ** 2

        arguments = jnp.asarray(g), jnp.asarray([0.0, 2.0, 3.0, 4.0])
        found = np.concatenate([np.ravel(a) for a in jax.jit(jax.grad(scalar, (0, 1)))(*arguments)])
        flat, unravel = jax.flatten_util.ravel_pytree(arguments)
        step = np.maximum(1e-4 * np.abs(flat), 1e-9)
        step[-4] = 1e-4  # one-sided below: a resistance is not negative
        expected = []
        for i in range(flat.size):
            up, down = (float(scalar(*unravel(flat.at[i].add(sign * step[i])))) for sign in (1, -1))
            expected.append((up - down) / (2 * step[i]))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())


@pytest.mark.slow
def test_arrays_and_chips_are_mapped():
    g = jnp.stack([jnp.asarray(random_array(5, 6, seed)) for seed in range(3)])
    wires = ResistiveWires(1.0, 2.0)
    mapped = jax.jit(jax.vmap(wires.effective))(g)
    for one, alone in zip(mapped, g, strict=True):
        np.testing.assert_allclose(one, wires.effective(alone), rtol=1e-5, atol=1e-9)
    gradient = jax.jit(jax.vmap(jax.grad(lambda g: jnp.sum(wires.effective(g)))))(g)
    alone = jax.jit(jax.grad(lambda g: jnp.sum(wires.effective(g))))(g[1])
    np.testing.assert_allclose(gradient[1], alone, rtol=1e-4, atol=1e-6)


def test_a_resistance_may_be_traced():
    g = jnp.asarray(random_array(4, 4))
    resistances = jnp.asarray([0.0, 5.0])
    found = jax.jit(jax.vmap(lambda r: ResistiveWires(r, r).effective(g)))(resistances)
    np.testing.assert_allclose(found[0], g, rtol=1e-6)
    np.testing.assert_allclose(found[1], ResistiveWires(5.0, 5.0).effective(g), rtol=1e-5)


@pytest.mark.slow
def test_the_closed_form_is_close_and_exact_for_a_single_line():
    g = 10.0 ** np.random.default_rng(2).uniform(-5, -4, (32, 32))
    v = np.random.default_rng(3).uniform(0, 0.2, (100, 32))
    exact, close = (
        v @ np.asarray(make(1.0, 1.0).effective(jnp.asarray(g))) for make in (ResistiveWires, AlphaBetaWires)
    )
    assert np.abs(close - exact).mean() / exact.mean() < 4e-4
    assert np.abs(v @ g - exact).mean() / exact.mean() > 1e-2
    # One cell on each line: the divider is all there is, but that it counts word and bit line one after the other.
    one = jnp.asarray([[1e-3]])
    np.testing.assert_allclose(
        AlphaBetaWires(7.0, 0.0, source=2.0).effective(one),
        ResistiveWires(7.0, 0.0, source=2.0).effective(one),
        rtol=1e-6,
    )


@pytest.mark.parametrize("drive, sense", [slow("left", "top"), ("right", "bottom")])
def test_the_closed_form_knows_its_sides(drive, sense):
    g = jnp.asarray(random_array(8, 12) * 1e-2)
    settings = {"source": 3.0, "sink": 4.0, "drive": drive, "sense": sense}
    exact, close = (make(5.0, 9.0, **settings).effective(g) for make in (ResistiveWires, AlphaBetaWires))
    assert jnp.max(jnp.abs(close - exact)) < 0.1 * jnp.max(jnp.abs(g - exact))


def test_ideal_wires_change_nothing():
    g = jnp.ones((2, 3))
    assert IdealWires().effective(g) is g


@pytest.mark.parametrize("make", [ResistiveWires, AlphaBetaWires])
def test_wrong_settings_are_told(make, unchecked):
    with pytest.raises(ValueError, match="`bit_line` must be finite and at least 0, in ohm"):
        make(1.0, -2.0)
    with pytest.raises(ValueError, match="`sink` must be finite and at least 0, in ohm"):
        make(1.0, 1.0, sink=float("nan"))
    with pytest.raises(ValueError, match='`drive` must be "left"'):
        make(1.0, 1.0, drive="top")


@pytest.mark.parametrize("make", [ResistiveWires, AlphaBetaWires])
@pytest.mark.parametrize("bad", [-1e-6, float("nan"), float("inf")])
def test_conductances_that_cannot_be_are_told(make, bad):
    with pytest.raises(ValueError, match=r"`g` must be (conductances of at least 0 siemens|finite)"):
        make(1.0, 1.0).effective(jnp.asarray([[1e-6, bad], [0.0, 1e-5]]))


def test_traced_negative_conductances_make_nan():
    assert jnp.isnan(jax.jit(ResistiveWires(1.0, 1.0).effective)(jnp.asarray([[1e-6, -1e-6]]))).all()


def dense_effective(g):
    return np.stack([dense_crossbar(g, unit, 3.0, 2.0).currents for unit in np.eye(g.shape[0])])


@pytest.mark.parametrize("arrangement", [slow("separate"), "interleaved"])
def test_a_crossbar_reads_through_the_wires_of_each_tile(arrangement):
    """Tiles of 3 by 4 of a 5 by 6 matrix, each polarity an array of its own or every second bit line of one."""
    w = np.random.default_rng(8).normal(size=(6, 5))
    design = Crossbar(
        dm.Ideal(1e-4, 1e-2),
        mapping=DifferentialPair(arrangement=arrangement),
        wires=ResistiveWires(3.0, 2.0),
        compensation=None,
        tile=(3, 4),
    )
    found = design.deploy(jnp.asarray(w, jnp.float32), 0.0, key=jr.key(0)).effective_weight
    expected = np.zeros((5, 6))
    for rows in (slice(0, 3), slice(3, 5)):
        for columns in (slice(0, 4), slice(4, 6)):
            part = w.T[rows, columns]
            scale = np.abs(part).max(0)
            pair = [1e-4 + 9.9e-3 * np.maximum(sign * part / scale, 0) for sign in (1, -1)]
            if arrangement == "separate":
                plus, minus = (dense_effective(g) for g in pair)
            else:
                seen = dense_effective(np.stack(pair, -1).reshape(part.shape[0], -1))
                plus, minus = seen[:, ::2], seen[:, 1::2]
            expected[rows, columns] = (plus - minus) / 9.9e-3 * scale
    np.testing.assert_allclose(found, expected.T, atol=2e-5 * np.abs(expected).max())
    assert np.abs(expected.T - w).max() > 0.05 * np.abs(w).max()
