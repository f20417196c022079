"""Where the numbers of each component are from, and what of them is no measurement."""

from collections.abc import Mapping

from device_models import Sourced

from ._conversions import SurveyADC
from ._events import LOIHI, ODIN, TRUENORTH
from ._neurram import NEURRAM
from ._nodes import is_extrapolated
from ._numbers import ADC_FIT, ANALOG, DIGITAL, NODES
from ._periphery import Periphery, is_beyond

NUMBERS: dict[str, Mapping[str, Sourced]] = {  # all that energies are reckoned from
    "converters": ADC_FIT,
    "technology nodes": NODES,
    "digital circuits": DIGITAL,
    "circuits of arrays": ANALOG,
    "NeuRRAM": NEURRAM,
    "TrueNorth": TRUENORTH,
    "ODIN": ODIN,
    "Loihi": LOIHI,
}
EXACT = "exact: the codes, conductances and wires of this chip"
OF: dict[str, tuple[Sourced, ...]] = {
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
    return "; ".join(number.where for number in OF[component])


def told(component: str, around: Periphery) -> str:
    """What must be said of a component's numbers: assumed, recalled, second-hand, extrapolated; "" where nothing."""
    found = [word for word in WEAK if word in sources(component, around)]
    if component == "array":
        found = ["assumed pulse"]
    of_node_alone = component == "adc" and isinstance(around.adc, SurveyADC)
    if component not in ("array", "off-chip memory") and not of_node_alone and is_extrapolated(float(around.v_dd)):
        found.append("extrapolated in supply")
    if component == "buffers" and is_beyond(around.buffer):
        found.append("extrapolated in size")
    if component == "neurons" and around.neuron_bias is not None:
        found = []
    return ", ".join(found)
