"""Closed loops give what their circuit does, and refinement by exact residuals what a dense float64 solve does."""

import jax
import jax.numpy as jnp
import jax.random as jr
import lineax as lx
import numpy as np
import pytest

import device_models as dm
import memsim as ms

EXACT = ms.Crossbar(dm.Ideal(), compensation=None)
RNG = np.random.default_rng(0)


def cells(error):
    """8 levels from 0.5 to 35 uS, written with this error, a share of the range."""
    noise = dm.curves.Constant(error * 34.5e-6)
    return ms.Crossbar(dm.Levels(dm.Gaussian(0.5e-6, 35e-6, write_noise=noise), 8), compensation=None)


def dominant(n, seed=0):
    return np.eye(n) + 0.5 * np.random.default_rng(seed).normal(size=(n, n)) / np.sqrt(n)


def relative(found, x):
    return np.linalg.norm(found - x, axis=-1) / np.linalg.norm(x)


def test_a_closed_loop_settles_where_the_currents_of_its_cells_are_those_of_the_input():
    a, b = dominant(6), RNG.normal(size=6)
    design = cells(0.02)
    loop = ms.solve.ClosedLoop().program(jnp.asarray(a, jnp.float32), design, key=jr.key(1))
    chip_key, _ = jr.split(jr.key(1))  # as `deploy`
    chip = design.program(jnp.asarray(a, jnp.float32), key=chip_key)
    plus, minus = np.asarray(chip.conductances(0.0), float)
    presented = ((plus - minus) / 34.5e-6 * np.asarray(chip.scales, float)).T
    x = loop(jnp.asarray(b, jnp.float32), key=jr.key(2))
    np.testing.assert_allclose(presented @ np.asarray(x, float), b, atol=1e-5)
    assert bool(loop.settles) == bool((np.linalg.eigvals(presented).real > 0).all())


def test_a_loop_whose_eigenvalue_is_negative_does_not_settle():
    loop = ms.solve.ClosedLoop().program(jnp.diag(jnp.array([1.0, -1.0])), EXACT, key=jr.key(0))
    assert not bool(loop.settles)


@pytest.mark.slow
def test_blocks_of_exact_cells_solve_as_a_dense_solver_does():
    a, b = dominant(7), RNG.normal(size=7)
    blocks = ms.solve.ClosedLoop(3).program(jnp.asarray(a, jnp.float32), EXACT, key=jr.key(0))
    found = blocks(jnp.asarray(b, jnp.float32), key=jr.key(1))
    np.testing.assert_allclose(found, np.linalg.solve(a, b), rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_converters_of_a_loop_round_what_goes_in_and_what_comes_out():
    a, b = np.diag([1.0, 2.0]), np.array([1.0, 0.3])
    loop = ms.solve.ClosedLoop(bits=4).program(jnp.asarray(a, jnp.float32), EXACT, key=jr.key(0))
    # 7 codes a sign: 0.3 is 2/7 of full, half of it 1/7, which is a code of the output.
    np.testing.assert_allclose(loop(jnp.asarray(b, jnp.float32), key=jr.key(1)), [1.0, 1 / 7], rtol=1e-5)


@pytest.mark.slow
def test_read_noise_moves_the_answer_of_a_loop_by_its_inverse():
    design = ms.Crossbar(dm.pcm_joshi2020(write_noise_scale=0.0), compensation=None, reads=ms.Reads("per_read"))
    loop = ms.solve.ClosedLoop().program(jnp.asarray(dominant(3), jnp.float32), design, key=jr.key(0))
    b, draws = jnp.array([1.0, -0.5, 0.2]), 20_000
    x = np.asarray(jax.vmap(lambda key: loop(b, key=key))(jr.split(jr.key(1), draws)), float)
    inverse = np.linalg.inv(np.asarray(loop.matrix.effective_weight, float))
    mean = inverse @ np.asarray(b)
    variance = (mean**2) @ np.asarray(loop.matrix.noise.variance, float)  # of the currents, to first order
    expected = inverse @ np.diag(variance) @ inverse.T
    # The standard error of a covariance is at most sqrt(2 / n) of the product of the deviations: five of them.
    bound = 5 * (2 / draws) ** 0.5 * np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    assert (np.abs(np.cov(x.T) - expected) < bound).all()


def test_eight_unknowns_on_cells_of_eight_levels_get_below_2_to_the_minus_24():
    with jax.enable_x64(True):
        a, x = jnp.asarray(dominant(8)), jnp.asarray(np.random.default_rng(1).normal(size=8))
        found = ms.solve.refine(a, jnp.stack([a @ x, a @ -x]), cells(0.01), key=jr.key(0))
        assert relative(found.x[0], x) < 2**-24 and relative(found.x[1], -x) < 2**-24
        residuals = np.linalg.norm(np.asarray(found.iterates[:, 0]) @ np.asarray(a).T - np.asarray(a @ x), axis=1)
        np.testing.assert_allclose(found.residuals[:, 0], residuals / np.linalg.norm(a @ x), rtol=1e-3, atol=1e-15)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["diffusion", "correlation", "dominant"])
