"""A network of continuous values as chips see it: matrices with a ReLU between them."""

from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ...nn import AbstractNeuron, Linear, Recurrent, SpikingNetwork, Stateless
from ...nn._layer import Shape
from .._network._fit import Unfit
from .._network._matrix import AFFINE, moves_only, on_numbers, through, written_out

KNOWN = (eqx.nn.Linear, eqx.nn.Conv, *AFFINE)
SILENT = (eqx.nn.Identity,)
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
    if first is None or isinstance(first, KNOWN):
        raise Unfit("", "an input of known shape", "none", "Pass `input_shape=`, that of one input.")
    raise _unknown(layers[0][0], first)


def _affine(layer: Any, path: str, shape: Shape) -> Callable[[Array], Array]:
    if isinstance(layer, KNOWN) or (_is_bare(layer) and moves_only(layer, shape)):
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

    return RateStage(*written_out(row, shape, path), path, relu)


def _shape_after(row: list[Callable[[Array], Array]], shape: Shape) -> Shape:
    return jax.eval_shape(partial(through, row), jax.ShapeDtypeStruct(shape, jnp.result_type(float))).shape


def _is_relu(layer: Any) -> bool:
    return _makes(layer, lambda x: np.maximum(x, 0))


def _does_nothing(function: Any) -> bool:
    return _makes(function, lambda x: x)


def _makes(function: Any, expected: Callable[[np.ndarray], np.ndarray]) -> bool:
    """Whether a bare function is the expected one."""
    probe = np.linspace(-3.0, 3.0, 7, dtype=np.float32)
    found = on_numbers(function, probe) if _is_bare(function) else None
    return found is not None and np.array_equal(found, expected(probe))


def _is_bare(layer: Any) -> bool:
    """Whether it is a function, and no layer."""
    return callable(layer) and not isinstance(layer, eqx.Module)
