"""Networks go to NIR and come back to the same spikes."""

from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from helpers import slow
from memsim.nir import from_nir, to_nir
from memsim.nn import (
    IF,
    LI,
    LIF,
    AvgPool2d,
    Conv1d,
    Conv2d,
    CuBaLI,
    CuBaLIF,
    Delay,
    Firing,
    Flatten,
    Graph,
    Integrator,
    Linear,
    Recurrent,
    Scale,
    SpikingNetwork,
    SumPool2d,
    Threshold,
)

nir = pytest.importorskip("nir")

DT, STEPS, INPUTS, SIZE = 1e-3, 60, 5, 8
DATA = Path(__file__).parents[2] / "data" / "nir"
ZERO = Firing(reset="zero")
KEYS = jr.split(jr.key(0), 8)
PER_NEURON = np.linspace(5e-3, 3e-2, SIZE)

run = eqx.filter_jit(lambda model, xs: model(xs))


def dense(inputs, outputs, place, bias=True):
    layer = Linear(inputs, outputs, use_bias=bias, key=KEYS[place])
    return eqx.tree_at(lambda one: one.bias, layer, 0.1 * jr.normal(KEYS[place], (outputs,))) if bias else layer


def behind(*layers):
    return SpikingNetwork([dense(INPUTS, SIZE, 0), *layers])


def lif(**settings):
    return LIF(SIZE, **{"threshold": 0.5, "firing": ZERO} | settings)


def image_network():
    return SpikingNetwork(
        [
            Conv2d(2, 4, (3, 2), stride=(2, 1), padding=1, dilation=(1, 2), key=KEYS[0]),
            LIF((4, 3, 5), threshold=0.3, firing=ZERO),
            SumPool2d(2, 1),
            Conv2d(4, 4, 1, groups=2, use_bias=False, key=KEYS[1]),
            AvgPool2d(2, padding=1),
            Flatten(),
            dense(24, 3, 2),
            LI(3),
        ]
    )


def graph_network():
    nodes = {
        "in": dense(INPUTS, SIZE, 0),
        "a": lif(),
        "b": lif(tau_mem=PER_NEURON),
        "skip": dense(SIZE, SIZE, 1, bias=False),
        "back": dense(SIZE, SIZE, 2, bias=False),
    }
    edges = [("input", "in"), ("in", "a"), ("a", "skip"), ("skip", "b"), ("a", "b"), ("b", "back"), ("back", "a")]
    return Graph(nodes, [*edges, ("b", "output")], input_shape=INPUTS)


NETWORKS = {
    "lif": behind(lif(), dense(SIZE, 3, 1), LI(3)),
    "lif euler": behind(lif(decay="euler", gain="euler", resistance=6.0)),
    "lif mixed": behind(lif(gain="euler", resistance=6.0, v_rest=0.1, v_reset=-0.2)),
    "lif leak": behind(lif(decay="euler", gain="leak", resistance=6.0)),
    "lif per neuron": behind(lif(tau_mem=PER_NEURON, threshold=np.linspace(0.3, 1, SIZE), v_reset=-PER_NEURON)),
    "lif resistance": behind(lif(resistance=jnp.linspace(0.5, 1.5, SIZE))),
    "lif no reset": behind(lif(firing=Firing(reset="none"))),
    "cuba lif": behind(CuBaLIF(SIZE, threshold=2.0, firing=ZERO, v_rest=0.2, tau_syn=PER_NEURON)),
    "cuba lif mixed": behind(
        CuBaLIF(SIZE, threshold=0.2, firing=ZERO, gain="euler", gain_syn="leak", w_in=3.0, resistance=2.0)
    ),
    "cuba lif no reset": behind(CuBaLIF(SIZE, firing=Firing(reset="none"))),
    "cuba li": behind(lif(), CuBaLI(SIZE, gain="leak", v_rest=0.3)),
    "if": behind(IF(SIZE, firing=ZERO, resistance=0.7, v_reset=0.1)),
    "if per second": behind(IF(SIZE, firing=ZERO, resistance=700.0, gain="dt")),
    "if no reset": behind(IF(SIZE, firing=Firing(reset="none"))),
    "integrator": behind(Integrator(SIZE), Threshold(jnp.linspace(0.5, 1.0, SIZE)), Scale(2.0)),
    "delays": behind(lif(), Delay(SIZE, np.arange(SIZE)), Scale(jnp.linspace(0.0, 1.0, SIZE))),
    "recurrent": behind(Recurrent(lif(), dense(SIZE, SIZE, 1)), dense(SIZE, 3, 2), LI(3)),
    "recurrent cuba": behind(Recurrent(CuBaLIF(SIZE, firing=ZERO), dense(SIZE, SIZE, 1, bias=False))),
    "nested": SpikingNetwork(
        [behind(lif()), SpikingNetwork([dense(SIZE, SIZE, 1), Recurrent(lif(), dense(SIZE, SIZE, 2))])]
    ),
    "graph": graph_network(),
    "graph of networks": Graph(
        {"inner": graph_network(), "li": LI(SIZE)}, [("input", "inner"), ("inner", "li"), ("li", "output")]
    ),
    "image": image_network(),
    "signal": SpikingNetwork(
        [Conv1d(2, 3, 3, padding="same", key=KEYS[3]), LIF((3, 7), threshold=0.3, firing=ZERO), Flatten(), LI(21)]
    ),
}
SHAPES = {"image": (2, 5, 5), "signal": (2, 7)}