def test_a_hundred_chips_of_16_unknowns_are_below_2_to_the_minus_24_after_10_refinements(kind):
    rng, n = np.random.default_rng(5), 16
    a = {
        "diffusion": np.broadcast_to(3 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1), (100, n, n)),
        "correlation": np.stack([h.T @ h for h in rng.normal(size=(100, 4 * n, n)) / np.sqrt(4 * n)]),
        "dominant": np.stack([dominant(n, seed) for seed in range(100)]),
    }[kind]
    x = rng.normal(size=(100, n))
    with jax.enable_x64(True):

        def solved(a, x, key):
            return ms.solve.refine(a, a @ x, cells(0.01), steps=10, key=key).x

        found = jax.vmap(solved)(jnp.asarray(a), jnp.asarray(x), jr.split(jr.key(0), 100))
        assert max(relative(one, each) for one, each in zip(np.asarray(found), x, strict=True)) < 2**-24
        alone = solved(jnp.asarray(a[3]), jnp.asarray(x[3]), jr.split(jr.key(0), 100)[3])
    np.testing.assert_allclose(found[3], alone, atol=1e-9)  # the same chip alone; products sum in another order


@pytest.mark.slow
def test_ten_steps_of_diffusion_are_those_of_a_dense_solver_to_1e_12():
    n = 16
    a = 3 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)  # implicit Euler, D dt / dx^2 = 1
    start = np.sin(np.pi * np.arange(1, n + 1) / (n + 1)) + 0.3
    expected = np.linalg.matrix_power(np.linalg.inv(a), 10) @ start
    with jax.enable_x64(True):
        design = ms.Crossbar(cells(0.01).device, wires=ms.ResistiveWires(30.0, 30.0), compensation=None)

        def step(u, _):
            return ms.solve.refine(jnp.asarray(a), u, design, steps=14, key=jr.key(0)).x, None

        found, _ = jax.lax.scan(step, jnp.asarray(start), length=10)
    assert relative(np.asarray(found), expected) < 1e-12


@pytest.mark.slow
def test_plain_refinement_gains_what_the_spectral_radius_of_the_deviation_says():
    with jax.enable_x64(True):
        a, x = jnp.asarray(dominant(8)), jnp.asarray(np.random.default_rng(1).normal(size=8))
        found = ms.solve.refine(a, a @ x, cells(0.06), memory=0, steps=20, key=jr.key(0))
        chip_key = jr.split(jr.key(0), 3)[0]
        loop = ms.solve.ClosedLoop().program(a, cells(0.06), key=chip_key)
    radius = np.abs(np.linalg.eigvals(np.eye(8) - np.asarray(loop.inverse) @ np.asarray(a))).max()
    errors = relative(np.asarray(found.iterates), np.asarray(x))
    gained = (errors[16] / errors[6]) ** (1 / 10)  # before that other directions count, and later rounding
    assert gained == pytest.approx(radius, rel=0.1)


@pytest.mark.slow
def test_no_residual_grows_where_plain_refinement_diverges():
    a, x = jnp.asarray(dominant(8), jnp.float32), jnp.ones(8)
    combined, plain = (
        ms.solve.refine(a, a @ x, cells(0.2), memory=memory, steps=6, key=jr.key(2)).residuals for memory in (None, 0)
    )
    assert (np.diff(combined) <= 1e-6).all()
    assert plain[-1] > plain[0]


