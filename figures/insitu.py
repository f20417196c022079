"""Accuracy after training in the array, for each published device and each algorithm."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/insitu/insitu.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """Left a map of mean accuracies after the last epoch, devices by algorithms; right what each seed reached."""
    wide = plotting.width(journal, 2)
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.48 * wide))
        table, seeds = drawing.subplots(1, 2, sharey=True, width_ratios=(1.1, 1.0))
        plotting.letter_panels([table, seeds])
        last = 100 * data.isel(epoch=-1)
        last = last.isel(device=np.argsort(-last.accuracy.mean(("algorithm", "seed")).values))
        accuracy_map(table, last, label)
        accuracy_of_seeds(seeds, last, label)
        drawing.legend(*seeds.get_legend_handles_labels(), loc="outside lower center", ncols=6)
        plotting.describe(
            drawing,
            "a: mean over seeds after the last epoch; b: each seed, so that the spread over devices, weights and "
            "batches is seen; dashed: digital, mean over seeds",
        )
    return drawing


draw = command(READS, figure)


def accuracy_map(axes, last, label) -> None:
    mean = last.accuracy.mean("seed").transpose("device", "algorithm").values
    image = axes.imshow(mean, aspect="auto", cmap="viridis", vmin=10, vmax=100)
    for (row, column), value in np.ndenumerate(mean):
        ink = "white" if value < 60 else "black"
        axes.text(column, row, f"{value:.0f}", ha="center", va="center", color=ink, fontsize="small")
    axes.set_yticks(range(last.sizes["device"]), [plotting.readable(str(name), label) for name in last.device.values])
    named = [plotting.readable(str(name), label) for name in last.algorithm.values]
    axes.set_xticks(range(last.sizes["algorithm"]), named, rotation=30, ha="right")
    axes.figure.colorbar(image, ax=axes, label="Test accuracy (%)")


def accuracy_of_seeds(axes, last, label) -> None:
    count = last.sizes["algorithm"]
    for place, algorithm in enumerate(last.algorithm.values):
        found = last.accuracy.sel(algorithm=algorithm).transpose("device", "seed").values
        rows = np.repeat(np.arange(found.shape[0]), found.shape[1]) + 0.14 * (place - (count - 1) / 2)
        look = plotting.look(place) | {"linestyle": "", "markersize": 2.5}
        axes.plot(found.ravel(), rows, label=plotting.readable(str(algorithm), label), **look)
    axes.axvline(float(last.digital_accuracy.mean()), color="black", linestyle="--", label="digital")
    axes.set_xlabel("Test accuracy (%)")
    axes.set_xlim(0, 100)
