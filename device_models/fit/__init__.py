"""Devices fitted to measurements: each fit returns a device, its parameters with intervals, and how well it fits."""

from ._combine import combine as combine
from ._csv import read_cells as read_cells
from ._csv import read_csv as read_csv
from ._drift import fit_drift as fit_drift
from ._file import load_device as load_device
from ._file import load_provenance as load_provenance
from ._file import save_device as save_device
from ._memristor import fit_memristor as fit_memristor
from ._programming import fit_programming as fit_programming
from ._pulse_response import fit_pulse_response as fit_pulse_response
from ._read_noise import PerConductance as PerConductance
from ._read_noise import fit_read_noise as fit_read_noise
from ._relaxation import fit_relaxation as fit_relaxation
from ._result import Estimate as Estimate
from ._result import Fit as Fit
from ._result import Goodness as Goodness
from ._schema import schema as schema

__all__ = [
    "Estimate",
    "Fit",
    "Goodness",
    "PerConductance",
    "combine",
    "fit_drift",
    "fit_memristor",
    "fit_programming",
    "fit_pulse_response",
    "fit_read_noise",
    "fit_relaxation",
    "load_device",
    "load_provenance",
    "read_cells",
    "read_csv",
    "save_device",
    "schema",
]
