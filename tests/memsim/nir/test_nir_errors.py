"""What the format cannot say is refused with the layer and the way out, and so is what is no graph."""

import sys
from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from memsim.nir import from_nir, to_nir
from memsim.nir._table import WRITERS
from memsim.nn import LIF, CuBaLIF, Firing, Graph, Linear, SpikingNetwork

nir = pytest.importorskip("nir")

DT, INPUTS, SIZE = 1e-3, 5, 8
DATA = Path(__file__).parents[2] / "data" / "nir"
ZERO = Firing(reset="zero")
KEY = jr.key(0)


def lif(**settings):
    return LIF(SIZE, **{"threshold": 0.5, "firing": ZERO} | settings)


def behind(*layers):
    return SpikingNetwork([Linear(INPUTS, SIZE, key=KEY), *layers])


@pytest.mark.parametrize(
    "layer, message",
    [
        (lif(firing=Firing()), r"Layer .layers\[1\] \(LIF\) must reset to a value.*allow_reset_change=True"),
        (lif(firing=Firing(reset="zero", max_spikes=2)), "at most once a step"),
        (lif(firing=Firing(reset="zero", refractory=2e-3)), "no refractory period"),
        (lif(firing=Firing(reset="zero", emit="old")), "`Delay` of one step after it"),
        (lif(dt=1e-4), "the time step of the export"),
        (CuBaLIF(SIZE, firing=ZERO, synaptic_delay=1), "put `Delay` of one step before it"),
        (ms.nn.ALIF(SIZE), r"counterpart in NIR. Got ALIF. Leave it out, or use AvgPool2d"),
        (ms.nn.AdEx(SIZE), "Got AdEx"),
        (ms.nn.izhikevich_2003("regular_spiking", SIZE), "Got Izhikevich"),
        (ms.nn.ResonateAndFire(SIZE), "Got ResonateAndFire"),
        (eqx.nn.Dropout(0.5), "Got Stateless, around Dropout"),
        (ms.nn.NoisyNeuron(lif(), 0.1), "Got NoisyNeuron, around LIF"),
        (Linear(SIZE, 2, key=KEY), None),
    ],
)
def test_what_the_format_cannot_say_is_refused_with_the_layer_and_the_way_out(layer, message):
    if message is None:
        broken = eqx.tree_at(lambda one: one.weight, layer, jnp.full((2, SIZE), jnp.nan))
        layer, message = broken, "must be finite"
    with pytest.raises(ValueError, match=message):
        to_nir(behind(layer), dt=DT, input_shape=INPUTS)


def test_a_reset_may_change_only_if_asked_and_the_check_expects_it():
    model = behind(lif(firing=Firing()))
    graph = to_nir(model, dt=DT, input_shape=INPUTS, allow_reset_change=True)
    xs = jr.normal(KEY, (100, INPUTS))
    spikes = behind(lif())(xs)
    assert spikes.any() and not np.array_equal(spikes, model(xs))
    np.testing.assert_array_equal(from_nir(graph, dt=DT)(xs), spikes)


def test_a_layer_name_with_a_slash_is_refused():
    model = Graph({"a/b": Linear(INPUTS, SIZE, key=KEY)}, [("input", "a/b"), ("a/b", "output")])
    with pytest.raises(ValueError, match="without a slash"):
        to_nir(model, dt=DT, input_shape=INPUTS)


def test_a_wrong_export_does_not_pass_the_check(monkeypatch):
    right = WRITERS[LIF]

    def wrong(layer, shape, w):
        nodes = right(layer, shape, w)
        nodes[""].v_threshold *= 1.2
        return nodes

    monkeypatch.setitem(WRITERS, LIF, wrong)
    with pytest.raises(ValueError, match=r"must read back to the same network. Got \d+ different spikes"):
        to_nir(behind(lif()), dt=DT, input_shape=INPUTS)
    assert to_nir(behind(lif()), dt=DT, input_shape=INPUTS, check=False).nodes


