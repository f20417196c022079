"""The stated settings are the equations that other libraries document, spike by spike: each is retyped as a loop."""

import itertools

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from helpers import slow
from memsim import nn
from memsim.nn import ALIF, IF, LIF, AdEx, CuBaLIF, Firing, Izhikevich, ResonateAndFire, SpikingNetwork

STEPS, DT = 1000, 1e-3
TAU, TAU_SLOW = 20e-3, 100e-3
A, B, C = np.exp(-DT / TAU), np.exp(-DT / 5e-3), np.exp(-DT / TAU_SLOW)
RNG = np.random.default_rng(0)
X = RNG.normal(0.1, 0.4, (STEPS, 4))
SMALL = np.clip(X, -0.9, 0.9)  # no membrane reaches two thresholds


@pytest.fixture(autouse=True)
def x64():
    with jax.enable_x64(True):  # so that no spike hangs on the last bit
        yield


def spikes_of(layer, xs):
    return np.asarray(jax.jit(lambda xs: layer.run(xs, layer.initial_state())[0])(jnp.asarray(xs)))


def drive(step, xs, states=1):
    """Runs `step(x, *state) -> spikes, *state` from zero."""
    state, spikes = [np.zeros(xs.shape[1])] * states, []
    for x in xs:
        s, *state = step(x, *state)
        spikes.append(np.asarray(s, float))
    return np.array(spikes)


def leaky(x, u, zero, delay):  # snnTorch Leaky
    r = (u > 1) * 1.0
    if zero:
        u = A * (1 - r) * u + x
    elif delay:
        u = A * u + x - r
    else:
        u = A * (u - r) + x
    return u > 1, u


def synaptic(x, i, u, zero):  # snnTorch Synaptic
    r, i = u > 1, B * i + x
    u = A * u + i
    u = np.where(r, 0.0, u) if zero else u - r
    return u > 1, i, u


def lapicque(x, u, zero):  # snnTorch Lapicque, R = 2
    r = u > 1
    u = DT / TAU * 2 * x + (1 - DT / TAU) * u
    u = np.where(r, 0.0, u) if zero else u - r
    return u > 1, u


def spyx_lif(x, v):
    s = v > 1
    return s, A * v + x - s


def spyx_if(x, v):
    s = v > 1
    return s, v + x - s


def spyx_cuba(x, i, v):
    s = v > 1
    i = B * i + x
    return s, i, A * (v - s) + i


def spyx_alif(x, v, a):
    s, theta = v > 1 + a, 1 + a
    return s, A * v + x - s * theta, C * a + (1 - C) * s


def normalised(x, v, zero):  # jaxpike LIF; snnax SimpleLIF with zero
    v = A * v + (1 - A) * x
    s = v > 1
    return s, np.where(s, 0.0, v) if zero else v - s


def jaxpike_alif(x, v, a):
    v, theta = A * v + (1 - A) * x, 1 + 1.8 * a
    s = v > theta
    return s, v - s * theta, C * a + s


def lif_box(x, v):  # norse LIFBox; SpikingJelly LIFNode
    v = v + DT / TAU * (x - v)
    s = v > 1
    return s, np.where(s, 0.0, v)


def norse_lif(x, i, v):
    i = i + x
    v = v + DT / TAU * (i - v)
    s = v > 1
    return s, i - DT / 5e-3 * i, np.where(s, 0.0, v)


def norse_adex(x, i, v, w):
    i = i + x
    rise = 0.5 * np.exp((v - 1) / 0.5)
    u, w = v + DT / TAU * (rise - v + i - w), w + DT / TAU_SLOW * (0.3 * v - w)
    s = u > 1
    return s, i - DT / 5e-3 * i, np.where(s, 0.0, u), w + 0.02 * s


def snnax_lif(x, i, v, s):
    v = A * np.where(s, 0.0, v) + (1 - A) * i
    return v > 1, B * i + (1 - B) * x, v, v > 1


def multi(x, v):  # sinabs LIF, several spikes a step
    v = A * v + (1 - A) * x
    s = np.maximum(np.floor(v), 0)
    return s, v - s


def rockpool(x, i, v):
    i = B * (i + x)
    v = A * v + i
    s = np.clip(np.floor(v), 0, 7)
    return s, i, v - s


def lava(x, u, v):
    u = B * u + x
    v = A * v + u
    s = v > 1
    return s, u, np.where(s, 0.0, v)


def jaxsnn(x, i, v):
    v, i = v + DT / TAU * (i - v), i - DT / 5e-3 * i + x
    s = v > 1
    return s, i, np.where(s, 0.0, v)


def undecayed(x, v):  # SpikingJelly LIFNode with decay_input=False
    v = v - DT / TAU * v + x
    s = v > 1
    return s, np.where(s, 0.0, v)


