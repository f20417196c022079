"""Which layers of `equinox.nn` can become layers of memsim."""

from typing import Any

import equinox as eqx
import jax

from ._synapses._synapse import Stateless

KINDS = (eqx.nn.Linear, eqx.nn.Conv, eqx.nn.GRUCell, eqx.nn.LSTMCell)


def convertible(model: Any) -> dict[str, Any]:
    """The layers of `model` that `convert` can replace, by path."""
    if not any(map(is_layer, jax.tree.leaves(model, is_leaf=is_layer))):
        return {}  # as in most models, and found without the names of all paths
    leaves = jax.tree_util.tree_leaves_with_path(model, is_leaf=is_layer)
    return {jax.tree_util.keystr(path): leaf for path, leaf in leaves if is_layer(leaf) and fits(inner(leaf))}


def is_layer(node: Any) -> bool:
    """Whether `node` is a layer of a kind that can be converted, or one as a network wraps it."""
    return isinstance(node, KINDS) or (isinstance(node, Stateless) and isinstance(node.layer, KINDS))


def inner(node: Any) -> Any:
    """The layer itself, without what a network wraps it in."""
    return node.layer if isinstance(node, Stateless) else node


def fits(layer: Any) -> bool:
    """Whether memsim has a layer that does what `layer` does."""
    if isinstance(layer, eqx.nn.Linear):
        return eqx.is_array(layer.weight) and isinstance(layer.in_features, int) and isinstance(layer.out_features, int)
    if isinstance(layer, eqx.nn.Conv):
        plain = layer.padding_mode == "ZEROS" and layer.padding != "SAME_LOWER"
        return eqx.is_array(layer.weight) and layer.num_spatial_dims in (1, 2) and plain
    return eqx.is_array(layer.weight_ih) and eqx.is_array(layer.weight_hh)
