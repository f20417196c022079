"""Current against voltage of every compact memristor, at multiples of a frequency that opens its loop."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/hysteresis/hysteresis.nc")
PREFIXES = ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))
TITLES = {
    "hp_strukov2008": "HP, Joglekar p = 1",
    "hp_joglekar2009": "HP, Joglekar p = 7",
    "hp_biolek2009": "HP, Biolek p = 7",
    "vteam_kvatinsky2015": "VTEAM",
    "yakopcic2011": "Yakopcic",
    "michigan_chang2011": "Michigan",
    "mms_molter2016": "MMS",
    "stanford_jiang2016": "Stanford-PKU",
    "data_driven2017": "Data-driven 2017",
    "data_driven2021": "Data-driven 2021",
    "jart_bengel2020": "JART VCM v1b",
}


def figure(data, journal: str = "neutral") -> Figure:
    """One panel a model, one curve a frequency."""
    columns = min(4, data.sizes["model"])
    rows = -(-data.sizes["model"] // columns)
    wide = plotting.width(journal, 2)
    with plotting.style():
        drawing = Figure(figsize=(wide, 0.24 * wide * rows))
        panels = drawing.subplots(rows, columns, squeeze=False).ravel()
        for axes in panels[data.sizes["model"] :]:
            axes.set_visible(False)
        panels = panels[: data.sizes["model"]]
        plotting.letter_panels(panels)
        for axes, name in zip(panels, data.model.values, strict=True):
            loops(axes, data.sel(model=name), str(name))
    return drawing


draw = command(READS, figure)


def loops(axes, data, name: str) -> None:
    scale, prefix = prefixed(float(abs(data.current).max()))
    for place, factor in enumerate(data.factor.values):
        one = data.sel(factor=factor)
        label = f"{engineering(float(one.frequency))}Hz"
        axes.plot(one.voltage, one.current / scale, color=plotting.COLOURS[place], linewidth=0.8, label=label)
    axes.axhline(0, color="0.8", linewidth=0.4, zorder=0)
    axes.axvline(0, color="0.8", linewidth=0.4, zorder=0)
    axes.set_title(TITLES.get(name, name))
    axes.set(xlabel="Voltage (V)", ylabel=f"Current ({prefix}A)")
    axes.legend(fontsize=4.5, handlelength=1.0, borderaxespad=0.1)


def prefixed(value: float) -> tuple[float, str]:
    """The unit prefix in which `value` is at least one."""
    return next((pair for pair in PREFIXES if value >= pair[0]), PREFIXES[-1])


def engineering(value: float) -> str:
    """A frequency in Hz with a prefix."""
    for scale, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= scale:
            return f"{value / scale:g} {prefix}"
    return f"{value:g} "
