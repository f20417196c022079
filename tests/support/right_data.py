"""Right arguments for recordings of hearts and people: what `test_bad_values.py` spoils one by one."""

from typing import Any

import numpy as np

import memsim as ms
from right_parts import KEY

RESULTS: set[str] = set()


def instances() -> list[Any]:
    """One of each class that has fields."""
    return [ms.data.Electrocardiogram(np.zeros((720, 2)), 360.0, np.array([360, 500]), np.array([0, 2]), "somebody")]


def calls() -> dict[str, dict[str, Any]]:
    """The functions, with their arguments."""
    return {
        "synthetic_ecg": {"patients": 1, "seconds": 10.0, "key": KEY},
        "ecg_beats": {"recordings": instances()},
        "mitbih": {"folder": "records", "records": ["100"]},
    }