def shape_of(name):
    return SHAPES.get(name, (INPUTS,))


def inputs_of(name):
    return 2 * jr.normal(KEYS[7], (STEPS, *shape_of(name)))


def assert_same_run(ours, theirs, xs):
    expected, found = np.asarray(run(ours, xs)), np.asarray(run(theirs, xs))
    assert expected.any()
    if set(np.unique(expected)) <= {0.0, 1.0}:
        np.testing.assert_array_equal(found, expected)
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize(
    "name, discretisation",
    [
        *((name, "euler") for name in NETWORKS),
        *(
            (name, "exponential") if name in ("lif", "cuba lif", "if") else slow(name, "exponential")
            for name in NETWORKS
            if name.split()[0] in ("lif", "cuba", "if")
        ),
    ],
)
def test_a_network_comes_back_from_a_file_with_the_same_spikes(name, discretisation, tmp_path):
    model = NETWORKS[name]
    graph = to_nir(model, dt=DT, input_shape=shape_of(name), discretisation=discretisation, check=False)
    nir.write(tmp_path / "network.nir", graph)
    again = from_nir(tmp_path / "network.nir", dt=DT, discretisation=discretisation)
    assert_same_run(model, again, inputs_of(name))


@pytest.mark.parametrize("name", ["lif per neuron", slow("cuba lif mixed"), slow("recurrent")])
def test_a_network_in_double_precision_comes_back_with_the_same_spikes(name):
    with jax.enable_x64(True):
        model = jax.tree.map(
            lambda x: jnp.asarray(np.asarray(x), float) if eqx.is_inexact_array(x) else x, NETWORKS[name]
        )
        xs = jr.normal(KEYS[7], (STEPS, INPUTS), float)
        again = from_nir(to_nir(model, dt=DT, input_shape=INPUTS, check=False), dt=DT)
        assert run(again, xs).dtype == np.float64
        assert_same_run(model, again, xs)


def test_the_format_is_what_it_should_be_for_others():
    tau, size = 20e-3, 3
    model = SpikingNetwork([Linear(2, size, use_bias=False, key=KEYS[0]), LIF(size, tau_mem=tau, firing=ZERO)])
    euler, exponential = (
        to_nir(model, dt=DT, input_shape=2, discretisation=step).nodes["1"] for step in ("euler", "exponential")
    )
    alpha = np.exp(-DT / tau)
    np.testing.assert_allclose(exponential.tau, np.full(size, tau))
    np.testing.assert_allclose(exponential.r, np.full(size, 1 / (1 - alpha)))
    np.testing.assert_allclose(1 - DT / euler.tau, np.full(size, alpha))  # the Euler step decays as ours does
    np.testing.assert_allclose(euler.r, euler.tau / DT)
    normalised = to_nir(LIF(size, gain="leak", firing=ZERO), dt=DT, input_shape=size)
    np.testing.assert_allclose(normalised.nodes["0"].r, np.ones(size))


def test_files_pass_the_type_check_of_nir(tmp_path):
    for name in ("lif", "recurrent", "nested", "graph", "signal"):
        nir.write(tmp_path / "a.nir", to_nir(NETWORKS[name], dt=DT, input_shape=shape_of(name), check=False))
        assert nir.read(tmp_path / "a.nir", type_check=True).nodes


