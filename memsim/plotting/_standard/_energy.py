"""What networks take: bars by component, and accuracy against energy."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._checks import checked, described
from ...study import interval
from ...study._factors import FACTORS
from .._caption import describe
from .._names import readable
from .._style import COLOURS, letter_panels, look, panels_of, style
from ._parts import check_has, check_known, percentiles, prefixed

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HATCHES = ("", "///", "...", "xxx")  # a second channel, where there are more components than colours
FILLS = COLOURS[1:]  # on black no hatch is seen
ALONG = ("machine", "way", "layer")  # what a bar, or a mark, can be of


@checked()
def energy(
    cost: "xr.Dataset | Mapping[str, xr.Dataset]", *, label: Mapping[str, str] | None = None, journal: str = "neutral"
) -> "Figure":
    """Stacked bars of energy by component: of each layer, or, of several costs by name, of each of them.

    In joules of an inference, the mean over samples, with a bar from the 5th to the 95th percentile of the sum over
    samples; components that take nothing are left out.

    **Arguments:**

    - `cost`: From `ms.energy.of` or `ms.energy.digital`, or several of them by name.
    - `label`: What layers are called: `{".layers[0]": "hidden"}`.
    - `journal`: A name of `memsim.plotting.JOURNALS`.

    **Raises:** `ValueError` for another data set.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> cost = ms.energy.digital(ms.nn.Linear(4, 3, key=jr.key(0)), jnp.ones((5, 4)))
    >>> ms.plotting.energy({"digital": cost}).axes[0].get_ylabel()
    'Energy (pJ)'
    """
    import xarray as xr

    if not isinstance(cost, Mapping):  # as a data set is, too
        _check(cost)
    parts = _of_layers(cost) if isinstance(cost, xr.Dataset) else _of_costs(cost)
    with style(journal):
        figure, grid = panels_of(journal, height=0.75, wide=1)
        axes = grid[0, 0]
        total = {name: joules.sum("component").values for name, joules in parts.items()}
        scale, prefix = prefixed(max(float(np.mean(each)) for each in total.values()))
        names = [readable(name, label) for name in parts]
        _stacked(axes, {name: _means(joules, 1 / scale) for name, joules in parts.items()}, names)
        low, _, high = np.array([percentiles(each) for each in total.values()]).T / scale
        axes.vlines(np.arange(len(names)), low, high, color="black", linewidth=0.8)
        axes.set_ylabel(f"Energy ({prefix}J)")
        axes.legend()
        describe(
            figure, "Energy of an inference, mean over samples; lines: 5th to 95th percentile of the sum over samples"
        )
    return figure


@checked()
def energy_breakdown(
    result: "xr.Dataset", *, label: Mapping[str, str] | None = None, journal: str = "neutral"
) -> "Figure":
    """Energy of an inference on each of several machines, what of it each component takes, and below them accuracy.

    **Arguments:**

    - `result`: `joules` over (machine or way, component), and what chance decided, and perhaps `accuracy` without
      components: of `memsim run energy_bars`, or of `memsim run design` for one network.
    - `label`: What machines and components are called, see `readable`.
    - `journal`: A name of `memsim.plotting.JOURNALS`.

    **Raises:** `ValueError` for another data set.

    >>> import memsim as ms, numpy as np, xarray as xr
    >>> data = xr.Dataset({"joules": (("seed", "machine", "component"), np.ones((3, 2, 2)) * 1e-9)})
    >>> data = data.assign_coords(machine=["PCM", "Loihi"], component=["ADC", "array"])
    >>> [float(bar.get_height()) for bar in ms.plotting.energy_breakdown(data).axes[1].patches]
    [50.0, 50.0, 50.0, 50.0]
    """
    along = _along(result)
    check_has(result, ("joules", along, "component"), "`memsim run energy_bars`", over=("component",))
    over = [name for name in FACTORS if name in result.joules.dims]
    names = [readable(str(name), label) for name in result[along].values]
    with style(journal):
        figure, grid = panels_of(journal, 2, 1, height=0.27, sharex=True, height_ratios=(1, 2))
        above, below = grid[:, 0]
        joules = result.joules.transpose(along, "component", *over)
        _sums(above, joules.sum("component").values.reshape(len(names), -1))
        if "accuracy" in result:
            right = [_percent(result.accuracy.isel({along: at})) for at in range(len(names))]
            names = [f"{name}\n{share}" for name, share in zip(names, right, strict=True)]
        mean = joules.mean(over)
        shares = 100 * mean / mean.sum("component")
        parts = [dict(zip(map(str, mean.component.values), each, strict=True)) for each in shares.values.tolist()]
        _stacked(below, dict(enumerate(parts)), names, label)
        below.set_ylabel("Share (%)")
        handles, words = below.get_legend_handles_labels()
        figure.legend(handles, words, loc="outside right upper")
        letter_panels((above, below))
        describe(
            figure,
            f"a: energy of an inference, marks: mean, bars: 5th to 95th percentile over "
            f"{', '.join(over) or 'nothing'}; b: shares of the mean by component; under each machine its test accuracy "
            "with the 95 % interval of the mean",
        )
    return figure


@checked()
def pareto(
    result: "xr.Dataset",
    *,
    crossover: "xr.Dataset | None" = None,
    label: Mapping[str, str] | None = None,
    journal: str = "neutral",
) -> "Figure":
    """Accuracy against energy of designs or machines, and which of them no other beats in both.

    **Arguments:**

    - `result`: `accuracy` and `joules` over (machine or way) and what chance decided, the joules perhaps by component:
      of `memsim run energy_bars`, or of `memsim run design` for one network.
    - `crossover`: Of `memsim run crossover`, for an inset of when an asynchronous core takes less than a clocked one.
    - `label`: What designs are called, see `readable`.
    - `journal`: A name of `memsim.plotting.JOURNALS`.

    **Raises:** `ValueError` for another data set.

    >>> import memsim as ms, numpy as np, xarray as xr
    >>> data = xr.Dataset({"joules": ("machine", [1e-9, 2e-9, 3e-9]), "accuracy": ("machine", [0.8, 0.9, 0.85])})
    >>> figure = ms.plotting.pareto(data.assign_coords(machine=["A", "B", "C"]))
    >>> (1e9 * figure.axes[0].lines[0].get_xdata()).round().tolist()  # C takes more than B, and errs more often
    [1.0, 2.0]
    """
    along = _along(result, accuracy=True)
    joules = result.joules.sum("component") if "component" in result.joules.dims else result.joules
    over = [name for name in FACTORS if name in joules.dims]
    taken, spread = (
        joules.mean(over).values,
        percentiles(joules.transpose(*over, along).values.reshape(-1, joules.sizes[along])),
    )
    found = 100 * np.array(
        [interval(result.accuracy.sel({along: each}).squeeze(drop=True)) for each in result[along].values]
    )
    best = [at for at in np.argsort(taken) if not ((taken <= taken[at]) & (found[:, 0] > found[at, 0])).any()]
    with style(journal):
        figure, grid = panels_of(journal, height=0.8, wide=1)
        axes = grid[0, 0]
        axes.plot(taken[best], found[best, 0], color="0.7", linewidth=2.5, zorder=0, solid_capstyle="round")
        _marks(axes, taken, spread, found, [readable(str(name), label) for name in result[along].values])
        axes.set_xscale("log")
        axes.set(xlabel="Energy of an inference (J)", ylabel="Accuracy (%)")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
        words = ""
        if crossover is not None:
            _inset(axes, crossover)
            words = (
                "; inset: power of a clocked core (black) and of asynchronous ones over synaptic operations a second"
            )
        describe(
            figure,
            "Vertical bars: 95 % interval of the mean accuracy; horizontal: 5th to 95th percentile of energies; grey "
            f"line: designs that no other beats in both{words}",
        )
    return figure


def _marks(axes: "Axes", taken: np.ndarray, spread: np.ndarray, found: np.ndarray, names: list[str]) -> None:
    """A mark for each design, with bars of its energy and of its accuracy."""
    for place, name in enumerate(names):
        shown = look(place)
        axes.plot(taken[place], found[place, 0], linestyle="none", label=name, markersize=4, **shown)
        axes.vlines(taken[place], found[place, 1], found[place, 2], color=shown["color"], linewidth=0.8)
        axes.hlines(found[place, 0], spread[0, place], spread[2, place], color=shown["color"], linewidth=0.8)


def _sums(axes: "Axes", sums: np.ndarray) -> None:
    """A mark for each machine, with its spread over the second axis."""
    scale, prefix = prefixed(float(sums.mean(1).min()))
    low, _, high = np.array([percentiles(each) for each in sums]).T / scale
    axes.plot(np.arange(len(sums)), sums.mean(1) / scale, "o", color="black")
    axes.vlines(np.arange(len(sums)), low, high, color="black")
    axes.set_yscale("log")
    axes.set_ylabel(f"Energy ({prefix}J)")


def _inset(axes: "Axes", crossover: "xr.Dataset") -> None:
    check_has(crossover, ("clocked", "asynchronous", "rate", "overhead"), "`memsim run crossover`")
    inset = axes.inset_axes((0.62, 0.12, 0.36, 0.33))
    inset.loglog(crossover.rate, 1e6 * crossover.clocked, color=COLOURS[0])
    for place, overhead in enumerate(crossover.overhead.values):
        line = ("-", "--", ":", "-.")[place % 4]
        inset.loglog(crossover.rate, 1e6 * crossover.asynchronous.sel(overhead=overhead), line, color=COLOURS[2])
    inset.set(xlabel="Operations a second", ylabel="Power (µW)")


def _along(result: "xr.Dataset", *, accuracy: bool = False) -> str:
    check_has(result, ("joules", *(["accuracy"] if accuracy else [])), "`memsim run energy_bars`")
    check_known(result, "joules")
    dims = set(map(str, result.joules.dims))
    along = next((name for name in ALONG if name in dims), None)
    if along is None or dims - {along, "component", *FACTORS}:
        raise ValueError(
            f"`result` must have joules over one of {', '.join(ALONG)}, components and what chance decided. Got "
            f"{', '.join(sorted(dims))}; choose with `sel`."
        )
    return along


def _percent(accuracy: "xr.DataArray") -> str:
    """A mean with half of its interval, in percent."""
    mean, low, high = (100 * each for each in interval(accuracy.squeeze(drop=True)))
    return f"{mean:.1f} %" if np.isnan(low) else f"({mean:.1f} ± {(high - low) / 2:.1f}) %"


def _stacked(
    axes: "Axes", bars: Mapping[Any, Mapping[str, float]], names: list[str], label: Mapping[str, str] | None = None
) -> None:
    """A bar for each name, the largest component at its foot."""
    components = sorted({name for parts in bars.values() for name, part in parts.items() if part > 0})
    components.sort(key=lambda name: -sum(parts.get(name, 0.0) for parts in bars.values()))
    places, start = np.arange(len(bars)), np.zeros(len(bars))
    for place, name in enumerate(components):
        height = np.asarray([parts.get(name, 0.0) for parts in bars.values()])
        hatch = HATCHES[place // len(FILLS) % len(HATCHES)]
        fill = {"color": FILLS[place % len(FILLS)], "hatch": hatch, "edgecolor": "white", "linewidth": 0.5}
        axes.bar(places, height, bottom=start, label=readable(name, label), **fill)
        start = start + height
    axes.set_xticks(places, names)


def _of_layers(cost: "xr.Dataset") -> "dict[str, xr.DataArray]":
    _check(cost)
    return {str(layer): cost.joules.sel(layer=layer) for layer in cost.layer.values}


def _of_costs(costs: "Mapping[str, xr.Dataset]") -> "dict[str, xr.DataArray]":
    for cost in costs.values():
        _check(cost)
    if not costs:
        raise ValueError("`cost` must be a data set, or several by name. Got none.")
    return {name: cost.joules.sum("layer") for name, cost in costs.items()}


def _means(joules: "xr.DataArray", factor: float) -> dict[str, float]:
    mean = factor * joules.mean("sample")
    return {str(name): float(value) for name, value in zip(mean.component.values, mean.values, strict=True)}


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
