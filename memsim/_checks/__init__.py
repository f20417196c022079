"""The one place where what users hand over is judged; the rules are those of `device_models._checks`."""

from device_models._checks import Checked as Checked
from device_models._checks import Must as Must
from device_models._checks import at_least as at_least
from device_models._checks import between as between
from device_models._checks import check as check
from device_models._checks import checked as checked
from device_models._checks import described as described
from device_models._checks import each as each
from device_models._checks import finite as finite
from device_models._checks import fraction as fraction
from device_models._checks import is_known as is_known
from device_models._checks import is_zero as is_zero
from device_models._checks import judge as judge
from device_models._checks import not_nan as not_nan
from device_models._checks import numbers as numbers
from device_models._checks import plain as plain
from device_models._checks import positive as positive
from device_models._checks import that as that
from device_models._checks import whole as whole
from device_models._checks import write as write
from device_models._checks._names import did_you_mean as did_you_mean
from device_models._checks._names import nearest as nearest

from ._arguments import LONGEST_TIME as LONGEST_TIME
from ._arguments import TIME as TIME
from ._arguments import Inputs as Inputs
from ._arguments import Weights as Weights
from ._arguments import as_conductances as as_conductances
from ._arguments import as_data as as_data
from ._arguments import as_inputs as as_inputs
from ._arguments import as_numbers as as_numbers
from ._arguments import as_time as as_time
from ._arguments import as_weights as as_weights
from ._arguments import check_key as check_key
from ._arguments import check_optional_key as check_optional_key
from ._arguments import check_time as check_time
from ._finite import check_finite as check_finite
from ._finite import check_finite_model as check_finite_model
from ._inputs import as_floats as as_floats

__all__ = [
    "LONGEST_TIME",
    "TIME",
    "Checked",
    "Inputs",
    "Must",
    "Weights",
    "as_conductances",
    "as_data",
    "as_floats",
    "as_inputs",
    "as_numbers",
    "as_time",
    "as_weights",
    "at_least",
    "between",
    "check",
    "check_finite",
    "check_finite_model",
    "check_key",
    "check_optional_key",
    "check_time",
    "checked",
    "described",
    "did_you_mean",
    "each",
    "finite",
    "fraction",
    "is_known",
    "is_zero",
    "judge",
    "nearest",
    "not_nan",
    "numbers",
    "plain",
    "positive",
    "that",
    "whole",
    "write",
]
