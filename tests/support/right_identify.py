"""Right arguments for the public names of `memsim.identify`: what `test_bad_values.py` spoils one by one."""

from typing import Any

import numpy as np

import device_models as dm
import memsim as ms
from right_parts import KEY

RESULTS = {"Batch", "Estimate", "Factor", "Fit", "Found"}
CIRCUIT = ms.identify.Circuit(dm.Ideal(1e-6, 5e-5), 2, 2)
X, G = 0.2 * np.eye(2), np.array([[1e-5, 4e-5], [2e-5, 3e-5]])


def instances() -> list[Any]:
    """One of each class that has fields."""
    return [CIRCUIT, ms.identify.Experiment(None, "reads.jsonl"), ms.identify.Known(targets=np.ones((2, 2)), age=1.0)]


def calls() -> dict[str, dict[str, Any]]:
    """The functions, with their arguments."""
    return {
        "choose": {"design": CIRCUIT, "number": 2, "key": KEY},
        "identify.identify": {"read": lambda x: x @ G, "design": CIRCUIT, "budget": 2, "key": KEY},
        "infer": {"x": X, "y": X @ G, "design": CIRCUIT},
    }
