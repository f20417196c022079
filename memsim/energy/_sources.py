"""Where the numbers of each component are from, and what of them is no measurement."""

from device_models import Sourced

from ._nodes import is_extrapolated
from ._numbers import ANALOG, DIGITAL
from ._periphery import Periphery, is_beyond

EXACT = "exact: the codes, conductances and wires of this chip"
NUMBERS: dict[str, tuple[Sourced, ...]] = {
    "line charging": (ANALOG["line"], ANALOG["line_driver"]),
    "drivers": (ANALOG["driver"],),
    "sampling": (ANALOG["sample"],),
    "shift and add": (ANALOG["shift_add"],),
    "partial sums": (DIGITAL["add_32"], DIGITAL["multiply_8"]),
    "buffers": (DIGITAL["sram"],),
    "network on chip": (ANALOG["bus_bit"], ANALOG["hop_bit"]),
    "off-chip memory": (DIGITAL["dram"],),
    "neurons": (DIGITAL["multiply_32"], DIGITAL["add_32"], DIGITAL["sram"]),
    "leakage": (ANALOG["leakage"],),
}
WEAK = ("assumed", "recalled", "second-hand")


def sources(component: str, around: Periphery) -> str:
    """Where the numbers of a component are from."""
    if component == "array":
        return EXACT
    if component == "adc":
        return around.adc.source
    return "; ".join(number.where for number in NUMBERS[component])


def told(component: str, around: Periphery) -> str:
    """What must be said of a component's numbers: assumed, recalled, second-hand, extrapolated; "" where nothing."""
    found = [word for word in WEAK if word in sources(component, around)]
    if component == "array":
        found = ["assumed pulse"]
    if component not in ("array", "adc", "off-chip memory") and is_extrapolated(float(around.v_dd)):
        found.append("extrapolated in supply")
    if component == "buffers" and is_beyond(around.buffer):
        found.append("extrapolated in size")
    if component == "neurons" and around.neuron_bias is not None:
        found = []
    return ", ".join(found)
