"""Pooling, digital: sums and means over windows."""

import itertools
from functools import partial
from math import prod
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Key, Shaped

from ..._checks import as_floats, check, checked
from .._layer import Shape
from ._synapse import AbstractSynapse
from ._window import Padding, Pads, Sizes, check_channels_first, hashable, paddings, pads, sizes, slid_shape


class AbstractPool(AbstractSynapse):
    """One number for each window of each channel of (channels, *spatial)."""

    rank: eqx.AbstractClassVar[int]  # number of spatial axes
    mean: eqx.AbstractClassVar[bool]  # whether the sum is divided by the number of elements of the window
    kernel_size: Sizes = eqx.field(static=True, converter=hashable)
    stride: Sizes | None = eqx.field(static=True, default=None, converter=hashable)
    padding: Padding = eqx.field(static=True, default=0, converter=hashable)

    def __check_init__(self):
        check(self)
        self._window()

    @checked()
    def __call__(
        self, x: Shaped[Array, "channels *spatial"], *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "channels *_"]:
        x = as_floats(x)
        self.output_shape(x.shape)
        kernel, stride, padding = self._window()
        around = pads(x.shape[1:], kernel, stride, (1,) * self.rank, padding)
        if kernel == stride and not any(map(any, around)):
            y = _tiled(kernel, x)
            return y / prod(kernel) if self.mean else y
        zero = np.zeros((), x.dtype)  # a constant, or it is no sum that can be differentiated
        y = lax.reduce_window(x, zero, lax.add, (1, *kernel), (1, *stride), ((0, 0), *around))
        return y / prod(kernel) if self.mean else y

    def output_shape(self, shape: Shape | None) -> Shape | None:
        if shape is None:
            return None
        check_channels_first(shape, None, self.rank)
        kernel, stride, padding = self._window()
        return (shape[0], *slid_shape(shape[1:], kernel, stride, (1,) * self.rank, padding))

    def _window(self) -> tuple[tuple[int, ...], tuple[int, ...], str | Pads]:
        kernel = sizes("kernel_size", self.kernel_size, self.rank)
        stride = kernel if self.stride is None else sizes("stride", self.stride, self.rank)
        return kernel, stride, paddings(self.padding, self.rank)


class SumPool2d(AbstractPool):
    """Sum of each window of an image (channels, height, width), as `nir.SumPool2d`.

    **Arguments:**

    - `kernel_size`: Size of the window, one number or one for each spatial axis.
    - `stride`: Step between windows; the size of the window by default.
    - `padding`: Zeros around the image, as for `Conv2d`.

    >>> import jax.numpy as jnp, memsim as ms
    >>> print(ms.nn.SumPool2d(2)(jnp.arange(4.0).reshape(1, 2, 2)))
    [[[6.]]]
    """

    rank: ClassVar[int] = 2
    mean: ClassVar[bool] = False


class AvgPool2d(AbstractPool):
    """Mean of each window of an image (channels, height, width), as `nir.AvgPool2d`; zeros of the padding count.

    **Arguments:** as for `SumPool2d`.

    >>> import jax.numpy as jnp, memsim as ms
    >>> print(ms.nn.AvgPool2d(2)(jnp.arange(4.0).reshape(1, 2, 2)))
    [[[1.5]]]
    """

    rank: ClassVar[int] = 2
    mean: ClassVar[bool] = True


class SumPool1d(AbstractPool):
    """Sum of each window of a signal (channels, length).

    **Arguments:** as for `SumPool2d`.

    >>> import jax.numpy as jnp, memsim as ms
    >>> print(ms.nn.SumPool1d(2)(jnp.array([[1.0, 3.0, 5.0, 7.0]])))
    [[ 4. 12.]]
    """

    rank: ClassVar[int] = 1
    mean: ClassVar[bool] = False


class AvgPool1d(AbstractPool):
    """Mean of each window of a signal (channels, length); zeros of the padding count.

    **Arguments:** as for `SumPool2d`.

    >>> import jax.numpy as jnp, memsim as ms
    >>> print(ms.nn.AvgPool1d(2)(jnp.array([[1.0, 3.0, 5.0, 7.0]])))
    [[2. 6.]]
    """

    rank: ClassVar[int] = 1
    mean: ClassVar[bool] = True


class Flatten(AbstractSynapse):
    """Axes `start_dim` to `end_dim`, both included, as one, in C order: (channels, height, width) keeps channels first.

    There is no batch axis, so 0 is the channel axis, where `torch.nn.Flatten` counts 1.

    **Arguments:**

    - `start_dim`, `end_dim`: First and last axis; negative ones count from the end.

    >>> import jax.numpy as jnp, memsim as ms
    >>> ms.nn.Flatten()(jnp.ones((8, 3, 3))).shape, ms.nn.Flatten(1)(jnp.ones((8, 3, 3))).shape
    ((72,), (8, 9))
    """

    start_dim: int = eqx.field(static=True, default=0, converter=hashable)
    end_dim: int = eqx.field(static=True, default=-1, converter=hashable)

    def __check_init__(self):
        check(self)

    @checked()
    def __call__(self, x: Shaped[Array, "*shape"], *, key: Key[Array, ""] | None = None) -> Float[Array, "*_"]:
        x = as_floats(x)
        shape = self.output_shape(x.shape)
        assert shape is not None
        return x.reshape(shape)

    def output_shape(self, shape: Shape | None) -> Shape | None:
        if shape is None:
            return None
        axes = len(shape)
        start, end = (dim + axes if dim < 0 else dim for dim in (self.start_dim, self.end_dim))
        if not 0 <= start <= end < axes:
            raise ValueError(
                f"must have axes {self.start_dim} to {self.end_dim}, in this order. Got an input of shape {shape}."
            )
        return (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :])


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _tiled(kernel: tuple[int, ...], x: Float[Array, "channels *spatial"]) -> Float[Array, "channels *_"]:
    """Sums of windows side by side: shifted images added, in a seventh of the time of XLA's windows on a CPU."""
    sizes = [size // k * k for size, k in zip(x.shape[1:], kernel, strict=True)]
    total = None
    for start in itertools.product(*map(range, kernel)):
        part = lax.slice(x, (0, *start), (x.shape[0], *sizes), (1, *kernel))
        total = part if total is None else total + part
    assert total is not None
    return total


@_tiled.defjvp
def _tiled_jvp(kernel: Any, primals: Any, tangents: Any) -> tuple[Array, Array]:
    # Windows as axes of their own: backward, each value is spread over its window at once.
    (change,) = tangents
    counts = [size // k for size, k in zip(change.shape[1:], kernel, strict=True)]
    sizes = [count * k for count, k in zip(counts, kernel, strict=True)]
    change = lax.slice(change, (0,) * change.ndim, (change.shape[0], *sizes))
    apart = change.reshape(change.shape[0], *itertools.chain(*zip(counts, kernel, strict=True)))
    return _tiled(kernel, *primals), jnp.sum(apart, axis=tuple(range(2, apart.ndim, 2)))
