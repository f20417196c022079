"""Spikes, membranes and rates of a network, as digital and on chips."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..._checks import checked
from .._caption import describe
from .._names import readable
from .._style import COLOURS, letter_panels, panels_of, style
from ._parts import below, check_has, check_known

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOOKS = ((COLOURS[0], "-"), (COLOURS[4], "--"), (COLOURS[2], "-."), (COLOURS[3], ":"))


@checked()
def raster(result: "xr.Dataset", *, label: Mapping[str, str] | None = None, journal: str = "neutral") -> "Figure":
    """Spikes and membranes of one recording, rates of all neurons, and how far spikes move on chips.

    **Arguments:**

    - `result`: `spikes` and `membranes` (over threshold) over (version, step, neuron), `rate` in hertz over (version,
      neuron) and perhaps chip, `lag_count` over (chip, lag) and `jitter` in seconds over chip: of `memsim run raster`.
      Two versions are shown, the first, "ideal", and a chip; steps are of 1 ms, or as the attribute "dt" of the result
      says in seconds.
    - `label`: What versions are called: `{"ideal": "software"}`.
    - `journal`: A name of `memsim.plotting.JOURNALS`.

    **Raises:** `ValueError` for another data set.

    >>> import memsim as ms, numpy as np, xarray as xr
    >>> over = ("version", "step", "neuron")
    >>> run = xr.Dataset({name: (over, np.ones((2, 9, 3))) for name in ("spikes", "membranes")})
    >>> run = run.assign(rate=(("version", "neuron"), np.ones((2, 3))), jitter=("chip", np.full(4, 1e-3)))
    >>> run = run.assign(lag_count=(("chip", "lag"), np.ones((4, 3))))
    >>> run = run.assign_coords(version=["ideal", "analog"], lag=[-1, 0, 1])
    >>> ms.plotting.raster(run).axes[0].get_title(loc="left")
    'Digital'
    """
    check_has(
        result,
        ("spikes", "membranes", "rate", "lag_count", "jitter", "version"),
        "`memsim run raster`",
        over=("version", "step", "neuron", "chip", "lag"),
    )
    check_known(result, "rate")
    names = [str(name) for name in result.version.values][: len(LOOKS)]
    called = {"ideal": "Digital", "analog": "One chip"} | dict(label or {})
    step = 1e3 * float(result.attrs.get("dt", 1e-3))
    with style(journal):
        figure, grid = panels_of(journal, 2, 3, height=0.27)
        for row, (axes, name) in enumerate(zip(grid[:, 0], names, strict=False)):
            _spikes(axes, result.sel(version=name), LOOKS[row][0], step)
            axes.set_title(readable(name, called))
        active = np.argsort(-result.spikes.sum("step").min("version").values, kind="stable")[:2]
        for axes, neuron in zip(grid[:, 1], active, strict=False):
            _membranes(axes, result, int(neuron), names, called, step)
        _rates(grid[0, 2], result, names)
        _lags(grid[1, 2], result, step)
        below(figure, grid[0, 1])
        letter_panels(grid.flat)
        beyond = [
            f"{100 * float(result[each].mean()):.1f} % of spikes {each}" for each in ("lost", "added") if each in result
        ]
        describe(
            figure,
            "a, d: one recording; b, e: its two most active neurons, over their threshold (dotted); c: mean rates of "
            "neurons over recordings; f: how far spikes move, bars: 5th to 95th percentile over "
            f"chips{'; ' + ', '.join(beyond) if beyond else ''}. Steps are synchronous, of {step:g} ms",
        )
    return figure


def _spikes(axes: "Axes", data: "xr.Dataset", colour: str, dt: float) -> None:
    step, neuron = np.nonzero(data.spikes.transpose("step", "neuron").values)
    size = float(np.clip(400 / data.sizes["neuron"], 2, 14))
    axes.scatter(dt * step, neuron, s=size, marker="|", linewidths=0.6, color=colour, rasterized=True)
    axes.set(xlim=(-dt / 2, dt * (data.sizes["step"] - 0.5)), ylim=(-1, data.sizes["neuron"]))
    axes.set(ylabel="Neuron", xlabel="Time (ms)")


def _membranes(
    axes: "Axes", data: "xr.Dataset", neuron: int, names: list[str], called: Mapping[str, str], dt: float
) -> None:
    for (colour, line), name in zip(LOOKS, names, strict=False):
        trace = data.membranes.sel(version=name).isel(neuron=neuron)
        axes.plot(dt * np.arange(trace.sizes["step"]), trace, line, color=colour, label=readable(name, called))
    axes.axhline(1.0, color="0.6", linewidth=0.6, linestyle=":")
    axes.set(xlabel="Time (ms)", ylabel="Membrane / threshold")
    axes.set_title(f"Neuron {neuron}")


def _rates(axes: "Axes", data: "xr.Dataset", names: list[str]) -> None:
    """A histogram of each version; where there are several chips, their mean with the 5th to 95th percentile."""
    bins = np.linspace(0, max(float(data.rate.max()), 1.0), 16)
    middle = (bins[1:] + bins[:-1]) / 2
    for (colour, line), name in zip(LOOKS, names, strict=False):
        rate = data.rate.sel(version=name)
        each = rate.transpose(..., "neuron").values.reshape(-1, rate.sizes["neuron"])
        counts = np.array([np.histogram(one, bins)[0] for one in each])
        axes.stairs(counts.mean(0), bins, color=colour, linestyle=line)
        if len(counts) > 1 and np.ptp(counts, axis=0).any():
            low, high = np.percentile(counts, [5, 95], axis=0)
            axes.vlines(middle, low, high, color=colour, linewidth=0.7)
    axes.set(xlabel="Rate (Hz)", ylabel="Neurons")
    axes.set_title("Mean rates")


def _lags(axes: "Axes", data: "xr.Dataset", dt: float) -> None:
    share = (100 * data.lag_count / data.lag_count.sum("lag").clip(min=1)).transpose("chip", "lag")
    low, high = np.percentile(share, [5, 95], axis=0)
    axes.bar(dt * data.lag, share.mean("chip"), width=0.8 * dt, color="0.75")
    axes.vlines(dt * data.lag, low, high, color="black", linewidth=0.8)
    axes.set(xlabel="Shift of a spike (ms)", ylabel="Paired spikes (%)", yscale="log")
    axes.set_title(f"Jitter {1e3 * float(data.jitter.mean()):.2f} ms rms")
