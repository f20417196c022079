"""Windows that slide over the spatial axes of an input (channels, *spatial): sizes and padding."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax import lax

from ..._checks import is_known
from .._layer import Shape

Sizes = int | Sequence[int]
Pads = tuple[tuple[int, int], ...]
Padding = str | int | Sequence[int] | Sequence[tuple[int, int]]


def hashable(value: Any) -> Any:
    """A setting as it can be kept: lists and arrays as tuples, NumPy's whole numbers as Python's."""
    if isinstance(value, list | tuple) or (isinstance(value, np.ndarray | jax.Array) and value.ndim > 0):
        return tuple(map(hashable, value))
    return int(value) if _is_whole(value) else value


def _is_whole(value: Any) -> bool:
    if isinstance(value, np.ndarray | jax.Array | np.generic):
        return value.ndim == 0 and np.issubdtype(value.dtype, np.integer) and is_known(value)
    return isinstance(value, int) and not isinstance(value, bool)


def sizes(name: str, value: Sizes, rank: int, least: int = 1) -> tuple[int, ...]:
    """One whole number for each spatial axis; raises `ValueError` for something else."""
    found = hashable(value)
    found = found if isinstance(found, tuple) else (found,) * rank
    if len(found) != rank or not all(_is_whole(size) and size >= least for size in found):
        raise ValueError(
            f"`{name}` must be a whole number of at least {least}, or {rank} of them, one a spatial axis. Got {value}."
        )
    return found


def paddings(value: Padding, rank: int) -> str | Pads:
    """Zeros before and after each spatial axis, or "same", "same_lower" or "valid"."""
    if isinstance(value, str):
        if value.lower() not in ("same", "same_lower", "valid"):
            raise ValueError(f'`padding` must be numbers of zeros, "same", "same_lower" or "valid". Got {value!r}.')
        return value.lower()
    found = hashable(value)
    each = found if isinstance(found, tuple) else (found,) * rank
    pairs = [side if isinstance(side, tuple) else (side, side) for side in each]
    if len(pairs) != rank or not all(len(pair) == 2 and all(map(_is_zeros, pair)) for pair in pairs):
        raise ValueError(
            f"`padding` must be a number of zeros of at least 0, {rank} of them, or {rank} pairs (before, after), "
            f"one a spatial axis. Got {value}."
        )
    return tuple((before, after) for before, after in pairs)


def _is_zeros(value: Any) -> bool:
    return _is_whole(value) and value >= 0


def pads(
    spatial: Shape, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...], padding: str | Pads
) -> Pads:
    """Zeros before and after each spatial axis of an input of this size."""
    if not isinstance(padding, str):
        return padding
    extents = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    return tuple((before, after) for before, after in lax.padtype_to_pads(spatial, extents, stride, padding.upper()))


def slid_shape(
    spatial: Shape, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...], padding: str | Pads
) -> Shape:
    """Spatial size of the output; raises `ValueError` where the window is larger than the padded input."""
    around = pads(spatial, kernel, stride, dilation, padding)
    rooms = [
        size + sum(pair) - (d * (k - 1) + 1) for size, pair, k, d in zip(spatial, around, kernel, dilation, strict=True)
    ]
    if min(rooms) < 0:
        raise ValueError(f"must have a window of at most the padded input. Got kernel_size={kernel} on {spatial}.")
    return tuple(room // s + 1 for room, s in zip(rooms, stride, strict=True))


def check_channels_first(shape: Shape, channels: int | None, rank: int) -> None:
    """Raises `ValueError` unless the shape is (channels, *spatial), with no batch axis."""
    if len(shape) != rank + 1 or (channels is not None and shape[0] != channels):
        wanted = "channels" if channels is None else channels
        raise ValueError(f"must take an input of shape ({wanted}, and {rank} spatial axes). Got {shape}.")


def transposed_pads(
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    padding: str | Pads,
    output_padding: tuple[int, ...],
) -> Pads:
    """Zeros around the spread input of a transposed convolution; negative ones take off.

    `padding` is that of the convolution that goes the other way, and "same" gives `stride` times the input's size.
    Reference: Dumoulin2016, relationship 14.
    """
    found = []
    for axis, (k, s, d, more) in enumerate(zip(kernel, stride, dilation, output_padding, strict=True)):
        reach = d * (k - 1)
        if padding == "valid":
            before, after = 0, 0
        elif isinstance(padding, str):
            total = reach - s + more + 1
            more, total = max(-total, 0), max(total, 0)
            before = (total + (padding == "same_lower")) // 2
            after = total - before
        else:
            before, after = padding[axis]
        found.append((reach - before, reach - after + more))
    return tuple(found)