def test_values_that_all_neurons_share_come_back_as_constants_and_others_as_parameters():
    graph = to_nir(NETWORKS["lif per neuron"], dt=DT, input_shape=INPUTS, discretisation="exponential")
    neuron = from_nir(graph, dt=DT, discretisation="exponential").layers[1]
    np.testing.assert_allclose(neuron.tau_mem.value, PER_NEURON, rtol=1e-6)
    assert neuron.v_rest == 0.0 and isinstance(neuron.v_rest, float)
    assert neuron.resistance == 1.0 and neuron.gain == "one"


@pytest.mark.parametrize("discretisation", ["euler", "exponential"])
def test_the_published_neuron_spikes_when_its_differential_equation_does(discretisation):
    # lif_exact.csv: input, membrane, spike; the exact solution spikes at the steps 460, 510, 710 and 760.
    x, membrane, spikes = np.loadtxt(DATA / "lif_exact.csv", delimiter=",").T
    network = from_nir(DATA / "lif_norse.nir", dt=1e-4, discretisation=discretisation)
    ys, found = network(jnp.asarray(x, jnp.float32)[:, None], record="membranes")
    np.testing.assert_array_equal(np.flatnonzero(ys[:, 0]), np.flatnonzero(spikes))
    (ours,) = found["membranes"].values()
    error = np.abs(np.asarray(ours)[:460, 0] - membrane[:460]).max()
    assert error < (1e-6 if discretisation == "exponential" else 2e-3)  # of 0.1; the exponential step is exact


def test_channels_stay_first_across_flatten():
    # The same numbers by loops over channels, rows and columns, as a library with channels first computes them.
    model, xs = image_network(), np.asarray(inputs_of("image"))
    graph = to_nir(model, dt=DT, input_shape=(2, 5, 5))
    conv, pooled = graph.nodes["0"], graph.nodes["6"]
    x = np.pad(xs[0], ((0, 0), (1, 1), (1, 1)))
    expected = np.zeros((4, 3, 5))
    for out, row, column in np.ndindex(4, 3, 5):
        for channel, i, j in np.ndindex(2, 3, 2):
            expected[out, row, column] += conv.weight[out, channel, i, j] * x[channel, 2 * row + i, column + 2 * j]
        expected[out, row, column] += conv.bias[out]
    np.testing.assert_allclose(from_nir(graph, dt=DT).layers[0](jnp.asarray(xs[0])), expected, atol=1e-5)
    image = np.arange(24.0).reshape(4, 2, 3)
    by_hand = [
        sum(pooled.weight[o, 6 * c + 3 * h + w] * image[c, h, w] for c, h, w in np.ndindex(4, 2, 3)) + pooled.bias[o]
        for o in range(3)
    ]
    flatten, linear = from_nir(graph, dt=DT).layers[5:7]
    np.testing.assert_allclose(linear(flatten(jnp.asarray(image, jnp.float32))), by_hand, rtol=1e-4)


def test_the_order_is_that_of_the_edges_and_not_of_names_or_the_list():
    graph = to_nir(NETWORKS["lif"], dt=DT, input_shape=INPUTS)
    names = {"input": "z", "0": "output", "1": "input", "2": "1", "3": "0", "output": "a"}
    nodes = {names[name]: node for name, node in reversed(graph.nodes.items())}
    edges = [(names[a], names[b]) for a, b in reversed(graph.edges)]
    shuffled = nir.NIRGraph(nodes, edges, metadata={}, type_check=False)
    assert_same_run(NETWORKS["lif"], from_nir(shuffled, dt=DT), inputs_of("lif"))


def test_what_enters_a_node_is_summed():
    a, b = dense(INPUTS, SIZE, 0), dense(INPUTS, SIZE, 1)
    affine = {name: nir.Affine(np.asarray(one.weight), np.asarray(one.bias)) for name, one in {"a": a, "b": b}.items()}
    ends = {"input": nir.Input(np.array([INPUTS])), "output": nir.Output(np.array([SIZE]))}
    edges = [("input", "a"), ("input", "b"), ("a", "output"), ("b", "output")]
    network = from_nir(nir.NIRGraph(affine | ends, edges, metadata={}), dt=DT)
    xs = inputs_of("")
    np.testing.assert_allclose(network(xs), jax.vmap(a)(xs) + jax.vmap(b)(xs), rtol=1e-5, atol=1e-5)


