"""What a circuit costs at another technology node: a stated law, within the range of its table."""

from typing import Any

import numpy as np
from jaxtyping import Array, Float

from .._checks import at_least, checked, is_known, that
from ._numbers import NODES

Number = float | Float[Array, ""]  # a constant, or a parameter with a gradient
NM = np.asarray(NODES["nodes"].coefficients)
NODE = that(
    "a node in metres for which the scaling law has numbers, from 7 to 130 nm",
    lambda x: (x > 0.999e-9 * NM[-1]) & (x < 1.001e-9 * NM[0]),  # rounding in float32
    hint="Nanometres? Multiply by 1e-9.",
)
LEAST_SUPPLY, MOST_SUPPLY = 0.5, 1.8  # volts
SUPPLY = at_least(LEAST_SUPPLY, "in volts", most=MOST_SUPPLY)
PUBLISHED_SUPPLY = 1.2  # volts above which the polynomials of Stillmaker2017 are taken further than their circuits


@checked(node=NODE, v_dd=SUPPLY)
def switching_energy(node: float, v_dd: float | Float[Array, ""]) -> float | Float[Array, ""]:
    """Energy of a switch at a `node`, in metres, and a supply in volts, in the unit of the table.

    Between the nodes of the table the energies are interpolated linearly. Only ratios have a meaning.

    Raises `ValueError` for a supply below `least_supply`.

    Reference: Stillmaker2017.
    """
    check_supply(node, v_dd)
    a, b, c = _polynomial(node)
    return a * v_dd**2 + b * v_dd + c


def least_supply(node: float) -> float:
    """Volts below which the law of a `node` would say that a lower supply takes more: the minimum of its polynomial."""
    a, b, _ = _polynomial(node)
    return max(LEAST_SUPPLY, -b / (2 * a))


def check_supply(node: float, v_dd: float | Array) -> None:
    """Raises `ValueError` for a supply, where it is known, at which the law of the node does not hold."""
    if is_known(v_dd) and float(v_dd) < least_supply(node) * (1 - 1e-6):  # rounding in float32
        raise ValueError(
            f"`v_dd` must be at least {least_supply(node):.3g} V at {node * 1e9:g} nm, where the law of "
            f"Stillmaker2017 turns. Got v_dd={float(v_dd):g}. Choose a higher supply, or another node."
        )


def _polynomial(node: float) -> tuple[float, float, float]:
    a, b, c = (
        float(np.interp(node * 1e9, NM[::-1], NODES[name].coefficients[::-1]))
        for name in ("square", "linear", "constant")
    )
    return a, b, c


def scaled_energy(
    joules: float | Array, source: tuple[float, float], node: float, v_dd: float | Array
) -> float | Array:
    """`joules` of a circuit published at `source`, a node and a supply, at another one."""
    return joules * (switching_energy(node, v_dd) / switching_energy(*source))


def scaled_area(square_metres: Any, source: float, node: float) -> Any:
    """An area published at the node `source`, at another `node`: interpolated in the logarithms of both."""
    return square_metres * float(np.exp(_log_area(node) - _log_area(source)))


def _log_area(node: float) -> float:
    table = np.log(NODES["area"].coefficients)
    return float(np.interp(np.log(node * 1e9), np.log(NM[::-1]), table[::-1]))


def supply_told(v_dd: float) -> list[str]:
    """What must be said where the law is taken further than the supplies of its circuits."""
    return [f"extrapolated in supply, beyond {PUBLISHED_SUPPLY} V"] if v_dd > PUBLISHED_SUPPLY else []
