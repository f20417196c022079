"""One kind of memory cell: how a write goes, what a read adds, how conductance goes over time."""

from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key

from device_models import AbstractDevice

from .._lines import draw_line
from .._standard._parts import BAND, percentiles, prefixed
from .._style import COLOURS
from .._time import label_time, shown_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CELLS, TARGETS, SHOWN = 400, 25, 8  # written to each target; targets; of each as many as dots
YEAR = 365.25 * 86400.0
TIMES = np.array([0.0, *np.geomspace(1.0, 10 * YEAR, 13)])
AGED = (24, 18, 12, 6)  # targets whose ageing is drawn


def cells(panels: "list[Axes]", device: AbstractDevice, *, key: Key[Array, ""]) -> str:
    """Draws them, and says what they show."""
    target = jnp.linspace(float(device.g_min), float(device.g_max), TARGETS)
    state = device.program(jnp.broadcast_to(target, (CELLS, TARGETS)), key=key)
    now = jnp.zeros(())
    noise = device.read_noise(state, now)
    aged = np.array([device.conductance(state, jnp.asarray(t, target.dtype)) for t in TIMES], float)
    scale, prefix = prefixed(float(device.g_max))
    _written(panels[0], np.asarray(target) / scale, aged[0] / scale)
    _spreads(panels[1], np.asarray(target) / scale, aged[0] / scale, None if noise is None else noise / scale)
    _ageing(panels[2], aged / scale, device)
    for axes, label in zip(panels, ("Written", "Standard deviation", "Conductance"), strict=True):
        axes.set_ylabel(f"{label} ({prefix}S)")
    for axes in panels[:2]:
        axes.set_xlabel(f"Target ({prefix}S)")
    return (
        f"a: Conductance just written; line: median, band: 5th to 95th percentile over {CELLS} cells a target, dots: "
        f"{SHOWN} of them; dashed: the target. b: Standard deviation over cells of what was written, and of one "
        "read. c: Cells of four targets as they age, lines and bands as in a; dashed: ages that were not measured."
    )


def _written(axes: "Axes", target: np.ndarray, written: np.ndarray) -> None:
    low, median, high = percentiles(written)
    axes.plot(target[[0, -1]], target[[0, -1]], color="0.6", linestyle="--", linewidth=0.6)
    axes.fill_between(target, low, high, color=COLOURS[2], alpha=BAND, linewidth=0)
    axes.plot(target, median, color=COLOURS[2])
    some = np.broadcast_to(target, (SHOWN, TARGETS))
    axes.plot(some.ravel(), written[:SHOWN].ravel(), ".", color=COLOURS[0], markersize=1, linestyle="none")


def _spreads(axes: "Axes", target: np.ndarray, written: np.ndarray, noise: Array | None) -> None:
    axes.plot(target, written.std(0), color=COLOURS[2], label="write")
    read = np.zeros(TARGETS) if noise is None else np.sqrt(np.mean(np.square(np.asarray(noise, float)), 0))
    axes.plot(target, read, color=COLOURS[4], linestyle="--", label="read")
    axes.set_ylim(bottom=0, top=None if max(written.std(0).max(), read.max()) > 0 else 1)
    axes.legend()


def _ageing(axes: "Axes", aged: np.ndarray, device: AbstractDevice) -> None:
    times, held = shown_time(TIMES), [device.span.holds(float(t)) for t in TIMES]
    measured = np.array([each is not False for each in held])
    for colour, place in zip(COLOURS[1:], AGED, strict=False):
        low, median, high = percentiles(aged[..., place], axis=1)
        axes.fill_between(times, low, high, color=colour, alpha=BAND, linewidth=0)
        draw_line(axes, times, median, measured, color=colour)
    label_time(axes, TIMES, most=5)
    axes.set_ylim(bottom=0)
