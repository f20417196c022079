"""A chip: one fabricated and programmed array, and the matrix it presents at any moment."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, Key

from device_models._device import in_dtype_of
from device_models._wrappers._write_verify import pulses_of

from .._checks import Checked, as_time, check_optional_key, is_zero
from ._compensation import Measured, PatternCodes
from ._converters._adc import AbstractADC
from ._converters._dac import AbstractDAC
from ._design import AbstractDesign
from ._fluctuation import Correlated, Fluctuation
from ._lines import beside, bit_lines, moved_terms
from ._mapping._mapping import nonzero
from ._matrix import AnalogMatrix
from ._read_noise import apart
from ._sense import Amplifiers
from ._sums import DigitalSum
from ._tiles import spread_rows
from ._wires import IdealWires, Sensitivity, sensitivity
from ._word_lines import WordLines


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

    >>> import jax.random as jr, device_models as dm, memsim as ms
    >>> chip = ms.Crossbar(dm.pcm_joshi2020()).program([[0.5, -1.0]], key=jr.key(0))
    >>> young, old = (chip.conductances(t, key=jr.key(1)) for t in (0.0, 86400.0))
    >>> old.shape, bool(old.sum() < young.sum())
    ((2, 2, 1), True)
    """

    crossbar: AbstractDesign
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
        moment = self.uncompensated(t, key)
        return self.crossbar.compensation.codes(self.reference, moment.matrix, key=moment.key)

    @eqx.filter_jit
    def _at(self, t: Float[Array, ""], key: Key[Array, ""] | None) -> AnalogMatrix:
        moment = self.uncompensated(t, key)
        matrix = moment.matrix
        scale = matrix.sums.scale
        assert scale is not None
        if self.reference is not None and self.crossbar.compensation is not None:
            factor = self.crossbar.compensation.factor(
                self.reference, matrix, self.summed(t), self.crossbar.tile[1], key=moment.key
            )
            scale = scale * (factor if matrix.sums.slices == 1 else jnp.tile(factor, (1, matrix.sums.slices)))
        matrix = eqx.tree_at(lambda m: m.sums.scale, matrix, scale)
        return matrix.collapsed if matrix.adc is None else matrix

    def conductances(self, t: Any, *, key: Key[Array, ""] | None = None) -> Float[Array, "planes rows lines"]:
        """What its cells conduct in the moment `at(t, key=key)`, in siemens, before wires and amplifiers.

        Of read noise it has what stands still in that moment.
        """
        check_optional_key(key)
        noise_key = None if key is None else jr.split(key)[0]  # as `uncompensated`
        return self._cells_at(as_time(t), noise_key).g

    @property
    def pulses(self) -> Float[Array, "planes rows lines"]:
        """How often each cell was written: by a verify, and on average over weights by descent on the outputs.

        Where both did, the verified pulses of the last write stand for those of each.
        """
        shape = jax.eval_shape(self.crossbar.device.conductance, self.cells, jnp.zeros(())).shape
        each = jnp.asarray(pulses_of(self.cells), float)
        beside = tuple(range(max(each.ndim - len(shape), 0)))  # cells in parallel
        each = jnp.broadcast_to(jnp.mean(each, axis=beside), shape)
        return each if self.writes is None else each * jnp.mean(self.writes, dtype=float)

    def summed(self, t: Float[Array, ""]) -> Float[Array, "rows columns"]:
        """Conductance of all cells of each weight together, in siemens."""
        g = self.crossbar.device.conductance(self.cells, in_dtype_of(self.cells, t))
        # As variances: each cell counts, whatever its sign.
        return jnp.sum(self.crossbar.mapping.fluctuation(g, self.crossbar.tile[1]).own, axis=0)

    def uncompensated(self, t: Float[Array, ""], key: Key[Array, ""] | None) -> "Uncompensated":
        """What the array presents at `t`, before compensation and before tiles without an ADC collapse."""
        noise_key, measure_key = (None, None) if key is None else jr.split(key)
        return Uncompensated(self._in_codes(self._seen(t, noise_key)), measure_key)

    def _seen(self, t: Float[Array, ""], key: Key[Array, ""] | None) -> "Seen":
        """The cells at `t` as their bit lines see them: with what stands still of their noise, wires, amplifiers."""
        design, reads = self.crossbar, self.crossbar.reads
        g, std, state = self._cells_at(t, key)
        found, offset = None, None
        if not isinstance(design.wires, IdealWires):
            found = None if std is None else design.mapping.behind(sensitivity(design.wires), g, design.tile)
            g = design.mapping.behind(design.wires.effective, g, design.tile)
        if reads.sense is not None and self.offsets is not None:
            g, std, offset = reads.sense.behind(g, std, self.offsets, design.tile[0])
        return Seen(g, std, state, found, offset)

    def _cells_at(self, t: Float[Array, ""], key: Key[Array, ""] | None) -> "CellsAt":
        """The cells at `t`, with what stands still of their noise."""
        design, reads, t = self.crossbar, self.crossbar.reads, in_dtype_of(self.cells, t)
        g = design.device.conductance(self.cells, t)
        std = None if reads.noise == "off" else design.device.read_noise(self.cells, t)
        if std is not None and key is None:
            raise ValueError(
                "A chip with read noise needs `at(t, key=...)`. Got no key. Pass one, or choose "
                '`Crossbar(..., reads=Reads("off"))`.'
            )
        state = None
        if std is not None and key is not None:
            if isinstance(reads.noise, Correlated):
                state = reads.noise.process.initial(g.shape, key=key)
            else:
                g, std = apart(g, std, reads.frozen(design.device, t), key=key)
        return CellsAt(g, std, state)

    def _in_codes(self, seen: "Seen") -> AnalogMatrix:
        """Converter steps folded into the matrix, so that a read is a product, a clip and a rounding."""
        design, inputs = self.crossbar, seen.g.shape[1]
        drive, tile, one_cell = design.drive, design.tile, _of_dtype(design.one_cell, seen.g)
        std = seen.std if seen.state is None else None
        lines = bit_lines(design.mapping, seen.g, std, drive, seen.sensitivity, tile=tile, one_cell=one_cell)
        code = self._code(inputs)
        gain = _of_slices(code.per_input / code.per_output)
        return AnalogMatrix(
            WordLines(self.dac, drive),
            beside(lines.weight * gain),
            lines.noise(gain, tile[1], design.reads.are_white(design.device)),
            self._fluctuation(seen, gain / one_cell),
            self._amplifiers(seen.offset, code.full_pulse / code.per_output, lines.weight),
            self.adc,
            DigitalSum(
                self._scale(code.per_output),
                tile[0],
                slices=lines.weight.shape[0],
                of_codes=self._digital(code.per_input, inputs),
                dead=jnp.tile(self.scales == 0, (1, lines.weight.shape[0])),
            ),
            self.dtype,
        )

    def _code(self, inputs: int) -> "Code":
        """What one code stands for."""
        per_input, full_pulse = (1.0, 1.0) if self.dac is None else (self.dac.step, self.dac.full_pulse)
        if self.adc is None:
            return Code(per_input, full_pulse, 1.0)
        word_lines = min(self.crossbar.tile[0], inputs)
        return Code(per_input, full_pulse, self.adc.cells_per_code(word_lines) * full_pulse)

    def _fluctuation(self, seen: "Seen", gain: Any) -> Fluctuation | None:
        """Read noise that moves, with the `gain` of one siemens, or of each slice."""
        design, noise = self.crossbar, self.crossbar.reads.noise
        if seen.state is None or seen.std is None:
            return None
        assert isinstance(noise, Correlated)
        moves = tuple(moved_terms(design.drive, seen.g, seen.std))
        gain = jnp.broadcast_to(jnp.asarray(gain, moves[0].dtype), (len(design.mapping.weights), 1, 1))
        return Fluctuation(noise, seen.state, moves, design.mapping, design.tile, gain, seen.sensitivity)

    def _amplifiers(
        self, offset: Array | None, codes_per_cell: Any, weight: Float[Array, "slices rows columns"]
    ) -> Amplifiers | None:
        """The sense amplifiers of bit lines with this `weight`, whose `offset` is in amperes."""
        design, sense = self.crossbar, self.crossbar.reads.sense
        if sense is None:
            return None
        if offset is not None:
            one_cell = _of_dtype(design.one_cell, offset)
            cells = design.mapping.presented(offset / design.reads.v_read, design.tile[1]) / one_cell
            offset = beside(cells * _of_slices(codes_per_cell))
        noise = None
        if not is_zero(sense.noise):
            std = jnp.asarray(sense.noise * codes_per_cell, weight.dtype)
            noise = jnp.repeat(jnp.broadcast_to(std, weight.shape[:1]), weight.shape[2])
        found = Amplifiers(offset, noise, None if is_zero(sense.saturation) else sense.saturation)
        return found if jax.tree.leaves(found) else None

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
        return spread_rows(-_of_dtype(cells * per_input_code, self.scales) * self.scales, inputs, self.crossbar.tile[0])


