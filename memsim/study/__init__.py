"""Robustness studies: one network on many chips at many times, and honest statistics of it."""

from ._attribute import attribute as attribute
from ._chips import check_times as check_times
from ._compare import compare as compare
from ._components import variance_components as variance_components
from ._confusion import confusion as confusion
from ._digits import with_uncertainty as with_uncertainty
from ._distributions import distributions as distributions
from ._executors import checkpoint as checkpoint
from ._executors import using as using
from ._explain import attribution_table as attribution_table
from ._explain import explain as explain
from ._factors import interval_over as interval_over
from ._interval import Interval as Interval
from ._interval import interval as interval
from ._needed import ChipsNeeded as ChipsNeeded
from ._needed import chips_needed as chips_needed
from ._options import check_options as check_options
from ._options import quick as quick
from ._parts import remove_parts as remove_parts
from ._provenance import device_numbers as device_numbers
from ._provenance import git_state as git_state
from ._provenance import provenance as provenance
from ._reliability import reliability as reliability
from ._results import make_folder as make_folder
from ._results import open_result as open_result
from ._results import save_result as save_result
from ._results import save_table as save_table
from ._right import Outcome as Outcome
from ._right import difference as difference
from ._right import outcome as outcome
from ._right import packed as packed
from ._right import right as right
from ._robustness import chip_accuracies as chip_accuracies
from ._robustness import chip_outcomes as chip_outcomes
from ._robustness import robustness as robustness
from ._spans import MEASURED as MEASURED
from ._spans import is_measured as is_measured
from ._statistics import mean_interval as mean_interval
from ._statistics import summary as summary
from ._sweep import sweep as sweep
from ._table import TableOfMeans as TableOfMeans
from ._table import table as table
from ._until import IntervalWidth as IntervalWidth
from ._until import Look as Look
from ._yield import yield_curve as yield_curve

__all__ = [
    "MEASURED",
    "ChipsNeeded",
    "Interval",
    "IntervalWidth",
    "Look",
    "Outcome",
    "TableOfMeans",
    "attribute",
    "attribution_table",
    "check_options",
    "check_times",
    "checkpoint",
    "chip_accuracies",
    "chip_outcomes",
    "chips_needed",
    "compare",
    "confusion",
    "device_numbers",
    "difference",
    "distributions",
    "explain",
    "git_state",
    "interval",
    "interval_over",
    "is_measured",
    "make_folder",
    "mean_interval",
    "open_result",
    "outcome",
    "packed",
    "provenance",
    "quick",
    "reliability",
    "remove_parts",
    "right",
    "robustness",
    "save_result",
    "save_table",
    "summary",
    "sweep",
    "table",
    "using",
    "variance_components",
    "with_uncertainty",
    "yield_curve",
]