@pytest.mark.slow
@pytest.mark.parametrize("solver", [None, lx.GMRES(rtol=1e-2, atol=1e-2, max_steps=12, restart=12)])
def test_an_iterative_solver_on_noisy_products_is_refined_as_well(solver):
    design = ms.Crossbar(dm.pcm_joshi2020(), compensation=None, reads=ms.Reads("per_read"))
    a, x = jnp.asarray(dominant(8), jnp.float32), jnp.asarray(RNG.normal(size=8), jnp.float32)
    inverse = ms.solve.Iterative(solver, time=1.0)
    found = ms.solve.refine(a, a @ x, design, inverse=inverse, steps=8, key=jr.key(0))
    assert relative(np.asarray(found.x), np.asarray(x)) < 1e-5
    again = ms.solve.refine(a, a @ x, design, inverse=inverse, steps=8, key=jr.key(0))
    np.testing.assert_array_equal(found.iterates, again.iterates)


def test_a_bit_sliced_product_is_that_of_whole_numbers():
    rng, rows = np.random.default_rng(3), 4
    w, x = rng.integers(-(2**6) + 1, 2**6, (2, rows)), rng.integers(-(2**4) + 1, 2**4, rows)
    w[:, 0], x[0] = 2**6 - 1, 2**4 - 1  # both ranges are used
    design = ms.solve.bit_sliced(cells(0.003).device, rows=rows, bits_per_cell=3, slices=2, bits=5)
    matrix = design.deploy(jnp.asarray(w, jnp.float32), 0.0, key=jr.key(0))
    found = ms.solve.LinearOperator(matrix).mv(jnp.asarray(x, jnp.float32))
    np.testing.assert_allclose(found, w @ x, rtol=1e-5)


@pytest.mark.slow
def test_a_residual_in_fixed_point_leaves_an_error_of_its_last_bit():
    with jax.enable_x64(True):
        a, x = jnp.asarray(dominant(8)), jnp.asarray(np.random.default_rng(1).normal(size=8))
        product = ms.solve.bit_sliced(cells(0.003).device, rows=8)
        found = ms.solve.refine(a, a @ x, cells(0.01), product=product, key=jr.key(0))
        assert 2**-26 < relative(np.asarray(found.x), np.asarray(x)) < 2**-19  # 21 bits, times the condition


@pytest.mark.parametrize(
    "a, b, words",
    [
        (jnp.ones((2, 3)), jnp.ones(3), "square"),
        (jnp.eye(2), jnp.ones(3), "as long as"),
        (jnp.eye(2), jnp.ones(2, jnp.bfloat16), "one dtype"),
    ],
)
def test_equations_that_do_not_fit_are_refused(a, b, words, unchecked):
    with pytest.raises(ValueError, match=words):
        ms.solve.refine(a, b, EXACT, key=jr.key(0))


@pytest.mark.parametrize("scale", (1.0, 3.0))
def test_a_multiple_of_the_identity_is_solved_by_the_usual_solver(scale):
    a, x = scale * jnp.eye(3), jnp.array([1.0, -2.0, 0.5])
    solved = ms.solve.Iterative().program(a, EXACT, key=jr.key(0))
    np.testing.assert_allclose(solved(a @ x, key=jr.key(1)), x, rtol=1e-5)
    np.testing.assert_array_equal(solved(jnp.zeros(3), key=jr.key(1)), 0.0)


def test_a_solver_that_breaks_down_leaves_what_was_found():
    # BiCGStab divides by zero where its first half step is exact, as for a multiple of the identity.
    a, x = 2 * jnp.eye(3), jnp.array([1.0, -2.0, 0.5])
    breaking = ms.solve.Iterative(lx.BiCGStab(rtol=1e-2, atol=1e-2, max_steps=16))
    solved = breaking.program(a, EXACT, key=jr.key(0))
    np.testing.assert_array_equal(solved(a @ x, key=jr.key(1)), 0.0)


def test_a_loop_of_cells_that_are_not_ohmic_is_refused():
    design = ms.Crossbar(dm.Ideal(iv=dm.iv.Sinh(2.5)), compensation=None)
    with pytest.raises(ValueError, match="must be of ohmic cells"):
        ms.solve.ClosedLoop().program(jnp.eye(2), design, key=jr.key(0))
