"""One kind of noise in time: its course, its values, its memory."""

import math
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Key

from device_models.noise import AbstractNoise

from .._style import COLOURS
from .._time import UNITS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CELLS, STEPS = 2000, 300
LAGS = np.geomspace(1e-9, 1e6, 61)  # seconds
KEPT = 0.9  # correlation from one drawn value to the next


def noise(panels: "list[Axes]", process: AbstractNoise, *, key: Key[Array, ""]) -> str:
    """Draws them, and says what they show."""
    start_key, course_key, lag_key = jr.split(key, 3)
    state = process.initial((CELLS,), key=start_key)
    expected = np.asarray(process.correlation(jnp.asarray(LAGS, jnp.float32)), float)
    _course(panels[0], process, state, _step(expected), course_key)
    _values(panels[1], np.asarray(process.value(state), float))
    _memory(panels[2], process, state, expected, lag_key)
    return (
        f"a: Three cells, one below the other, to one scale. b: Values of {CELLS} cells at one moment; line: the "
        "normal law. c: Correlation of values that far apart; line: in closed form, dots: of those cells, with a 95 % "
        "interval."
    )


def _step(expected: np.ndarray) -> float:
    """The time from one drawn value to the next: that in which the noise keeps `KEPT`, or the shortest."""
    kept = LAGS[expected >= KEPT]
    return float(kept.max()) if kept.size else float(LAGS[0])


def _course(axes: "Axes", process: AbstractNoise, state, dt: float, key: Key[Array, ""]) -> None:
    few = jax.tree.map(lambda leaf: leaf[..., :3] if leaf.ndim else leaf, state)

    def after(now, key):
        now = process.advance(now, dt, key=key)
        return now, process.value(now)

    found = np.asarray(jax.lax.scan(after, few, jr.split(key, STEPS))[1])
    name, unit = next(pair for pair in UNITS.items() if STEPS * dt >= pair[1] or pair[0] == "ps")
    for place in range(3):
        axes.plot(dt * np.arange(STEPS) / unit, found[:, place] - 5 * place, color=COLOURS[place], linewidth=0.6)
    axes.set(xlabel=f"Time ({name})", ylabel="Noise of three cells", yticks=[])


def _values(axes: "Axes", found: np.ndarray) -> None:
    edge = max(4.0, 1.1 * float(np.abs(found).max()))
    bins, at = np.linspace(-edge, edge, 62), np.linspace(-edge, edge, 201)
    axes.hist(found, bins.tolist(), density=True, color=COLOURS[6])
    axes.plot(at, np.exp(-(at**2) / 2) / math.sqrt(2 * math.pi), color=COLOURS[0], linewidth=0.8)
    axes.set(xlabel="Value (std)", ylabel="Density", yscale="log", ylim=(1e-4, None))


def _memory(axes: "Axes", process: AbstractNoise, state, expected: np.ndarray, key: Key[Array, ""]) -> None:
    shown = slice(0, len(LAGS), 4)
    now = np.asarray(process.value(state), float)
    keys = jr.split(key, len(LAGS[shown]))
    later = [process.value(process.advance(state, float(lag), key=k)) for lag, k in zip(LAGS[shown], keys, strict=True)]
    products = now * np.asarray(later, float)
    error = 1.96 * products.std(1) / math.sqrt(CELLS)
    axes.plot(LAGS, expected, color=COLOURS[0])
    axes.errorbar(LAGS[shown], products.mean(1), error, fmt="o", color=COLOURS[4], markersize=2, elinewidth=0.6)
    axes.set(xscale="log", xlabel="Lag (s)", ylabel="Correlation", xticks=[1e-9, 1e-6, 1e-3, 1.0, 1e3, 1e6])
    axes.minorticks_off()
