"""Digital and mixed-signal systems as targets, in their own arithmetic."""

from ._akida._target import Akida as Akida
from ._akida._target import akida as akida
from ._brainscales2._target import BrainScaleS2 as BrainScaleS2
from ._brainscales2._target import brainscales2 as brainscales2
from ._brainscales2._vmm import BrainScaleS2VMM as BrainScaleS2VMM
from ._brainscales2._vmm import brainscales2_vmm as brainscales2_vmm
from ._compare import compare as compare
from ._dynapse2._target import DYNAPSE2 as DYNAPSE2
from ._dynapse2._target import dynapse2 as dynapse2
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
from ._loihi._values import Loihi2SigmaDelta as Loihi2SigmaDelta
from ._loihi._values import loihi2_sigma_delta as loihi2_sigma_delta
from ._network._fit import Fit as Fit
from ._network._fit import Problem as Problem
from ._neurogrid._placed import PlacedPopulations as PlacedPopulations
from ._neurogrid._population import Population as Population
from ._neurogrid._target import Neurogrid as Neurogrid
from ._neurogrid._target import neurogrid as neurogrid
from ._placing._chip import AbstractChip as AbstractChip
from ._placing._placed import Placed as Placed
from ._placing._target import AbstractTarget as AbstractTarget
from ._placing._target import Conventions as Conventions
from ._rates._placed import PlacedRates as PlacedRates
from ._rates._target import AbstractRateTarget as AbstractRateTarget
from ._speck._target import Speck as Speck
from ._speck._target import speck as speck
from ._spinnaker._second import SpiNNaker2 as SpiNNaker2
from ._spinnaker._second import spinnaker2 as spinnaker2
from ._spinnaker._target import SpiNNaker1 as SpiNNaker1
from ._spinnaker._target import spinnaker1 as spinnaker1
from ._sums._counts import Counts as Counts
from ._sums._quantised import Quantised as Quantised
from ._truenorth._target import TrueNorth as TrueNorth
from ._truenorth._target import truenorth as truenorth
from ._xylo._cycles import xylo_clock as xylo_clock
from ._xylo._cycles import xylo_cycles as xylo_cycles
from ._xylo._rockpool import XyloSpecification as XyloSpecification
from ._xylo._rockpool import xylo_channel_quantize as xylo_channel_quantize
from ._xylo._rockpool import xylo_global_quantize as xylo_global_quantize
from ._xylo._target import Xylo as Xylo
from ._xylo._target import xylo_audio1 as xylo_audio1
from ._xylo._target import xylo_audio2 as xylo_audio2
from ._xylo._target import xylo_audio3 as xylo_audio3
from ._xylo._target import xylo_imu as xylo_imu

__all__ = [
    "DYNAPSE2",
    "FAMILIES",
    "TARGETS",
    "AbstractChip",
    "AbstractRateTarget",
    "AbstractTarget",
    "Akida",
    "BrainScaleS2",
    "BrainScaleS2VMM",
    "Conventions",
    "Counts",
    "Family",
    "Fit",
    "Judgement",
    "Loihi1",
    "Loihi2",
    "Loihi2SigmaDelta",
    "Neurogrid",
    "Placed",
    "PlacedPopulations",
    "PlacedRates",
    "Population",
    "Problem",
    "Quantised",
    "Speck",
    "SpiNNaker1",
    "SpiNNaker2",
    "TrueNorth",
    "Xylo",
    "XyloSpecification",
    "akida",
    "brainscales2",
    "brainscales2_vmm",
    "check",
    "compare",
    "dynapse2",
    "loihi1",
    "loihi2",
    "loihi2_sigma_delta",
    "neurogrid",
    "speck",
    "spinnaker1",
    "spinnaker2",
    "target",
    "truenorth",
    "xylo_audio1",
    "xylo_audio2",
    "xylo_audio3",
    "xylo_channel_quantize",
    "xylo_clock",
    "xylo_cycles",
    "xylo_global_quantize",
    "xylo_imu",
]
