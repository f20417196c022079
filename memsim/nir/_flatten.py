"""Flattening, with and without a batch axis in the count of axes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..nn import Flatten
from ..nn._layer import Shape
from ._ends import without_ones


def flatten(node: Any, shape: Shape | None, following: Sequence[Any]) -> Flatten:
    """The layer that a `nir.Flatten` is for an input of `shape`; following nodes, or shapes of outputs, decide.

    NIR counts axes without a batch, but its own default, 1 to -1, is that of PyTorch, which counts one. An axis is
    taken off the count where the node says a shape that has one more, and where nothing else fits what follows.
    """
    start, end = _axis(node, "start_dim"), _axis(node, "end_dim")
    as_written = Flatten(start, end)
    without_batch = Flatten(max(start - 1, 0) if start > 0 else start, end - 1 if end > 0 else end)
    if shape is None:
        return as_written
    declared = (node.input_type or {}).get("input")
    if declared is not None and np.shape(declared) == (len(shape) + 1,):
        return without_batch
    fits = [layer for layer in (as_written, without_batch) if _fits(layer, shape, following)]
    return fits[0] if fits else as_written


def _axis(node: Any, name: str) -> int:
    number = np.asarray(getattr(node, name), np.float64)
    if number.size != 1 or number != np.round(number):
        raise ValueError(f"must have a whole number in `{name}`. Got {getattr(node, name)}.")
    return int(number)


def _fits(layer: Flatten, shape: Shape, following: Sequence[Any]) -> bool:
    """Whether what follows takes what the layer makes of an input of `shape`."""
    try:
        after = layer.output_shape(shape)
    except ValueError:
        return False
    assert after is not None
    return all(_takes(node, after) for node in following)


def _takes(node: Any, shape: Shape) -> bool:
    if isinstance(node, tuple):
        return without_ones(node) == without_ones(shape)
    if type(node).__name__ in ("Linear", "Affine"):
        return np.shape(node.weight)[-1:] == shape
    own = np.shape(getattr(node, "v_threshold", getattr(node, "r", ())))
    return np.size(own) == 0 or own == shape or max(own) == 1
