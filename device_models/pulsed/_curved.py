"""Devices whose step is an exponential, a power or a table of the weight."""

import dataclasses
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from .._checks import check
from .._checks._quantities import NOT_NEGATIVE
from ._parts import Bounds, Steps, Upkeep, deviations
from ._pulsed import AbstractPulsed, PulsedCells


class ExpStep(AbstractPulsed):
    r"""A step that an exponential of the weight reduces or enlarges.

    $$z = \frac{2 a w}{b_\mathrm{max} - b_\mathrm{min}} + b, \qquad
    w \leftarrow w + s_\mathrm{up} \max(0, 1 - A^+ e^{\gamma^+ z}), \qquad
    w \leftarrow w - s_\mathrm{down} \max(0, 1 - A^- e^{-\gamma^- z})$$

    **Arguments:**

    - `steps`, `bounds`, `upkeep`: As of any pulsed device.
    - `amplitude_up`, `amplitude_down`: $A^+$ and $A^-$; a negative one enlarges the step.
    - `gamma_up`, `gamma_down`: $\gamma^+$ and $\gamma^-$.
    - `scale`, `shift`: $a$ and $b$.
    - `sources`: Where each number was read.

    Reference: Gong2018.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.pulsed.reram_es_gong2018()
    >>> cells = device.fabricate((1000,), key=jr.key(0))
    >>> up, down = (step(cells, jnp.zeros(1000)).mean() for step in (device.step_up, device.step_down))
    >>> print(f"{up:.4f}, {down:.4f}")
    0.0015, 0.0020
    """

    steps: Steps
    bounds: Bounds
    amplitude_up: float | Float[Array, ""]
    amplitude_down: float | Float[Array, ""]
    gamma_up: float | Float[Array, ""]
    gamma_down: float | Float[Array, ""]
    scale: float | Float[Array, ""]
    shift: float | Float[Array, ""]
    upkeep: Upkeep = Upkeep()
    sources: tuple[str, ...] = eqx.field(static=True, default=())

    def finish(self, cells: PulsedCells, *, key: Key[Array, ""] | None) -> PulsedCells:
        return dataclasses.replace(cells, shape=2.0 * self.scale / (cells.w_max - cells.w_min))

    def step(self, cells: PulsedCells, w: Float[Array, "*cells"], up: Bool[Array, "*cells"]) -> Float[Array, "*cells"]:
        z = cells.shape * w + self.shift
        amplitude = jnp.where(up, self.amplitude_up, self.amplitude_down)
        rate = jnp.where(up, self.gamma_up, -jnp.asarray(self.gamma_down, w.dtype))
        return cells.size(up) * jnp.maximum(1.0 - amplitude * jnp.exp(rate * z), 0.0)

    def steepness(self) -> Float[Array, ""]:
        z = self.shift + 2.0 * self.scale * jnp.asarray([self.w_min, self.w_max]) / (self.w_max - self.w_min)
        up = jnp.abs(self.amplitude_up * self.gamma_up) * jnp.max(jnp.exp(self.gamma_up * z))
        down = jnp.abs(self.amplitude_down * self.gamma_down) * jnp.max(jnp.exp(-self.gamma_down * z))
        return self.dw_min * abs(2.0 * self.scale) / (self.w_max - self.w_min) * jnp.maximum(up, down)


class Powers(NamedTuple):
    """Exponents of a device, up and down."""

    up: Float[Array, "*cells"]
    down: Float[Array, "*cells"]


