"""A portrait of a part shows what the part does: closed forms and loops in numpy, read off its lines."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.special import exp1

import device_models as dm
import memsim as ms
from memsim.plotting._portrait._loops import drive

KEY = jr.key(0)
CHEAP = {
    "cell": dm.Ideal(g_max=25e-6),
    "pulsed": dm.pulsed.ConstantStep(dm.pulsed.Steps(0.1)),
    "noise": dm.noise.White(),
    "adc": ms.ADC(4),
    "dac": ms.DAC(4),
    "mapping": ms.DifferentialPair(),
    "neuron": ms.nn.LIF(2),
    "readout": ms.nn.LI(1),
}


def panels(part):
    return ms.plotting.portrait(part, key=KEY).axes


@pytest.mark.parametrize("kind", CHEAP)
def test_a_portrait_has_three_panels_with_labels_and_says_what_they_are(kind):
    figure = ms.plotting.portrait(CHEAP[kind], key=KEY, journal="nature")
    assert len(figure.axes) == 3
    assert all(axes.get_xlabel() and axes.get_ylabel() for axes in figure.axes)
    assert figure.get_label().startswith("a") and "c: " in figure.get_label()


@pytest.mark.slow  # compiling an integrator
def test_a_loop_is_pinched_and_closes_as_the_frequency_rises():
    loops = panels(dm.memristors.mms_molter2016())[0].lines
    at_zero = [np.interp(0.0, *line.get_data()) for line in loops]
    heights = [np.ptp(line.get_ydata()) for line in loops]
    half = [abs(np.trapezoid(line.get_ydata()[:101], line.get_xdata()[:101])) for line in loops]
    assert half[0] > half[1] > half[2]
    assert max(np.abs(at_zero) / heights) < 1e-3


def test_a_memristor_of_ones_own_is_driven_across_its_range_and_back():
    class Steady(dm.memristors.AbstractMemristor):
        x_0: float = 0.5

        @property
        def interval(self):
            return dm.memristors.Walls(0.0, 1.0)

        def current(self, state, v):
            return 1e-3 * state * v

        def flow(self, state, v):
            return 20.0 * v + 0.0 * state

    amplitude, frequency = drive(Steady())
    assert amplitude == 1.0  # crosses in 1 / 20 s at one volt, and as long back
    assert frequency == pytest.approx(10.0, rel=0.03)  # the ends of its range are left out
    assert drive(dm.memristors.hp_biolek2009()) == (1.0, 10.0)


def test_the_spread_of_writes_is_that_of_the_cells():
    device = dm.Gaussian(0.0, 25e-6, write_noise=dm.curves.Constant(1e-6))
    written, spreads, aged = panels(device)
    write, read = (line.get_ydata() for line in spreads.lines)
    inside = write[5:-5]  # away from the ends, where cells are clipped: 15 targets of 400 cells
    assert inside.mean() == pytest.approx(1.0, abs=4 / np.sqrt(2 * 400 * 15))
    assert not read.any() and written.get_xlabel() == "Target (µS)"
    assert len({tuple(line.get_ydata()) for line in aged.lines}) == 4


def test_a_cell_of_ones_own_has_a_portrait():
    class Leaky(dm.AbstractDevice):
        g_min: float = 0.0
        g_max: float = 25e-6

        def program(self, target, *, key):
            return target

        def conductance(self, cells, t):
            return cells * (1.0 + t) ** -0.05

    last = [line.get_ydata()[-1] for line in panels(Leaky())[2].lines]
    np.testing.assert_allclose(last, 25 * np.array([1, 0.75, 0.5, 0.25]) * (1 + 3.15576e8) ** -0.05, rtol=1e-4)


def test_a_staircase_goes_up_by_its_steps_and_down_again():
    stairs, steps, _ = panels(CHEAP["pulsed"])
    up = np.minimum(-1 + 0.1 * np.arange(1, 31), 1.0)
    np.testing.assert_allclose(
        stairs.lines[1].get_ydata(), [*up, *np.maximum(1 - 0.1 * np.arange(1, 31), -1)], atol=1e-5
    )
    np.testing.assert_allclose(steps.lines[0].get_ydata(), 0.1, rtol=1e-5)


def test_a_code_is_the_nearest_whole_number_within_the_range():
    whole, _, error = panels(CHEAP["adc"])
    x, code = whole.lines[0].get_data()
    away = np.abs((7 * x / 100) % 1 - 0.5) > 1e-4  # float32 falls on either side of a border
    np.testing.assert_array_equal(code[away], np.clip(np.round(7 * x / 100), -7, 7)[away])
    assert np.abs(error.lines[0].get_ydata()).max() == pytest.approx(0.5, abs=0.01)
    assert np.abs(error.lines[1].get_ydata()).max() < 0.02  # steps cancel over whole codes
    assert panels(ms.BitSerialDAC(4))[0].lines[0].get_ydata()[-1] == 7


@pytest.mark.parametrize(
    ("mapping", "factor"),
    [(ms.DifferentialPair(), 2**0.5), (ms.OffsetColumn(), 2.0), (ms.OffsetColumn(offset="column"), 8**0.5)],
)
def test_an_error_of_the_cells_reaches_the_weight_by_its_law(mapping, factor):
    states, errors, _ = panels(mapping)
    noisy, exact = errors.lines
    np.testing.assert_allclose(exact.get_ydata(), 0.0, atol=1e-4)
    assert noisy.get_ydata().std() == pytest.approx(2.0 * factor, rel=4 / np.sqrt(2 * 401))
    assert len(states.lines) == (1 if mapping == ms.OffsetColumn() else 2)


def test_a_neuron_spikes_where_a_loop_says_so():
    below, above, rates = panels(ms.nn.LIF(2, tau_mem=20e-3))
    x, rate = rates.lines[0].get_data()
    title = float(above.get_title(loc="left").removeprefix("Current "))
    decay, current = np.exp(-1e-3 / 20e-3), x[np.argmin(np.abs(x - title))]
    v, spikes = 0.0, []
    for step in range(300):
        v = decay * v + current * (30 <= step < 230)
        spikes += [step] if v > 1 else []
        v -= v > 1
    assert above.lines[1].get_xdata().tolist() == spikes
    assert len(below.lines) == 1
    rheobase = (1 - decay) / (1 - decay**200)  # the membrane reaches one with the last step
    assert not rate[x < rheobase * 0.999].any() and rate[x > rheobase * 1.001].all()


def test_a_correlation_is_that_of_its_closed_form_down_to_nanoseconds():
    line = panels(dm.noise.Telegraph(1e-3, 1.0))[2].lines[0]
    lag = np.asarray(line.get_xdata(), float)
    exact = (exp1(lag / 1.0) - exp1(lag / 1e-3)) / np.log(1e3)
    np.testing.assert_allclose(line.get_ydata(), exact, atol=3e-6)


def test_what_is_no_part_is_refused(unchecked):
    with pytest.raises(ValueError, match="`part`"):
        ms.plotting.portrait(ms.nn.Linear(2, 2, key=KEY), key=KEY)
    with pytest.raises(ValueError, match="natur"):
        ms.plotting.portrait(CHEAP["cell"], key=KEY, journal="natur")


def test_an_array_of_neurons_shows_its_first():
    two = ms.nn.LIF(2, threshold=jnp.array([1.0, 100.0]))
    assert panels(two)[1].get_title(loc="left") == panels(ms.nn.LIF(2))[1].get_title(loc="left")
