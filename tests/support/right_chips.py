"""Right arguments for the public names of `memsim.chips`: what `test_bad_values.py` spoils one by one."""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

import memsim as ms
from right_parts import KEY, LABELS, network

GOLDEN = Path(__file__).parents[1] / "data" / "chips" / "loihi_lava_typ_0.npz"
RESULTS = {
    "Conventions",
    "Counts",
    "Family",
    "Judgement",
    "Placed",
    "PlacedPopulations",
    "PlacedRates",
    "Problem",
    "Quantised",
    "XyloSpecification",
}


def instances() -> list[Any]:
    """One of each chip, and what trains through one."""
    chips = [make() for make in ms.chips.TARGETS.values()]
    return [*chips, ms.chips.Population(20), ms.train.OnChip(ms.chips.loihi1())]


def calls() -> dict[str, dict[str, Any]]:
    """The functions, with their arguments."""
    one = jnp.ones((3, 3))
    floats = [jnp.ones((3, 3, 1)), jnp.ones((3, 3, 1)), one, *[jnp.ones(3)] * 7]
    given = {"given": ms.chips.XyloSpecification(*floats)}
    spikes = (jnp.asarray(np.eye(3)[None].repeat(2, 0), jnp.float32), LABELS)
    return {
        "chips.check": {"file": GOLDEN},
        "chips.compare": {
            "network": network(),
            "data": spikes,
            "key": KEY,
            "calibration": spikes[0],
            "targets": ["loihi1"],
            "crossbars": {},
        },
        "chips.target": {"name": "loihi1"},
        "xylo_clock": {"worst": 1e5, "dt": 1e-3},
        "xylo_cycles": {"inputs": 16, "hidden": 63, "outputs": 8, "fan_out": 20.0},
        **dict.fromkeys(("xylo_global_quantize", "xylo_channel_quantize"), given),
    }
