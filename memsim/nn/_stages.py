"""Which synapses drive which neurons, in a network in a row."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
from jaxtyping import Array

from ._networks._network import SpikingNetwork
from ._networks._recurrent import Recurrent
from ._neurons._neuron import AbstractNeuron
from ._neurons._parallel import ParallelInTime
from ._synapses._delay import Delay
from ._synapses._pool import Flatten
from ._synapses._synapse import AbstractAnalog


class Stage(NamedTuple):
    """A layer of neurons and the analog layers that drive it, all by path; `between` are other layers in the way."""

    path: str
    neuron: AbstractNeuron
    forward: str | None
    recurrent: str | None
    between: tuple[str, ...]


def stages(model: SpikingNetwork, prefix: str = "") -> list[Stage]:
    """The layers of neurons of a network in a row, with what drives them."""
    if not isinstance(model, SpikingNetwork):
        raise ValueError(f"The model must be a SpikingNetwork. Got a {type(model).__name__}; initialise its parts.")
    found: list[Stage] = []
    forward, between = None, ()
    for place, layer in enumerate(model.layers):
        path = f"{prefix}.layers[{place}]"
        if isinstance(layer, SpikingNetwork):
            found += stages(layer, path)
            forward, between = None, ()
        elif isinstance(layer, AbstractAnalog):
            forward, between = path, ()
        elif isinstance(layer, AbstractNeuron):
            found.append(Stage(path, layer, forward, None, between))
            forward, between = None, ()
        elif isinstance(layer, Recurrent | ParallelInTime):
            synapse = layer.synapse if isinstance(layer, Recurrent) else None
            recurrent = path + ".synapse" if isinstance(synapse, AbstractAnalog) else None
            found.append(Stage(path + ".neuron", layer.neuron, forward, recurrent, between))
            forward, between = None, ()
        elif not isinstance(layer, Delay | Flatten):
            between = (*between, type(layer).__name__)
    return found


def with_bias(layer: Any, change: Callable[[Array], Array]) -> Any:
    """`layer` with its bias changed, if it has one."""
    bias = vars(layer).get("bias")
    return layer if bias is None else eqx.tree_at(lambda made: made.bias, layer, change(bias))


def changed(model: SpikingNetwork, paths: set[str], change: Callable[[str, Any], Any]) -> SpikingNetwork:
    """`model` with the analog layers at `paths` changed."""

    def swap(path: Any, node: Any) -> Any:
        name = jax.tree_util.keystr(path)
        return change(name, node) if name in paths and isinstance(node, AbstractAnalog) else node

    return jax.tree_util.tree_map_with_path(swap, model, is_leaf=lambda node: isinstance(node, AbstractAnalog))
