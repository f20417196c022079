"""A network of continuous values as chips see it: matrices with a ReLU between them."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ...nn import AbstractConv, AbstractNeuron, Flatten, Linear, Recurrent, Scale, SpikingNetwork, Stateless
from ...nn._layer import Shape
from ...nn._synapses._pool import AbstractPool
from .._network._fit import Unfit

AFFINE = (eqx.nn.Linear, eqx.nn.Conv, Linear, AbstractConv, AbstractPool, Flatten, Scale)
SILENT = (eqx.nn.Identity,)
LARGEST = 1 << 26  # entries of a matrix, beyond which a layer is no longer written out
RELU = "Chips take layers with `jax.nn.relu` between them."


class RateStage(eqx.Module):
    """What is one matrix, and whether a ReLU follows it.

    **Arguments:**

    - `path`: Of its first layer in the network.
    - `weight`, `bias`: Of all its layers together.
    """

    weight: Float[Array, "outputs inputs"]
    bias: Float[Array, " outputs"]
    path: str = eqx.field(static=True)
    relu: bool = eqx.field(static=True)

    def __call__(self, x: Float[Array, "*batch inputs"]) -> Float[Array, "*batch outputs"]:
        """What the network itself computes."""
        y = x @ self.weight.T + jnp.expand_dims(self.bias, tuple(range(x.ndim - 1)))
        return jax.nn.relu(y) if self.relu else y


def rate_stages(network: Any, input_shape: Shape | None) -> tuple[tuple[RateStage, ...], Shape]:
    """The matrices of a `network` in a row, and the shape of one input. Raises `Unfit`, by path, for what is none."""
    layers = _flat(network, "")
    shape = _input_shape(layers, input_shape)
    found: list[RateStage] = []
    row: list[Callable[[Array], Array]] = []
    path, size = "", shape
    for name, layer in layers:
        if _is_relu(layer):
            found.append(_stage(path or name, row, size, relu=True))
            row, path, size = [], "", _shape_after(row, size)
        else:
            row.append(_affine(layer, name, _shape_after(row, size)))
            path = path or name
    if row:
        found.append(_stage(path, row, size, relu=False))
    if not found:
        raise Unfit("", "at least one layer", "none", RELU)
    return tuple(found), shape


def _flat(network: Any, path: str) -> list[tuple[str, Any]]:
    if isinstance(network, eqx.nn.MLP):
        each = [(f"{path}.layers[{place}]", layer) for place, layer in enumerate(network.layers)]
        hidden, last = network.activation, network.final_activation
        between = [(f"{path}.activation", hidden)] * (len(each) - 1) + [(f"{path}.final_activation", last)]
        return [found for pair in zip(each, between, strict=True) for found in pair if not _does_nothing(found[1])]
    if isinstance(network, eqx.nn.Sequential | SpikingNetwork):
        inner = [_flat(each, f"{path}.layers[{place}]") for place, each in enumerate(network.layers)]
        return [found for part in inner for found in part]
    if isinstance(network, Stateless):
        return _flat(network.layer, f"{path}.layer")
    if isinstance(network, eqx.nn.Lambda):
        return [] if _does_nothing(network.fn) else [(path, network.fn)]
    return [] if isinstance(network, SILENT) else [(path, network)]


def _input_shape(layers: list[tuple[str, Any]], given: Shape | None) -> Shape:
    if given is not None:
        return given
    first = layers[0][1] if layers else None
    if isinstance(first, eqx.nn.Linear | Linear) and isinstance(first.in_features, int):
        return (first.in_features,)
    if first is None or isinstance(first, AFFINE):
        raise Unfit("", "an input of known shape", "none", "Pass `input_shape=`, that of one input.")
    raise _unknown(layers[0][0], first)


def _affine(layer: Any, path: str, shape: Shape) -> Callable[[Array], Array]:
    if isinstance(layer, AFFINE) or _moves_only(layer, shape):
        return layer
    raise _unknown(path, layer)


def _unknown(path: str, layer: Any) -> Unfit:
    if isinstance(layer, AbstractNeuron | Recurrent):
        came, remedy = f"{type(layer).__name__}, which has a state", "Spiking networks go on `brainscales2()`."
    else:
        came, remedy = getattr(layer, "__name__", type(layer).__name__), f"{RELU} Fold norms, leave out dropout."
    return Unfit(path, "a matrix, a convolution, a pool or a ReLU", came, remedy)


def _stage(path: str, row: list[Callable[[Array], Array]], shape: Shape, *, relu: bool) -> RateStage:
    if len(row) == 1 and isinstance(row[0], eqx.nn.Linear | Linear):
        weight, bias = jnp.asarray(row[0].weight), row[0].bias
        return RateStage(weight, jnp.zeros(weight.shape[0]) if bias is None else bias, path, relu)

    def through(x: Array) -> Array:
        for layer in row:
            x = layer(x)
        return x.reshape(-1)

    zero = jnp.zeros(shape)
    bias = through(zero)
    if zero.size * bias.size > LARGEST:
        raise Unfit(path, f"a matrix of at most {LARGEST} weights", f"{zero.size * bias.size}", "Split the layer.")
    units = jnp.eye(zero.size).reshape(-1, *shape)
    return RateStage(jax.vmap(lambda unit: through(unit) - bias)(units).T, bias, path, relu)


def _shape_after(row: list[Callable[[Array], Array]], shape: Shape) -> Shape:
    def through(x: Array) -> Array:
        for layer in row:
            x = layer(x)
        return x

    return jax.eval_shape(through, jax.ShapeDtypeStruct(shape, jnp.result_type(float))).shape


def _on(function: Any, probe: np.ndarray) -> np.ndarray | None:
    """What a function makes of numbers; `None` where it is no function of them."""
    try:
        return np.asarray(function(jnp.asarray(probe)))
    except (TypeError, ValueError):
        return None


def _is_relu(layer: Any) -> bool:
    probe = np.linspace(-3.0, 3.0, 7, dtype=np.float32)
    found = None if isinstance(layer, eqx.Module) or not callable(layer) else _on(layer, probe)
    return found is not None and np.array_equal(found, np.maximum(probe, 0))


def _does_nothing(function: Any) -> bool:
    probe = np.linspace(-3.0, 3.0, 7, dtype=np.float32)
    found = None if isinstance(function, eqx.Module) or not callable(function) else _on(function, probe)
    return found is not None and np.array_equal(found, probe)


def _moves_only(layer: Any, shape: Shape) -> bool:
    """Whether a function only moves values about, as a reshape does."""
    probe = -np.arange(1.0, np.prod(shape) + 1, dtype=np.float32).reshape(shape)
    found = None if isinstance(layer, eqx.Module) or not callable(layer) else _on(layer, probe)
    return found is not None and np.array_equal(np.sort(found.reshape(-1)), np.sort(probe.reshape(-1)))
