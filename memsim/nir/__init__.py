"""Exchange with other libraries by the Neuromorphic Intermediate Representation."""

from ._dialect import DIALECTS as DIALECTS
from ._dialect import Dialect as Dialect
from ._export import to_nir as to_nir
from ._file import write as write
from ._guess import Guess as Guess
from ._guess import guess as guess
from ._import import from_nir as from_nir

__all__ = [
    "DIALECTS",
    "Dialect",
    "Guess",
    "from_nir",
    "guess",
    "to_nir",
    "write",
]
