"""A network whose values are the chip's, and whose derivatives are its own: what training through a chip runs."""

from collections.abc import Collection
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ..._checks import as_floats
from ...nn._layer import child_keys, step_keys
from ...nn._networks._network import checked_record
from .._network._stages import Stage
from ._part import AbstractPart
from ._placed import Placed


class Through(eqx.Module):
    """A network and itself on a chip, side by side.

    In every step the membranes and spikes of the network are replaced by the chip's, straight through: the value is
    the chip's, the derivative the network's own, with its surrogate at the membrane of the chip. Outputs that a chip
    gives out late are moved back.

    **Arguments:**

    - `stages`: The network's layers.
    - `placed`: The same on the chip.
    """

    stages: tuple[Stage, ...]
    placed: Placed

    def __call__(
        self,
        x: Float[Array, "steps *inputs"],
        *,
        key: Key[Array, ""] | None = None,
        record: str | Collection[str] | None = None,
    ) -> Any:
        """The outputs of all steps, and with `record="spikes"` the spikes of each layer by its path."""
        chip, kinds = self.placed, checked_record(record)
        quiet = jnp.zeros((chip.delay, *x.shape[1:]), x.dtype)
        ys = jnp.concatenate([as_floats(x), quiet])
        keys = step_keys(key, ys.shape[0])
        spikes = {}
        for place, (stage, part) in enumerate(zip(self.stages, chip.parts, strict=True)):
            ys = _layer(stage, part, ys, child_keys(keys, place), late=chip.waits[place])
            if part.spiking:
                spikes[stage.path] = ys
        ys = ys[chip.delay :]
        return ys if not kinds else (ys, {kind: spikes if kind == "spikes" else {} for kind in kinds})


def _layer(
    stage: Stage, part: AbstractPart, xs: Float[Array, "steps *inputs"], keys: Any, *, late: int
) -> Float[Array, "steps *outputs"]:
    """One layer in all steps: the sums of the network and of the chip, then their neurons, step by step."""
    start = part.initial_state()
    codes = jnp.round(jax.lax.stop_gradient(xs)).astype(jnp.int32).reshape(xs.shape[0], -1)
    heard, _ = part.heard(codes, start.past)
    driven = xs
    for layer in stage.row:
        driven, _, _ = layer.run(driven, layer.initial_state())
    driven = jnp.concatenate([jnp.zeros_like(driven[:late]), driven[: driven.shape[0] - late]])
    neuron, coefficients = stage.neuron, stage.neuron.coefficients()

    def one(state: Any, inputs: Any) -> tuple[Any, Array]:
        before, on_chip, last = state
        current, codes, key = inputs
        if stage.recurrent is not None:
            current = current + stage.recurrent.step(last, stage.recurrent.initial_state())[0]
        stepped = part.advance(codes, on_chip, key=key)
        membrane = part.in_network_units(stepped.membrane).reshape(neuron.shape)
        after = _with_membrane(neuron.update(coefficients, current, before), membrane)
        given = neuron.output(coefficients, before, after)
        chip = stepped.outputs if part.spiking else part.in_network_units(stepped.outputs)
        given = _straight_through(given, chip.reshape(given.shape).astype(given.dtype))
        return (after, stepped.state, given), given

    first = neuron.initial_state(), start.neurons, jnp.zeros(neuron.shape)
    return jax.lax.scan(one, first, (driven, heard, keys))[1]


def _with_membrane(state: Any, membrane: Float[Array, "*shape"]) -> Any:
    """A neuron's state with the value of its membrane replaced, not its derivative."""
    if isinstance(state, jax.Array):
        return _straight_through(state, membrane.astype(state.dtype))
    return state._replace(membrane=_with_membrane(state.membrane, membrane))


def _straight_through(x: Float[Array, "*shape"], value: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    return x + jax.lax.stop_gradient(value - x)
