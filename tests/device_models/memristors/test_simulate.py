"""Waveforms in, currents and states out: closed forms, ends of the state, batches, and bad input."""

import subprocess
import sys
from pathlib import Path

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float
from scipy.special import expit, logit

import device_models as dm
from helpers import slow


class Windowed(dm.memristors.AbstractMemristor):
    """dw/dt = k sinh(b V) w (1 - w), which has a closed form for every waveform."""

    k: float | Float[Array, ""]
    b: float = 3.0
    x_0: float = 0.28591
    sources: tuple[str, ...] = eqx.field(static=True, default=())

    @property
    def interval(self):
        return dm.memristors.Asymptotes(0.0, 1.0)

    def current(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return state * v

    def flow(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return self.k * jnp.sinh(self.b * v) * state * (1 - state)


def sine(periods=1.0, samples=501, frequency=1.0, amplitude=1.0):
    t = np.linspace(0, periods / frequency, samples)
    return t, amplitude * np.sin(2 * np.pi * frequency * t)


simulate = eqx.filter_jit(dm.memristors.simulate)


def simulated(memristor, t, v, state=None, **settings):
    """Arrays in, arrays out; numbers that change from call to call are arrays, so that one compilation does for all."""
    state = None if state is None else jnp.asarray(state, float)
    return jax.tree.map(
        np.asarray, simulate(memristor, jnp.asarray(t, float), jnp.asarray(v, float), state=state, **settings)
    )


def charge(t, v, b):
    """The integral of sinh(b V) for a voltage that is linear between the samples."""
    rise = np.diff(v)
    flat = np.abs(rise) < 1e-12
    steep = np.diff(np.cosh(b * v)) / (b * np.where(flat, 1.0, rise))
    return np.concatenate([[0.0], np.cumsum(np.diff(t) * np.where(flat, np.sinh(b * v[1:]), steep))])


@pytest.mark.parametrize(
    "steps", [dm.memristors.FixedSteps(4), dm.memristors.AdaptiveSteps()], ids=["fixed", "adaptive"]
)
@pytest.mark.parametrize("k", [slow(2.0), 40.0])
def test_a_window_that_nearly_closes_opens_again_at_the_right_time(steps, k):
    """A solver of the state itself steps over 1 here, where the window changes its sign, and ends at 1.0019 or beyond.

    In 32 bits; the stronger drive comes within 1e-14 of the end. One and a quarter periods, against the closed form.
    """
    t, v = sine(1.25)
    found = simulated(Windowed(jnp.asarray(k)), t, v, steps=steps).state
    exact = expit(logit(0.28591) + k * charge(t, v, 3.0))
    assert exact.max() > (0.9 if k == 2 else 1 - 1e-12) and exact[400] < 0.3
    np.testing.assert_allclose(found, exact, atol=1e-3)
    assert found.max() <= 1.0


def test_hp_without_a_window_follows_the_square_root_of_the_flux():
    """R x + (r_on - r_off) x^2 / 2 grows with the flux; the voltage stays where no wall is met. In 32 bits."""
    t, v = sine(2.0, amplitude=0.5)
    cell = dm.memristors.LinearIonDrift(100.0, 16e3, 10e-9, 1e-14, 0.5)
    flux = np.concatenate([[0.0], np.cumsum(np.diff(t) * (v[1:] + v[:-1]) / 2)])
    speed = 1e-14 * 100 / 10e-9**2
    known = 16e3 * 0.5 - 15.9e3 * 0.125 + speed * flux
    exact = (16e3 - np.sqrt(16e3**2 - 2 * 15.9e3 * known)) / 15.9e3
    trace = simulated(cell, t, v)
    np.testing.assert_allclose(trace.state, exact, rtol=1e-5)
    np.testing.assert_allclose(trace.current, v / (100 * exact + 16e3 * (1 - exact)), atol=1e-8)


def test_hp_with_joglekars_window_of_p_one_conserves_what_it_should():
    """r_off ln x - r_on ln(1 - x) - 4 speed flux is constant."""
    t, v = sine(2.0)
    with jax.enable_x64(True):
        x = np.asarray(simulated(dm.memristors.hp_strukov2008(window=dm.memristors.Joglekar(1.0)), t, 0.5 * v).state)
    flux = np.concatenate([[0.0], np.cumsum(np.diff(t) * (v[1:] + v[:-1]) / 4)])
    kept = 16e3 * np.log(x) - 100 * np.log1p(-x) - 4 * 1e-14 * 100 / 10e-9**2 * flux
    np.testing.assert_allclose(kept, kept[0], rtol=1e-7)


def test_mms_relaxes_exponentially_at_a_constant_voltage_and_faster_when_hot():
    t = np.linspace(0, 3e-4, 50)
    for temperature in (298.5, 400.0):
        thermal = 1.380649e-23 * temperature / 1.602176634e-19
        on, off = expit((0.25 - 0.27) / thermal), 1 - expit((0.25 + 0.27) / thermal)
        exact = on / (on + off) * (1 - np.exp(-(on + off) * t / 1e-4))
        found = simulated(
            dm.memristors.mms_molter2016(temperature=jnp.asarray(temperature)), t, np.full(50, 0.25)
        ).state
        np.testing.assert_allclose(found, exact, atol=2e-6)


@pytest.mark.parametrize("v", [slow(1.2), -1.2])
def test_data_driven_models_take_the_published_steps_at_a_constant_voltage(v):
    t = np.linspace(0, 1e-5, 20)
    cell = dm.memristors.data_driven2021()
    s = (600.10075 * (np.exp(v / -0.0212028) - 1)) if v > 0 else (-34.5988399 * (np.exp(-v / -0.05343997) - 1))
    r = 2699.2336 - 672.930205 * v if v > 0 else 649.413746 - 1474.32358 * v
    start = 2600.0 if v > 0 else 1800.0
    exact = (start + s * r * (r - start) * t) / (1 + s * (r - start) * t)
    found = simulated(cell, t, np.full(20, v), state=start, steps=dm.memristors.FixedSteps(40)).state
    np.testing.assert_allclose(found, exact, rtol=1e-5)

    t = np.linspace(0, 1e-4 if v > 0 else 1e-8, 20)
    if v > 0:
        k, r, grown = 5.11e-4, 16719.0, 743.47 * (np.exp(6.51 * v) - 1) * t
        exact = np.log(np.exp(k * r) + np.exp(-k * grown) * (np.exp(k * 5000) - np.exp(k * r))) / k
    else:
        k, r, grown = 1.17e-3, 29304.82557 + 23692.77225 * v, -68012.28374 * (np.exp(0.31645 * -v) - 1) * t
        exact = -np.log(np.exp(-k * 5000 + k * grown) - np.exp(-k * r) * (np.exp(k * grown) - 1)) / k
    found = simulated(dm.memristors.data_driven2017(), t, np.full(20, v), steps=dm.memristors.FixedSteps(40)).state
    np.testing.assert_allclose(found, exact, rtol=1e-5)


def test_a_wall_stops_the_state_at_once_and_lets_it_go_at_once():
    """VTEAM at constant voltages moves linearly: 4 ns up into the wall, then down from the wall."""
    cell = dm.memristors.vteam_kvatinsky2015()
    up, down = 5e-4 * 0.4, 10 * 0.25**3  # m/s at 0.028 V and -0.25 V
    t = np.array([0.0, 1e-5, 1e-5 + 1e-13, 1e-5 + 1e-8])
    with jax.enable_x64(True):
        found = simulated(
            cell, t, np.array([0.028, 0.028, -0.25, -0.25]), steps=dm.memristors.AdaptiveSteps(1e-7, 1e-9)
        ).state
        short = simulated(cell, np.array([0.0, 4e-6]), np.array([0.028, 0.028])).state
    assert found[1] == 3e-9 and found[2] == pytest.approx(3e-9 - down * 1e-13 / 4, abs=down * 1e-13 / 4)
    assert found[3] == pytest.approx(max(3e-9 - down * 1e-8, 0.0), abs=1e-11)
    assert short[1] == pytest.approx(1.5e-9 + up * 4e-6, rel=1e-9)


def test_samples_may_be_unevenly_spaced():
    rng = np.random.default_rng(0)
    t = np.sort(np.concatenate([[0, 1.25], rng.uniform(0, 1.25, 499)]))
    v = np.sin(2 * np.pi * t)
    found = simulated(Windowed(jnp.asarray(2.0)), t, v, steps=dm.memristors.FixedSteps(4)).state
    np.testing.assert_allclose(found, expit(logit(0.28591) + 2.0 * charge(t, v, 3.0)), atol=1e-3)


@pytest.mark.slow
def test_a_stiff_solver_finds_the_same_trace():
    t, v = sine(1.0, 101, 1e3, 0.5)
    with jax.enable_x64(True):
        one, other = (
            simulated(dm.memristors.mms_molter2016(), t, v, steps=dm.memristors.AdaptiveSteps(1e-7, 1e-9, solver))
            for solver in (diffrax.Kvaerno5(), None)
        )
    np.testing.assert_allclose(one.state, other.state, atol=2e-6)


@pytest.mark.slow
def test_a_batch_of_memristors_is_the_memristors_one_by_one():
    t, v = (jnp.asarray(x, jnp.float32) for x in sine(1.0, 101, 1e3, 0.5))
    thresholds = jnp.array([0.2, 0.27, 0.3])
    memristors = eqx.filter_vmap(lambda v_on: eqx.tree_at(lambda m: m.v_on, dm.memristors.mms_molter2016(), v_on))(
        thresholds
    )
    run = eqx.filter_jit(lambda memristor: dm.memristors.simulate(memristor, t, v).current)
    batch = eqx.filter_jit(eqx.filter_vmap(run))(memristors)
    for row, v_on in zip(batch, thresholds, strict=True):
        np.testing.assert_allclose(
            row, run(eqx.tree_at(lambda m: m.v_on, dm.memristors.mms_molter2016(), v_on)), rtol=1e-5
        )
    assert not jnp.allclose(batch[0], batch[1])


@pytest.mark.slow
def test_steps_too_long_for_the_cell_do_not_pass():
    """Ten times the time constant between samples, where an explicit method is unstable."""
    t, v = sine(1.0, 21, 50.0)
    with pytest.raises(Exception, match="use `AdaptiveSteps`"):
        simulated(dm.memristors.mms_molter2016(), t, v)
    simulated(dm.memristors.mms_molter2016(), t, v, steps=dm.memristors.FixedSteps(1, float("inf")))


@pytest.mark.parametrize("start", [slow(1e-6), 1e-2, slow(1.0), 1e3])
def test_a_short_pulse_late_in_a_long_record_does_what_an_early_one_does(start):
    """VTEAM above threshold moves by 5e-4 m/s times the integral of v / 0.02 V - 1: 2.690e-10 m in this pulse."""
    times = start + np.array([-start, 0.0, 1e-9, 11e-9, 12e-9, 22e-9])
    memristor = dm.memristors.vteam_kvatinsky2015()
    last = dm.memristors.simulate(memristor, times, np.array([0, 0, 1.0, 1.0, 0, 0])).state[-1]
    # Of 1e3 s a double holds the nanosecond to 1e-4.
    np.testing.assert_allclose(last - memristor.x_0, 2.690e-10, rtol=1e-3)


def test_whole_numbers_of_seconds_and_volts_are_taken():
    found = dm.memristors.simulate(
        dm.memristors.mms_molter2016(), np.arange(3), np.array([0, 0, 0]), steps=dm.memristors.FixedSteps(1, np.inf)
    )
    assert found.state.dtype == jnp.float32


T, V = jnp.linspace(0.0, 1e-3, 11), jnp.linspace(0.0, 0.5, 11)


@pytest.mark.parametrize(
    ("time", "voltage", "state", "message"),
    [
        (T.at[5].set(T[4]), V, 0.0, "`time` must increase"),
        (T, V.at[3].set(jnp.nan), 0.0, "`voltage` must be finite"),
        (T, 1e3 * V, 0.0, "Millivolts"),
        (T, V, 1.5, "see its `bounds`"),
    ],
)
def test_input_that_cannot_be_is_told(time, voltage, state, message):
    with pytest.raises(Exception, match=message):
        simulated(dm.memristors.mms_molter2016(), time, voltage, state=state)


def test_lengths_that_differ_and_rules_that_cannot_be_are_refused(unchecked):
    with pytest.raises(ValueError, match="of the same length"):
        dm.memristors.simulate(dm.memristors.mms_molter2016(), T, V[:5])
    with pytest.raises(ValueError, match="at least 2"):
        dm.memristors.simulate(dm.memristors.mms_molter2016(), T[:1], V[:1])
    with pytest.raises(ValueError, match="`substeps`"):
        dm.memristors.FixedSteps(0)
    with pytest.raises(ValueError, match="`tolerance` must be positive"):
        dm.memristors.FixedSteps(1, 0.0)
    with pytest.raises(ValueError, match="`rtol` must be between 0 and 1"):
        dm.memristors.AdaptiveSteps(rtol=2.0)


def test_importing_the_models_does_not_load_the_solver():
    code = "import device_models, sys; print('diffrax' in sys.modules)"
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.strip() == "False"
