"""The pulse model of NeuroSim, as a linear step: closed form, no table."""

import math

import numpy as np

from .._checks import at_least, checked, that
from .._checks._quantities import NOT_NEGATIVE
from .._sourced import Sourced, describe
from ._linear import LinearStep
from ._noise import AbsoluteNoise
from ._parts import Bounds, Steps

STEPS_OF_LABEL = 0.07 * math.sqrt(2)  # deviation of a curve from the straight line for each unit of nonlinearity
HALVINGS = 200
NEUROSIM_3 = {
    "pulses_up": Sourced(97.0, "1", "Chen2018, RealDevice of MLP+NeuroSim 3, as coded there"),
    "pulses_down": Sourced(100.0, "1", "Chen2018, RealDevice of MLP+NeuroSim 3, as coded there"),
    "nonlinearity_up": Sourced(2.4, "1", "Chen2018, RealDevice of MLP+NeuroSim 3, as coded there"),
    "nonlinearity_down": Sourced(-4.88, "1", "Chen2018, RealDevice of MLP+NeuroSim 3, as coded there"),
    "noise": Sourced(0.035, "1", "Chen2018, RealDevice of MLP+NeuroSim 3, as coded there; of the range"),
}
DEFAULT = {name: float(number) for name, number in NEUROSIM_3.items()}


@checked(
    pulses_up=at_least(1.0),
    pulses_down=at_least(1.0),
    nonlinearity_up=NOT_NEGATIVE,
    nonlinearity_down=that("finite and at most 0", lambda x: np.isfinite(x) & (x <= 0)),
    noise=NOT_NEGATIVE,
)
def neurosim(
    pulses_up: float | int = DEFAULT["pulses_up"],
    pulses_down: float | int = DEFAULT["pulses_down"],
    nonlinearity_up: float = DEFAULT["nonlinearity_up"],
    nonlinearity_down: float = DEFAULT["nonlinearity_down"],
    noise: float = DEFAULT["noise"],
) -> LinearStep:
    r"""The device of NeuroSim's pulse model, on the range from -1 to 1.

    With $g$ from 0 to 1 over $P_\mathrm{max}$ pulses, both directions follow

    $$g(P) = B(1 - e^{-P/A}), \qquad B = 1 / (1 - e^{-P_\mathrm{max}/A}),$$

    up by $P \to P + 1$ and down, with an $A$ of its own, by $P \to P - 1$. A pulse so contracts the way to $B$ (up) or
    below zero (down) by a fixed factor: a linear step, without the inversion for $P$. $A$ follows from the nonlinearity
    label: the curve's largest deviation from the straight line is $0.07\sqrt 2$ times it.

    **Arguments:**

    - `pulses_up`, `pulses_down`: $P_\mathrm{max}$ of either direction.
    - `nonlinearity_up`, `nonlinearity_down`: Labels: at least 0 up and at most 0 down, so that steps shrink on the way.
    - `noise`: Standard deviation of one pulse, in units of the range.

    The defaults are the RealDevice of MLP+NeuroSim 3. Its device-to-device spread of the labels is not modelled.

    Raises `ValueError` for a label of the other sign, or one that no curve reaches (beyond about 9).

    Reference: Chen2018.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.pulsed.neurosim(pulses_up=100, pulses_down=100, noise=0.0)
    >>> array = dm.pulsed.PulsedArray.fabricate(device, -jnp.ones(1), key=jr.key(0))
    >>> print(f"{array.pulse(jnp.array([100]), key=jr.key(1)).shown.item():.2f}")
    1.00
    """
    up, gamma_up = _direction(pulses_up, nonlinearity_up)
    down, gamma_down = _direction(pulses_down, -nonlinearity_down)
    larger = max(up, down)
    imbalance = 1 - down / up if up > down else up / down - 1
    steps = Steps(larger, imbalance, noise=AbsoluteNoise(2 * noise))
    settings = (pulses_up, pulses_down, nonlinearity_up, nonlinearity_down, noise)
    sources = tuple(describe(NEUROSIM_3)) if settings == tuple(DEFAULT.values()) else ()
    return LinearStep(steps, Bounds(-1.0, 1.0), gamma_up=gamma_up, gamma_down=gamma_down, sources=sources)


def curvature(nonlinearity: float) -> float:
    r"""$P_\mathrm{max}/A$ of a nonlinearity label, 0 for a straight line."""
    wanted = STEPS_OF_LABEL * abs(nonlinearity)
    low, high = 0.0, 700.0
    if wanted >= _deviation(high):
        raise ValueError(
            f"`nonlinearity_up` and `nonlinearity_down` must be within about -9 and 9. Got {nonlinearity}. Reduce it."
        )
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _deviation(middle) < wanted else (low, middle)
    return high if wanted > 0 else 0.0


def _direction(pulses: float | int, nonlinearity: float) -> tuple[float, float]:
    """Size of the step at weight zero, and the share of it lost at the bound."""
    k = curvature(nonlinearity)
    if k < 1e-9:
        return 2.0 / pulses, 0.0
    far = 2.0 / -math.expm1(-k) - 1.0  # the weight that pulses head for, beyond the bound at 1
    return -math.expm1(-k / pulses) * far, 1.0 / far


def _deviation(k: float) -> float:
    """Largest height of (1 - e^(-k x)) / (1 - e^(-k)) above x, in closed form."""
    if k < 1e-6:
        return k / 8
    whole = -math.expm1(-k)
    x = math.log(k / whole) / k  # where the slope is 1
    return -math.expm1(-k * x) / whole - x
