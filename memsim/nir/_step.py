r"""Between a filter's own step and the differential equation that NIR writes.

NIR says $\tau\,\dot v = (v_\mathrm{leak} - v) + r x$. Its Euler step and, for an input constant over the step, its
exponential one are both $v \to \alpha v + (1 - \alpha)(v_\mathrm{leak} + r x)$, with $\alpha = 1 - dt/\tau$ and
$\alpha = e^{-dt/\tau}$.
"""

from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._checks import positive, whole

SIZES = whole(1)._replace(what="a whole number of at least 1, or a tuple of them")
STEP = positive("in seconds", most=1.0, hint="Milliseconds? Multiply by 1e-3.")
Discretisation = Literal["euler", "exponential"]
ROUNDING = 1e-5  # relative; the arrays of a file are often float32, and 1 - alpha may be small
Values = Float[np.ndarray, "..."]


class Filter(NamedTuple):
    """The settings of one of our filters: those of `memsim.nn.LI` but for its offset."""

    tau: Any
    decay: str
    gain: str
    factor: Any


def equation(f: Filter, dt: float, discretisation: Discretisation) -> tuple[Values, Values]:
    """The time constant in seconds and the input factor `r` with which the stated discretisation is the filter's step.

    Raises `ValueError` where there are none.
    """
    tau, factor = numbers(f.tau), numbers(f.factor)
    lost = _lost(tau, dt, f.decay)  # 1 - alpha
    if f.decay != discretisation:
        if discretisation == "exponential" and (lost >= 1).any():
            raise ValueError(
                "must keep some of its state in a step to be written as an exponential decay. Got a time constant of "
                'one step; use discretisation="euler".'
            )
        tau = dt / lost if discretisation == "euler" else -dt / np.log1p(-lost)
    gained = {"leak": factor, "one": factor / lost, "euler": factor * dt / numbers(f.tau) / lost}[f.gain]
    return np.asarray(tau), np.asarray(gained)


def filter_of(tau: Values, r: Values, dt: float, discretisation: Discretisation) -> Filter:
    """The filter whose step is the stated discretisation of the equation; an input that enters unscaled is told so."""
    unscaled = r * _lost(tau, dt, discretisation)
    euler = discretisation == "euler"
    tau = _with_ratio(tau, dt) if euler else tau
    if np.allclose(unscaled, 1, rtol=0, atol=ROUNDING):
        return Filter(tau, discretisation, "one", np.ones(()))
    return Filter(tau, discretisation, "euler" if euler else "leak", r)


def numbers(x: Any) -> Values:
    """A parameter of ours as float64: a constant as exactly as it was typed."""
    return np.asarray(x if isinstance(x, float) else getattr(x, "value", x), np.float64)


def parameter_of(x: Values) -> float | Array:
    """A parameter of ours from an array: a number where all neurons share it."""
    first = x.reshape(-1)[0]
    return float(first) if (x == first).all() else jnp.asarray(x, jnp.result_type(float))


def _with_ratio(tau: Values, dt: float) -> Values:
    """The same time constants, or their neighbours if `dt` over those, as our neurons work it out, is dt / tau rounded.

    Of 3 steps of 1e-4 s, float32 makes 1 / 3 less one rounding, and a membrane that an input of 3 would take to its
    threshold stays below it.
    """
    kind = np.dtype(jnp.result_type(float)).type
    near, right = np.asarray(tau, kind), np.asarray(dt / tau, kind)
    found = tau
    for other in (np.nextafter(near, kind(np.inf)), np.nextafter(near, kind(0)), near):
        found = np.where(kind(dt) / other == right, other, found)
    return np.where(kind(dt) / near == right, tau, found)


def _lost(tau: Values, dt: float, decay: str) -> Values:
    return np.asarray(-np.expm1(-dt / tau) if decay == "exponential" else dt / tau)


def kept(tau: Values, dt: float, decay: str) -> Values:
    r"""$\alpha$, what is left of a state after a step."""
    return np.asarray(1 - _lost(tau, dt, decay))
