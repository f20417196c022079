"""The design of a crossbar, and the chips that are made from it."""

import dataclasses
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, Key

from device_models import AbstractDevice
from device_models.iv import Ohmic

from .._checks import (
    Checked,
    Must,
    Weights,
    as_conductances,
    as_time,
    as_weights,
    check,
    check_key,
    check_optional_key,
    check_time,
    each,
    is_zero,
    plain,
    positive,
    whole,
    write,
)
from . import _hints
from ._compensation import GlobalDriftCompensation, Measured, PatternCodes
from ._converters._adc import AbstractADC
from ._converters._dac import AbstractDAC
from ._converters._drive import AbstractDrive, FixedVoltage, VoltageLevels, chord
from ._fluctuation import Correlated, Fluctuation
from ._lines import BitLines, beside, bit_lines, moved_terms
from ._mapping._mapping import AbstractMapping, nonzero
from ._mapping._offset import OffsetColumn
from ._mapping._pair import DifferentialPair
from ._matrix import AnalogMatrix
from ._programming import AbstractProgramming, Blank, OneShot
from ._read_noise import apart
from ._sense import SenseAmplifier
from ._tiles import cuts, spread_rows
from ._wires import AbstractWires, IdealWires, Sensitivity, sensitivity

FABRICATION = 2**31 - 1  # folded into the key, so that the periphery and the cells draw from different ones
V_READ = positive("in volts", most=5.0, hint="Millivolts? Multiply by 1e-3.")
READ_NOISE = Must(
    '"per_read", "per_moment", "off" or a `Correlated`; "by_spectrum" by default',
    hint=_hints.of_name("by_spectrum", "per_read", "per_moment", "off"),
)


