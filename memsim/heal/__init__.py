"""Chips mended from their own reads: what each way gains, and what it takes."""

from ._adapters import Adapters as Adapters
from ._beside import Beside as Beside
from ._beside import beside as beside
from ._compare import compare as compare
from ._in_the_loop import InTheLoop as InTheLoop
from ._in_the_loop import in_the_loop as in_the_loop
from ._last_layer import LastLayer as LastLayer
from ._line_gains import LineGains as LineGains
from ._regained import lost as lost
from ._regained import regained as regained
from ._remedy import AbstractRemedy as AbstractRemedy
from ._remedy import Case as Case
from ._remedy import Mended as Mended
from ._remedy import Repair as Repair
from ._renormalise import Renormalise as Renormalise
from ._rewrite import Rewrite as Rewrite
from ._spent import Budget as Budget
from ._spent import Known as Known
from ._spent import Layer as Layer
from ._spent import Spent as Spent

__all__ = [
    "AbstractRemedy",
    "Adapters",
    "Beside",
    "Budget",
    "Case",
    "InTheLoop",
    "Known",
    "LastLayer",
    "Layer",
    "LineGains",
    "Mended",
    "Renormalise",
    "Repair",
    "Rewrite",
    "Spent",
    "beside",
    "compare",
    "in_the_loop",
    "lost",
    "regained",
]
