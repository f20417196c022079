"""What every pulsed device is made of: steps, bounds, what changes between pulses, and how devices differ."""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from .._checks import Checked, at_least, check, fraction, is_known, judge, positive, that
from .._checks._quantities import NOT_NEGATIVE
from .._draws import normal, uniform
from ._noise import AbstractPulseNoise, MultiplicativeNoise

WEIGHTS = "in units of the weight"
SPREAD = at_least(0.0, WEIGHTS)
LEAST_BOUND = 1e-3  # of its nominal size: a bound at zero would leave no device


class AbstractSpread(eqx.Module):
    """How the gain of a step, 1 on a nominal device, differs from device to device.

    >>> import jax.random as jr, device_models as dm
    >>> class Uniform(dm.pulsed.AbstractSpread):
    ...     std: float = 0.3
    ...     def gain(self, shape, *, key):
    ...         return 1 + self.std * jr.uniform(key, shape, minval=-(3**0.5), maxval=3**0.5)
    ...     @property
    ...     def mean(self):
    ...         return 1.0
    >>> device = dm.pulsed.ConstantStep(dm.pulsed.Steps(0.01, spread=Uniform()))
    >>> print(f"{device.fabricate((5000,), key=jr.key(0)).up.std():.3f}")
    0.003
    """

    std: eqx.AbstractVar[float | Float[Array, ""]]

    def __check_init__(self):
        check(self)
        judge("std", self.std, float | Float[Array, ""], NOT_NEGATIVE)

    @abstractmethod
    def gain(self, shape: tuple[int, ...], *, key: Key[Array, ""]) -> Float[Array, "..."]:
        """One gain for each device of an array of `shape`."""

    @property
    @abstractmethod
    def mean(self) -> float | Float[Array, ""]:
        """Mean gain over devices."""


class NormalSpread(AbstractSpread):
    r"""Gains $1 + \sigma\xi$ with $\xi$ a standard normal.

    >>> import jax.random as jr, device_models as dm
    >>> gains = dm.pulsed.NormalSpread(0.3).gain((10000,), key=jr.key(0))
    >>> print(f"{gains.mean():.1f} +- {gains.std():.1f}")
    1.0 +- 0.3
    """

    std: float | Float[Array, ""] = 0.0

    def gain(self, shape: tuple[int, ...], *, key: Key[Array, ""]) -> Float[Array, "..."]:
        return 1.0 + self.std * normal(key, shape)

    @property
    def mean(self) -> float:
        return 1.0


class LogNormalSpread(AbstractSpread):
    r"""Gains $\exp(\sigma\xi)$ with $\xi$ a standard normal: the median is 1, the mean $\exp(\sigma^2 / 2)$.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> gains = dm.pulsed.LogNormalSpread(0.5).gain((10000,), key=jr.key(0))
    >>> print(f"{jnp.median(gains):.1f}, {gains.mean():.2f}")  # exp(0.125) = 1.13
    1.0, 1.14
    """

    std: float | Float[Array, ""] = 0.0

    def gain(self, shape: tuple[int, ...], *, key: Key[Array, ""]) -> Float[Array, "..."]:
        return jnp.exp(self.std * normal(key, shape))

    @property
    def mean(self) -> Float[Array, ""]:
        return jnp.exp(0.5 * jnp.square(self.std))


