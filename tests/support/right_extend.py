"""Right arguments for the public names of `memsim.extend`: what `test_bad_values.py` spoils one by one."""

from typing import Any

import device_models as dm
import memsim as ms

RESULTS = {"Finding", "Report", "ages", "writes"}  # the last two decorate methods of a class


def instances() -> list[Any]:
    """None: its classes are results."""
    return []


def calls() -> dict[str, dict[str, Any]]:
    """The functions, with their arguments."""
    return {
        "check_device": {"device": dm.Ideal(), "promises": ["sources"]},
        "check_neuron": {"make": ms.nn.LIF, "promises": ["another shape"]},
        "check_target": {"chip": ms.chips.loihi1(), "promises": ["described"]},
    }
