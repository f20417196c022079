r"""The neuron of Loihi 1, as three public simulators compute it.

$u \to u(4096 - d_u - 1)/4096 + 2^6 a$, $v \to v(4096 - d_v)/4096 + u + b$, both decays towards zero; a spike where $v$
is above its threshold, which sets $v$ to zero in the same step. What differs stands in a `Variant`. No public tool
tells which of the three the silicon does where they disagree: for odd weights of mixed sign, and for weight exponents
below 0.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from .._sums._whole import times_fraction, wrap

DECAY, ONE, CURRENT = 12, 4096, 6  # bits of a decay, what they stand for, and those that sums of weights are shifted by
BITS = 24  # of current and membrane
RAIL = (1 << (BITS - 1)) - 1


class Variant(NamedTuple):
    """In what simulators of Loihi 1 differ.

    **Arguments:**

    - `sum_bits`: To which the sum over synapses wraps; `None` leaves it.
    - `wraps`: How the current wraps at 24 bits: by one period at most ("once"), "fully", or "never".
    - `rails`: Whether the membrane ends at those of its compartment.
    - `one_more`: By how much more than $d_u$ a current decays.
    """

    sum_bits: int | None
    wraps: str
    rails: bool
    one_more: int


LAVA = Variant(sum_bits=None, wraps="once", rails=True, one_more=1)
NENGO = Variant(sum_bits=22, wraps="fully", rails=True, one_more=1)
BRIAN2 = Variant(sum_bits=None, wraps="never", rails=False, one_more=0)
SLAYER = Variant(sum_bits=None, wraps="never", rails=False, one_more=0)  # of lava-dl, which trains for Loihi 2


class Compartments(NamedTuple):
    """What a layer is set to, in units of the membrane: one value, or one a neuron.

    **Arguments:**

    - `current_decay`, `decay`: $d_u$ and $d_v$, from 0 to 4095.
    - `threshold`, `bias`: With their shifts.
    - `held`: Steps for which a membrane stays at zero after the step of its spike.
    - `floor`, `ceiling`: Where the membrane ends.
    """

    current_decay: Int[Array, "..."]
    decay: Int[Array, "..."]
    threshold: Int[Array, "..."]
    bias: Int[Array, "..."]
    held: Int[Array, "..."]
    floor: Int[Array, "..."]
    ceiling: Int[Array, "..."]


class Neurons(NamedTuple):
    """Synaptic currents, membranes after their reset, and steps for which they are still held at zero."""

    current: Int[Array, " units"]
    membrane: Int[Array, " units"]
    wait: Int[Array, " units"]


def step(
    to: Compartments, neurons: Neurons, a: Int[Array, " units"], *, variant: Variant
) -> tuple[Neurons, Bool[Array, " units"], Int[Array, " units"]]:
    """The neurons after a step with the weighted sum `a`, shift included; who fires; the membranes before the reset."""
    if variant.sum_bits is not None:
        a = wrap(a, variant.sum_bits)
    current = times_fraction(neurons.current, ONE - to.current_decay - variant.one_more, DECAY) + a
    if variant.wraps == "once":
        period = 1 << BITS
        current = jnp.where(current > 1 << (BITS - 1), current - period, current)
        current = jnp.where(current <= -(1 << (BITS - 1)), current + period, current)
    elif variant.wraps == "fully":
        current = wrap(current, BITS)
    drive = wrap(current + to.bias, BITS) if variant.wraps == "fully" else current + to.bias
    membrane = times_fraction(neurons.membrane, ONE - to.decay, DECAY) + drive
    if variant.rails:
        membrane = jnp.clip(membrane, to.floor, to.ceiling)
    held = neurons.wait > 0
    membrane = jnp.where(held, 0, membrane)
    fires = (membrane > to.threshold) & ~held
    after = Neurons(current, jnp.where(fires, 0, membrane), jnp.where(fires, to.held, jnp.maximum(neurons.wait - 1, 0)))
    return after, fires, membrane
