"""Compact models of memristors: currents and states under any voltage."""

from ._data_driven import DataDriven2017 as DataDriven2017
from ._data_driven import DataDriven2021 as DataDriven2021
from ._data_driven import data_driven2017 as data_driven2017
from ._data_driven import data_driven2021 as data_driven2021
from ._interval import AbstractInterval as AbstractInterval
from ._interval import Asymptotes as Asymptotes
from ._interval import Walls as Walls
from ._jart import JART as JART
from ._jart import jart_bengel2020 as jart_bengel2020
from ._linear_ion_drift import LinearIonDrift as LinearIonDrift
from ._linear_ion_drift import hp_biolek2009 as hp_biolek2009
from ._linear_ion_drift import hp_joglekar2009 as hp_joglekar2009
from ._linear_ion_drift import hp_strukov2008 as hp_strukov2008
from ._memristor import AbstractMemristor as AbstractMemristor
from ._michigan import Michigan as Michigan
from ._michigan import michigan_chang2011 as michigan_chang2011
from ._mms import MMS as MMS
from ._mms import mms_molter2016 as mms_molter2016
from ._simulate import Trace as Trace
from ._simulate import simulate as simulate
from ._stanford_pku import StanfordPKU as StanfordPKU
from ._stanford_pku import stanford_jiang2016 as stanford_jiang2016
from ._steps import AbstractSteps as AbstractSteps
from ._steps import AdaptiveSteps as AdaptiveSteps
from ._steps import FixedSteps as FixedSteps
from ._table import MEMRISTORS as MEMRISTORS
from ._table import MemristorEntry as MemristorEntry
from ._table import memristor as memristor
from ._vteam import VTEAM as VTEAM
from ._vteam import vteam_kvatinsky2015 as vteam_kvatinsky2015
from ._windows import AbstractWindow as AbstractWindow
from ._windows import Biolek as Biolek
from ._windows import Joglekar as Joglekar
from ._windows import NoWindow as NoWindow
from ._windows import Prodromakis as Prodromakis
from ._yakopcic import Yakopcic as Yakopcic
from ._yakopcic import yakopcic2011 as yakopcic2011

__all__ = [
    "JART",
    "MEMRISTORS",
    "MMS",
    "VTEAM",
    "AbstractInterval",
    "AbstractMemristor",
    "AbstractSteps",
    "AbstractWindow",
    "AdaptiveSteps",
    "Asymptotes",
    "Biolek",
    "DataDriven2017",
    "DataDriven2021",
    "FixedSteps",
    "Joglekar",
    "LinearIonDrift",
    "MemristorEntry",
    "Michigan",
    "NoWindow",
    "Prodromakis",
    "StanfordPKU",
    "Trace",
    "Walls",
    "Yakopcic",
    "data_driven2017",
    "data_driven2021",
    "hp_biolek2009",
    "hp_joglekar2009",
    "hp_strukov2008",
    "jart_bengel2020",
    "memristor",
    "michigan_chang2011",
    "mms_molter2016",
    "simulate",
    "stanford_jiang2016",
    "vteam_kvatinsky2015",
    "yakopcic2011",
]
