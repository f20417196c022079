"""Weights from elsewhere into a model."""

import warnings
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .._checks import Must, checked, described, nearest, write
from ..nn import Stateful, analog_layers
from ..nn._deploy import digital_weight
from ._arrays import read_arrays
from ._forms import KINDS, Part, segments, with_statistics
from ._match import LAYERS, Matched, Place, matched, renamed, split

Model = TypeVar("Model")
Names = Mapping[str, str | None] | Callable[[str], str | None] | None
SOURCE = Must(
    holds=lambda values: np.ones(np.shape(values), bool),  # whether they are finite is said by name
    hint='Write a path such as "model.safetensors", or a dictionary of arrays by name.',
)


@checked(source=SOURCE, names=write("Such as {'encoder.0': '.layers[0]'}."), keep=write('Write [".head"].'))
def load_weights(
    model: Model, source: str | Path | Mapping[str, Any], names: Names = None, *, keep: Collection[str] = ()
) -> Model:
    """`model` with the weights of another library, all of which must fit.

    Names are matched where they say the same: "fc1.weight" is `.fc1.weight`; "0.weight" and "2.weight" of a torch
    `Sequential` are the first two layers with weights of an Equinox one, or of an `MLP`; what stands before all names,
    as "module.", is left away. Layouts are translated for `Conv`, `ConvTranspose`, `GRUCell` and `LSTMCell` (of
    `torch.nn.GRU`, one cell a layer), `MultiheadAttention`, `Embedding` and `BatchNorm`, of Equinox and
    of memsim.

    **Arguments:**

    - `model`: Any model; one with `BatchNorm` as `(model, state)` or `nn.Stateful`, as is returned then.
    - `source`: The path of a file, as `read_arrays` reads it, or arrays by name.
    - `names`: What names of the source are called in the model, as {"encoder.0": ".layers[0]", "head": None} for layers
      or arrays, `None` for what is left out; or a function of a name. Other names are matched as they are.
    - `keep`: Paths of the model, such as [".head"], below which weights stay as they are.

    Arrays become of the type that the model has, with a warning where that rounds.

    **Raises:** `ValueError` for what is missing, left over, or of another shape, with the nearest names, for weights on
    chips, and for numbers that are not finite.

    >>> import equinox as eqx, jax, memsim as ms, numpy as np
    >>> model = eqx.nn.MLP(2, 1, 3, 1, key=jax.random.key(0))
    >>> weights = {"0.weight": np.ones((3, 2)), "0.bias": np.zeros(3)}
    >>> weights |= {"2.weight": np.ones((1, 3)), "2.bias": np.zeros(1)}
    >>> ms.files.load_weights(model, weights)(jax.numpy.ones(2))
    Array([6.], dtype=float32)
    """
    if isinstance(model, Stateful):
        pair = load_weights((model.model, model.state), source, names, keep=keep)
        return Stateful(*pair)  # pyright: ignore[reportReturnType]
    whole, state = _with_state(model)
    arrays = read_arrays(source) if isinstance(source, str | Path) else _as_arrays(source)
    for path, layer in analog_layers(whole).items():
        if not _below(split(path), keep):
            digital_weight(path, layer)
    places = _places(whole, keep)
    given = renamed(arrays, names)
    result = matched(places, given)
    _check_whole(result, given)
    leaves, statistics = _made(result, given)
    whole = _replaced(whole, leaves)
    if not statistics:
        return whole if state is None else (whole, state)  # pyright: ignore[reportReturnType]
    if state is None:
        raise ValueError(
            "A model with `BatchNorm` must come with its state. Got none for "
            f"{', '.join(statistics)}. Pass `(model, state)`, as `equinox.nn.make_with_state` makes it."
        )
    for layer, mean, var in statistics.values():
        state = with_statistics(state, layer, mean, var)
    return whole, state  # pyright: ignore[reportReturnType]


def _as_arrays(source: Mapping[str, Any]) -> dict[str, np.ndarray]:
    found = {str(name): np.asarray(values) for name, values in source.items()}
    if wrong := [name for name, values in found.items() if values.dtype.hasobject]:
        raise ValueError(f"`source` must be of arrays by name. Got {described(source[wrong[0]])} for {wrong[0]!r}.")
    return found


def _with_state(model: Any) -> tuple[Any, eqx.nn.State | None]:
    pair = isinstance(model, tuple) and len(model) == 2 and isinstance(model[1], eqx.nn.State)
    return model if pair else (model, None)


