"""Every compact memristor keeps the promises they share and follows its published equations."""

import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import device_models as dm
from helpers import quick_and_slow, slow
from memristor_equations import EQUATIONS, scipy_trace

SAMPLES = np.linspace(0.0, 1.0, 201)  # one period
# Where the table's sine meets a wall or a jump, which SciPy's equations do not know: (amplitude, frequency, state).
GENTLE = {
    "michigan_chang2011": (1.0, 1.0, 0.1),
    "stanford_jiang2016": (1.4, 2e7, 0.6e-9),
    "vteam_kvatinsky2015": (0.25, 3e7, 1.5e-9),
    "mms_molter2016": (0.5, 1e3, 0.1),
    "hp_joglekar2009": (1.0, 20.0, 0.56),
    "jart_bengel2020": (0.5, 1e6, 1.0),
}
# Each compiles for seconds. A window, a fit and a circuit that is solved; all meet their equations below.
QUICK = ("hp_joglekar2009", "data_driven2021", "jart_bengel2020")
every_memristor = pytest.mark.parametrize("name", dm.memristors.MEMRISTORS)
every_trace = pytest.mark.parametrize("name", quick_and_slow(QUICK, dm.memristors.MEMRISTORS))


def sine(name):
    return dm.memristors.MEMRISTORS[name].amplitude, dm.memristors.MEMRISTORS[name].frequency


def as_arrays(memristor):
    """Every number an array, of 64 bits, so that it has a gradient."""
    return jax.tree.map(lambda x: jnp.asarray(x, float), memristor)


@functools.cache
def compiled(name):
    """Mean square current with its derivative along `direction`, and the trace."""
    steps = dm.memristors.FixedSteps(8, float("inf"))

    def loss(memristor, time, voltage, state, scale):
        trace = dm.memristors.simulate(memristor, time, voltage, state=state, steps=steps)
        return jnp.mean((trace.current / scale) ** 2), trace

    def along(memristor, direction, *drive):
        return jax.jvp(lambda memristor: loss(memristor, *drive), (memristor,), (direction,), has_aux=True)

    # Bits are compared between the two: with the emitters that users have, not those of conftest.
    options = {"xla_cpu_use_fusion_emitters": True}
    return jax.jit(along, compiler_options=options), jax.jit(jax.grad(loss, has_aux=True), compiler_options=options)


def drive(name, amplitude, frequency, state, scale):
    """One period of a sine, in 64 bits."""
    time, voltage = jnp.asarray(SAMPLES / frequency), jnp.asarray(amplitude * np.sin(2 * np.pi * SAMPLES))
    state = dm.memristors.MEMRISTORS[name].make().x_0 if state is None else state
    return time, voltage, jnp.asarray(state, float), jnp.asarray(scale, float)


def run(name, amplitude, frequency, state=None, memristor=None, scale=1.0):
    """One period of a sine: mean square current, its derivative where every parameter grows by its share, the trace."""
    with jax.enable_x64(True):
        memristor = as_arrays(dm.memristors.MEMRISTORS[name].make()) if memristor is None else memristor
        direction = moved(memristor, 1.0, 0.0)
        found = compiled(name)[0](memristor, direction, *drive(name, amplitude, frequency, state, scale))
        return jax.tree.map(np.asarray, found)


def second_period(name, amplitude, frequency):
    low, high = (float(end) for end in dm.memristors.MEMRISTORS[name].make().bounds)
    *_, first = run(name, amplitude, frequency)
    return run(name, amplitude, frequency, np.clip(first.state[-1], low, high))[2]


def moved(memristor, by, kept=1.0):
    """The memristor with each parameter p grown by `by` times its own share of p."""
    leaves, structure = jax.tree.flatten(memristor)
    shares = np.random.default_rng(0).uniform(0.3, 1.0, len(leaves))
    return structure.unflatten([x * (kept + by * share) for x, share in zip(leaves, shares, strict=True)])


def lobes(trace):
    """Area that the current encloses in both halves of a period, relative to the box around them."""
    half = len(SAMPLES) // 2
    i, v = np.asarray(trace.current), np.asarray(trace.voltage)
    areas = [np.trapezoid(i[part], v[part]) for part in (slice(0, half + 1), slice(half, None))]
    return np.abs(areas).sum() / (2 * np.abs(i).max() * np.abs(v).max())


def test_no_memristor_is_missing_from_the_table():
    """And every one of the table is tested against its equations."""
    families = [dm.memristors.AbstractMemristor]
    for family in families:
        families += family.__subclasses__()
    ours = [family for family in families if family.__module__.startswith("device_models")]
    kinds = {family for family in ours if not family.__name__.startswith("Abstract")}
    assert kinds == {type(entry.make()) for entry in dm.memristors.MEMRISTORS.values()}
    assert EQUATIONS.keys() == dm.memristors.MEMRISTORS.keys()


