"""Digital and mixed-signal systems as targets, in their own arithmetic."""

from ._compare import compare as compare
from ._counts import Counts as Counts
from ._fit import Fit as Fit
from ._fit import Problem as Problem
from ._golden import FAMILIES as FAMILIES
from ._golden import Family as Family
from ._golden import Judgement as Judgement
from ._golden import check as check
from ._list import TARGETS as TARGETS
from ._list import target as target
from ._loihi._target import Loihi1 as Loihi1
from ._loihi._target import Loihi2 as Loihi2
from ._loihi._target import loihi1 as loihi1
from ._loihi._target import loihi2 as loihi2
from ._placed import Placed as Placed
from ._quantised import Quantised as Quantised
from ._target import AbstractTarget as AbstractTarget
from ._target import Conventions as Conventions
