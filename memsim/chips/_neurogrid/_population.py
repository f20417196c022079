r"""Populations of neurons that stand for values: encoders by shared synapses and an arbor, decoders by least squares.

Neurogrid's synapses have one weight a type. What makes neurons differ is where inputs enter the array, how far its
resistive grid spreads them, $e^{-d / \lambda}$ along rows and columns, and mismatch. Decoders are found for what the
neurons are, on the host, as the Neural Engineering Framework does.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from ..._checks import Checked, check, positive, whole
from ._rule import Soma, rate

SAMPLES = 512  # values on which decoders are found
RIDGE = 0.1  # noise that decoders are made to bear, relative to the largest rate


class Population(Checked):
    """Neurons of Neurogrid that stand for a value, and give out a function of it.

    **Arguments:**

    - `neurons`: How many, on a grid that is as square as it can be.
    - `dimensions`: Of the value.
    - `function`: Of the value, (dimensions,) to (outputs,); `None` passes it on.
    - `radius`: The largest length of the value.
    - `tau_syn`: Time constant of the synapses that it comes in by, in seconds.

    Reference: Benjamin2014.

    >>> import jax.numpy as jnp, memsim as ms
    >>> square = ms.chips.Population(256, function=jnp.square)
    >>> square.dimensions, bool(ms.chips.neurogrid().fits(square))
    (1, True)
    """

    neurons: int = eqx.field(static=True)
    dimensions: int = eqx.field(static=True, default=1)
    function: Callable[[Array], Array] | None = eqx.field(static=True, default=None)
    radius: float = eqx.field(static=True, default=1.0)
    tau_syn: float = eqx.field(static=True, default=0.1)

    def __check_init__(self):
        hint = "Milliseconds? Multiply by 1e-3."
        check(
            self,
            neurons=whole(1),
            dimensions=whole(1),
            radius=positive(),
            tau_syn=positive("in seconds", most=10.0, hint=hint),
        )

    @property
    def outputs(self) -> int:
        """Numbers that it gives out."""
        value = jax.ShapeDtypeStruct((self.dimensions,), jnp.result_type(float))
        found = jax.eval_shape(self.passed_on, value)
        return math.prod(found.shape)

    def passed_on(self, value: Float[Array, " dimensions"]) -> Any:
        """The function of a value, as an array."""
        return value if self.function is None else jnp.asarray(self.function(value))


class Neurons(NamedTuple):
    """A population as one chip has it: the current of a neuron is `encoders @ value + bias`."""

    encoders: Float[Array, "neurons dimensions"]
    bias: Float[Array, " neurons"]
    start: Float[Array, " neurons"]


def fabricated(
    population: Population, *, spread: float, arbor: float, gain: float, bias: float, key: Key[Array, ""]
) -> Neurons:
    r"""The neurons of a chip.

    Threshold voltages deviate by a normal $\delta$, which a subthreshold current feels as $e^{\delta / n U_T}$: gains,
    constant currents and rheobases are log-normal, of mean 1 and standard deviation `spread`.
    """
    tap_key, start_key, *keys = jr.split(key, 5)
    n = population.neurons
    gains, biases, rheobases = (log_normal(spread, n, key=each) for each in keys)
    e = encoders(n, population.dimensions, arbor, key=tap_key) / population.radius
    factor = jnp.expand_dims(gain * gains / rheobases, 1)
    return Neurons(e * factor, bias * biases / rheobases, jr.uniform(start_key, (n,)))


def encoders(neurons: int, dimensions: int, arbor: float, *, key: Key[Array, ""]) -> Float[Array, "neurons dimensions"]:
    """Of taps of both signs, one in eight neurons for each dimension, spread by the grid; their mean square is 1."""
    rows = max(r for r in range(1, math.isqrt(neurons) + 1) if neurons % r == 0)
    columns = neurons // rows
    signs = jr.rademacher(key, (dimensions, rows, columns), jnp.float32)
    tapped = jr.uniform(jr.fold_in(key, 1), signs.shape) < 1 / 8
    along = [_spread(n, arbor) for n in (rows, columns)]
    spread = jnp.einsum("rs,dsc,ck->drk", along[0], jnp.where(tapped, signs, 0.0), along[1])
    flat = spread.reshape(dimensions, neurons).T
    size = jnp.sqrt(jnp.mean(jnp.sum(flat**2, axis=1)))
    return flat / jnp.maximum(size, jnp.finfo(flat.dtype).tiny)


def _spread(n: int, arbor: float) -> Float[Array, "n n"]:
    """How much of an input at one place of a line reaches another."""
    places = jnp.arange(n, dtype=jnp.result_type(float))
    return jnp.exp(-jnp.abs(places[:, None] - places[None]) / arbor)


def decoders(
    population: Population, neurons: Neurons, to: Soma, *, key: Key[Array, ""]
) -> Float[Array, "outputs neurons"]:
    """By least squares from the rates at which the neurons fire, with a ridge for the noise of their spikes."""
    direction_key, length_key = jr.split(key)
    direction = jr.normal(direction_key, (SAMPLES, population.dimensions))
    direction = direction / jnp.linalg.norm(direction, axis=1, keepdims=True)
    length = population.radius * jr.uniform(length_key, (SAMPLES, 1)) ** (1 / population.dimensions)
    values = direction * length
    wanted = jax.vmap(lambda value: population.passed_on(value).reshape(-1))(values)
    rates = rate(to, values @ neurons.encoders.T + neurons.bias[None])
    ridge = SAMPLES * (RIDGE * jnp.maximum(jnp.max(rates), 1e-3)) ** 2
    gram = rates @ rates.T + ridge * jnp.eye(SAMPLES)
    return jnp.linalg.solve(gram, wanted).T @ rates


def log_normal(sigma: float, size: int, *, key: Key[Array, ""]) -> Float[Array, " size"]:
    """Factors of mean 1 and standard deviation `sigma`."""
    s2 = jnp.log1p(jnp.square(jnp.asarray(sigma, jnp.result_type(float))))
    return jnp.exp(jnp.sqrt(s2) * jr.normal(key, (size,)) - s2 / 2)