def test_a_cycle_of_a_neuron_and_a_synapse_is_recurrent():
    graph = to_nir(NETWORKS["recurrent"], dt=DT, input_shape=INPUTS)
    assert ("1.neuron", "1.synapse") in graph.edges and ("1.synapse", "1.neuron") in graph.edges
    assert isinstance(from_nir(graph, dt=DT).layers[1], Recurrent)


@pytest.mark.slow
def test_a_programmed_model_is_written_with_what_its_chips_present(tmp_path):
    design = ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8, full_scale=20.0), tile=(4, 4))
    model = eqx.filter_jit(ms.program)(NETWORKS["recurrent"], design, key=KEYS[4])
    nir.write(tmp_path / "chip.nir", to_nir(model, dt=DT, input_shape=INPUTS, check=False))
    graph = nir.read(tmp_path / "chip.nir")
    chip, node = model.layers[1].synapse.weight, graph.nodes["1.synapse"]
    g = np.asarray(node.metadata["memsim_conductance_siemens"])
    np.testing.assert_allclose(g, dm.pcm_joshi2020().conductance(chip.cells, jnp.zeros(())), rtol=1e-6)
    # By hand: the difference of the pair over the range, times the weight of a fully-on cell of its tile of 4 rows.
    scales = np.repeat(np.asarray(chip.scales), 4, axis=0)
    span = dm.pcm_joshi2020().g_max - dm.pcm_joshi2020().g_min
    written, ideal = np.asarray(node.weight), ((g[0] - g[1]) / span * scales).T
    compensation = (written / ideal)[np.abs(ideal) > 1e-3]
    np.testing.assert_allclose(compensation, 1.0, atol=0.2)  # drift compensation at 0 s measures with read noise
    assert "pcm" in node.metadata["memsim_design"].lower() and "tile=(4, 4)" in node.metadata["memsim_design"]
    assert "Joshi" in node.metadata["memsim_device_numbers"] or "10." in node.metadata["memsim_device_numbers"]
    original = NETWORKS["recurrent"].layers[1].synapse.weight
    assert not np.allclose(written, original) and np.corrcoef(written.ravel(), original.ravel())[0, 1] > 0.9


def test_a_model_at_a_moment_is_written_with_its_effective_weights():
    model = ms.deploy(NETWORKS["lif"], ms.Crossbar(dm.pcm_joshi2020(), reads=ms.Reads("off")), 1e6, key=KEYS[4])
    node = to_nir(model, dt=DT, input_shape=INPUTS).nodes["0"]
    np.testing.assert_allclose(node.weight, model.layers[0].weight.effective_weight)
    assert "AnalogMatrix" in node.metadata["memsim_design"]


# The layers that exist for the exchange ---------------------------------------------------------------------------


def test_an_integrator_is_the_sum_of_its_inputs():
    xs = inputs_of("")
    neuron = Integrator(INPUTS, resistance=2.0, gain="dt", dt=DT)
    np.testing.assert_allclose(SpikingNetwork([neuron])(xs), 2 * DT * np.cumsum(xs, axis=0), rtol=1e-4, atol=1e-6)


def test_a_threshold_after_a_leaky_integrator_is_a_neuron_without_reset():
    xs, level = inputs_of(""), np.linspace(0.5, 1.5, INPUTS)
    pair = SpikingNetwork([LI(INPUTS), Scale(2.0), Threshold(2 * level)])
    neuron = SpikingNetwork([LIF(INPUTS, threshold=level, firing=Firing(reset="none"))])
    np.testing.assert_array_equal(pair(xs), neuron(xs))
    slope = jax.grad(lambda x: Threshold(1.0, ms.nn.Triangle(2.0))(x)[0])(jnp.asarray([1.25]))
    np.testing.assert_allclose(slope, [0.5])  # 1 - 2 |x - 1|


@pytest.mark.parametrize("layer", [Scale(np.ones(3)), Threshold(np.ones(3))])
def test_a_layer_of_another_shape_is_refused(layer):
    with pytest.raises(ValueError, match=r"one a neuron of shape \(4,\)"):
        SpikingNetwork([layer], input_shape=4)
