"""Two runs of one network: what each gives out, and how far one is from the other."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, Key, Num

import memsim as ms


class Run(NamedTuple):
    """What a network with one spiking layer gives out, and the spikes of that layer."""

    outputs: Float[Array, "batch steps classes"]
    spikes: Float[Array, "batch steps neurons"]

    @classmethod
    def of(
        cls,
        model: ms.nn.AbstractNetwork,
        weights: list[Any],
        xs: Num[Array, "batch steps *inputs"],
        *,
        key: Key[Array, ""] | None = None,
    ) -> "Run":
        """The network with these weights in its analog layers."""
        model = eqx.tree_at(analog_weights, model, weights)
        keys = None if key is None else jr.split(key, xs.shape[0])
        outputs, found = jax.vmap(lambda x, key: model(x, key=key, record="spikes"))(xs, keys)
        (spikes,) = found["spikes"].values()
        return cls(outputs, spikes)

    @property
    def scores(self) -> Float[Array, "batch classes"]:
        return jax.vmap(ms.train.class_scores)(self.outputs)

    def outcome(self, labels: Int[Array, " batch"]) -> ms.study.Outcome:
        """What is right."""
        return ms.study.packed(jnp.argmax(self.scores, -1) == labels)

    def size(self) -> dict[str, Array]:
        """How much there is to deviate from: spikes and readout of each step, scores of the whole."""
        return {
            "spike_rate": jnp.mean(self.spikes, (0, 2)),
            "readout_size": _rms(_contrast(self.outputs), (0, 2)),
            "score_size": _rms(_contrast(self.scores), None),
        }

    def deviation(self, other: "Run") -> dict[str, Array]:
        """How far this run is from `other`: the same three, root mean squares over recordings and classes."""
        return {
            "spike_deviation": jnp.mean(jnp.abs(self.spikes - other.spikes), (0, 2)),
            "readout_deviation": _rms(_contrast(self.outputs - other.outputs), (0, 2)),
            "score_deviation": _rms(_contrast(self.scores - other.scores), None),
        }


def analog_weights(model: ms.nn.AbstractNetwork) -> list[Any]:
    """The weights of all analog layers."""
    return [layer.weight for layer in ms.nn.analog_layers(model).values()]


def _contrast(values: Array) -> Array:
    """What tells the classes apart: values less their mean over classes."""
    return values - jnp.mean(values, -1, keepdims=True)


def _rms(values: Array, axes: tuple[int, ...] | None) -> Array:
    return jnp.sqrt(jnp.mean(values**2, axes))
