"""HDF5 recordings of Prophesee's software (.h5, .hdf5): one table of events."""

from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from .._hdf5 import opened

TABLE = "CD/events"


def read_metavision(file: Path) -> Shaped[np.ndarray, " events"]:
    """The table of events of one file, with fields x, y, p and t in microseconds.

    Raises `ValueError` for a file without it or with it elsewhere, and where it is packed by a codec that is missing.
    """
    with opened(file, f"an HDF5 file with a table {TABLE}", "SHD and SSC are read with `SpikeFile`.") as inside:
        table = inside[TABLE]
        missing = [name for name in ("t", "x", "y", "p") if name not in (table.dtype.names or ())]
        if missing or table.ndim != 1:
            raise ValueError(f"{TABLE} must be one column of t, x, y and p. Got {table.dtype} of shape {table.shape}")
        return table[()]
