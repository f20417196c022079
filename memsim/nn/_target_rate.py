"""Weights scaled until neurons fire as often as they should."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key, Shaped

from .._checks import between, checked, positive
from ._deploy import digital_weight
from ._networks._network import SpikingNetwork
from ._stages import changed, stages, with_bias
from ._synapses._synapse import AbstractAnalog
from ._word_lines import SAMPLES, checked_samples

DOUBLINGS = 20  # of a layer's scale, in search of its rate
HALVINGS = 30

RATE = positive("in spikes a step", hint="From Hz? Multiply by dt.")
Groups = tuple[tuple[str, ...], ...]  # the synapses that are scaled together


@checked(xs=SAMPLES, rate=RATE, tolerance=between(0.0, 1.0, "relative"))
def scaled_to_rate(
    model: SpikingNetwork,
    xs: Shaped[Array, "batch steps *inputs"] | np.ndarray | list,
    *,
    rate: float,
    tolerance: float = 0.02,
    key: Key[Array, ""] | None = None,
) -> SpikingNetwork:
    """`model` with the weights and biases of each layer scaled so that its neurons fire at `rate` on `xs`.

    Layer by layer from the input, by doubling and halving of the scale; a recurrent synapse is scaled with the layer in
    front of it. Raises `ValueError` where no scale gives the rate.

    **Arguments:**

    - `model`: A network with digital weights.
    - `xs`: A batch of sequences, such as some training data.
    - `rate`: Mean over neurons, steps and sequences, in spikes a step.
    - `tolerance`: Relative deviation from `rate` at which a layer is done.
    - `key`: For layers with noise.

    >>> import jax, jax.random as jr, memsim as ms
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(10, 20, key=jr.key(0)), ms.nn.LIF(20)])
    >>> xs = jr.bernoulli(jr.key(1), 0.1, (8, 50, 10)).astype(float)
    >>> scaled = ms.nn.scaled_to_rate(network, xs, rate=0.1)
    >>> print(f"{jax.vmap(scaled)(xs).mean():.2f}")
    0.10
    """
    xs = checked_samples(model, xs)
    driven = [s for s in stages(model) if s.neuron.spiking and (s.forward or s.recurrent)]
    if not driven:
        raise ValueError("The model must have spiking neurons behind a synapse. Got none.")
    groups = tuple(tuple(path for path in (s.forward, s.recurrent) if path is not None) for s in driven)
    keys = None if key is None else jr.split(key, xs.shape[0])
    logs = np.zeros(len(driven))
    for place, stage in enumerate(driven):

        def measured(log: float, place: int = place, path: str = stage.path) -> float:
            logs[place] = log
            return float(_rates(model, xs, keys, groups, _scales(logs))[path])

        logs[place] = _solved(measured, rate, tolerance, stage.path)
    return _scaled(model, groups, _scales(logs))


def _scales(logs: np.ndarray) -> Float[Array, " stages"]:
    return jnp.asarray(2.0**logs, jnp.result_type(float))


def _scaled(model: SpikingNetwork, groups: Groups, scales: Float[Array, " stages"]) -> SpikingNetwork:
    factors = {path: scales[place] for place, group in enumerate(groups) for path in group}

    def scaled(path: str, layer: AbstractAnalog) -> AbstractAnalog:
        w = digital_weight(path, layer)
        layer = eqx.tree_at(lambda made: made.weight, layer, w * factors[path].astype(w.dtype))
        return with_bias(layer, lambda bias: bias * factors[path].astype(bias.dtype))

    return changed(model, set(factors), scaled)


@eqx.filter_jit
def _rates(
    model: SpikingNetwork, xs: Array, keys: Array | None, groups: Groups, scales: Float[Array, " stages"]
) -> dict[str, Float[Array, ""]]:
    """Spikes a step of each layer of neurons, with scaled synapses."""
    scaled = _scaled(model, groups, scales)
    spikes = jax.vmap(lambda x, key: scaled(x, key=key, record="spikes")[1]["spikes"])(xs, keys)
    return {path: jnp.mean(s) for path, s in spikes.items()}


def _solved(measured: Callable[[float], float], rate: float, tolerance: float, path: str) -> float:
    """The logarithm of the scale at which the rate is as wanted, taking the rate to rise with the scale."""
    low = high = 0.0
    found = {0.0: measured(0.0)}

    def done() -> bool:
        return min(abs(r - rate) for r in found.values()) <= tolerance * rate

    while not done() and (found[high] < rate or found[low] > rate):
        if max(high, -low) >= DOUBLINGS:
            raise ValueError(
                f"`rate` must be one that the neurons at {path} can fire at. Got {rate} spikes a step, where scaling "
                f"their weights gives {found[low]:.3g} to {found[high]:.3g}. Do they get inputs?"
            )
        low, high = (low, high + 1) if found[high] < rate else (low - 1, high)
        new = high if high not in found else low
        found[new] = measured(new)
    for _ in range(HALVINGS):
        if done():
            break
        middle = (low + high) / 2
        found[middle] = measured(middle)
        low, high = (middle, high) if found[middle] < rate else (low, middle)
    return min(found, key=lambda log: abs(found[log] - rate))
