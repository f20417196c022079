"""The design of a crossbar, and how a chip is made of it."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from device_models import AbstractDevice, Ideal
from device_models._checks._quantities import SIEMENS
from device_models._held import held
from device_models.iv import Ohmic

from .._checks import (
    Weights,
    as_conductances,
    as_weights,
    at_least,
    check,
    check_key,
    check_time,
    checked,
    each,
    plain,
    whole,
    write,
)
from . import hints
from ._chip import Chip
from ._compensation import GlobalDriftCompensation
from ._converters._adc import AbstractADC
from ._converters._dac import AbstractDAC
from ._design import AbstractDesign, range_of
from ._mapping._mapping import AbstractMapping, nonzero
from ._mapping._offset import OffsetColumn
from ._mapping._pair import DifferentialPair
from ._matrix import AnalogMatrix
from ._programming import AbstractProgramming, Blank, OneShot
from ._reads import Reads
from ._tiles import cuts, spread_rows
from ._wires import AbstractWires, IdealWires

FABRICATION = 2**31 - 1  # folded into the key, so that the periphery and the cells draw from different ones


class Crossbar(AbstractDesign):
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
    - `programming`: `OneShot()`, or `GradientDescent(...)` on the outputs of the array.
    - `reads`: With which noise it is read, at what voltage, for how long, and by which amplifiers.

    >>> import device_models as dm, jax, memsim as ms
    >>> crossbar = ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8), reads=ms.Reads("off"))
    >>> crossbar.deploy([[0.5, -1.0]], 3600.0, key=jax.random.key(0))([1.0, 1.0]).shape
    (1,)
    """

    device: AbstractDevice
    mapping: AbstractMapping = DifferentialPair()
    dac: AbstractDAC | None = None
    adc: AbstractADC | None = None
    wires: AbstractWires = IdealWires()
    compensation: GlobalDriftCompensation | None = GlobalDriftCompensation()
    tile: tuple[int, int] = eqx.field(static=True, converter=plain, default=(256, 256))
    programming: AbstractProgramming = OneShot()
    reads: Reads = Reads()

    def __check_init__(self):
        check(
            self,
            device=write(hints.of_device),
            mapping=write("Such as `DifferentialPair()`."),
            dac=write(hints.of_converter("DAC")),
            adc=write(hints.of_converter("ADC")),
            wires=write(hints.of_wires),
            compensation=write("Write `GlobalDriftCompensation()`, or None for no compensation."),
            tile=each(whole(1, hint=hints.of_tile), "(rows, columns), both at least 1"),
            programming=write("Such as `OneShot()`."),
            reads=write(hints.of_reads),
        )
        if self.reads.sense is not None and self.adc is None:
            self.reads.sense.check_alone()
        if self.adc is not None:
            self.adc.check_slices(len(self.mapping.weights))
        self.mapping.reach(self.device.levels)
        self._check_circuit_is_linear()
        self._check_programming()

    def _check_circuit_is_linear(self) -> None:
        """A read is a product only of ohmic cells, or of cells whose voltages do not depend on their currents."""
        grounded = isinstance(self.wires, IdealWires) and (self.reads.sense is None or self.reads.sense.holds_ground)
        if not isinstance(self.device.iv, Ohmic) and not grounded:
            wires = type(self.wires).__name__
            came = wires if wires != IdealWires.__name__ else f"sense={self.reads.sense}"
            raise ValueError(
                "Cells with a nonlinear I-V must have ideal wires, and sense amplifiers without series resistance or "
                f"offset. Got {type(self.device.iv).__name__} cells with {came}. Behind `ResistiveWires`, single "
                "inputs of such an array are solved by `wires.currents(device, g, v)`."
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

    def program(self, w: Weights, *, key: Key[Array, ""]) -> Chip:
        """Fabricates and writes one array that holds `w`. All that chance decides here is frozen in the chip."""
        check_key(key)
        return self._program(as_weights(w), key)

    @eqx.filter_jit  # or a first chip would compile a hundred small functions
    def _program(self, w: Float[Array, "outputs inputs"], key: Key[Array, ""]) -> Chip:
        write_key, reference_key = jr.split(key)
        dtype = w.dtype
        w = as_conductances(w).T  # word lines are rows
        scales = self.mapping.scales(w, self.tile)
        units = nonzero(scales)
        shape = jax.eval_shape(lambda w: self.mapping.fractions(w, self.tile[1]), w).shape
        dac, adc, offsets = self._fabricate(w.shape[0], w.shape[1], shape, jr.fold_in(key, FABRICATION))

        def written(relative, key):
            return _written(relative, self.device, self.mapping, self.tile[1], key)

        def chip(cells):
            return Chip(self, cells, scales, None, dac, adc, offsets, dtype=None if dtype == w.dtype else dtype)

        def read(cells, t, key):
            return chip(cells).uncompensated(t, key).matrix

        cells, writes = self.programming(Blank(written, read, units, self.tile[0]), w, key=write_key)
        return self._referenced(dataclasses.replace(chip(cells), writes=writes), w, reference_key)

    @checked(g=SIEMENS, scale=at_least(0.0, "the weight of one fully-on cell"))
    def measured(
        self, g: Float[Array, "planes rows lines"], scale: float | Float[Array, "..."] = 1.0, *, key: Key[Array, ""]
    ) -> Chip:
        """One array whose cells were measured to conduct `g` siemens at the end of programming.

        **Arguments:**

        - `g`: As `Chip.cells` has its planes: of a pair the positive and the negative cells; rows are word lines.
        - `scale`: Weight of one fully-on cell: a number, or one each, shape (row_tiles, columns).
        - `key`: For what was not measured: how cells age, and the errors of the converters.

        **Raises:** `ValueError` for planes and lines that the mapping does not have, and for a device whose cells a
        measurement does not tell.
        """
        columns = self._columns(g)
        write_key, reference_key = jr.split(key)
        cells = self.device.holding(g, key=write_key)
        found = self.device.conductance(cells, jnp.zeros((), g.dtype))
        if not np.allclose(found, g, rtol=1e-6, atol=1e-6 * self.device.g_max):
            wrong = int(np.argmax(np.abs(np.asarray(found) - np.asarray(g))))
            raise ValueError(
                f"The cells must be able to have the conductances `g`. Got {np.ravel(g)[wrong]:g} S, of which a "
                f"{type(self.device).__name__} makes {np.ravel(found)[wrong]:g} S. Is it another device?"
            )
        scales = jnp.broadcast_to(jnp.asarray(scale, g.dtype), (len(cuts(g.shape[1], self.tile[0])), columns))
        dac, adc, offsets = self._fabricate(g.shape[1], columns, g.shape, jr.fold_in(key, FABRICATION))
        return self._referenced(Chip(self, cells, scales, None, dac, adc, offsets), None, reference_key)

    def _columns(self, g: Float[Array, "planes rows lines"]) -> int:
        """How many columns of weights have so many bit lines; raises `ValueError` where there is no such number."""
        for columns in range(g.shape[2], 0, -1):
            w = jax.ShapeDtypeStruct((g.shape[1], columns), g.dtype)
            shape = jax.eval_shape(lambda w: self.mapping.fractions(w, self.tile[1]), w).shape
            if shape == g.shape:
                return columns
            if shape[2] < g.shape[2] or shape[0] != g.shape[0]:
                raise ValueError(
                    f"`g` must be of shape (planes, rows, lines), as {type(self.mapping).__name__} lays it out with "
                    f"{shape[0]} planes and {shape[2]} lines for {columns} columns. Got {g.shape}."
                )
        raise ValueError(f"`g` must have at least one bit line. Got shape {g.shape}.")

    def _referenced(self, made: Chip, w: Float[Array, "rows columns"] | None, key: Key[Array, ""]) -> Chip:
        """A chip with what drift compensation measures of it at the end of programming, and, if asked, of its `w`."""
        if self.compensation is None:
            return made
        if w is None and self.compensation.reference == "ideal":
            raise ValueError(
                'Compensation against an "ideal" reference must know the weights that were to be written. Got measured '
                'conductances; use `GlobalDriftCompensation(reference="written")`.'
            )
        now = jnp.zeros(())
        start = made.uncompensated(now, key)
        reference = self.compensation.start(start.matrix, made.summed(now), self.tile[1], key=start.key)
        if w is not None and self.compensation.reference == "ideal":
            ideal = self._ideal(w, made.scales)
            seen = ideal.uncompensated(now, None).matrix
            reference = self.compensation.against(reference, seen, ideal.summed(now), self.tile[1])
        return dataclasses.replace(made, reference=reference)

    def _ideal(self, w: Float[Array, "rows columns"], scales: Float[Array, "row_tiles columns"]) -> Chip:
        """A chip whose cells are their targets, with ideal wires, amplifiers and ADC, and no noise."""
        off, on = self.cell_range
        design = dataclasses.replace(
            self,
            device=Ideal(off, on, self.device.iv),  # pyright: ignore[reportArgumentType]
            adc=None,
            wires=IdealWires(),
            compensation=None,
            programming=OneShot(),
            reads=Reads("off", v_read=self.reads.v_read),
        )
        relative = w / spread_rows(nonzero(scales), w.shape[0], self.tile[0])
        cells = off + (on - off) * self.mapping.fractions(relative, self.tile[1])
        return Chip(design, cells, scales, None, self.dac, None, None)

    def _fabricate(
        self, rows: int, columns: int, cells: tuple[int, ...], key: Key[Array, ""]
    ) -> tuple[AbstractDAC | None, AbstractADC | None, Array | None]:
        """Converters, and voltage offsets of the amplifiers, around cells of shape (planes, rows, lines)."""
        dac_key, adc_key, sense_key = jr.split(key, 3)
        row_tiles = len(cuts(rows, self.tile[0]))
        dac = None if self.dac is None else self.dac.fabricate(rows, key=dac_key)
        lines = columns * len(self.mapping.weights)
        adc = None if self.adc is None else self.adc.fabricate((row_tiles, lines), key=adc_key)
        sense = self.reads.sense
        if sense is None or sense.holds_ground:
            return dac, adc, None
        return dac, adc, sense.fabricate(cells[0], row_tiles, cells[2], key=sense_key)

    def deploy(self, w: Weights, t: Any, *, key: Key[Array, ""]) -> AnalogMatrix:
        """`program`, then `at` time `t`, with keys split from one."""
        check_time(t)  # before work starts
        check_key(key)
        program_key, moment_key = jr.split(key)
        return self.program(w, key=program_key).at(t, key=moment_key)


@eqx.filter_custom_jvp
def _written(relative: Array, device: AbstractDevice, mapping: AbstractMapping, columns: int, key: Array) -> Any:
    """Cells written towards weights in units of their scale: made once for all that is read of them."""
    return held(_write, relative, device, mapping, columns, key)


@_written.def_jvp
def _written_jvp(primals: Any, tangents: Any) -> Any:
    # Where a gradient follows, draws are kept instead: within a branch every step would be.
    return eqx.filter_jvp(_write, primals, tangents)


def _write(relative: Array, device: AbstractDevice, mapping: AbstractMapping, columns: int, key: Array) -> Any:
    off, on = range_of(device, mapping)
    target = off + (on - off) * mapping.fractions(relative, columns)
    cells = device.program(target, key=key)
    found = eqx.filter_eval_shape(device.conductance, cells, jnp.zeros((), target.dtype)).shape
    if found != target.shape:
        raise ValueError(
            f"`conductance` of a device must have the shape of the targets that it was to write, {target.shape}. "
            f"Got {found} of a {type(device).__name__}; `memsim check-device` tells what else it must keep."
        )
    return cells
