"""All that lies between weights and codes: one array, one chip, one moment."""

from . import hints as hints
from ._chip import Chip as Chip
from ._compensation import GlobalDriftCompensation as GlobalDriftCompensation
from ._converters._adc import ADC as ADC
from ._converters._adc import AbstractADC as AbstractADC
from ._converters._dac import DAC as DAC
from ._converters._dac import AbstractDAC as AbstractDAC
from ._converters._dac import BitSerialDAC as BitSerialDAC
from ._converters._dac import PulseWidthDAC as PulseWidthDAC
from ._converters._errors import ConverterErrors as ConverterErrors
from ._converters._ramp import Ramp as Ramp
from ._converters._sar import SAR as SAR
from ._converters._switched import SwitchedADC as SwitchedADC
from ._converters._switched import SwitchedDAC as SwitchedDAC
from ._converters._unlimited import UnlimitedADC as UnlimitedADC
from ._converters._unlimited import UnlimitedDAC as UnlimitedDAC
from ._crossbar import Crossbar as Crossbar
from ._effects import EFFECTS as EFFECTS
from ._effects import effects as effects
from ._effects import switched as switched
from ._effects import without as without
from ._fluctuation import Correlated as Correlated
from ._mapping._mapping import AbstractMapping as AbstractMapping
from ._mapping._mapping import nonzero as nonzero
from ._mapping._offset import OffsetColumn as OffsetColumn
from ._mapping._pair import DifferentialPair as DifferentialPair
from ._mapping._sliced import BitSliced as BitSliced
from ._matrix import AnalogMatrix as AnalogMatrix
from ._matrix import Clipping as Clipping
from ._programming import AbstractProgramming as AbstractProgramming
from ._programming import GradientDescent as GradientDescent
from ._programming import OneShot as OneShot
from ._ranges import AbstractRanges as AbstractRanges
from ._ranges import LeastSquares as LeastSquares
from ._ranges import Maximal as Maximal
from ._ranges import Percentile as Percentile
from ._read_noise import NOISY_READ as NOISY_READ
from ._reads import Reads as Reads
from ._sense import SenseAmplifier as SenseAmplifier
from ._tiles import spread_rows as spread_rows
from ._wires import AbstractWires as AbstractWires
from ._wires import AlphaBetaWires as AlphaBetaWires
from ._wires import IdealWires as IdealWires
from ._wires import ResistiveWires as ResistiveWires
from ._word_lines import WordLines as WordLines

__all__ = [
    "ADC",
    "DAC",
    "EFFECTS",
    "NOISY_READ",
    "SAR",
    "AbstractADC",
    "AbstractDAC",
    "AbstractMapping",
    "AbstractProgramming",
    "AbstractRanges",
    "AbstractWires",
    "AlphaBetaWires",
    "AnalogMatrix",
    "BitSerialDAC",
    "BitSliced",
    "Chip",
    "Clipping",
    "ConverterErrors",
    "Correlated",
    "Crossbar",
    "DifferentialPair",
    "GlobalDriftCompensation",
    "GradientDescent",
    "IdealWires",
    "LeastSquares",
    "Maximal",
    "OffsetColumn",
    "OneShot",
    "Percentile",
    "PulseWidthDAC",
    "Ramp",
    "Reads",
    "ResistiveWires",
    "SenseAmplifier",
    "SwitchedADC",
    "SwitchedDAC",
    "UnlimitedADC",
    "UnlimitedDAC",
    "WordLines",
    "effects",
    "hints",
    "nonzero",
    "spread_rows",
    "switched",
    "without",
]
