"""Settings of neurons are judged by what they are, not by how they are written, and the error names the argument."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from helpers import NEURONS, SURROGATES
from memsim.nn import (
    ALIF,
    LIF,
    AdEx,
    CuBaLI,
    CuBaLIF,
    Firing,
    Izhikevich,
    MultiGaussian,
    ParallelInTime,
    Positive,
    ResonateAndFire,
    Scale,
    Slayer,
    SuperSpike,
    Threshold,
)
from memsim.nn._mixed_signal import deviable

NAN, INF = float("nan"), float("inf")
pytestmark = pytest.mark.usefixtures("unchecked")
WAYS = {  # to write one number
    "float": float,
    "np.float32": np.float32,
    "np.float64": np.float64,
    "0-d array of NumPy": lambda x: np.asarray(x, np.float32),
    "0-d array of JAX": jnp.asarray,
    "one of an array": lambda x: np.array([0.02, x, 0.02]),
    "one of an array of JAX": lambda x: jnp.asarray([0.02, x, 0.02]),
}
NO_NUMBERS = ["0.02", None, [0.02, 0.02, 0.02], (0.02,), {"tau": 0.02}, 1j, np.array(["a"] * 3), True]
every_way = pytest.mark.parametrize("way", WAYS)
PARAMETERS = sorted({(case.make.__name__, p) for case in NEURONS.values() for p in deviable(case(3))})
MAKE = {case.make.__name__: case.make for case in NEURONS.values()}


def refused(name):
    return pytest.raises(ValueError, match=rf"`{name}` must be .* Got {name}=")


@every_way
@pytest.mark.parametrize("make, name", PARAMETERS)
def test_what_is_not_finite_is_refused_by_name_however_it_is_written(make, name, way):
    for bad in (NAN, INF, -INF):
        with refused(name):
            MAKE[make](3, **{name: WAYS[way](bad)})


@every_way
@pytest.mark.parametrize("make, name", [(m, p) for m, p in PARAMETERS if deviable(MAKE[m](3))[p]])
def test_what_must_be_positive_is_so_however_it_is_written(make, name, way):
    for bad in (-1.0, 0.0):
        with refused(name):
            MAKE[make](3, **{name: WAYS[way](bad)})


@pytest.mark.parametrize("make, name", PARAMETERS)
def test_what_is_no_number_is_refused_by_name(make, name):
    for bad in NO_NUMBERS:
        with refused(name):
            MAKE[make](3, **{name: bad})


@pytest.mark.parametrize("way", [*WAYS][:5])
def test_a_right_number_is_the_same_however_it_is_written(way):
    neuron = LIF(3, tau_mem=WAYS[way](0.0625), v_rest=WAYS[way](-0.25), dt=2.0**-10)
    coefficients = neuron.coefficients().membrane
    expected = LIF(3, tau_mem=0.0625, v_rest=-0.25, dt=2.0**-10).coefficients().membrane
    np.testing.assert_allclose(coefficients.decay, expected.decay, rtol=1e-6)
    np.testing.assert_allclose(coefficients.offset, expected.offset, rtol=1e-6)
    assert isinstance(neuron.tau_mem, Positive if "array" in way else float)


@pytest.mark.parametrize("way", [*WAYS][:4])
def test_a_setting_may_be_a_number_of_numpy(way):
    neuron = LIF(3, dt=WAYS[way](0.125), tau_mem=0.5, firing=Firing(refractory=WAYS[way](0.25)))
    assert (neuron.dt, neuron.firing.refractory) == (0.125, 0.25) and hash(neuron.dt) == hash(0.125)
    assert Firing(max_spikes=np.int64(3)) == Firing(max_spikes=3)
    assert LIF(np.int64(3)).shape == (3,)


def test_traced_parameters_pass():
    def last(tau, rest):
        neuron = LIF(3, tau_mem=tau, v_rest=rest)
        return neuron.run(jnp.ones((4, 3)), neuron.initial_state())[1].membrane.sum()

    slopes = jax.jit(jax.grad(last, (0, 1)))(jnp.asarray(0.02), jnp.zeros(3))
    assert all(np.isfinite(slope).all() for slope in slopes)
    many = eqx.filter_vmap(lambda tau: LIF(3, tau_mem=tau))(jnp.asarray([0.01, 0.02]))
    assert many.tau_mem.log.shape == (2,)


def test_a_parameter_of_a_training_that_diverged_is_refused_where_a_neuron_is_made_of_it():
    with refused("tau_mem"):
        LIF(3, tau_mem=Positive(jnp.asarray(NAN)))


MILLISECONDS = "Milliseconds? Multiply by 1e-3."


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: LIF(3, tau_mem=20), f"1 s, or 1000 time steps. Got tau_mem=20 with dt=0.001. {MILLISECONDS}"),
        (lambda: LIF(3, tau_mem=jnp.full(3, 20.0)), MILLISECONDS),
        (lambda: CuBaLIF(3, tau_syn=5.0), f"1 s, or 1000 time steps. Got tau_syn=5 with dt=0.001. {MILLISECONDS}"),
        (lambda: CuBaLI(3, tau_syn=np.float32(5)), MILLISECONDS),
        (
            lambda: ALIF(3, tau_adapt=200.0),
            f"10 s, or 1000 time steps. Got tau_adapt=200 with dt=0.001. {MILLISECONDS}",
        ),
        (lambda: AdEx(3, tau_adapt=100), MILLISECONDS),
        (lambda: ResonateAndFire(3, tau_mem=20), MILLISECONDS),
        (lambda: LIF(3, dt=1.0), f"left of a state. Got dt=1.0 and tau_mem=0.02. {MILLISECONDS}"),
        (lambda: LIF(3, dt=10.0), f"`dt` must be positive and at most 1, in seconds. Got dt=10.0. {MILLISECONDS}"),
        (lambda: LIF(3, dt=np.float32(-1e-3)), "`dt` must be positive"),
        (lambda: LIF(3, dt="1 ms"), "`dt` must be positive"),
        (lambda: LIF(3, dt=None), "`dt` must be positive"),
        (lambda: Firing(refractory=2), f"at least 0 seconds and at most 0.5. Got refractory=2. {MILLISECONDS}"),
        (lambda: Firing(refractory=NAN), "`refractory` must be a time"),
        (lambda: Firing(refractory=np.float32(-1)), "`refractory` must be a time"),
        (lambda: Firing(max_spikes=2.5), "`max_spikes` must be at least 1, a whole number. Got max_spikes=2.5."),
        (lambda: Firing(max_spikes=True), "`max_spikes` must be"),
        (lambda: Firing(at_threshold=True), '`at_threshold` must be "silent" or "fires". Got at_threshold=True.'),
        (lambda: Firing(surrogate=SuperSpike), "an AbstractSurrogate. Got surrogate=the class SuperSpike. Call it"),
        (lambda: Firing(surrogate=jax.nn.sigmoid), "`surrogate` must be an AbstractSurrogate"),
        (lambda: LIF(3, firing="zero"), "`firing` must be a Firing. Got firing='zero'."),
        (lambda: LIF(3, firing=Firing), "`firing` must be a Firing. Got firing=the class Firing. Call it"),
        (lambda: LIF(2.5), "`size` must be a whole number"),
        (lambda: LIF((3, 0)), "`size` must be at least 1 neuron"),
        (lambda: LIF([3]), "Write a tuple: (3,)"),
        (lambda: Izhikevich(3, substeps=1.5), "`substeps` must be at least 1, a whole number"),
        (lambda: ResonateAndFire(3, frequency=jnp.full(3, 600.0)), "`frequency` must be at most half of 1/dt"),
        (lambda: ParallelInTime(LIF), "`neuron` must be an AbstractNeuron. Got neuron=the class LIF. Call it"),
        (lambda: Slayer(1.0, scale=0.0), "`scale` must be positive"),
        (lambda: MultiGaussian(width=NAN), "`width` must be positive"),
        (lambda: MultiGaussian(lobes=-1.0), "`lobes` must be finite and at least 0"),
        (lambda: Scale(NAN), "`scale` must be finite"),
        (lambda: Threshold("1"), "`threshold` must be finite"),
    ],
)
def test_another_setting_is_refused_with_what_came_and_what_to_do(make, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()


@pytest.mark.parametrize("name", SURROGATES)
@pytest.mark.parametrize("slope", [0, -1, NAN, INF, np.float32(-1), jnp.asarray(0.0), "25", None])
def test_a_slope_that_is_none_is_refused(name, slope):
    with refused("slope"):
        SURROGATES[name].make(slope)


@pytest.mark.parametrize("dt, tau", [(1e-3, 1.0), (1.0, 1000.0), (1e-3, 5e-5), (1.0, 20.0)])
def test_plausible_time_constants_are_left_alone(dt, tau):
    assert LIF(3, tau_mem=tau, dt=dt).tau_mem == tau
