"""Analog in-memory computing: spiking networks on memristor crossbars, in one differentiable program."""

from ._compensation import GlobalDriftCompensation as GlobalDriftCompensation
from ._converters import ADC as ADC
from ._converters import DAC as DAC
from ._crossbar import Chip as Chip
from ._crossbar import Crossbar as Crossbar
from ._mapping import DifferentialPair as DifferentialPair
from ._matrix import AnalogMatrix as AnalogMatrix
from ._matrix import Clipping as Clipping
from ._wires import AbstractWires as AbstractWires
from ._wires import IdealWires as IdealWires
