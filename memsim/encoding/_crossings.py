"""The events of a signal that moves away from the level of its last event."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

Threshold = float | Float[Array, "*shape"]


class _Level(NamedTuple):
    """The level of the last event, as counts from a `base` so that no rounding piles up; and the steps still held."""

    base: Float[Array, "*shape"]
    ups: Float[Array, "*shape"]
    downs: Float[Array, "*shape"]
    wait: Int[Array, "*shape"]


def crossings(
    signal: Float[Array, "steps *shape"],
    on: Threshold,
    off: Threshold,
    *,
    max_events: int | None = None,
    refractory: int = 0,
    leak: float | Float[Array, "*shape"] = 0.0,
) -> Float[Array, "steps *shape 2"]:
    """How many thresholds `on` above and `off` below its level the signal is in each step; ON is first.

    The level starts at the first sample and follows by whole thresholds, at most `max_events` a step, so that what is
    left over comes later. It falls by `leak` a step. For `refractory` steps after an event it is held at the signal.
    """
    most = 1 if refractory > 0 else jnp.inf if max_events is None else max_events

    def step(level: _Level, x: Array) -> tuple[_Level, Array]:
        base = level.base - leak
        distance = x - (base + level.ups * on - level.downs * off)
        up = jnp.clip(jnp.floor(distance / on), 0, most)
        down = jnp.clip(jnp.floor(-distance / off), 0, most)
        if refractory == 0:
            return _Level(base, level.ups + up, level.downs + down, level.wait), jnp.stack([up, down], axis=-1)
        held, none = level.wait > 0, jnp.zeros_like(x)
        up, down = jnp.where(held, none, up), jnp.where(held, none, down)
        wait = jnp.where(up + down > 0, refractory, jnp.maximum(level.wait - 1, 0))
        ups, downs = jnp.where(held, none, level.ups + up), jnp.where(held, none, level.downs + down)
        return _Level(jnp.where(held, x, base), ups, downs, wait), jnp.stack([up, down], axis=-1)

    none = jnp.zeros_like(signal[0])
    return jax.lax.scan(step, _Level(signal[0], none, none, jnp.zeros(none.shape, int)), signal)[1]


def staircase(
    events: Float[Array, "steps *shape 2"], start: Float[Array, "*shape"], on: Threshold, off: Threshold
) -> Float[Array, "steps *shape"]:
    """The level that made the events, from `start`."""
    ups, downs = jnp.cumsum(events[..., 0], axis=0), jnp.cumsum(events[..., 1], axis=0)
    return jax.vmap(lambda up, down: start + up * on - down * off)(ups, downs)
