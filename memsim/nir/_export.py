"""A network of ours as a graph of NIR."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from .._checks import checked
from ..nn import AbstractLayer, Graph, Recurrent, SpikingNetwork
from ..nn._layer import Shape
from ._analog import Notes, digital_twin, with_reset_to_value
from ._check import check_export
from ._package import nir_package
from ._step import SIZES, STEP, Discretisation
from ._table import nodes_of
from ._write import Writer

Edges = list[tuple[str, str]]


@checked(dt=STEP, input_shape=SIZES)
def to_nir(
    model: AbstractLayer,
    *,
    dt: float,
    input_shape: int | Shape,
    discretisation: Discretisation = "euler",
    allow_reset_change: bool = False,
    check: bool = True,
) -> Any:
    r"""`model` as a `nir.NIRGraph`; `memsim.nir.write(path, graph)` makes a file of it.

    NIR holds differential equations, not steps. Time constants are written in seconds, and such that the
    `discretisation` of each equation (Euler's, or the exponential one, exact for an input constant over the step) is
    the step of our neuron: $r = 1 / (1 - \alpha)$ for an input that enters unscaled, $r = 1$ for one that enters with
    $1 - \alpha$, both times the resistance. A neuron whose own decay is the other one gets another time constant. The
    synapse of a `CubaLIF` makes its step before the membrane. A neuron without reset becomes its membrane and a
    `Threshold`; `Recurrent` becomes a cycle of two nodes.

    A programmed model is written with the weights its chips present, at 0 s and without read noise, where others look
    for them. The design, the sources of its numbers and the conductances go into the metadata of the node. Converters
    are not part of a weight.

    **Arguments:**

    - `dt`: Time step of all neurons, in seconds. The format has no place for it; the graph's metadata keep it and the
      discretisation as a hint.
    - `input_shape`: Shape of one step's input, without time and batch; channels first.
    - `allow_reset_change`: Write neurons that subtract their threshold as neurons that reset to `v_reset`.
    - `check`: Read the graph back and compare the spikes on random input.

    Raises `ValueError` for what the format cannot say, and for a graph that does not read back to the same spikes.
    `nir.read` 1.0.8 takes kernels for square and forgets groups: read other convolutions with `type_check=False`.

    Reference: Pedersen2024.

    >>> import jax.random as jr, memsim as ms
    >>> neuron = ms.nn.LIF(2, firing=ms.nn.Firing(reset="zero"))
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(3, 2, key=jr.key(0)), neuron])
    >>> graph = ms.nir.to_nir(network, dt=1e-3, input_shape=3)
    >>> sorted(type(node).__name__ for node in graph.nodes.values())
    ['Affine', 'Input', 'LIF', 'Output']
    """
    w = Writer(nir_package(), dt, discretisation, allow_reset_change)
    shape = (input_shape,) if isinstance(input_shape, int) else tuple(input_shape)
    twin, notes = digital_twin(model)
    network = twin if isinstance(twin, Graph | SpikingNetwork) else SpikingNetwork([twin])
    graph = _graph(network, "" if network is twin else None, shape, w, notes)
    graph.metadata = {"memsim_dt": dt, "memsim_discretisation": discretisation}
    if check:
        written = with_reset_to_value(network) if allow_reset_change else network
        check_export(written, graph, shape, dt, discretisation)
    return graph


class _Part(NamedTuple):
    """What a layer becomes: nodes and edges by name, the node that takes its input, and the one with its output."""

    nodes: dict[str, Any]
    edges: Edges
    first: str
    last: str


def _graph(network: Graph | SpikingNetwork, path: str | None, shape: Shape, w: Writer, notes: Notes) -> Any:
    """A network as a graph; a `path` of `None` is that of a network made for a lone layer."""
    if isinstance(network, Graph):
        layers = {name: (f"{path}.nodes[{name!r}]", layer) for name, layer in network.nodes.items()}
        edges = list(network.plan.edges)
        order = [name for group in network.plan.groups for name in group]
    else:
        inner = [path if path is None else f"{path}.layers[{k}]" for k in range(len(network.layers))]
        layers = {str(k): (inner[k] or "", layer) for k, layer in enumerate(network.layers)}
        order = list(layers)
        edges = list(zip(["input", *order], [*order, "output"], strict=True))
    outputs: dict[str, Shape] = {"input": shape}
    parts = {}
    for name in order:
        inner_path, layer = layers[name]
        try:
            came = _incoming(name, layer, edges, outputs)
            parts[name] = _part(layer, inner_path, name, came, w, notes)
            outputs[name] = layer.output_shape(came) or came
        except ValueError as error:
            raise ValueError(_said_of(inner_path or name, layer, error)) from error
    return _joined(parts, edges, outputs, w)


def _part(layer: AbstractLayer, path: str, name: str, shape: Shape, w: Writer, notes: Notes) -> _Part:
    if isinstance(layer, Graph | SpikingNetwork):
        return _Part({name: _graph(layer, path, shape, w, notes)}, [], name, name)
    if isinstance(layer, Recurrent):
        neuron = _part(layer.neuron, f"{path}.neuron", f"{name}.neuron", shape, w, notes)
        synapse = _part(layer.synapse, f"{path}.synapse", f"{name}.synapse", shape, w, notes)
        back = [(neuron.last, synapse.first), (synapse.last, neuron.first)]
        return _Part(neuron.nodes | synapse.nodes, neuron.edges + synapse.edges + back, neuron.first, neuron.last)
    if "/" in name:
        raise ValueError(f"must have a name without a slash, which files keep for folders. Got {name!r}; rename it.")
    nodes = {f"{name}{suffix}": node for suffix, node in nodes_of(layer, shape, w).items()}
    row = list(nodes)
    nodes[row[0]].metadata = notes.get(path, {})
    return _Part(nodes, list(pairwise(row)), row[0], row[-1])


def _joined(parts: dict[str, _Part], edges: Edges, outputs: dict[str, Shape], w: Writer) -> Any:
    nodes: dict[str, Any] = {"input": w.nir.Input(input_type={"input": np.array(outputs["input"])})}
    joined = [edge for part in parts.values() for edge in part.edges]
    for part in parts.values():
        nodes |= part.nodes
    for a, b in edges:
        joined.append((parts[a].last if a in parts else a, parts[b].first if b in parts else b))
    shape = next(outputs[a] for a, b in edges if b == "output")
    nodes["output"] = w.nir.Output(output_type={"output": np.array(shape)})
    # nir's own type check takes kernels for square and forgets groups; reading back checks the shapes.
    return w.nir.NIRGraph(nodes, joined, metadata={}, type_check=False)


def _incoming(name: str, layer: AbstractLayer, edges: Edges, outputs: dict[str, Shape]) -> Shape:
    """Shape of what enters a layer; one that a cycle alone feeds so far must know it."""
    for a, b in edges:
        if b == name and a in outputs:
            return outputs[a]
    own = layer.output_shape(None)
    if own is None:
        raise ValueError(
            "must have an input whose shape is known. Got none; list the edge from outside the cycle first."
        )
    return own


def _said_of(path: str, layer: AbstractLayer, error: ValueError) -> str:
    said = str(error)
    return said if said.startswith("Layer ") else f"Layer {path} ({type(layer).__name__}) {said}"
