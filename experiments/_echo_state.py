"""Echo-state networks: as NeuroBench's baseline has them, in float64, and as a model that goes onto arrays."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

import memsim as ms

BESIDE = 2  # what the readout sees before the states: one, and the input
RIDGES = 10.0 ** np.arange(-9, 5)


class Settings(NamedTuple):
    """Of the network of one series, as found by random search there."""

    size: int
    scale_bias: float
    scale_input: float
    density: float
    radius: float
    leakage: float
    ridge: float


# NeuroBench 2.3.0, echo_state_network_hyperparameters.csv, by delay
PUBLISHED = {
    17: Settings(966, 0.9, 0.78, 0.97, 1.19, 0.69, 1e-7),
    18: Settings(913, 0.98, 1.0, 0.43, 1.08, 0.92, 1e-9),
    19: Settings(836, 0.45, 0.89, 0.64, 1.25, 0.77, 1e-6),
    20: Settings(656, 0.29, 0.83, 0.06, 1.07, 0.86, 1e-8),
    21: Settings(547, 0.37, 0.92, 0.92, 1.08, 0.45, 1e-8),
    22: Settings(661, 0.79, 0.92, 0.55, 1.17, 0.87, 1e-7),
    23: Settings(577, 0.69, 0.93, 0.02, 1.01, 0.54, 1e-8),
    24: Settings(694, 0.85, 0.98, 0.51, 1.13, 0.76, 1e-5),
    25: Settings(831, 0.87, 0.93, 0.49, 1.21, 1.0, 1e-4),
    26: Settings(522, 0.91, 0.95, 0.59, 1.22, 0.58, 1e-6),
    27: Settings(952, 0.99, 0.65, 0.6, 1.19, 0.78, 1e-6),
    28: Settings(838, 0.82, 0.83, 0.37, 1.21, 0.81, 1e-6),
    29: Settings(728, 0.99, 0.62, 0.48, 1.23, 0.9, 1e-5),
    30: Settings(577, 0.69, 0.93, 0.02, 1.01, 0.54, 1e-8),
}


def drawn(settings: Settings, seed: int) -> np.ndarray:
    """Weights (size, 2 + size) of a reservoir: of one, of the input, of its states.

    The published code divides by the first eigenvalue that LAPACK gives, which is not always the largest: the radius is
    at least that of the settings. So does this.
    """
    rng = np.random.default_rng(seed)
    size = settings.size
    inward = (rng.random((size, BESIDE)) - 0.5) * (settings.scale_bias, settings.scale_input)
    within = np.where(rng.random((size, size)) <= settings.density, rng.standard_normal((size, size)), 0.0)
    return np.hstack([inward, settings.radius * within / np.abs(np.linalg.eigvals(within)[0])])


def listened(weights: np.ndarray, leakage: float, inputs: np.ndarray) -> np.ndarray:
    """What a readout sees (steps, 2 + size) while the reservoir hears the `inputs`."""
    seen = np.zeros((len(inputs), weights.shape[1]))
    state = np.zeros(len(weights))
    for step, value in enumerate(inputs):
        state = _next(weights, leakage, state, value)
        seen[step] = np.concatenate([[1.0, value], state])
    return seen


def continued(weights: np.ndarray, leakage: float, readout: np.ndarray, last: np.ndarray, steps: int, first: float):
    """Predictions (steps,) after the state `last`, each the input of the next one; the first input is true."""
    found, value = np.zeros(steps), first
    for step in range(steps):
        last = _next(weights, leakage, last, value)
        value = found[step] = readout @ np.concatenate([[1.0, value], last])
    return found


def _next(weights: np.ndarray, leakage: float, state: np.ndarray, value: float) -> np.ndarray:
    given = np.concatenate([[1.0, value], state])
    return (1 - leakage) * state + leakage * np.tanh(weights @ given)


def published_readout(seen: np.ndarray, targets: np.ndarray, ridge: float) -> np.ndarray:
    """Ridge regression by the normal equations, cut off where float64 ends, as published."""
    square = seen.T @ seen + ridge * np.eye(seen.shape[1])
    return np.linalg.lstsq(square, seen.T @ targets, rcond=None)[0]


def readout(seen: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Ridge regression by singular values; the ridge is that of least generalised cross-validation on these steps.

    Reference: Golub1979.
    """
    left, values, right = np.linalg.svd(np.asarray(seen, float), full_matrices=False)
    projected = left.T @ targets
    outside = np.sum(targets**2) - np.sum(projected**2)
    scores = []
    for ridge in RIDGES:
        kept = values**2 / (values**2 + ridge)
        left_over = outside + np.sum(((1 - kept) * projected) ** 2)
        scores.append(left_over / (len(targets) - np.sum(kept)) ** 2)
    ridge = RIDGES[int(np.argmin(scores))]
    return right.T @ (values / (values**2 + ridge) * projected)


