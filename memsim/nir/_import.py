"""A graph of NIR as a network of ours."""

import dataclasses
import warnings
from typing import Any

import numpy as np

from .._checks import checked, did_you_mean, that
from ..nn import (
    AbstractLayer,
    AbstractNetwork,
    AbstractNeuron,
    AbstractSynapse,
    Delay,
    Firing,
    Graph,
    Recurrent,
    SpikingNetwork,
)
from ..nn._layer import Shape
from ..nn._networks._time import Chunk
from ._dialect import DIALECTS, Dialect
from ._ends import OutputPart, without_ones
from ._file import opened
from ._guess import guess
from ._read import Reader
from ._step import SIZES, STEP, Discretisation
from ._structure import Edges, structure_of
from ._table import layer_of

DIALECT = that("a key of `memsim.nir.DIALECTS` or a `Dialect`", lambda x: True)  # which checks its own numbers


@checked(dt=STEP, input_shape=SIZES, dialect=DIALECT)
def from_nir(
    graph: Any,
    *,
    dt: float,
    dialect: str | Dialect = "nir",
    discretisation: Discretisation | None = None,
    firing: Firing | None = None,
    input_shape: int | Shape | None = None,
    chunk: Chunk = "auto",
) -> AbstractNetwork:
    r"""A `nir.NIRGraph`, or the path of a file with one, as a network that makes steps of `dt` seconds.

    A chain becomes a `SpikingNetwork`, in which a neuron and one synapse in a cycle are `Recurrent`; any other graph a
    `Graph`. Layers are ordered by edges, never by names; what enters a node is summed; an edge that closes a cycle
    carries the value of the step before. Parameters that all neurons share become constants, others are trained; one
    value a channel may be an array (channels, 1, 1). Of several inputs, or outputs, the network has one, flat: their
    elements in a row, in the order of their names. Axes of `Flatten` may count a batch where only that fits.

    A file says neither its time step nor how its numbers came about, and exporters differ: name the one that wrote it
    as `dialect`, a key of `memsim.nir.DIALECTS` or a `Dialect`. "nir" takes the file at its word, with time constants
    in seconds. "guess" reads it as `memsim.nir.guess` says, and warns in words of what that is.

    **Arguments:**

    - `dt`: Time step, in seconds; for "spikingjelly", "spyx", "jaxpike" and "norse" the one that was exported with.
    - `discretisation`: "euler" or "exponential"; that of the dialect by default.
    - `firing`: How neurons fire, in the place of what the exporter's do by default, such as another reset or surrogate.
    - `input_shape`: Shape of one step's input, in the place of what the file says.
    - `chunk`: As in `SpikingNetwork`.

    Warns where the file's own hints, which `to_nir` leaves, differ from `dt` and `discretisation`; they are not used.
    Raises `ValueError` for a malformed graph, naming the node, and for a file that is corrupt, that refers to other
    files, or that would unpack to more than 4 GiB.

    Reference: Pedersen2024.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(3, 2, key=jr.key(0)), ms.nn.LI(2)])
    >>> again = ms.nir.from_nir(ms.nir.to_nir(network, dt=1e-3, input_shape=3), dt=1e-3)
    >>> x = jr.normal(jr.key(1), (20, 3))
    >>> bool(jnp.allclose(network(x), again(x), atol=1e-4))
    True
    """
    graph = opened(graph)
    chosen = _dialect(graph, dialect, dt)
    chosen = chosen if discretisation is None else chosen._replace(discretisation=discretisation)
    _compare_hints(graph.metadata, dt, chosen.discretisation)
    shape = (input_shape,) if isinstance(input_shape, int) else input_shape
    return _network(graph, shape, Reader(dt, chosen, firing), chunk)


def _dialect(graph: Any, dialect: str | Dialect, dt: float) -> Dialect:
    if isinstance(dialect, Dialect):
        dialect.check()
        return dialect
    if dialect == "guess":
        found = guess(graph, dt=dt)
        warnings.warn(f"Read as {found.name!r}: {' '.join(found.reasons)}", stacklevel=3)
        return found.dialect
    if dialect not in DIALECTS:
        raise ValueError(did_you_mean("A dialect", dialect, [*DIALECTS, "guess"]))
    return DIALECTS[dialect]


def _compare_hints(metadata: dict[str, Any], dt: float, discretisation: str) -> None:
    said, step = metadata.get("memsim_discretisation"), _number(metadata.get("memsim_dt"))
    if said is not None and said != discretisation:
        warnings.warn(
            f"The file says that it was written for the {said} step. It is read for the {discretisation} one; "
            f'pass discretisation="{said}" for the neurons that were written.',
            stacklevel=3,
        )
    if step is not None and not np.isclose(step, dt, rtol=1e-6, atol=0):
        warnings.warn(f"The file says that it was written for dt={step} s. It is read for dt={dt} s.", stacklevel=3)


