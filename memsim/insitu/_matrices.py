"""Which arrays of a pytree sit on arrays of cells, and what stands at their places in another tree."""

from collections.abc import Collection, Mapping
from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array

from ..nn import analog_layers


def matrices(parameters: Any) -> dict[str, Array]:
    """The matrices of `parameters` that sit on arrays of cells, by their path, such as ".layers[0].weight".

    Those are the weights of the analog layers of `memsim.nn`; in a tree without such layers, all two-dimensional
    arrays of floating point.
    """
    own = {f"{path}.weight" for path in analog_layers(parameters)}
    found = subtrees(parameters, parameters)
    return {path: leaf for path, leaf in found.items() if (path in own if own else _is_matrix(leaf))}


def _is_matrix(leaf: Any) -> bool:
    return eqx.is_inexact_array(leaf) and leaf.ndim == 2


def subtrees(tree: Any, parameters: Any) -> dict[str, Any]:
    """What stands in `tree` at the place of each leaf of `parameters`, by the leaf's path."""
    leaves, structure = jax.tree_util.tree_flatten_with_path(parameters)
    paths = [jax.tree_util.keystr(path) for path, _ in leaves]
    return dict(zip(paths, structure.flatten_up_to(tree), strict=True))


def without(tree: Any, parameters: Any, paths: Collection[str]) -> Any:
    """`tree`, of the structure of `parameters`, with `None` at `paths`."""
    kept = [None if path in paths else part for path, part in subtrees(tree, parameters).items()]
    return jax.tree.unflatten(jax.tree.structure(parameters), kept)


def replaced(tree: Any, parts: Mapping[str, Any]) -> Any:
    """`tree` with other leaves, or subtrees, at the paths in `parts`; `None` is a leaf."""

    def swap(path: Any, leaf: Any) -> Any:
        return parts.get(jax.tree_util.keystr(path), leaf)

    return jax.tree_util.tree_map_with_path(swap, tree, is_leaf=lambda leaf: leaf is None)
