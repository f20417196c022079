"""Transposed convolutions whose kernel is one matrix on a crossbar, read once for each output pixel."""

from math import prod
from typing import ClassVar, Literal

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from ..._checks import at_least, checked, whole
from .._layer import Shape
from ._kernel import AbstractKernel, Laid, whole_channels
from ._synapse import Weight
from ._window import Padding, Pads, Sizes, paddings, sizes, slid_shape, transposed_pads


class AbstractConvTranspose(AbstractKernel):
    """Cross-correlation of (channels, *spatial), spread by zeros, with a kernel that is kept as a matrix."""

    weight: Weight
    bias: Float[Array, " outputs"] | None
    in_channels: int = eqx.field(static=True)
    out_channels: int = eqx.field(static=True)
    kernel_size: tuple[int, ...] = eqx.field(static=True)
    stride: tuple[int, ...] = eqx.field(static=True)
    padding: str | Pads = eqx.field(static=True)
    output_padding: tuple[int, ...] = eqx.field(static=True)
    dilation: tuple[int, ...] = eqx.field(static=True)
    groups: int = eqx.field(static=True)
    padding_mode: Literal["zeros", "circular"] = eqx.field(static=True)
    rank: eqx.AbstractClassVar[int]  # number of spatial axes

    @checked(in_channels=whole(1), out_channels=whole(1), groups=whole(1), gain=at_least(0.0))
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        *,
        stride: Sizes = 1,
        padding: Padding = 0,
        output_padding: Sizes = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        padding_mode: Literal["zeros", "circular"] = "zeros",
        use_bias: bool = True,
        gain: float = 1.0,
        key: Key[Array, ""],
    ):
        self.in_channels, self.out_channels, self.groups = whole_channels(in_channels, out_channels, groups)
        self.kernel_size = sizes("kernel_size", kernel_size, self.rank)
        self.stride = sizes("stride", stride, self.rank)
        self.padding = paddings(padding, self.rank)
        self.output_padding = sizes("output_padding", output_padding, self.rank, least=0)
        self.dilation = sizes("dilation", dilation, self.rank)
        self.padding_mode = padding_mode
        self._check_output_padding()
        inputs = self.in_channels // self.groups * prod(self.kernel_size)
        self.weight = gain / inputs**0.5 * jr.normal(key, (self.out_channels, inputs))
        self.bias = jnp.zeros(self.out_channels) if use_bias else None

    def laid(self, x: Float[Array, "inputs *spatial"]) -> Laid:
        around = self._pads()
        if self.padding_mode == "circular":
            wrapped = [(before // s, after // s) for (before, after), s in zip(around, self.stride, strict=True)]
            around = tuple((before % s, after % s) for (before, after), s in zip(around, self.stride, strict=True))
            x = jnp.pad(x, [(0, 0), *wrapped], "wrap")
        return Laid(x, around, self.stride, (1,) * self.rank)

    def spatial_shape(self, spatial: Shape) -> Shape:
        apart = tuple((size - 1) * s + 1 for size, s in zip(spatial, self.stride, strict=True))
        return slid_shape(apart, self.kernel_size, (1,) * self.rank, self.dilation, self._pads())

    def _pads(self) -> Pads:
        return transposed_pads(self.kernel_size, self.stride, self.dilation, self.padding, self.output_padding)

    def _check_output_padding(self) -> None:
        if any(more >= s for more, s in zip(self.output_padding, self.stride, strict=True)):
            raise ValueError(
                "`output_padding` must be less than `stride`, on each spatial axis. "
                f"Got output_padding={self.output_padding}, stride={self.stride}."
            )
        if self.padding_mode == "circular" and (self.padding not in ("same", "same_lower") or any(self.output_padding)):
            raise ValueError(
                'Circular padding must go with `padding` "same" or "same_lower", and without `output_padding`. '
                f"Got padding={self.padding!r}, output_padding={self.output_padding}."
            )


class ConvTranspose1d(AbstractConvTranspose):
    """Transposed convolution of a signal of shape (channels, length).

    **Arguments:** as for `ConvTranspose2d`.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> ms.nn.ConvTranspose1d(4, 2, 2, stride=2, key=jr.key(0))(jnp.ones((4, 5))).shape
    (2, 10)
    """

    rank: ClassVar[int] = 1
    __init__ = AbstractConvTranspose.__init__  # said here, or type checkers make one of the fields


class ConvTranspose2d(AbstractConvTranspose):
    """Transposed convolution of an image of shape (channels, height, width), as `equinox.nn.ConvTranspose2d`.

    It goes from the shape of the output of a `Conv2d` of the same settings to the shape of its input. `stride` - 1
    zeros stand between the pixels of the image, and the kernel moves over them by one. On a crossbar each output pixel
    is a read of all bit lines, in which the word lines on zeros are off. The kernel has the layout of a convolution.

    **Arguments:**

    - `in_channels`, `out_channels`: Numbers of channels.
    - `kernel_size`, `stride`, `dilation`: One number, or one for each spatial axis; those of the convolution that goes
      the other way.
    - `padding`: That of the other convolution, as for `Conv2d`; "same" gives `stride` times the size of the input.
    - `output_padding`: Pixels more at the end of each spatial axis, less than the stride; with "same" pixels less.
    - `groups`: Into how many groups the channels fall; each output channel sees the inputs of its own group.
    - `padding_mode`: "zeros", or "circular" for what the other convolution sees with circular padding; with "same".
    - `use_bias`: Whether there is a bias for each output channel.
    - `gain`: Standard deviation of the initial weights times the root of the number of inputs of one output.
    - `key`: For the initial weights.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> ms.nn.ConvTranspose2d(8, 1, 2, stride=2, key=jr.key(0))(jnp.ones((8, 7, 7))).shape
    (1, 14, 14)
    """

    rank: ClassVar[int] = 2
    __init__ = AbstractConvTranspose.__init__


class ConvTranspose3d(AbstractConvTranspose):
    """Transposed convolution of a volume of shape (channels, depth, height, width).

    **Arguments:** as for `ConvTranspose2d`.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> ms.nn.ConvTranspose3d(2, 1, 2, stride=2, key=jr.key(0))(jnp.ones((2, 3, 3, 3))).shape
    (1, 6, 6, 6)
    """

    rank: ClassVar[int] = 3
    __init__ = AbstractConvTranspose.__init__
