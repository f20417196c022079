"""A bare array of cells between its terminals, in volts and amperes: what a netlist or a probe station measures."""

from typing import Literal

import equinox as eqx

from device_models import AbstractDevice

from .._array import IdealWires, ResistiveWires
from .._checks import Checked, check, plain, positive, whole, write


class Circuit(Checked):
    """One array of ohmic cells, read without converters.

    A read takes the voltages of the terminals and gives currents: those into the sinks of the bit lines (`terminals`
    "bit lines": inputs are the word lines' voltages), or those at all terminals ("all": inputs are the voltages of word
    lines and, after them, of bit lines; outputs the currents out of the drivers and, after them, into the sinks). Only
    with all terminals do reads alone tell wires from cells: `rows * columns` numbers are all that bit lines tell, as
    many as there are cells.

    Wires are those of `ResistiveWires`: between two cells, and between a terminal and its first cell, one segment, to
    which a driver adds `source` and a sink `sink`. A source of ngspice gives its current with the sign of one that is
    charged: that out of the driver of a word line is `-i(v0)`, that into the sink of a bit line `i(vm0)` of a source
    at the voltage of the bit line. Reads at all terminals need about half as many inputs as word lines and bit lines
    together; time grows with the third power of the number of cells, memory with the second (64 x 64: 2 GB).

    **Arguments:**

    - `device`: The cell: its range and, with targets, its law.
    - `rows`, `columns`: Word lines and bit lines.
    - `wires`: Medians of the resistances; those that are 0 are known to be.
    - `v_read`: Largest voltage of a terminal, in volts.
    - `terminals`: "bit lines" or "all".

    >>> import device_models as dm, memsim as ms
    >>> ms.identify.Circuit(dm.Ideal(1e-6, 50e-6), 16, 8, ms.ResistiveWires(1.0, 1.0), terminals="all").inputs
    24
    """

    device: AbstractDevice
    rows: int = eqx.field(static=True, converter=plain)
    columns: int = eqx.field(static=True, converter=plain)
    wires: IdealWires | ResistiveWires = IdealWires()
    v_read: float = 0.2
    terminals: Literal["bit lines", "all"] = eqx.field(static=True, default="bit lines")

    def __check_init__(self):
        check(
            self,
            device=write("Such as `dm.Ideal(1e-6, 50e-6)`."),
            rows=whole(1),
            columns=whole(1),
            wires=write("Such as `ResistiveWires(1.0, 1.0)`."),
            v_read=positive("in volts", most=5.0, hint="Millivolts? Multiply by 1e-3."),
        )
        if self.terminals == "all" and isinstance(self.wires, IdealWires):
            raise ValueError(
                'Reads at all terminals must be of `ResistiveWires`. Got IdealWires(). Use terminals="bit lines".'
            )

    @property
    def inputs(self) -> int:
        """Numbers of an input."""
        return self.rows + (self.columns if self.terminals == "all" else 0)

    @property
    def outputs(self) -> int:
        """Numbers of an output."""
        return self.columns + (self.rows if self.terminals == "all" else 0)
