"""Pools of ONNX on one sample (channels, *spatial)."""

import math
from typing import Any

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

Pairs = tuple[tuple[int, int], ...]


def max_pool(x: Array, **window: Any) -> Array:
    """The largest value in each window."""
    low = -jnp.inf if jnp.issubdtype(x.dtype, jnp.floating) else jnp.iinfo(x.dtype).min
    return _reduced(x, low, lax.max, *_placed(x, **window))


def average_pool(x: Array, count_pads: bool, **window: Any) -> Array:
    """The mean of each window, over the zeros around the input too where `count_pads`."""
    kernel, strides, dilations, around, more = _placed(x, **window)
    total = _reduced(x, 0.0, lax.add, kernel, strides, dilations, around, more)
    ones = jnp.ones((1, *x.shape[1:]), x.dtype)
    if count_pads:
        ones = jnp.pad(ones, ((0, 0), *around), constant_values=1.0)
        around = ((0, 0),) * len(around)
    counts = _reduced(ones, 0.0, lax.add, kernel, strides, dilations, around, more)
    return total / jnp.broadcast_to(counts, total.shape)


def _placed(
    x: Array,
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
    pads: Pairs,
    auto: str,
    ceil: bool,
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], Pairs, tuple[int, ...]]:
    """The window, what is around the input, and how far the last windows reach beyond that."""
    extents = tuple((size - 1) * step + 1 for size, step in zip(kernel, dilations, strict=True))
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        found = lax.padtype_to_pads(x.shape[1:], extents, strides, "SAME")
        pads = tuple(sorted(pair, reverse=auto == "SAME_LOWER") for pair in found)  # pyright: ignore
    more = []
    for size, extent, stride, (before, after) in zip(x.shape[1:], extents, strides, pads, strict=True):
        room = size + before + after - extent
        count = (math.ceil(room / stride) if ceil else room // stride) + 1
        if ceil and (count - 1) * stride >= size + before:  # a window must begin within the input
            count -= 1
        more.append(max((count - 1) * stride - room, 0))
    return kernel, strides, dilations, tuple((a, b) for a, b in pads), tuple(more)


def _reduced(
    x: Array,
    start: float,
    function: Any,
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
    around: Pairs,
    more: tuple[int, ...],
) -> Array:
    pads = [(0, 0), *((before, after + extra) for (before, after), extra in zip(around, more, strict=True))]
    return lax.reduce_window(
        x,
        jnp.asarray(start, x.dtype),
        function,
        (1, *kernel),
        (1, *strides),
        pads,
        window_dilation=(1, *dilations),
    )
