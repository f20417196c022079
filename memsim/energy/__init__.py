"""Joules, seconds and square metres of what networks do on chips."""

from ._array import of_array as of_array
from ._break_even import break_even as break_even
from ._conversions import AbstractConversion as AbstractConversion
from ._conversions import FlashADC as FlashADC
from ._conversions import OscillatorADC as OscillatorADC
from ._conversions import RampADC as RampADC
from ._conversions import SurveyADC as SurveyADC
from ._conversions import adc_survey_energy as adc_survey_energy
from ._descent import Descended as Descended
from ._descent import Descent as Descent
from ._descent import Free as Free
from ._descent import Front as Front
from ._descent import PricedChip as PricedChip
from ._descent import descend as descend
from ._digital import digital as digital
from ._events import EventPower as EventPower
from ._events import crossover as crossover
from ._events import loihi_sanafe as loihi_sanafe
from ._events import odin_frenkel2019 as odin_frenkel2019
from ._events import of_counts as of_counts
from ._events import truenorth_merolla2014 as truenorth_merolla2014
from ._joules import joules as joules
from ._judges import Point as Point
from ._judges import judged as judged
from ._layers import COMPONENTS as COMPONENTS
from ._machines import AbstractMachine as AbstractMachine
from ._machines import EventDriven as EventDriven
from ._machines import Processor as Processor
from ._machines import Systolic as Systolic
from ._of import of as of
from ._periphery import Periphery as Periphery
from ._report import Report as Report
from ._report import report as report
from ._sources import NUMBERS as NUMBERS

__all__ = [
    "COMPONENTS",
    "NUMBERS",
    "AbstractConversion",
    "AbstractMachine",
    "Descended",
    "Descent",
    "EventDriven",
    "EventPower",
    "FlashADC",
    "Free",
    "Front",
    "OscillatorADC",
    "Periphery",
    "Point",
    "PricedChip",
    "Processor",
    "RampADC",
    "Report",
    "SurveyADC",
    "Systolic",
    "adc_survey_energy",
    "break_even",
    "crossover",
    "descend",
    "digital",
    "joules",
    "judged",
    "loihi_sanafe",
    "odin_frenkel2019",
    "of",
    "of_array",
    "of_counts",
    "report",
    "truenorth_merolla2014",
]