def _number(x: Any) -> float | None:
    """A hint as a number, `None` where it is none."""
    try:
        return float(x)
    except (TypeError, ValueError):
        return None


def _network(graph: Any, shape: Shape | None, r: Reader, chunk: Chunk, *, inner: bool = False) -> AbstractNetwork:
    nodes, edges, declared, output = structure_of(graph, inner=inner)
    if r.dialect.input_at == "synapse":
        edges = _into_neurons(nodes, edges)
    shape = declared if shape is None else shape
    layers, last = _layers(nodes, edges, shape, output, r, chunk)
    if output is not None and last is not None and without_ones(output) != without_ones(last):
        raise ValueError(f"The output must have the shape of what enters it, {last}. Got {output}.")
    chain = _chain(layers, edges)
    if chain is not None:
        return SpikingNetwork(chain, chunk=chunk, input_shape=shape)
    return Graph(layers, edges, chunk=chunk, input_shape=shape)


def _layers(
    nodes: dict[str, Any], edges: Edges, shape: Shape | None, output: Shape | None, r: Reader, chunk: Chunk
) -> tuple[dict[str, AbstractLayer], Shape | None]:
    """The layers by name, each built once the shape of its input is known, and the shape of the output."""
    outputs: dict[str, Shape | None] = {"input": shape}
    layers: dict[str, AbstractLayer] = {}
    waiting = list(nodes)
    while waiting:
        fed = {name: [a for a, b in edges if b == name and a in outputs] for name in waiting}
        ready = next((name for name in waiting if fed[name]), waiting[0])
        came = next((outputs[a] for a in fed[ready] if outputs[a] is not None), None)
        node = nodes[ready]
        try:
            if isinstance(node, AbstractLayer):
                layers[ready] = node
            elif _is_graph(node):
                layers[ready] = _network(node, came, r, chunk, inner=True)
            else:
                after = tuple(_follower(b, nodes, output) for a, b in edges if a == ready)
                layers[ready] = layer_of(node, came, r._replace(following=after))
            outputs[ready] = layers[ready].output_shape(came)
        except ValueError as error:
            raise ValueError(f"Node {ready!r} ({type(node).__name__}) {error}") from error
        waiting.remove(ready)
    ends = [outputs[a] for a, b in edges if b == "output"]
    return {name: layers[name] for name in nodes}, next((end for end in ends if end is not None), None)


def _follower(name: str, nodes: dict[str, Any], output: Shape | None) -> Any:
    """What an edge leads to: a node, or the shape of an output."""
    node = output if name == "output" else nodes[name]
    return node.shape if isinstance(node, OutputPart) else node


def _is_graph(node: Any) -> bool:
    return type(node).__name__ == "NIRGraph"


def _into_neurons(nodes: dict[str, Any], edges: Edges) -> Edges:
    """Edges from the input into a synapse that forms a cycle with a neuron, led into the neuron."""
    moved = {}
    for a, b in edges:
        if type(nodes.get(a)).__name__ in ("Linear", "Affine") and (b, a) in edges and ("input", a) in edges:
            moved["input", a] = ("input", b)
    return [moved.get(edge, edge) for edge in edges]


def _recurrent(neuron: AbstractNeuron, synapse: AbstractSynapse) -> list[AbstractLayer]:
    """Neurons that hear themselves at once, even where they are told to give out their spikes one step late."""
    firing = getattr(neuron, "firing", None)
    if firing is None or firing.emit == "new":
        return [Recurrent(neuron, synapse)]
    prompt = dataclasses.replace(neuron, firing=dataclasses.replace(firing, emit="new"))
    return [Recurrent(prompt, synapse), Delay(neuron.size, 1)]


def _chain(layers: dict[str, AbstractLayer], edges: Edges) -> list[AbstractLayer] | None:
    """The layers in a row, a neuron and one synapse in a cycle as one; `None` where the graph is no row."""

    def after(name: str) -> list[str]:
        return [b for a, b in edges if a == name]

    def returns(name: str, to: str) -> bool:
        return name in layers and after(name) == [to] and [a for a, b in edges if b == name] == [to]

    row, used, here = [], set(), "input"
    while here != "output":
        loop = [b for b in after(here) if returns(b, here)]
        onward = [b for b in after(here) if b not in loop]
        if len(onward) != 1 or len(loop) > 1:
            return None
        if loop:
            neuron, synapse = layers[here], layers[loop[0]]
            if not isinstance(neuron, AbstractNeuron) or not isinstance(synapse, AbstractSynapse):
                return None
            row[-1:] = _recurrent(neuron, synapse)
            used.add(loop[0])
        here = onward[0]
        if here != "output":
            if here in used or len([a for a, b in edges if b == here and not returns(a, here)]) != 1:
                return None
            row.append(layers[here])
            used.add(here)
    return row if used == set(layers) else None
