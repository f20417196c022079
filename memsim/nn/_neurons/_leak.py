"""The first-order filter that membranes and synaptic currents are made of."""

from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Inexact

from ..._checks import numbers
from ._parameters import Positive, value

LONGEST, LONGEST_ADAPTATION = 1.0, 10.0  # seconds: of membranes and synapses, and of what adapts
FORGOTTEN = 20.0  # time constants, after which float32 keeps nothing of a state
ROUNDING = 1e-5  # relative; a trained time constant is stored by its logarithm, in float32
Decay = Literal["exponential", "euler"]
Gain = Literal["one", "leak", "euler"]


class Leak(NamedTuple):
    r"""One step of a leaky integrator, $v \to \alpha v + g x + o$; `None` stands for $\alpha = 1$, $g = 1$, $o = 0$.

    A complex $\alpha$ makes a resonator of it, with a complex $v$.
    """

    decay: Inexact[Array, "*units"] | None
    gain: Inexact[Array, "*units"] | None
    offset: Inexact[Array, "*units"] | None

    def __call__(self, v: Inexact[Array, "*shape"], x: Float[Array, "*shape"]) -> Inexact[Array, "*shape"]:
        return (v if self.decay is None else self.decay * v) + self.drive(x.astype(v.dtype))

    def drive(self, x: Inexact[Array, "*shape"]) -> Inexact[Array, "*shape"]:
        """What an input adds in one step."""
        x = x if self.gain is None else self.gain * x
        return x if self.offset is None else x + self.offset

    def over_time(
        self, v: Inexact[Array, "*shape"], xs: Inexact[Array, "steps *shape"]
    ) -> Inexact[Array, "steps *shape"]:
        """All steps from `v` at once by an associative scan: logarithmic depth, more memory traffic."""
        driven = jax.vmap(self.drive)(xs.astype(v.dtype))
        if self.decay is None:
            return v[None] + jnp.cumsum(driven, 0)
        decays = jnp.broadcast_to(self.decay, xs.shape)
        driven = driven.at[0].add(decays[0] * v)
        return jax.lax.associative_scan(lambda a, b: (a[0] * b[0], b[0] * a[1] + b[1]), (decays, driven))[1]


def leak(tau: Any, dt: float, decay: Decay, gain: Gain, resistance: Any = 1.0, rest: Any = 0.0) -> Leak:
    r"""The `Leak` of $\tau\,\dot v = -(v - v_\mathrm{rest}) + r x$ in one of the discretisations in use.

    `decay` "exponential" is $\alpha = e^{-dt/\tau}$, "euler" is $\alpha = 1 - dt/\tau$. `gain` "one" adds $r x$ in each
    step, "leak" adds $(1 - \alpha) r x$, and "euler" adds $(dt/\tau) r x$.
    """
    ratio = dt / value(tau)
    alpha = jnp.exp(-ratio) if decay == "exponential" else 1 - ratio
    gained = {"one": None, "leak": 1 - alpha, "euler": ratio}[gain]
    if not _is(resistance, 1.0):
        gained = value(resistance) if gained is None else gained * value(resistance)
    return Leak(alpha, gained, None if _is(rest, 0.0) else (1 - alpha) * value(rest))


def check_times(dt: float, decay: Decay, *, longest: float = LONGEST, **taus: float | Positive) -> None:
    """Raises `ValueError` for time constants, known here, that do not go with the time step `dt`.

    They must not be above `longest` seconds, or 1000 steps where that is more, nor so short that a state is forgotten
    within a step.
    """
    for name, tau in taus.items():
        for found in numbers(tau.value if isinstance(tau, Positive) else tau):
            shortest, most = float(found.min()), float(found.max())
            if decay == "euler" and shortest < dt * (1 - ROUNDING):
                raise ValueError(
                    f"An Euler step must be no longer than the time constant, both in seconds. Got dt={dt} and "
                    f'{name}={shortest:g}. Shorten dt, or use decay="exponential".'
                )
            if shortest < dt / FORGOTTEN:
                raise ValueError(
                    f"`dt` must be at most {FORGOTTEN:g} time constants, after which nothing is left of a state. Got "
                    f"dt={dt} and {name}={shortest:g}. Milliseconds? Multiply by 1e-3. No memory? Use `Threshold`."
                )
            if most > max(longest, 1000 * dt):
                raise ValueError(
                    f"`{name}` must be at most {longest:g} s, or 1000 time steps. Got {name}={most:g} with dt={dt}. "
                    "Milliseconds? Multiply by 1e-3. No leak? Use `IF` or `Integrator`."
                )


def _is(x: Any, constant: float) -> bool:
    return isinstance(x, float) and x == constant
