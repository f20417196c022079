"""The first-order filter that membranes and synaptic currents are made of."""

from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Inexact

from ._parameters import value

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


def check_leak(dt: float, decay: str, gain: str, **taus: Any) -> None:
    """Raises `ValueError` for a time step, a decay or a gain that does not exist, or an Euler step too long."""
    check_dt(dt)
    if decay not in ("exponential", "euler"):
        raise ValueError(f'`decay` must be "exponential" or "euler". Got {decay!r}.')
    if gain not in ("one", "leak", "euler"):
        raise ValueError(f'`gain` must be "one", "leak" or "euler". Got {gain!r}.')
    for name, tau in taus.items():
        if decay == "euler" and isinstance(tau, float) and tau < dt:
            raise ValueError(
                f"An Euler step must be no longer than the time constant, both in seconds. Got dt={dt} and "
                f'{name}={tau}. Shorten dt, or use decay="exponential".'
            )


def check_dt(dt: float) -> None:
    """Raises `ValueError` for a time step that is none."""
    if not 0 < dt < float("inf"):
        raise ValueError(f"`dt` must be positive, in seconds. Got dt={dt}.")


def _is(x: Any, constant: float) -> bool:
    return isinstance(x, float) and x == constant
