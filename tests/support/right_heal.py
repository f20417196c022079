"""Right arguments for the public names of `memsim.heal`: what `test_bad_values.py` spoils one by one."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import xarray as xr

import device_models as dm
import memsim as ms
from right_parts import KEY, LABELS, XS, network

RESULTS = {"Beside", "Case", "InTheLoop", "Known", "Layer", "Mended", "Repair", "Spent"}


def instances() -> list[Any]:
    """One of each class that has fields."""
    return [
        ms.heal.Adapters(),
        ms.heal.Budget(),
        ms.heal.LastLayer(),
        ms.heal.LineGains(),
        ms.heal.Renormalise(),
        ms.heal.Rewrite(),
    ]


def calls() -> dict[str, dict[str, Any]]:
    """The functions, with their arguments."""
    crossbar = ms.Crossbar(dm.Ideal(), reads=ms.Reads("off"))
    sets = ms.data.Dataset(XS, LABELS)
    compared = {"model": network(), "data": ms.data.Splits(sets, sets, sets), "crossbar": crossbar}
    return {
        "beside": {"now": ms.deploy(network(), crossbar, 0.0, key=KEY), "added": {}},
        "heal.compare": compared
        | {"remedies": {"gains": ms.heal.LineGains(4)}, "chips": 1, "time": 0.0, "later": (1.0,), "key": KEY},
        "heal.lost": {"result": losses(), "by": "loss"},
        "heal.regained": {"result": losses(), "by": "loss"},
        "in_the_loop": {"hardware": jnp.sin, "model": network()},
    }


def losses() -> xr.Dataset:
    """Of four recordings on three chips."""
    each = {"digital_loss": 0.1, "before_loss": 0.5, "loss": 0.2}
    ones = xr.DataArray(np.ones((3, 4)), dims=["chip", "recording"])
    return xr.Dataset({name: loss * ones for name, loss in each.items()})
