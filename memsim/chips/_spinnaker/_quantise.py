"""From the floats of a layer to the integers of a SpiNNaker core.

What a word, a current and a membrane of one stand for is chosen so that nothing overflows, whatever the spikes: a ring
buffer holds the largest sum of weights of one sign, currents stay below 2^12 and membranes below 2^15 of the 2^16 that
S16.15 holds. So weights share 16 bits with the sum of a neuron's weights of one sign.
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, UInt

from .._network._stages import Dynamics, Stage
from .._sums._quantised import Quantised, quantised
from ._ring import RING, Pair
from ._rule import Neurons, Synapse

POINT, ONE = 15, 1 << 15  # bits of a fraction in S16.15, and what 1 is
CURRENT, MEMBRANE = 12, 15  # bits before the point that the largest current and membrane may take
SLOWEST = ONE - 1  # the largest decay of a membrane that still takes input


class Scales(NamedTuple):
    """In the network's units: the weight of one word, and a current and a membrane of 1 (the shift is the chip's)."""

    word: Float[Array, ""]
    shift: Int[Array, ""]
    current: Float[Array, "#units"]
    membrane: Float[Array, ""]


def ratio(decay: Float[Array, "..."]) -> Float[Array, "..."]:
    """dt / tau of a decay a step, as the chip's tools hold it: with 15 fractional bits, rounded down."""
    # 2^-8: float32 decays of time constants that divide 2^15 are off by up to 2^-9 of a unit.
    return jnp.floor(-ONE * jnp.log(decay) + 2.0**-8) / ONE


def membrane_decay(decay: Float[Array, "..."]) -> Int[Array, "..."]:
    """S16.15, rounded down, as the chip's tools do; at most 32767, since a membrane without a leak takes no input."""
    found = jnp.floor(ONE * jnp.exp(-ratio(decay)) + 2.0**-8).astype(jnp.int32)
    return jnp.minimum(found, SLOWEST)


def synapse_factors(decay: Float[Array, "..."]) -> tuple[UInt[Array, "..."], UInt[Array, "..."]]:
    r"""The decay of a current, $d$, and the factor on what arrives, $(\tau/dt) (1 - d)$, both U0.32.

    The exponential of the chip's tools is off by up to 5000 of 2^32, by no closed form. This one is exact to float32,
    256 of 2^32: the integers of a board are to be read from it.
    """
    x, exact = ratio(decay), -jnp.log(decay)
    gain = jnp.where(x > 0, -jnp.expm1(-x) / jnp.where(x > 0, exact, 1.0), 1.0)
    return _fraction(jnp.exp(-x)), _fraction(gain)


def _fraction(x: Float[Array, "..."]) -> UInt[Array, "..."]:
    below_one = jnp.float32(1.0 - 2.0**-24)
    return (jnp.minimum(x, below_one) * jnp.float32(2.0**32)).astype(jnp.uint32)


class Settings(NamedTuple):
    """A layer in the numbers of the chip; `unit` is what one step of its membrane is in the network's."""

    words: Int[Array, "outputs inputs"]
    feedback: Int[Array, "outputs outputs"] | None
    neurons: Neurons
    shift: Int[Array, ""]
    start: Pair | None
    unit: Float[Array, ""]
    report: Quantised


@eqx.filter_jit
def settings(layer: Stage, *, nearest: bool = True) -> Settings:
    """A layer's integers."""
    synapses, feedback, dynamics = layer.synapses(), layer.feedback(), layer.dynamics()
    gain = jnp.expand_dims(dynamics.gain, 1)
    wanted = [synapses.weight * gain] + ([] if feedback is None else [feedback.weight * gain])
    bias = dynamics.gain * (synapses.bias + (0.0 if feedback is None else feedback.bias))
    decay = dynamics.current_decay
    lasting = jnp.ones_like(bias) if decay is None else 1.0 / jnp.maximum(1.0 - decay, 1.0 / ONE)
    constant = dynamics.offset + bias * lasting
    units = scales(dynamics, _largest_sum(jnp.concatenate(wanted, axis=1)), constant)
    words = [as_words(each, units.word) for each in wanted]
    start = None
    if decay is not None:  # what of a constant current is not there yet, and would be of a bias that passes a synapse
        missing = fixed(bias * lasting * decay ** (1 - dynamics.synaptic_delay) / units.current)
        start = Pair(jnp.maximum(-missing, 0), jnp.maximum(missing, 0))
    return Settings(
        words[0],
        words[1] if feedback is not None else None,
        neurons(dynamics, units, constant, nearest=nearest),
        units.shift,
        start,
        units.membrane / ONE,
        quantised(layer.path, wanted[0] / units.word, words[0], largest=RING),
    )


