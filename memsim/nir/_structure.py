"""What must hold for the nodes and edges of a graph, whatever is in the nodes."""

from typing import Any, NamedTuple

import numpy as np

from .._checks import did_you_mean
from ..nn._layer import Shape
from ._ends import InputPart, OutputPart, parts

Edges = list[tuple[str, str]]
LARGEST = 2**31  # elements of one input or output
RANKS = {"Linear": 1, "Affine": 1, "Conv1d": 2, "Conv2d": 3, "SumPool2d": 3, "AvgPool2d": 3}
ENDS = {"Input": "input", "Output": "output"}


class Structure(NamedTuple):
    """A graph whose one input is "input" and whose one output is "output", with their shapes where they are known.

    Several inputs or outputs are nodes that are layers already: parts of the one.
    """

    nodes: dict[str, Any]
    edges: Edges
    input_shape: Shape | None
    output_shape: Shape | None


def structure_of(graph: Any, *, inner: bool) -> Structure:
    """The structure of a graph, which stands within another one if it is `inner`.

    Raises `ValueError` for a graph that has no input or output, or an edge without a node.
    """
    ends = {kind: [name for name, node in graph.nodes.items() if type(node).__name__ == kind] for kind in ENDS}
    for kind, found in ends.items():
        if not found:
            raise ValueError(f"A graph must have at least one {kind} node. Got none.")
        if inner and len(found) > 1:
            raise ValueError(f"must have one {kind} node where it stands within another graph. Got {found}.")
    names, nodes = _renamed(graph, ends)
    if len(names) == len(ends["Input"]) + len(ends["Output"]):
        raise ValueError("A graph must have nodes between its input and its output. Got none.")
    edges = _edges(graph, names)
    shapes = {}
    for kind, part in (("Input", InputPart), ("Output", OutputPart)):
        declared = {names[name]: _shape(name, getattr(graph.nodes[name], f"{ENDS[kind]}_type")) for name in ends[kind]}
        if kind == "Input":
            declared = {name: _without_batch(name, shape, nodes, edges) for name, shape in declared.items()}
        shapes[kind] = next(iter(declared.values()))
        if len(declared) > 1:
            layers = parts(part, declared)
            nodes |= layers
            edges += [(ENDS[kind], name) if kind == "Input" else (name, ENDS[kind]) for name in layers]
            shapes[kind] = (next(iter(layers.values())).total,)
    _check_reached(nodes, edges)
    return Structure(nodes, edges, shapes["Input"], shapes["Output"])


def _renamed(graph: Any, ends: dict[str, list[str]]) -> tuple[dict[str, str], dict[str, Any]]:
    """New names, in which "input" and "output" are the only ends, and the nodes between the ends by them."""
    names = {found[0]: ENDS[kind] for kind, found in ends.items() if len(found) == 1}
    nodes, several = {}, {name for found in ends.values() for name in found} - names.keys()
    for name, node in graph.nodes.items():
        if name in names:
            continue
        names[name] = name if name not in ENDS.values() else f"{name}_layer"
        if name not in several:
            nodes[names[name]] = node
    return names, nodes


def _edges(graph: Any, names: dict[str, str]) -> Edges:
    edges: Edges = []
    for a, b in graph.edges:
        for name in (a, b):
            if name not in names:
                raise ValueError(did_you_mean("An end of an edge", str(name), names))
        edges.append((names[a], names[b]))
    if len(set(edges)) < len(edges):
        twice = sorted({edge for edge in edges if edges.count(edge) > 1})
        raise ValueError(f"Each edge must be listed once. Got {twice} twice.")
    return edges


def _check_reached(nodes: dict[str, Any], edges: Edges) -> None:
    reached, todo = set(), ["input"]
    while todo:
        here = todo.pop()
        new = [b for a, b in edges if a == here and b not in reached]
        reached.update(new)
        todo.extend(new)
    if "output" not in reached:
        raise ValueError(f"The output must be reached from the input. Got the edges {edges}.")
    for name in nodes:
        if name not in reached:
            raise ValueError(f"Every node must be reached from the input. Got {name!r}, which is not.")


def _without_batch(end: str, shape: Shape | None, nodes: dict[str, Any], edges: Edges) -> Shape | None:
    """The declared shape of an input without a leading 1 where what follows has no place for it, as norse writes it."""
    for a, b in edges:
        if a == end and b in nodes and shape is not None:
            rank = RANKS.get(type(nodes[b]).__name__)
            if rank is not None and len(shape) == rank + 1 and shape[0] == 1:
                return shape[1:]
    return shape


def _shape(name: str, types: Any) -> Shape | None:
    """The shape in the type of a node; `None` where it says none."""
    found = next(iter(types.values()), None) if types else None
    if found is None or np.asarray(found).dtype == object:
        return None
    sizes = np.asarray(found, np.float64).reshape(-1)
    if not (np.isfinite(sizes) & (sizes >= 1) & (sizes == np.round(sizes))).all() or np.prod(sizes) > LARGEST:
        raise ValueError(f"Node {name!r} must have a shape of whole numbers, {LARGEST} elements at most. Got {found}.")
    return tuple(int(size) for size in sizes)
