"""Right arguments for the public names of `memsim.solve`: what `test_bad_values.py` spoils one by one."""

from typing import Any

import jax.numpy as jnp

import device_models as dm
import memsim as ms
from right_parts import KEY

RESULTS = {"Annealed", "Refined", "Walked"}
EXACT = ms.Crossbar(dm.Ideal(), compensation=None)


def instances() -> list[Any]:
    """One of each class that has fields."""
    return [
        ms.solve.ClosedLoop(),
        ms.solve.Cooling(1.0),
        ms.solve.Iterative(),
        ms.solve.LinearOperator(ms.AnalogMatrix.exact(jnp.eye(2)), KEY, 0),
    ]


def calls() -> dict[str, dict[str, Any]]:
    """The functions, with their arguments."""
    cooling = ms.solve.Cooling(1.0)
    couplings, spins = jnp.array([[0.0, 1.0], [1.0, 0.0]]), jnp.array([1.0, -1.0])
    return {
        "anneal": {"couplings": couplings, "crossbar": EXACT, "cooling": cooling, "cycles": 2, "key": KEY},
        "bit_sliced": {"device": dm.Levels(dm.Ideal(), 8)},
        "cut": {"weights": couplings, "spins": spins},
        "solve.energy": {"couplings": couplings, "spins": spins},
        "refine": {"a": jnp.eye(2), "b": jnp.ones(2), "crossbar": EXACT, "steps": 1, "key": KEY},
        "transposed": {"matrix": ms.AnalogMatrix.exact(jnp.eye(2))},
        "walk_sat": {"clauses": jnp.array([[1, 2], [-1, 2]]), "crossbar": EXACT, "flips": 2, "key": KEY},
    }
