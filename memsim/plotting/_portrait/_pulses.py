"""One kind of device that pulses change: up and down, and how large a step is."""

import dataclasses
import math
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from device_models.pulsed import AbstractPulsed, PulsedArray

from .._standard._parts import BAND, percentiles
from .._style import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DEVICES, SWEEPS, MOST, WEIGHTS = 100, 1.5, 3000, 41  # most pulses one way; weights at which a step is drawn


def pulses(panels: "list[Axes]", device: AbstractPulsed, *, key: Key[Array, ""]) -> str:
    """Draws them, and says what they show."""
    fabricate_key, up_key, down_key = jr.split(key, 3)
    array = PulsedArray.fabricate(device, (DEVICES,), key=fabricate_key)
    least = array.cells.w_min
    array = dataclasses.replace(array, hidden=least, shown=least - array.cells.reference)
    count = _count(device)
    one_sided = float(device.w_min) >= 0  # one of a pair that pulses only raise
    array, up = array.staircase(jnp.ones(count, int), key=up_key)
    weight = [up] if one_sided else [up, array.staircase(-jnp.ones(count, int), key=down_key)[1]]
    _staircase(panels[0], np.concatenate(weight))
    _steps(panels[1], device, array, one_sided)
    _last(panels[2], np.asarray(up[-1]), np.asarray(array.cells.w_max - array.cells.reference))
    ways = "Pulses up" if one_sided else "Pulses up, then down"
    return (
        f"a: {ways}, from the least weight; thin: one device. b: What one pulse adds, and takes, without noise, at "
        "each share of the way between the bounds of a device. Lines: median, bands: 5th to 95th percentile over "
        f"{DEVICES} devices. c: Devices, by the weight after the last pulse up and by their upper bound."
    )


def _count(device: AbstractPulsed) -> int:
    """Pulses that take the nominal device from end to end, and half as many again."""
    steps = float(device.w_max - device.w_min) / float(device.dw_min)
    return min(max(math.ceil(SWEEPS * steps), 10), MOST)


def _staircase(axes: "Axes", weight: Float[np.ndarray, "pulses devices"]) -> None:
    number = np.arange(1, len(weight) + 1)
    low, median, high = percentiles(weight, axis=1)
    axes.fill_between(number, low, high, color=COLOURS[2], alpha=BAND, linewidth=0)
    axes.plot(number, weight[:, 0], color=COLOURS[1], linewidth=0.5)
    axes.plot(number, median, color=COLOURS[2])
    axes.set(xlabel="Pulses", ylabel="Weight")
    axes.locator_params(axis="x", nbins=4)


def _steps(axes: "Axes", device: AbstractPulsed, array: PulsedArray, one_sided: bool) -> None:
    cells, share = array.cells, jnp.linspace(0.0, 1.0, WEIGHTS)
    weight = cells.w_min[None] + share[:, None] * (cells.w_max - cells.w_min)[None]
    looks = [("up", device.step_up, COLOURS[2], "-"), ("down", device.step_down, COLOURS[4], "--")]
    for label, step, colour, line in looks[: 1 if one_sided else 2]:
        low, median, high = percentiles(jax.vmap(step, (None, 0))(cells, weight), axis=1)
        axes.fill_between(100 * share, low, high, color=colour, alpha=BAND, linewidth=0)
        axes.plot(100 * share, median, color=colour, linestyle=line, label=label)
    axes.set(xlabel="Weight (% of the way up)", ylabel="Step (weight)")
    axes.set_ylim(bottom=0)
    axes.legend()


def _last(axes: "Axes", reached: np.ndarray, bound: np.ndarray) -> None:
    both = np.concatenate([reached, bound])
    bins = np.linspace(both.min() - 0.05, both.max() + 0.05, 31)
    axes.hist(reached, bins, color=COLOURS[2], alpha=0.6, label="reached")
    axes.hist(bound, bins, color=COLOURS[0], histtype="step", label="bound")
    axes.set(xlabel="Weight", ylabel="Devices")
    axes.legend()
