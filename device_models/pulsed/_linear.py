"""Devices whose step is constant or linear in the weight."""

import dataclasses
import math
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from .._checks import check, checked, is_known, positive
from .._checks._quantities import NOT_NEGATIVE, negative
from ._parts import SPREAD, WEIGHTS, Bounds, Steps, Upkeep, deviations
from ._pulsed import AbstractPulsed, PulsedCells


class ConstantStep(AbstractPulsed):
    r"""The same step at every weight: $w \leftarrow w + s_\mathrm{up}$ or $w - s_\mathrm{down}$, between two bounds.

    Its symmetry point is the bound that the larger of the two steps leads to; zero where they are equal.

    **Arguments:**

    - `steps`, `bounds`, `upkeep`: As of any pulsed device.
    - `sources`: Where each number was read.

    Reference: Gokmen2016.

    >>> import jax.numpy as jnp, jax.random as jr, numpy as np, device_models as dm
    >>> device = dm.pulsed.ConstantStep(dm.pulsed.Steps(0.1))
    >>> array = dm.pulsed.PulsedArray.fabricate(device, (2,), key=jr.key(0))
    >>> print(np.asarray(array.pulse(jnp.array([3, -20]), key=jr.key(1)).shown).round(1))
    [ 0.3 -1. ]
    """

    steps: Steps
    bounds: Bounds = Bounds()
    upkeep: Upkeep = Upkeep()
    sources: tuple[str, ...] = eqx.field(static=True, default=())

    def step(self, cells: PulsedCells, w: Float[Array, "*cells"], up: Bool[Array, "*cells"]) -> Float[Array, "*cells"]:
        return cells.size(up)

    def symmetry_point(self, cells: PulsedCells) -> Float[Array, "*cells"]:
        return _crossing(cells, cells.up - cells.down, jnp.zeros_like(cells.up))

    def steepness(self) -> float:
        return 0.0


class Slopes(NamedTuple):
    """Share of its step that a device loses for each unit of weight, up and down."""

    up: Float[Array, "*cells"]
    down: Float[Array, "*cells"]


class LinearStep(AbstractPulsed):
    r"""A step that falls linearly towards the bound, and need not vanish there.

    $$w \leftarrow w + s_\mathrm{up}(1 - \gamma^+ w / b_\mathrm{max}), \qquad
    w \leftarrow w - s_\mathrm{down}(1 - \gamma^- w / b_\mathrm{min})$$

    with $\gamma = |\gamma + \gamma_\mathrm{dtod}\,\xi|$ of each device.

    **Arguments:**

    - `steps`, `bounds`, `upkeep`: As of any pulsed device; `w_min` negative and `w_max` positive.
    - `gamma_up`, `gamma_down`: Share of the step that is lost between zero and the bound. Not negative.
    - `gamma_dtod`: Standard deviation of both from device to device.
    - `sources`: Where each number was read.

    >>> import jax.numpy as jnp, jax.random as jr, numpy as np, device_models as dm
    >>> device = dm.pulsed.LinearStep(dm.pulsed.Steps(0.01), dm.pulsed.Bounds(), gamma_up=0.5, gamma_down=0.5)
    >>> cells = device.fabricate((3,), key=jr.key(0))
    >>> print(np.asarray(device.step_up(cells, jnp.array([-1.0, 0.0, 1.0]))).round(3))
    [0.015 0.01  0.005]
    """

    steps: Steps
    bounds: Bounds
    gamma_up: float | Float[Array, ""]
    gamma_down: float | Float[Array, ""]
    gamma_dtod: float | Float[Array, ""] = 0.0
    upkeep: Upkeep = Upkeep()
    sources: tuple[str, ...] = eqx.field(static=True, default=())

    def __check_init__(self):
        check(self, gamma_up=NOT_NEGATIVE, gamma_down=NOT_NEGATIVE, gamma_dtod=NOT_NEGATIVE)
        _check_signed(self.bounds)

    def finish(self, cells: PulsedCells, *, key: Key[Array, ""] | None) -> PulsedCells:
        spread = deviations(self.gamma_dtod, (2, *cells.up.shape), key=key)
        up, down = jnp.abs(self.gamma_up + spread[0]), jnp.abs(self.gamma_down + spread[1])
        return dataclasses.replace(cells, shape=Slopes(up / cells.w_max, down / cells.w_min))

    def step(self, cells: PulsedCells, w: Float[Array, "*cells"], up: Bool[Array, "*cells"]) -> Float[Array, "*cells"]:
        return cells.size(up) * (1.0 - jnp.where(up, cells.shape.up, cells.shape.down) * w)

    def symmetry_point(self, cells: PulsedCells) -> Float[Array, "*cells"]:
        return _linear_symmetry(cells, cells.shape)

    def steepness(self) -> float:
        return 0.0


