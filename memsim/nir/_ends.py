"""Several inputs and outputs of a graph, as parts of one flat array each."""

from math import prod

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, Shaped

from ..nn import AbstractSynapse
from ..nn._layer import Shape


class AbstractPart(AbstractSynapse):
    """What lies between one of several ends and all of them in a row.

    **Arguments:**

    - `start`: Place of the first element.
    - `shape`: Shape of the part.
    - `total`: Number of elements of all ends together.
    """

    start: int = eqx.field(static=True)
    shape: Shape = eqx.field(static=True)
    total: int = eqx.field(static=True)


class InputPart(AbstractPart):
    """The elements of a flat input from `start` on, as an array of `shape`: one of several inputs."""

    def __call__(self, x: Shaped[Array, " total"], *, key: Key[Array, ""] | None = None) -> Shaped[Array, "*_"]:
        self.output_shape(x.shape)
        return x[self.start : self.start + prod(self.shape)].reshape(self.shape)

    def output_shape(self, shape: Shape | None) -> Shape | None:
        if shape is not None and shape != (self.total,):
            raise ValueError(f"must be part of an input of shape ({self.total},), all inputs in a row. Got {shape}.")
        return self.shape


class OutputPart(AbstractPart):
    """An array as the elements of a flat output from `start` on, zero elsewhere: the sum of all is all outputs."""

    def __call__(self, x: Float[Array, "*shape"], *, key: Key[Array, ""] | None = None) -> Float[Array, " total"]:
        self.output_shape(x.shape)
        return jnp.pad(x.reshape(-1), (self.start, self.total - self.start - x.size))

    def output_shape(self, shape: Shape | None) -> Shape | None:
        if shape is not None and without_ones(shape) != without_ones(self.shape):
            raise ValueError(f"must have the shape that the file says, {self.shape}. Got {shape}.")
        return (self.total,)


def parts(
    kind: type[InputPart] | type[OutputPart], shapes: dict[str, Shape | None]
) -> dict[str, InputPart | OutputPart]:
    """A layer for each of several ends, in the order of their names: the only one that a file keeps."""
    found, start = {}, 0
    known = {name: shape for name, shape in sorted(shapes.items()) if shape is not None}
    if len(known) < len(shapes):
        raise ValueError(f"Each of several inputs or outputs must have a shape in the graph. Got {shapes}.")
    total = sum(map(prod, known.values()))
    for name, shape in known.items():
        found[name] = kind(start, shape, total)
        start += prod(shape)
    return found


def without_ones(shape: Shape) -> Shape:
    """`shape` without axes of one element, such as a batch axis."""
    return tuple(size for size in shape if size != 1)
