"""A graph is the sum of its paths, with one step of delay around every cycle."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from device_models import pcm_joshi2020
from memsim.nn import LI, LIF, Graph, Linear, Recurrent, SpikingNetwork

STEPS = 120
run = eqx.filter_jit(lambda model, xs, key=None, record=None: model(xs, key=key, record=record))


@pytest.fixture(scope="module", autouse=True)
def exact():
    with jax.enable_x64(True):  # so that no spike hangs on the last bit
        yield


@pytest.fixture(scope="module")
def parts(exact):
    k = jr.split(jr.key(0), 6)
    sizes = {"a": (4, 6), "w": (6, 6), "b": (6, 3), "skip": (4, 3), "c": (6, 6)}
    layers = {n: Linear(*size, gain=2.0, key=key) for (n, size), key in zip(sizes.items(), k, strict=False)}
    return layers | {"lif": LIF(6), "lif2": LIF(6), "li": LI(3)}


@pytest.fixture(scope="module")
def xs(exact):
    return jr.normal(jr.key(9), (STEPS, 4)) + 0.3


def graph(parts, edges, **settings):
    pairs = [tuple(edge.split(">")) for edge in edges.split()]
    names = sorted({name for pair in pairs for name in pair} - {"input", "output"})
    return Graph({name: parts[name] for name in names}, pairs, **settings)


def assert_close(one, other):
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_a_chain_is_the_network_of_its_layers(parts, xs):
    chain = graph(parts, "input>a a>lif lif>b b>li li>output")
    assert_close(run(chain, xs), run(SpikingNetwork([parts[n] for n in ("a", "lif", "b", "li")]), xs))


def test_the_order_in_which_edges_and_layers_are_listed_does_not_matter_without_cycles(parts, xs):
    edges = "input>a a>lif lif>b b>li li>output input>skip skip>li"
    backwards = " ".join(reversed(edges.split()))
    assert_close(run(graph(parts, edges), xs), run(graph(parts, backwards), xs))


def test_a_skip_is_added_to_what_goes_around_it(parts, xs):
    skipped = graph(parts, "input>a a>lif lif>b b>li input>skip skip>li li>output")
    spikes = run(SpikingNetwork([parts["a"], parts["lif"]]), xs)
    assert_close(run(skipped, xs), run(SpikingNetwork([parts["li"]]), parts["b"](spikes) + parts["skip"](xs)))


@pytest.mark.slow
def test_a_neuron_and_a_synapse_in_a_cycle_are_a_recurrent_layer(parts, xs):
    loop = graph(parts, "input>a a>lif lif>w w>lif lif>b b>output", chunk=7)
    w = eqx.tree_at(lambda layer: layer.bias, parts["w"], None, is_leaf=lambda leaf: leaf is None)
    loop = eqx.tree_at(lambda g: g.nodes["w"], loop, w)
    expected = SpikingNetwork([parts["a"], Recurrent(parts["lif"], w), parts["b"]])
    assert_close(run(loop, xs), run(expected, xs))
    slopes = [eqx.filter_grad(lambda m: jnp.sum(m(xs) ** 2))(m) for m in (loop, expected)]
    assert_close(slopes[0].nodes["w"].weight, slopes[1].layers[1].synapse.weight)


def test_two_populations_that_drive_each_other_follow_a_loop_by_hand(parts, xs):
    """a -> lif -> w -> lif2 -> c -> lif: the edge c -> lif closes the cycle and is one step late."""
    model = graph(parts, "input>a a>lif lif>w w>lif2 lif2>c c>lif lif2>b b>output")
    assert model.plan.delayed == {("c", "lif")}
    outputs, found = run(model, xs, record=("spikes", "currents"))
    a, w, c, b = (np.asarray(parts[name].weight) for name in "awcb")
    first = second = back = np.zeros(6)
    decay = np.exp(-1e-3 / 20e-3)
    spikes = {"lif": [], "lif2": []}
    for x in np.asarray(xs):
        first = decay * (first - (first > 1)) + a @ x + back
        second = decay * (second - (second > 1)) + w @ (first > 1)
        back = c @ (second > 1)
        spikes["lif"].append(first > 1)
        spikes["lif2"].append(second > 1)
    for name, expected in spikes.items():
        np.testing.assert_array_equal(found["spikes"][f".nodes['{name}']"], np.array(expected, float))
        assert 0.02 < np.mean(expected) < 0.98
    assert_close(outputs, np.array(spikes["lif2"], float) @ b.T)


def test_a_graph_step_by_step_is_the_graph_on_the_sequence(parts, xs):
    model = graph(parts, "input>a a>lif lif>w w>lif lif>b b>output input>skip skip>output")
    model = ms.deploy(model, ms.Crossbar(pcm_joshi2020(), compensation=None), 0.0, key=jr.key(1))
    key, state = jr.key(2), model.initial_state()
    outputs = run(model, xs, key)
    step = eqx.filter_jit(lambda x, state, key: model.step(x, state, key=key))
    for t in range(20):
        y, state = step(xs[t], state, jr.fold_in(key, t))
        np.testing.assert_allclose(y, outputs[t], rtol=1e-9, atol=1e-9)


def test_a_graph_stands_in_a_network_and_its_layers_go_onto_chips(parts, xs):
    inner = graph(parts, "input>a a>lif lif>w w>lif lif>output")
    model = SpikingNetwork([inner, parts["b"]])
    assert list(ms.nn.analog_layers(model)) == [".layers[0].nodes['a']", ".layers[0].nodes['w']", ".layers[1]"]
    found = model(xs, record="inputs")[1]["inputs"]
    assert set(found) == set(ms.nn.analog_layers(model))
    assert_close(run(model, xs), parts["b"](run(inner, xs)))


@pytest.mark.parametrize(
    "edges, says",
    [
        ("input>a a>lif", "'output' must be reached from 'input'"),
        ("input>a a>lif lif>output b>output", "Got 'b', which is not"),
        ("input>a a>lif lif>output lif>liff", "Did you mean lif"),
        ("input>a a>input a>output", "must not leave 'output' or enter 'input'"),
        ("input>a input>a a>output", "must be listed once"),
        ("input>a a>output input>skip skip>output", "summed into 'output' must have one shape"),
        ("input>a a>b b>lif lif>output", "Layer 'lif' (LIF) must take an input of shape (6,)"),
        ("input>a a>lif lif>b b>lif lif>output", "fed back from 'b'"),
    ],
)
def test_a_graph_that_cannot_run_is_refused_with_the_reason(parts, edges, says):
    pairs = [tuple(edge.split(">")) for edge in edges.split()]
    names = {name for pair in pairs for name in pair} & set(parts)
    with pytest.raises(ValueError, match=re.escape(says)):
        Graph({name: parts[name] for name in names}, pairs)


def test_an_end_of_the_graph_is_no_name_for_a_layer(parts):
    with pytest.raises(ValueError, match="must not be called 'input'"):
        Graph({"input": parts["a"]}, [("input", "output")])
