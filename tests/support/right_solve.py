"""Right arguments for public names of `memsim.solve` and of equilibrium propagation, to be spoiled one by one."""

from typing import Any

import jax.numpy as jnp

import device_models as dm
import memsim as ms
from right_parts import KEY

RESULTS = {"Annealed", "Nudge", "Phase", "Refined", "Walked"}
MEMRISTOR = dm.memristors.mms_molter2016()
EXACT = ms.Crossbar(dm.Ideal(), compensation=None)


def instances() -> list[Any]:
    """One of each class that has fields."""
    return [
        ms.solve.ClosedLoop(),
        ms.solve.Cooling(1.0),
        ms.solve.Iterative(),
        ms.insitu.ResistiveNetwork(MEMRISTOR),
        ms.solve.LinearOperator(ms.AnalogMatrix.exact(jnp.eye(2)), KEY, 0),
    ]


def calls() -> dict[str, dict[str, Any]]:
    """The functions, with their arguments."""
    cooling = ms.solve.Cooling(1.0)
    couplings, spins = jnp.array([[0.0, 1.0], [1.0, 0.0]]), jnp.array([1.0, -1.0])
    states = (jnp.full((4, 2), 0.5), jnp.full((2, 2), 0.4))
    learning = {"network": ms.insitu.ResistiveNetwork(MEMRISTOR), "states": states}
    learning |= {"x": jnp.array([0.1]), "target": jnp.array([0.05])}
    return {
        "classes": {"outputs": jnp.ones(4)},
        "equilibrium_gradient": learning | {"beta": 1e-6},
        "exact_gradient": learning,
        "pulse_states": {"cells": MEMRISTOR, "states": jnp.full(2, 0.5), "change": jnp.full(2, 0.1), "voltage": 0.6},
        "anneal": {"couplings": couplings, "crossbar": EXACT, "cooling": cooling, "cycles": 2, "key": KEY},
        "bit_sliced": {"device": dm.Levels(dm.Ideal(), 8)},
        "cut": {"weights": couplings, "spins": spins},
        "solve.energy": {"couplings": couplings, "spins": spins},
        "refine": {"a": jnp.eye(2), "b": jnp.ones(2), "crossbar": EXACT, "steps": 1, "key": KEY},
        "transposed": {"matrix": ms.AnalogMatrix.exact(jnp.eye(2))},
        "walk_sat": {"clauses": jnp.array([[1, 2], [-1, 2]]), "crossbar": EXACT, "flips": 2, "key": KEY},
    }