class EchoState(eqx.Module):
    """Both matrices as layers: called on a series (steps,), it predicts the value after each.

    **Arguments:**

    - `reservoir`: From one, the input and the states to the states.
    - `readout`: From the same to the prediction.
    - `leakage`: Of the states.
    """

    reservoir: ms.nn.Linear
    readout: ms.nn.Linear
    leakage: float = eqx.field(static=True)

    def __call__(self, inputs: Float[Array, " steps"], *, key: Key[Array, ""] | None = None) -> Float[Array, " steps"]:
        def step(state: Array, given: tuple[Array, Array]) -> tuple[Array, Array]:
            value, step_key = given
            first, last = jr.split(step_key)
            state = self.next(state, value, key=first)
            return state, self.readout(together(value, state), key=last)[0]

        keys = jr.split(jr.key(0) if key is None else key, inputs.shape[0])
        return jax.lax.scan(step, self.silence(), (inputs, keys))[1]

    def silence(self) -> Float[Array, " size"]:
        return jnp.zeros(self.reservoir.out_features)

    def next(self, state: Float[Array, " size"], value: Float[Array, ""], *, key: Key[Array, ""]):
        excited = jnp.tanh(self.reservoir(together(value, state), key=key))
        return (1 - self.leakage) * state + self.leakage * excited

    def listen(self, inputs: Float[Array, " steps"], *, key: Key[Array, ""]) -> Float[Array, "steps seen"]:
        """What a readout sees while the reservoir hears the `inputs`."""

        def step(state: Array, given: tuple[Array, Array]) -> tuple[Array, Array]:
            state = self.next(state, given[0], key=given[1])
            return state, together(given[0], state)

        return jax.lax.scan(step, self.silence(), (inputs, jr.split(key, inputs.shape[0])))[1]

    def go_on(
        self,
        state: Float[Array, " size"],
        first: Float[Array, ""],
        steps: int,
        *,
        weights: Float[Array, " seen"] | None = None,
        key: Key[Array, ""],
    ) -> Float[Array, " steps"]:
        """Predictions after `state`, each the input of the next one, by the readout or by `weights` beside the chip."""

        def step(carry: tuple[Array, Array], step_key: Array) -> tuple[tuple[Array, Array], Array]:
            state, value = carry
            first, last = jr.split(step_key)
            state = self.next(state, value, key=first)
            seen = together(value, state)
            value = self.readout(seen, key=last)[0] if weights is None else seen @ weights
            value = jnp.clip(value, -BOUND, BOUND)
            return (state, value), value

        return jax.lax.scan(step, (state, first), jr.split(key, steps))[1]


BOUND = 10.0  # seven times the largest value: what has left is kept finite


def together(value: Float[Array, ""], state: Float[Array, " size"]) -> Float[Array, " seen"]:
    return jnp.concatenate([jnp.ones(1), value[None], state])


def as_model(weights: np.ndarray, head: np.ndarray, leakage: float) -> EchoState:
    """The network in float32, digital, ready for `memsim.program`."""
    size, seen = weights.shape
    empty = (
        ms.nn.Linear(seen, size, use_bias=False, key=jr.key(0)),
        ms.nn.Linear(seen, 1, use_bias=False, key=jr.key(0)),
    )
    given = jnp.asarray(weights, jnp.float32), jnp.asarray(head[None], jnp.float32)
    made = [eqx.tree_at(lambda layer: layer.weight, layer, w) for layer, w in zip(empty, given, strict=True)]
    return EchoState(*made, leakage=float(leakage))