def _places(model: Any, keep: Collection[str]) -> list[Place]:
    """Layers that have layouts of their own, and all other arrays of floats; none of those below `keep`."""
    found, kept = [], set()
    for path, node in jax.tree_util.tree_leaves_with_path(model, is_leaf=lambda node: isinstance(node, KINDS)):
        name = segments(path)
        if below := _below(name, keep):
            kept.add(below)
        elif isinstance(node, KINDS) or eqx.is_inexact_array(node):
            found.append(Place(jax.tree_util.keystr(path), name, node))
    paths = [place.path for place in found]
    if unknown := [path for path in keep if path not in kept]:
        near = nearest(unknown[0], paths, otherwise=paths[:LAYERS])
        raise ValueError(f"`keep` must be of paths of the model. Got {unknown[0]!r}. Did you mean {near}?")
    if not found:
        raise ValueError("`model` must have arrays to be filled. Got none: is it a model, and is all of it in `keep`?")
    return found


def _below(name: tuple[str, ...], keep: Collection[str]) -> str | None:
    """The path of `keep` at or below which `name` lies."""
    return next((path for path in keep if name[: len(split(path))] == split(path)), None)


def _check_whole(result: Matched, source: dict[str, np.ndarray]) -> None:
    """Raises `ValueError` for arrays that are missing, left over, or of another shape."""
    shapes = [
        f"{place.path}{part.leaf} must be made of {name!r} of shape {shape}, which has {source[name].shape}"
        for place, part, names in result.found
        for name, shape in zip(names, part.shapes, strict=True)
        if source[name].shape != shape
    ]
    said = []
    if result.missing:
        near = [
            f"{path} (is it {nearest(path.strip('.'), result.left, otherwise=[])}?)"
            if nearest(path.strip("."), result.left, otherwise=[])
            else path
            for path in result.missing
        ]
        said.append(f"The model's {_few(near)} found no array.")
    if result.left:
        said.append(f"The source's {_few(result.left)} found no place.")
    if shapes:
        said.append(f"{_few(shapes)}.")
    if said:
        raise ValueError(
            f"`source` must have what `model` has, and no more. {' '.join(said)} Give `names={{theirs: path of "
            "the model, or None}`, and in `keep` what stays as it is."
        )


def _few(items: list[str]) -> str:
    more = f" and {len(items) - LAYERS} more" if len(items) > LAYERS else ""
    return ", ".join(items[:LAYERS]) + more


def _made(result: Matched, source: dict[str, np.ndarray]) -> tuple[dict[str, jax.Array], dict[str, Any]]:
    """New arrays by their path, and layers with their running statistics by theirs; tells of rounding."""
    leaves, statistics, rounded = {}, {}, []
    for place, part, names in result.found:
        given = [_wide(name, source[name]) for name in names]
        value, old = part.make(*given), _leaf(place.layer, part)
        cast = value.astype(old.dtype)
        if not np.array_equal(cast.astype(value.dtype), value):
            rounded.append(f"{place.path}{part.leaf} from {source[names[0]].dtype} to {old.dtype}")
        if not np.isfinite(cast.astype(np.float64)).all():
            raise ValueError(f"{names[0]!r} must be finite in {old.dtype}. It is not: did the training diverge?")
        if part.leaf.startswith(".") or not part.names:
            leaves[place.path + part.leaf] = jnp.asarray(cast)
        else:
            statistics.setdefault(place.path, {"layer": place.layer})[part.leaf] = jnp.asarray(cast)
    if rounded:
        warnings.warn(f"Weights are rounded: {_few(rounded)}. For the exact ones make the model so.", stacklevel=4)
    return leaves, {path: tuple(found.values()) for path, found in statistics.items()}


def _wide(name: str, array: np.ndarray) -> np.ndarray:
    """An array of floats, in float32 at least, so that sums of 16 bits are rounded once."""
    if not jnp.issubdtype(array.dtype, jnp.floating):
        raise ValueError(f"{name!r} must be of floats. Got {array.dtype}; quantised weights must be scaled first.")
    return array.astype(np.float32) if array.dtype.itemsize < 4 else array


def _leaf(layer: Any, part: Part) -> Any:
    """The array of the model that a part replaces, or one of the type of running statistics."""
    if not part.leaf.startswith("."):
        if not part.names:
            return layer
        return np.zeros(0, np.float32) if layer.weight is None else layer.weight
    leaves = {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(layer)}
    return leaves[part.leaf]


def _replaced(model: Any, leaves: dict[str, jax.Array]) -> Any:
    def swap(path: Any, leaf: Any) -> Any:
        return leaves.get(jax.tree_util.keystr(path), leaf)

    return jax.tree_util.tree_map_with_path(swap, model)
