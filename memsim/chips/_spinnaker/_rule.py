"""One step of the leaky integrate-and-fire neurons of a SpiNNaker core: fixed point with 15 fractional bits."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from .._sums._whole import product_shifted, times_unsigned_fraction
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
    - `refractory`: Steps after a spike in which the membrane stays; `None` where it never does.
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
    refractory: Int[Array, "*#neurons"] | None
    synapse: Synapse | None
    nearest: bool = eqx.field(static=True, default=True)


class State(NamedTuple):
    """Membranes after their reset and the currents before the next input, both S16.15, and steps still to wait."""

    membrane: Int[Array, "*neurons"]
    currents: Pair | None
    wait: Int[Array, "*neurons"] | None


class Step(NamedTuple):
    """What a step shows: spikes, the membrane before its reset, and the currents that moved it."""

    spikes: Bool[Array, "*neurons"]
    membrane: Int[Array, "*neurons"]
    currents: Pair | Int[Array, "*neurons"]


def initial(neurons: Neurons, size: int) -> State:
    """Membranes at rest, no currents."""
    zero = jnp.zeros((size,), jnp.int32)
    currents = None if neurons.synapse is None else Pair(zero, zero)
    return State(jnp.broadcast_to(neurons.rest, (size,)), currents, None if neurons.refractory is None else zero)


def given(neurons: Neurons, arriving: Pair | Int[Array, "*neurons"]) -> Pair | Int[Array, "*neurons"]:
    """What the words of the ring buffers, shifted to S16.15, add to the currents. It needs no state."""
    if neurons.synapse is None:
        return arriving
    return jax.tree.map(times_unsigned_fraction, arriving, neurons.synapse.gain)


def step(neurons: Neurons, state: State, given: Pair | Int[Array, "*neurons"]) -> tuple[State, Step]:
    r"""Adds what is given to the currents, moves the membrane, fires and resets, and lets the currents decay.

    $I_k \mathrel{+}= g_k\,x_k$; $\alpha = R (I_e - I_i + I_\mathrm{off}) + V_\mathrm{rest}$ and
    $V = \alpha - E (\alpha - V)$ unless refractory; a spike where $V \ge \theta$. All in 32 bits that wrap.
    """
    currents = given if state.currents is None else jax.tree.map(jnp.add, state.currents, given)
    current = currents.excitation - currents.inhibition if isinstance(currents, Pair) else currents
    membrane, waiting = _moved(neurons, state.membrane, current), state.wait
    if waiting is not None:
        membrane = jnp.where(waiting > 0, state.membrane, membrane)
        waiting = jnp.maximum(waiting - 1, 0)
    spikes = membrane >= neurons.threshold
    if waiting is not None and neurons.refractory is not None:
        waiting = jnp.where(spikes, neurons.refractory, waiting)
    kept = None
    if neurons.synapse is not None:
        kept = jax.tree.map(times_unsigned_fraction, currents, neurons.synapse.decay)
    return State(jnp.where(spikes, neurons.reset, membrane), kept, waiting), Step(spikes, membrane, currents)


def _moved(neurons: Neurons, membrane: Int[Array, "*neurons"], current: Int[Array, "*neurons"]):
    drive = product_shifted(current + neurons.offset, neurons.resistance, 15, nearest=neurons.nearest)
    target = drive + neurons.rest
    return target - product_shifted(target - membrane, neurons.membrane_decay, 15, nearest=neurons.nearest)


def run(neurons: Neurons, arriving: Pair | Int[Array, "steps *neurons"], state: State) -> tuple[State, Step]:
    """All steps, one after the other; the second result has a row a step."""
    currents = jax.vmap(lambda now: given(neurons, now))(arriving)
    return jax.lax.scan(lambda state, now: step(neurons, state, now), state, currents)