def _largest_sum(weight: Float[Array, "outputs inputs"]) -> Float[Array, ""]:
    """Over the weights of one sign, of any neuron."""
    sums = jnp.stack([jnp.sum(jnp.maximum(sign * weight, 0), axis=1) for sign in (1, -1)])
    return jnp.max(sums)


def scales(dynamics: Dynamics, largest: Float[Array, ""], constant: Float[Array, " units"]) -> Scales:
    """Units in which nothing overflows.

    **Arguments:**

    - `largest`: Sum of weights of one sign, of any neuron.
    - `constant`: Input of each step to a membrane, spikes apart.
    """
    decay = dynamics.current_decay
    lasting = jnp.ones(()) if decay is None else 1.0 / jnp.maximum(jnp.min(1.0 - decay), 1.0 / ONE)
    largest = jnp.where(largest > 0, largest, 1.0)
    leak = 1.0 - membrane_decay(dynamics.decay).astype(jnp.float32) / ONE
    highest = jnp.max((largest * lasting + jnp.abs(constant)) / leak)
    for level in (dynamics.threshold, dynamics.v_reset):
        highest = highest if level is None else jnp.maximum(highest, jnp.max(jnp.abs(level)))
    shift = jnp.clip(jnp.floor(CURRENT - 1 - jnp.log2(lasting)), 0, POINT - 1).astype(jnp.int32)
    word = largest / RING
    gain = jnp.ones(()) if decay is None else synapse_factors(decay)[1].astype(jnp.float32) / 2.0**32
    return Scales(
        word=word,
        shift=shift,
        current=jnp.atleast_1d(word * jnp.exp2(POINT - shift.astype(jnp.float32)) / gain),
        membrane=jnp.exp2(jnp.ceil(jnp.log2(highest)) - MEMBRANE),
    )


def neurons(dynamics: Dynamics, units: Scales, constant: Float[Array, " units"], *, nearest: bool) -> Neurons:
    """The chip's neurons. `constant` is what each membrane is given in every step, in the network's units."""
    decay = membrane_decay(dynamics.decay)
    leak = 1.0 - decay.astype(jnp.float32) / ONE
    factors = None if dynamics.current_decay is None else synapse_factors(dynamics.current_decay)
    never = jnp.full_like(decay, 2**31 - 1)
    return Neurons(
        membrane_decay=decay,
        resistance=fixed(units.current / units.membrane / leak),
        rest=jnp.zeros_like(decay),
        reset=fixed(dynamics.v_reset / units.membrane),
        threshold=never if dynamics.threshold is None else fixed(dynamics.threshold / units.membrane),
        offset=fixed(constant / units.current),
        refractory=jnp.full_like(decay, dynamics.refractory) if dynamics.refractory else None,
        synapse=None if factors is None else Synapse(*(Pair(each, each) for each in factors)),
        nearest=nearest,
    )


def fixed(x: Float[Array, "..."]) -> Int[Array, "..."]:
    """S16.15, the nearest."""
    return jnp.round(x * ONE).astype(jnp.int32)


def as_words(weight: Float[Array, "outputs inputs"], word: Float[Array, ""]) -> Int[Array, "outputs inputs"]:
    """Words with a sign, the nearest."""
    return jnp.clip(jnp.round(weight / word), -RING, RING).astype(jnp.int32)
