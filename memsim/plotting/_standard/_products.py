"""Analog against exact products, and the error of each non-ideality alone."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..._checks import checked
from .._caption import describe
from .._names import readable
from .._style import COLOURS, letter_panels, panels_of, style
from ._parts import BAND, check_has, check_known

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FLOOR, TOP = 1e-4, 1e3  # densities that the rows of the middle panel reach from and to
TOGETHER = "all "  # how the names of cases begin that are of several effects


@checked()
def mvm_scatter(result: "xr.Dataset", *, label: Mapping[str, str] | None = None, journal: str = "neutral") -> "Figure":
    """Analog against exact outputs, and for each non-ideality alone and all together the density and size of its error.

    **Arguments:**

    - `result`: In standard deviations of the exact outputs: `count` over (exact, analog), `error_density` over (case,
      chip, error), `rms` over (case, chip), and `snr` in decibels: of `memsim run mvm_error`. Cases of several effects
      begin with "all ".
    - `label`: What cases are called, see `readable`.
    - `journal`: A name of `memsim.plotting.JOURNALS`.

    **Raises:** `ValueError` for another data set.

    >>> import memsim as ms, numpy as np, xarray as xr
    >>> at = np.linspace(-4, 4, 9)
    >>> data = xr.Dataset({"count": (("exact", "analog"), np.eye(9)), "rms": (("case", "chip"), [[0.1, 0.2]])})
    >>> data = data.assign(error_density=(("case", "chip", "error"), np.ones((1, 2, 9)) / 8))
    >>> data = data.assign(snr=-20 * np.log10(data.rms))
    >>> data = data.assign_coords(exact=at, analog=at, error=at, case=["write noise"])
    >>> ms.plotting.mvm_scatter(data).axes[2].get_xlabel()
    'RMS error (% of σ)'
    """
    check_has(
        result,
        ("count", "error_density", "rms", "snr", "case"),
        "`memsim run mvm_error`",
        over=("exact", "analog", "case", "chip", "error"),
    )
    check_known(result, "rms", "snr")
    order = np.argsort(result.rms.mean("chip").values, kind="stable")
    sorted_ = result.isel(case=order)
    with style(journal):
        figure, grid = panels_of(journal, 1, 3, height=0.4, width_ratios=(1.15, 1, 1))
        scatter, densities, sizes = grid[0]
        _scatter(scatter, result)
        _densities(densities, sorted_)
        _sizes(sizes, sorted_)
        densities.set_yticks(np.arange(len(order)), [readable(str(case), label) for case in sorted_.case.values])
        sizes.set_yticks(np.arange(len(order)), [])
        sizes.set_ylim(densities.get_ylim())
        letter_panels(grid[0])
        describe(
            figure,
            "σ: standard deviation of the exact outputs. a: all effects together, dashed: exact; b: density of the "
            f"error from {FLOOR:g} to {TOP:g} per σ, on a logarithmic axis of its own in each row, mean over chips, "
            "band: smallest to largest of them; c: marks: mean over chips, bars: smallest to largest chip; numbers: "
            "signal-to-noise ratio in dB; black: several effects",
        )
    return figure


def _scatter(axes: "Axes", data: "xr.Dataset") -> None:
    """Binned, because there are millions of outputs."""
    from matplotlib.colors import LogNorm

    shown = data["count"].transpose("analog", "exact")
    look = {"norm": LogNorm(vmin=1, vmax=max(2.0, float(shown.max()))), "cmap": "viridis", "rasterized": True}
    image = axes.pcolormesh(data.exact, data.analog, shown.where(shown > 0), **look)
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.colorbar(image, ax=axes, location="bottom", aspect=25, pad=0.03, label="Outputs in a bin")
    ends = [float(data.exact[0]), float(data.exact[-1])]
    axes.plot(ends, ends, color=COLOURS[4], linestyle="--", linewidth=0.8)
    axes.set(xlabel="Exact output (σ)", ylabel="Analog output (σ)", xticks=range(-4, 5, 2), yticks=range(-4, 5, 2))
    axes.set_box_aspect(1)


def _densities(axes: "Axes", data: "xr.Dataset") -> None:
    """A row a case: all in one panel would hide each other."""
    height = np.log10(TOP / FLOOR) / 0.85

    def shown(values: "xr.DataArray", row: int) -> np.ndarray:
        return row - 0.4 + np.log10(np.clip(np.asarray(values), FLOOR, TOP) / FLOOR) / height

    for row, case in enumerate(data.case.values):
        density, colour = data.error_density.sel(case=case), _colour(str(case))
        low, high = (shown(each, row) for each in (density.min("chip"), density.max("chip")))
        axes.fill_between(data.error, low, high, color=colour, alpha=BAND, linewidth=0)
        axes.plot(data.error, shown(density.mean("chip"), row), color=colour, linewidth=0.7)
    axes.set(xlim=(-1.2, 1.2), ylim=(-0.6, data.sizes["case"] - 0.3), xlabel="Error (σ)")
    axes.tick_params(axis="y", length=0)


def _sizes(axes: "Axes", data: "xr.Dataset") -> None:
    """Points, because a bar on a logarithmic axis has no foot; smallest at the bottom."""
    rms = 100 * data.rms.transpose("case", "chip")
    places, mean, most = np.arange(rms.sizes["case"]), rms.mean("chip").values, rms.max("chip").values
    colours = [_colour(str(case)) for case in rms.case.values]
    axes.hlines(places, rms.min("chip"), most, color=colours, linewidth=1.5)
    axes.scatter(mean, places, color=colours, s=9)
    for place, case in enumerate(rms.case.values):
        text = f"{float(data.snr.sel(case=case).mean()):.1f}"
        axes.annotate(text, (most[place], place), (4, 0), textcoords="offset points", va="center", fontsize="small")
    axes.set(xscale="log", xlabel="RMS error (% of σ)", xlim=(0.6 * mean.min(), 5 * most.max()))
    axes.xaxis.set_minor_formatter("")


def _colour(case: str) -> str:
    return COLOURS[0 if case.startswith(TOGETHER) else 2]
