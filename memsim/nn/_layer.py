"""What every layer promises: it runs a sequence from a state, and says where the state is afterwards."""

from abc import abstractmethod
from collections.abc import Set
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key, Shaped

from .._checks import as_floats

Shape = tuple[int, ...]
Record = dict[str, dict[str, Array]]  # kind of quantity -> path of the layer -> (steps, ...)
KINDS = ("spikes", "membranes", "currents", "inputs", "outputs")


class AbstractLayer(eqx.Module):
    """A layer without a batch axis: `jax.vmap` makes the batch.

    All randomness of step t of a sequence comes from one key, that of the sequence folded with t. So a sequence in
    one piece, in chunks, or step by step gives the same result.

    >>> import jax.numpy as jnp, memsim as ms
    >>> layer = ms.nn.Delay(1, jnp.array([1]))
    >>> y, state = layer.step(jnp.ones(1), layer.initial_state())
    >>> print(y, layer.step(jnp.zeros(1), state)[0])
    [0.] [1.]
    """

    @abstractmethod
    def initial_state(self) -> Any:
        """The state before the first step; `None` for a layer without memory."""

    @abstractmethod
    def output_shape(self, shape: Shape | None) -> Shape | None:
        """Shape of one step's output for that of its input, `None` where it is not known yet.

        Raises `ValueError` for a shape that does not fit.
        """

    @abstractmethod
    def run(
        self,
        xs: Float[Array, "steps *shape"],
        state: Any,
        *,
        keys: Key[Array, " steps"] | None = None,
        record: Set[str] = frozenset(),
    ) -> tuple[Float[Array, "steps *_"], Any, Record]:
        """All steps of `xs` from `state`: the outputs, the state after them, and what `record` asks for."""

    def step(
        self, x: Shaped[Array, "*shape"], state: Any, *, key: Key[Array, ""] | None = None
    ) -> tuple[Float[Array, "*_"], Any]:
        """One time step: the output and the new state.

        Step t of a whole sequence with `key` is this with `key=jax.random.fold_in(key, t)`.
        """
        ys, state, _ = self.run(as_floats(x)[None], state, keys=None if key is None else key[None])
        return ys[0], state


def step_keys(key: Key[Array, ""] | None, steps: int) -> Key[Array, " steps"] | None:
    """The key of each time step of a sequence."""
    return None if key is None else jax.vmap(jr.fold_in, (None, 0))(key, jnp.arange(steps))


def child_keys(keys: Key[Array, " steps"] | None, place: int) -> Key[Array, " steps"] | None:
    """The keys of the layer at `place` within its container."""
    return None if keys is None else jax.vmap(jr.fold_in, (0, None))(keys, place)


def below(path: str, record: Record) -> Record:
    """The record of a child as its container tells it."""
    return {kind: {path + inner: values for inner, values in found.items()} for kind, found in record.items()}


def merge(records: list[Record]) -> Record:
    """Several records as one."""
    merged: Record = {}
    for record in records:
        for kind, found in record.items():
            merged.setdefault(kind, {}).update(found)
    return merged


def chosen(record: Set[str], **quantities: Array | None) -> Record:
    """The record of a layer itself: those of its `quantities` that are asked for."""
    return {kind: {"": values} for kind, values in quantities.items() if kind in record and values is not None}
