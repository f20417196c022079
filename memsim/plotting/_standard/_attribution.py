"""Which effect costs how much."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..._checks import checked
from ...study import attribution_table
from .._caption import describe
from .._names import readable
from .._style import COLOURS, letter_panels, look, panels_of, style
from ._parts import below, check_has, percentiles

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@checked()
def attribution(
    result: "xr.Dataset", *, journal: str = "neutral", time: int = 0, label: Mapping[str, str] | None = None
) -> "Figure":
    """Bars of a result of `memsim.study.attribute`: what each effect costs alone, and what leaving it out gains.

    The largest cost stands on top, so that the bars make a tornado. The lines are 95 % intervals over chips, paired;
    the third panel is the error of each layer with the effect alone.

    **Arguments:**

    - `result`: Of `memsim.study.attribute`, for accuracies.
    - `journal`: A name of `memsim.plotting.JOURNALS`.
    - `time`: The place of one of its times, from 0.
    - `label`: What effects and layers are called: `{"layers[0]": "hidden"}`.

    **Raises:** `ValueError` for another data set, or a time that is not there.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms, device_models as dm
    >>> crossbar, key = ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8)), jr.key(0)
    >>> network, data = ms.nn.Linear(4, 3, key=key), (jnp.eye(4)[:3], jnp.arange(3))
    >>> found = ms.study.attribute(network, data, crossbar, key=key, chips=2, times=[0.0])
    >>> ms.plotting.attribution(found).axes[0].get_xlabel()
    'Cost alone (points)'
    """
    maker = "`memsim.study.attribute`"
    check_has(
        result,
        ("accuracy", "accuracy_ideal", "accuracy_together", "layer_error", "output_error", "effect", "case", "layer"),
        maker,
        over=("effect", "case", "time", "chip", "layer"),
    )
    if missing := {"alone", "left out"} - set(map(str, result.case.values)):
        raise ValueError(f"`result` must have the cases alone and left out. Got none called {' or '.join(missing)}.")
    if not -result.sizes["time"] <= time < result.sizes["time"]:
        raise ValueError(f"`time` must be the place of one of {result.sizes['time']} times, from 0. Got {time}.")
    table = attribution_table(result, time % result.sizes["time"]).sort_values("cost_alone", kind="stable")
    errors = 100 * result.layer_error.sel(case="alone").isel(time=time).transpose("layer", "effect", "chip")
    places = np.arange(len(table))
    with style(journal):
        figure, grid = panels_of(journal, 1, 3, height=0.15 + 0.03 * len(table), sharey=True)
        for axes, name, low, high, words in (
            (grid[0, 0], "cost_alone", "cost_low", "cost_high", "Cost alone (points)"),
            (grid[0, 1], "gain_left_out", "gain_low", "gain_high", "Gain when left out (points)"),
        ):
            axes.barh(places, table[name], color=COLOURS[6], height=0.7)
            axes.hlines(places, table[low], table[high], color=COLOURS[0])
            axes.axvline(0.0, color=COLOURS[0], linewidth=0.6)
            axes.set_xlabel(words)
        _layers(grid[0, 2], errors.sel(effect=table.effect.values), label)
        grid[0, 0].set_yticks(places, [readable(str(effect), label) for effect in table.effect])
        below(figure, grid[0, 2])
        letter_panels(grid[0])
        described = f"{table.interval_over.iloc[0]}; c: marks: median over chips, bars: 5th to 95th percentile"
        at = float(result.time.values[time])
        describe(figure, f"{at:g} s after programming. Bars of a, b: mean; lines: 95 % interval over {described}")
    return figure


def _layers(axes: "Axes", errors: "xr.DataArray", label: Mapping[str, str] | None) -> None:
    """A mark and a bar for each layer and effect, those of one effect below each other."""
    count = errors.sizes["layer"]
    for place, layer in enumerate(errors.layer.values):
        low, middle, high = percentiles(errors.sel(layer=layer).values, axis=1)
        rows = np.arange(len(middle)) + 0.6 * ((place + 0.5) / count - 0.5)
        axes.hlines(rows, low, high, color=look(place + 1)["color"], linewidth=0.8)
        axes.plot(middle, rows, linestyle="none", label=readable(str(layer), label) or "itself", **look(place + 1))
    axes.set_xlabel("Layer's output error alone (%)")
