"""What machines take for a camera of events, over how much moves before it."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from _machines import of_events
from memsim import plotting

READS = Path("results/event_vision/event_vision.nc")


def figure(data, journal: str = "neutral") -> Figure:
    """Accuracy over speed, and joules of a recording over the events of the camera, both trained for the machine."""
    wide = plotting.width(journal, 2)
    mean = data.isel(training=-1).mean(("seed", "chip"), skipna=False)
    with plotting.style():
        drawing = Figure(figsize=(wide, 0.4 * wide), layout="constrained")
        panels = drawing.subplots(1, 2)
        plotting.letter_panels(panels)
        for place, name in enumerate(mean.machine.values):
            one = mean.sel(machine=name)
            style = {"color": plotting.COLOURS[place % len(plotting.COLOURS)], "markersize": 3, "linewidth": 1}
            panels[0].plot(one.speed, 100 * one.accuracy, plotting.MARKERS[place % 4], linestyle="-", **style)
            happens, whole = of_events(one.joules), one.joules.sum("component", skipna=False)
            known = bool(whole.notnull().all())
            word = str(name) if known else f"{name} (no published price)"
            panels[1].plot(one.camera, happens, plotting.MARKERS[place % 4], linestyle="-", label=word, **style)
            if known and float(whole.max()) > 1.001 * float(happens.max()):
                panels[1].plot(one.camera, whole, linestyle="--", label=f"{name}, with static power", **style)
        panels[0].set_xlabel("Speed (pixels/s)")
        panels[0].set_ylabel("Test accuracy (%)")
        panels[0].set_ylim(0, 100)
        panels[1].set_xscale("symlog", linthresh=float(np.min(mean.camera)) or 1.0)
        panels[1].set_xlim(left=0.0)
        panels[1].set_yscale("log")
        panels[1].set_xlabel("Events of the camera (1/s)")
        panels[1].set_ylabel("Energy of a recording (J)")
        handles, labels = panels[1].get_legend_handles_labels()
        drawing.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return drawing


draw = command(READS, figure)
