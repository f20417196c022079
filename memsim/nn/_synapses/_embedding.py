"""A table of words on a crossbar, of which each read is one row."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, Key, Shaped

from ..._array import AnalogMatrix
from ..._checks import as_floats, at_least, checked, whole
from .._layer import Shape
from ._synapse import AbstractAnalog, AbstractSynapse, Weight, opened


class Embedding(AbstractSynapse, AbstractAnalog):
    """Row `x` of a table, as `equinox.nn.Embedding`; on a crossbar a read with word line `x` on, fully, and no other.

    `weight` has the shape (embedding_size, num_embeddings), which is that of Equinox transposed: the words are the
    inputs. Numbers below zero count from the end, and those beyond are the last word, as where JAX indexes.

    **Arguments:**

    - `num_embeddings`: Words of the table.
    - `embedding_size`: Length of the vector of a word.
    - `gain`: Standard deviation of the initial weights.
    - `key`: For the initial weights.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> table = ms.nn.Embedding(100, 8, key=jr.key(0))
    >>> table(jnp.array(3)).shape, table.weight.shape
    ((8,), (8, 100))
    """

    weight: Weight
    num_embeddings: int = eqx.field(static=True)
    embedding_size: int = eqx.field(static=True)

    @checked(num_embeddings=whole(1), embedding_size=whole(1), gain=at_least(0.0))
    def __init__(self, num_embeddings: int, embedding_size: int, *, gain: float = 1.0, key: Key[Array, ""]):
        self.weight = gain * jr.normal(key, (embedding_size, num_embeddings))
        self.num_embeddings = int(num_embeddings)
        self.embedding_size = int(embedding_size)

    @checked()
    def __call__(
        self, x: Shaped[Array, "*batch"], *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "*batch outputs"]:
        """The vectors of the words `x`, which are whole numbers. A weight with read noise needs `key`."""
        x = as_floats(x) if not isinstance(x, jax.Array) else x
        weight, x, key = opened(self.weight, x, key)
        if isinstance(weight, AnalogMatrix):
            return weight(jax.nn.one_hot(self._place(x), self.num_embeddings, dtype=_dtype(weight)), key=key)
        return weight.T[self._place(x)]

    def output_shape(self, shape: Shape | None) -> Shape | None:
        return None if shape is None else (*shape, self.embedding_size)

    def word_lines(self, x: Shaped[Array, "*batch"]) -> Float[Array, "reads words"]:
        return jax.nn.one_hot(self._place(x).reshape(-1), self.num_embeddings)

    def as_wired(self, matrix: AnalogMatrix) -> AnalogMatrix:
        return matrix

    def _place(self, x: Shaped[Array, "*batch"]) -> Int[Array, "*batch"]:
        """The word lines of `x`."""
        x = x.astype(int)
        return jnp.clip(jnp.where(x < 0, x + self.num_embeddings, x), 0, self.num_embeddings - 1)


def _dtype(matrix: AnalogMatrix) -> jnp.dtype:
    return matrix.weight.dtype if matrix.dtype is None else matrix.dtype
