"""The layers of a model by path."""

from numbers import Number
from typing import Any, TypeVar

import jax

from .._checks import described
from ._synapses._synapse import AbstractAnalog

Layer = TypeVar("Layer")


def analog_layers(model: Any) -> dict[str, AbstractAnalog]:
    """Every layer of `model` that can sit on a crossbar, by its path, such as ".layers[0]".

    >>> import equinox as eqx, jax.random as jr, memsim as ms
    >>> model = ms.nn.convert(eqx.nn.MLP(4, 2, 8, 1, key=jr.key(0)))
    >>> {path: layer.weight.shape for path, layer in ms.nn.analog_layers(model).items()}
    {'.layers[0]': (8, 4), '.layers[1]': (2, 8)}
    """
    if isinstance(model, type | str | bytes | Number):
        raise ValueError(no_model(model))
    return layers_of(model, AbstractAnalog)


def layers_of(model: Any, kind: type[Layer]) -> dict[str, Layer]:
    """Every layer of a `kind`, by path."""
    leaves = jax.tree_util.tree_leaves_with_path(model, is_leaf=lambda node: isinstance(node, kind))
    return {jax.tree_util.keystr(path): leaf for path, leaf in leaves if isinstance(leaf, kind)}


def no_model(model: Any) -> str:
    """What to say of something that is no model."""
    made = f" Call it: `{model.__name__}(...)`." if isinstance(model, type) else ""
    return f"`model` must be a model: an `equinox.Module`, or a list or a dict of layers. Got {described(model)}.{made}"
