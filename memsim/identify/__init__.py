"""What an array is, from its own reads."""

from ._choose import choose as choose
from ._circuit import Circuit as Circuit
from ._experiment import Batch as Batch
from ._experiment import Experiment as Experiment
from ._found import Estimate as Estimate
from ._found import Factor as Factor
from ._found import Fit as Fit
from ._found import Found as Found
from ._identify import identify as identify
from ._infer import infer as infer
from ._known import Known as Known

__all__ = [
    "Batch",
    "Circuit",
    "Estimate",
    "Experiment",
    "Factor",
    "Fit",
    "Found",
    "Known",
    "choose",
    "identify",
    "infer",
]