def simple(**changes):
    """Input, weight, neuron, output; parameters of the neuron as given."""
    full = {"tau": 0.01, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0} | changes
    return {
        "input": nir.Input(np.array([2])),
        "w": nir.Linear(np.ones((3, 2))),
        "n": nir.LIF(**{name: np.full(3, x) for name, x in full.items()}),
        "output": nir.Output(np.array([3])),
    }


CHAIN = [("input", "w"), ("w", "n"), ("n", "output")]


def without(name):
    return {key: node for key, node in simple().items() if key != name}


@pytest.mark.parametrize(
    "nodes, edges, message",
    [
        ({}, [], "one Input node. Got none"),
        (without("input"), CHAIN[1:], "one Input node. Got none"),
        (without("output"), CHAIN[:2], "one Output node. Got none"),
        ({key: simple()[key] for key in ("input", "output")}, [("input", "output")], "nodes between"),
        (without("w"), CHAIN, "An end of an edge must be a known name. Got 'w'"),
        (simple(), [*CHAIN, ("n", "nowhere")], "An end of an edge must be a known name. Got 'nowhere'"),
        (simple(), [*CHAIN, CHAIN[0]], "listed once"),
        (simple(), CHAIN[:2], "output must be reached"),
        (simple() | {"lost": simple()["w"]}, CHAIN, "Got 'lost'"),
        (simple() | {"w": nir.Linear(np.ones((4, 2)))}, CHAIN, r"Node 'n' \(LIF\) must take an input of shape \(3,\)"),
        (simple() | {"output": nir.Output(np.array([4]))}, CHAIN, r"The output must have the shape"),
        (simple() | {"w": nir.Linear(np.full((3, 2), np.nan))}, CHAIN, "Node 'w'.* finite numbers in `weight`"),
        (simple(tau=np.nan), CHAIN, "Node 'n'.* finite numbers in `tau`"),
        (simple(tau=-0.01), CHAIN, "Node 'n'.* positive time constants"),
        (simple(tau=1e-5), CHAIN, "Node 'n'.* at least one Euler step.*guess"),
        (simple(v_threshold=-1.0), CHAIN, "Node 'n'.* must be positive"),
        (simple() | {"w": nir.Linear(np.ones((2, 3, 2)))}, CHAIN, r"shape \(outputs, inputs\)"),
        (simple() | {"n": nir.Delay(np.full(3, 1.5e-3))}, CHAIN, "whole time steps"),
    ],
)
def test_a_malformed_graph_is_refused_with_what_is_wrong(nodes, edges, message):
    graph = nir.NIRGraph(nodes, edges, metadata={}, type_check=False)
    with pytest.raises(ValueError, match=message):
        from_nir(graph, dt=DT)


def test_a_file_that_is_none_or_is_corrupt_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="must be there"):
        from_nir(tmp_path / "nothing.nir", dt=DT)
    for content in (b"", b"no HDF5", (DATA / "lif_norse.nir").read_bytes()[:3000]):
        (tmp_path / "corrupt.nir").write_bytes(content)
        with pytest.raises(ValueError, match=r"that `nir.write` wrote"):
            from_nir(str(tmp_path / "corrupt.nir"), dt=DT)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"dt": 0.0}, "`dt` must be positive"),
        ({"dt": DT, "dialect": "snntorhc"}, "Did you mean snntorch"),
        ({"dt": DT, "dialect": "SNNTORCH"}, r"Did you mean snntorch\?"),
        ({"dt": DT, "dialect": "SNNTorhc"}, "Did you mean snntorch"),
        ({"dt": DT, "discretisation": "midpoint"}, "`discretisation` must be"),
    ],
)
def test_a_wrong_setting_is_refused(unchecked, settings, message):
    with pytest.raises(ValueError, match=message):
        from_nir(DATA / "lif_norse.nir", **settings)


def test_without_the_package_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "nir", None)
    with pytest.raises(ImportError, match=r"pip install 'memsim\[nir\]'"):
        to_nir(behind(lif()), dt=DT, input_shape=INPUTS)
