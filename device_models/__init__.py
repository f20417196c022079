"""Models of one memory cell: how a write goes, how the cell ages, what a read finds."""

from ._catalogue import DEVICES as DEVICES
from ._catalogue import device as device
from ._curves import AbstractCurve as AbstractCurve
from ._curves import Branches as Branches
from ._curves import ClippedLog as ClippedLog
from ._curves import InversePower as InversePower
from ._curves import Polynomial as Polynomial
from ._device import EFFECTS as EFFECTS
from ._device import AbstractDevice as AbstractDevice
from ._cells._ideal import Ideal as Ideal
from ._iv import AbstractIV as AbstractIV
from ._iv import Cubic as Cubic
from ._iv import MiloPolynomial as MiloPolynomial
from ._iv import Ohmic as Ohmic
from ._iv import Sinh as Sinh
from ._wrappers._levels import Levels as Levels
from ._cells._pcm import PCM as PCM
from ._cells._pcm import PCMCells as PCMCells
from ._cells._pcm_sets import pcm_hermes1 as pcm_hermes1
from ._cells._pcm_sets import pcm_hermes2 as pcm_hermes2
from ._cells._pcm_sets import pcm_joshi2020 as pcm_joshi2020
from ._sourced import Sourced as Sourced
from ._sourced import describe as describe
from ._wrappers._stuck import StuckCells as StuckCells
from ._wrappers._write_verify import VerifiedCells as VerifiedCells
from ._wrappers._write_verify import WriteVerify as WriteVerify
