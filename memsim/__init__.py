"""Analog in-memory computing: spiking networks on memristor crossbars, in one differentiable program."""

from . import data as data
from . import encoding as encoding
from . import nir as nir
from . import nn as nn
from . import plotting as plotting
from . import study as study
from . import train as train
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
from .nn import at as at
from .nn import calibrate as calibrate
from .nn import deploy as deploy
from .nn import program as program
