r"""The soma of Neurogrid: a quadratic integrate-and-fire neuron, solved exactly for an input constant in each step.

$\tau \dot u = -u + u^2 / 2 + I$. With $x = u - 1$, $c = 2I - 1$ and $h = dt / 2\tau$, a step is
$x \to (x C + c S) / (C - x S)$, with $C = \cos(h \sqrt c)$ and $S = \sin(h \sqrt c) / \sqrt c$, both hyperbolic
where $c < 0$. It spikes where the denominator has passed zero: $u$ has been through infinity. A constant input
above one half makes it fire at
$1 / (t_\mathrm{ref} + \frac{2\tau}{\sqrt c} (\frac{\pi}{2} - \arctan\frac{u_r - 1}{\sqrt c}))$.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

RHEOBASE = 0.5
SMALL = 1e-6  # of c, below which the neuron is solved as if it were zero


class Soma(NamedTuple):
    """Constants of neurons: time constant and refractory time in seconds, and the membrane after a spike."""

    tau: float
    refractory: float
    reset: float


class Membranes(NamedTuple):
    """Membranes, and the time in seconds for which they still rest at their reset."""

    membrane: Float[Array, " neurons"]
    wait: Float[Array, " neurons"]


def step(
    to: Soma, state: Membranes, current: Float[Array, " neurons"], dt: float
) -> tuple[Membranes, Bool[Array, " neurons"]]:
    """The membranes one `dt` later, and which have fired; the refractory time is no shorter than `dt`.

    Spikes fall between steps where they do: what is left of a step after one counts as refractory.
    """
    c, free = 2 * current - 1, jnp.maximum(dt - state.wait, 0.0)
    flat = jnp.abs(c) < SMALL
    root = jnp.sqrt(jnp.where(flat, 1.0, jnp.abs(c)))
    angle = free / (2 * to.tau) * root
    cosine = jnp.where(flat, 1.0, jnp.where(c > 0, jnp.cos(angle), jnp.cosh(angle)))
    sine = jnp.where(flat, angle, jnp.where(c > 0, jnp.sin(angle), jnp.sinh(angle)) / root)
    x = state.membrane - 1
    below = cosine - x * sine
    fires = below <= 0
    moved = 1 + (x * cosine + c * sine) / jnp.where(fires, 1.0, below)
    left = free - jnp.minimum(_time_to_infinity(to, x, c, root), free)
    wait = jnp.where(fires, to.refractory - left, jnp.maximum(state.wait - dt, 0.0))
    return Membranes(jnp.where(fires, to.reset, moved), wait), fires


def _time_to_infinity(to: Soma, x: Array, c: Array, root: Array) -> Array:
    """From `x`, where it gets there."""
    rising = jnp.pi / 2 - jnp.arctan(x / root)
    ratio = root / jnp.where(x > root, x, 2 * root)
    falling = jnp.where(jnp.abs(c) < SMALL, 1 / jnp.maximum(x, SMALL), jnp.arctanh(ratio))
    return 2 * to.tau / root * jnp.where(c >= SMALL, rising, falling)


def rate(to: Soma, current: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Spikes a second for a constant input."""
    above = current > RHEOBASE
    root = jnp.sqrt(jnp.where(above, 2 * current - 1, 1.0))
    period = 2 * to.tau / root * (jnp.pi / 2 - jnp.arctan((to.reset - 1) / root))
    return jnp.where(above, 1 / (to.refractory + period), 0.0)