@every_trace
def test_a_trace_is_that_of_scipy(name):
    """Equations typed twice, integrated at 1e-10; to 3e-5 of what the state and the current do."""
    amplitude, frequency, state = GENTLE.get(name, (*sine(name), None))
    _, _, trace = run(name, amplitude, frequency, state)
    low, high = (float(end) for end in dm.memristors.MEMRISTORS[name].make().bounds)
    inside = np.asarray(trace.state)
    assert (inside > low).all() and (inside < high).all() and np.ptp(inside) > 0
    currents, states = scipy_trace(
        name, np.asarray(trace.time), np.asarray(trace.voltage), float(inside[0]), scale=high - low
    )
    np.testing.assert_allclose(inside, states, rtol=0, atol=3e-5 * np.ptp(states))
    np.testing.assert_allclose(trace.current, currents, rtol=0, atol=3e-5 * np.abs(currents).max())


@every_trace
def test_the_gradient_is_that_of_a_finite_difference(name):
    """Along one direction in which every parameter grows by its own share; central difference in 64 bits."""
    amplitude, frequency, state = GENTLE.get(name, (*sine(name), None))
    _, _, trace = run(name, amplitude, frequency, state)
    scale, h = float(np.abs(trace.current).max()), 1e-6
    with jax.enable_x64(True):
        memristor = as_arrays(dm.memristors.MEMRISTORS[name].make())
        up, down = moved(memristor, h), moved(memristor, -h)
    above, below = (run(name, amplitude, frequency, state, changed, scale)[0] for changed in (up, down))
    _, derivative, _ = run(name, amplitude, frequency, state, memristor, scale)
    assert np.isfinite(derivative) and derivative != 0
    assert (above - below) / (2 * h) == pytest.approx(derivative, rel=1e-4)


@pytest.mark.parametrize(
    "name",
    [slow(name) for name in dm.memristors.MEMRISTORS],  # each compiles for ten seconds
)
def test_gradients_run_backwards_as_they_run_forwards(name):
    amplitude, frequency, state = GENTLE.get(name, (*sine(name), None))
    _, derivative, trace = run(name, amplitude, frequency, state, scale=1e-4)
    with jax.enable_x64(True):
        memristor = as_arrays(dm.memristors.MEMRISTORS[name].make())
        gradient, again = compiled(name)[1](memristor, *drive(name, amplitude, frequency, state, 1e-4))
        pairs = zip(jax.tree.leaves(gradient), jax.tree.leaves(moved(memristor, 1.0, 0.0)), strict=True)
        assert sum(float(slope) * float(x) for slope, x in pairs) == pytest.approx(float(derivative), rel=1e-9)
    np.testing.assert_array_equal(again.state, trace.state)


@every_trace
def test_the_loop_is_pinched_and_closes_as_the_frequency_rises(name):
    amplitude, frequency = sine(name)
    traces = [second_period(name, amplitude, factor * frequency) for factor in (1.0, 10.0, 100.0)]
    areas = [lobes(trace) for trace in traces]
    assert areas[0] > 0.005 and areas[0] > 2 * areas[1] > 4 * areas[2]
    for trace in traces:
        at_zero = np.abs(np.asarray(trace.voltage)) < 1e-12
        assert at_zero.sum() >= 2
        assert np.abs(np.asarray(trace.current))[at_zero].max() < 1e-9 * np.abs(np.asarray(trace.current)).max()


@every_trace
def test_no_state_leaves_its_bounds_and_no_current_flows_uphill(name):
    """Slow enough that every state that can run into an end does so."""
    amplitude, frequency = sine(name)
    _, derivative, trace = run(name, 1.2 * amplitude, frequency / 30)
    low, high = (float(end) for end in dm.memristors.MEMRISTORS[name].make().bounds)
    assert (trace.state >= low * (1 - 1e-12)).all() and (trace.state <= high * (1 + 1e-12)).all()
    assert (trace.current * trace.voltage >= 0).all()
    assert np.isfinite(derivative)


@every_memristor
def test_currents_and_flows_are_the_equations_typed_a_second_time(name):
    memristor, amplitude = dm.memristors.MEMRISTORS[name].make(), GENTLE.get(name, sine(name))[0]
    low, high = (float(end) for end in memristor.bounds)
    states, volts = np.meshgrid(low + (high - low) * np.linspace(0.1, 0.9, 7), amplitude * np.linspace(-1, 1, 9))
    expected = [[f(x, v) for x, v in zip(states.flat, volts.flat, strict=True)] for f in EQUATIONS[name]]
    with jax.enable_x64(True):
        both = jax.jit(lambda state, v: (memristor.current(state, v), memristor.flow(state, v)))
        for found, right in zip(both(states.ravel(), volts.ravel()), expected, strict=True):
            np.testing.assert_allclose(found, right, rtol=1e-6, atol=1e-9 * np.abs(right).max())


