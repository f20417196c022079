"""Whole models onto chips: `program`, `at`, `deploy`."""

from collections.abc import Callable
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.random as jr
from jaxtyping import Array, Float, Key

from .._crossbar import Chip, Crossbar
from .._matrix import AnalogMatrix
from ._linear import Linear

Model = TypeVar("Model")
Designs = Crossbar | Callable[[str, Linear], Crossbar | None]


def analog_layers(model: Any) -> dict[str, Linear]:
    """Every layer of `model` that can sit on a crossbar, by its path, such as ".layers[0]"."""
    leaves = jax.tree_util.tree_leaves_with_path(model, is_leaf=lambda node: isinstance(node, Linear))
    return {jax.tree_util.keystr(path): leaf for path, leaf in leaves if isinstance(leaf, Linear)}


def program(model: Model, crossbar: Designs, *, key: Key[Array, ""]) -> Model:
    """`model` with the weight of every analog layer replaced by a freshly programmed `Chip`.

    `crossbar` is one design for all layers, or a function `path, layer -> design`, where `None` leaves a layer digital.
    Each layer's randomness comes from `key` folded with its place, so it does not depend on the other layers' designs.
    """
    chips = {}
    for place, (path, layer) in enumerate(analog_layers(model).items()):
        design = crossbar if isinstance(crossbar, Crossbar) else crossbar(path, layer)
        if design is None:
            continue
        chips[path] = design.program(digital_weight(path, layer), key=jr.fold_in(key, place))
    return replace_weights(model, chips)


def at(model: Model, t: Any, *, key: Key[Array, ""] | None = None) -> Model:
    """`model` with every `Chip` replaced by the matrix it presents `t` seconds after programming."""
    matrices = {}
    for place, (path, layer) in enumerate(analog_layers(model).items()):
        if isinstance(layer.weight, Chip):
            matrices[path] = layer.weight.at(t, key=None if key is None else jr.fold_in(key, place))
    if not matrices:
        raise ValueError(
            "The model must hold at least one Chip. Got none; use `memsim.program(model, crossbar, key=...)`."
        )
    return replace_weights(model, matrices)


def deploy(model: Model, crossbar: Designs, t: Any, *, key: Key[Array, ""]) -> Model:
    """`program`, then `at` time `t`, with keys split from one."""
    program_key, moment_key = jr.split(key)
    return at(program(model, crossbar, key=program_key), t, key=moment_key)


def digital_weight(path: str, layer: Linear) -> Float[Array, "outputs inputs"]:
    """The weights of a layer that is not programmed; raises `ValueError` for one that is."""
    if isinstance(layer.weight, Chip | AnalogMatrix):
        raise ValueError(f"Layer {path} must hold digital weights. Got a {type(layer.weight).__name__}.")
    return layer.weight


def replace_weights(model: Model, weights: dict[str, Any]) -> Model:
    """`model` with new weights in the analog layers that `weights` names by path."""

    def swap(path, node):
        name = jax.tree_util.keystr(path)
        if not isinstance(node, Linear) or name not in weights:
            return node
        return eqx.tree_at(lambda layer: layer.weight, node, weights[name], is_leaf=lambda leaf: leaf is None)

    return jax.tree_util.tree_map_with_path(swap, model, is_leaf=lambda node: isinstance(node, Linear))
