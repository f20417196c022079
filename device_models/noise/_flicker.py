"""1/f noise as a sum of relaxators."""

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from .._checks import check, is_known, plain, positive, whole
from .._draws import normal
from ._process import AbstractNoise, drawn, lagged, moved


class Flicker(AbstractNoise):
    r"""1/f noise between two frequencies: relaxators of equal variance, their corner frequencies evenly spread in log.

    Each relaxator is an Ornstein-Uhlenbeck process, $\eta(t + \Delta) = a\,\eta(t) + \sqrt{1 - a^2}\,\xi$ with $a =
    e^{-2 \pi f \Delta}$, whose spectrum is a Lorentzian; their sum is 1/f between the corners. Below `f_low` the
    spectrum is flat, above `f_high` it falls as $1/f^2$. An exact spectral synthesis would need the whole record at
    once; relaxators go on for ever, at one number of memory each.

    **Arguments:**

    - `f_low`, `f_high`: Lowest and highest corner frequency, in hertz.
    - `per_decade`: Relaxators in a decade.

    >>> import jax.random as jr, device_models as dm
    >>> noise = dm.noise.Flicker(1.0, 1e4)
    >>> state = noise.initial((5000,), key=jr.key(0))
    >>> print(f"{noise.value(state).std():.1f}", len(noise.corners))
    1.0 9
    """

    f_low: float
    f_high: float
    per_decade: int = eqx.field(static=True, converter=plain, default=2)

    def __check_init__(self):
        check(self, f_low=positive("in hertz"), f_high=positive("in hertz"), per_decade=whole(1))
        if is_known(self.f_low, self.f_high) and not float(self.f_low) < float(self.f_high):
            raise ValueError(
                "`f_low` and `f_high` must satisfy 0 < f_low < f_high, in hertz. "
                f"Got f_low={self.f_low}, f_high={self.f_high}. Swap them."
            )

    @property
    def corners(self) -> tuple[float, ...]:
        """Corner frequencies of the relaxators, in hertz."""
        number = 1 + math.ceil(self.per_decade * math.log10(self.f_high / self.f_low))
        return tuple(float(f) for f in np.geomspace(self.f_low, self.f_high, number))

    @drawn
    def initial(self, shape: tuple[int, ...], *, key: Key[Array, ""]) -> Float[Array, "relaxators *cells"]:
        return normal(key, (len(self.corners), *shape))

    @moved
    def advance(
        self, state: Float[Array, "relaxators *cells"], dt: float | Float[Array, ""], *, key: Key[Array, ""]
    ) -> Float[Array, "relaxators *cells"]:
        rates = 2 * math.pi * jnp.asarray(self.corners, state.dtype).reshape(-1, *(1,) * (state.ndim - 1)) * dt
        draws = normal(key, state.shape, state.dtype)
        return jnp.exp(-rates) * state + jnp.sqrt(-jnp.expm1(-2 * rates)) * draws

    def value(self, state: Float[Array, "relaxators *cells"]) -> Float[Array, "*cells"]:
        # Term by term: a sum along the first axis takes several times as long on a CPU.
        return sum(state[1:], start=state[0]) / math.sqrt(len(self.corners))

    @lagged
    def correlation(self, lag: Float[Array, "*lags"]) -> Float[Array, "*lags"]:
        rates = 2 * math.pi * jnp.asarray(self.corners, lag.dtype).reshape(-1, *(1,) * lag.ndim)
        return jnp.mean(jnp.exp(-rates * lag[None]), axis=0)
