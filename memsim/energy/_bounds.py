"""A periphery whose numbers were changed after it was made, or are only known at run time, held against its bounds."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from .._checks import is_known
from ._conversions import MOST_RATE
from ._nodes import MOST_SUPPLY, least_supply
from ._periphery import Periphery

ABOVE_ZERO = float(np.finfo(np.float32).tiny)
BOUNDS = {  # of what may be traced; those of the supply are the node's, too
    "v_dd": (0.0, MOST_SUPPLY),
    "pulse": (ABOVE_ZERO, 1.0),
    "settle": (0.0, 1.0),
    "clock": (ABOVE_ZERO, 1e12),
    "hops": (0.0, np.inf),
    "neuron_bias": (ABOVE_ZERO, 1e-2),
    "leakage": (0.0, np.inf),
    "write_volts": (ABOVE_ZERO, 20.0),
    "write_seconds": (ABOVE_ZERO, 1.0),
}
OF_ADC = {"rate": (ABOVE_ZERO, MOST_RATE), "clock": (ABOVE_ZERO, MOST_RATE), "step": (ABOVE_ZERO, 1.0)}


def judged(around: Periphery) -> Periphery:
    """`around`; raises `ValueError` for a number that cannot be, at run time for one that is only known then."""
    around.__check_init__()
    around.adc.__check_init__()
    supply = {"v_dd": (least_supply(around.node) * (1 - 1e-6), MOST_SUPPLY)}
    adc = _held(around.adc, OF_ADC)
    around = _held(around, BOUNDS | supply)
    return around if adc is around.adc else eqx.tree_at(lambda a: a.adc, around, adc)


def _held(module: Any, bounds: dict[str, tuple[float, float]]) -> Any:
    """`module`, whose traced fields are an error outside their bounds."""
    for name, (least, most) in bounds.items():
        value = getattr(module, name, None)
        if value is None or is_known(value):
            continue
        wrong = ~((value >= least) & (value <= most) & jnp.isfinite(value))
        words = f"`{name}` of the periphery must be from {least:g} to {most:g}, in SI units. Choose it within them."
        module = eqx.tree_at(lambda m, name=name: getattr(m, name), module, eqx.error_if(value, wrong, words))
    return module
