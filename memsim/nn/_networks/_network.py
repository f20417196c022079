"""A spiking network: synapses over many steps at once, neurons step by step."""

from collections.abc import Collection, Sequence, Set
from typing import Any

import equinox as eqx
from jaxtyping import Array, Float, Key, Shaped

from ..._checks import as_floats, checked, did_you_mean, whole, write
from .._layer import KINDS, AbstractLayer, Record, Shape, below, child_keys, chosen, merge, step_keys
from .._synapses._synapse import Stateless
from .._synapses._window import hashable
from ._time import CHUNK, Chunk, in_chunks

LAYERS = write("Wrap a function as `eqx.nn.Lambda(function)`.")
SHAPE = whole(1, hint="It is the shape of one step's input, without steps and batch.")


class AbstractNetwork(AbstractLayer):
    """A layer made of layers, called on whole sequences. It can itself stand in another network.

    >>> import jax.random as jr, memsim as ms
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(3, 2, key=jr.key(0)), ms.nn.LIF(2)])
    >>> isinstance(network, ms.nn.AbstractNetwork), isinstance(network, ms.nn.AbstractLayer)
    (True, True)
    """

    chunk: eqx.AbstractVar[Chunk]

    @checked()
    def __call__(
        self,
        xs: Shaped[Array, "steps *inputs"],
        *,
        key: Key[Array, ""] | None = None,
        record: str | Collection[str] | None = None,
    ) -> Any:
        """Runs the sequence from the initial state and returns the outputs (steps, ...).

        With `record`, one or several of "spikes", "membranes", "currents" (of the neurons), "inputs" (of the synapses)
        and "outputs" (of every layer), returns the outputs and what is recorded: kind -> path of the layer -> (steps,
        ...). Layers with noise need `key`. Memory: with `chunk` steps a chunk, the backward pass keeps states at chunk
        boundaries and runs each chunk again. Whole numbers are taken as floats. Raises `ValueError` for inputs that do
        not fit, and for known ones that are NaN or infinite.
        """
        kinds = checked_record(record)
        xs = checked_sequence(self, xs)
        ys, found = in_chunks(self, xs, step_keys(key, xs.shape[0]), kinds, self.chunk)
        return ys if record is None else (ys, {kind: found.get(kind, {}) for kind in kinds})


class SpikingNetwork(AbstractNetwork):
    """Layers in a row, from a sequence (T, ...) to a sequence (T, ...). Use `jax.vmap` for a batch.

    A layer without memory is applied to many steps in one product; only neurons are scanned. Step by step:
    `y, state = network.step(x, state, key=key)` from `network.initial_state()`.

    **Arguments:**

    - `layers`: Neurons, synapses, networks, and modules of `equinox.nn` that keep no state.
    - `chunk`: Steps between checkpoints of the backward pass: a number, "auto" (the root of all steps, where the states
      of all are more than half a megabyte a sequence), or `None` to keep everything.
    - `input_shape`: Shape of one step's input, to check layers that could not be checked without it.

    >>> import jax, jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> first, second = jr.split(jr.key(0))
    >>> network = ms.nn.SpikingNetwork(
    ...     [ms.nn.Linear(3, 8, key=first), ms.nn.LIF(8), ms.nn.Linear(8, 2, key=second), ms.nn.LI(2)]
    ... )
    >>> network(jnp.ones((50, 3))).shape, jax.vmap(network)(jnp.ones((4, 50, 3))).shape
    ((50, 2), (4, 50, 2))
    """

    layers: tuple[AbstractLayer, ...]
    chunk: Chunk = eqx.field(static=True)

    @checked(layers=LAYERS, chunk=CHUNK, input_shape=SHAPE)
    def __init__(self, layers: Sequence[eqx.Module], *, chunk: Chunk = "auto", input_shape: int | Shape | None = None):
        if not layers:
            raise ValueError("A network must have at least one layer. Got none.")
        self.layers = tuple(lifted(layer, f"Layer {place}") for place, layer in enumerate(layers))
        self.chunk = hashable(chunk)
        self.output_shape(as_shape(input_shape))

    def initial_state(self) -> tuple[Any, ...]:
        return tuple(layer.initial_state() for layer in self.layers)

    def output_shape(self, shape: Shape | None) -> Shape | None:
        for place, layer in enumerate(self.layers):
            shape = fitted(layer, shape, f"Layer {place}")
        return shape

    def run(
        self,
        xs: Float[Array, "steps *inputs"],
        state: Any,
        *,
        keys: Key[Array, " steps"] | None = None,
        record: Set[str] = frozenset(),
    ) -> tuple[Float[Array, "steps *_"], Any, Record]:
        states, records = [], []
        for place, (layer, before) in enumerate(zip(self.layers, state, strict=True)):
            xs, after, found = layer.run(xs, before, keys=child_keys(keys, place), record=record)
            states.append(after)
            records.append(below(f".layers[{place}]", merge([found, chosen(record, outputs=xs)])))
        return xs, tuple(states), merge(records)


def checked_sequence(network: AbstractNetwork, xs: Any) -> Float[Array, "steps *inputs"]:
    """One sequence as floats; raises `ValueError` for what is none, or does not fit `network`."""
    xs = as_floats(xs, "xs")
    if xs.ndim == 0 or xs.shape[0] == 0:
        raise ValueError(f"`xs` must be a sequence (steps, ...) of at least one step. Got shape {xs.shape}.")
    try:
        network.output_shape(xs.shape[1:])
    except ValueError as error:
        advice = " A batch of sequences? Write `jax.vmap(network)(xs)`." if _takes(network, xs.shape[2:]) else ""
        raise ValueError(
            f"`xs` must be one sequence (steps, ...) that fits the network. Got shape {xs.shape}: {error}{advice}"
        ) from error
    return xs


def _takes(network: AbstractNetwork, shape: Shape) -> bool:
    try:
        network.output_shape(shape)
    except ValueError:
        return False
    return True


def as_shape(shape: int | Shape | None) -> Shape | None:
    """A number of channels as a shape."""
    if shape is None:
        return None
    return tuple(int(size) for size in (shape if isinstance(shape, tuple) else (shape,)))


def lifted(layer: eqx.Module, name: str) -> AbstractLayer:
    """`layer` as a layer of a network; raises `ValueError` for what is neither a layer nor a module to call."""
    if isinstance(layer, AbstractLayer):
        return layer
    if isinstance(layer, eqx.Module) and callable(layer):
        return Stateless(layer)
    raise ValueError(
        f"{name} must be a layer of `memsim.nn` or a module of `equinox.nn`. Got {type(layer).__name__}; wrap a "
        "function as `eqx.nn.Lambda(function)`."
    )


def fitted(layer: AbstractLayer, shape: Shape | None, name: str) -> Shape | None:
    """The output shape of `layer`, with its name in the complaint."""
    try:
        return layer.output_shape(shape)
    except ValueError as error:
        raise ValueError(f"{name} ({type(layer).__name__}) {error}") from error


def checked_record(record: str | Collection[str] | None) -> Set[str]:
    """The kinds asked for; raises `ValueError` for an unknown one."""
    kinds = frozenset([record] if isinstance(record, str) else record or ())
    for kind in kinds:
        if kind not in KINDS:
            raise ValueError(did_you_mean("A kind in `record`", kind, KINDS))
    return kinds
