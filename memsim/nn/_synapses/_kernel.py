"""A kernel that slides over an input, kept as one matrix on a crossbar and read once for each output pixel."""

from abc import abstractmethod
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jax.ad_checkpoint import checkpoint_name
from jaxtyping import Array, Bool, Float, Key, Shaped

from ..._array import AnalogMatrix
from ..._checks import as_floats, checked
from .._layer import Shape
from ._faces import slid
from ._lanes import in_lanes
from ._patches import Slide, patches
from ._synapse import AbstractAnalog, AbstractSynapse, Weight, opened, presented
from ._window import Pads, check_channels_first

CONVOLVED = "convolved"  # named for checkpointing: dearer to make again than to keep


class Laid(NamedTuple):
    """An input as the kernel meets it: with zeros `around` it, `spread` apart, and the kernel moved by `step`."""

    x: Float[Array, "inputs *spatial"]
    around: Pads
    spread: tuple[int, ...]
    step: tuple[int, ...]


class AbstractKernel(AbstractSynapse, AbstractAnalog):
    """Maps (channels, *spatial) by a kernel that is kept as a matrix.

    `weight` has the shape (out_channels, in_channels / groups * kernel elements), in the C order of an OIHW kernel. On
    a crossbar each output pixel is one read of all bit lines, driven with the patch that the kernel lies on; read noise
    is independent for each pixel. With `groups`, the bit lines of one group are read while the word lines carry that
    group's patch: the array stays as small as the kernel and takes `groups` reads a pixel.
    """

    weight: eqx.AbstractVar[Weight]
    bias: eqx.AbstractVar[Float[Array, " outputs"] | None]
    in_channels: eqx.AbstractVar[int]
    out_channels: eqx.AbstractVar[int]
    kernel_size: eqx.AbstractVar[tuple[int, ...]]
    dilation: eqx.AbstractVar[tuple[int, ...]]
    groups: eqx.AbstractVar[int]

    @abstractmethod
    def laid(self, x: Float[Array, "inputs *spatial"]) -> Laid:
        """`x` as the kernel meets it."""

    @abstractmethod
    def spatial_shape(self, spatial: Shape) -> Shape:
        """Spatial size of the output; raises `ValueError` for an input that does not fit."""

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
        try:
            shape = self._checked(x.shape)
        except ValueError as error:
            raise ValueError(f"A {type(self).__name__} {error}") from None
        weight, x, key = opened(self.weight, x, key)
        if isinstance(weight, AnalogMatrix):
            y = self._read(weight, x, key).T.reshape(shape)
        else:
            y = checkpoint_name(self._convolved(weight, x), CONVOLVED)
        if self.bias is None:
            return y
        return y + jnp.broadcast_to(self.bias.reshape(-1, *[1] * len(self.kernel_size)), y.shape)

    def _convolved(self, weight: Float[Array, "outputs inputs"], x: Array) -> Float[Array, "outputs *_"]:
        laid = self.laid(x)
        how = self._slide(laid)
        if jax.default_backend() == "cpu":
            return jnp.moveaxis(slid(how, jnp.moveaxis(laid.x, 0, -1)[None], weight.T)[0], -1, 0)
        return lax.conv_general_dilated(
            laid.x[None],
            self._as_kernel(weight),
            how.step,
            how.around,
            lhs_dilation=how.spread,
            rhs_dilation=how.dilation,
            feature_group_count=how.groups,
        )[0]

    def _read(self, matrix: AnalogMatrix, x: Array, key: Key[Array, ""] | None) -> Float[Array, "pixels outputs"]:
        """A read for each patch, in one convolution where all word lines are alike: they then carry what pixels do."""
        if self.groups > 1 or not matrix.alike or jax.default_backend() != "cpu":
            return self.as_wired(matrix)(self.word_lines(x), key=key)
        laid = self.laid(x)
        how, spatial = self._slide(laid), laid.x.shape[1:]

        def product(lines: Array, weight: Array, *, rows: slice) -> Array:
            channels, weight = how.of_rows(weight, rows)
            pixels = lines.reshape(-1, *spatial, lines.shape[-1])[..., channels]
            return slid(how, pixels, weight).reshape(-1, weight.shape[1])

        return matrix.each_patch(laid.x.reshape(self.in_channels, -1).T, product, key=key)

    def _slide(self, laid: Laid) -> Slide:
        return Slide(self.kernel_size, laid.around, laid.spread, laid.step, self.dilation, self.groups)

    def output_shape(self, shape: Shape | None) -> Shape | None:
        return None if shape is None else self._checked(shape)

    def word_lines(self, x: Float[Array, "inputs *spatial"]) -> Float[Array, "pixels lines"]:
        laid = self.laid(x)
        how = self._slide(laid)
        seen = patches(how, jnp.moveaxis(laid.x, 0, -1)[None])  # (1, *pixels, elements, channels)
        seen = seen.reshape(-1, len(how.elements), self.groups, self.in_channels // self.groups)
        return jnp.transpose(seen, (0, 3, 1, 2)).reshape(seen.shape[0], -1)  # (pixels, word line, group)

    def as_wired(self, matrix: AnalogMatrix) -> AnalogMatrix:
        return matrix if self.groups == 1 else in_lanes(matrix, self._meets(matrix.inputs))

    def _meets(self, rows: int) -> Bool[Array, "rows groups columns"]:
        group = jnp.arange(self.out_channels) // (self.out_channels // self.groups)
        own = jnp.expand_dims(jnp.arange(self.groups), 1) == jnp.expand_dims(group, 0)
        return jnp.broadcast_to(own, (rows, *own.shape))

    def _checked(self, shape: Shape) -> Shape:
        check_channels_first(shape, self.in_channels, len(self.kernel_size))
        return (self.out_channels, *self.spatial_shape(shape[1:]))

    def _as_kernel(self, weight: Array) -> Array:
        return weight.reshape(self.out_channels, self.in_channels // self.groups, *self.kernel_size)


def whole_channels(in_channels: int, out_channels: int, groups: int) -> tuple[int, int, int]:
    """Channels and groups as they are kept; raises `ValueError` for channels that do not fall into the groups."""
    in_channels, out_channels, groups = int(in_channels), int(out_channels), int(groups)
    if in_channels % groups or out_channels % groups:
        raise ValueError(
            "`in_channels` and `out_channels` must be multiples of `groups`. "
            f"Got {in_channels}, {out_channels} and groups={groups}."
        )
    return in_channels, out_channels, groups
