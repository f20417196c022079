"""Random telegraph noise: a trap in every cell."""

import math

import jax.numpy as jnp
import jax.random as jr
from jax.scipy.special import expi
from jaxtyping import Array, Bool, Float, Key

from .._checks import Checked, at_least, between, check, is_known, is_zero, positive
from .._draws import normal, uniform
from ._process import AbstractNoise, drawn, lagged, moved

NEAR = 1e-2  # below it four terms of the series are exact to 1e-13
EULER = 0.5772156649015329
AMPLITUDES = 2**31 - 1  # folded into the key, so that the traps themselves are those without a spread


class Traps(Checked):
    """The trap of each cell: its relaxation time in seconds, whether it is filled, and how large its steps are.

    `amplitude` is relative to the root mean square of all cells, `None` where all are alike.

    >>> import jax.random as jr, device_models as dm
    >>> traps = dm.noise.Telegraph(1e-3, 1.0).initial((5000,), key=jr.key(0))
    >>> bool(traps.tau.min() >= 1e-3), bool(traps.tau.max() <= 1.0), traps.amplitude
    (True, True, None)
    """

    tau: Float[Array, "*cells"]
    filled: Bool[Array, "*cells"]
    amplitude: Float[Array, "*cells"] | None = None


class Telegraph(AbstractNoise):
    r"""One trap in each cell that is filled and emptied at random, a two-state Markov process.

    The relaxation time $\tau$ of a trap is log-uniform over the cells and fixed. A trap is filled for $\tau / (1 - p)$
    on average and empty for $\tau / p$, with the occupancy $p$; its state after a time $\Delta$ is drawn from the exact
    law, whose memory is $e^{-\Delta / \tau}$. The two values have mean zero and variance one: filled traps are low.
    With a `spread` $\sigma$ the steps of a cell are larger or smaller by the factor $e^{\sigma z - \sigma^2}$, with
    $z$ normal over the cells and fixed: the variance is one on average, and a few cells have most of it. Steps measured
    over many cells are as uneven (recalled: log-normal in filamentary cells, $\sigma$ about one; exponential in flash).
    Recalled for filamentary cells: 1 us to 1 s, 1 to 10 % of the conductance in the low-resistance state and up to 50 %
    in the high one.

    **Arguments:**

    - `tau_low`, `tau_high`: Range of the relaxation times, in seconds.
    - `occupancy`: Fraction of the time that a trap is filled.
    - `spread`: $\sigma$, of the logarithm of the steps over cells; at 0 all cells have the same.

    >>> import jax.random as jr, device_models as dm
    >>> noise = dm.noise.Telegraph(1e-3, 1.0, occupancy=0.2)
    >>> traps = noise.initial((5000,), key=jr.key(0))
    >>> print(f"{traps.filled.mean():.1f}, {noise.value(traps).std():.1f}")
    0.2, 1.0
    """

    tau_low: float
    tau_high: float
    occupancy: float = 0.5
    spread: float = 0.0

    def __check_init__(self):
        occupancy = between(0.0, 1.0, hint="Percent? Divide by 100.")
        spread = at_least(0.0, "of the natural logarithm", most=3.0)
        check(self, tau_low=positive("in seconds"), tau_high=positive("in seconds"), occupancy=occupancy, spread=spread)
        if is_known(self.tau_low, self.tau_high) and not float(self.tau_low) < float(self.tau_high):
            raise ValueError(
                "`tau_low` and `tau_high` must satisfy 0 < tau_low < tau_high, in seconds. "
                f"Got tau_low={self.tau_low}, tau_high={self.tau_high}. Swap them."
            )

    @drawn
    def initial(self, shape: tuple[int, ...], *, key: Key[Array, ""]) -> Traps:
        tau_key, state_key = jr.split(key)
        log_tau = jr.uniform(tau_key, shape, minval=math.log(self.tau_low), maxval=math.log(self.tau_high))
        filled = uniform(state_key, shape) < self.occupancy
        if is_zero(self.spread):
            return Traps(jnp.exp(log_tau), filled)
        z = normal(jr.fold_in(key, AMPLITUDES), shape)
        return Traps(jnp.exp(log_tau), filled, jnp.exp(self.spread * z - self.spread**2))

    @moved
    def advance(self, state: Traps, dt: float | Float[Array, ""], *, key: Key[Array, ""]) -> Traps:
        forgotten = -jnp.expm1(-dt / state.tau)
        stays = jnp.where(state.filled, 1 - forgotten, jnp.zeros_like(forgotten))
        filled = uniform(key, state.tau.shape, state.tau.dtype) < stays + self.occupancy * forgotten
        return Traps(state.tau, filled, state.amplitude)

    def value(self, state: Traps) -> Float[Array, "*cells"]:
        p = self.occupancy
        low, high = -math.sqrt((1 - p) / p), math.sqrt(p / (1 - p))
        steps = jnp.where(state.filled, low, high).astype(state.tau.dtype)
        return steps if state.amplitude is None else steps * state.amplitude

    @lagged
    def correlation(self, lag: Float[Array, "*lags"]) -> Float[Array, "*lags"]:
        # The mean of exp(-lag / tau) over log tau: a difference of exponential integrals.
        late = jnp.where(lag > 0, lag, 1.0)
        mean = _e1(late / self.tau_high) - _e1(late / self.tau_low)
        return jnp.where(lag > 0, mean / math.log(self.tau_high / self.tau_low), 1.0)


def _e1(x: Float[Array, "*lags"]) -> Float[Array, "*lags"]:
    """The exponential integral of positive arguments."""
    # JAX works out its continued fraction for all elements, and of those near zero it hardly ends: minutes for 1e-7.
    close = x < NEAR
    near, far = jnp.where(close, x, NEAR), jnp.where(close, NEAR, x)
    series = -EULER - jnp.log(near) + near - near**2 / 4 + near**3 / 18 - near**4 / 96
    return jnp.where(close, series, -expi(-far))
