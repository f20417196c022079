"""How a kernel slides over an input, and what it meets there as patches for a plain product."""

import itertools
from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
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


def in_patches(
    how: Slide, x: Float[Array, "n *spatial channels"], weight: Float[Array, "rows columns"]
) -> Float[Array, "n *_ columns"]:
    """What each patch of `x` makes of a matrix whose rows are (channel, element), as a product with what it holds."""
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
