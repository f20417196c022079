"""A network as an explicit graph: skips, fan-in and cycles."""

from collections.abc import Mapping, Sequence, Set
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ..._checks import checked
from .._layer import AbstractLayer, Record, Shape, below, child_keys, chosen, merge
from .._neurons._neuron import AbstractNeuron, Prepared
from .._synapses._window import hashable
from ._network import LAYERS, SHAPE, AbstractNetwork, as_shape, fitted, lifted
from ._order import INPUT, OUTPUT, Plan, plan
from ._time import CHUNK, Chunk


class Graph(AbstractNetwork):
    """Layers joined by edges, from "input" to "output". Several edges into one layer are summed.

    An edge that closes a cycle carries the value of the step before, zero at the first step; which edge of a cycle that
    is follows from the order in which the edges are listed, searching from "input". Layers within a cycle run step by
    step, all others over many steps at once.

    **Arguments:**

    - `nodes`: Layers by name.
    - `edges`: Pairs of names, from and to; "input" and "output" are the ends of the graph.
    - `chunk`: As in `SpikingNetwork`.
    - `input_shape`: Shape of one step's input; needed where a cycle starts with a layer whose shape cannot be known.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> there, back = ms.nn.Linear(3, 4, key=jr.key(0)), ms.nn.Linear(4, 4, key=jr.key(1))
    >>> nodes = {"in": there, "lif": ms.nn.LIF(4), "back": back}
    >>> edges = [("input", "in"), ("in", "lif"), ("lif", "back"), ("back", "lif"), ("lif", "output")]
    >>> ms.nn.Graph(nodes, edges)(jnp.ones((10, 3))).shape
    (10, 4)
    """

    nodes: dict[str, AbstractLayer]
    plan: Plan = eqx.field(static=True)
    shapes: tuple[tuple[str, Shape | None], ...] = eqx.field(static=True)
    chunk: Chunk = eqx.field(static=True)

    @checked(nodes=LAYERS, chunk=CHUNK, input_shape=SHAPE)
    def __init__(
        self,
        nodes: Mapping[str, eqx.Module],
        edges: Sequence[tuple[str, str]],
        *,
        chunk: Chunk = "auto",
        input_shape: int | Shape | None = None,
    ):
        self.nodes = {name: lifted(layer, f"Layer {name!r}") for name, layer in nodes.items()}
        self.plan = plan(list(nodes), [(a, b) for a, b in edges])
        self.chunk = hashable(chunk)
        self.shapes = tuple(self._shapes(as_shape(input_shape)).items())
        for a, b in self.plan.delayed:
            if dict(self.shapes)[a] is None:
                raise ValueError(
                    f"The shape that the edge {a!r} -> {b!r} feeds back must be known. Pass `input_shape=`."
                )

    def initial_state(self) -> Any:
        """The states of the layers by name, and what the edges that close a cycle carry."""
        shapes = dict(self.shapes)
        last = {a: jnp.zeros(shapes[a] or ()) for a, _ in self.plan.delayed}
        return {name: layer.initial_state() for name, layer in self.nodes.items()}, last

    def output_shape(self, shape: Shape | None) -> Shape | None:
        return self._shapes(shape)[OUTPUT]

    def run(
        self,
        xs: Float[Array, "steps *inputs"],
        state: Any,
        *,
        keys: Key[Array, " steps"] | None = None,
        record: Set[str] = frozenset(),
    ) -> tuple[Float[Array, "steps *_"], Any, Record]:
        states, last = state
        values, records, states = {INPUT: xs}, [], dict(states)
        for group in self.plan.groups:
            if not self.plan.cyclic(group):
                (name,) = group
                ys, states[name], found = self._one(name, self._sum(name, values), states[name], keys, record)
                values[name] = ys
            else:
                outside = {name: self._sum(name, values) for name in group if self._sources(name, values)}
                ys, inner, last, found = self._loop(group, outside, states, last, keys, record, xs.shape[0])
                values.update(ys)
                states.update(inner)
            records.append(found)
        return self._sum(OUTPUT, values), (states, last), merge(records)

    def _one(self, name: str, xs: Array, state: Any, keys: Any, record: Set[str]) -> tuple[Array, Any, Record]:
        """One layer over the steps of `xs`, its record by its path."""
        own_keys = child_keys(keys, self.plan.place(name))
        ys, state, found = self.nodes[name].run(xs, state, keys=own_keys, record=record)
        return ys, state, below(f".nodes[{name!r}]", merge([found, chosen(record, outputs=ys)]))

    def _loop(
        self,
        group: tuple[str, ...],
        outside: dict[str, Array],
        states: dict[str, Any],
        last: dict[str, Array],
        keys: Any,
        record: Set[str],
        steps: int,
    ) -> tuple[dict[str, Array], dict[str, Any], dict[str, Array], Record]:
        """The layers of one cycle, step by step."""
        graph = self._prepared(group)

        def one(carry, inputs):
            (states, last), (outside, key) = carry, inputs
            values, records, states = {}, [], dict(states)
            before = {a: x[None] for a, x in last.items()}
            for name in group:
                fed = [outside[name][None]] if name in outside else []
                fed += [(before if (a, name) in graph.plan.delayed else values)[a] for a in graph._within(name, group)]
                own_key = None if key is None else key[None]
                values[name], states[name], found = graph._one(name, _total(fed), states[name], own_key, record)
                records.append(jax.tree.map(lambda a: a[0], found))
            last = {a: values[a][0] if a in values else x for a, x in last.items()}
            return (states, last), ({name: values[name][0] for name in group}, merge(records))

        inner = {name: states[name] for name in group}
        (inner, last), (ys, found) = jax.lax.scan(one, (inner, last), (outside, keys), length=steps)
        return ys, inner, last, found

    def _prepared(self, group: tuple[str, ...]) -> "Graph":
        def prepare(node: Any) -> Any:
            return Prepared(node) if isinstance(node, AbstractNeuron) else node

        ready = {name: prepare(layer) if name in group else layer for name, layer in self.nodes.items()}
        return eqx.tree_at(lambda graph: graph.nodes, self, ready)

    def _within(self, name: str, group: tuple[str, ...]) -> list[str]:
        return [a for a, b in self.plan.edges if b == name and a in group]

    def _sources(self, name: str, values: dict[str, Array]) -> list[str]:
        return [a for a, b in self.plan.edges if b == name and a in values]

    def _sum(self, name: str, values: dict[str, Array]) -> Array:
        return _total([values[a] for a in self._sources(name, values)])

    def _shapes(self, shape: Shape | None) -> dict[str, Shape | None]:
        """The output shape of every layer, and of the graph; raises `ValueError` where something does not fit."""
        found: dict[str, Shape | None] = {INPUT: shape}
        for name in (*(name for group in self.plan.groups for name in group), OUTPUT):
            fed = {a: found[a] for a, b in self.plan.edges if b == name and a in found and found[a] is not None}
            if len(set(fed.values())) > 1:
                raise ValueError(f"What is summed into {name!r} must have one shape. Got {fed}.")
            came = next(iter(fed.values()), None)
            found[name] = came if name == OUTPUT else fitted(self.nodes[name], came, f"Layer {name!r}")
        for a, b in self.plan.delayed:
            if b != OUTPUT and found[a] is not None:
                fitted(self.nodes[b], found[a], f"Layer {b!r}, fed back from {a!r},")
        return found


def _total(parts: list[Array]) -> Array:
    total = parts[0]
    for part in parts[1:]:
        if part.shape != total.shape:
            raise ValueError(f"What is summed must have one shape. Got {[part.shape for part in parts]}.")
        total = total + part
    return total
