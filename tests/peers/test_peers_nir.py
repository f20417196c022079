"""Networks that other libraries write are read to the spikes that those libraries make themselves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import memsim as ms

pytestmark = [
    pytest.mark.peers,
    # Other libraries warn, and mix dtypes, in their own code.
    pytest.mark.filterwarnings("ignore"),
]

INPUTS, SIZE, STEPS, DT = 6, 8, 200, 1e-3


@pytest.fixture(autouse=True)
def as_users_run():
    """Strict promotion and ranks are this suite's settings, and other libraries do not hold to them."""
    before = jax.config.jax_numpy_dtype_promotion, jax.config.jax_numpy_rank_promotion
    jax.config.update("jax_numpy_dtype_promotion", "standard")
    jax.config.update("jax_numpy_rank_promotion", "allow")
    yield
    jax.config.update("jax_numpy_dtype_promotion", before[0])
    jax.config.update("jax_numpy_rank_promotion", before[1])


def numbers():
    rng = np.random.default_rng(0)
    weight = rng.normal(0.3, 1.0, (SIZE, INPUTS)).astype(np.float32)
    return weight, rng.normal(0, 0.1, SIZE).astype(np.float32), (rng.random((STEPS, INPUTS)) < 0.3).astype(np.float32)


WEIGHT, BIAS, XS = numbers()


def torch_linear(torch, gain=1.0):
    linear = torch.nn.Linear(INPUTS, SIZE)
    linear.weight.data, linear.bias.data = torch.tensor(gain * WEIGHT), torch.tensor(gain * BIAS)
    return linear


def read(graph, dialect, firing=None, dt=DT):
    """What we make of `graph`, by its dialect and by the guess."""
    network = ms.nir.from_nir(graph, dt=dt, dialect=dialect, firing=firing)
    found = ms.nir.guess(graph, dt=dt)
    assert found.name == dialect, found.reasons
    with pytest.warns(UserWarning, match=f"Read as '{dialect}'"):
        guessed = ms.nir.from_nir(graph, dt=dt, dialect="guess", firing=firing)
    raster = np.asarray(network(jnp.asarray(XS)))
    np.testing.assert_array_equal(np.asarray(guessed(jnp.asarray(XS))), raster)
    return raster


def assert_same(ours, theirs):
    theirs = np.asarray(theirs).reshape(ours.shape)
    assert theirs.sum() > 100, "too few spikes to compare"
    agreeing = int(((ours == theirs) & (theirs > 0)).sum())
    print(f"{agreeing} of {int((theirs > 0).sum())} spikes, {int((ours != theirs).sum())} differences")
    np.testing.assert_array_equal(ours, theirs)


def stepped(torch, net):
    with torch.no_grad():
        return np.stack([net(torch.tensor(x)).numpy() for x in XS])


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_snntorch_leaky(reset):
    torch, snn = pytest.importorskip("torch"), pytest.importorskip("snntorch")
    from snntorch.export_nir import export_to_nir

    neuron = snn.Leaky(
        beta=torch.linspace(0.6, 0.95, SIZE), threshold=torch.ones(SIZE), init_hidden=True, reset_mechanism=reset
    )
    net = torch.nn.Sequential(torch_linear(torch), neuron)
    graph = export_to_nir(net, torch.ones(INPUTS))
    neuron.reset_mem()
    firing = None if reset == "subtract" else ms.nn.Firing(reset="zero")
    assert_same(read(graph, "snntorch", firing), stepped(torch, net))


def test_snntorch_synaptic():
    torch, snn = pytest.importorskip("torch"), pytest.importorskip("snntorch")
    from snntorch.export_nir import export_to_nir

    neuron = snn.Synaptic(
        alpha=torch.linspace(0.5, 0.8, SIZE),
        beta=torch.linspace(0.6, 0.9, SIZE),
        threshold=torch.ones(SIZE),
        init_hidden=True,
    )
    net = torch.nn.Sequential(torch_linear(torch, 0.4), neuron)
    graph = export_to_nir(net, torch.ones(INPUTS))
    neuron.reset_mem()
    assert_same(read(graph, "snntorch"), stepped(torch, net))


def test_snntorch_recurrent_leaky():
    torch, snn = pytest.importorskip("torch"), pytest.importorskip("snntorch")
    from snntorch.export_nir import export_to_nir

    torch.manual_seed(0)
    neuron = snn.RLeaky(beta=0.9, linear_features=SIZE, init_hidden=True)
    net = torch.nn.Sequential(torch_linear(torch), neuron)
    graph = export_to_nir(net, torch.ones(INPUTS))
    neuron.reset_mem()
    assert_same(read(graph, "snntorch"), stepped(torch, net))


