"""Power against event rate of a clocked core and of an asynchronous one, with the rates of real signals."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/crossover/crossover.nc")
STYLES = ("-", "--", ":", "-.")


def figure(data, journal: str = "neutral") -> Figure:
    """Lines of power; dots where they cross, and a vertical line for each signal."""
    wide = plotting.width(journal)
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.75 * wide))
        axes = drawing.subplots()
        rates = data.rate.values / 1e6
        axes.plot(rates, 1e6 * data.clocked, color=plotting.COLOURS[0], label="clocked (ODIN)")
        for place, overhead in enumerate(data.overhead.values):
            watts = 1e6 * data.asynchronous.sel(overhead=overhead)
            name = f"asynchronous, handshake {overhead:g}"
            axes.plot(rates, watts, STYLES[place % 4], color=plotting.COLOURS[2], label=name)
            at = float(data.crossover.sel(overhead=overhead))
            if at <= float(data.rate.max()):
                axes.plot(at / 1e6, float(1e6 * data.clocked.interp(rate=at)), "o", color=plotting.COLOURS[4])
        for place, name in enumerate(data.signal.values):
            colour = plotting.COLOURS[(1, 3, 5)[place % 3]]
            axes.axvline(float(data.measured.sel(signal=name)) / 1e6, color=colour, linewidth=0.8, label=str(name))
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("Synaptic operations (millions a second)")
        axes.set_ylabel("Power (uW)")
        axes.legend()
    return drawing


draw = command(READS, figure)
