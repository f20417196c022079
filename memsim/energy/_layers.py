"""What one layer costs: joules of a read by component, seconds by stage, square metres."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._array import AnalogMatrix, Chip, ResistiveWires
from ._conversions import Number, Resolution
from ._periphery import Periphery, settling
from ._relaxed import levels_of, resolution_of
from ._supply import tiles_of

COMPONENTS = (
    "array",
    "line charging",
    "drivers",
    "adc",
    "sampling",
    "shift and add",
    "partial sums",
    "buffers",
    "network on chip",
    "off-chip memory",
    "neurons",
    "leakage",
)
MOVEMENT = ("buffers", "network on chip", "off-chip memory")
IDEAL_BITS = 8  # that move for the code of a converter without rounding, assumed
STAGES = ("input", "settling", "conversion", "digital")


class Geometry(NamedTuple):
    """Numbers of a layer: of its lines, its arrays, its reads, its bits."""

    rows: int
    outputs: int
    cells: int
    row_tiles: int
    arrays: int  # side by side on a word line
    lines: int  # word lines of one array: cells of a bit line
    columns: int  # of one array's converters
    slices: int
    pulses: int
    in_bits: Resolution
    adc_bits: Resolution | None
    levels: Resolution  # of a pulse
    widths: bool  # whether they are its widths
    resistance: Number  # between a bit line and ground: half of its wire, and all behind it
    siemens: Number  # of all cells of the bit line that has the least

    @property
    def conversions(self) -> int:
        """Of one read."""
        return 0 if self.adc_bits is None else self.pulses * self.row_tiles * self.outputs * self.slices

    @property
    def out_bits(self) -> Resolution:
        return 0 if self.adc_bits is None else self.adc_bits + float(np.ceil(np.log2(self.row_tiles * self.slices)))

    def converters(self, columns_per_adc: int) -> int:
        """Of the layer."""
        return 0 if self.adc_bits is None else self.row_tiles * -(-self.outputs * self.slices // columns_per_adc)


def geometry(chip: Chip, matrix: AnalogMatrix, g: Float[Array, "planes rows lines"]) -> Geometry:
    """Of a layer on `chip`, which presents `matrix` with cells of `g` siemens."""
    shape = g.shape
    design, dac = chip.crossbar, matrix.word_lines.dac
    if design.adc is not None and resolution_of(design.adc) is None:
        raise ValueError(
            "A converter whose cost is asked for must have bits. Got an ADC with bits=None. Give it bits, or leave it "
            "out where neurons take the current."
        )
    rows, outputs = shape[1], chip.scales.shape[1]
    row_tiles = -(-rows // design.tile[0])
    lines, resistance = min(rows, design.tile[0]), 0.0
    if isinstance(design.wires, ResistiveWires):
        resistance = resistance + design.wires.bit_line * lines / 2 + design.wires.sink
    if design.reads.sense is not None:
        resistance = resistance + design.reads.sense.series_resistance
    whole = [jnp.min(jnp.sum(g[:, first : first + lines], axis=1)) for first in range(0, rows, lines)]
    return Geometry(
        rows=rows,
        outputs=outputs,
        cells=int(np.prod(shape)),
        row_tiles=row_tiles,
        arrays=len(np.unique(tiles_of(chip, shape))) // row_tiles,
        lines=lines,
        columns=min(outputs, design.tile[1]),
        slices=len(design.mapping.weights),
        pulses=1 if dac is None else len(dac.significance),
        in_bits=1 if dac is None else _or_ideal(resolution_of(dac)),
        adc_bits=None if design.adc is None else resolution_of(design.adc),
        levels=1 if dac is None else levels_of(dac),
        widths=dac is not None and dac.fixed_voltage,
        resistance=resistance,
        siemens=jnp.min(jnp.stack(whole)),
    )


def _or_ideal(bits: Resolution | None) -> Resolution:
    return IDEAL_BITS if bits is None else bits


class Unit(NamedTuple):
    """Joules of what a layer does, by component: for each read, each driven pulse, and each squared volt on a line."""

    read: dict[str, Number]
    pulse: Number
    square_volt: Number


def units(of: Geometry, around: Periphery) -> Unit:
    """What one read costs at each component, without what depends on its inputs."""
    wide = of.out_bits + float(np.ceil(np.log2(of.pulses * of.row_tiles + 1)))
    moved = of.rows * of.in_bits + of.outputs * of.out_bits
    read: dict[str, Number] = {}
    if of.adc_bits is not None:
        read["adc"] = of.conversions * around.adc.joules(of.adc_bits, around.node, around.v_dd)  # pyright: ignore
        read["sampling"] = of.conversions * around.of_isaac("sample")
        read["shift and add"] = of.conversions * around.of_isaac("shift_add") if of.pulses * of.slices > 1 else 0.0
        added = (of.row_tiles - 1) * of.outputs * wide * around.add_bit
        read["partial sums"] = added + of.outputs * around.of_horowitz("multiply_8")
    read["buffers"] = moved * around.memory_bit
    read["network on chip"] = of.outputs * of.out_bits * around.moved_bit
    cells_on_a_line = of.cells // of.rows
    driven = of.arrays * around.driven(of.levels, widths=of.widths)
    return Unit(read, driven, around.line_charge(cells_on_a_line, of.arrays))


def read_seconds(of: Geometry, around: Periphery) -> Float[Array, " stages"]:
    """Seconds of one read, by stage: pulses follow each other, arrays work side by side."""
    turns = min(of.columns * of.slices, around.columns_per_adc)
    conversion = 0.0 if of.adc_bits is None else of.pulses * turns * around.adc.seconds(of.adc_bits)
    wires = settling(of.adc_bits, of.resistance, around.line_charge(of.lines, 0), of.siemens)
    digital = 0.0 if of.adc_bits is None else (1 + np.ceil(np.log2(of.row_tiles * of.slices))) / around.clock
    stages = (of.pulses * around.pulse, of.pulses * (around.settle + wires), conversion, digital)
    return jnp.stack([jnp.asarray(each, jnp.result_type(float)) for each in stages])


def square_metres(of: Geometry, around: Periphery) -> dict[str, Number]:
    """Of the layer, by component."""
    found: dict[str, Number] = {
        "array": around.cell_area(of.cells),
        "drivers": around.driver_area(of.rows * of.arrays),
        "buffers": around.buffer_area,
    }
    if of.adc_bits is not None:
        each = around.adc.square_metres(of.adc_bits, around.node)
        found["adc"] = of.converters(around.columns_per_adc) * each
    return found
