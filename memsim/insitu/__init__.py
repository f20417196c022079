"""Training in the array: gradients that move weights by pulses, as optax transformations."""

from ._agad import Chopper as Chopper
from ._agad import agad as agad
from ._aged import aged as aged
from ._cells import Trains as Trains
from ._eapu import eapu as eapu
from ._equilibrium import equilibrium_gradient as equilibrium_gradient
from ._equilibrium import exact_gradient as exact_gradient
from ._equilibrium import pulse_states as pulse_states
from ._outer import OuterProduct as OuterProduct
from ._outer import value_and_outer as value_and_outer
from ._periphery import Periphery as Periphery
from ._resistive import Nudge as Nudge
from ._resistive import Phase as Phase
from ._resistive import ResistiveNetwork as ResistiveNetwork
from ._resistive import classes as classes
from ._sgd import analog_sgd as analog_sgd
from ._sgd import mixed_precision as mixed_precision
from ._tiki_taka import Fast as Fast
from ._tiki_taka import tiki_taka as tiki_taka
from ._tiki_taka import tiki_taka_v2 as tiki_taka_v2
from ._transfer import Buffer as Buffer
from ._transfer import Transfer as Transfer
from ._transform import InSituState as InSituState

__all__ = [
    "Buffer",
    "Chopper",
    "Fast",
    "InSituState",
    "Nudge",
    "OuterProduct",
    "Periphery",
    "Phase",
    "ResistiveNetwork",
    "Trains",
    "Transfer",
    "agad",
    "aged",
    "analog_sgd",
    "classes",
    "eapu",
    "equilibrium_gradient",
    "exact_gradient",
    "mixed_precision",
    "pulse_states",
    "tiki_taka",
    "tiki_taka_v2",
    "value_and_outer",
]
