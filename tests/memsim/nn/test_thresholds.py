"""A membrane at exactly its threshold fires or not as the setting says, and as other libraries do.

Inputs are sums of weights in quarters, as on quantised hardware, so that thresholds are met exactly, and often.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from helpers import NEURONS, SURROGATES, slow
from memsim.nir import DIALECTS, from_nir, to_nir
from memsim.nn import ALIF, IF, LIF, CuBaLIF, Firing, Linear, ParallelInTime, SpikingNetwork, Threshold

STEPS, DT, UNITS, INPUTS = 200, 1e-3, 8, 6
RNG = np.random.default_rng(0)
WEIGHT = (RNG.integers(-4, 9, (UNITS, INPUTS)) / 4).astype(np.float32)
EVENTS = (RNG.random((STEPS, INPUTS)) < 0.3).astype(np.float32)
X = EVENTS @ WEIGHT.T  # multiples of a quarter, in float32 as the other libraries compute
HALF = {"tau_mem": 2e-3, "decay": "euler"}  # half of the membrane is left after a step
FIRES, ZERO_FIRES = Firing(at_threshold="fires"), Firing(reset="zero", at_threshold="fires")
SPIKING = [name for name, case in NEURONS.items() if case(1).spiking]


def run(layer, xs=X):
    return np.asarray(jax.jit(lambda xs: layer.run(xs, layer.initial_state())[0])(jnp.asarray(xs)))


def drive(step, states=1, xs=X):
    """Runs `step(x, *state) -> spikes, *state` from zero, in float32."""
    state, spikes = [np.zeros(xs.shape[1], np.float32)] * states, []
    for x in xs:
        s, *state = step(x, *(np.asarray(part, np.float32) for part in state))
        spikes.append(np.asarray(s, np.float32))
    return np.array(spikes)


def if_node(x, v):  # SpikingJelly IFNode
    v = v + x
    s = v >= 1
    return s, np.where(s, 0, v)


def lif_node(x, v):  # SpikingJelly LIFNode of tau = 2
    v = v + (x - v) / 2
    s = v >= 1
    return s, np.where(s, 0, v)


def undecayed(x, v):  # SpikingJelly LIFNode of tau = 2, decay_input=False
    v = v - v / 2 + x
    s = v >= 1
    return s, np.where(s, 0, v)


def iaf(x, v):  # sinabs IAF, several spikes a step
    v = v + x
    s = (v > 0) * np.trunc(v)
    return s, v - s


def single(x, v):  # sinabs IAF with SingleSpike
    v = v + x
    s = v - 1 >= 0
    return s, v - s


def several(x, i, v):  # rockpool LIF at half a decay of both filters, at most 5 spikes a step
    i = (i + x) / 2
    v = v / 2 + i
    s = np.clip((v >= 1) * np.floor(v), 0, 5)
    return s, i, v - s


def simple(x, v):  # snnax SimpleLIF of alpha = 1/2
    v = v / 2 + x / 2
    s = v >= 1
    return s, np.where(s, 0, v)


def leaky(x, u):  # snnTorch Leaky of beta = 1/2
    u = u / 2 + x - (u > 1)
    return u > 1, u


def lif_box(x, v):  # norse LIFBox of tau = 2 steps
    v = v + (x - v) / 2
    s = v > 1
    return s, np.where(s, 0, v)


def spyx(x, v):  # Spyx LIF of beta = 1/2
    s = v > 1
    return s, v / 2 + x - s


def adaptive(x, v, a):  # sinabs ALIF with MembraneReset, both decays a half, adapt_scale = 1/2
    v = v / 2 + x / 2
    s = v >= 1 + a / 2
    return s, np.where(s, 0, v), a / 2 + s / 2


PEERS = {  # ours, their equation, number of states
    "SpikingJelly IFNode": (IF(UNITS, firing=ZERO_FIRES), if_node, 1),
    "SpikingJelly LIFNode": (LIF(UNITS, gain="euler", firing=ZERO_FIRES, **HALF), lif_node, 1),
    "SpikingJelly LIFNode undecayed": (LIF(UNITS, firing=ZERO_FIRES, **HALF), undecayed, 1),
    "sinabs IAF": (IF(UNITS, firing=Firing(max_spikes=1000, at_threshold="fires")), iaf, 1),
    "sinabs IAF SingleSpike": (IF(UNITS, firing=FIRES), single, 1),
    "rockpool LIF": (
        CuBaLIF(UNITS, tau_syn=2e-3, w_in=0.5, firing=Firing(max_spikes=5, at_threshold="fires"), **HALF),
        several,
        2,
    ),
    "snnax SimpleLIF": (LIF(UNITS, gain="leak", firing=ZERO_FIRES, **HALF), simple, 1),
    "sinabs ALIF": (
        ALIF(UNITS, tau_adapt=2e-3, kappa=0.5, gain="leak", gain_adapt="leak", firing=ZERO_FIRES, **HALF),
        adaptive,
        2,
    ),
    "snnTorch Leaky": (LIF(UNITS, firing=Firing(delay=1), **HALF), leaky, 1),
    "norse LIFBox": (LIF(UNITS, gain="euler", firing=Firing(reset="zero"), **HALF), lif_box, 1),
    "Spyx LIF": (LIF(UNITS, firing=Firing(delay=1, emit="old"), **HALF), spyx, 1),
}


def other_convention(neuron):
    """`neuron` with the other answer at exactly the threshold."""
    swapped = {"silent": "fires", "fires": "silent"}[neuron.firing.at_threshold]
    settings = {name: setting for name, setting in vars(neuron.firing).items() if name != "at_threshold"}
    return type(neuron)(**vars(neuron) | {"firing": Firing(**settings, at_threshold=swapped)})


@pytest.mark.parametrize("peer", PEERS)
def test_weights_in_quarters_give_the_spikes_of_the_documented_equation(peer):
    neuron, equation, states = PEERS[peer]
    expected = drive(equation, states)
    np.testing.assert_array_equal(run(neuron), expected)
    assert 0.05 < np.mean(expected > 0) < 0.9
    assert np.any(run(other_convention(neuron)) != expected)  # thresholds are met exactly


@pytest.mark.parametrize("reset, hold", [*itertools.product(["subtract", "zero"], [0, 2]), ("none", 0)])
@pytest.mark.parametrize("delay, most", [(0, 1), slow(0, 3), slow(1, 1), (1, 3)])
@pytest.mark.parametrize("at_threshold", ["silent", "fires"])
def test_every_setting_of_firing_holds_at_exactly_the_threshold(reset, hold, delay, most, at_threshold):
    def count(v):
        return np.clip(np.floor(v) if at_threshold == "fires" else np.ceil(v) - 1, 0, most)

    for emit in ("new", "old"):
        firing = Firing(reset, delay, emit, most, hold * DT, at_threshold=at_threshold)
        v, s, wait, expected = np.zeros(UNITS), np.zeros(UNITS), np.zeros(UNITS, int), []
        for x in X:
            before, rested = s, v - s if reset == "subtract" else np.where(s > 0, 0.0, v) if reset == "zero" else v
            wait = np.where(s > 0, hold, np.maximum(wait - 1, 0))
            late = reset == "subtract" and delay == 1  # the same here, where nothing decays
            v = np.where(wait > 0, rested, v + x - s if late else rested + x)
            s = np.where(wait > 0, 0.0, count(v))
            expected.append(s if emit == "new" else before)
        np.testing.assert_array_equal(run(IF(UNITS, firing=firing)), expected)


@pytest.mark.parametrize("at_threshold", ["silent", "fires"])
def test_neurons_solved_over_time_at_once_have_the_same_convention(at_threshold):
    neuron = IF(UNITS, firing=Firing(reset="none", at_threshold=at_threshold))
    membranes = np.cumsum(X, 0)
    expected = membranes >= 1 if at_threshold == "fires" else membranes > 1
    np.testing.assert_array_equal(run(ParallelInTime(neuron)), expected)
    assert np.any(membranes == 1)


@pytest.mark.parametrize("name", SPIKING)
def test_every_neuron_knows_both_answers(name):
    for at_threshold, expected in (("silent", 0), ("fires", 1)):
        plain = NEURONS[name](1)
        settings = vars(plain.firing) | {"at_threshold": at_threshold}
        neuron = NEURONS[name](1, firing=Firing(**settings))
        coefficients, state = neuron.coefficients(), neuron.initial_state()
        exact = jnp.broadcast_to(coefficients.threshold, (1,))
        membrane = state if hasattr(state, "wait") else state.membrane
        met = membrane._replace(membrane=exact.astype(membrane.membrane.dtype))
        state = met if hasattr(state, "wait") else state._replace(membrane=met)
        assert float(neuron.spikes(coefficients, state)[0]) == expected


@pytest.mark.parametrize("name", SURROGATES)
def test_every_surrogate_knows_both_answers_and_has_one_slope(name):
    surrogate, x = SURROGATES[name].make(), jnp.asarray([-0.5, 0.0, 0.5])
    np.testing.assert_array_equal(surrogate(x), [0, 0, 1])
    np.testing.assert_array_equal(surrogate(x, at_zero=True), [0, 1, 1])
    slopes = [jax.vmap(jax.grad(lambda x, at=at: surrogate(x, at_zero=at)))(x) for at in (False, True)]
    np.testing.assert_array_equal(*slopes)


def test_a_threshold_layer_knows_both_answers():
    x = jnp.asarray([0.75, 1.0, 1.25])
    np.testing.assert_array_equal(Threshold(1.0)(x), [0, 0, 1])
    np.testing.assert_array_equal(Threshold(1.0, at_threshold="fires")(x), [0, 1, 1])


# Dialects.


def graph_of(nir, neuron, weight=WEIGHT):
    nodes = {
        "input": nir.Input(np.array([weight.shape[1]])),
        "w": nir.Linear(weight),
        "n": neuron,
        "output": nir.Output(np.array([len(weight)])),
    }
    return nir.NIRGraph(nodes, [("input", "w"), ("w", "n"), ("n", "output")], metadata={}, type_check=False)


FIRST = {"spikingjelly": 2, "sinabs": 2, "rockpool": 2, "nir": 3, "snntorch": 3, "norse": 3, "jaxpike": 3, "hxtorch": 3}


@pytest.mark.parametrize("dialect", FIRST)
def test_half_a_threshold_a_step_fires_in_the_step_in_which_the_exporters_neuron_does(dialect):
    nir = pytest.importorskip("nir")
    r = 1.0 if DIALECTS[dialect].rate == "per_step" else 1 / DT
    neuron = nir.IF(r=np.full(1, r), v_threshold=np.ones(1), v_reset=np.zeros(1))
    network = from_nir(graph_of(nir, neuron, np.ones((1, 1), np.float32)), dt=DT, dialect=dialect)
    spikes = np.asarray(network(jnp.full((4, 1), 0.5)))[:, 0]
    assert int(np.argmax(spikes > 0)) + 1 == FIRST[dialect]


def test_dialects_and_the_table_above_are_the_same():
    assert {**FIRST, "spyx": None}.keys() == DIALECTS.keys()  # what Spyx fires is told a step late


@pytest.mark.parametrize("steps", [2, 3, *map(slow, (4, 5, 10)), 20])
@pytest.mark.parametrize("dt", [slow(1e-3), 1e-4])
def test_a_file_of_spikingjelly_gives_its_spikes_whatever_the_time_constant(steps, dt):
    nir = pytest.importorskip("nir")
    full = {"tau": steps * dt, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0}
    neuron = nir.LIF(**{name: np.full(UNITS, x) for name, x in full.items()})
    xs = np.float32(steps) * X / 2

    def lif(x, v):
        v = v + (x - v) / np.float32(steps)
        s = v >= 1
        return s, np.where(s, np.float32(0), v)

    network = from_nir(graph_of(nir, neuron, np.float32(steps) * WEIGHT / 2), dt=dt, dialect="spikingjelly")
    np.testing.assert_array_equal(network(jnp.asarray(EVENTS)), drive(lif, xs=xs))
    assert np.any(np.isclose(xs, steps))  # from rest, this input meets the threshold exactly


def test_a_threshold_node_follows_the_firing_that_it_is_read_with():
    nir = pytest.importorskip("nir")
    graph = graph_of(nir, nir.Threshold(np.ones(1)), np.ones((1, 1), np.float32))
    xs = jnp.asarray([[1.0]])
    assert from_nir(graph, dt=DT)(xs) == 0
    assert from_nir(graph, dt=DT, firing=FIRES)(xs) == from_nir(graph, dt=DT, dialect="sinabs")(xs) == 1


def test_a_neuron_that_fires_at_its_threshold_is_not_written_as_one_that_does_not():
    pytest.importorskip("nir")
    neuron = LIF(2, firing=ZERO_FIRES)
    for layer in (
        neuron,
        Threshold(1.0, at_threshold="fires"),
        LIF(2, firing=Firing(reset="none", at_threshold="fires")),
    ):
        with pytest.raises(ValueError, match="silent at exactly its threshold"):
            to_nir(SpikingNetwork([layer]), dt=DT, input_shape=2)


def test_a_threshold_one_rounding_lower_says_the_same_in_a_file():
    pytest.importorskip("nir")
    lower = float(np.nextafter(np.float32(1), np.float32(0)))
    linear = Linear(INPUTS, UNITS, use_bias=False, key=jax.random.key(0))
    linear = jax.tree.map(lambda w: jnp.asarray(WEIGHT), linear)
    fires, silent = (
        SpikingNetwork([linear, IF(UNITS, firing=f, threshold=t)])
        for f, t in ((ZERO_FIRES, 1.0), (Firing(reset="zero"), lower))
    )
    again = from_nir(to_nir(silent, dt=DT, input_shape=INPUTS), dt=DT)
    np.testing.assert_array_equal(again(jnp.asarray(EVENTS)), fires(jnp.asarray(EVENTS)))
