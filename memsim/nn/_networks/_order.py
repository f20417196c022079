"""The order in which the layers of a graph run, and which edges carry the step before."""

from collections.abc import Sequence
from typing import NamedTuple

from ..._checks import did_you_mean

INPUT, OUTPUT = "input", "output"
Edge = tuple[str, str]


class Plan(NamedTuple):
    """How a graph runs.

    `groups` are the strongly connected layers in topological order, each group in the order of its own steps. `delayed`
    are the edges that close a cycle. `names` is the order the layers were given in, from which their keys come.
    """

    names: tuple[str, ...]
    edges: tuple[Edge, ...]
    groups: tuple[tuple[str, ...], ...]
    delayed: frozenset[Edge]

    def cyclic(self, group: tuple[str, ...]) -> bool:
        return len(group) > 1 or any((name, name) in self.delayed for name in group)

    def place(self, name: str) -> int:
        return self.names.index(name)


def plan(names: Sequence[str], edges: Sequence[Edge]) -> Plan:
    """Checks a graph and orders it; raises `ValueError` for one that cannot run."""
    _check(names, edges)
    delayed = _closing(names, edges)
    order = _topological(names, [edge for edge in edges if edge not in delayed])
    reach = {name: _reached(name, edges) for name in names}
    groups: list[tuple[str, ...]] = []
    for name in order:
        if any(name in group for group in groups):
            continue
        mutual = {other for other in reach[name] if other in reach and name in reach[other]}
        groups.append(tuple(other for other in order if other == name or other in mutual))
    return Plan(tuple(names), tuple(edges), tuple(_sorted(groups, edges)), frozenset(delayed))


def _check(names: Sequence[str], edges: Sequence[Edge]) -> None:
    for name in names:
        if name in (INPUT, OUTPUT):
            raise ValueError(f"A layer must not be called {name!r}: that is an end of the graph. Rename it.")
    for a, b in edges:
        for name in (a, b):
            if name not in (*names, INPUT, OUTPUT):
                raise ValueError(did_you_mean("An end of an edge", name, [*names, INPUT, OUTPUT]))
        if a == OUTPUT or b == INPUT:
            raise ValueError(f"An edge must not leave {OUTPUT!r} or enter {INPUT!r}. Got {a!r} -> {b!r}.")
    if len(set(edges)) < len(edges):
        raise ValueError("Each edge must be listed once. Got one twice; scale a layer instead.")
    reached = _reached(INPUT, edges)
    if OUTPUT not in reached:
        raise ValueError(f"{OUTPUT!r} must be reached from {INPUT!r}. Got edges {list(edges)}.")
    for name in names:
        if name not in reached:
            raise ValueError(f"Every layer must be reached from {INPUT!r}. Got {name!r}, which is not; add an edge.")


def _closing(names: Sequence[str], edges: Sequence[Edge]) -> set[Edge]:
    """Edges to a layer that a depth-first search from the input is still inside of."""
    closing: set[Edge] = set()
    open_, done = [], set()
    stack = [(INPUT, iter([b for a, b in edges if a == INPUT]))]
    open_.append(INPUT)
    while stack:
        name, following = stack[-1]
        after = next(following, None)
        if after is None:
            stack.pop()
            open_.remove(name)
            done.add(name)
        elif after in open_:
            closing.add((name, after))
        elif after not in done:
            open_.append(after)
            stack.append((after, iter([b for a, b in edges if a == after])))
    return closing


def _topological(names: Sequence[str], edges: Sequence[Edge]) -> list[str]:
    """The names so that every edge goes forward; among those that are free, in the given order."""
    waiting, order = list(names), []
    while waiting:
        free = next(name for name in waiting if not any(b == name and a in waiting for a, b in edges))
        waiting.remove(free)
        order.append(free)
    return order


def _sorted(groups: list[tuple[str, ...]], edges: Sequence[Edge]) -> list[tuple[str, ...]]:
    """Groups so that every edge between groups goes forward."""
    waiting, order = list(groups), []
    while waiting:
        free = next(
            group
            for group in waiting
            if not any(b in group and a not in group and any(a in other for other in waiting) for a, b in edges)
        )
        waiting.remove(free)
        order.append(free)
    return order


def _reached(start: str, edges: Sequence[Edge]) -> set[str]:
    """The names that a path of at least one edge leads to from `start`."""
    found: set[str] = set()
    todo = [start]
    while todo:
        name = todo.pop()
        for a, b in edges:
            if a == name and b not in found:
                found.add(b)
                todo.append(b)
    return found
