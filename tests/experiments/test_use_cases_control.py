"""The use cases of series, control and decoding compute what their fields define, run, and are drawn."""

import json

import diffrax
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.linalg import solve_discrete_are, solve_discrete_lyapunov

import memsim as ms
from memsim._cli import load_script, main

NAMES = ("chaotic", "pole", "decoding")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_use_case_runs_and_its_figure_is_drawn(name, tmp_path):
    assert main(["run", name, "--quick", "--out", str(tmp_path)]) == 0
    result = ms.study.open_result(tmp_path / f"{name}.nc")
    for variable in result.variables.values():
        assert variable.dtype.kind in "TUO" or "units" in variable.attrs
    assert json.loads(result.config)["quick"] and (tmp_path / f"{name}.csv").stat().st_size > 20
    assert main(["draw", name, "--result", str(tmp_path / f"{name}.nc"), "--out", str(tmp_path / "figure")]) == 0
    pdf = (tmp_path / "figure.pdf").read_bytes()
    assert b"/FontFile2" in pdf and b"/Type3" not in pdf
    assert "beside each other" in (tmp_path / "figure.txt").read_text()


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("chaotic", {"delays": (16,)}, "17 to 30"),
        ("chaotic", {"shrink": 60}, "from 1 to 50"),
        ("pole", {"machines": ("Loihi 7",)}, "machines"),
        ("decoding", {"machines": ("PCM", "paper")}, "machines"),
        ("decoding", {"known": 1}, "at least 2"),
    ],
)
def test_a_use_case_that_cannot_be_is_refused(name, options, words):
    with pytest.raises(ValueError, match=words):
        load_script("experiments", name).Config(**options)


@pytest.mark.slow
def test_the_series_is_that_of_a_scheme_of_fixed_steps():
    """Runge and Kutta's rule, with delayed values between steps by a cubic: off by 1e-8 in two Lyapunov times."""
    delay, steps = 17, 400
    script = load_script("experiments", "chaotic")
    h, past = delay / steps, 0.7206597
    count = int((delay + 2.1 * 197) / h) + 2
    y, slopes = np.empty(count + 1), np.zeros(count + 1)
    y[0] = past

    def slope(now, delayed):
        return 0.2 * delayed / (1 + delayed**10) - 0.1 * now

    for i in range(count):
        before, after = (past if k <= 0 else y[k] for k in (i - steps, i - steps + 1))
        left, right = (0.0 if k < 0 else slopes[k] for k in (i - steps, i - steps + 1))
        between = past if i < steps else (before + after) / 2 + h / 8 * (left - right)
        slopes[i] = first = slope(y[i], before)
        second = slope(y[i] + h / 2 * first, between)
        third = slope(y[i] + h / 2 * second, between)
        y[i + 1] = y[i] + h / 6 * (first + 2 * second + 2 * third + slope(y[i] + h * third, after))
    at = delay + np.arange(150) * 197 / 75
    place = (at / h).astype(int)
    share = at / h - place
    near = y[place] * (1 - share) + y[place + 1] * share  # linear: h^2 / 8 times the curvature, 2e-5
    np.testing.assert_allclose(script.mackey_glass(delay, 150), near, atol=5e-5)


def test_smape_and_horizon_are_their_definitions():
    script = load_script("experiments", "chaotic")
    assert script.smape(np.array([1.0, 3.0]), np.array([1.0, 1.0])) == pytest.approx(200 * 0.5 * (2 / 4))
    assert script.smape(np.array([np.nan, 1.0]), np.ones(2)) == 200.0
    true = np.tile([0.0, 2.0], 75)  # standard deviation 1
    wrong = true + np.where(np.arange(150) < 30, 0.3, 0.5)
    assert script.horizon(wrong, true) == pytest.approx(30 / 75) and script.horizon(true, true) == 2.0


