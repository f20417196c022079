"""What machines take for a camera of events, over how much moves before it."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command, intervals
from _machines import of_events, over, without
from memsim import plotting

READS = Path("results/event_vision/event_vision.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """Accuracy over speed, and joules of a recording over the events of the camera, both trained for the machine."""
    wide = plotting.width(journal, 2)
    trained = data.isel(training=-1)
    mean = trained[["joules", "camera"]].mean("seed", skipna=False)
    names = [str(name) for name in data.machine.values]
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.4 * wide))
        panels = drawing.subplots(1, 2)
        plotting.letter_panels(panels)
        for place, name in enumerate(names):
            named, found = plotting.readable(name, label), 100 * intervals(trained.accuracy.sel(machine=name), "speed")
            speeds = data.speed.values.astype(float)
            plotting.draw_interval(panels[0], speeds, found, place=place, label=named, of=len(names))
            draw_joules(panels[1], mean.sel(machine=name), place)
        panels[0].set(xlabel="Speed (pixels/s)", ylabel="Test accuracy (%)", ylim=(0, 100))
        panels[1].set(xlabel="Events of the camera (1/s)", ylabel="Energy of a recording (J)")
        panels[1].set(xscale="log", yscale="log")
        drawing.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
        missing = mean.joules.isnull().any(("component", "speed")).values
        plotting.describe(
            drawing,
            f"Trained for the machine. a: means; {over(data)}; b: means over seeds, without a spread; "
            f"solid: energy of what happens, dashed: with static power{without(names, missing, 'no published price')}",
        )
    return drawing


draw = command(READS, figure)


def draw_joules(axes, one, place: int) -> None:
    """Of what happens, and dashed with static power where there is some."""
    happens, whole = of_events(one.joules), one.joules.sum("component", skipna=False)
    shown = plotting.look(place)
    axes.plot(one.camera, happens, **shown)
    if float(whole.max()) > 1.001 * float(happens.max()):
        axes.plot(one.camera, whole, linestyle="--", **shown)
