"""A pole on a cart: its equations, a linear controller that is optimal for them, and its state as spikes.

The cart, the pole and the limits are those of Barto1983, without friction; the equations are those of Florian2007,
which keep the terms that the first paper lost.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key
from scipy.linalg import expm, solve_discrete_are

GRAVITY, CART, POLE, HALF_LENGTH = 9.8, 1.0, 0.1, 0.5  # m/s^2, kg, kg, m
MASS = CART + POLE
FORCE = 10.0  # N, the most that the motor gives
LIMITS = (2.4, np.deg2rad(12.0))  # of the cart in m, of the pole in rad
DT = 0.01  # s between two forces
SECOND = round(1 / DT)  # steps
RUNS = jr.key(7)  # the same starts and pushes for all controllers
SCALES = np.array([0.5, 1.0, 0.1, 1.0])  # of position, speed, angle and angular speed: half of the range of a channel
GAINS, PHASES = (1.0, 4.0), 6
CHANNELS = len(SCALES) * len(GAINS) * PHASES


def slope(state: Float[Array, " 4"], force: Float[Array, ""]) -> Float[Array, " 4"]:
    """Time derivative of position, speed, angle and angular speed, in SI units."""
    _, speed, angle, turning = state
    sine, cosine = jnp.sin(angle), jnp.cos(angle)
    pushed = (-force - POLE * HALF_LENGTH * turning**2 * sine) / MASS
    turn = (GRAVITY * sine + cosine * pushed) / (HALF_LENGTH * (4 / 3 - POLE * cosine**2 / MASS))
    push = (force + POLE * HALF_LENGTH * (turning**2 * sine - turn * cosine)) / MASS
    return jnp.stack([speed, push, turning, turn])


def moved(state: Float[Array, " 4"], force: Float[Array, ""]) -> Float[Array, " 4"]:
    """The state after 10 ms of a constant `force`, by one step of Runge and Kutta's rule: off by less than 1e-6."""
    first = slope(state, force)
    second = slope(state + 0.5 * DT * first, force)
    third = slope(state + 0.5 * DT * second, force)
    return state + DT / 6 * (first + 2 * second + 2 * third + slope(state + DT * third, force))


def fallen(state: Float[Array, " 4"]) -> Array:
    return (jnp.abs(state[0]) > LIMITS[0]) | (jnp.abs(state[2]) > LIMITS[1])


def optimal_gain() -> np.ndarray:
    """K (4,) of the force -K x that is optimal for the linearised plant, by the discrete Riccati equation."""
    at_rest = jnp.zeros(4), jnp.zeros(())
    a, b = (np.asarray(each, float) for each in jax.jacobian(slope, (0, 1))(*at_rest))
    held = expm(DT * np.block([[a, b[:, None]], [np.zeros((1, 5))]]))  # of a force that is held for one step
    a, b = held[:4, :4], held[:4, 4:]
    cost, effort = np.diag(1 / SCALES**2), np.eye(1) / FORCE**2
    value = solve_discrete_are(a, b, cost, effort)
    return np.linalg.solve(effort + b.T @ value @ b, b.T @ value @ a)[0]


class Sensors(NamedTuple):
    """Integrators that make spikes of the state: each quantity by coarse and fine ones, in several phases.

    A channel fires in half of all steps at zero, in all of them at the end of its range, or in none.
    """

    membrane: Float[Array, " channels"]

    @classmethod
    def at_rest(cls) -> "Sensors":
        return cls(jnp.tile(jnp.arange(PHASES) / PHASES, CHANNELS // PHASES))

    def feel(self, state: Float[Array, " 4"]) -> tuple[Float[Array, " channels"], "Sensors"]:
        """The spikes of one step, and the sensors after it."""
        relative = (jnp.outer(state / jnp.asarray(SCALES, state.dtype), jnp.asarray(GAINS, state.dtype))).ravel()
        membrane = self.membrane + jnp.repeat(0.5 + 0.5 * jnp.tanh(relative), PHASES)
        spikes = jnp.floor(membrane)
        return spikes, Sensors(membrane - spikes)


def at_rest(steps: int) -> Float[Array, "steps channels"]:
    """What the sensors say of a pole that stands still, upright, in the middle."""
    return jax.lax.scan(lambda sensors, _: sensors.feel(jnp.zeros(4))[::-1], Sensors.at_rest(), None, length=steps)[1]


class Run(NamedTuple):
    """What happened, (steps, ...): states, spikes of the sensors, forces in units of the largest one."""

    states: Float[Array, "steps 4"]
    spikes: Float[Array, "steps channels"]
    forces: Float[Array, " steps"]


def held_up(
    controller: Any, before: Any, start: Float[Array, " 4"], pushes: Float[Array, " steps"], keys: Any = None
) -> Run:
    """One run: `controller(spikes, state, before, key)` gives a force, relative to the largest, and what it keeps.

    `pushes` are forces beside it, in newtons. A pole that fell stays where it fell.
    """

    def step(carry: tuple[Array, Sensors, Any], given: tuple[Array, Any]) -> tuple[Any, Run]:
        (state, sensors, kept), (push, key) = carry, given
        spikes, sensors = sensors.feel(state)
        force, kept = controller(spikes, state, kept, key)
        force = jnp.clip(force, -1.0, 1.0)
        after = jnp.where(fallen(state), state, moved(state, FORCE * force + push))
        return (after, sensors, kept), Run(state, spikes, force)

    return jax.lax.scan(step, (start, Sensors.at_rest(), before), (pushes, keys))[1]


def starts(keys: Key[Array, " n"]) -> Float[Array, "n 4"]:
    """States to begin with, uniform within what the sensors tell apart."""
    return jax.vmap(lambda key: jr.uniform(key, (4,), minval=-1.0, maxval=1.0) * jnp.asarray(SCALES, float))(keys)


def judged(controller: Any, before: Any, runs: int, seconds: int, push: float) -> tuple[Array, Array, Array]:
    """Of each run whether it failed, whether by the cart, and the root mean square of its angle until then.

    `push` is the spread of the force, in newtons, that disturbs each step.
    """

    def one(key: Array) -> tuple[Array, Array, Array]:
        start_key, push_key = jr.split(key)
        pushes = push * jr.normal(push_key, (seconds * SECOND,))
        states = held_up(controller, before, 0.5 * starts(start_key[None])[0], pushes).states
        up = ~jax.vmap(fallen)(states)
        by_cart = jnp.abs(states[-1, 0]) > LIMITS[0]
        shown = up.astype(states.dtype)
        return ~up[-1], by_cart, jnp.sqrt(jnp.sum(shown * states[:, 2] ** 2) / jnp.maximum(jnp.sum(shown), 1.0))

    return jax.vmap(one)(jr.split(RUNS, runs))


def linear(gain: np.ndarray) -> Any:
    """The optimal controller, which sees the state itself."""
    row = jnp.asarray(gain / FORCE, jnp.float32)
    return lambda spikes, state, before, key: (-row @ state, before)
