"""What a deployed network gives out and, where it can be seen, its hidden spikes; and an affine map beside it."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

import memsim as ms
from _placed import ARRAYS, CHIPS


class Said(NamedTuple):
    """Outputs (n, steps, outputs), and hidden spikes (n, steps, hidden), smoothed, or `None`."""

    outputs: np.ndarray
    hidden: np.ndarray | None


class Written(NamedTuple):
    """A chip with a network on it, and the key of its moments."""

    chip: Any
    key: Key[Array, ""]


def written(model: Any, crossbar: Any, chips: int, *, key: Key[Array, ""]) -> list[Written]:
    """So many chips with the same network; without a `crossbar` none."""
    if crossbar is None:
        return []
    keys = [jr.split(jr.fold_in(key, number)) for number in range(chips)]
    return [Written(ms.program(model, crossbar, key=write_key), moment_key) for write_key, moment_key in keys]


def on_machine(
    machine: str, model: Any, chips: list[Written], spikes: list[np.ndarray], age: float, smooth: float
) -> list[list[Said]]:
    """Of each chip, for each of the `spikes`, what is said; `smooth` is what a step leaves of the sum of hidden ones.

    Of machines without arrays all are alike: there is one.
    """
    heard = [jnp.asarray(each) for each in spikes]
    if machine in CHIPS:
        placed = ms.chips.target(CHIPS[machine]).placed(model)
        return [[Said(np.asarray(said_by(placed, x.astype(jnp.int32))), None) for x in heard]]
    moments = [ms.at(each.chip, age, key=each.key) for each in chips] if machine in ARRAYS else [model]
    return [[Said(*map(np.asarray, said_by_network(moment, smooth, x))) for x in heard] for moment in moments]


@eqx.filter_jit
def said_by_network(model: Any, smooth: float, xs: Float[Array, "n steps channels"]) -> tuple[Array, Array]:
    """What a network gives out, and its hidden spikes, smoothed."""

    def one(x: Array) -> tuple[Array, Array]:
        outputs, record = model(x, record="spikes")
        (spikes,) = record["spikes"].values()
        _, smoothed = jax.lax.scan(lambda s, z: (smooth * s + z,) * 2, jnp.zeros(spikes.shape[1]), spikes)
        return outputs, smoothed

    return jax.vmap(one)(xs)


@eqx.filter_jit
def said_by(placed: Any, xs: Array) -> Array:
    return jax.vmap(lambda x: placed.run(x, placed.initial_state())[0].astype(float))(xs)


class Affine(NamedTuple):
    """A map beside a network, of whatever it gives out, (..., outputs), by ridge regression."""

    matrix: np.ndarray

    @classmethod
    def fitted(cls, seen: np.ndarray, true: np.ndarray, ridge: float = 1e-2) -> "Affine":
        flat = with_one(seen).reshape(-1, seen.shape[-1] + 1).astype(float)
        square = flat.T @ flat + ridge * np.eye(flat.shape[1])
        return cls(np.linalg.solve(square, flat.T @ true.reshape(-1, true.shape[-1])))

    def __call__(self, seen: np.ndarray) -> np.ndarray:
        return with_one(seen) @ self.matrix


def with_one(seen: np.ndarray) -> np.ndarray:
    return np.concatenate([seen, np.ones((*seen.shape[:-1], 1), seen.dtype)], axis=-1)
