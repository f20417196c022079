"""All that is around the arrays, as a design of its own: its circuits, its node, its times."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from .._checks import Checked, at_least, check, is_known, plain, positive, whole, write
from ._conversions import AbstractConversion, Number, OscillatorADC, Resolution, SurveyADC
from ._nodes import NODE, SUPPLY, check_supply, scaled_area, scaled_energy
from ._numbers import ANALOG, DIGITAL, HOROWITZ_NODE, ISAAC_NODE, NEURRAM_NODE

BESIDE = 8192.0  # bytes of the memory of states beside the adders
SECONDS = positive("in seconds", most=1.0, hint="Nanoseconds? Multiply by 1e-9.")


class Periphery(Checked):
    """What surrounds the arrays of a chip.

    The node decides what its digital circuits and converters cost; energies that were published at another one are
    scaled by a law of switching energies. A driver takes the same for a pulse of any width or height, beside what
    charges its line; a DAC of voltages adds its capacitors, one of pulse widths its counter (both assumed). The times
    are assumed and not those of any chip. As arrays, numbers take part in gradients.

    **Arguments:**

    - `node`: Of its technology, in metres, from 7 to 130 nm.
    - `v_dd`: Supply, in volts.
    - `pulse`: Seconds of the largest pulse on a word line, or of a voltage; pulse widths are shares of it.
    - `settle`: Seconds from a pulse to a conversion, on top of what resistive wires take.
    - `adc`: What a conversion costs.
    - `columns_per_adc`: Bit lines that take turns at one converter.
    - `clock`: Of the digital circuits, in hertz.
    - `buffer`: Bytes of the memory that inputs come from and outputs go to.
    - `hops`: Routers from one layer to the next.
    - `off_chip`: Whether samples come from a memory outside.
    - `neuron_bias`: Amperes of an analog neuron; `None` for digital ones.
    - `leakage`: Watts of each square metre of circuits, for as long as a layer works.
    - `write_volts`, `write_seconds`: Of one pulse that programs a cell (assumed).

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> chip = ms.program(ms.nn.Linear(3, 2, key=jr.key(0)), ms.Crossbar(dm.Ideal(), adc=ms.ADC(8)), key=jr.key(1))
    >>> def total(periphery):
    ...     return ms.energy.joules(chip, jnp.ones((1, 3)), periphery=periphery).sum()
    >>> bool(total(ms.energy.Periphery(node=65e-9)) > total(ms.energy.Periphery(node=28e-9)))
    True
    """

    node: float = eqx.field(static=True, converter=plain, default=28e-9)
    v_dd: Number = 0.9
    pulse: Number = 100e-9
    settle: Number = 10e-9
    adc: AbstractConversion = SurveyADC()
    columns_per_adc: int = eqx.field(static=True, converter=plain, default=8)
    clock: Number = 1e9
    buffer: float = 65536.0
    hops: Number = 1.0
    off_chip: bool = eqx.field(static=True, default=False)
    neuron_bias: Number | None = None
    leakage: Number = float(ANALOG["leakage"])
    write_volts: Number = 2.0
    write_seconds: Number = 1e-6

    def __check_init__(self):
        check(
            self,
            node=NODE,
            v_dd=SUPPLY,
            pulse=SECONDS,
            settle=at_least(0.0, "in seconds", most=1.0),
            adc=write("Such as `ms.energy.SurveyADC()`."),
            columns_per_adc=whole(1),
            clock=positive("in hertz", most=1e12),
            buffer=positive("in bytes", most=1e12),
            hops=at_least(0.0, "routers"),
            neuron_bias=positive("in amperes", most=1e-2),
            leakage=at_least(0.0, "in watts a square metre"),
            write_volts=positive("in volts", most=20.0),
            write_seconds=SECONDS,
        )
        check_supply(self.node, self.v_dd)
        if isinstance(self.adc, OscillatorADC) and self.columns_per_adc != 1:
            raise ValueError(
                "Each bit line must have an oscillator of its own, which counts while the pulse lasts. Got "
                f"columns_per_adc={self.columns_per_adc}. Write `Periphery(adc=OscillatorADC(), columns_per_adc=1)`."
            )

    def of_horowitz(self, name: str) -> Number:
        """Joules of a digital operation, at this node."""
        return scaled_energy(float(DIGITAL[name]), HOROWITZ_NODE, self.node, self.v_dd)

    def of_isaac(self, name: str) -> Number:
        """Joules of an operation of ISAAC's circuits, at this node."""
        return scaled_energy(float(ANALOG[name]), ISAAC_NODE, self.node, self.v_dd)

    @property
    def add_bit(self) -> Number:
        """Joules of one bit of an addition."""
        return self.of_horowitz("add_32") / 32

    @property
    def memory_bit(self) -> Number:
        """Joules of one bit into or out of the buffer."""
        return sram_access(self.buffer, self.node, self.v_dd) / 64

    @property
    def moved_bit(self) -> Number:
        """Joules of one bit from a layer to the next, over a bus and the routers."""
        return self.of_isaac("bus_bit") + self.hops * self.of_isaac("hop_bit")

    @property
    def outside_bit(self) -> Number:
        """Joules of one bit from a memory outside, which does not scale with the node."""
        return float(DIGITAL["dram"]) / 64

    @property
    def neuron_update(self) -> Number:
        """Joules of a step of a digital leaky neuron of 16 bits: a product, three sums, its state read and written."""
        product = self.of_horowitz("multiply_32") * (16 / 32) ** 2
        return product + 3 * 16 * self.add_bit + 32 * sram_access(BESIDE, self.node, self.v_dd) / 64

    def driven(self, levels: Resolution, *, widths: bool) -> Number:
        """Joules of a driver for one pulse that is one of so many `levels`: voltages, or `widths`."""
        driver = self.of_isaac("driver")
        if is_known(levels) and levels < 2:  # on or off
            return driver
        if widths:
            return driver + levels * float(ANALOG["counted_bits"]) * self.add_bit
        return driver + levels * float(ANALOG["dac_unit"]) * self.v_dd**2

    def line_charge(self, cells: int, arrays: int) -> Number:
        """Farads of a word line over so many cells in so many arrays, each with its driver."""
        size = self.node / NEURRAM_NODE[0]
        return size * (cells * float(ANALOG["line"]) + arrays * float(ANALOG["line_driver"]))

    def cell_area(self, cells: int) -> float:
        return cells * float(ANALOG["cell"]) * self.node**2

    def driver_area(self, rows: int) -> float:
        return rows * scaled_area(float(ANALOG["driver_area"]), NEURRAM_NODE[0], self.node)

    @property
    def buffer_area(self) -> float:
        return self.buffer * 8 * float(DIGITAL["sram_bit"]) * self.node**2


