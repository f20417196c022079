"""Convolutions whose kernel is one matrix on a crossbar, read once for each output pixel."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jax import lax
from jaxtyping import Array, Bool, Float, Key, Shaped

from ..._array import AnalogMatrix
from ..._checks import as_floats, at_least, checked, whole
from .._layer import Shape
from ._lanes import in_lanes
from ._synapse import AbstractAnalog, AbstractSynapse, Weight, opened, presented
from ._window import Padding, Pads, Sizes, check_channels_first, paddings, pads, patches, sizes, slid_shape


class AbstractConv(AbstractSynapse, AbstractAnalog):
    """Cross-correlation of (channels, *spatial) with a kernel, which is kept as a matrix.

    `weight` has the shape (out_channels, in_channels / groups * kernel elements), in the C order of an OIHW kernel. On
    a crossbar each output pixel is one read of all bit lines, driven with the patch that the kernel lies on; read noise
    is independent for each pixel. With `groups`, the bit lines of one group are read while the word lines carry that
    group's patch: the array stays as small as the kernel and takes `groups` reads a pixel.
    """

    weight: Weight
    bias: Float[Array, " outputs"] | None
    in_channels: int = eqx.field(static=True)
    out_channels: int = eqx.field(static=True)
    kernel_size: tuple[int, ...] = eqx.field(static=True)
    stride: tuple[int, ...] = eqx.field(static=True)
    padding: str | Pads = eqx.field(static=True)
    dilation: tuple[int, ...] = eqx.field(static=True)
    groups: int = eqx.field(static=True)
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
        dilation: Sizes = 1,
        groups: int = 1,
        use_bias: bool = True,
        gain: float = 1.0,
        key: Key[Array, ""],
    ):
        in_channels, out_channels, groups = int(in_channels), int(out_channels), int(groups)
        if in_channels % groups or out_channels % groups:
            raise ValueError(
                "`in_channels` and `out_channels` must be multiples of `groups`. "
                f"Got {in_channels}, {out_channels} and groups={groups}."
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = sizes("kernel_size", kernel_size, self.rank)
        self.stride = sizes("stride", stride, self.rank)
        self.padding = paddings(padding, self.rank)
        self.dilation = sizes("dilation", dilation, self.rank)
        self.groups = groups
        inputs = in_channels // groups
        for size in self.kernel_size:
            inputs *= size
        self.weight = gain / inputs**0.5 * jr.normal(key, (out_channels, inputs))
        self.bias = jnp.zeros(out_channels) if use_bias else None

    @property
    def kernel(self) -> Float[Array, "outputs inputs *elements"]:
        """The kernel (out_channels, in_channels / groups, *kernel_size); of a chip, the one it presents on average."""
        return self._as_kernel(presented(self.weight))

    @checked()
    def __call__(
        self, x: Shaped[Array, "inputs *spatial"], *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "outputs *_"]:
        """One image or signal, without a batch axis. A weight with read noise needs `key`."""
        x = as_floats(x)
        shape = self._checked(x.shape)
        weight, key = opened(self.weight, x, key)
        if isinstance(weight, AnalogMatrix):
            y = self.as_wired(weight)(self.word_lines(x), key=key).T.reshape(shape)
        else:
            y = lax.conv_general_dilated(
                x[None],
                self._as_kernel(weight),
                self.stride,
                pads(x.shape[1:], self.kernel_size, self.stride, self.dilation, self.padding),
                rhs_dilation=self.dilation,
                feature_group_count=self.groups,
            )[0]
        if self.bias is None:
            return y
        return y + jnp.broadcast_to(self.bias.reshape(-1, *[1] * len(self.kernel_size)), y.shape)

    def output_shape(self, shape: Shape | None) -> Shape | None:
        return None if shape is None else self._checked(shape)

    def word_lines(self, x: Float[Array, "inputs *spatial"]) -> Float[Array, "pixels lines"]:
        seen = patches(x, self.kernel_size, self.stride, self.dilation, self.padding)
        seen = seen.reshape(self.groups, -1, seen.shape[-1])
        return seen.T.reshape(seen.shape[-1], -1)  # (pixels, word line, group)

    def as_wired(self, matrix: AnalogMatrix) -> AnalogMatrix:
        return matrix if self.groups == 1 else in_lanes(matrix, self._meets(matrix.inputs))

    def _meets(self, rows: int) -> Bool[Array, "rows groups columns"]:
        group = jnp.arange(self.out_channels) // (self.out_channels // self.groups)
        own = jnp.expand_dims(jnp.arange(self.groups), 1) == jnp.expand_dims(group, 0)
        return jnp.broadcast_to(own, (rows, *own.shape))

    def _checked(self, shape: Shape) -> Shape:
        check_channels_first(shape, self.in_channels, len(self.kernel_size))
        spatial = slid_shape(shape[1:], self.kernel_size, self.stride, self.dilation, self.padding)
        return (self.out_channels, *spatial)

    def _as_kernel(self, weight: Array) -> Array:
        return weight.reshape(self.out_channels, self.in_channels // self.groups, *self.kernel_size)


class Conv1d(AbstractConv):
    """Cross-correlation of a signal of shape (channels, length).

    **Arguments:** as for `Conv2d`.
    """

    rank: ClassVar[int] = 1
    __init__ = AbstractConv.__init__  # said here, or type checkers make one of the fields


class Conv2d(AbstractConv):
    """Cross-correlation of an image of shape (channels, height, width).

    **Arguments:**

    - `in_channels`, `out_channels`: Numbers of channels.
    - `kernel_size`, `stride`, `dilation`: One number, or one for each spatial axis.
    - `padding`: Zeros on both sides of each spatial axis: a number, one for each axis, a pair (before, after) for each
      axis, "valid" for none, or "same" for an output of the input's size over the stride, rounded up.
    - `groups`: Into how many groups the channels fall; each output channel sees the inputs of its own group.
    - `use_bias`: Whether there is a bias for each output channel.
    - `gain`: Standard deviation of the initial weights times the root of the number of inputs of one output.
    - `key`: For the initial weights.
    """

    rank: ClassVar[int] = 2
    __init__ = AbstractConv.__init__
