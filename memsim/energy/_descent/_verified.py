"""Cells that are verified after each write, with a derivative by the window in which they are accepted."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.scipy.stats import norm
from jaxtyping import Array, Float, Key

from device_models import WriteVerify
from device_models._wrappers._wrapper import AbstractWrapper

FEWEST = 1e-4  # of first writes that are accepted, or not, so that their ratio says something


class SlopedWindow(NamedTuple):
    """Verified cells, how each follows the window, and the window."""

    verified: Any
    slope: Float[Array, "*cells"]
    window: Float[Array, ""]


class Verified(AbstractWrapper):
    r"""A `WriteVerify` whose cells, and how many pulses they took, follow its `window`.

    The error $e$ of an accepted cell is that of a write, normal with $\sigma$, cut at $\pm w$. At a fixed rank among
    accepted cells, $u = (2\Phi(e/\sigma) - 1) / (2\Phi(w/\sigma) - 1)$, it follows the window by

    $$\frac{\partial e}{\partial w} = u\,\frac{\varphi(w/\sigma)}{\varphi(e/\sigma)},$$

    and the pulses follow it as their mean does, $(1 - (1 - p)^n)/p$ with $p = 2\Phi(w/\sigma) - 1$. The share of cells
    that the first write of the array brought within the window says what $\sigma$ is: one for all its cells (assumed,
    as is a read without noise). Cells that were never accepted do not follow.

    **Arguments:**

    - `device`: The verified one, with a window that may be traced.
    """

    device: WriteVerify

    def program(self, target: Float[Array, "*cells"], *, key: Key[Array, ""]) -> SlopedWindow:
        window = jnp.asarray(self.device.window, target.dtype)
        held = eqx.tree_at(lambda one: one.window, self.device, jax.lax.stop_gradient(window))
        verified = held.program(target, key=key)
        fixed = jax.lax.stop_gradient(verified)
        seen = held.conductance(fixed, jnp.asarray(held.wait, target.dtype))
        error = jax.lax.stop_gradient(seen - target)
        first = jnp.mean((fixed.pulses == 1) & fixed.accepted, dtype=target.dtype)
        cut = norm.ppf((1 + jnp.clip(first, FEWEST, 1 - FEWEST)) / 2)  # w / sigma
        sigma = jax.lax.stop_gradient(window) / cut
        where = jnp.clip(error / sigma, -cut, cut)
        rank = (2 * norm.cdf(where) - 1) / (2 * norm.cdf(cut) - 1)
        slope = jnp.where(fixed.accepted, rank * jnp.exp((where**2 - cut**2) / 2), 0.0)
        pulses = self._pulses(fixed.pulses, window, sigma)
        return SlopedWindow(eqx.tree_at(lambda cells: cells.pulses, verified, pulses), slope, window)

    def conductance(self, cells: SlopedWindow, t: Float[Array, ""]) -> Float[Array, "*cells"]:
        moved = cells.slope * (cells.window - jax.lax.stop_gradient(cells.window))
        return self.device.conductance(cells.verified, t) + moved

    def read_noise(self, cells: SlopedWindow, t: Float[Array, ""]) -> Float[Array, "*cells"] | None:
        return self.device.read_noise(cells.verified, t)

    def _pulses(self, pulses: Array, window: Array, sigma: Array) -> Float[Array, "*cells"]:
        """How many each cell took; all follow the window as the mean of the law does."""
        p = 2 * norm.cdf(window / sigma) - 1
        law = (1 - (1 - p) ** self.device.max_pulses) / p
        return pulses.astype(window.dtype) + law - jax.lax.stop_gradient(law)