def sram_access(size: float, node: float, v_dd: Number) -> Number:
    """Joules of 64 bits into or out of an SRAM of `size` bytes: a power law between the sizes of Horowitz2014, and on.

    Reference: Horowitz2014.
    """
    sizes, joules = (np.log(DIGITAL[name].coefficients) for name in ("sram_bytes", "sram"))
    slopes = np.diff(joules) / np.diff(sizes)
    place = int(np.clip(np.searchsorted(sizes, np.log(size)) - 1, 0, len(slopes) - 1))
    found = float(np.exp(joules[place] + slopes[place] * (np.log(size) - sizes[place])))
    return scaled_energy(found, HOROWITZ_NODE, node, v_dd)


def size_told(size: float) -> list[str]:
    """What must be said of a memory of `size` bytes that is outside what was published."""
    sizes = DIGITAL["sram_bytes"].coefficients
    known = f"{sizes[0] / 1024:g} KiB to {sizes[-1] / 1024**2:g} MiB"
    return [] if sizes[0] <= size <= sizes[-1] else [f"extrapolated in size, {size:g} B is not {known}"]


def settling(bits: Resolution | None, resistance: Number, capacitance: Number, siemens: Number) -> Number:
    r"""Seconds until a line is within half a code: ln 2 for each bit and one more, times the delay of the line.

    Its charge leaves through the sink and half of the wire before it, and through its cells:
    $\tau = C / (1 / R + G)$, from above within a quarter of the slowest mode of a line in segments. Zero without R.
    """
    delay = capacitance * resistance / (1.0 + siemens * resistance)
    return jnp.log(2.0) * ((8 if bits is None else bits) + 1) * delay
