"""Where the numbers of each component are from, and what of them is no measurement."""

from collections.abc import Mapping

from device_models import Sourced

from ._break_even import BREAK_EVEN
from ._events import LOIHI, ODIN, TRUENORTH
from ._neurram import NEURRAM
from ._nodes import supply_told
from ._numbers import ADC_FIT, ANALOG, DIGITAL, NODES, SURVEY
from ._periphery import Periphery, size_told

NUMBERS: dict[str, Mapping[str, Sourced]] = {  # all that energies are reckoned from
    "converters": ADC_FIT,
    "survey of converters": SURVEY,
    "technology nodes": NODES,
    "digital circuits": DIGITAL,
    "circuits of arrays": ANALOG,
    "NeuRRAM": NEURRAM,
    "TrueNorth": TRUENORTH,
    "ODIN": ODIN,
    "Loihi": LOIHI,
    "spikes and rates": BREAK_EVEN,
}
EXACT = "exact: the codes, conductances and wires of this chip"
OF: dict[str, tuple[Sourced, ...]] = {
    "line charging": (ANALOG["line"], ANALOG["line_driver"]),
    "drivers": (ANALOG["driver"], ANALOG["dac_unit"], ANALOG["counted_bits"]),
    "sampling": (ANALOG["sample"],),
    "shift and add": (ANALOG["shift_add"],),
    "partial sums": (DIGITAL["add_32"], DIGITAL["multiply_8"]),
    "buffers": (DIGITAL["sram"],),
    "network on chip": (ANALOG["bus_bit"], ANALOG["hop_bit"]),
    "off-chip memory": (DIGITAL["dram"],),
    "neurons": (DIGITAL["multiply_32"], DIGITAL["add_32"], DIGITAL["sram"]),
    "leakage": (ANALOG["leakage"],),
}
UNSCALED = ("array", "line charging", "off-chip memory", "leakage")  # of which the supply decides nothing
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
    if component == "neurons" and around.neuron_bias is not None:
        return ""
    if component == "adc":
        found += around.adc.told
    if component == "buffers":
        found += size_told(around.buffer)
    scaled = around.adc.scales if component == "adc" else component not in UNSCALED
    return ", ".join([*found, *(supply_told(float(around.v_dd)) if scaled else [])])
