"""What digital logic does beside the arrays of a chip: gains, low-rank matrices and offsets."""

import dataclasses
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._array import AnalogMatrix
from .._checks import checked, did_you_mean
from ..nn import analog_layers
from ..nn._deploy import replace_weights


class Beside(eqx.Module):
    r"""Digital work beside one array: $y = \gamma \cdot \mathrm{array}(x) + x\,A_1 A_2 \dots + b$.

    **Arguments:**

    - `gain`: $\gamma$ of each bit line, shape (row_tiles, outputs), or (1, outputs) for all row tiles, which are one
      product where there is no ADC; `None` is 1.
    - `factors`: Matrices whose product, (inputs, outputs), is added, in units of the weights; none adds nothing.
    - `offset`: $b$, shape (outputs,); `None` is 0. The layer must have a bias to which it is added.

    >>> import jax.numpy as jnp, memsim as ms
    >>> more = ms.heal.Beside(gain=jnp.array([[1.1, 0.9]]), offset=jnp.zeros(2))
    >>> more.gain.shape, len(more.factors)
    ((1, 2), 0)
    """

    gain: Float[Array, "row_tiles outputs"] | None = None
    factors: tuple[Float[Array, "_ _"], ...] = ()
    offset: Float[Array, " outputs"] | None = None

    @property
    def parameters(self) -> int:
        """How many numbers these are."""
        return sum(leaf.size for leaf in jax.tree.leaves(self))


@checked()
def beside(now: Any, added: Mapping[str, Beside]) -> Any:
    """A model at a moment, with digital work beside some of its arrays.

    **Arguments:**

    - `now`: A model from `memsim.at` or `memsim.deploy`.
    - `added`: By path of a layer, as `memsim.nn.analog_layers` has them.

    **Raises:** `ValueError` for a path that is no layer at a moment of a chip.

    >>> import device_models as dm, jax, jax.numpy as jnp, memsim as ms
    >>> layer = ms.nn.SpikingNetwork([ms.nn.Linear(3, 2, key=jax.random.key(0))])
    >>> now = ms.deploy(layer, ms.Crossbar(dm.Ideal()), 0.0, key=jax.random.key(1))
    >>> more = ms.heal.beside(now, {".layers[0]": ms.heal.Beside(offset=jnp.ones(2))})
    >>> (more(jnp.ones((1, 3))) - now(jnp.ones((1, 3)))).tolist()
    [[1.0, 1.0]]
    """
    layers: Any = analog_layers(now)
    for path, one in added.items():
        if path not in layers:
            raise ValueError(did_you_mean("A path in `added`", path, layers))
        if not isinstance(layers[path].weight, AnalogMatrix):
            raise ValueError(
                f"Layer {path} must be a moment of a chip. Got a {type(layers[path].weight).__name__}. Write "
                "`memsim.at(chip, t, key=key)` first."
            )
        _check_fits(path, layers[path], one)
    weights = {path: _matrix(layers[path].weight, one) for path, one in added.items()}
    return _with_offsets(replace_weights(now, weights), added)


def _check_fits(path: str, layer: Any, one: Beside) -> None:
    matrix = layer.weight
    shape = (matrix.inputs, matrix.outputs)
    if one.factors:
        sizes = [factor.shape for factor in one.factors]
        chained = all(left[1] == right[0] for left, right in pairwise(sizes))
        if not chained or (sizes[0][0], sizes[-1][1]) != shape:
            raise ValueError(f"`factors` beside {path} must have a product of shape {shape}. Got shapes {sizes}.")
    if one.gain is not None and one.gain.shape[1] != shape[1]:
        raise ValueError(f"`gain` beside {path} must be one a bit line, {shape[1]}. Got shape {one.gain.shape}.")
    if one.gain is not None and one.gain.shape[0] not in (1, len(matrix.sums.tiles(matrix.inputs))):
        several = len(matrix.sums.tiles(matrix.inputs))
        raise ValueError(
            f"`gain` beside {path} must have one row, or one for each of {several} row tiles"
            f"{'' if matrix.sums.scale is not None else ' (without an ADC all are one product)'}. Got shape "
            f"{one.gain.shape}."
        )
    if one.offset is not None and (one.offset.shape != shape[1:] or bias_of(layer) is None):
        raise ValueError(
            f"`offset` beside {path} must be one a bit line, {shape[1]}, of a layer with a bias. Got shape "
            f"{one.offset.shape}{'' if bias_of(layer) is not None else ', and no bias'}."
        )


def _matrix(matrix: AnalogMatrix, one: Beside) -> AnalogMatrix:
    if one.gain is not None:
        matrix = _with_gain(matrix, one.gain)
    if not one.factors:
        return matrix
    whole = one.factors[0]
    for factor in one.factors[1:]:
        whole = whole @ factor
    if matrix.word_lines.dac is not None:
        whole = whole / matrix.word_lines.codes_per_input
    whole = whole if matrix.sums.of_codes is None else whole + matrix.sums.of_codes
    return dataclasses.replace(matrix, sums=dataclasses.replace(matrix.sums, of_codes=whole))


def _with_gain(matrix: AnalogMatrix, gain: Float[Array, "row_tiles outputs"]) -> AnalogMatrix:
    """`matrix` whose codes are worth so much more."""
    sums = matrix.sums
    if sums.scale is not None:
        worth = sums.scale * jnp.tile(jnp.broadcast_to(gain, (sums.scale.shape[0], gain.shape[1])), (1, sums.slices))
        return dataclasses.replace(matrix, sums=dataclasses.replace(sums, scale=worth))
    noise, amplifiers = matrix.noise, matrix.amplifiers
    if noise is not None:
        noise = eqx.tree_at(lambda one: one.variance, noise, noise.variance * gain**2)
    if amplifiers is not None and amplifiers.offset is not None:
        amplifiers = eqx.tree_at(lambda one: one.offset, amplifiers, amplifiers.offset * gain)
    return dataclasses.replace(matrix, weight=matrix.weight * gain, noise=noise, amplifiers=amplifiers)


def bias_of(layer: Any) -> Array | None:
    """The digital bias of a layer, where it has one."""
    names = {field.name for field in dataclasses.fields(layer)}
    return layer.bias if "bias" in names else None


def _with_offsets(now: Any, added: Mapping[str, Beside]) -> Any:
    for path, one in added.items():
        if one.offset is not None:
            layer: Any = analog_layers(now)[path]
            moved = layer.bias + one.offset.astype(layer.bias.dtype).reshape(layer.bias.shape)
            now = eqx.tree_at(lambda model, path=path: _layer(model, path).bias, now, moved)
    return now


def _layer(model: Any, path: str) -> Any:
    return analog_layers(model)[path]
