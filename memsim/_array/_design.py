"""What the circuits of a chip know of its design."""

import equinox as eqx
import jax.numpy as jnp

from device_models import AbstractDevice
from device_models._checks._quantities import Number
from device_models.iv import Ohmic

from .._checks import Checked
from ._compensation import GlobalDriftCompensation
from ._converters._adc import AbstractADC
from ._converters._dac import AbstractDAC
from ._converters._drive import AbstractDrive, FixedVoltage, VoltageLevels, chord
from ._mapping._mapping import AbstractMapping
from ._reads import Reads
from ._wires import AbstractWires


class AbstractDesign(Checked):
    """A `Crossbar` as a `Chip` knows it: its parts, and what follows from them."""

    device: eqx.AbstractVar[AbstractDevice]
    mapping: eqx.AbstractVar[AbstractMapping]
    dac: eqx.AbstractVar[AbstractDAC | None]
    adc: eqx.AbstractVar[AbstractADC | None]
    wires: eqx.AbstractVar[AbstractWires]
    compensation: eqx.AbstractVar[GlobalDriftCompensation | None]
    tile: eqx.AbstractVar[tuple[int, int]]
    reads: eqx.AbstractVar[Reads]

    @property
    def drive(self) -> AbstractDrive | None:
        """What the word lines of nonlinear cells carry; `None` for ohmic cells."""
        if isinstance(self.device.iv, Ohmic):
            return None
        if self.dac is None or self.dac.fixed_voltage:
            return FixedVoltage(self.device.iv, self.reads.v_read)
        return VoltageLevels(self.device.iv, self.reads.v_read, self.dac.largest_pulse)

    @property
    def cell_range(self) -> tuple[Number, Number]:
        """Conductances of a cell that is fully off and fully on: those of the device, or levels within, in siemens."""
        return range_of(self.device, self.mapping)

    @property
    def one_cell(self) -> Number:
        """The unit of currents: a cell fully on at full input, less one fully off, in siemens."""
        off, on = self.cell_range
        return self.seen(on) - self.seen(off)

    def seen(self, g: Number) -> Number:
        """Current over voltage of a cell of conductance `g` at full input, in siemens."""
        return g if isinstance(self.device.iv, Ohmic) else chord(self.device.iv, jnp.asarray(g), self.reads.v_read)


def range_of(device: AbstractDevice, mapping: AbstractMapping) -> tuple[Number, Number]:
    """Conductances of a cell of this `device` that is fully off and fully on, in siemens."""
    low, high = device.g_min, device.g_max
    off, on = mapping.reach(device.levels)
    return low if off == 0 else low + off * (high - low), high if on == 1 else low + on * (high - low)
