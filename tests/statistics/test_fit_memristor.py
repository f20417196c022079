"""Memristors fitted to currents: the truth of an independent solver is found, and what cannot be found is said."""

import dataclasses
import re

import jax.random as jr
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import device_models as dm
from device_models.fit import fit_memristor
from fits import assert_covered

pytestmark = pytest.mark.slow  # minutes together

TIME = np.linspace(0.0, 0.5, 100)
TRUTH = {"r_off": 16e3, "mobility": 1e-14, "x_0": 0.5}
START = dm.memristors.hp_strukov2008()
FIRST = dataclasses.replace(START, r_off=12e3, mobility=1.5e-14, x_0=0.4)
NAMES = tuple(TRUTH)


VOLTAGE = np.sin(2 * np.pi * 4 * TIME)


def voltage(time):
    return np.interp(time, TIME, VOLTAGE)  # as the simulation takes it


def exact():
    """Linear ion drift with Joglekar's window of p = 1, retyped, 100 ohm and 10 nm, by SciPy."""

    def current(t, x):
        return voltage(t) / (100.0 * x + TRUTH["r_off"] * (1 - x))

    def flow(t, x):
        return TRUTH["mobility"] * 100.0 / 10e-9**2 * current(t, x) * (1 - (2 * x - 1) ** 2)

    x = solve_ivp(flow, (0.0, TIME[-1]), [TRUTH["x_0"]], t_eval=TIME, max_step=TIME[1], rtol=1e-9, atol=1e-12).y[0]
    return current(TIME, x)


EXACT = exact()
NOISE = 2e-7  # amperes, two in a thousand of the current


def fitted(current, **settings):
    return fit_memristor(FIRST, TIME, voltage(TIME), current, parameters=NAMES, **settings)


def test_numbers_that_made_a_current_are_found_from_others_nearby():
    fit = fitted(EXACT + NOISE * np.random.default_rng(0).normal(size=len(TIME)))
    for name, value in TRUTH.items():
        estimate = fit.parameters[name]
        assert estimate.holds(value), (name, estimate)
        assert estimate.high - estimate.low < 0.3 * value
        assert getattr(fit.device, name) == estimate.value
    assert fit.goodness.adequate
    assert {name: e.unit for name, e in fit.parameters.items()} == {"r_off": "ohm", "mobility": "m^2/(V s)", "x_0": "1"}
    assert fit.device.r_on == START.r_on
    assert sum(line.startswith("mobility = ") for line in fit.device.sources) == 1


@pytest.mark.slow
def test_intervals_of_the_memristor_hold_the_truth():
    rng = np.random.default_rng(1)
    assert_covered(fitted, lambda: (EXACT + NOISE * rng.normal(size=len(TIME)),), TRUTH)


def test_a_wrong_model_is_seen():
    # A cell that leaks one per cent of its current at a volt.
    leak = 1e-6 * voltage(TIME) ** 2
    fit = fitted(EXACT + leak + NOISE * np.random.default_rng(2).normal(size=len(TIME)))
    assert not fit.goodness.adequate
    assert fit.goodness.tests["independent errors"] < 1e-6


def test_several_starts_leave_a_bad_one():
    current = EXACT + NOISE * np.random.default_rng(3).normal(size=len(TIME))
    one, three = fitted(current), fitted(current, starts=3, key=jr.key(0))
    assert three.goodness.chi2 == pytest.approx(one.goodness.chi2)
    for name in NAMES:
        assert three.parameters[name].value == pytest.approx(one.parameters[name].value, rel=1e-4)


def test_currents_of_unequal_error_count_by_their_error():
    rng = np.random.default_rng(4)
    error = np.where(TIME < 0.25, 0.2 * NOISE, 20 * NOISE)
    current = EXACT + error * rng.normal(size=len(TIME))
    equal, weighed = fitted(current), fitted(current, error=error)
    for name in NAMES:
        width = [fit.parameters[name].high - fit.parameters[name].low for fit in (equal, weighed)]
        assert weighed.parameters[name].holds(TRUTH[name]) and width[1] < 0.3 * width[0]


def test_the_figure_shows_the_loop_and_its_course():
    loop, course = fitted(EXACT + NOISE).figure().axes[:2]
    assert (loop.get_ylabel(), course.get_ylabel()) == ("current (µA)", "current (µA)")
    np.testing.assert_allclose(loop.lines[1].get_ydata(), 1e6 * EXACT, atol=5.0)


def test_parameters_that_only_act_together_are_named():
    with pytest.raises(ValueError, match=r"With this waveform .*mobility and thickness.* do not"):
        fit_memristor(FIRST, TIME, voltage(TIME), EXACT, parameters=("mobility", "thickness", "x_0"))


@pytest.mark.parametrize(
    "change, settings, says",
    [
        (lambda t, v, i: (t, v, i), {"parameters": ("mobilty",)}, "LinearIonDrift has r_on, r_off"),
        (lambda t, v, i: (t, v, i), {"parameters": ("window",)}, "must name numbers of the model"),
        (lambda t, v, i: (t[::-1], v, i), {}, "`time` must increase"),
        (lambda t, v, i: (t, v[1:], i), {}, "of one shape"),
        (lambda t, v, i: (t, v, i * 0), {}, "must not be zero throughout"),
        (lambda t, v, i: (t, v, i * np.nan), {}, "must hold finite numbers. Got 100 of 100"),
        (lambda t, v, i: (t, v, i), {"bounds": {"r_off": (1.0, 2.0)}}, "must start between its bounds"),
        (lambda t, v, i: (t, v, i), {"starts": 2}, "`key` must be given"),
        (lambda t, v, i: (t, v, i), {"error": np.zeros(100)}, "`error` must be positive"),
        (lambda t, v, i: (t[:8], v[:8], i[:8]), {}, "9 currents"),
    ],
)
def test_data_that_cannot_be_fitted_are_refused_with_the_remedy(change, settings, says, unchecked):
    with pytest.raises(ValueError, match=re.escape(says)):
        fit_memristor(FIRST, *change(TIME, voltage(TIME), EXACT), **{"parameters": NAMES, **settings})
