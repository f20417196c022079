"""Convolutions whose kernel is one matrix on a crossbar, read once for each output pixel."""

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
from ._window import Padding, Pads, Sizes, paddings, pads, sizes, slid_shape

PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]
MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}  # in `jax.numpy.pad`


class AbstractConv(AbstractKernel):
    """Cross-correlation of (channels, *spatial) with a kernel, which is kept as a matrix.

    >>> import jax.random as jr, memsim as ms
    >>> conv = ms.nn.Conv2d(1, 8, 3, key=jr.key(0))
    >>> isinstance(conv, ms.nn.AbstractConv), conv.weight.shape
    (True, (8, 9))
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
    padding_mode: PaddingMode = eqx.field(static=True)
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
        padding_mode: PaddingMode = "zeros",
        use_bias: bool = True,
        gain: float = 1.0,
        key: Key[Array, ""],
    ):
        self.in_channels, self.out_channels, self.groups = whole_channels(in_channels, out_channels, groups)
        self.kernel_size = sizes("kernel_size", kernel_size, self.rank)
        self.stride = sizes("stride", stride, self.rank)
        self.padding = paddings(padding, self.rank)
        self.dilation = sizes("dilation", dilation, self.rank)
        self.padding_mode = padding_mode
        inputs = self.in_channels // self.groups * prod(self.kernel_size)
        self.weight = gain / inputs**0.5 * jr.normal(key, (self.out_channels, inputs))
        self.bias = jnp.zeros(self.out_channels) if use_bias else None

    def laid(self, x: Float[Array, "inputs *spatial"]) -> Laid:
        around, apart = self._pads(x.shape[1:]), (1,) * self.rank
        if self.padding_mode != "zeros":
            x = jnp.pad(x, [(0, 0), *around], MODES[self.padding_mode])
            around = ((0, 0),) * self.rank
        return Laid(x, around, apart, self.stride)

    def spatial_shape(self, spatial: Shape) -> Shape:
        return slid_shape(spatial, self.kernel_size, self.stride, self.dilation, self._pads(spatial))

    def _pads(self, spatial: Shape) -> Pads:
        return pads(spatial, self.kernel_size, self.stride, self.dilation, self.padding)


class Conv1d(AbstractConv):
    """Cross-correlation of a signal of shape (channels, length).

    **Arguments:** as for `Conv2d`.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> ms.nn.Conv1d(2, 4, 3, stride=2, padding=1, key=jr.key(0))(jnp.ones((2, 10))).shape
    (4, 5)
    """

    rank: ClassVar[int] = 1
    __init__ = AbstractConv.__init__  # said here, or type checkers make one of the fields


class Conv2d(AbstractConv):
    """Cross-correlation of an image of shape (channels, height, width).

    **Arguments:**

    - `in_channels`, `out_channels`: Numbers of channels.
    - `kernel_size`, `stride`, `dilation`: One number, or one for each spatial axis.
    - `padding`: On both sides of each spatial axis: a number, one for each axis, a pair (before, after) for each axis,
      "valid" for none, or "same" for an output of the input's size over the stride, rounded up; of an odd number the
      one more is at the end, with "same_lower" at the beginning.
    - `groups`: Into how many groups the channels fall; each output channel sees the inputs of its own group.
    - `padding_mode`: What is padded: "zeros", the "reflect"ed input, its last value ("replicate"), or the input from
      the other side ("circular").
    - `use_bias`: Whether there is a bias for each output channel.
    - `gain`: Standard deviation of the initial weights times the root of the number of inputs of one output.
    - `key`: For the initial weights.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> ms.nn.Conv2d(1, 8, 3, padding="same", key=jr.key(0))(jnp.ones((1, 28, 28))).shape
    (8, 28, 28)
    """

    rank: ClassVar[int] = 2
    __init__ = AbstractConv.__init__


class Conv3d(AbstractConv):
    """Cross-correlation of a volume of shape (channels, depth, height, width).

    **Arguments:** as for `Conv2d`.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> ms.nn.Conv3d(1, 2, 3, key=jr.key(0))(jnp.ones((1, 5, 6, 7))).shape
    (2, 3, 4, 5)
    """

    rank: ClassVar[int] = 3
    __init__ = AbstractConv.__init__