class Crossbar(Checked):
    """The design of an analog matrix: nothing has happened to it yet.

    `crossbar.program(w, key=...)` is a chip, `chip.at(t, key=...)` a moment of it, and `matrix(x, key=...)` a read.

    **Arguments:**

    - `device`: The memory cell.
    - `mapping`: How weights become conductances.
    - `dac`, `adc`: Converters; `None` is an ideal one.
    - `wires`: The wires within a tile.
    - `compensation`: Drift compensation, or `None`.
    - `tile`: Word lines of one array, and bit lines that hold weights. A larger matrix is cut, and partial sums are
      added in digital after each tile's ADC.
    - `read_noise`: "by_spectrum" draws once for each cell, in `at`, what stands still for the `inference_time`, and for
      each read what moves within it; cells of unknown spectrum are as with "per_read". That draws noise for each output
      of each read (white noise), and "per_moment" once for each cell in `at`. `Correlated(process, dt)` lets it move
      from one time step of a network to the next. "off" leaves it out. The variance is the same in all.
    - `sense`: The amplifier between a bit line and its ADC; `None` is an ideal one.
    - `programming`: `OneShot()`, or `GradientDescent(...)` on the outputs of the array.
    - `v_read`: Voltage of a word line at full input, in volts. Of ohmic cells only the offset of `sense` depends on it.
      Without a DAC it is that of a spike, and all inputs are as many spikes.
    - `inference_time`: How long the reads of one moment take together, in seconds; 40 ms is assumed.
    """

    device: AbstractDevice
    mapping: AbstractMapping = DifferentialPair()
    dac: AbstractDAC | None = None
    adc: AbstractADC | None = None
    wires: AbstractWires = IdealWires()
    compensation: GlobalDriftCompensation | None = GlobalDriftCompensation()
    tile: tuple[int, int] = eqx.field(static=True, converter=plain, default=(256, 256))
    read_noise: Literal["by_spectrum", "per_read", "per_moment", "off"] | Correlated = eqx.field(
        static=True, default="by_spectrum"
    )
    sense: SenseAmplifier | None = None
    v_read: float = 0.2
    programming: AbstractProgramming = OneShot()
    inference_time: float = 0.04

    def __check_init__(self):
        check(
            self,
            device=write(_hints.of_device),
            mapping=write("Such as `DifferentialPair()`."),
            dac=write(_hints.of_converter("DAC")),
            adc=write(_hints.of_converter("ADC")),
            wires=write(_hints.of_wires),
            compensation=write("Write `GlobalDriftCompensation()`, or None for no compensation."),
            tile=each(whole(1, hint=_hints.of_tile), "(rows, columns), both at least 1"),
            read_noise=READ_NOISE,
            sense=write("Such as `SenseAmplifier(noise=0.04)`; None is an ideal one."),
            v_read=V_READ,
            programming=write("Such as `OneShot()`."),
            inference_time=positive("in seconds"),
        )
        if self.sense is not None and self.adc is None:
            self.sense.check_alone()
        if self.adc is not None:
            self.adc.check_slices(len(self.mapping.weights))
        self.mapping.reach(self.device.levels)
        self._check_circuit_is_linear()
        self._check_programming()

    def _check_circuit_is_linear(self) -> None:
        """A read is a product only of ohmic cells, or of cells whose voltages do not depend on their currents."""
        grounded = isinstance(self.wires, IdealWires) and (self.sense is None or self.sense.holds_ground)
        if not isinstance(self.device.iv, Ohmic) and not grounded:
            raise ValueError(
                "Cells with a nonlinear I-V must have ideal wires, and sense amplifiers without series resistance or "
                f"offset. Got {type(self.device.iv).__name__} cells with {type(self.wires).__name__}. Solve single "
                "inputs of such an array with `wires.currents(device, g, v)`."
            )

    def _check_programming(self) -> None:
        if not self.programming.rewrites:
            return
        own_lines = isinstance(self.mapping, DifferentialPair) or self.mapping == OffsetColumn(self.mapping.scale)
        if not own_lines or "stuck cells" in self.device.effects:
            raise ValueError(
                "Cells that are written again must each belong to one weight, and stay what they are made. Got "
                f"{type(self.mapping).__name__} and effects {self.device.effects}. Use DifferentialPair or a digital "
                "offset, no `BitSliced`, and no `StuckCells`, whose defects every write would draw anew."
            )

    @property
    def drive(self) -> AbstractDrive | None:
        """What the word lines of nonlinear cells carry; `None` for ohmic cells."""
        if isinstance(self.device.iv, Ohmic):
            return None
        if self.dac is None or self.dac.fixed_voltage:
            return FixedVoltage(self.device.iv, self.v_read)
        return VoltageLevels(self.device.iv, self.v_read, self.dac.largest_pulse)

    @property
    def cell_range(self) -> tuple[float, float]:
        """Conductances of a cell that is fully off and fully on: those of the device, or levels within, in siemens."""
        low, high = self.device.g_min, self.device.g_max
        off, on = self.mapping.reach(self.device.levels)
        return low if off == 0 else low + off * (high - low), high if on == 1 else low + on * (high - low)

    @property
    def white_reads(self) -> bool:
        """Whether what is drawn for each read is white within it."""
        return self.read_noise == "per_read" or (self.read_noise == "by_spectrum" and self.device.read_spectrum is None)

    def frozen(self, t: Float[Array, ""]) -> float | Float[Array, ""]:
        """Share of the read noise's variance that stands still in all reads of a moment."""
        if self.read_noise != "by_spectrum" or self.device.read_spectrum is None:
            return float(self.read_noise == "per_moment")
        return self.device.read_spectrum.frozen(t, self.inference_time)

    @property
    def one_cell(self) -> float | Float[Array, ""]:
        """The unit of currents: a cell fully on at full input, less one fully off, in siemens."""
        off, on = self.cell_range
        return self.seen(on) - self.seen(off)

    def seen(self, g: float) -> float | Float[Array, ""]:
        """Current over voltage of a cell of conductance `g` at full input, in siemens."""
        return g if isinstance(self.device.iv, Ohmic) else chord(self.device.iv, jnp.asarray(g), self.v_read)

    def program(self, w: Weights, *, key: Key[Array, ""]) -> "Chip":
        """Fabricates and writes one array that holds `w`. All that chance decides here is frozen in the chip."""
        check_key(key)
        return self._program(as_weights(w), key)

    @eqx.filter_jit  # or a first chip would compile a hundred small functions
    def _program(self, w: Float[Array, "outputs inputs"], key: Key[Array, ""]) -> "Chip":
        write_key, reference_key = jr.split(key)
        dtype = w.dtype
        w = as_conductances(w).T  # word lines are rows
        scales = self.mapping.scales(w, self.tile)
        units = nonzero(scales)
        off, on = self.cell_range
        shape = jax.eval_shape(lambda w: self.mapping.fractions(w, self.tile[1]), w).shape
        dac, adc, offsets = self._fabricate(w.shape[0], w.shape[1], shape, jr.fold_in(key, FABRICATION))

        def write(relative, key):
            fractions = self.mapping.fractions(relative, self.tile[1])
            return self.device.program(off + (on - off) * fractions, key=key)

        def chip(cells):
            return Chip(self, cells, scales, None, dac, adc, offsets, dtype=None if dtype == w.dtype else dtype)

        def read(cells, t, key):
            return chip(cells)._uncompensated(t, key).matrix

        cells, writes = self.programming(Blank(write, read, units, self.tile[0]), w, key=write_key)
        made = dataclasses.replace(chip(cells), writes=writes)
        if self.compensation is None:
            return made
        now = jnp.zeros(())
        start = made._uncompensated(now, reference_key)
        reference = self.compensation.start(start.matrix, made._summed(now), self.tile[1], key=start.key)
        return dataclasses.replace(made, reference=reference)

    def _fabricate(
        self, rows: int, columns: int, cells: tuple[int, ...], key: Key[Array, ""]
    ) -> tuple[AbstractDAC | None, AbstractADC | None, Array | None]:
        """Converters, and voltage offsets of the amplifiers, around cells of shape (planes, rows, lines)."""
        dac_key, adc_key, sense_key = jr.split(key, 3)
        row_tiles = len(cuts(rows, self.tile[0]))
        dac = None if self.dac is None else self.dac.fabricate(rows, key=dac_key)
        lines = columns * len(self.mapping.weights)
        adc = None if self.adc is None else self.adc.fabricate((row_tiles, lines), key=adc_key)
        if self.sense is None or self.sense.holds_ground:
            return dac, adc, None
        return dac, adc, self.sense.fabricate(cells[0], row_tiles, cells[2], key=sense_key)

    def deploy(self, w: Weights, t: Any, *, key: Key[Array, ""]) -> AnalogMatrix:
        """`program`, then `at` time `t`, with keys split from one."""
        check_time(t)  # before work starts
        check_key(key)
        program_key, moment_key = jr.split(key)
        return self.program(w, key=program_key).at(t, key=moment_key)


