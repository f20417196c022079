"""One kind of converter: code against input, the steps around zero, the error."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from ..._array import AbstractADC, AbstractDAC
from .._standard._parts import BAND, percentiles
from .._style import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINES, POINTS, WIDE, NEAR = 64, 2401, 1.15, 3.6  # lines of one chip; over the range; codes beside zero
BINS = 12  # about so many on either side of zero
Convert = Callable[[Float[Array, "points lines"]], Array]


def adc(panels: "list[Axes]", converter: AbstractADC, *, key: Key[Array, ""]) -> str:
    """Draws them, and says what they show."""
    made_key, read_key = jr.split(key)
    made = converter.fabricate((1, LINES), key=made_key)
    convert = partial(made.codes, key=read_key if made.needs_key else None)
    return _transfer(panels, convert, _largest(converter.bits), "Current (% of full scale)", "bit lines")


def dac(panels: "list[Axes]", converter: AbstractDAC, *, key: Key[Array, ""]) -> str:
    """Draws them, and says what they show."""
    made = converter.fabricate(LINES, key=key)

    def convert(x: Float[Array, "points lines"]) -> Array:
        pulses = made.pulses(made.codes(x * made.step))
        return sum((each * pulse for each, pulse in zip(made.significance, pulses, strict=True)), jnp.zeros_like(x))

    return _transfer(panels, convert, _largest(converter.bits), "Input (% of its range)", "word lines")


def _largest(bits: int | None) -> int:
    return 1 if bits is None else 2 ** (bits - 1) - 1


def _transfer(panels: "list[Axes]", convert: Convert, largest: int, label: str, lines: str) -> str:
    whole = np.linspace(-WIDE, WIDE, POINTS) * largest
    near = np.linspace(-1.0, 1.0, POINTS) * min(NEAR, WIDE * largest)
    codes = _converted(convert, whole)
    _range(panels[0], 100 * whole / largest, codes)
    _around_zero(panels[1], near, _converted(convert, near))
    inside = np.abs(whole) <= largest
    wide = 2 * (largest // BINS) + 1  # codes in a bin, odd, so that the steps themselves cancel
    _error(
        panels[2], 100 * whole[inside] / largest, codes[inside] - whole[inside, None], np.round(whole[inside] / wide)
    )
    for axes in (panels[0], panels[2]):
        axes.set_xlabel(label)
    return (
        f"a: Code against what is converted; line: median, band: 5th to 95th percentile over {LINES} {lines} of one "
        "chip. b: The steps around zero of three of them, in codes; dashed: without rounding. c: Code less what was "
        "converted: of one line (thin); and its mean over whole codes, line: over all lines, band: their 5th to 95th "
        "percentile."
    )


def _converted(convert: Convert, at: np.ndarray) -> Float[np.ndarray, "points lines"]:
    return np.asarray(convert(jnp.broadcast_to(jnp.asarray(at, jnp.float32)[:, None], (len(at), LINES))), float)


def _range(axes: "Axes", at: np.ndarray, codes: np.ndarray) -> None:
    low, median, high = percentiles(codes, axis=1)
    axes.fill_between(at, low, high, color=COLOURS[2], alpha=BAND, linewidth=0)
    axes.plot(at, median, color=COLOURS[2])
    axes.set_ylabel("Code")


def _around_zero(axes: "Axes", at: np.ndarray, codes: np.ndarray) -> None:
    axes.plot(at, at, color="0.6", linestyle="--", linewidth=0.6)
    for place in reversed(range(3)):
        axes.plot(at, codes[:, place], color=COLOURS[(2, 1, 3)[place]], linewidth=1.0 - 0.2 * place)
    axes.set(xlabel="Exact value (codes)", ylabel="Code")


def _error(axes: "Axes", at: np.ndarray, error: np.ndarray, bins: np.ndarray) -> None:
    axes.plot(at, error[:, 0], color="0.7", linewidth=0.5)
    full = np.unique(bins)[1:-1]  # those at the ends are cut through
    means = np.array([error[bins == each].mean(0) for each in full])
    low, _, high = percentiles(means, axis=1)
    middle = [at[bins == each].mean() for each in full]
    axes.fill_between(middle, low, high, color=COLOURS[4], alpha=0.4, linewidth=0)
    axes.plot(middle, means.mean(1), color=COLOURS[4])
    most = max(0.75, 1.1 * float(np.abs(error).max()))
    axes.set(ylabel="Error (codes)", ylim=(-most, most))
