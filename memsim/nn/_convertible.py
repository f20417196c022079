"""Which layers of `equinox.nn` can become layers of memsim."""

from typing import Any

import equinox as eqx
import jax

from ._synapses._synapse import Stateless

TABLES = (eqx.nn.Embedding,)
KINDS = (eqx.nn.Linear, eqx.nn.Conv, eqx.nn.ConvTranspose, eqx.nn.GRUCell, eqx.nn.LSTMCell, *TABLES)


def convertible(model: Any, *, embeddings: bool = False) -> dict[str, Any]:
    """The layers of `model` that `convert` can replace, by path; tables only with `embeddings`."""
    if not any(map(is_layer, jax.tree.leaves(model, is_leaf=is_layer))):
        return {}  # as in most models, and found without the names of all paths
    leaves = jax.tree_util.tree_leaves_with_path(model, is_leaf=is_layer)
    found = {jax.tree_util.keystr(path): leaf for path, leaf in leaves if is_layer(leaf) and fits(inner(leaf))}
    return {path: leaf for path, leaf in found.items() if embeddings or not isinstance(inner(leaf), TABLES)}


def is_layer(node: Any) -> bool:
    """Whether `node` is a layer of a kind that can be converted, or one as a network wraps it."""
    return isinstance(node, KINDS) or (isinstance(node, Stateless) and isinstance(node.layer, KINDS))


def inner(node: Any) -> Any:
    """The layer itself, without what a network wraps it in."""
    return node.layer if isinstance(node, Stateless) else node


def fits(layer: Any) -> bool:
    """Whether memsim has a layer that does what `layer` does."""
    if isinstance(layer, eqx.nn.GRUCell | eqx.nn.LSTMCell):
        return eqx.is_array(layer.weight_ih) and eqx.is_array(layer.weight_hh)
    if isinstance(layer, eqx.nn.Conv | eqx.nn.ConvTranspose):
        known = isinstance(layer.padding, str) or min(zeros for pair in layer.padding for zeros in pair) >= 0
        return eqx.is_array(layer.weight) and layer.num_spatial_dims in (1, 2, 3) and known
    return eqx.is_array(layer.weight)
