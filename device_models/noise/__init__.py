"""Read noise as a process in time."""

from ._flicker import Flicker as Flicker
from ._mixture import Mixture as Mixture
from ._process import AbstractNoise as AbstractNoise
from ._spectrum import OneOverF as OneOverF
from ._telegraph import Telegraph as Telegraph
from ._telegraph import Traps as Traps
from ._white import White as White

__all__ = [
    "AbstractNoise",
    "Flicker",
    "Mixture",
    "OneOverF",
    "Telegraph",
    "Traps",
    "White",
]
