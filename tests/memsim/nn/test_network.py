"""A network is its layers step by step, and its reads are independent."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from device_models import pcm_joshi2020
from helpers import slow
from memsim.nn import LI, LIF, Linear, Recurrent, SpikingNetwork
from memsim.nn._networks._time import chunk_size
from memsim.train import run_batch

STEPS = 30
INDEPENDENT = 4  # standard errors that a correlation of independent draws may have

run = eqx.filter_jit(lambda model, xs, key=None: model(xs, key=key))
recorded = eqx.filter_jit(lambda model, xs, kinds, key=None: model(xs, key=key, record=kinds)[1])


def network():
    """Feedforward, recurrent and readout layers."""
    k = jr.split(jr.key(0), 4)
    hidden = Recurrent(LIF(6), Linear(6, 6, use_bias=False, key=k[1]))
    return SpikingNetwork(
        [
            Linear(4, 6, key=k[0], gain=2.0),
            LIF(6),
            Linear(6, 6, key=k[2], gain=2.0),
            hidden,
            Linear(6, 3, key=k[3]),
            LI(3),
        ]
    )


@pytest.fixture(scope="module")
def exact():
    """A network and 3 sequences, in float64 so that no spike hangs on the last bit."""
    with jax.enable_x64(True):
        yield network(), jr.normal(jr.key(9), (3, STEPS, 4)) + 0.3


def by_hand(model, xs):
    """What goes into and comes out of each layer at each step: {place: [steps]}, {place: [steps]}."""
    inputs, outputs = ({place: [] for place in range(len(model.layers))} for _ in range(2))
    states = [layer.initial_state() for layer in model.layers]
    for x in xs:
        for place, layer in enumerate(model.layers):
            inputs[place].append(x)
            if isinstance(layer, Linear):
                x = layer(x)
            elif isinstance(layer, Recurrent):
                inner, last, noise = states[place]
                x, inner = layer.neuron(x + layer.synapse(last), inner)
                states[place] = inner, x, noise
            else:
                x, states[place] = layer(x, states[place])
            outputs[place].append(x)
    return inputs, outputs


def assert_close(one, other):
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_a_sequence_is_its_steps_one_by_one(exact):
    model, (xs, *_) = exact
    inputs, outputs = by_hand(model, xs)
    found = recorded(model, xs, ("inputs", "outputs", "spikes", "currents", "membranes"))
    for place in range(6):
        assert_close(found["outputs"][f".layers[{place}]"], outputs[place])
    assert_close(model(xs), outputs[5])

    # What drives each synapse: the recurrent one hears the step before.
    assert set(found["inputs"]) == set(ms.nn.analog_layers(model))
    for place in (0, 2, 4):
        assert_close(found["inputs"][f".layers[{place}]"], inputs[place])
    heard = np.concatenate([np.zeros((1, 6)), outputs[3][:-1]])
    assert_close(found["inputs"][".layers[3].synapse"], heard)

    # Neurons by their own paths; a readout has a membrane and a current, but no spikes.
    assert set(found["spikes"]) == {".layers[1]", ".layers[3].neuron"}
    assert set(found["membranes"]) == set(found["currents"]) == set(ms.nn.neurons(model))
    for place, path in ((1, ".layers[1]"), (3, ".layers[3].neuron")):
        assert_close(found["spikes"][path], outputs[place])
        assert 0.02 < np.mean(outputs[place]) < 0.98  # alive
        np.testing.assert_array_equal(found["membranes"][path] > 1.0, outputs[place])  # before the reset
    assert_close(found["currents"][".layers[1]"], inputs[1])
    assert_close(
        found["currents"][".layers[3].neuron"], inputs[3] + heard @ np.asarray(model.layers[3].synapse.weight).T
    )
    assert_close(found["membranes"][".layers[5]"], outputs[5])


def test_one_kind_may_be_recorded_by_its_name_and_an_unknown_one_is_refused(exact):
    model, (xs, *_) = exact
    outputs, found = model(xs, record="spikes")
    assert_close(outputs, model(xs))
    assert list(found) == ["spikes"]
    with pytest.raises(ValueError, match="Did you mean spikes"):
        model(xs, record="spike")


@pytest.mark.parametrize("chunk", [slow(1), 7, *map(slow, (10, 30, 45)), None, "auto"])
def test_chunks_of_time_change_neither_outputs_nor_gradients_nor_records(exact, chunk):
    model, (xs, *_) = exact
    chunked = SpikingNetwork(model.layers, chunk=chunk)

    @eqx.filter_jit
    @eqx.filter_value_and_grad(has_aux=True)
    def loss(model):
        outputs, found = model(xs, record=("spikes", "membranes"))
        return jnp.mean(outputs**2), found

    whole, cut = loss(SpikingNetwork(model.layers, chunk=None)), loss(chunked)
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(cut), strict=True):
        assert_close(a, b)


@pytest.mark.parametrize("chunk", [0, -3, 2.5, "all"])
def test_a_chunk_that_is_no_number_of_steps_is_refused(chunk, unchecked):
    with pytest.raises(ValueError, match="`chunk` must be at least 1 step"):
        SpikingNetwork([LIF(3)], chunk=chunk)


@pytest.mark.parametrize("steps, size", [(99, 9), (100, 10), (500, 20), (1000, 25), (101, 10), (509, 22)])
def test_a_sequence_of_large_states_is_cut_near_the_root_of_its_length(steps, size):
    assert chunk_size(steps, "auto", 2**20) == size


def test_a_sequence_of_small_states_stays_in_one_piece_however_long():
    assert chunk_size(4096, "auto", 128) == 4096  # together half a megabyte
    assert chunk_size(4096, "auto", 132) < 4096
    assert chunk_size(4096, 10, 128) == 10


def test_a_network_within_a_network_is_its_layers_in_a_row(exact):
    model, (xs, *_) = exact
    nested = SpikingNetwork([*model.layers[:2], SpikingNetwork(model.layers[2:5]), model.layers[5]])
    outputs, found = nested(xs, record="spikes")
    assert_close(outputs, model(xs))
    assert set(found["spikes"]) == {".layers[1]", ".layers[2].layers[1].neuron"}


def test_modules_of_equinox_stand_in_a_network(exact):
    model, (xs, *_) = exact
    layers = [*model.layers[:2], eqx.nn.LayerNorm(6), eqx.nn.Lambda(jnp.tanh), *model.layers[2:]]
    outputs, found = SpikingNetwork(layers)(xs, record="outputs")
    spikes = np.asarray(found["outputs"][".layers[1]"])
    centred = spikes - spikes.mean(axis=1, keepdims=True)
    expected = np.tanh(centred / np.sqrt(centred.var(axis=1, keepdims=True) + 1e-5))
    np.testing.assert_allclose(found["outputs"][".layers[3]"], expected, rtol=1e-5, atol=1e-6)
    assert outputs.shape == (STEPS, 3)


def test_a_plain_function_is_refused_with_the_way_to_wrap_it(unchecked):
    with pytest.raises(ValueError, match=re.escape("eqx.nn.Lambda")):
        SpikingNetwork([LIF(3), jnp.tanh])


def test_a_batch_is_its_sequences_one_by_one(exact):
    model, xs = exact
    assert_close(
        eqx.filter_jit(lambda model, xs: jax.vmap(model)(xs))(model, xs), jnp.stack([run(model, x) for x in xs])
    )


def test_later_inputs_do_not_change_earlier_outputs(exact):
    model, (xs, *_) = exact
    before, after = run(model, xs), run(model, xs.at[20:].add(5.0))
    np.testing.assert_array_equal(before[:20], after[:20])
    assert np.any(before[20:] != after[20:])


@pytest.mark.parametrize(
    "layers, says",
    [
        (lambda a, b: [], "at least one layer"),
        (lambda a, b: [a, b], "Layer 1 (Linear) must take an input of shape (5,). Got (6,)"),
        (lambda a, b: [a, LIF(6), b], "Layer 2 (Linear) must take an input of shape (5,). Got (6,)"),
        (lambda a, b: [a, LIF(5)], "Layer 1 (LIF) must take an input of shape (5,). Got (6,)"),
        (lambda a, b: [a, Recurrent(LIF(5), Linear(5, 5, key=jr.key(0)))], "Layer 1 (Recurrent) must take"),
    ],
)
def test_layers_that_do_not_fit_are_refused_by_place(layers, says):
    a, b = Linear(4, 6, key=jr.key(0)), Linear(5, 3, key=jr.key(0))
    with pytest.raises(ValueError, match=re.escape(says)):
        SpikingNetwork(layers(a, b))


def products_within_loops(jaxpr, inside=False):
    """How many products a computation does within its loops."""
    count = 0
    for equation in jaxpr.eqns:
        count += inside and equation.primitive.name == "dot_general"
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=lambda p: hasattr(p, "eqns")):
            inner = getattr(inner, "jaxpr", inner)
            if hasattr(inner, "eqns"):
                count += products_within_loops(inner, inside or equation.primitive.name in ("scan", "while"))
    return count


@pytest.mark.parametrize("read_noise", [slow("off"), "per_read"])
def test_no_feed_forward_product_stays_in_the_time_loop_however_many_chips_are_mapped(read_noise):
    k = jr.split(jr.key(0), 2)
    forward = SpikingNetwork([Linear(4, 6, key=k[0]), LIF(6), Linear(6, 3, key=k[1]), LI(3)])
    loop = SpikingNetwork([Recurrent(LIF(6), Linear(6, 6, key=k[0]))])
    crossbar = ms.Crossbar(pcm_joshi2020(), reads=ms.Reads(read_noise), compensation=None)

    def outputs(model):
        def on_chip(key, x):
            chip_key, read_key = jr.split(key)
            return ms.deploy(model, crossbar, 0.0, key=chip_key)(x, key=read_key)

        width = 4 if model is forward else 6
        batch = jax.vmap(jax.vmap(on_chip, (None, 0)), (0, None))
        return jax.make_jaxpr(batch)(jr.split(k[0], 5), jnp.ones((2, STEPS, width))).jaxpr

    assert products_within_loops(outputs(forward)) == 0
    assert products_within_loops(outputs(loop)) == (1 if read_noise == "off" else 2)  # so this test sees them


# Read noise.


@pytest.fixture(scope="module")
def noisy():
    """Three synapses of equal weights that each read draws anew; the last feeds a membrane that forgets at once."""
    a, b, c = (Linear(4, 4, use_bias=False, gain=0.3, key=jr.key(0)) for _ in range(3))
    model = SpikingNetwork([a, b, Recurrent(LI(4, tau_mem=5.5e-5), c)])
    crossbar = ms.Crossbar(pcm_joshi2020(read_noise_scale=10.0), compensation=None)
    return ms.deploy(model, crossbar, 0.0, key=jr.key(1))


def test_a_noisy_network_without_a_key_is_refused(noisy):
    with pytest.raises(ValueError, match="needs `key=`"):
        noisy(jnp.ones((STEPS, 4)))


def test_a_noisy_sequence_is_its_steps_one_by_one_with_the_key_of_each_step(noisy):
    xs, key = jnp.ones((STEPS, 4)), jr.key(5)
    outputs, state = run(noisy, xs, key), noisy.initial_state()
    step = eqx.filter_jit(lambda x, state, key: noisy.step(x, state, key=key))
    for t, x in enumerate(xs):
        y, state = step(x, state, jr.fold_in(key, t))
        np.testing.assert_allclose(y, outputs[t], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_chunks_of_time_do_not_change_the_noise(noisy):
    xs, key = jnp.ones((STEPS, 4)), jr.key(5)
    whole, cut = (SpikingNetwork(noisy.layers, chunk=chunk)(xs, key=key) for chunk in (None, 7))
    np.testing.assert_allclose(whole, cut, rtol=1e-4, atol=1e-5)


def test_one_key_reads_the_same_noise_and_another_key_another(noisy):
    one, same, other = (run(noisy, jnp.ones((STEPS, 4)), jr.key(i)) for i in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert np.all(one != other)


def assert_independent(one, other):
    assert abs(np.corrcoef(np.ravel(one), np.ravel(other))[0, 1]) < INDEPENDENT / np.size(one) ** 0.5


@pytest.mark.slow
def test_steps_layers_and_sequences_do_not_share_noise(noisy):
    xs = jnp.ones((2, 2000, 4))  # a constant: what varies in the first layer is noise
    w = [np.asarray(layer.weight.effective_weight, np.float64) for layer in ms.nn.analog_layers(noisy).values()]
    outputs = recorded(noisy, xs[0], ("outputs",), jr.key(2))["outputs"]
    first, second, v = (np.asarray(outputs[f".layers[{place}]"], np.float64) for place in range(3))
    feedback = np.concatenate([np.zeros((1, 4)), v[:-1]])
    one, other = np.asarray(run_batch(SpikingNetwork(noisy.layers[:1]), xs, key=jr.key(3)), np.float64)
    noise = [first, second - first @ w[1].T, (v - second - feedback @ w[2].T)[1:], one, other]
    noise = [(x - x.mean(axis=0)) / x.std(axis=0) for x in noise]
    for x in noise:  # in time: no draw is used again, and steps do not correlate
        assert len(np.unique(x)) > 0.95 * x.size  # float32 draws may coincide
        for lag in (1, 2, 3):
            assert_independent(x[lag:], x[:-lag])
    assert_independent(noise[0], noise[1])
    assert_independent(noise[1][1:], noise[2])
    assert_independent(noise[3], noise[4])


@pytest.mark.parametrize("kept", ["all", "convolutions", "nothing"])
def test_what_is_kept_of_a_convolutional_network_does_not_change_its_gradient(kept, monkeypatch):
    sizes = {"all": (2**30, 2**30), "convolutions": (0, 2**30), "nothing": (0, 0)}[kept]
    monkeypatch.setattr("memsim.nn._networks._time.SMALL", sizes[0])
    monkeypatch.setattr("memsim.nn._networks._time.MEDIUM", sizes[1])
    layers = [ms.nn.Conv2d(2, 3, 3, gain=3.0, key=jr.key(0)), ms.nn.LIF((3, 4, 4)), ms.nn.SumPool2d(2)]
    xs = jr.normal(jr.key(1), (12, 2, 6, 6))

    def gradient(chunk):
        return eqx.filter_grad(lambda model: jnp.sum(model(xs) ** 2))(ms.nn.SpikingNetwork(layers, chunk=chunk))

    found, whole = gradient("auto"), gradient(None)
    assert float(jnp.max(jnp.abs(whole.layers[0].weight))) > 1.0
    np.testing.assert_allclose(found.layers[0].weight, whole.layers[0].weight, rtol=1e-4, atol=1e-4)
