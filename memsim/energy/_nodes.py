"""What a circuit costs at another technology node: a stated law, within the range of its table."""

from typing import Any

import numpy as np
from jaxtyping import Array, Float

from .._checks import at_least, checked, that
from ._numbers import NODES

Number = float | Float[Array, ""]  # a constant, or a parameter with a gradient
NM = np.asarray(NODES["nodes"].coefficients)
NODE = that(
    "a node in metres for which the scaling law has numbers, from 7 to 130 nm",
    lambda x: (x > 0.999e-9 * NM[-1]) & (x < 1.001e-9 * NM[0]),  # rounding in float32
    hint="Nanometres? Multiply by 1e-9.",
)
SUPPLY = at_least(0.5, "in volts", most=1.8)
PUBLISHED_SUPPLY = 1.2  # volts above which the polynomials of Stillmaker2017 are taken further than their circuits


@checked(node=NODE, v_dd=SUPPLY)
def switching_energy(node: float, v_dd: float | Float[Array, ""]) -> float | Float[Array, ""]:
    """Energy of a switch at a `node`, in metres, and a supply in volts, in the unit of the table.

    Between the nodes of the table the energies are interpolated linearly. Only ratios have a meaning.

    Reference: Stillmaker2017.
    """
    a, b, c = (
        np.interp(node * 1e9, NM[::-1], NODES[name].coefficients[::-1]) for name in ("square", "linear", "constant")
    )
    return float(a) * v_dd**2 + float(b) * v_dd + float(c)


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


def is_extrapolated(v_dd: float) -> bool:
    """Whether the law is taken further than the supplies of its circuits."""
    return v_dd > PUBLISHED_SUPPLY
