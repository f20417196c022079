"""A rule for one array of cells as an optax transformation of all matrices of a model."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
from jaxtyping import Array, Float, Int, Key

from device_models.pulsed import AbstractPulsed

from .._checks import check_finite, is_known, positive, whole, write
from .._keeping import StoredKey
from ._matrices import matrices, replaced, subtrees, without
from ._outer import OuterProduct

Gradient = OuterProduct | Float[Array, "outputs inputs"]
Rate = float | Float[Array, ""] | Callable[[Any], Any]
RATE = positive("or a schedule of optax")
SCALE = positive("the weight of one unit of the device")
COUNT = whole(1)
DEVICE = write(
    "Such as `device_models.pulsed.ecram_tang2018()`; those of `device_models.pulsed.pulsed` are driven by pulses."
)
FILL = 0.5  # of a device unit, where the largest initial weight is put; assumed: weights may double


class Now(NamedTuple):
    """A step: its number, its size in units of the device for a unit of the gradient, and in those of the weights."""

    count: Int[Array, ""]
    rate: Float[Array, ""]
    learning_rate: Float[Array, ""]


class AbstractRule(eqx.Module):
    """How the gradient of one matrix moves the arrays of cells that stand for it, all in units of the device."""

    @abstractmethod
    def start(self, weight: Float[Array, "outputs inputs"], *, key: Key[Array, ""]) -> Any:
        """Fabricates the arrays and writes `weight`."""

    @abstractmethod
    def step(self, state: Any, gradient: Gradient, now: Now, *, key: Key[Array, ""]) -> Any:
        """The state after a step against the `gradient`."""

    @abstractmethod
    def weight(self, state: Any) -> Float[Array, "outputs inputs"]:
        """What the network reads."""


class InSituState(NamedTuple):
    """What a transformation of `memsim.insitu` carries from step to step, all of it arrays.

    By the path of each matrix, `arrays` is its cells with whatever else the algorithm keeps of it, and `scales` the
    weight of one unit of its device. `digital` belongs to the transformation of everything that is no matrix.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> optimizer = ms.insitu.analog_sgd(dm.pulsed.idealized(), 0.1, key=jr.key(0))
    >>> state = optimizer.init({"weight": jnp.full((2, 3), 0.4)})
    >>> state.count.item(), {path: round(scale.item(), 2) for path, scale in state.scales.items()}
    (0, {"['weight']": 0.8})
    """

    count: Int[Array, ""]
    stored_key: StoredKey
    arrays: dict[str, Any]
    scales: dict[str, Float[Array, ""]]
    digital: Any

    @property
    def key(self) -> Key[Array, ""]:
        """The key of all steps."""
        return self.stored_key.key


def transformation(
    rule: AbstractRule,
    learning_rate: Rate,
    scale: float | None,
    digital: optax.GradientTransformation | None,
    key: Key[Array, ""],
) -> optax.GradientTransformation:
    """`rule` for every matrix of the parameters, `digital` for the others: by default SGD."""
    others = optax.sgd(learning_rate) if digital is None else digital

    def init(params: Any) -> Any:
        weights = _matrices(params)
        for path, weight in weights.items():
            check_finite(path or "params", weight)
        scales = {path: _scale(weight, scale) for path, weight in weights.items()}
        first_key = jr.fold_in(key, 0)
        arrays = {
            path: rule.start(weight / scales[path], key=jr.fold_in(first_key, place))
            for place, (path, weight) in enumerate(weights.items())
        }
        others_state = others.init(without(params, params, weights))
        return InSituState(jnp.zeros((), int), StoredKey.of(key), arrays, scales, others_state)

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        if params is None:
            raise ValueError("`update` must know what the network reads. Got no parameters; pass `params`.")
        weights, gradients = _matrices(params), subtrees(updates, params)
        remaining = without(params, params, weights)
        changes, digital_state = others.update(without(updates, params, weights), state.digital, remaining)
        step_size = learning_rate(state.count) if callable(learning_rate) else learning_rate
        arrays, moved = _stepped(rule, state, weights, gradients, step_size)
        after = InSituState(state.count + 1, state.stored_key, arrays, state.scales, digital_state)
        return replaced(changes, moved), after

    return optax.GradientTransformation(init, update)


def _stepped(
    rule: AbstractRule, state: InSituState, weights: dict[str, Array], gradients: dict[str, Any], step_size: Any
) -> tuple[dict[str, Any], dict[str, Array]]:
    """The arrays after a step, and how far what the network reads of each has moved."""
    step_key = jr.fold_in(state.key, state.count + 1)
    arrays, moved = {}, {}
    for place, (path, weight) in enumerate(weights.items()):
        _check_gradient(path, gradients[path], weight)
        own_key, unit = jr.fold_in(step_key, place), state.scales[path]
        learning_rate = jnp.asarray(step_size, weight.dtype)
        now = Now(state.count, learning_rate / unit, learning_rate)
        arrays[path] = rule.step(state.arrays[path], gradients[path], now, key=own_key)
        moved[path] = unit * rule.weight(arrays[path]) - weight
    return arrays, moved


def check_devices(*devices: AbstractPulsed) -> None:
    """Raises `ValueError` for a device that neither holds both signs of a weight nor starts at zero, as one of two."""
    for device in devices:
        if is_known(device.w_min, device.w_max) and not np.all((device.w_min <= 0) & (device.w_max > 0)):
            raise ValueError(
                "A device must reach zero and weights above it. "
                f"Got one from {device.w_min} to {device.w_max}; shift its bounds."
            )


def _matrices(params: Any) -> dict[str, Array]:
    weights = matrices(params)
    if not weights:
        raise ValueError(
            "The parameters must hold a matrix: the weight of an analog layer, or a two-dimensional array. Got none; "
            "use `equinox.filter(model, equinox.is_inexact_array)`."
        )
    return weights


def _scale(weight: Float[Array, "outputs inputs"], scale: float | None) -> Float[Array, ""]:
    if scale is not None:
        return jnp.asarray(scale, weight.dtype)
    largest = jnp.max(jnp.abs(weight))
    return jnp.where(largest > 0, largest / FILL, jnp.ones_like(largest))


def _check_gradient(path: str, gradient: Any, weight: Array) -> None:
    factored = isinstance(gradient, OuterProduct)
    shape = (gradient.errors.shape[1], gradient.inputs.shape[1]) if factored else getattr(gradient, "shape", None)
    if shape != weight.shape:
        came = type(gradient).__name__ if shape is None else f"shape {shape}"
        raise ValueError(f"The gradient of {path or 'the matrix'} must have the shape {weight.shape}. Got {came}.")
