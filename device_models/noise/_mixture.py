"""Several noises at once."""

import math
from typing import Any

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from .._checks import check, is_known, positive
from ._process import AbstractNoise, drawn, lagged, moved


class Mixture(AbstractNoise):
    r"""The sum of independent processes, $\sum_k \sqrt{w_k}\,\eta_k$.

    **Arguments:**

    - `processes`: The parts, such as `(White(), Flicker(1e-2, 1e4))`.
    - `shares`: Their shares of the variance; positive, and their sum is one.

    >>> import jax.numpy as jnp, device_models as dm
    >>> noise = dm.noise.Mixture((dm.noise.White(), dm.noise.Flicker(1.0, 1e4)), (0.5, 0.5))
    >>> now, soon = (noise.correlation(jnp.array(lag)) for lag in (0.0, 1e-6))
    >>> print(f"{now:.1f}, {soon:.1f}")  # the white half is another at once
    1.0, 0.5
    """

    processes: tuple[AbstractNoise, ...]
    shares: tuple[float, ...]

    def __check_init__(self):
        check(self, shares=positive())
        if len(self.processes) != len(self.shares) or not self.processes:
            raise ValueError(
                "A mixture must have one of `shares` for each of `processes`, and at least one. "
                f"Got {len(self.processes)} processes and shares={self.shares}."
            )
        if is_known(*self.shares) and abs(sum(map(float, self.shares)) - 1) > 1e-6:
            raise ValueError(f"`shares` must be positive, and their sum 1. Got shares={self.shares}.")

    @drawn
    def initial(self, shape: tuple[int, ...], *, key: Key[Array, ""]) -> tuple[Any, ...]:
        keys = jr.split(key, len(self.processes))
        return tuple(process.initial(shape, key=keys[k]) for k, process in enumerate(self.processes))

    @moved
    def advance(self, state: tuple[Any, ...], dt: float | Float[Array, ""], *, key: Key[Array, ""]) -> tuple[Any, ...]:
        keys = jr.split(key, len(self.processes))
        parts = enumerate(zip(self.processes, state, strict=True))
        return tuple(process.advance(part, dt, key=keys[k]) for k, (process, part) in parts)

    def value(self, state: tuple[Any, ...]) -> Float[Array, "*cells"]:
        parts = zip(self.processes, self.shares, state, strict=True)
        values = [math.sqrt(share) * process.value(part) for process, share, part in parts]
        return jnp.sum(jnp.stack(values), axis=0)

    @lagged
    def correlation(self, lag: Float[Array, "*lags"]) -> Float[Array, "*lags"]:
        parts = zip(self.processes, self.shares, strict=True)
        return jnp.sum(jnp.stack([share * process.correlation(lag) for process, share in parts]), axis=0)
