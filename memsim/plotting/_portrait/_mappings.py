"""One way to keep signed weights in cells: their states, the weight that they make, what they conduct together."""

from typing import TYPE_CHECKING

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from ..._array import AbstractMapping
from .._style import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS, NOISE = 401, 0.02  # weights from -1 to 1; of a cell, as a share of its range
LOOKS = ("-", "--", "-.", ":")


def mapping(panels: "list[Axes]", how: AbstractMapping, *, key: Key[Array, ""]) -> str:
    """Draws them, and says what they show."""
    w = jnp.linspace(-1.0, 1.0, POINTS)[:, None]
    cells = how.fractions(w, 1)
    _states(panels[0], w[:, 0], cells)
    noisy = cells + NOISE * jr.normal(key, cells.shape)
    _errors(panels[1], np.asarray(w[:, 0]), *(_weight(how, each) for each in (cells, noisy)))
    panels[2].plot(w[:, 0], cells.mean((0, 2)), color=COLOURS[2])
    panels[2].set(ylabel="Mean state of the cells", ylim=(0, 1))
    for axes in panels:
        axes.set_xlabel("Weight / its scale")
    return (
        f"a: State of each of the {cells.shape[0] * cells.shape[2]} cells of a weight, 0 for g_min and 1 for g_max. b: "
        "What the cells say together less the weight; line: exact cells, dots: cells with a normal error of "
        f"{NOISE:.0%} of their range each, and its standard deviation. c: Mean over the cells, to which current and "
        "energy are in proportion."
    )


def _weight(how: AbstractMapping, cells: Float[Array, "planes rows lines"]) -> np.ndarray:
    """The weights, in units of their scale, that cells in these states stand for."""
    slices = np.asarray(how.presented(cells, 1), float)[..., 0]
    middle = (0.0,) * len(slices) if how.middle is None else how.middle
    digits = [weight * (one - zero) for weight, one, zero in zip(how.weights, slices, middle, strict=True)]
    return np.sum(digits, axis=0)


def _states(axes: "Axes", w: Array, cells: Float[Array, "planes rows lines"]) -> None:
    states = np.asarray(cells).transpose(0, 2, 1).reshape(-1, len(w))
    for place, state in enumerate(states):
        axes.plot(w, state, color=COLOURS[(place + 2) % 7], linestyle=LOOKS[place % 4], linewidth=0.8)
    axes.set_ylabel("State of a cell")


def _errors(axes: "Axes", w: np.ndarray, exact: np.ndarray, noisy: np.ndarray) -> None:
    axes.plot(
        w, 100 * (noisy - w), ".", color=COLOURS[1], markersize=2, label=f"std {100 * (noisy - exact).std():.1f} %"
    )
    axes.plot(w, 100 * (exact - w), color=COLOURS[2], linewidth=0.8)
    axes.set_ylabel("Error of the weight (%)")
    axes.legend(loc="upper right")
