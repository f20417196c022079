"""Robustness studies: one network on many chips at many times, and honest statistics of it."""

from ._attribute import attribute as attribute
from ._explain import attribution_table as attribution_table
from ._explain import explain as explain
from ._parts import parts_folder as parts_folder
from ._parts import run_parts as run_parts
from ._provenance import device_numbers as device_numbers
from ._provenance import git_state as git_state
from ._provenance import provenance as provenance
from ._results import make_folder as make_folder
from ._results import open_result as open_result
from ._results import save_result as save_result
from ._robustness import check_times as check_times
from ._robustness import chip_accuracies as chip_accuracies
from ._robustness import robustness as robustness
from ._statistics import Interval as Interval
from ._statistics import mean_interval as mean_interval
from ._statistics import summary as summary
from ._timing import Case as Case
from ._timing import measured as measured
from ._timing import ratio as ratio
from ._timing import seconds as seconds
from ._timing import together as together
from ._workload import recurrent_network as recurrent_network