class SoftBounds(AbstractPulsed):
    r"""A step that vanishes at the bound: `LinearStep` with $\gamma^+ = \gamma^- = 1$.

    Pulses in one direction approach the bound geometrically.

    **Arguments:**

    - `steps`, `bounds`, `upkeep`: As of any pulsed device; `w_min` negative and `w_max` positive.
    - `sources`: Where each number was read.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.pulsed.SoftBounds(dm.pulsed.Steps(0.1))
    >>> array = dm.pulsed.PulsedArray.fabricate(device, (1,), key=jr.key(0))
    >>> print(f"{array.pulse(jnp.array([10]), key=jr.key(1)).shown.item():.3f}")  # 1 - 0.9^10
    0.651
    """

    steps: Steps
    bounds: Bounds = Bounds()
    upkeep: Upkeep = Upkeep()
    sources: tuple[str, ...] = eqx.field(static=True, default=())

    def __check_init__(self):
        check(self)
        _check_signed(self.bounds)

    def finish(self, cells: PulsedCells, *, key: Key[Array, ""] | None) -> PulsedCells:
        return dataclasses.replace(cells, shape=_soft(cells))

    def step(self, cells: PulsedCells, w: Float[Array, "*cells"], up: Bool[Array, "*cells"]) -> Float[Array, "*cells"]:
        return cells.size(up) * (1.0 - jnp.where(up, cells.shape.up, cells.shape.down) * w)

    def symmetry_point(self, cells: PulsedCells) -> Float[Array, "*cells"]:
        return _linear_symmetry(cells, cells.shape)

    def steepness(self) -> float:
        return 0.0


class SoftBoundsReference(AbstractPulsed):
    r"""Soft bounds, read against a second device that stands near the symmetry point.

    Steps as of `SoftBounds`. A read finds $w - r$ with $r = w^* + \sigma_r\,\xi$, drawn once for each device, and

    $$w^* = \frac{s_\mathrm{up} - s_\mathrm{down}}{s_\mathrm{up}/b_\mathrm{max} - s_\mathrm{down}/b_\mathrm{min}}.$$

    **Arguments:**

    - `steps`, `bounds`, `upkeep`: As of any pulsed device; `w_min` negative and `w_max` positive.
    - `reference_std`: $\sigma_r$, in units of the weight.
    - `sources`: Where each number was read.

    Reference: Gong2022.

    >>> import jax.random as jr, device_models as dm
    >>> device = dm.pulsed.SoftBoundsReference(dm.pulsed.Steps(0.01, up_down=0.5))
    >>> cells = device.fabricate((1,), key=jr.key(0))
    >>> print(f"{cells.reference.item():.3f}")  # (1 - 0.5) / (1 + 0.5)
    0.333
    """

    steps: Steps
    bounds: Bounds = Bounds()
    reference_std: float | Float[Array, ""] = 0.0
    upkeep: Upkeep = Upkeep()
    sources: tuple[str, ...] = eqx.field(static=True, default=())

    def __check_init__(self):
        check(self, reference_std=SPREAD)
        _check_signed(self.bounds)

    def finish(self, cells: PulsedCells, *, key: Key[Array, ""] | None) -> PulsedCells:
        slopes = _soft(cells)
        error = deviations(self.reference_std, cells.up.shape, key=key)
        return dataclasses.replace(cells, shape=slopes, reference=_linear_symmetry(cells, slopes) + error)

    def step(self, cells: PulsedCells, w: Float[Array, "*cells"], up: Bool[Array, "*cells"]) -> Float[Array, "*cells"]:
        return cells.size(up) * (1.0 - jnp.where(up, cells.shape.up, cells.shape.down) * w)

    def symmetry_point(self, cells: PulsedCells) -> Float[Array, "*cells"]:
        return _linear_symmetry(cells, cells.shape)

    def steepness(self) -> float:
        return 0.0