class Steps(Checked):
    r"""Size of the step that one pulse makes, before the rule of the device shapes it by the weight.

    With a gain $g$ of `spread` and $r$ = `up_down_dtod` times a standard normal, drawn once for each device,

    $$s_\mathrm{up} = \Delta w_\mathrm{min} |\min(\beta, 0) + g + r|, \qquad
    s_\mathrm{down} = \Delta w_\mathrm{min} |\min(-\beta, 0) + g - r|.$$

    So `up_down` only ever shrinks one direction: $\beta = 0.26$ makes the step down 0.74 of the step up, it does not
    enlarge the step up.

    **Arguments:**

    - `dw_min`: Nominal step $\Delta w_\mathrm{min}$, in units of the weight.
    - `up_down`: Imbalance $\beta$ of the two directions, in [-1, 1].
    - `up_down_dtod`: Its standard deviation from device to device.
    - `spread`: Of the gain from device to device.
    - `noise`: From pulse to pulse.
    - `write_noise`: Standard deviation of what a read finds about the weight, in units of `dw_min`; drawn anew with
      each pulse, while the weight that pulses act on is not affected.

    >>> import jax.random as jr, device_models as dm
    >>> cells = dm.pulsed.ConstantStep(dm.pulsed.Steps(0.01, up_down=0.26)).fabricate((1,), key=jr.key(0))
    >>> print(f"{cells.up.item():.4f} up, {cells.down.item():.4f} down")
    0.0100 up, 0.0074 down
    """

    dw_min: float | Float[Array, ""]
    up_down: float | Float[Array, ""] = 0.0
    up_down_dtod: float | Float[Array, ""] = 0.0
    spread: AbstractSpread = NormalSpread()
    noise: AbstractPulseNoise = MultiplicativeNoise()
    write_noise: float | Float[Array, ""] = 0.0

    def __check_init__(self):
        check(
            self,
            dw_min=positive(WEIGHTS),
            up_down=that("within [-1, 1]", lambda x: (x >= -1) & (x <= 1)),
            up_down_dtod=NOT_NEGATIVE,
            write_noise=at_least(0.0, "in units of `dw_min`"),
        )

    def fabricate(self, shape: tuple[int, ...], *, key: Key[Array, ""]) -> tuple[Float[Array, "..."], ...]:
        """Sizes of the steps up and down, for each device of an array of `shape`."""
        gain_key, balance_key = jr.split(key)
        gain = self.spread.gain(shape, key=gain_key)
        imbalance = self.up_down_dtod * normal(balance_key, shape)
        up = jnp.abs(jnp.minimum(self.up_down, 0.0) + gain + imbalance)
        down = jnp.abs(jnp.minimum(-self.up_down, 0.0) + gain - imbalance)
        return self.dw_min * up, self.dw_min * down

    @property
    def mean(self) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Mean sizes of the steps up and down over devices, where no gain is folded at zero."""
        gain = self.spread.mean
        up, down = jnp.minimum(self.up_down, 0.0) + gain, jnp.minimum(-jnp.asarray(self.up_down), 0.0) + gain
        return self.dw_min * jnp.abs(up), self.dw_min * jnp.abs(down)


class Bounds(Checked):
    r"""Range of the weight.

    Each device has $b = w\,|1 + \sigma\xi|$ of its own at either end; the two are exchanged where they come in the
    wrong order, and none is smaller than a thousandth of the nominal one, so that a bound keeps its sign.

    **Arguments:**

    - `w_min`, `w_max`: Nominal ends, in units of the weight.
    - `w_min_dtod`, `w_max_dtod`: Their relative standard deviations from device to device.

    >>> import jax.random as jr, device_models as dm
    >>> device = dm.pulsed.ConstantStep(dm.pulsed.Steps(0.01), dm.pulsed.Bounds(w_max_dtod=0.1))
    >>> print(f"{device.fabricate((5000,), key=jr.key(0)).w_max.std():.2f}")
    0.10
    """

    w_min: float | Float[Array, ""] = -1.0
    w_max: float | Float[Array, ""] = 1.0
    w_min_dtod: float | Float[Array, ""] = 0.0
    w_max_dtod: float | Float[Array, ""] = 0.0

    def __check_init__(self):
        check(self, w_min_dtod=NOT_NEGATIVE, w_max_dtod=NOT_NEGATIVE)
        if is_known(self.w_min, self.w_max) and not float(self.w_min) < float(self.w_max):
            raise ValueError(
                f"`w_min` must be less than `w_max`. Got w_min={self.w_min}, w_max={self.w_max}. Swap them."
            )

    def fabricate(self, shape: tuple[int, ...], *, key: Key[Array, ""]) -> tuple[Float[Array, "..."], ...]:
        """Least and greatest weight of each device of an array of `shape`."""
        low_key, high_key = jr.split(key)

        def end(nominal, spread, key):
            return nominal * jnp.maximum(jnp.abs(1.0 + spread * normal(key, shape)), LEAST_BOUND)

        low, high = end(self.w_min, self.w_min_dtod, low_key), end(self.w_max, self.w_max_dtod, high_key)
        return jnp.minimum(low, high), jnp.maximum(low, high)


class Leak(Checked):
    r"""A weight that decays: $w \leftarrow b + (w - b)(1 - 1/\tau)$, once for each mini-batch.

    **Arguments:**

    - `lifetime`: Mean of $\tau$, in mini-batches; at least 1.
    - `lifetime_dtod`: Its relative standard deviation from device to device.
    - `towards`: The weight $b$ that remains.

    >>> import jax.numpy as jnp, jax.random as jr, numpy as np, device_models as dm
    >>> device = dm.pulsed.ConstantStep(dm.pulsed.Steps(0.01), upkeep=dm.pulsed.Upkeep(leak=dm.pulsed.Leak(10.0)))
    >>> array = dm.pulsed.PulsedArray.fabricate(device, jnp.array([1.0]), key=jr.key(0))
    >>> print(np.asarray(array.decay().shown).round(2))  # after one mini-batch
    [0.9]
    """

    lifetime: float | Float[Array, ""]
    lifetime_dtod: float | Float[Array, ""] = 0.0
    towards: float | Float[Array, ""] = 0.0

    def __check_init__(self):
        check(self, lifetime=at_least(1.0, "in mini-batches"), lifetime_dtod=NOT_NEGATIVE)

    def fabricate(self, shape: tuple[int, ...], *, key: Key[Array, ""]) -> Float[Array, "..."]:
        """Lifetime of each device of an array of `shape`."""
        return jnp.maximum(self.lifetime * jnp.abs(1.0 + self.lifetime_dtod * normal(key, shape)), 1.0)


class Corrupt(Checked):
    r"""Devices that do not move: both bounds are one value, drawn uniformly within `reach` of zero.

    **Arguments:**

    - `probability`: That a device is corrupt.
    - `reach`: Largest absolute weight of a corrupt device.

    >>> import jax.random as jr, device_models as dm
    >>> upkeep = dm.pulsed.Upkeep(corrupt=dm.pulsed.Corrupt(0.1))
    >>> cells = dm.pulsed.ConstantStep(dm.pulsed.Steps(0.01), upkeep=upkeep).fabricate((5000,), key=jr.key(0))
    >>> print(f"{(cells.w_min == cells.w_max).mean():.1f}")
    0.1
    """

    probability: float | Float[Array, ""]
    reach: float | Float[Array, ""] = 0.0

    def __check_init__(self):
        check(self, probability=fraction(), reach=SPREAD)

    def collapse(
        self, low: Float[Array, "*cells"], high: Float[Array, "*cells"], *, key: Key[Array, ""]
    ) -> tuple[Float[Array, "*cells"], Float[Array, "*cells"]]:
        """The bounds, equal to each other on corrupt devices."""
        who_key, where_key = jr.split(key)
        corrupt = uniform(who_key, low.shape) < self.probability
        value = self.reach * jr.uniform(where_key, low.shape, minval=-1.0)
        return jnp.where(corrupt, value, low), jnp.where(corrupt, value, high)


class Reset(Checked):
    r"""What a device holds after a reset: $w = m + d\,\xi + \sigma\,\xi'$, with $\xi$ drawn once for each device.

    **Arguments:**

    - `mean`: $m$, in units of the weight.
    - `dtod`: $d$, from device to device, in units of the weight.
    - `std`: $\sigma$, from reset to reset, in units of the weight.

    >>> import jax.random as jr, device_models as dm
    >>> held = dm.pulsed.Reset(mean=0.2, dtod=0.05).fabricate((5000,), key=jr.key(0))
    >>> print(f"{held.mean():.1f} +- {held.std():.2f}")
    0.2 +- 0.05
    """

    mean: float | Float[Array, ""] = 0.0
    dtod: float | Float[Array, ""] = 0.0
    std: float | Float[Array, ""] = 0.0

    def __check_init__(self):
        check(self, dtod=SPREAD, std=SPREAD)

    def fabricate(self, shape: tuple[int, ...], *, key: Key[Array, ""]) -> Float[Array, "..."]:
        """Mean weight after a reset of each device of an array of `shape`."""
        return self.mean + self.dtod * normal(key, shape)


def deviations(
    std: float | Float[Array, ""], shape: tuple[int, ...], *, key: Key[Array, ""] | None
) -> Float[Array, "..."]:
    """Normal numbers of this `std`, one for each device; zeros without a key, for the device that is the mean."""
    return jnp.zeros(shape) if key is None else std * normal(key, shape)


class Upkeep(Checked):
    """What happens to a device beside pulses: `None` where it does not.

    **Arguments:**

    - `leak`: Decay between mini-batches.
    - `corrupt`: Devices that are broken from the start.
    - `reset`: What a reset leaves; by default zero, exactly.

    >>> import device_models as dm
    >>> upkeep = dm.pulsed.Upkeep(leak=dm.pulsed.Leak(1e6), corrupt=dm.pulsed.Corrupt(0.1))
    >>> upkeep.leak.lifetime, upkeep.reset.mean
    (1000000.0, 0.0)
    """

    leak: Leak | None = None
    corrupt: Corrupt | None = None
    reset: Reset = Reset()