@pytest.mark.parametrize("cell", ["LIFBoxCell", "LIFCell"])
def test_norse(cell):
    torch, norse = pytest.importorskip("torch"), pytest.importorskip("norse.torch")
    net = norse.SequentialState(torch_linear(torch, 5.0), getattr(norse, cell)())
    graph = norse.to_nir(net, torch.ones(1, INPUTS))
    state, theirs = None, []
    with torch.no_grad():
        for x in XS:
            spikes, state = net(torch.tensor(x)[None], state)
            theirs.append(spikes.numpy())
    assert_same(read(graph, "norse"), np.stack(theirs))


@pytest.mark.parametrize("neuron", ["LIFSqueeze", "IAFSqueeze"])
def test_sinabs(neuron):
    torch, layers = pytest.importorskip("torch"), pytest.importorskip("sinabs.layers")
    from sinabs.nir import to_nir

    settings = {"tau_mem": 10.0} if neuron == "LIFSqueeze" else {}
    net = torch.nn.Sequential(
        torch_linear(torch, 4.0 if settings else 1.0), getattr(layers, neuron)(batch_size=1, **settings)
    )
    with torch.no_grad():
        theirs = net(torch.tensor(XS)).numpy()
    assert theirs.max() > 1  # several spikes a step
    assert_same(read(to_nir(net, torch.ones(4, INPUTS)), "sinabs"), theirs)


@pytest.mark.parametrize(
    "neuron, settings", [("LIFNode", {"decay_input": True}), ("LIFNode", {"decay_input": False}), ("IFNode", {})]
)
def test_spikingjelly(neuron, settings):
    torch, neurons = pytest.importorskip("torch"), pytest.importorskip("spikingjelly.activation_based.neuron")
    from spikingjelly.activation_based import functional
    from spikingjelly.activation_based.nir_exchange.to_nir import export_to_nir

    tau = {"tau": 10.0} if neuron == "LIFNode" else {}
    net = torch.nn.Sequential(
        torch_linear(torch, 6.0 if settings.get("decay_input") else 1.0), getattr(neurons, neuron)(**tau, **settings)
    )
    graph = export_to_nir(net, torch.ones(1, INPUTS), dt=DT)
    functional.reset_net(net)
    with torch.no_grad():
        theirs = np.stack([net(torch.tensor(x)[None]).numpy() for x in XS])
    assert_same(read(graph, "spikingjelly"), theirs)


@pytest.mark.parametrize("dt", [DT, 1])
@pytest.mark.parametrize("neuron", ["LIF", "CuBaLIF", "IF", "RLIF", "RCuBaLIF", "RIF"])
def test_spyx(neuron, dt):
    nnx, spyx = pytest.importorskip("flax.nnx"), pytest.importorskip("spyx.nn")
    from spyx.nir import to_nir

    linear = nnx.Linear(INPUTS, SIZE, rngs=nnx.Rngs(0))
    kind = neuron.removeprefix("R")
    gain = {"LIF": 1.0, "CuBaLIF": 0.4, "IF": 0.5}[kind]
    linear.kernel[...], linear.bias[...] = jnp.asarray(gain * WEIGHT.T), jnp.asarray(gain * BIAS)
    decays = {"LIF": {"beta": 0.9}, "CuBaLIF": {"alpha": 0.7, "beta": 0.9}, "IF": {}}[kind]
    net = spyx.Sequential(linear, getattr(spyx, neuron)((SIZE,), **decays, rngs=nnx.Rngs(0)))
    theirs, _ = spyx.run(net, jnp.asarray(XS)[:, None])
    graph = to_nir(net, {"input": np.array([INPUTS])}, {"output": np.array([SIZE])}, dt=dt)
    # Its default time step of 1 counts time constants in steps, as the guess finds out.
    dialect = "spyx" if dt == DT else ms.nir.DIALECTS["spyx"]._replace(step=1.0)
    found = ms.nir.guess(graph, dt=DT)
    assert found.name == "spyx"
    raster = ms.nir.from_nir(graph, dt=DT, dialect=dialect)(jnp.asarray(XS))
    guessed = ms.nir.from_nir(graph, dt=DT, dialect=found.dialect)(jnp.asarray(XS))
    np.testing.assert_array_equal(np.asarray(raster), np.asarray(guessed))
    assert_same(np.asarray(raster), theirs)


def test_jaxpike():
    jaxpike = pytest.importorskip("jaxpike")
    import equinox as eqx
    from jaxpike.layers import Dense, Sequential
    from jaxpike.neurons import LIF
    from jaxpike.nir import to_nir

    dense = Dense(INPUTS, SIZE, key=jax.random.key(0))
    dense = eqx.tree_at(lambda d: (d.weight, d.bias), dense, (jnp.asarray(6 * WEIGHT), jnp.asarray(6 * BIAS)))
    net = Sequential(dense, LIF(10.0, reset="zero"))
    graph = to_nir(net, (1, INPUTS), dt_seconds=DT)
    theirs = run_jaxpike(jaxpike, net)
    assert_same(read(graph, "jaxpike"), theirs)