class PowStep(AbstractPulsed):
    r"""A step that is a power of the way left to the bound.

    $$\omega = \frac{b_\mathrm{max} - w}{b_\mathrm{max} - b_\mathrm{min}}, \qquad
    w \leftarrow w + s_\mathrm{up}\,\omega^{\gamma^+}, \qquad
    w \leftarrow w - s_\mathrm{down}\,(1 - \omega)^{\gamma^-}$$

    with $\gamma = |\gamma + \gamma_\mathrm{dtod}\,\xi|$ of each device.

    **Arguments:**

    - `steps`, `bounds`, `upkeep`: As of any pulsed device.
    - `gamma_up`, `gamma_down`: Exponents; at least 0.
    - `gamma_dtod`: Standard deviation of both from device to device.
    - `sources`: Where each number was read.

    >>> import jax.numpy as jnp, jax.random as jr, numpy as np, device_models as dm
    >>> device = dm.pulsed.PowStep(dm.pulsed.Steps(0.01), dm.pulsed.Bounds(), gamma_up=2.0, gamma_down=2.0)
    >>> cells = device.fabricate((3,), key=jr.key(0))
    >>> print(np.asarray(device.step_up(cells, jnp.array([-1.0, 0.0, 1.0]))).round(4))
    [0.01   0.0025 0.    ]
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

    def finish(self, cells: PulsedCells, *, key: Key[Array, ""] | None) -> PulsedCells:
        spread = deviations(self.gamma_dtod, (2, *cells.up.shape), key=key)
        powers = Powers(jnp.abs(self.gamma_up + spread[0]), jnp.abs(self.gamma_down + spread[1]))
        return dataclasses.replace(cells, shape=powers)

    def step(self, cells: PulsedCells, w: Float[Array, "*cells"], up: Bool[Array, "*cells"]) -> Float[Array, "*cells"]:
        left = _share(cells, jnp.where(up, cells.w_max - w, w - cells.w_min))
        return cells.size(up) * _power(left, jnp.where(up, cells.shape.up, cells.shape.down))

    def steepness(self) -> Float[Array, ""]:
        gamma = jnp.asarray([self.gamma_up, self.gamma_down])
        slope = gamma * jnp.maximum(1.0, 2.0 ** (1.0 - gamma))  # below 1, the slope in the middle: it has no largest
        return self.dw_min / (self.w_max - self.w_min) * jnp.max(slope)


class PiecewiseStep(AbstractPulsed):
    """A step that is interpolated between measured ones.

    `up` and `down` are factors of the step at equally spaced weights from the least to the greatest of each device.

    **Arguments:**

    - `steps`, `bounds`, `upkeep`: As of any pulsed device.
    - `up`, `down`: Two or more factors each, not negative.
    - `sources`: Where each number was read.

    >>> import jax.numpy as jnp, jax.random as jr, numpy as np, device_models as dm
    >>> device = dm.pulsed.PiecewiseStep(dm.pulsed.Steps(0.01), dm.pulsed.Bounds(), up=(1.0, 0.0), down=(0.0, 1.0))
    >>> cells = device.fabricate((3,), key=jr.key(0))
    >>> print(np.asarray(device.step_up(cells, jnp.array([-1.0, 0.0, 1.0]))).round(3))
    [0.01  0.005 0.   ]
    """

    steps: Steps
    bounds: Bounds
    up: tuple[float, ...] | Float[Array, " nodes"]
    down: tuple[float, ...] | Float[Array, " nodes"]
    upkeep: Upkeep = Upkeep()
    sources: tuple[str, ...] = eqx.field(static=True, default=())

    def __check_init__(self):
        check(self, up=NOT_NEGATIVE, down=NOT_NEGATIVE)
        for name in ("up", "down"):
            if (n := len(getattr(self, name))) < 2:
                raise ValueError(f"`{name}` must have at least two factors. Got {n}. One? Use `ConstantStep`.")

    def step(self, cells: PulsedCells, w: Float[Array, "*cells"], up: Bool[Array, "*cells"]) -> Float[Array, "*cells"]:
        place = _share(cells, w - cells.w_min)
        return cells.size(up) * jnp.where(up, _between(self.up, place), _between(self.down, place))

    def steepness(self) -> Float[Array, ""]:
        slopes = [jnp.max(jnp.abs(jnp.diff(jnp.asarray(nodes)))) * (len(nodes) - 1) for nodes in (self.up, self.down)]
        return self.dw_min / (self.w_max - self.w_min) * jnp.maximum(*slopes)


def _share(cells: PulsedCells, way: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
    """A `way` as a share of the range, zero on a device without range."""
    whole = cells.w_max - cells.w_min
    return jnp.clip(way / jnp.where(whole > 0, whole, 1.0), 0.0, 1.0)


def _power(base: Float[Array, "*cells"], exponent: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
    # At zero the slope of a power may be infinite, and is not needed: the device is at its bound.
    inside = base > 0
    return jnp.where(
        inside, jnp.exp(exponent * jnp.log(jnp.where(inside, base, 1.0))), jnp.where(exponent == 0, 1.0, 0.0)
    )


def _between(
    nodes: tuple[float, ...] | Float[Array, " nodes"], share: Float[Array, "*cells"]
) -> Float[Array, "*cells"]:
    """Interpolation as a sum of ramps, one for each bend: no look-up for each cell."""
    values = jnp.asarray(nodes, share.dtype)
    slopes = jnp.diff(values)
    place = share * (values.shape[0] - 1)
    found = values[0] + slopes[0] * place
    for node in range(1, values.shape[0] - 1):
        found = found + (slopes[node] - slopes[node - 1]) * jnp.maximum(place - node, 0.0)
    return found
