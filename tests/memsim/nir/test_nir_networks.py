"""What other importers get wrong is read right: loops over the equations of NIR, and over windows of an image."""

import itertools

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from memsim.nir import from_nir, to_nir
from memsim.nn import Flatten, Graph, SpikingNetwork

nir = pytest.importorskip("nir")

DT, N, STEPS, GAIN = 1e-4, 3, 400, 0.6
RNG = np.random.default_rng(0)
INPUTS = (RNG.random((STEPS, N)) < 0.15).astype(np.float32)
RECURRENT = RNG.normal(0, 0.5, (N, N)).astype(np.float32)
np.fill_diagonal(RECURRENT, 0)
IMAGE = np.random.default_rng(1).normal(size=(2, 9, 8)).astype(np.float32)


def full(value, shape=(N,)):
    return np.full(shape, value, np.float32)


def lif(shape=(N,), **changes):
    values = {"tau": 2e-3, "r": 20.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0} | changes
    return nir.LIF(**{name: full(x, shape) if np.ndim(x) == 0 else x for name, x in values.items()})


def cuba():
    rest = {"r": full(20), "v_leak": full(0), "v_threshold": full(1), "v_reset": full(0), "w_in": full(10)}
    return nir.CubaLIF(tau_syn=full(1e-3), tau_mem=full(2e-3), **rest)


def ends(inputs, outputs):
    return {"input": nir.Input({"input": np.array(inputs)}), "output": nir.Output({"output": np.array(outputs)})}


def graph_of(nodes, edges):
    return nir.NIRGraph(nodes, edges, metadata={}, type_check=False)


def row(*nodes, inputs, outputs):
    names = ["input", *(f"n{k}" for k in range(len(nodes))), "output"]
    return graph_of(dict(zip(names[1:-1], nodes, strict=True)) | ends(inputs, outputs), list(itertools.pairwise(names)))


def by_equation(node, back):
    """Spike counts of Euler steps of the equations of NIR, in double precision."""
    current, v, spikes, total = np.zeros(N), np.zeros(N), np.zeros(N), np.zeros(N)
    for x in INPUTS:
        drive = GAIN * x + back @ spikes
        if isinstance(node, nir.CubaLIF):
            current = current + DT / node.tau_syn * (node.w_in * drive - current)
            v = v + DT / node.tau_mem * (node.v_leak - v + node.r * current)
        else:
            v = v + DT / node.tau * (node.v_leak - v + node.r * drive)
        spikes = (v > node.v_threshold).astype(float)
        v, total = np.where(spikes > 0, node.v_reset, v), total + spikes
    return total


@pytest.mark.parametrize(
    "node, recurrent, counts",
    [
        (lif(v_reset=0.3), False, [30, 18, 30]),
        (cuba(), False, [245, 191, 244]),
        (lif(), True, [34, 6, 38]),
        (cuba(), True, [397, 0, 398]),
    ],
    ids=["reset to a value", "synapse", "recurrent", "recurrent with a synapse"],
)
def test_a_network_of_a_file_spikes_as_the_equations_of_nir_say(node, recurrent, counts, tmp_path):
    nodes = {"l": nir.Affine(np.eye(N, dtype=np.float32) * GAIN, full(0)), "n": node} | ends([N], [N])
    edges = [("input", "l"), ("l", "n"), ("n", "output")]
    if recurrent:
        nodes["rec"] = nir.Affine(RECURRENT, full(0))
        edges += [("n", "rec"), ("rec", "n")]
    nir.write(tmp_path / "a.nir", graph_of(nodes, edges))
    found = np.asarray(from_nir(tmp_path / "a.nir", dt=DT)(jnp.asarray(INPUTS))).sum(0)
    np.testing.assert_array_equal(found, by_equation(node, RECURRENT if recurrent else np.zeros((N, N))))
    np.testing.assert_array_equal(found, counts)  # as a findings script has them


def test_a_graph_that_is_read_is_left_as_it_was():
    graph = row(lif(), inputs=[N], outputs=[N])
    before = {name: dict(vars(node)) for name, node in graph.nodes.items()}
    from_nir(graph, dt=DT)
    assert before.keys() == graph.nodes.keys() and list(graph.edges) == [("input", "n0"), ("n0", "output")]
    for name, node in graph.nodes.items():
        assert all(vars(node)[key] is value for key, value in before[name].items())


# Convolutional networks.