@every_memristor
def test_currents_and_flows_work_element_by_element_and_are_finite_at_the_ends(name):
    memristor = dm.memristors.MEMRISTORS[name].make()
    amplitude, _ = sine(name)
    low, high = (float(end) for end in memristor.bounds)
    states, volts = (
        jnp.asarray(x, jnp.float32)
        for x in np.meshgrid(np.linspace(low, high, 3), amplitude * np.linspace(-1, 1, 5), indexing="ij")
    )
    both = jax.jit(lambda state, v: (memristor.current(state, v), memristor.flow(state, v)))
    for grid, single in zip(both(states, volts), both(states[1, 4], volts[1, 4]), strict=True):
        assert grid.shape == (3, 5) and grid.dtype == jnp.float32 and np.isfinite(np.asarray(grid)).all()
        np.testing.assert_allclose(grid[1, 4], single, rtol=1e-6)
    np.testing.assert_array_equal(np.asarray(both(states, volts)[0])[:, 2], 0.0)
    assert jnp.all(memristor.interval.holds(jnp.asarray(memristor.x_0, jnp.float32)))


@every_memristor
def test_every_number_names_its_source(name):
    entry = dm.memristors.MEMRISTORS[name]
    assert len(entry.make().sources) == len(entry.numbers)
    for number in entry.numbers.values():
        assert re.match(r"[A-Z][A-Za-z]+(19|20)\d\d\b|assumed", number.where)


# Golden values of the published equations, by hand.


def at(method, state, v):
    return float(method(jnp.asarray(state, jnp.float32), jnp.asarray(v, jnp.float32)))


def test_vteam_moves_at_the_published_speeds():
    flow = dm.memristors.vteam_kvatinsky2015().flow
    assert [at(flow, 1e-9, v) for v in (-1.0, 1.0, 0.01, -0.19)] == pytest.approx([-640, 0.0245, 0, 0], rel=1e-5)


def test_jart_has_the_golden_currents_and_pulses():
    cell = dm.memristors.jart_bengel2020()
    currents = [at(cell.current, n, v) for n, v in ((0.06, 0.2), (1.98975, 0.2), (0.06, -0.342), (1.9897452, 0.7065))]
    assert currents == pytest.approx([1.889060e-5, 1.118600e-4, -3.040382e-5, 3.862274e-4], rel=1e-5)
    with jax.enable_x64(True):
        flow = jax.jit(cell.flow)
        for n, v, after in ((0.06, -0.342, 0.0600018502), (1.9897452, 0.7065, 1.9896658)):
            for _ in range(100):  # forward Euler, as the golden values were computed
                n = n + 1e-8 * float(flow(jnp.asarray(n), jnp.asarray(v)))
            assert n == pytest.approx(after, abs=1e-9 if v < 0 else 1e-7)
            temperature = float(cell.local_temperature(jnp.asarray(n), jnp.asarray(v)))
            assert v > 0 or temperature == pytest.approx(436.56, abs=0.005)


def test_a_resistance_between_its_ends_carries_the_current_of_ohms_law():
    """Another library turns a conductance of 10 mS into 1/160 of its current at 0.1 V."""
    assert at(dm.memristors.hp_strukov2008().current, 1.0, 0.1) == pytest.approx(1e-3, rel=1e-6)
    assert at(dm.memristors.hp_strukov2008().current, 0.0, 0.1) == pytest.approx(0.1 / 16e3, rel=1e-6)
    ends = [0.1 / at(dm.memristors.stanford_jiang2016().current, gap, 0.1) for gap in (2.0008e-10, 1.7e-9)]
    assert ends == pytest.approx([542.0, 218_586.0], rel=1e-3)


def test_the_published_data_driven_conductance_carries_a_factor():
    """The slope at zero is a b G: 0.72 G and 0.87 G."""
    for made, factor in ((dm.memristors.data_driven2017(), 0.72), (dm.memristors.data_driven2021(), 0.8707)):
        assert at(made.current, 2000.0, 1e-4) == pytest.approx(factor * 1e-4 / 2000, rel=1e-3)


def test_a_setting_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match=r"`x_0` must lie within 0.0 and 1.0, both excluded. Got x_0=0.0"):
        dm.memristors.LinearIonDrift(100.0, 16e3, 1e-8, 1e-14, 0.0, dm.memristors.Joglekar())
    with pytest.raises(ValueError, match="`r_on` must be finite and at least 10, in ohms"):
        dm.memristors.LinearIonDrift(-100.0, 16e3, 1e-8, 1e-14)
    with pytest.raises(ValueError, match="`r_on` must be at most `r_off`"):
        dm.memristors.DataDriven2021(
            **{n: s.value for n, s in dm.memristors.MEMRISTORS["data_driven2021"].numbers.items()} | {"r_on": 4e3}
        )
    with pytest.raises(ValueError, match="a negative voltage switches on"):
        dm.memristors.VTEAM(
            **{n: s.value for n, s in dm.memristors.MEMRISTORS["vteam_kvatinsky2015"].numbers.items()} | {"v_on": 0.2}
        )
    with pytest.raises(ValueError, match="Did you mean mms_molter2016"):
        dm.memristors.memristor("mms_molter2017")
