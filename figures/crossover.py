"""Power against event rate of a clocked core and of an asynchronous one, with the rates of real signals."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/crossover/crossover.nc")
STYLES = ("-", "--", ":", "-.")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """Lines of power; dots where they cross, and a vertical line for each signal."""
    wide = plotting.width(journal)
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.8 * wide))
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
        for name in data.signal.values:
            rate = float(data.measured.sel(signal=name)) / 1e6
            if rate > 0:
                axes.axvline(rate, color="0.6", linewidth=0.6, zorder=0)
                words = plotting.readable(str(name), label)
                above = {"rotation": 90, "va": "top", "ha": "right", "fontsize": "small", "color": "0.3"}
                axes.annotate(words, (rate, 0.98), (-1, 0), ("data", "axes fraction"), "offset points", **above)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_ylim(top=5 * axes.get_ylim()[1])
        axes.set_xlabel("Synaptic operations (millions a second)")
        axes.set_ylabel("Power (µW)")
        drawing.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
        plotting.describe(
            drawing,
            "Power of one core: static, and marginal a synaptic operation; blue: with a handshake that takes so many "
            "times an operation's energy more; dots: where they cross; vertical lines: rates measured of one signal "
            "each. Published numbers without a spread; signals are counted once",
        )
    return drawing


draw = command(READS, figure)
