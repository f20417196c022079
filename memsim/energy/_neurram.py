"""NeuRRAM as its authors describe it, on the laws of this room: what it takes for any bits of input and output."""

from typing import NamedTuple

from device_models import Sourced

from ._numbers import ANALOG, HWC

WAN = "Wan2022"
NEURRAM = {
    "integration": Sourced(0.27e-6, "s", f"{WAN}, as coded in accelforge"),
    "step": Sourced(0.3e-6, "s", f"{WAN}, as coded in accelforge: of the ADC, and between two phases"),
    "sample": Sourced(1.2e-12, "J", f"{WAN}: of a neuron, for each bit of the input, {HWC}"),
    "integrate": Sourced(0.25e-12, "J", f"{WAN}: of a neuron, for each integration, {HWC}"),
    "convert": Sourced(0.4e-12, "J", f"{WAN}: of a neuron, ADC, shift and add for each step, {HWC}"),
    "supply": Sourced(1.8, "V", WAN),
    "input": Sourced(3.705e-15, "J", f"{WAN}: of a cell for each bit, fitted by us to 3.45 and 3.96 fJ"),
    "select": Sourced(1.579e-15, "J", f"{WAN}: of a cell on word lines for a product, fitted by us to 8.99 fJ"),
}
SIDE, CORES, ONE_PHASE = 256, 48, 3


class Product(NamedTuple):
    """One product of all cores: seconds, and joules of one cell by what takes them."""

    seconds: float
    word_lines: float
    neurons: float
    inputs: float

    @property
    def tops(self) -> float:
        """1e12 operations a second; the chip counts one for each cell."""
        return 1e-12 * SIDE**2 * CORES / self.seconds

    @property
    def tops_per_watt(self) -> float:
        return 1e-12 / (self.word_lines + self.neurons + self.inputs)


def neurram(output_bits: int, input_bits: int, *, one_phase: bool = False) -> Product:
    """A product with inputs of so many bits, sign included.

    Bits of the input are sampled one by one and integrated as often as they weigh. More than three magnitude bits go
    in two phases, of which the second needs fewer bits out.
    """
    n = {name: float(number) for name, number in NEURRAM.items()}
    bits = max(1, input_bits - 1)
    phases = (bits,) if one_phase or bits <= ONE_PHASE else (-(-bits // 2), bits // 2)
    integrations = sum(2**phase - 1 for phase in phases)
    steps = sum(output_bits - sum(phases[:place]) for place in range(len(phases)))
    line = float(ANALOG["line"]) * SIDE + float(ANALOG["line_driver"])
    return Product(
        seconds=integrations * n["integration"] + (steps + len(phases)) * n["step"],
        word_lines=bits * line * n["supply"] ** 2 / SIDE + n["select"],
        neurons=(bits * n["sample"] + integrations * n["integrate"] + steps * n["convert"]) / SIDE,
        inputs=bits * n["input"],
    )
