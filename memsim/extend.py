"""What a part of one's own inherits: a converter, a mapping, wires, a way to write cells; and whether a part of any
kind keeps what all of its kind promise.
"""

from device_models._device import ages as ages
from device_models._device import writes as writes
from device_models._promises import Finding as Finding
from device_models._promises import Report as Report
from device_models._promises import check_device as check_device

from ._array import AbstractADC as AbstractADC
from ._array import AbstractDAC as AbstractDAC
from ._array import AbstractMapping as AbstractMapping
from ._array import AbstractProgramming as AbstractProgramming
from ._array import AbstractRanges as AbstractRanges
from ._array import AbstractWires as AbstractWires
from .chips._promises import check_target as check_target
from .nn._promises import check_neuron as check_neuron

__all__ = [
    "AbstractADC",
    "AbstractDAC",
    "AbstractMapping",
    "AbstractProgramming",
    "AbstractRanges",
    "AbstractWires",
    "Finding",
    "Report",
    "ages",
    "check_device",
    "check_neuron",
    "check_target",
    "writes",
]
