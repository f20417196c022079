"""How weights of networks lie, and how the conductances that hold them do."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key

from .._array import Chip
from .._checks import TIME, check_finite_model, checked, described, whole
from ..files._planes import conductances_of
from ..nn import analog_layers
from ..nn._deploy import digital_weight, layers_on_chips
from ..nn._mixed_signal import Designs, check_designs
from ._chips import DESIGN, programmed
from ._provenance import device_numbers, provenance

if TYPE_CHECKING:
    from xarray import Dataset as Result


@checked(crossbar=DESIGN, time=TIME, chips=whole(1), bins=whole(2))
def distributions(
    models: Mapping[str, Any],
    crossbar: Designs,
    *,
    key: Key[Array, ""],
    chips: int = 5,
    time: float = 0.0,
    bins: int = 50,
) -> "Result":
    """Histograms of the weights of each layer, and of the conductances that hold them, of trainings of one network.

    Chip i is that of `memsim.study.robustness` with the same `key`. All cells are counted, those of reference lines
    too.

    **Arguments:**

    - `models`: Digital networks with the same layers, by name: `{"before": one, "after": other}`.
    - `crossbar`: A design, or `path, layer -> design | None`; layers without are left out.
    - `key`: For everything.
    - `chips`: Number of virtual chips.
    - `time`: Seconds after programming.
    - `bins`: Of each histogram.

    Returns an `xarray.Dataset` of densities, with an integral of one: `weight_density` over (version, layer,
    weight_bin), with the weights at `weight` (layer, weight_bin), and `conductance_density` over (version, layer, chip,
    conductance_bin) in 1/siemens, at `conductance` (layer, conductance_bin). The bins of a layer are the same for all
    versions. `memsim.plotting.distributions` draws it.

    **Raises:** `ValueError` for networks without the same layers, and for what cannot be on chips.

    >>> import jax.random as jr, memsim as ms, device_models as dm
    >>> network, key = ms.nn.Linear(8, 8, key=jr.key(0)), jr.key(1)
    >>> found = ms.study.distributions({"one": network}, ms.Crossbar(dm.pcm_joshi2020()), key=key, chips=2, bins=10)
    >>> dict(found.conductance_density.sizes)
    {'layer': 1, 'version': 1, 'chip': 2, 'conductance_bin': 10}
    """
    import xarray as xr

    check_designs(crossbar)
    paths = _common(models, crossbar)
    weights = {name: _weights(model, paths) for name, model in models.items()}
    cells = {
        name: [_cells(model, crossbar, each, time, key) for each in range(chips)] for name, model in models.items()
    }
    parts = [
        _histograms(
            [each[path] for each in weights.values()], [[c[path] for c in each] for each in cells.values()], bins
        )
        for path in paths
    ]
    at_weights, of_weights, at_cells, of_cells = (np.asarray(each) for each in zip(*parts, strict=True))
    over = ("layer", "version", "chip", "conductance_bin")
    data = {
        "weight_density": (("layer", "version", "weight_bin"), of_weights, {"units": "1"}),
        "conductance_density": (over, of_cells, {"units": "1/S"}),
    }
    places = {
        "version": list(models),
        "layer": list(paths),
        "chip": np.arange(chips),
        "weight": (("layer", "weight_bin"), at_weights, {"units": "1"}),
        "conductance": (("layer", "conductance_bin"), at_cells, {"units": "S"}),
        "time": ("time", [float(time)], {"units": "s"}),
    }
    return xr.Dataset(data, places, provenance() | device_numbers(crossbar))


def _histograms(weights: list[np.ndarray], cells: list[list[np.ndarray]], bins: int) -> tuple[Any, Any, Any, Any]:
    """Middles of bins and densities in them, of the weights of one layer and of its cells on each chip."""
    most = max(float(np.abs(each).max()) for each in weights) or 1.0
    edges = np.linspace(-most, most, bins + 1)
    found = (edges[1:] + edges[:-1]) / 2, [_density(each, edges) for each in weights]
    edges = _around([chip for each in cells for chip in each], bins)
    return *found, (edges[1:] + edges[:-1]) / 2, [[_density(chip, edges) for chip in each] for each in cells]


def _common(models: Mapping[str, Any], crossbar: Designs) -> tuple[str, ...]:
    """The layers on chips, which all networks must have."""
    if not isinstance(models, Mapping) or not models:
        raise ValueError(
            f'`models` must be networks by name, {{"before": one, "after": other}}. Got {described(models)}.'
        )
    found = {name: tuple(layers_on_chips(model, crossbar)) for name, model in models.items()}
    first = next(iter(found.values()))
    for name, paths in found.items():
        check_finite_model(models[name], f"models[{name!r}]")
        if paths != first:
            raise ValueError(
                f"`models` must have the same layers on chips. Got {', '.join(first)}, and {', '.join(paths)}."
            )
    return first


def _cells(model: Any, crossbar: Designs, number: int, time: float, key: Key[Array, ""]) -> dict[str, np.ndarray]:
    """The conductance of every cell of each layer of one chip, in siemens."""
    chip, _ = programmed(model, crossbar, jnp.asarray(number), key=key)
    t = jnp.asarray(time, jnp.result_type(float))
    layers = {path: layer.weight for path, layer in analog_layers(chip).items()}
    return {path: conductances_of(found, t).ravel() for path, found in layers.items() if isinstance(found, Chip)}


def _weights(model: Any, paths: tuple[str, ...]) -> dict[str, np.ndarray]:
    layers = analog_layers(model)
    return {path: np.asarray(digital_weight(path, layers[path])) for path in paths}


def _around(values: list[np.ndarray], bins: int) -> np.ndarray:
    """Edges of bins that hold all `values`."""
    low, high = min(float(each.min()) for each in values), max(float(each.max()) for each in values)
    return np.linspace(low, high if high > low else low + 1e-9, bins + 1)


def _density(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.histogram(values, edges, density=True)[0]