class Chip(Checked):
    """One fabricated and programmed array. Ageing it twice gives the same history.

    **Arguments:**

    - `crossbar`: Its design.
    - `cells`: State of its cells, shape (planes, rows, lines); of a pair the positive and the negative ones.
    - `scales`: Weight of one fully-on cell, shape (row_tiles, columns); zero for a bit line of zeros, which is then
      left out of the digital sum.
    - `reference`: What drift compensation measured at the end of programming.
    - `dac`, `adc`: Its converters, with the errors that chance gave them.
    - `offsets`: Of its sense amplifiers, in volts; `None` where bit lines end at ground.
    - `writes`: How often each weight was written, shape (1, rows, columns); `None` where all were written once.
    - `dtype`: Of the weights, if narrower than the conductances.
    """

    crossbar: Crossbar
    cells: Any
    scales: Float[Array, "row_tiles columns"]
    reference: Measured | None
    dac: AbstractDAC | None
    adc: AbstractADC | None
    offsets: Float[Array, "planes row_tiles lines"] | None
    writes: Int[Array, "1 rows columns"] | None = None
    dtype: np.dtype | None = eqx.field(static=True, default=None)

    def at(self, t: Any, *, key: Key[Array, ""] | None = None) -> AnalogMatrix:
        """The matrix this chip presents `t` seconds after programming. Read noise needs `key`."""
        check_optional_key(key)
        return self._at(as_time(t), key)

    def compensation_codes(self, t: Any, *, key: Key[Array, ""] | None = None) -> PatternCodes:
        """What drift compensation reads at `t` that the ADC clips; with the `key` of `at`, in its measurement."""
        check_optional_key(key)
        if self.reference is None:
            raise ValueError(
                "The design must have drift compensation. Got `compensation=None`. Write `GlobalDriftCompensation()`."
            )
        return self._compensation_codes(as_time(t), key)

    @eqx.filter_jit
    def _compensation_codes(self, t: Float[Array, ""], key: Key[Array, ""] | None) -> PatternCodes:
        assert self.reference is not None and self.crossbar.compensation is not None
        moment = self._uncompensated(t, key)
        return self.crossbar.compensation.codes(self.reference, moment.matrix, key=moment.key)

    @eqx.filter_jit
    def _at(self, t: Float[Array, ""], key: Key[Array, ""] | None) -> AnalogMatrix:
        moment = self._uncompensated(t, key)
        matrix = moment.matrix
        scale = matrix.scale
        assert scale is not None
        if self.reference is not None and self.crossbar.compensation is not None:
            factor = self.crossbar.compensation.factor(
                self.reference, matrix, self._summed(t), self.crossbar.tile[1], key=moment.key
            )
            scale = scale * (factor if matrix.slices == 1 else jnp.tile(factor, (1, matrix.slices)))
        matrix = eqx.tree_at(lambda m: m.scale, matrix, scale)
        return matrix.collapsed if matrix.adc is None else matrix

    def _summed(self, t: Float[Array, ""]) -> Float[Array, "rows columns"]:
        """Conductance of all cells of each weight together, in siemens."""
        g = self.crossbar.device.conductance(self.cells, t)
        # As variances: each cell counts, whatever its sign.
        return jnp.sum(self.crossbar.mapping.fluctuation(g, self.crossbar.tile[1]).own, axis=0)

    def _uncompensated(self, t: Float[Array, ""], key: Key[Array, ""] | None) -> "_Moment":
        """The tiles at `t`, before compensation and before tiles without an ADC collapse."""
        design = self.crossbar
        device, tile = design.device, design.tile
        g = device.conductance(self.cells, t)
        std = None if design.read_noise == "off" else device.read_noise(self.cells, t)
        if std is not None and key is None:
            raise ValueError(
                "A chip with read noise needs `at(t, key=...)`. Got no key. Pass one, or choose "
                '`Crossbar(..., read_noise="off")`.'
            )
        noise_key, measure_key = (None, None) if key is None else jr.split(key)
        offset, state, felt = None, None, None
        if std is not None and noise_key is not None:
            if isinstance(design.read_noise, Correlated):
                state = design.read_noise.process.initial(g.shape, key=noise_key)
            else:
                g, std = apart(g, std, design.frozen(t), key=noise_key)
        if not isinstance(design.wires, IdealWires):
            felt = None if std is None else design.mapping.behind(sensitivity(design.wires), g, tile)
            g = design.mapping.behind(design.wires.effective, g, tile)
        if design.sense is not None and self.offsets is not None:
            g, std, offset = design.sense.behind(g, std, self.offsets, tile[0])
        at_read = std if state is None else None
        lines = bit_lines(design.mapping, g, at_read, design.drive, felt, tile=tile, one_cell=design.one_cell)
        matrix = self._in_codes(lines, offset, g.shape[1])
        if state is not None and std is not None:
            moves = tuple(moved_terms(design.drive, g, std))
            matrix = dataclasses.replace(matrix, fluctuation=self._fluctuation(state, moves, felt))
        return _Moment(matrix, measure_key)

    def _fluctuation(self, state: Any, moves: tuple[Array, ...], felt: Sensitivity | None) -> Fluctuation:
        """Read noise that moves, of bit lines whose terms have these `moves`."""
        design = self.crossbar
        assert isinstance(design.read_noise, Correlated)
        per_input_code, _, per_output_code = self._codes(moves[0].shape[1])
        gain = _of_slices(per_input_code / per_output_code) / design.one_cell
        gain = jnp.broadcast_to(jnp.asarray(gain, moves[0].dtype), (len(design.mapping.weights), 1, 1))
        return Fluctuation(design.read_noise, state, moves, design.mapping, design.tile, gain, felt)

    def _in_codes(self, lines: BitLines, offset: Array | None, inputs: int) -> AnalogMatrix:
        """Converter steps folded into the matrix, so that a read is a product, a clip and a rounding."""
        design = self.crossbar
        per_input_code, full_pulse, per_output_code = self._codes(inputs)
        gain = _of_slices(per_input_code / per_output_code)
        if offset is not None:
            cells = design.mapping.presented(offset / design.v_read, design.tile[1]) / design.one_cell
            offset = beside(cells * _of_slices(full_pulse / per_output_code))
        noise = lines.noise(gain, design.tile[1])
        return AnalogMatrix(
            beside(lines.weight * gain),
            noise.variance,
            self._scale(per_output_code),
            self.dac,
            self.adc,
            rows=design.tile[0],
            slices=lines.weight.shape[0],
            offset=offset,
            digital=self._digital(per_input_code, inputs),
            shared=noise.shared,
            drive=design.drive,
            saturation=None if design.sense is None or is_zero(design.sense.saturation) else design.sense.saturation,
            amplifier_noise=self._amplifier_noise(full_pulse / per_output_code, lines.weight),
            dead=jnp.tile(self.scales == 0, (1, lines.weight.shape[0])),
            dtype=self.dtype,
            crossed=noise.crossed,
            white=design.white_reads,
        )

    def _codes(self, inputs: int) -> tuple[Any, Any, Any]:
        """Input of one DAC code, the pulse of a full input, and fully-on cells of one ADC code."""
        per_input_code, full_pulse = (1.0, 1.0) if self.dac is None else (self.dac.step, self.dac.full_pulse)
        if self.adc is None:
            return per_input_code, full_pulse, 1.0
        word_lines = min(self.crossbar.tile[0], inputs)
        return per_input_code, full_pulse, self.adc.cells_per_code(word_lines) * full_pulse

    def _amplifier_noise(
        self, codes_per_cell: Any, weight: Float[Array, "slices rows columns"]
    ) -> Float[Array, " slices_columns"] | None:
        sense = self.crossbar.sense
        if sense is None or is_zero(sense.noise):
            return None
        std = jnp.asarray(sense.noise * codes_per_cell, weight.dtype)
        return jnp.repeat(jnp.broadcast_to(std, weight.shape[:1]), weight.shape[2])

    def _scale(self, per_output_code: Any) -> Float[Array, "row_tiles slices_columns"]:
        """Output per ADC code."""
        units = nonzero(self.scales)
        scales = [
            units * ((per_output_code if np.ndim(per_output_code) == 0 else per_output_code[place]) * weight)
            for place, weight in enumerate(self.crossbar.mapping.weights)
        ]
        return scales[0] if len(scales) == 1 else jnp.concatenate(scales, axis=1)

    def _digital(self, per_input_code: float | Array, inputs: int) -> Float[Array, "rows columns"] | None:
        """What the digital sum of the input codes takes off: as many cells in the middle of their range."""
        mapping, (off, on) = self.crossbar.mapping, self.crossbar.cell_range
        if mapping.middle is None:
            return None
        cells = jnp.zeros(())
        for weight, fraction in zip(mapping.weights, mapping.middle, strict=True):
            cells = cells + weight * self.crossbar.seen(off + (on - off) * fraction) / self.crossbar.one_cell
        return spread_rows(-cells * per_input_code * self.scales, inputs, self.crossbar.tile[0])


def _of_slices(value: Any) -> Any:
    """One number, or one for each slice of `BitLines`."""
    return value if np.ndim(value) == 0 else value.reshape(-1, 1, 1)


class _Moment(NamedTuple):
    matrix: AnalogMatrix
    key: Key[Array, ""] | None
