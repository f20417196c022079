"""Cells that are moved by pulses, as arrays that learn are made of."""

from ._array import PulsedArray as PulsedArray
from ._coincidence import AbstractScaling as AbstractScaling
from ._coincidence import BalancedScaling as BalancedScaling
from ._coincidence import EqualScaling as EqualScaling
from ._coincidence import ShortestTrains as ShortestTrains
from ._coincidence import coincidences as coincidences
from ._curved import ExpStep as ExpStep
from ._curved import PiecewiseStep as PiecewiseStep
from ._curved import PowStep as PowStep
from ._linear import ConstantStep as ConstantStep
from ._linear import LinearStep as LinearStep
from ._linear import SoftBounds as SoftBounds
from ._linear import SoftBoundsReference as SoftBoundsReference
from ._linear import soft_bounds_pmax as soft_bounds_pmax
from ._neurosim import neurosim as neurosim
from ._noise import AbsoluteNoise as AbsoluteNoise
from ._noise import AbstractPulseNoise as AbstractPulseNoise
from ._noise import AdditiveNoise as AdditiveNoise
from ._noise import ComplexNoise as ComplexNoise
from ._noise import MultiplicativeNoise as MultiplicativeNoise
from ._one_sided import OneSidedPair as OneSidedPair
from ._parts import AbstractSpread as AbstractSpread
from ._parts import Bounds as Bounds
from ._parts import Corrupt as Corrupt
from ._parts import Leak as Leak
from ._parts import LogNormalSpread as LogNormalSpread
from ._parts import NormalSpread as NormalSpread
from ._parts import Reset as Reset
from ._parts import Steps as Steps
from ._parts import Upkeep as Upkeep
from ._presets import capacitor_li2018 as capacitor_li2018
from ._presets import ecram_mo_kim2019 as ecram_mo_kim2019
from ._presets import ecram_tang2018 as ecram_tang2018
from ._presets import gokmen2016 as gokmen2016
from ._presets import idealized as idealized
from ._presets import pcm_onesided_nandakumar2020 as pcm_onesided_nandakumar2020
from ._presets import reram_array_hfo2_gong2022 as reram_array_hfo2_gong2022
from ._presets import reram_array_om_gong2022 as reram_array_om_gong2022
from ._presets import reram_es_gong2018 as reram_es_gong2018
from ._presets import reram_sb_gong2018 as reram_sb_gong2018
from ._pulsed import AbstractPulsed as AbstractPulsed
from ._pulsed import PulsedCells as PulsedCells
from ._table import PULSED as PULSED
from ._table import PulsedEntry as PulsedEntry
from ._table import pulsed as pulsed

__all__ = [
    "PULSED",
    "AbsoluteNoise",
    "AbstractPulseNoise",
    "AbstractPulsed",
    "AbstractScaling",
    "AbstractSpread",
    "AdditiveNoise",
    "BalancedScaling",
    "Bounds",
    "ComplexNoise",
    "ConstantStep",
    "Corrupt",
    "EqualScaling",
    "ExpStep",
    "Leak",
    "LinearStep",
    "LogNormalSpread",
    "MultiplicativeNoise",
    "NormalSpread",
    "OneSidedPair",
    "PiecewiseStep",
    "PowStep",
    "PulsedArray",
    "PulsedCells",
    "PulsedEntry",
    "Reset",
    "ShortestTrains",
    "SoftBounds",
    "SoftBoundsReference",
    "Steps",
    "Upkeep",
    "capacitor_li2018",
    "coincidences",
    "ecram_mo_kim2019",
    "ecram_tang2018",
    "gokmen2016",
    "idealized",
    "neurosim",
    "pcm_onesided_nandakumar2020",
    "pulsed",
    "reram_array_hfo2_gong2022",
    "reram_array_om_gong2022",
    "reram_es_gong2018",
    "reram_sb_gong2018",
    "soft_bounds_pmax",
]