@checked(
    p_max=positive(),
    alpha=positive(),
    r_min=negative(WEIGHTS),
    r_max=positive(WEIGHTS),
)
def soft_bounds_pmax(
    p_max: float | int = 1000, alpha: float = 0.0005, r_min: float = -1.0, r_max: float = 1.0, **settings
) -> LinearStep:
    r"""The device whose `p_max` pulses lead from `r_min` to `r_max` and back along these curves of the pulse number:

    $$w_\mathrm{up}(p) = r_\mathrm{min} + B(1 - e^{-\alpha p}), \qquad
    w_\mathrm{down}(p) = r_\mathrm{max} - B(1 - e^{-\alpha p}), \qquad
    B = \frac{r_\mathrm{max} - r_\mathrm{min}}{1 - e^{-\alpha p_\mathrm{max}}}.$$

    Each curve approaches a weight beyond the range, so it is a `LinearStep`, here made to pass through every point of
    both curves: its steps contract by exactly $e^{-\alpha}$.

    **Arguments:**

    - `p_max`: Pulses from one end to the other.
    - `alpha`: Curvature for each pulse.
    - `r_min`, `r_max`: Ends of the range, negative and positive.
    - `settings`: Further arguments of `Steps`, such as `noise` and `spread`.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.pulsed.soft_bounds_pmax(100, alpha=0.01)
    >>> array = dm.pulsed.PulsedArray.fabricate(device, -jnp.ones(1), key=jr.key(0))
    >>> print(f"{array.pulse(jnp.array([100]), key=jr.key(1)).shown.item():.2f}")
    1.00
    """
    reach = (r_max - r_min) / -math.expm1(-alpha * p_max)
    top, bottom = r_min + reach, r_max - reach
    up, down = -math.expm1(-alpha) * top, math.expm1(-alpha) * bottom
    steps = Steps(max(up, down), up_down=1 - down / up if up > down else up / down - 1, **settings)
    return LinearStep(steps, Bounds(r_min, r_max), gamma_up=r_max / top, gamma_down=r_min / bottom)


def _check_signed(bounds: Bounds) -> None:
    for name, good in (("w_min", lambda end: end < 0), ("w_max", lambda end: end > 0)):
        end = getattr(bounds, name)
        if is_known(end) and not good(float(end)):
            raise ValueError(
                "`bounds` of a step that is linear in w / w_min and w / w_max must have `w_min` < 0 < `w_max`. "
                f"Got {name}={end}. Shift the weight so that zero lies within the range."
            )


def _soft(cells: PulsedCells) -> Slopes:
    return Slopes(1.0 / cells.w_max, 1.0 / cells.w_min)


def _linear_symmetry(cells: PulsedCells, slopes: Slopes) -> Float[Array, "*cells"]:
    return _crossing(cells, cells.up - cells.down, cells.up * slopes.up - cells.down * slopes.down)


def _crossing(
    cells: PulsedCells, difference: Float[Array, "*cells"], slope: Float[Array, "*cells"]
) -> Float[Array, "*cells"]:
    """Where `difference` - `slope` w vanishes, within the bounds; where neither, zero."""
    flat = slope == 0
    far = jnp.where(difference > 0, cells.w_max, jnp.where(difference < 0, cells.w_min, 0.0))
    return jnp.clip(jnp.where(flat, far, difference / jnp.where(flat, 1.0, slope)), cells.w_min, cells.w_max)