EULER = {"decay": "euler", "gain": "euler"}
ZERO, LATE, LOST = Firing(reset="zero"), Firing(delay=1), Firing(reset="zero", refractory=DT)
ADEX = AdEx(4, TAU, TAU_SLOW, v_onset=1.0, slope_factor=0.5, coupling=0.3, jump=0.02)
SYNAPSE = nn.LI(4, 5e-3, decay="euler")
PEERS = {  # ours, their equation, how many states it has, inputs
    "snnTorch Leaky": (LIF(4, firing=LATE), lambda *s: leaky(*s, False, True), 1, X),
    "snnTorch Leaky zero": (LIF(4, firing=ZERO), lambda *s: leaky(*s, True, True), 1, X),
    "snnTorch Leaky same step": (LIF(4), lambda *s: leaky(*s, False, False), 1, SMALL),
    "snnTorch Synaptic": (CuBaLIF(4, firing=LATE), lambda *s: synaptic(*s, False), 2, X / 4),
    "snnTorch Synaptic zero": (CuBaLIF(4, firing=LOST), lambda *s: synaptic(*s, True), 2, X / 4),
    "snnTorch Lapicque": (LIF(4, resistance=2.0, firing=LATE, **EULER), lambda *s: lapicque(*s, False), 1, 9 * X),
    "snnTorch Lapicque zero": (LIF(4, resistance=2.0, firing=LOST, **EULER), lambda *s: lapicque(*s, True), 1, 9 * X),
    "Spyx LIF": (LIF(4, firing=Firing(delay=1, emit="old")), spyx_lif, 1, X),
    "Spyx IF": (IF(4, firing=Firing(delay=1, emit="old")), spyx_if, 1, X),
    "Spyx CuBaLIF": (CuBaLIF(4, firing=Firing(emit="old")), spyx_cuba, 2, X / 4),
    "Spyx ALIF": (
        ALIF(4, tau_adapt=TAU_SLOW, kappa=1.0, gain_adapt="leak", firing=Firing(delay=1, emit="old")),
        spyx_alif,
        2,
        X,
    ),
    "jaxpike LIF": (LIF(4, gain="leak"), lambda *s: normalised(*s, False), 1, 20 * X),
    "snnax SimpleLIF": (LIF(4, gain="leak", firing=ZERO), lambda *s: normalised(*s, True), 1, 20 * X),
    "snnax LIF": (
        CuBaLIF(4, gain="leak", gain_syn="leak", synaptic_delay=1, firing=ZERO),
        snnax_lif,
        3,
        30 * X,
    ),
    "jaxpike ALIF": (ALIF(4, tau_adapt=TAU_SLOW, gain="leak"), jaxpike_alif, 2, 60 * X),
    "norse LIFBox": (LIF(4, firing=ZERO, **EULER), lif_box, 1, 20 * X),
    "norse LIF": (CuBaLIF(4, firing=ZERO, **EULER), norse_lif, 2, 5 * X),
    "norse LIFAdEx": (SpikingNetwork([SYNAPSE, ADEX]), norse_adex, 3, 3 * X),
    "sinabs LIF": (LIF(4, gain="leak", firing=Firing(max_spikes=1000)), multi, 1, 60 * X),
    "rockpool LIF": (CuBaLIF(4, w_in=float(B), firing=Firing(max_spikes=7)), rockpool, 2, 2 * X),
    "lava-dl CUBA": (CuBaLIF(4, firing=ZERO), lava, 2, X / 4),
    "jaxsnn LIF": (CuBaLIF(4, synaptic_delay=1, firing=ZERO, **EULER), jaxsnn, 2, 5 * X),
    "SpikingJelly LIFNode": (LIF(4, firing=ZERO, decay="euler"), undecayed, 1, X),
}


@pytest.mark.parametrize("peer", PEERS)
def test_stated_settings_give_the_spikes_of_the_documented_equation(peer):
    ours, equation, states, xs = PEERS[peer]
    expected = drive(equation, xs, states)
    np.testing.assert_array_equal(spikes_of(ours, xs), expected)
    assert 0.01 < np.mean(expected > 0) < 0.9


# Izhikevich and the resonator, whose states do not start at zero or are complex.


