"""What must hold for the nodes and edges of a graph, whatever is in the nodes."""

from typing import Any

import numpy as np

from .._names import did_you_mean
from ..nn._layer import Shape

Edges = list[tuple[str, str]]


def checked(graph: Any) -> tuple[dict[str, Any], Edges, Shape | None, Shape | None]:
    """The nodes but for the ends, the edges with "input" and "output" for the ends, and the shapes of the ends.

    Raises `ValueError` for a graph that has not one input and one output, or an edge without a node.
    """
    ends = {kind: [name for name, node in graph.nodes.items() if type(node).__name__ == kind] for kind in ENDS}
    for kind, found in ends.items():
        if len(found) != 1:
            raise ValueError(f"A graph must have one {kind} node. Got {found or 'none'}.")
    names = {found[0]: ENDS[kind] for kind, found in ends.items()}
    nodes = {}
    for name, node in graph.nodes.items():
        if name not in names:
            new = name if name not in ENDS.values() else f"{name}_layer"
            names[name], nodes[new] = new, node
    if not nodes:
        raise ValueError("A graph must have nodes between its input and its output. Got none.")
    edges: Edges = []
    for a, b in graph.edges:
        for name in (a, b):
            if name not in names:
                raise ValueError(did_you_mean("An end of an edge", str(name), names))
        edges.append((names[a], names[b]))
    if len(set(edges)) < len(edges):
        twice = sorted({edge for edge in edges if edges.count(edge) > 1})
        raise ValueError(f"Each edge must be listed once. Got {twice} twice.")
    _check_reached(nodes, edges)
    (source,), (sink,) = ends["Input"], ends["Output"]
    return nodes, edges, _shape(graph.nodes[source].input_type), _shape(graph.nodes[sink].output_type)


ENDS = {"Input": "input", "Output": "output"}


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


def _shape(types: Any) -> Shape | None:
    """The shape in the type of a node; `None` where it says none."""
    found = next(iter(types.values()), None) if types else None
    if found is None or np.asarray(found).dtype == object:
        return None
    return tuple(int(size) for size in np.asarray(found).reshape(-1))
