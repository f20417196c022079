"""Journal styles, and the standard figures drawn from result data sets."""

import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from device_models._files import as_path, written_whole

from .._checks import Must, checked, described, did_you_mean, whole
from ..study import check_times, interval, make_folder
from ..study._right import best_of

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MILLIMETRE = 1 / 25.4  # inches
WIDTHS = {  # one column and two columns, in inches
    "neutral": (3.3, 6.9),  # fits inside the others
    "nature": (89 * MILLIMETRE, 183 * MILLIMETRE),
    "ieee": (3.5, 7.16),
}
COLOURS = ("#000000", "#E69F00", "#0072B2", "#009E73", "#D55E00", "#CC79A7", "#56B4E9")  # Wong, colour-blind safe
MARKERS = ("o", "s", "^", "D", "v", "P", "X")  # a second channel, for black and white
MINUTE, HOUR, DAY, YEAR = 60.0, 3600.0, 86400.0, 365.25 * 86400.0
TICKS = {1e-9: "1 ns", 1e-6: "1 µs", 1e-3: "1 ms", 1.0: "1 s", HOUR: "1 h", DAY: "1 d", 30 * DAY: "1 mo"}
TICKS |= {10.0**n * YEAR: f"{10**n} y" for n in range(5)}
UNITS = {"y": YEAR, "d": DAY, "h": HOUR, "min": MINUTE, "s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9, "ps": 1e-12}
MOST_TICKS = 6
BEYOND = "--"  # where cells were not measured


@contextmanager
def style() -> Iterator[None]:
    """Small sans-serif type, thin lines, embedded TrueType fonts, for the figures drawn inside."""
    import matplotlib as mpl

    settings: Any = {
        "font.family": "sans-serif",
        "font.sans-serif": ["Arial", "Helvetica", "DejaVu Sans"],
        "font.size": 7,
        "axes.labelsize": 7,
        "axes.titlesize": 7,
        "legend.fontsize": 6,
        "xtick.labelsize": 6,
        "ytick.labelsize": 6,
        "axes.linewidth": 0.6,
        "lines.linewidth": 1.0,
        "lines.markersize": 3,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
        "pdf.fonttype": 42,
        "ps.fonttype": 42,
        "savefig.dpi": 600,
        "figure.constrained_layout.use": True,
    }
    with mpl.rc_context(settings):
        yield


@checked(columns=whole(1, most=2))
def width(journal: str, columns: int = 1) -> float:
    """Width of a figure over one or two `columns` of a `journal`, in inches."""
    if journal not in WIDTHS:
        raise ValueError(did_you_mean("A journal", journal, WIDTHS))
    return WIDTHS[journal][int(columns) - 1]


@checked()
def accuracy_over_time(result: "xr.Dataset", *, journal: str = "neutral") -> "Figure":
    """Accuracy in percent against time since programming, one panel for a result of `memsim.study.robustness`.

    It is dashed where cells of that age were not measured.
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
def draw_accuracy(axes: "Axes", accuracy: "xr.DataArray | xr.Dataset", *, place: int, label: str | None) -> None:
    """One line on `axes` against time since programming, as of `draw_spread`, of a result or its accuracy."""
    draw_spread(axes, shown_time(accuracy.time.values), accuracy, along="time", place=place, label=label)


@checked()
def draw_spread(
    axes: "Axes",
    x: np.ndarray,
    values: "xr.DataArray | xr.Dataset",
    *,
    along: str,
    place: int,
    label: str | None,
    linestyle: str = "-",
) -> None:
    """One line on `axes`, in percent: mean with the 5th to 95th percentile over chips (and seeds) as a band.

    Bars show the 95 % interval of the mean, `memsim.study.interval`, where there are several seeds, or `values` are a
    result that kept what is right of each recording. `along` is the dimension of `values` that `x` shows, and `place`
    chooses colour and marker. Where the coordinate `measured` is there and False, the line is dashed.
    """
    values = best_of(values)
    if along not in values.dims:
        raise ValueError(did_you_mean("`along`, a dimension of `values`,", along, map(str, values.dims)))
    shares = values.mean("recording", skipna=False) if "recording" in values.dims else values
    missing = int((~np.isfinite(np.asarray(shares))).sum())
    if missing:
        said = f"{missing} of {shares.size} values to draw are NaN or infinite; what they enter is left out."
        warnings.warn(said, stacklevel=3)
    over = [name for name in shares.dims if name != along]
    colour, marker = COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]
    mean = 100 * np.asarray(shares.mean(over, skipna=False))
    low, high = 100 * np.percentile(np.asarray(shares.transpose(*over, along)), [5, 95], axis=tuple(range(len(over))))
    axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
    look = {"color": colour, "marker": marker, "label": label, "linestyle": linestyle}
    draw_line(axes, x, mean, measured_along(values, along), **look)
    if values.sizes.get("seed", 1) > 1 or "recording" in values.dims:
        known = np.flatnonzero(np.isfinite(mean))
        found = 100 * np.array([interval(values.isel({along: place})) for place in known]).reshape(-1, 3)
        bars = np.abs(found[:, 1:] - found[:, :1]).T
        axes.errorbar(x[known], mean[known], bars, fmt="none", ecolor=colour, capsize=1.5, lw=0.6)


@checked(y=Must("numbers", lambda y: np.full(np.shape(y), True)))  # what is NaN is left out
def draw_line(axes: "Axes", x: np.ndarray, y: np.ndarray, measured: np.ndarray | None = None, **look: Any) -> None:
    """`y` over `x`, as `axes.plot` draws it, but dashed to and from points that are not `measured`."""
    if measured is None or measured.all():
        axes.plot(x, y, **look)
        return
    label, linestyle = look.pop("label", None), look.pop("linestyle", "-")
    axes.plot(x, y, **look, linestyle="none")
    bare = {name: value for name, value in look.items() if name not in ("marker", "markersize")}
    for first in range(len(x) - 1):
        solid = measured[first] and measured[first + 1]
        axes.plot(x[first : first + 2], y[first : first + 2], **bare, linestyle=linestyle if solid else BEYOND)
    axes.plot([], [], **look, linestyle=linestyle, label=label)


def measured_along(values: "xr.DataArray", along: str) -> np.ndarray | None:
    """The coordinate `measured` of `values` along one of their dimensions, if it is there."""
    measured = values.coords.get("measured")
    return None if measured is None or measured.dims != (along,) else np.asarray(measured, bool)


@checked()
def attribution(result: "xr.Dataset", *, journal: str = "neutral", time: int = 0) -> "Figure":
    """Bars of a result of `memsim.study.attribute`: what each effect costs alone, and what leaving it out gains.

    The lines are 95 % intervals over chips, paired; the third panel is the error of each layer with the effect alone.
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


@checked()
def letter_panels(panels: Iterable["Axes"]) -> None:
    """Bold lower-case letters above the left corners of `panels`, as Nature asks for."""
    for axes, letter in zip(panels, "abcdefghijklmnopqrstuvwxyz", strict=False):
        axes.set_title(letter, loc="left", fontweight="bold", fontsize=8)


@checked()
def label_time(axes: "Axes", times: np.ndarray) -> None:
    """A logarithmic time axis with ticks at times people say, or round ones where those are too few."""
    axes.set_xscale("log")
    shown = shown_time(times)
    ticks = _ticks(shown[np.asarray(times) > 0]) if np.max(times) > 0 else {}
    if np.min(times) == 0:
        ticks[float(shown.min())] = "0"
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.minorticks_off()
    axes.set_xlabel("Time since programming")


@checked()
def shown_time(times: np.ndarray) -> np.ndarray:
    """Times for a logarithmic axis: 0 s stands at 1 s, or a decade before the first positive time."""
    check_times(times)
    times = np.asarray(times, float)
    positive = times[times > 0]
    first = min(1.0, positive.min() / 10) if positive.size else 1.0
    return np.where(times > 0, times, first)


@checked()
def save(figure: "Figure", path: Path | str) -> list[Path]:
    """Writes PDF (TrueType fonts embedded) and PNG (600 dpi) of `figure`, whole or not at all; returns their paths.

    `path` is without an ending, and may hold dots: "fig_r0.5" becomes fig_r0.5.pdf and fig_r0.5.png.
    """
    if str(path).endswith(("/", os.sep)) or as_path(path).name in ("", ".."):
        raise ValueError(f'`path` must end in the name of a file, such as "folder/name". Got {str(path)!r}.')
    path = as_path(path)
    make_folder(path.parent)
    name = path.stem if path.suffix in (".pdf", ".png") else path.name
    files = [path.with_name(f"{name}.{ending}") for ending in ("pdf", "png")]
    with style():
        for file in files:
            with written_whole(file) as partial:
                figure.savefig(partial, format=file.suffix[1:])
    return files


def _ticks(shown: np.ndarray) -> dict[float, str]:
    """Ticks that tell the scale between the first and the last of some positive times."""
    low, high = float(shown.min()), float(shown.max())
    said = {t: name for t, name in TICKS.items() if 0.99 * low <= t <= 1.01 * high}
    if len(said) > 1:
        return said
    decades = 10.0 ** np.arange(np.ceil(np.log10(low) - 1e-9), np.floor(np.log10(high) + 1e-9) + 1)
    if len(decades) > 1:
        return {float(t): _said(float(t)) for t in decades[:: -(-len(decades) // MOST_TICKS)]}
    names = {_said(high): high, _said(low): low} | {name: t for t, name in said.items()}
    return {t: name for name, t in names.items()}  # two times that are said alike have one tick


def _said(seconds: float) -> str:
    """A time in the unit in which people say it."""
    round_number = seconds < HOUR or np.log10(seconds) % 1 == 0
    if 1 <= seconds < 1e6 and seconds % 1 == 0 and round_number:
        return f"{seconds:.0f} s"
    name, unit = next(((n, u) for n, u in UNITS.items() if seconds >= 0.999 * u), ("ps", UNITS["ps"]))
    return f"{seconds / unit:.3g} {name}"


def _check_has(result: "xr.Dataset", names: Iterable[str], maker: str) -> None:
    missing = [name for name in names if name not in getattr(result, "variables", ())]
    if missing:
        raise ValueError(
            f"`result` must be a data set of `{maker}`. Got {described(result)}, without {', '.join(missing)}."
        )
