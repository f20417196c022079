"""What a part of one's own inherits: a converter, a mapping, wires, a way to write cells, a choice of ranges."""

from ._converters._adc import AbstractADC as AbstractADC
from ._converters._dac import AbstractDAC as AbstractDAC
from ._mapping._mapping import AbstractMapping as AbstractMapping
from ._programming import AbstractProgramming as AbstractProgramming
from ._ranges import AbstractRanges as AbstractRanges
from ._wires import AbstractWires as AbstractWires
