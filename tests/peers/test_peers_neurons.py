"""The stated settings give the spikes of the other libraries themselves, where they are installed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memsim.nn import ALIF, IF, LIF, AdEx, CuBaLI, CuBaLIF, Firing, Izhikevich, ResonateAndFire

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]
STEPS, DT, TAU = 1000, 1e-3, 20e-3
BETA, ALPHA = float(np.exp(-DT / TAU)), float(np.exp(-DT / 5e-3))
X = np.random.default_rng(0).normal(0.1, 0.4, (STEPS, 4))
SMALL = np.clip(X, -0.9, 0.9)
EULER = {"decay": "euler", "gain": "euler"}
ZERO = Firing(reset="zero")
FIRES, ZERO_FIRES = Firing(at_threshold="fires"), Firing(reset="zero", at_threshold="fires")
MANY = Firing(max_spikes=1000, at_threshold="fires")
QUARTERS = np.random.default_rng(1).integers(-4, 7, X.shape) / 4  # weights on a grid meet thresholds exactly, and often
HALF = {"tau_mem": 2 * DT, "decay": "euler"}  # half of the membrane is left after a step


@pytest.fixture(autouse=True)
def x64():
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def ours(neuron, xs):
    spikes = np.asarray(jax.jit(lambda xs: neuron.run(xs, neuron.initial_state())[0])(jnp.asarray(xs)))
    assert 0.005 < np.mean(spikes != 0) <= 1
    return spikes


def same(neuron, xs, theirs):
    np.testing.assert_array_equal(ours(neuron, xs), theirs)


def torch_loop(step, xs):
    """What `step(x)` gives for each row, in float64."""
    torch = pytest.importorskip("torch")
    with torch.no_grad():
        return np.array([step(torch.tensor(x, dtype=torch.float64)).numpy() for x in xs])


def stateful(step, state):
    """A function of the input alone, from one that takes and gives a state."""
    held = [state]

    def one(x):
        spikes, held[0] = step(x, held[0])
        return spikes

    return one


def double(number):
    return pytest.importorskip("torch").tensor(number, dtype=pytest.importorskip("torch").float64)


# snnTorch.


@pytest.mark.parametrize(
    "settings, firing, xs",
    [
        ({}, Firing(delay=1), X),
        ({"reset_mechanism": "zero"}, ZERO, X),
        ({"reset_delay": False}, Firing(), SMALL),
        ({"reset_mechanism": "zero", "reset_delay": False}, ZERO, X),
        ({"reset_mechanism": "none"}, Firing(reset="none"), X),
    ],
)
def test_snntorch_leaky(settings, firing, xs):
    leaky = pytest.importorskip("snntorch").Leaky(beta=double(BETA), **settings)
    theirs = torch_loop(stateful(lambda x, mem: leaky(x, mem), 0 * double(xs[0])), xs)
    same(LIF(4, firing=firing), xs, theirs)


@pytest.mark.parametrize(
    "settings, firing",
    [
        ({}, Firing(delay=1)),
        ({"reset_mechanism": "zero"}, Firing(reset="zero", refractory=DT)),
        ({"reset_delay": False}, Firing()),
    ],
)
def test_snntorch_synaptic(settings, firing):
    neuron = pytest.importorskip("snntorch").Synaptic(alpha=double(ALPHA), beta=double(BETA), **settings)
    zero = 0 * double(X[0])

    def step(x, state):
        spikes, syn, mem = neuron(x, *state)
        return spikes, (syn, mem)

    same(CuBaLIF(4, firing=firing), SMALL / 4, torch_loop(stateful(step, (zero, zero)), SMALL / 4))


@pytest.mark.parametrize("mechanism", ["subtract", "zero"])
def test_snntorch_lapicque(mechanism):
    neuron = pytest.importorskip("snntorch").Lapicque(
        R=double(2.0), C=double(TAU / 2), time_step=double(DT), reset_mechanism=mechanism
    )
    theirs = torch_loop(stateful(lambda x, mem: neuron(x, mem), 0 * double(X[0])), 9 * X)
    firing = Firing(delay=1) if mechanism == "subtract" else Firing(reset="zero", refractory=DT)
    same(LIF(4, resistance=2.0, firing=firing, **EULER), 9 * X, theirs)


@pytest.mark.parametrize("mechanism, firing", [("subtract", Firing(delay=1)), ("zero", ZERO)])
def test_snntorch_leaky_at_exactly_its_threshold(mechanism, firing):
    leaky = pytest.importorskip("snntorch").Leaky(beta=double(0.5), reset_mechanism=mechanism)
    theirs = torch_loop(stateful(lambda x, mem: leaky(x, mem), 0 * double(X[0])), QUARTERS)
    same(LIF(4, firing=firing, **HALF), QUARTERS, theirs)


# Spyx.


def spyx(name, xs, **settings):
    nnx = pytest.importorskip("flax.nnx")
    layer = getattr(pytest.importorskip("spyx.nn"), name)((4,), **settings, rngs=nnx.Rngs(0))

    def step(state, x):
        spikes, state = layer(x, state)
        return state, spikes

    state = jnp.asarray(layer.initial_state(1), float)
    return np.asarray(jax.lax.scan(step, state, jnp.asarray(xs)[:, None])[1])[:, 0]


def test_spyx_lif():
    same(LIF(4, firing=Firing(delay=1, emit="old")), X, spyx("LIF", X, beta=BETA))


@pytest.mark.parametrize("xs", [X, QUARTERS])
def test_spyx_if(xs):
    same(IF(4, firing=Firing(delay=1, emit="old")), xs, spyx("IF", xs))


def test_spyx_cuba_lif():
    same(CuBaLIF(4, firing=Firing(emit="old")), X / 4, spyx("CuBaLIF", X / 4, alpha=ALPHA, beta=BETA))


def test_spyx_alif():
    neuron = ALIF(4, tau_adapt=5e-3, kappa=1.0, gain_adapt="leak", firing=Firing(delay=1, emit="old"))
    same(neuron, X, spyx("ALIF", X, gamma=ALPHA, beta=BETA))


def test_spyx_resonate_and_fire_up_to_rounding():
    nnx = pytest.importorskip("flax.nnx")
    layer = pytest.importorskip("spyx.experimental.rf_ssm").RFSSM((4,), pole_init="lru", rngs=nnx.Rngs(0))
    decay, omega = np.asarray(layer.decay, float), np.asarray(layer.omega[...], float)

    def step(state, x):
        spikes, state = layer(x, state)
        return state, spikes

    theirs = jax.lax.scan(step, layer.initial_state(1), jnp.asarray(X, jnp.float32)[:, None])[1][:, 0]
    turns = omega / (2 * np.pi)
    neuron = ResonateAndFire(4, 1 / decay, np.minimum(turns, 1 - turns), dt=1.0, firing=Firing(reset="none"))
    # Theirs is complex64: a membrane within 1e-5 of the threshold, one of some 50 000, may fall on the other side.
    assert np.sum(ours(neuron, X) != np.asarray(theirs)) <= 4


# norse.


def norse(module):
    return pytest.importorskip(f"norse.torch.functional.{module}")


@pytest.mark.parametrize("subtract", [False, True])
def test_norse_lif_box(subtract):
    box = norse("lif_box")
    how = {"reset_method": norse("reset").reset_subtract} if subtract else {}
    p = box.LIFBoxParameters(tau_mem_inv=double(1 / TAU), v_leak=double(0.1), v_reset=double(-0.3), **how)
    start = box.LIFBoxFeedForwardState(v=double([0.1] * 4))
    theirs = torch_loop(stateful(lambda x, s: box.lif_box_feed_forward_step(x, s, p, DT), start), 20 * X)
    neuron = LIF(4, v_rest=0.1, v_reset=-0.3, firing=Firing() if subtract else ZERO, **EULER)
    same(neuron, 20 * X, theirs)


def test_norse_lif_box_at_exactly_its_threshold():
    box, tau = norse("lif_box"), 2.0**-9  # of which a step of 2**-10 s is exactly a half
    p, start = box.LIFBoxParameters(tau_mem_inv=double(1 / tau)), box.LIFBoxFeedForwardState(v=double([0.0] * 4))
    xs, dt = 2 * QUARTERS, tau / 2
    theirs = torch_loop(stateful(lambda x, s: box.lif_box_feed_forward_step(x, s, p, dt), start), xs)
    same(LIF(4, tau, dt=dt, firing=ZERO, **EULER), xs, theirs)


@pytest.mark.parametrize("refractory", [0, 5])
def test_norse_lif(refractory):
    lif, refrac = norse("lif"), norse("lif_refrac")
    p = lif.LIFParameters(tau_syn_inv=double(200.0), tau_mem_inv=double(1 / TAU))
    start, step = lif.LIFFeedForwardState(*(0 * double(X[:2]))), lif.lif_feed_forward_step
    if refractory:
        p = refrac.LIFRefracParameters(p, double(float(refractory)))
        start, step = refrac.LIFRefracFeedForwardState(start, 0 * double(X[0])), refrac.lif_refrac_feed_forward_step
    theirs = torch_loop(stateful(lambda x, s: step(x, s, p, DT), start), 5 * X)
    same(CuBaLIF(4, firing=Firing(reset="zero", refractory=refractory * DT), **EULER), 5 * X, theirs)


def test_norse_li():
    li = norse("leaky_integrator")
    p = li.LIParameters(double(200.0), double(1 / TAU))
    start = li.LIState(*(0 * double(X[:2])))
    theirs = torch_loop(stateful(lambda x, s: li.li_feed_forward_step(x, s, p, DT), start), X)
    np.testing.assert_allclose(ours(CuBaLI(4, **EULER), X), theirs, rtol=1e-9, atol=1e-12)


def test_norse_lif_adex():
    adex = norse("lif_adex")
    names = {"adaptation_current": 0.3, "adaptation_spike": 0.02, "delta_T": 0.5, "tau_ada_inv": 10.0}
    names |= {"tau_syn_inv": 200.0, "tau_mem_inv": 1 / TAU}
    p = adex.LIFAdExParameters(**{name: double(x) for name, x in names.items()})
    start = adex.LIFAdExFeedForwardState(*(0 * double(X[:3])))
    theirs = torch_loop(stateful(lambda x, s: adex.lif_adex_feed_forward_step(x, s, p, DT), start), 3 * X)
    currents, i = [], 0.0
    for x in 3 * X:  # their synapse, which is an `LI` in front of ours
        currents.append(i + x)
        i = currents[-1] * (1 - DT * 200.0)
    neuron = AdEx(4, TAU, 0.1, v_onset=1.0, slope_factor=0.5, coupling=0.3, jump=0.02)
    same(neuron, np.array(currents), theirs)


def test_norse_lsnn():
    lsnn = norse("lsnn")
    p = lsnn.LSNNParameters(double(1 / DT), double(1 / TAU), double(10.0))
    start = lsnn.LSNNFeedForwardState(0 * double(X[0]), 0 * double(X[0]), 0 * double(X[0]) + 1)
    theirs = torch_loop(stateful(lambda x, s: lsnn.lsnn_feed_forward_step(x, s, p, DT), start), 60 * X)
    neuron = ALIF(4, tau_adapt=0.1, kappa=float(np.float32(1.8)) * (1 - DT / 0.1), firing=ZERO, **EULER)
    same(
        neuron, np.concatenate([np.zeros((1, 4)), 60 * X[:-1]]), theirs
    )  # theirs integrates the input of the step before


def test_norse_izhikevich():
    izhikevich = norse("izhikevich")
    p = izhikevich.IzhikevichParameters(a=0.02, b=0.2, c=-65.0, d=8.0)
    xs, v = 10 + 20 * X, double([-65.0] * 4)
    start = izhikevich.IzhikevichState(v, 0.2 * v)
    theirs = torch_loop(stateful(lambda x, s: izhikevich.izhikevich_feed_forward_step(x, s, p, DT), start), xs)
    same(Izhikevich(4, dt=0.25e-3, substeps=1, recovery="old"), xs, theirs)


# jaxpike computes in float32, and so do we here. Its equation is a scan as ours is: the roundings are the same.


def jaxpike(name, xs, **settings):
    neuron = getattr(pytest.importorskip("jaxpike.neurons"), name)(**settings)
    step = lambda state, x: neuron(state, x)  # noqa: E731
    return np.asarray(jax.lax.scan(step, neuron.init_state((4,)), jnp.asarray(xs, jnp.float32))[1])


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_jaxpike_lif(reset):
    with jax.enable_x64(False):
        neuron = LIF(4, jnp.asarray(20.0), dt=1.0, gain="leak", firing=Firing(reset=reset))
        same(neuron, 20 * X, jaxpike("LIF", 20 * X, reset=reset))


def test_jaxpike_lif_at_exactly_its_threshold():
    with jax.enable_x64(False):
        settings = {"dt": 1.0, "gain": "leak", "firing": ZERO}
        gain = float(LIF(4, jnp.asarray(20.0), **settings).coefficients().membrane.gain)
        neuron = LIF(4, jnp.asarray(20.0), threshold=gain, **settings)  # which an input of 1 meets from zero
        same(neuron, QUARTERS, jaxpike("LIF", QUARTERS, reset="zero", threshold=gain))


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_jaxpike_alif(reset):
    with jax.enable_x64(False):
        taus = jnp.asarray(20.0), jnp.asarray(200.0)
        neuron = ALIF(4, *taus, dt=1.0, gain="leak", firing=Firing(reset=reset))
        same(neuron, 60 * X, jaxpike("ALIF", 60 * X, reset=reset))


@pytest.mark.parametrize("kind", [(0.02, 0.2, -65.0, 8.0), (0.1, 0.2, -65.0, 2.0), (0.02, 0.2, -50.0, 2.0)])
def test_jaxpike_izhikevich(kind):
    with jax.enable_x64(False):
        a, b, c, d = kind
        same(Izhikevich(4, *kind), 10 + 20 * X, jaxpike("Izhikevich", 10 + 20 * X, a=a, b=b, c=c, d=d))


# sinabs.


def sinabs(neuron, xs):
    torch = pytest.importorskip("torch")
    neuron.init_state_with_shape((1, 4))
    with torch.no_grad():
        return neuron.double()(double(xs)[None])[0].numpy()


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("normalised", [False, True])
def test_sinabs_lif(single, normalised):
    activation, layers = pytest.importorskip("sinabs.activation"), pytest.importorskip("sinabs.layers")
    how = activation.SingleSpike if single else activation.MultiSpike
    xs = 60 * X if normalised else 3 * X
    theirs = sinabs(layers.LIF(tau_mem=20.0, spike_fn=how, norm_input=normalised), xs)
    same(LIF(4, gain="leak" if normalised else "one", firing=FIRES if single else MANY), xs, theirs)


def test_sinabs_lif_with_a_synapse():
    layers = pytest.importorskip("sinabs.layers")
    theirs = sinabs(layers.LIF(tau_mem=20.0, tau_syn=5.0), 20 * X)
    same(CuBaLIF(4, w_in=ALPHA, gain="leak", firing=MANY), 20 * X, theirs)


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("xs", [2 * X, QUARTERS])
def test_sinabs_iaf(single, xs):
    activation, layers = pytest.importorskip("sinabs.activation"), pytest.importorskip("sinabs.layers")
    how = activation.SingleSpike if single else activation.MultiSpike
    same(IF(4, firing=FIRES if single else MANY), xs, sinabs(layers.IAF(spike_fn=how), xs))


def test_sinabs_alif():
    layers, torch = pytest.importorskip("sinabs.layers"), pytest.importorskip("torch")
    neuron = layers.ALIF(tau_mem=20.0, tau_adapt=100.0, adapt_scale=1.8, train_alphas=True).double()
    slow = 1 - 2**-6  # and so is 1 - slow, also in the float32 of its spikes
    for parameter, decay in ((neuron.alpha_mem, BETA), (neuron.alpha_adapt, slow)):
        parameter.data = torch.tensor(decay, dtype=torch.float64)
    settings = {"gain": "leak", "gain_adapt": "leak", "tau_adapt": -DT / np.log(slow), "firing": FIRES}
    same(ALIF(4, **settings), 20 * X, sinabs(neuron, 20 * X))


# SpikingJelly.


@pytest.mark.parametrize("v_reset", [0.0, -0.5, None])
@pytest.mark.parametrize("decay_input", [True, False])
@pytest.mark.parametrize("tau, xs", [(20.0, X), (2.0, QUARTERS)])
def test_spikingjelly_lif_node(v_reset, decay_input, tau, xs):
    nodes = pytest.importorskip("spikingjelly.activation_based.neuron")
    node = nodes.LIFNode(tau=tau, decay_input=decay_input, v_reset=v_reset)
    xs, rest = (tau * xs if decay_input else xs), v_reset or 0.0
    settings = {"v_rest": rest, "v_reset": rest, "decay": "euler", "gain": "euler" if decay_input else "one"}
    same(LIF(4, tau * DT, firing=FIRES if v_reset is None else ZERO_FIRES, **settings), xs, torch_loop(node, xs))


@pytest.mark.parametrize("v_reset", [0.0, None])
@pytest.mark.parametrize("xs", [X, QUARTERS])
def test_spikingjelly_if_node(v_reset, xs):
    node = pytest.importorskip("spikingjelly.activation_based.neuron").IFNode(v_reset=v_reset)
    same(IF(4, firing=FIRES if v_reset is None else ZERO_FIRES), xs, torch_loop(node, xs))