@pytest.mark.parametrize("kind", nn.IZHIKEVICH_2003)
@pytest.mark.parametrize("recovery, substeps", [("new", 2), ("old", 1)])
def test_izhikevich_spikes_are_those_of_a_loop_by_hand(kind, recovery, substeps):
    a, b, c, d = (float(nn.IZHIKEVICH_2003[kind][name]) for name in "abcd")
    xs = 10 + 100 * X / 4
    v, expected = np.full(4, c), []
    u = b * v
    for x in xs:
        old = v
        for _ in range(substeps):
            v = v + 0.5 / substeps * (0.04 * v**2 + 5 * v + 140 - u + x)
            v = np.clip(v, -200, 40)
        u = u + 0.5 * a * (b * (old if recovery == "old" else v) - u)
        s = v > 30
        v, u = np.where(s, c, v), u + d * s
        expected.append(s)
    ours = nn.izhikevich_2003(kind, 4, dt=0.5e-3, recovery=recovery, substeps=substeps)
    np.testing.assert_array_equal(spikes_of(ours, xs), expected)
    assert 0.001 < np.mean(expected) < 0.9


def test_a_fast_spiking_cell_fires_faster_than_a_regular_one_and_a_chattering_one_in_bursts():
    xs = np.full((2000, 1), 10.0)  # one second at dt = 0.5 ms
    trains = {kind: spikes_of(nn.izhikevich_2003(kind, 1, dt=0.5e-3), xs)[:, 0] for kind in nn.IZHIKEVICH_2003}
    gaps = {kind: np.diff(np.flatnonzero(train)) for kind, train in trains.items()}
    assert trains["fast_spiking"].sum() > 2 * trains["regular_spiking"].sum() > 0
    assert gaps["chattering"].max() > 5 * gaps["chattering"].min()  # pauses between bursts
    late = gaps["regular_spiking"][2:]
    assert late.max() - late.min() <= 4  # one rhythm, after adapting


@pytest.mark.parametrize("reset", ["subtract", "zero", "none"])
def test_resonator_spikes_are_those_of_a_complex_loop_by_hand(reset):
    ring, z, expected = np.exp((-1 / TAU + 2j * np.pi * 40.0) * DT), np.zeros(4, complex), []
    for x in X:
        z = ring * z + x
        s = z.real > 1
        z = z - s if reset == "subtract" else np.where(s, 0.25, z) if reset == "zero" else z
        expected.append(s)
    ours = ResonateAndFire(4, TAU, frequency=40.0, v_reset=0.25, firing=Firing(reset=reset))
    np.testing.assert_array_equal(spikes_of(ours, X), expected)
    assert 0.01 < np.mean(expected) < 0.9


def test_a_resonator_answers_its_own_frequency_most():
    t = np.arange(STEPS)[:, None] * DT
    tones = np.array([10.0, 20.0, 40.0, 80.0, 160.0])
    ours = ResonateAndFire(5, 50e-3, frequency=40.0, firing=Firing(reset="none"))
    xs = jnp.asarray(np.sin(2 * np.pi * tones * t))
    found = ours.run(xs, ours.initial_state(), record={"membranes"})[2]["membranes"][""]
    assert int(np.argmax(np.std(np.asarray(found)[500:], axis=0))) == 2


# Every setting of `Firing`.


def firing_by_hand(xs, reset, delay, emit, most, hold, v_reset):
    """One neuron and one step after another, with an explicit list of what is still to be reset."""
    trains = np.zeros(xs.shape)
    for n in range(xs.shape[1]):
        v, s, wait = 0.0, 0, 0
        for t, x in enumerate(xs[:, n]):
            if emit == "old":
                trains[t, n] = s
            rested = v - s if reset == "subtract" else v_reset if reset == "zero" and s else v
            wait = hold if s else max(wait - 1, 0)
            if wait:
                v, s = rested, 0
            else:
                v = A * v + x - s if reset == "subtract" and delay == 1 else A * rested + x
                s = int(np.clip(np.ceil(v) - 1, 0, most))
            if emit == "new":
                trains[t, n] = s
    return trains


@pytest.mark.parametrize(
    "reset, hold", [*itertools.product(["subtract", "zero"], [0, 1, 4]), ("none", 0)]
)  # a refractory period without a reset is refused
@pytest.mark.parametrize("delay, most", [(0, 1), slow(0, 3), slow(1, 1), (1, 3)])
def test_every_setting_of_firing_is_a_loop_by_hand(reset, delay, most, hold):
    xs = 5 * X[:250]
    for emit in ("new", "old"):
        firing = Firing(reset, delay, emit, max_spikes=most, refractory=hold * DT)
        spikes = spikes_of(LIF(4, v_reset=-0.25, firing=firing), xs)
        np.testing.assert_array_equal(spikes, firing_by_hand(xs, reset, delay, emit, most, hold, -0.25))
        assert spikes.max() == most


@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize("threshold", [1.0, 0.6])
def test_recurrent_spikes_are_those_of_a_loop_by_hand(reset, threshold):
    synapse = nn.Linear(4, 4, use_bias=False, key=jr.key(1))
    w = np.asarray(synapse.weight)

    def step(x, v, s):
        v = A * v + x + w @ s
        s = (v > threshold) * 1.0
        return s, v - threshold * s if reset == "subtract" else (1 - s) * v, s

    neuron = LIF(4, threshold=threshold, firing=Firing(reset))
    spikes = spikes_of(nn.Recurrent(neuron, synapse), X)
    np.testing.assert_array_equal(spikes, drive(step, X, 2))
    assert np.any(spikes != spikes_of(neuron, X))  # the feedback matters


