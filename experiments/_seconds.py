"""What a network takes for a second of its signal, on one machine."""

from typing import Any

import numpy as np
from jaxtyping import Array, Float, Key

import memsim as ms
from _placed import ARRAYS, CHIPS, PRICED, design_of

LABELS = {
    "joules": ("J", "energy of a second"),
    "static": ("J", "of that, what a chip takes while it waits"),
    "latency": ("s", "from the inputs of a step to its output"),
}


def of_a_second(
    machine: str,
    model: Any,
    known: Float[np.ndarray, "n steps channels"],
    xs: Float[Array, "n steps channels"],
    dt: float,
    *,
    key: Key[Array, ""],
) -> dict[str, float]:
    """Joules of a second, those of waiting among them, and seconds from the inputs of a step to its output.

    **Arguments:**

    - `machine`: An array or a chip of `_placed`, whose converters take their ranges from `known` inputs; anything else
      is an event-driven digital core.
    - `xs`: Seconds of the signal, in steps of `dt` seconds; the mean of them is what is told.

    A chip without published prices has NaN, and the latency of a digital core is not known.
    """
    if machine in CHIPS:
        placed = ms.chips.target(CHIPS[machine]).placed(model)
        parts = [ms.energy.of_counts(placed, placed(x)[1], dt) for x in xs] if CHIPS[machine] in PRICED else []
        joules = float(np.mean([sum(map(float, each.values())) for each in parts])) if parts else np.nan
        static = float(parts[0]["static"]) if parts else np.nan
        return {"joules": joules, "static": static, "latency": (1 + placed.delay) * dt}
    if machine not in ARRAYS:
        cost = ms.energy.digital(model, xs, machine=ms.energy.EventDriven())
        return {"joules": float(cost.joules.sum()) / len(xs), "static": 0.0, "latency": np.nan}
    cost = ms.energy.of(ms.program(model, ms.calibrate(model, known, design_of(machine)), key=key), xs, key=key)
    joules, latency = float(cost.joules.sum()) / len(xs), float(cost.latency.mean()) / xs.shape[1]
    return {"joules": joules, "static": 0.0, "latency": latency}