def run_jaxpike(jaxpike, net):
    state, theirs = net.init_state((1, INPUTS)), []
    for x in XS:
        state, spikes = net(state, jnp.asarray(x)[None])
        theirs.append(np.asarray(spikes))
    return np.stack(theirs)


# Weights in quarters, as on quantised hardware: membranes meet their threshold exactly, and often.

GRID = np.random.default_rng(1).integers(-4, 9, (SIZE, INPUTS)).astype(np.float32) / 4


def torch_grid(torch, gain):
    linear = torch.nn.Linear(INPUTS, SIZE)
    linear.weight.data, linear.bias.data = torch.tensor(gain * GRID), torch.zeros(SIZE)
    return linear


def read_as(graph, dialect, dt):
    return np.asarray(ms.nir.from_nir(graph, dt=dt, dialect=dialect)(jnp.asarray(XS)))


@pytest.mark.parametrize("dt", [1e-3, 1e-4])
@pytest.mark.parametrize(
    "neuron, settings, gain",
    [
        ("IFNode", {}, 1.0),
        ("LIFNode", {"tau": 2.0}, 1.0),
        ("LIFNode", {"tau": 2.0, "decay_input": False}, 1.0),
        ("LIFNode", {"tau": 4.0}, 2.0),
        *(("LIFNode", {"tau": tau}, tau) for tau in (3.0, 5.0, 10.0, 20.0)),
    ],
)
def test_spikingjelly_at_exactly_its_threshold(neuron, settings, gain, dt):
    torch, neurons = pytest.importorskip("torch"), pytest.importorskip("spikingjelly.activation_based.neuron")
    from spikingjelly.activation_based import functional
    from spikingjelly.activation_based.nir_exchange.to_nir import export_to_nir

    net = torch.nn.Sequential(torch_grid(torch, gain), getattr(neurons, neuron)(**settings))
    graph = export_to_nir(net, torch.ones(1, INPUTS), dt=dt)
    functional.reset_net(net)
    with torch.no_grad():
        theirs = np.stack([net(torch.tensor(x)[None]).numpy() for x in XS])
    assert_same(read_as(graph, "spikingjelly", dt), theirs)


def test_sinabs_at_exactly_its_threshold():
    torch, layers = pytest.importorskip("torch"), pytest.importorskip("sinabs.layers")
    from sinabs.nir import to_nir

    neurons = layers.IAFSqueeze(batch_size=1)
    net = torch.nn.Sequential(torch_grid(torch, 1.0), neurons)
    graph = to_nir(net, torch.ones(4, INPUTS))
    neurons.reset_states()
    with torch.no_grad():
        theirs = net(torch.tensor(XS)).numpy()
    assert_same(read_as(graph, "sinabs", DT), theirs)


def test_snntorch_at_exactly_its_threshold():
    torch, snn = pytest.importorskip("torch"), pytest.importorskip("snntorch")
    from snntorch.export_nir import export_to_nir

    neuron = snn.Leaky(beta=torch.full((SIZE,), 0.5), threshold=torch.ones(SIZE), init_hidden=True)
    net = torch.nn.Sequential(torch_grid(torch, 1.0), neuron)
    graph = export_to_nir(net, torch.ones(INPUTS))
    neuron.reset_mem()
    assert_same(read_as(graph, "snntorch", DT), stepped(torch, net))


# Convolutions.


def conv_net(torch, neuron):
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(2, 4, 3, padding=1), neuron, torch.nn.AvgPool2d(2), torch.nn.Flatten(), torch.nn.Linear(24, 3)
    )


def test_a_convolutional_network_of_spikingjelly():
    torch, neurons = pytest.importorskip("torch"), pytest.importorskip("spikingjelly.activation_based.neuron")
    from spikingjelly.activation_based import functional
    from spikingjelly.activation_based.nir_exchange.to_nir import export_to_nir

    net = conv_net(torch, neurons.IFNode())
    graph = export_to_nir(net, torch.ones(1, 2, 4, 6), dt=DT)
    functional.reset_net(net)
    xs = np.random.default_rng(2).random((40, 2, 4, 6)).astype(np.float32)
    with torch.no_grad():
        theirs = np.stack([net(torch.tensor(x)[None]).numpy()[0] for x in xs])
    ours = ms.nir.from_nir(graph, dt=DT, dialect="spikingjelly")(jnp.asarray(xs))
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    assert len(np.unique(theirs[:, 0])) > 10