def test_readouts_are_leaky_sums_by_hand():
    v = i = u = 0.0
    leaky, current = [], []
    for x in X:
        v, i = A * v + x, B * i + x
        u = A * u + i
        leaky.append(v)
        current.append(u)
    np.testing.assert_allclose(spikes_of(nn.LI(4), X), leaky, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(spikes_of(nn.CuBaLI(4), X), current, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("hold", [1, 5])
def test_a_refractory_neuron_is_silent_for_its_whole_period_and_loses_its_input(hold):
    neuron = LIF(4, firing=Firing(reset="zero", refractory=hold * DT))
    xs = jnp.asarray(np.full((100, 4), 5.0))
    spikes, _, found = neuron.run(xs, neuron.initial_state(), record={"membranes"})
    np.testing.assert_array_equal(spikes[:, 0], np.arange(100) % (hold + 1) == 0)
    np.testing.assert_array_equal(found["membranes"][""][1 :: hold + 1], 0.0)


def test_several_spikes_are_the_floor_of_the_membrane_over_the_threshold():
    neuron, xs = LIF(1000, threshold=0.3, firing=Firing(max_spikes=100)), np.abs(RNG.normal(0, 5, (1, 1000)))
    np.testing.assert_array_equal(spikes_of(neuron, xs)[0], np.clip(np.floor(xs[0] / 0.3), 0, 100))


def test_gradient_of_several_spikes_is_that_of_the_nearest_step_of_a_staircase():
    u, h = np.linspace(0.05, 4.93, 62), 1e-6  # no value halfway between two thresholds
    surrogate = nn.SuperSpike(10.0)

    def staircase(u):  # relaxations of the steps at 1, 2, 3, each as if alone up to halfway to the next
        return surrogate.relaxation(u - jnp.clip(jnp.round(u), 1, 3))

    firing = Firing(max_spikes=3, surrogate=surrogate)
    spikes = lambda u: firing.spikes(firing.initial(u), jnp.ones(()))  # noqa: E731
    slope = jax.vmap(jax.grad(spikes))(jnp.asarray(u))
    difference = (staircase(jnp.asarray(u + h)) - staircase(jnp.asarray(u - h))) / (2 * h)
    np.testing.assert_allclose(slope, difference, rtol=1e-5)
    np.testing.assert_array_equal(spikes(jnp.asarray(u)), np.clip(np.ceil(u) - 1, 0, 3))


@pytest.mark.parametrize("reset, slope", [("subtract", 1.0), ("zero", 0.0)])
@pytest.mark.parametrize("delay", [0, 1])
def test_gradient_does_not_flow_through_the_reset(reset, slope, delay):
    neuron = LIF(1, firing=Firing(reset, delay))

    def second(current):
        _, state = neuron(current, neuron.initial_state())
        return neuron(jnp.zeros(1), state)[1].membrane.sum()

    np.testing.assert_allclose(jax.grad(second)(jnp.asarray([1.2])), slope * A)  # of A (u - s) and A (1 - s) u, s = 1


@pytest.mark.parametrize("make", [LIF, nn.LI])
def test_constant_current_below_threshold_charges_the_membrane_by_a_geometric_series(make):
    n = np.arange(1, 101)[:, None]
    current = np.array([0.04, 0.02])
    neuron = make(2)
    found = neuron.run(jnp.broadcast_to(jnp.asarray(current), (100, 2)), neuron.initial_state(), record={"membranes"})
    np.testing.assert_allclose(found[2]["membranes"][""], current * (1 - A**n) / (1 - A), rtol=1e-12)


def test_membrane_of_a_leak_euler_and_a_rest_settles_where_the_equation_says():
    neuron = nn.LI(1, resistance=3.0, v_rest=-0.5, decay="euler", gain="euler")
    ys = neuron.run(jnp.full((2000, 1), 0.2), neuron.initial_state())[0]
    np.testing.assert_allclose(ys[-1], -0.5 + 3.0 * 0.2, rtol=1e-9)


def test_a_spike_of_adex_follows_the_onset_of_its_exponential():
    slow = AdEx(2, v_onset=jnp.asarray([0.5, 0.9]), coupling=0.0, jump=0.0)
    xs = np.full((STEPS, 2), 0.75)  # above the rheobase v_onset - slope_factor of one, below that of the other
    np.testing.assert_array_equal(spikes_of(slow, xs).any(0), [True, False])
    assert Izhikevich(1).threshold == 30.0