def _of_dtype(number: Any, like: Array) -> Any:
    """A `number` that JAX has computed, and so has its default precision, in that of an array; others as they are."""
    return number.astype(like.dtype) if eqx.is_array(number) else number


def _of_slices(value: Any) -> Any:
    """One number, or one for each slice of `BitLines`."""
    return value if np.ndim(value) == 0 else value.reshape(-1, 1, 1)


class Uncompensated(NamedTuple):
    """A matrix before drift compensation, and the key of what that measures on it."""

    matrix: AnalogMatrix
    key: Key[Array, ""] | None


class CellsAt(NamedTuple):
    """Cells at a moment, in siemens, shape (planes, rows, lines); `std` and `state` are those of `Seen`."""

    g: Float[Array, "planes rows lines"]
    std: Float[Array, "planes rows lines"] | None
    state: Any


class Seen(NamedTuple):
    """Cells as their bit lines see them, in siemens, shape (planes, rows, lines).

    `std` is that of the read noise, with its `state` where it moves from step to step; `sensitivity` is how bit lines
    follow their cells behind wires; `offset` are the currents without any input, in amperes.
    """

    g: Float[Array, "planes rows lines"]
    std: Float[Array, "planes rows lines"] | None
    state: Any
    sensitivity: Sensitivity | None
    offset: Float[Array, "planes row_tiles lines"] | None


class Code(NamedTuple):
    """What one code stands for: so much input, and so many fully-on cells; and the pulse of a full input."""

    per_input: Any
    full_pulse: Any
    per_output: Any
