r"""One tick of the neurons of a TrueNorth core: a leak that is a constant, and chance where a neuron is set to it.

$V \mathrel{+}= \sum_i A_i c_{ij} w_{j,\mathrm{type}(i)}$, then $V \mathrel{+}= \lambda_j$; a spike where
$V \ge \alpha_j$, and a reset without one where $V$ is below the floor $-\beta_j$. What RANC has not is `None` in its
neurons.
"""

from typing import Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Int, Key

from .._sums._whole import exact_product, wrap

AXONS, NEURONS, TYPES = 256, 256, 4  # of a core, and types of its axons
LARGEST = 256  # weights have 9 bits with their sign
CLIP = 393_216  # where a published transcription of IBM's neuron ends the potential
ABSOLUTE, LINEAR, NONE = 0, 1, 2  # modes of a reset


class Chance(NamedTuple):
    r"""What of a neuron is random, by an 8-bit number $\rho$ a draw, uniform from 0 to 255.

    **Arguments:**

    - `synapses`: Types whose weight $w$ adds its sign where $|w| \ge \rho$, and nothing otherwise.
    - `leak`: Whether the leak does likewise.
    - `mask`: Of the bits of a draw that are added to threshold and floor.
    """

    synapses: Bool[Array, "neurons types"]
    leak: Bool[Array, " neurons"]
    mask: Int[Array, " neurons"]


class Neurons(eqx.Module):
    """What the neurons of a core are set to.

    **Arguments:**

    - `weights`: Of each neuron for each of the four types of axon.
    - `leak`: Added in each tick.
    - `threshold`, `floor`: A spike at or above the first; the second is negative.
    - `reset`: Potential after an absolute reset; its negative after one at the floor.
    - `mode`: 0, an absolute reset; 1, a linear one, that takes threshold or floor off; 2, none.
    - `clamps`: Whether the potential ends at the floor instead of being reset there.
    - `reverses`: Whether the leak has the sign of the potential: a negative one moves it to zero.
    - `chance`: What is random.
    - `floor_resets`: A potential "below" the floor, or one that is "at" it, too.
    - `width`: Bits of the potential, which wraps.
    - `clip`: Largest size of the potential.
    """

    weights: Int[Array, "neurons types"]
    leak: Int[Array, " neurons"]
    threshold: Int[Array, " neurons"]
    floor: Int[Array, " neurons"]
    reset: Int[Array, " neurons"]
    mode: Int[Array, " neurons"]
    clamps: Bool[Array, " neurons"] | None = None
    reverses: Bool[Array, " neurons"] | None = None
    chance: Chance | None = None
    floor_resets: Literal["below", "at"] = eqx.field(static=True, default="below")
    width: int | None = eqx.field(static=True, default=None)
    clip: int | None = eqx.field(static=True, default=None)


class Tick(NamedTuple):
    """What a tick leaves: spikes, the potential after its reset, and the one before."""

    spikes: Bool[Array, " neurons"]
    potential: Int[Array, " neurons"]
    before: Int[Array, " neurons"]


def drive(
    neurons: Neurons,
    crossbar: Bool[Array, "neurons axons"],
    types: Int[Array, " axons"],
    xs: Bool[Array, "*ticks axons"],
) -> Int[Array, "*ticks neurons"]:
    """What active axons add to each neuron by weights that are not random."""
    weights = neurons.weights
    if neurons.chance is not None:
        weights = jnp.where(neurons.chance.synapses, 0, weights)
    wired = jnp.where(crossbar, jnp.take(weights, types, axis=1), 0)
    return exact_product(xs.astype(jnp.int32), wired, most=1, largest=LARGEST)


def random_drive(
    neurons: Neurons,
    crossbar: Bool[Array, "neurons axons"],
    types: Int[Array, " axons"],
    x: Bool[Array, " axons"],
    *,
    key: Key[Array, ""],
) -> Int[Array, " neurons"]:
    """What one tick's active axons add by weights that are: a draw for every synapse."""
    assert neurons.chance is not None
    weights = jnp.take(neurons.weights, types, axis=1)
    heard = crossbar & jnp.expand_dims(x, 0) & jnp.take(neurons.chance.synapses, types, axis=1)
    return jnp.sum(jnp.where(heard, _drawn(weights, key), 0), axis=1, dtype=jnp.int32)


def tick(
    neurons: Neurons,
    potential: Int[Array, " neurons"],
    arriving: Int[Array, " neurons"],
    *,
    key: Key[Array, ""] | None = None,
) -> Tick:
    """Adds what arrives, then the leak; fires at the threshold, or resets at the floor."""
    leak, noise = neurons.leak, jnp.zeros_like(neurons.leak)
    if neurons.chance is not None:
        assert key is not None
        leak_key, noise_key = jr.split(key)
        leak = jnp.where(neurons.chance.leak, _drawn(leak, leak_key), leak)
        noise = _uniform(noise_key, leak.shape) & neurons.chance.mask
    moved = potential + arriving
    if neurons.reverses is not None:
        leak = jnp.where(neurons.reverses, jnp.sign(moved) * leak, leak)
    moved = _held(neurons, moved + leak)
    spikes = moved >= neurons.threshold + noise
    after = jnp.where(spikes, _after_spike(neurons, moved, noise), _after_floor(neurons, moved, noise))
    return Tick(spikes, _held(neurons, after), moved)


def _after_spike(neurons: Neurons, moved: Int[Array, " neurons"], noise: Int[Array, " neurons"]):
    linear = jnp.where(neurons.mode == LINEAR, moved - neurons.threshold - noise, moved)
    return jnp.where(neurons.mode == ABSOLUTE, neurons.reset, linear)


def _after_floor(neurons: Neurons, moved: Int[Array, " neurons"], noise: Int[Array, " neurons"]):
    """The potential where it is not below the floor, too."""
    floor = neurons.floor - noise
    linear = jnp.where(neurons.mode == LINEAR, moved - floor, moved)
    after = jnp.where(neurons.mode == ABSOLUTE, -neurons.reset, linear)
    if neurons.clamps is not None:
        floor = jnp.where(neurons.clamps, neurons.floor, floor)
        after = jnp.where(neurons.clamps, floor, after)
    low = moved < floor if neurons.floor_resets == "below" else moved <= floor
    return jnp.where(low, after, moved)


def _held(neurons: Neurons, potential: Int[Array, " neurons"]) -> Int[Array, " neurons"]:
    if neurons.clip is not None:
        return jnp.clip(potential, -neurons.clip, neurons.clip)
    return potential if neurons.width is None else wrap(potential, neurons.width)


def _drawn(size: Int[Array, "*shape"], key: Key[Array, ""]) -> Int[Array, "*shape"]:
    """The sign of each number, with a probability of (|number| + 1) / 256."""
    return jnp.where(jnp.abs(size) >= _uniform(key, size.shape), jnp.sign(size), 0)


def _uniform(key: Key[Array, ""], shape: tuple[int, ...]) -> Int[Array, "..."]:
    return jr.bits(key, shape, "uint8").astype(jnp.int32)


def run(
    neurons: Neurons,
    arriving: Int[Array, "ticks neurons"],
    potential: Int[Array, " neurons"],
    *,
    keys: Key[Array, " ticks"] | None = None,
) -> Tick:
    """All ticks, one after the other, a row each."""

    def one(potential, now):
        result = tick(neurons, potential, now[0], key=now[1])
        return result.potential, result

    return jax.lax.scan(one, potential, (arriving, keys))[1]