def test_the_readout_is_the_ridge_regression_that_generalised_cross_validation_prefers():
    script, rng = load_script("experiments", "chaotic"), np.random.default_rng(0)
    seen, targets = rng.normal(size=(40, 60)), rng.normal(size=40)
    found, scores, heads = script.readout(seen, targets), [], []
    for ridge in 10.0 ** np.arange(-9, 5):
        inverse = np.linalg.inv(seen @ seen.T + ridge * np.eye(40))
        left_over = ridge * inverse @ targets
        scores.append(np.sum(left_over**2) / np.trace(ridge * inverse) ** 2)
        heads.append(seen.T @ inverse @ targets)
    np.testing.assert_allclose(found, heads[int(np.argmin(scores))], rtol=1e-6)


def test_the_model_of_an_echo_state_network_hears_what_the_one_in_float64_does():
    script = load_script("experiments", "chaotic")
    settings = script.PUBLISHED[21]._replace(size=24)
    weights, inputs = script.drawn(settings, 0), np.linspace(0.2, 1.3, 30)
    model = script.as_model(weights, np.ones(26), settings.leakage)
    heard = script.heard(model, jnp.asarray(inputs, jnp.float32), jr.key(0))
    np.testing.assert_allclose(heard, script.listened(weights, settings.leakage, inputs), atol=1e-5)


def test_a_step_of_the_pole_is_what_an_adaptive_solver_finds():
    plant = load_script("experiments", "pole").held_up.__globals__
    state, force = jnp.array([0.1, 0.2, 0.15, -0.5]), jnp.asarray(8.0)
    solved = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, y, args: plant["slope"](y, force)),
        diffrax.Dopri8(),
        t0=0.0,
        t1=0.01,
        dt0=1e-3,
        y0=state,
        stepsize_controller=diffrax.PIDController(rtol=1e-6, atol=1e-6),
    )
    assert solved.ys is not None
    np.testing.assert_allclose(plant["moved"](state, force), solved.ys[0], atol=1e-6)


def test_no_gain_near_to_the_optimal_one_costs_less():
    """By Lyapunov's equation for the cost of a gain, from any start with unit variance."""
    plant = load_script("experiments", "pole").held_up.__globals__
    dynamics = jax.jacobian(plant["moved"], (0, 1))(jnp.zeros(4), jnp.zeros(()))
    a, b = (np.asarray(each, float).reshape(4, -1) for each in dynamics)
    cost, effort = np.diag(1 / plant["SCALES"] ** 2), 1 / plant["FORCE"] ** 2

    def total(gain):
        closed = a - b @ gain[None]
        assert np.max(np.abs(np.linalg.eigvals(closed))) < 1
        return np.trace(solve_discrete_lyapunov(closed.T, cost + effort * np.outer(gain, gain)))

    best = plant["optimal_gain"]()
    for place in range(4):
        for factor in (0.95, 1.05):
            assert total(best * np.where(np.arange(4) == place, factor, 1.0)) > total(best)


def test_the_kalman_filter_is_as_good_as_riccatis_equation_says():
    """On Gaussian observations; 200 trials of 300 steps, whose mean is known to 2 % of the variance."""
    script, rng = load_script("experiments", "decoding"), np.random.default_rng(0)
    hand = script.Days.recorded.__func__.__globals__
    tuning, noise, memory = rng.normal(size=(8, 2)), np.full(8, 4.0), hand["MEMORY"]
    velocity = hand["moved"](200, 300, rng)
    seen = velocity @ tuning.T + 1.5 + 2.0 * rng.normal(size=(200, 300, 8))
    found = hand["Kalman"](tuning, np.full(8, 1.5), noise).decoded(seen)
    ahead = solve_discrete_are(memory * np.eye(2), tuning.T, (1 - memory**2) * np.eye(2), np.diag(noise))
    after = np.linalg.inv(np.linalg.inv(ahead) + tuning.T @ tuning / 4.0)
    error = np.mean(np.sum((found - velocity)[:, 100:] ** 2, axis=-1))
    assert error == pytest.approx(np.trace(after), rel=0.05)
