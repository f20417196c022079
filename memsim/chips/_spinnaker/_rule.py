"""One step of the leaky integrate-and-fire neurons of a SpiNNaker core: fixed point with 15 fractional bits."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from .._whole import product_shifted, times_unsigned_fraction
from ._ring import Pair


class Synapse(NamedTuple):
    r"""Factors U0.32: on a current a step, $e^{-dt/\tau}$, and on what arrives, $(\tau/dt)(1 - e^{-dt/\tau})$."""

    decay: Pair
    gain: Pair


class Neurons(eqx.Module):
    r"""The integers that a core keeps of its neurons, one or one a neuron.

    Numbers are S16.15, 32 bits of which 15 are fractional; factors on currents are U0.32, unsigned with 32 fractional
    bits.

    **Arguments:**

    - `membrane_decay`: $E = e^{-dt/\tau}$, S16.15.
    - `resistance`, `rest`, `reset`, `threshold`, `offset`: $R$, $V_\mathrm{rest}$, $V_\mathrm{reset}$, $\theta$ and the
      constant current $I_\mathrm{off}$, S16.15.
    - `refractory`: Steps after a spike in which the membrane stays.
    - `synapse`: What currents do. `None` is the delta synapse: what arrives is the current of its step, and is
      gone after it.
    - `nearest`: Whether products of the membrane round to the nearest number, as the code of today does, or down, as
      older code did.
    """

    membrane_decay: Int[Array, "*#neurons"]
    resistance: Int[Array, "*#neurons"]
    rest: Int[Array, "*#neurons"]
    reset: Int[Array, "*#neurons"]
    threshold: Int[Array, "*#neurons"]
    offset: Int[Array, "*#neurons"]
    refractory: Int[Array, "*#neurons"]
    synapse: Synapse | None
    nearest: bool = eqx.field(static=True, default=True)


class State(NamedTuple):
    """Membranes after their reset and the currents before the next input, both S16.15, and steps still to wait."""

    membrane: Int[Array, "*neurons"]
    currents: Pair | None
    wait: Int[Array, "*neurons"]


class Step(NamedTuple):
    """What a step shows: spikes, the membrane before its reset, and the currents that moved it."""

    spikes: Bool[Array, "*neurons"]
    membrane: Int[Array, "*neurons"]
    currents: Pair | Int[Array, "*neurons"]


def initial(neurons: Neurons, size: int) -> State:
    """Membranes at rest, no currents."""
    zero = jnp.zeros((size,), jnp.int32)
    currents = None if neurons.synapse is None else Pair(zero, zero)
    return State(jnp.broadcast_to(neurons.rest, (size,)), currents, zero)


def step(neurons: Neurons, state: State, arriving: Pair | Int[Array, "*neurons"]) -> tuple[State, Step]:
    r"""Adds what arrives, moves the membrane, fires and resets, and lets the currents decay.

    $I_k \mathrel{+}= g_k\,x_k$; $\alpha = R (I_e - I_i + I_\mathrm{off}) + V_\mathrm{rest}$ and
    $V = \alpha - E (\alpha - V)$ unless refractory; a spike where $V \ge \theta$. All in 32 bits that wrap.
    `arriving` are the words of the ring buffers after their shift, S16.15; their difference for a delta synapse.
    """
    currents, current = _currents(neurons, state, arriving)
    waiting = state.wait > 0
    membrane = jnp.where(waiting, state.membrane, _moved(neurons, state.membrane, current))
    spikes = membrane >= neurons.threshold
    wait = jnp.where(spikes, neurons.refractory, state.wait - waiting.astype(jnp.int32))
    kept = None
    if neurons.synapse is not None:
        kept = jax.tree.map(times_unsigned_fraction, currents, neurons.synapse.decay)
    return State(jnp.where(spikes, neurons.reset, membrane), kept, wait), Step(spikes, membrane, currents)


def _currents(neurons: Neurons, state: State, arriving: Pair | Array) -> tuple[Pair | Array, Int[Array, "*neurons"]]:
    """The currents with what arrives, and the one that moves the membrane."""
    if neurons.synapse is None:
        assert not isinstance(arriving, Pair)  # a delta synapse keeps nothing that would be told apart
        return arriving, arriving
    given = jax.tree.map(times_unsigned_fraction, arriving, neurons.synapse.gain)
    currents = jax.tree.map(jnp.add, state.currents, given)
    return currents, currents.excitation - currents.inhibition


def _moved(neurons: Neurons, membrane: Int[Array, "*neurons"], current: Int[Array, "*neurons"]):
    drive = product_shifted(current + neurons.offset, neurons.resistance, 15, nearest=neurons.nearest)
    target = drive + neurons.rest
    return target - product_shifted(target - membrane, neurons.membrane_decay, 15, nearest=neurons.nearest)


def run(neurons: Neurons, arriving: Pair | Int[Array, "steps *neurons"], state: State) -> tuple[State, Step]:
    """All steps, one after the other; the second result has a row a step."""
    return jax.lax.scan(lambda state, now: step(neurons, state, now), state, arriving)
