"""Joules, seconds and square metres of what networks do on chips."""

from ._array import of_array as of_array
from ._conversions import AbstractConversion as AbstractConversion
from ._conversions import FlashADC as FlashADC
from ._conversions import RampADC as RampADC
from ._conversions import SurveyADC as SurveyADC
from ._conversions import adc_survey_energy as adc_survey_energy
from ._joules import joules as joules
from ._layers import COMPONENTS as COMPONENTS
from ._of import of as of
from ._periphery import Periphery as Periphery
