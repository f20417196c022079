"""The standard figures of results."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from .._checks import checked, described
from ._lines import draw_accuracy
from ._style import COLOURS, MARKERS, letter_panels, style, width
from ._time import label_time

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure


@checked()
def accuracy_over_time(result: "xr.Dataset", *, journal: str = "neutral") -> "Figure":
    """Accuracy in percent against time since programming, one panel for a result of `memsim.study.robustness`.

    It is dashed where cells of that age were not measured.

    >>> import numpy as np, xarray as xr, memsim as ms
    >>> values = np.linspace(0.8, 0.9, 6).reshape(2, 3)
    >>> result = xr.Dataset({"accuracy": (("chip", "time"), values)}, {"chip": [0, 1], "time": [0.0, 3600.0, 86400.0]})
    >>> figure = ms.plotting.accuracy_over_time(result)
    >>> [axes.get_xscale() for axes in figure.axes]
    ['log']
    """
    from matplotlib.figure import Figure

    _check_has(result, ("accuracy", "time"), "memsim.study.robustness")
    with style():
        figure = Figure(figsize=(width(journal), 0.75 * width(journal)))
        axes = figure.subplots()
        draw_accuracy(axes, result, place=0, label=None)
        label_time(axes, result.time.values)
        axes.set_ylabel("Accuracy (%)")
    return figure


@checked()
def attribution(result: "xr.Dataset", *, journal: str = "neutral", time: int = 0) -> "Figure":
    """Bars of a result of `memsim.study.attribute`: what each effect costs alone, and what leaving it out gains.

    The lines are 95 % intervals over chips, paired; the third panel is the error of each layer with the effect alone.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> key, model = jr.key(0), ms.nn.SpikingNetwork([ms.nn.Linear(8, 2, key=jr.key(1)), ms.nn.LI(2)])
    >>> data = jr.normal(key, (4, 5, 8)), jnp.array([0, 1, 0, 1])
    >>> design = ms.Crossbar(dm.pcm_joshi2020(), reads=ms.Reads("off"))
    >>> figure = ms.plotting.attribution(ms.study.attribute(model, data, design, chips=2, key=key))
    >>> len(figure.axes)
    3
    """
    from matplotlib.figure import Figure

    from ..study import attribution_table

    _check_has(result, ("accuracy", "layer_error", "effect", "case", "time"), "memsim.study.attribute")
    if not -result.sizes["time"] <= time < result.sizes["time"]:
        raise ValueError(f"`time` must be the place of one of {result.sizes['time']} times, from 0. Got {time}.")
    table = attribution_table(result, time).iloc[::-1]
    errors = 100 * result.layer_error.sel(case="alone").isel(time=time).mean("chip")
    places = np.arange(len(table))
    with style():
        wide = width(journal, 2)
        figure = Figure(figsize=(wide, 0.12 * wide + 0.03 * wide * len(table)))
        panels = figure.subplots(1, 3, sharey=True)
        letter_panels(panels)
        for axes, name, low, high, label in (
            (panels[0], "cost_alone", "cost_low", "cost_high", "Cost alone (points)"),
            (panels[1], "gain_left_out", "gain_low", "gain_high", "Gain when left out (points)"),
        ):
            axes.barh(places, table[name], color=COLOURS[2], height=0.7)
            axes.hlines(places, table[low], table[high], color=COLOURS[0])
            axes.axvline(0.0, color=COLOURS[0], linewidth=0.6)
            axes.set_xlabel(label)
        for place, layer in enumerate(result.layer.values):
            points = errors.sel(layer=layer, effect=table.effect.values)
            panels[2].plot(points, places, MARKERS[place % 7], color=COLOURS[(place + 1) % 7], label=str(layer))
        panels[2].set_xlabel("Layer's output error alone (%)")
        panels[2].legend()
        panels[0].set_yticks(places, [str(effect) for effect in table.effect])
    return figure


def _check_has(result: "xr.Dataset", names: Iterable[str], maker: str) -> None:
    missing = [name for name in names if name not in getattr(result, "variables", ())]
    if missing:
        raise ValueError(
            f"`result` must be a data set of `{maker}`. Got {described(result)}, without {', '.join(missing)}."
        )
