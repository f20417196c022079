"""The rules a pulsed device may follow, as functions of a few numbers that can be fitted."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._checks import judge
from .._checks._names import nearest
from ..pulsed._curved import ExpStep, PowStep
from ..pulsed._linear import ConstantStep, LinearStep, SoftBounds
from ..pulsed._noise import AbstractPulseNoise, AdditiveNoise, MultiplicativeNoise
from ..pulsed._parts import Bounds, Steps
from ..pulsed._pulsed import AbstractPulsed, PulsedCells


class Rule(NamedTuple):
    """A kind of pulsed device.

    `names` are of the numbers that shape its step, beside the two step sizes; `make` puts them into a device between
    bounds; `start` guesses them from the largest absolute weight.
    """

    names: tuple[str, ...]
    make: Callable[..., AbstractPulsed]
    start: Callable[[float, float], tuple[float, ...]]


def _soft(steps: Steps, bounds: Bounds, w_min, w_max, **settings) -> AbstractPulsed:
    return SoftBounds(steps, Bounds(w_min, w_max), **settings)


def _exponential(steps: Steps, bounds: Bounds, *shape, **settings) -> AbstractPulsed:
    return ExpStep(steps, bounds, *shape, scale=1.0, shift=0.0, **settings)


RULES = {
    "constant": Rule((), ConstantStep, lambda low, high: ()),
    "linear": Rule(("gamma_up", "gamma_down"), LinearStep, lambda low, high: (0.5, 0.5)),
    "soft_bounds": Rule(("w_min", "w_max"), _soft, lambda low, high: (1.3 * low, 1.3 * high)),
    "exponential": Rule(
        ("amplitude_up", "amplitude_down", "gamma_up", "gamma_down"),
        _exponential,
        lambda low, high: (0.3, 0.3, 1.0, 1.0),
    ),
    "power": Rule(("gamma_up", "gamma_down"), PowStep, lambda low, high: (1.0, 1.0)),
}
NOISES: dict[str, type[AbstractPulseNoise]] = {"multiplicative": MultiplicativeNoise, "additive": AdditiveNoise}


def chosen(argument: str, name: str, among: dict):
    """The entry of this `name`, or `ValueError` with the nearest."""
    judge(argument, name, str)
    if name not in among:
        near = nearest(name, among)
        raise ValueError(f"`{argument}` must be one of {list(among)}. Got {name!r}. Did you mean {near}?")
    return among[name]


def nominal(
    rule: Rule,
    up: Float[Array, ""],
    down: Float[Array, ""],
    shape: Float[Array, " shape"],
    bounds: Float[Array, " 2"],
) -> tuple[AbstractPulsed, PulsedCells]:
    """A device of this `rule` and its nominal cell, whose unshaped steps are `up` and `down`."""
    device = rule.make(Steps(1.0), Bounds(*bounds), *shape)
    low, high = (jnp.asarray(bound, up.dtype) for bound in (device.w_min, device.w_max))
    zero = jnp.zeros_like(up)
    cell = PulsedCells(up, down, low, high, reference=zero, reset=zero, lifetime=None)
    return device, device.finish(cell, key=None)


def finished(
    rule: Rule,
    noise: type[AbstractPulseNoise],
    x: Float[np.ndarray, " parameters"],
    bounds: tuple[float, float],
    sources: tuple[str, ...],
) -> AbstractPulsed:
    """The device with the fitted numbers: both steps, those of the shape, noise of a pulse, noise of a read."""
    up, down, *shape, std, read = (float(number) for number in x)
    largest = max(up, down)
    steps = Steps(
        largest,
        up_down=1 - down / up if up >= down else up / down - 1,
        noise=noise(std),
        write_noise=read / largest,
    )
    return rule.make(steps, Bounds(*bounds), *shape, sources=sources)
