"""A layer of analog neurons on BrainScaleS-2: those of the network, each with deviations of its own."""

import dataclasses
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, Key

from ...nn import AbstractNeuron, Firing, NeuronCircuit, Positive
from ...nn._mixed_signal import deviable
from ...nn._neurons._neuron import Prepared
from ...nn._neurons._parameters import value
from .._placing._part import AbstractPart, State, Stepped
from .._sums._connection import Dense, tally
from .._sums._counts import Counts

VOLTAGES = ("threshold", "v_rest", "v_reset", "v_onset")  # deviate by a share of the membrane's range
FACTORS = ("resistance", "w_in")  # within the gains of the synapses


class Gains(NamedTuple):
    """Factors, one a neuron, on what its two synaptic inputs and its constant current deliver."""

    excitation: Float[Array, " units"]
    inhibition: Float[Array, " units"]
    bias: Float[Array, " units"]


class Circuits(NamedTuple):
    """The neurons, and those of their spikes that have still to come back."""

    neurons: Any
    last: Int[Array, " units"]


class Layer(AbstractPart):
    """Analog neurons behind synapses of whole numbers.

    **Arguments:**

    - `weight`, `feedback`: What synapses deliver on this chip, in the network's units; those of the feedback act on the
      spikes of the step before.
    - `bias`: Constant currents, in the network's units.
    - `synapses`, `back`: The weights that were asked for, to count synapses.
    - `neuron`: With the parameters that this chip has.
    """

    weight: Float[Array, "outputs inputs"]
    feedback: Float[Array, "outputs outputs"] | None
    bias: Float[Array, " units"]
    synapses: Dense
    back: Dense | None
    neuron: AbstractNeuron
    unit: Float[Array, "..."]
    rest: Float[Array, "..."]
    core: Int[Array, " units"]
    spiking: bool = eqx.field(static=True)
    cores: int = eqx.field(static=True)
    path: str = eqx.field(static=True)

    def initial_state(self) -> State:
        silent = jnp.zeros(self.weight.shape[0], jnp.int32)
        return State(None, Circuits(self.neuron.initial_state(), silent))

    def heard(self, xs: Int[Array, "steps inputs"], past: Any) -> tuple[Any, Any]:
        return _delivered(xs, self.weight) + self.bias[None], past

    def advance(self, heard: Any, neurons: Circuits, *, key: Key[Array, ""] | None = None) -> Stepped:
        current = heard
        if self.feedback is not None:
            current = current + _delivered(neurons.last, self.feedback)
        coefficients, before = self.neuron.coefficients(), neurons.neurons
        after = self.neuron.update(coefficients, current.reshape(self.neuron.shape), before, key=key)
        given = self.neuron.output(coefficients, before, after).reshape(-1)
        membrane = self.neuron.membrane(after).reshape(-1)
        spikes = given.astype(jnp.int32) if self.spiking else jnp.zeros_like(neurons.last)
        outputs = spikes if self.spiking else given
        return Stepped(Circuits(after, spikes), outputs, membrane, current)

    def counted(self, xs: Int[Array, "steps inputs"], stepped: Stepped) -> Counts:
        spikes = stepped.outputs if self.spiking else jnp.zeros(stepped.outputs.shape, jnp.int32)
        none = jnp.zeros((xs.shape[0], self.cores), jnp.int32)
        return tally(self.synapses, self.back, xs, spikes, none, self.core, self.cores)


def _delivered(xs: Int[Array, "*steps inputs"], weight: Float[Array, "outputs inputs"]) -> Float[Array, "*steps _"]:
    return jnp.matmul(xs.astype(weight.dtype), weight.T, precision=jax.lax.Precision.HIGHEST)


def delivered(
    codes: Int[Array, "outputs inputs"], unit: Float[Array, ""], gains: Gains
) -> Float[Array, "outputs inputs"]:
    """What synapses of weights `codes` bring, each sign by the gain of its input."""
    gain = jnp.where(codes > 0, jnp.expand_dims(gains.excitation, 1), jnp.expand_dims(gains.inhibition, 1))
    return unit * codes.astype(unit.dtype) * gain


def log_normal(sigma: float, shape: tuple[int, ...], *, key: Key[Array, ""]) -> Float[Array, "..."]:
    """Factors of mean 1 and standard deviation `sigma`."""
    s2 = jnp.log1p(jnp.square(jnp.asarray(sigma, jnp.result_type(float))))
    return jnp.exp(jnp.sqrt(s2) * jr.normal(key, shape) - s2 / 2)


def gains(sigma: float, units: int, *, key: Key[Array, ""]) -> Gains:
    """Those of a chip."""
    return Gains(*(log_normal(sigma, (units,), key=each) for each in jr.split(key, 3)))


def fabricated(neuron: AbstractNeuron, sigma: float, *, key: Key[Array, ""]) -> AbstractNeuron:
    """`neuron` with every parameter as one chip has it, its spread `sigma`; it is reset to a value, once a step.

    Time constants and what else must be positive are log-normal; voltages shift by `sigma` times the range between rest
    and threshold, in both directions.
    """
    neuron = as_on_chip(neuron)
    names, rest = deviable(neuron), value(getattr(neuron, "v_rest", 0.0))
    spread = {name: sigma for name in names if name not in VOLTAGES + FACTORS}
    circuit_key, voltage_key = jr.split(key)
    made = NeuronCircuit(spread).fabricate(neuron, key=circuit_key)
    span = value(getattr(neuron, "threshold", 1.0)) - rest
    for place, name in enumerate(VOLTAGES):
        if name in names:
            nominal = value(getattr(neuron, name))
            shift = sigma * jr.normal(jr.fold_in(voltage_key, place), neuron.shape) * span
            made = eqx.tree_at(lambda n, name=name: getattr(n, name), made, _kept(nominal + shift, names[name]))
    return Prepared(made)


def as_on_chip(neuron: AbstractNeuron) -> AbstractNeuron:
    """A `neuron` that fires once a step, is reset to a value, and gives its spikes out at once."""
    changes: dict[str, Any] = {"synaptic_delay": 0} if hasattr(neuron, "synaptic_delay") else {}
    firing = getattr(neuron, "firing", None)
    if firing is not None:
        refractory = firing.refractory
        changes["firing"] = Firing(reset="zero", refractory=refractory, surrogate=firing.surrogate)
    return dataclasses.replace(neuron, **changes)


def _kept(found: Float[Array, "..."], stays_positive: bool) -> Array | Positive:
    if not stays_positive:
        return found
    return Positive(jnp.log(jnp.maximum(found, jnp.finfo(found.dtype).tiny)))
