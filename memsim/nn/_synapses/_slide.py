"""The product of every patch of an input with one matrix, in the form that is fast where it is computed.

XLA's CPU backend brings a convolution into the form of its fast kernels at the top of a program only. Within a loop
(chips of a study, steps of a training, chunks of a sequence) one with channels first takes 5 to 40 times as long, and
so does its gradient in any layout. Here the value is a convolution with channels last, which is that form, and the
derivative goes through patches and a plain product.
"""

import itertools
from functools import lru_cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_batching import custom_vmap
from jaxtyping import Array, Float

from .._layer import Shape
from ._window import Pads


class Slide(NamedTuple):
    """How a kernel moves over an input whose neighbours are `spread` apart, with zeros `around` it."""

    kernel: tuple[int, ...]
    around: Pads
    spread: tuple[int, ...]
    step: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int = 1

    def of_rows(self, weight: Float[Array, "rows columns"], rows: slice) -> tuple[slice, Float[Array, "_ columns"]]:
        """The channels that some `rows` of a matrix meet, and their part of it, with zeros in their other rows."""
        if rows == slice(None):
            return rows, weight
        elements = len(self.elements)
        channels = slice(rows.start // elements, -(-rows.stop // elements))
        more = rows.start - channels.start * elements, channels.stop * elements - rows.stop
        return channels, jnp.pad(weight[rows], [more, (0, 0)])

    @property
    def elements(self) -> list[tuple[int, ...]]:
        """The places of a kernel, in C order."""
        return list(itertools.product(*(range(size) for size in self.kernel)))

    def out(self, spatial: Shape) -> Shape:
        """Spatial size of the output."""
        dilated = [(size - 1) * apart + 1 for size, apart in zip(spatial, self.spread, strict=True)]
        rooms = [
            size + sum(pads) - d * (k - 1) - 1
            for size, pads, k, d in zip(dilated, self.around, self.kernel, self.dilation, strict=True)
        ]
        return tuple(room // step + 1 for room, step in zip(rooms, self.step, strict=True))


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def slid(
    how: Slide, x: Float[Array, "n *spatial channels"], weight: Float[Array, "rows columns"]
) -> Float[Array, "n *_ columns"]:
    """What each patch of `x` makes of a matrix whose rows are (channel, element of the kernel).

    Columns fall into `how.groups`, each of which meets its own share of the channels.
    """
    return _convolution(how)(x, weight)


@slid.defjvp
def _slid_jvp(how, primals, tangents):
    # Patches are many times the input: a backward pass makes them again.
    product = jax.checkpoint(partial(in_patches, how))
    return slid(how, *primals), jax.jvp(product, primals, tangents)[1]


def in_patches(
    how: Slide, x: Float[Array, "n *spatial channels"], weight: Float[Array, "rows columns"]
) -> Float[Array, "n *_ columns"]:
    """The same as a product with what each patch holds."""
    channels, columns, elements = x.shape[-1], weight.shape[1], how.elements
    seen = patches(how, x)
    own = channels // how.groups
    each = jnp.moveaxis(weight.reshape(own, len(elements), columns), 0, 1)  # channels run fastest, as in `seen`
    if how.groups == 1:
        return seen.reshape(*seen.shape[:-2], -1) @ each.reshape(-1, columns)
    seen = seen.reshape(*seen.shape[:-1], how.groups, own)
    y = jnp.einsum("...egc,ecgo->...go", seen, each.reshape(len(elements), own, how.groups, -1))
    return y.reshape(*y.shape[:-2], columns)


def patches(how: Slide, x: Float[Array, "n *spatial channels"]) -> Float[Array, "n *_ elements channels"]:
    """What each patch holds, copied exactly, where extraction by a convolution would round as its products do."""
    edges = [(before, after, apart - 1) for (before, after), apart in zip(how.around, how.spread, strict=True)]
    out, x = how.out(x.shape[1:-1]), lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), *edges, (0, 0, 0)])
    views = []
    for element in how.elements:
        start = [place * apart for place, apart in zip(element, how.dilation, strict=True)]
        stop = [first + (size - 1) * step + 1 for first, size, step in zip(start, out, how.step, strict=True)]
        views.append(lax.slice(x, [0, *start, 0], [x.shape[0], *stop, x.shape[-1]], [1, *how.step, 1]))
    return jnp.stack(views, axis=-2)


@lru_cache
def _convolution(how: Slide):
    """The convolution, with a rule for mapped axes: those of `x` join its batch, matrices on an axis get patches."""
    rank = len(how.kernel)
    last = lax.ConvDimensionNumbers(
        (0, rank + 1, *range(1, rank + 1)), (rank + 1, rank, *range(rank)), (0, rank + 1, *range(1, rank + 1))
    )

    @custom_vmap
    def convolution(x: Array, weight: Array) -> Array:
        kernel = jnp.moveaxis(weight.reshape(-1, *how.kernel, weight.shape[1]), 0, -2)
        return lax.conv_general_dilated(
            x, kernel, how.step, how.around, how.spread, how.dilation, last, feature_group_count=how.groups
        )

    @convolution.def_vmap
    def _(axis_size: int, in_batched: list[bool], x: Array, weight: Array) -> tuple[Array, bool]:
        if in_batched[1]:
            return jax.vmap(partial(in_patches, how), (0 if in_batched[0] else None, 0))(x, weight), True
        y = convolution(x.reshape(-1, *x.shape[2:]), weight)
        return y.reshape(axis_size, -1, *y.shape[1:]), True

    return convolution
