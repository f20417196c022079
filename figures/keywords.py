"""What a day of listening takes on each machine, over how many words there are in it."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from _machines import means_over, without
from memsim import plotting

READS = Path("results/keywords/keywords.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """Joules a day, trained for the machine: always on, and behind a wake-up."""
    wide = plotting.width(journal, 2)
    mean = data[["day", "dynamic"]].isel(training=-1)
    mean = mean.mean([name for name in ("seed", "chip") if name in mean.dims], skipna=False)
    names = [str(name) for name in data.machine.values]
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.42 * wide))
        panels = drawing.subplots(1, mean.sizes["way"], sharex=True, sharey=True, squeeze=False)[0]
        plotting.letter_panels(panels)
        for axes, way in zip(panels, mean.way.values, strict=True):
            for place, name in enumerate(names):
                draw_day(axes, mean.sel(way=way, machine=name), plotting.readable(name, label), place)
            axes.set(xscale="log", yscale="log", xlabel="Words a day")
            axes.set_title(plotting.readable(str(way), label))
        panels[0].set_ylabel("Energy of a day (J)")
        drawing.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
        missing = mean.day.isnull().any(("way", "words")).values
        plotting.describe(
            drawing,
            f"Trained for the machine; means over {means_over(data)}, without a spread; solid: energy of what happens, "
            f"dashed: with static power{without(names, missing, 'no published price')}",
        )
    return drawing


draw = command(READS, figure)


def draw_day(axes, one, name: str, place: int) -> None:
    """Of what happens, and dashed with static power where there is some."""
    shown = plotting.look(place)
    axes.plot(one.words, one.dynamic, label=name if bool(one.dynamic.notnull().any()) else None, **shown)
    if bool((one.day > 1.001 * one.dynamic).any()):
        axes.plot(one.words, one.day, linestyle="--", **shown)