def test_a_grouped_convolution_is_read_group_by_group(tmp_path):
    weight, bias = RNG.normal(size=(4, 1, 3, 2)).astype(np.float32), np.arange(4, dtype=np.float32)
    node = nir.Conv2d((9, 8), weight, 1, 0, 1, 2, bias)
    nir.write(tmp_path / "a.nir", row(node, inputs=[2, 9, 8], outputs=[4, 7, 7]))
    found = from_nir(tmp_path / "a.nir", dt=DT)(jnp.asarray(IMAGE[None]))[0]
    expected = np.zeros((4, 7, 7))
    for out, i, j in np.ndindex(4, 7, 7):
        expected[out, i, j] = (weight[out, 0] * IMAGE[out // 2, i : i + 3, j : j + 2]).sum() + bias[out]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_an_average_is_read_with_its_window(tmp_path):
    node = nir.AvgPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0]))
    nir.write(tmp_path / "a.nir", row(node, inputs=[2, 9, 8], outputs=[2, 4, 4]))
    found = from_nir(tmp_path / "a.nir", dt=DT)(jnp.asarray(IMAGE[None]))[0]
    np.testing.assert_allclose(found, IMAGE[:, :8].reshape(2, 4, 2, 4, 2).mean((2, 4)), atol=1e-6)


FLAT = nir.Linear(np.eye(144, dtype=np.float32))


@pytest.mark.parametrize(
    "start, end, declared",
    [
        (0, -1, (2, 9, 8)),  # NIR's own count
        (1, -1, None),  # PyTorch's, as is the default of the node
        (1, 3, None),
        (1, -1, (2, 9, 8)),
        (1, -1, (1, 2, 9, 8)),
        (-3, -1, None),
    ],
)
@pytest.mark.parametrize("after", ["linear", "neuron", "output"])
def test_flattening_may_count_a_batch_axis(start, end, declared, after):
    nodes = {"f": nir.Flatten({"input": None}, start, end)} | ends([2, 9, 8], [144])
    nodes["f"].input_type = {"input": None if declared is None else np.array(declared)}
    edges = [("input", "f"), ("f", "output")]
    if after != "output":
        nodes["after"] = FLAT if after == "linear" else lif((144,))
        edges = [("input", "f"), ("f", "after"), ("after", "output")]
    network = from_nir(graph_of(nodes, edges), dt=DT)
    assert network.output_shape((2, 9, 8)) == (144,)
    flat = SpikingNetwork([network.layers[0]])(jnp.asarray(IMAGE[None]))
    np.testing.assert_array_equal(flat[0], IMAGE.reshape(-1))


def test_flattening_that_fits_as_it_is_written_is_left_so():
    flatten = nir.Flatten({"input": None}, 1, -1)
    network = from_nir(row(flatten, lif((2, 72)), inputs=[2, 9, 8], outputs=[2, 72]), dt=DT)
    assert network.layers[0] == Flatten(1, -1) and network.output_shape((2, 9, 8)) == (2, 72)


# Parameters that spread over a layer.


@pytest.mark.parametrize("shape", [(2, 1, 1), (1, 2, 1, 1), (1, 9, 8), (9, 8), (8,), (2, 9, 8), (1, 1, 1), ()])
def test_parameters_spread_over_the_layer_as_they_do_in_numpy(shape):
    levels = 0.5 + RNG.random(shape).astype(np.float32)
    node = lif(shape, tau=full(2e-3, ()), v_threshold=levels, v_reset=-levels)
    network = from_nir(row(node, inputs=[2, 9, 8], outputs=[2, 9, 8]), dt=DT)
    xs = np.random.default_rng(3).normal(0.5, 1, (50, 2, 9, 8)).astype(np.float32)
    v, spikes = np.zeros((2, 9, 8), np.float32), []
    spread = np.broadcast_to(levels.reshape(levels.shape[-3:]), (2, 9, 8))
    for x in xs:
        v = v + np.float32(0.05) * (20 * x - v)
        spikes.append(v > spread)
        v = np.where(spikes[-1], -spread, v)
    found = np.asarray(network(jnp.asarray(xs)))
    assert np.mean(found != spikes) < 1e-3 and 0.1 < found.mean() < 0.9


