"""How cells go on after they are written: means, spreads, and the path of each."""

from ._growth import Growth as Growth
from ._histories import AbstractHistory as AbstractHistory
from ._histories import FromWrite as FromWrite
from ._histories import LogGrowth as LogGrowth
from ._histories import LogTime as LogTime
from ._histories import Snapshots as Snapshots
from ._histories import Steady as Steady
from ._jumps import Jumps as Jumps
from ._paths import AbstractPath as AbstractPath
from ._paths import Keep as Keep
from ._paths import Redraw as Redraw
from ._paths import Walk as Walk

__all__ = [
    "AbstractHistory",
    "AbstractPath",
    "FromWrite",
    "Growth",
    "Jumps",
    "Keep",
    "LogGrowth",
    "LogTime",
    "Redraw",
    "Snapshots",
    "Steady",
    "Walk",
]
