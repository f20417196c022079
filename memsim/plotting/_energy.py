"""Bars of what networks take."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from .._checks import checked, described
from ._style import COLOURS, style, width

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

HATCHES = ("", "///", "...", "xxx")  # a second channel, where there are more components than colours
FILLS = COLOURS[1:]  # on black no hatch is seen


@checked()
def energy(cost: "xr.Dataset | Mapping[str, xr.Dataset]", *, journal: str = "neutral") -> "Figure":
    """Stacked bars of energy by component: of each layer, or, of several costs by name, of each of them.

    In joules of an inference, the mean over samples; components that take nothing are left out.

    **Arguments:**

    - `cost`: From `ms.energy.of` or `ms.energy.digital`, or several of them by name.
    - `journal`: As of `width`.

    **Raises:** `ValueError` for another data set.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> cost = ms.energy.digital(ms.nn.Linear(64, 32, key=jr.key(0)), jnp.ones((1, 64)))
    >>> figure = ms.plotting.energy(cost)
    >>> len(figure.axes)
    1
    """
    import xarray as xr
    from matplotlib.figure import Figure

    if not isinstance(cost, Mapping):  # as a data set is, too
        _check(cost)
    bars = _of_layers(cost) if isinstance(cost, xr.Dataset) else _of_costs(cost)
    names = sorted({name for parts in bars.values() for name, joules in parts.items() if joules > 0})
    names.sort(key=lambda name: -sum(parts.get(name, 0.0) for parts in bars.values()))
    with style():
        figure = Figure(figsize=(width(journal), 0.75 * width(journal)))
        axes = figure.subplots()
        places, below = np.arange(len(bars)), np.zeros(len(bars))
        for place, name in enumerate(names):
            height = np.asarray([parts.get(name, 0.0) for parts in bars.values()])
            hatch = HATCHES[place // len(FILLS) % len(HATCHES)]
            axes.bar(places, height, bottom=below, color=FILLS[place % len(FILLS)], hatch=hatch, label=name)
            below = below + height
        axes.set_xticks(places, list(bars))
        axes.set_ylabel("Energy (J)")
        axes.legend()
    return figure


def _of_layers(cost: "xr.Dataset") -> dict[str, dict[str, float]]:
    _check(cost)
    mean = cost.joules.mean("sample")
    return {str(layer): _parts(mean.sel(layer=layer)) for layer in cost.layer.values}


def _of_costs(costs: "Mapping[str, xr.Dataset]") -> dict[str, dict[str, float]]:
    for cost in costs.values():
        _check(cost)
    if not costs:
        raise ValueError("`cost` must be a data set, or several by name. Got none.")
    return {name: _parts(cost.joules.mean("sample").sum("layer")) for name, cost in costs.items()}


def _parts(joules: "xr.DataArray") -> dict[str, float]:
    return {str(name): float(value) for name, value in zip(joules.component.values, joules.values, strict=True)}


def _check(cost: "xr.Dataset") -> None:
    if "joules" not in getattr(cost, "variables", ()):
        raise ValueError(
            "`cost` must be a data set of `ms.energy.of` or `ms.energy.digital`, or several by name. Got "
            f"{described(cost)}, without joules."
        )
    if set(cost.joules.dims) != {"sample", "layer", "component"}:
        raise ValueError(
            f"`cost` must have sample, layer, component. Got {', '.join(map(str, cost.joules.dims))}. Choose one "
            "by a list: `cost.isel(sample=[0])`."
        )
    if not np.isfinite(cost.joules.values).all():
        raise ValueError("`cost` must have finite joules. Got NaN or infinite ones. Were its inputs finite?")