def test_parameters_of_one_value_a_channel_are_trained_as_such():
    levels = np.array([0.5, 1.5]).reshape(2, 1, 1)
    network = from_nir(row(lif((2, 1, 1), v_threshold=levels), inputs=[2, 9, 8], outputs=[2, 9, 8]), dt=DT)
    assert network.layers[0].threshold.value.shape == (2, 1, 1) and network.layers[0].shape == (2, 9, 8)


@pytest.mark.parametrize("shape", [(3, 1, 1), (2, 9), (4, 2, 9, 8)])
def test_parameters_that_do_not_spread_over_the_input_are_refused(shape):
    with pytest.raises(ValueError, match="Node 'n0'"):
        from_nir(row(lif(shape), inputs=[2, 9, 8], outputs=[2, 9, 8]), dt=DT)


# Several inputs and outputs.


def two_ends():
    left, right = (RNG.normal(size=(4, size)).astype(np.float32) for size in (2, 3))
    nodes = {
        "sensor_b": nir.Input({"input": np.array([3])}),
        "sensor_a": nir.Input({"input": np.array([1, 2])}),
        "left": nir.Linear(left),
        "right": nir.Linear(right),
        "n": lif((4,), r=20.0),
        "spikes": nir.Output({"output": np.array([4])}),
        "currents": nir.Output({"output": np.array([4])}),
    }
    edges = [("sensor_a", "left"), ("sensor_b", "right"), ("left", "n"), ("right", "n"), ("n", "spikes")]
    return graph_of(nodes, [*edges, ("right", "currents")]), left, right


def test_several_inputs_and_outputs_lie_in_a_row_in_the_order_of_their_names(tmp_path):
    graph, left, right = two_ends()
    nir.write(tmp_path / "a.nir", graph)
    xs = np.random.default_rng(4).normal(size=(STEPS, 5)).astype(np.float32)
    a, b = xs[:, :2] @ left.T, xs[:, 2:] @ right.T
    alone = from_nir(row(lif((4,), r=20.0), inputs=[4], outputs=[4]), dt=DT)(jnp.asarray(a + b))
    for source in (graph, tmp_path / "a.nir"):
        network = from_nir(source, dt=DT)
        assert isinstance(network, Graph) and network.output_shape((5,)) == (8,)
        found = np.asarray(network(jnp.asarray(xs)))
        np.testing.assert_allclose(found[:, :4], b, rtol=1e-4, atol=1e-5)  # "currents" before "spikes"
        assert np.mean(found[:, 4:] != alone) < 0.005 and found[:, 4:].sum() > 100


def test_an_end_may_have_any_name_and_be_joined_to_several_nodes():
    nodes = {"output": nir.Input({"input": np.array([2])}), "input": nir.Input({"input": np.array([2])})}
    nodes |= {"s": nir.Scale(np.array([2.0, 3.0])), "z": nir.Output({"output": np.array([2])})}
    network = from_nir(graph_of(nodes, [("output", "s"), ("input", "s"), ("s", "z")]), dt=DT)
    np.testing.assert_array_equal(network(jnp.asarray([[1.0, 2.0, 10.0, 20.0]])), [[22.0, 66.0]])


@pytest.mark.parametrize(
    "xs, message", [((4, 6), r"input of shape \(5,\), all inputs in a row"), ((4, 1, 5), "all inputs in a row")]
)
def test_an_input_that_is_not_all_inputs_in_a_row_is_refused(unchecked, xs, message):
    with pytest.raises(ValueError, match=message):
        from_nir(two_ends()[0], dt=DT)(jnp.zeros(xs))


def test_several_ends_within_another_graph_are_refused():
    nodes = {"inner": two_ends()[0]} | ends([5], [8])
    with pytest.raises(ValueError, match=r"Node 'inner' .* must have one Input node where it stands within another"):
        from_nir(graph_of(nodes, [("input", "inner"), ("inner", "output")]), dt=DT)


def test_what_came_from_several_inputs_is_not_written_as_one():
    with pytest.raises(ValueError, match=r"counterpart in NIR\. Got InputPart"):
        to_nir(from_nir(two_ends()[0], dt=DT), dt=DT, input_shape=5)


def test_an_imported_network_with_several_ends_goes_onto_a_chip():
    network = from_nir(two_ends()[0], dt=DT)
    chip = ms.deploy(network, ms.Crossbar(dm.Ideal()), 0.0, key=jr.key(0))
    xs = jnp.ones((3, 5))
    np.testing.assert_allclose(chip(xs)[:, :4], network(xs)[:, :4], rtol=1e-3, atol=1e-3)
