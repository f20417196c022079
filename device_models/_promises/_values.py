"""Numbers: where they lie, what they are near to, what is refused, and where they are from."""

import re
from typing import Any

import jax.numpy as jnp
import jax.random as jr
import numpy as np

from .._device import EFFECTS, AbstractDevice
from .._span import Span
from ..iv._iv import Ohmic
from ._probed import CELLS, LEVELS, STANDARD_ERRORS, TIMES, Probed
from ._report import Promise, Unasked

MOST_OFF, MOST_SPREAD = 0.06, 0.12  # of the range: cells clipped at zero and stuck ones; HERMES spreads by 0.10


def _in_range(probed: Probed) -> str | None:
    for x, what in zip(probed.population, ("conductance", "read noise"), strict=True):
        wrong = ~np.isfinite(x) | (x < 0)
        if wrong.any():
            place = tuple(np.argwhere(wrong)[0])
            return f"a {what} of {x[place]:.3g} S at {TIMES[place[0]]:g} s, in {wrong.mean():.1%} of all"
    return None


def _ordered(probed: Probed) -> str | None:
    g = probed.population[0]
    step, error = np.diff(g.mean(1)), np.sqrt(g.var(1)[:, 1:] + g.var(1)[:, :-1]) / np.sqrt(CELLS)
    for time, place in np.argwhere(step <= -STANDARD_ERRORS * error):
        return f"a mean that falls by {-step[time, place]:.2g} S at {TIMES[time]:g} s, from level {place} of {LEVELS}"
    if not np.all(g.mean(1)[:, -1] > g.mean(1)[:, 0]):
        return "a mean at `g_max` that is not above that at `g_min`"
    return None


def _near(probed: Probed) -> str | None:
    device, start = probed.device, probed.population[0][0]
    ends = [0, -1] if device.levels is not None else range(LEVELS)
    off = (start.mean(0) - np.linspace(device.g_min, device.g_max, LEVELS)) / device.g_max
    if np.any(np.abs(off)[ends] >= MOST_OFF):
        return f"means that are off by {np.max(np.abs(off)[ends]):.1%} of `g_max`, {MOST_OFF:.0%} is the most"
    spread = start.std(0) / device.g_max
    if np.any(spread >= MOST_SPREAD) and "stuck cells" not in device.effects:
        return f"cells that spread by {spread.max():.1%} of `g_max`, {MOST_SPREAD:.0%} is the most"
    return None


def _not_a_number(probed: Probed) -> str | None:
    device, nan = probed.device, jnp.full(3, jnp.nan)
    right = device.program(jnp.full(3, probed.middle), key=jr.key(0))
    for what, found in (
        ("target", lambda: device.conductance(device.program(nan, key=jr.key(0)), jnp.asarray(1.0))),
        ("time", lambda: device.conductance(right, jnp.asarray(jnp.nan))),
    ):
        try:
            g = np.asarray(found())
        except (ValueError, TypeError):
            continue
        if not np.isnan(g).all():
            return f"a conductance of {np.nanmax(g):.3g} S for a {what} that is NaN"
    return None


def _current(probed: Probed) -> str | None:
    device = probed.device
    g, v = jnp.full(5, probed.middle), jnp.linspace(-0.2, 0.2, 5)
    i = np.asarray(device.current(g, v))
    if i.shape != (5,) or not np.isfinite(i).all():
        return f"currents {i} for 5 cells between -0.2 and 0.2 V"
    if np.any(np.diff(i) <= 0):
        return "a current that does not grow with the voltage"
    if isinstance(device.iv, Ohmic) and not np.allclose(i, g * v, rtol=1e-6, atol=0):
        return f"{i[-1]:.3g} A at 0.2 V and {float(g[0]):.3g} S of a cell whose `iv` is ohmic"
    return None


def _held(probed: Probed) -> str | None:
    device = probed.device
    if _root(device, "holding"):
        raise Unasked("It has no `holding`: no chip is made of measured conductances of it.")
    g = jnp.linspace(device.g_min, device.g_max, 40)[None, :, None] * jnp.asarray([1.0, 0.9]).reshape(1, 1, 2)
    g = jnp.maximum(g, device.g_min)
    try:
        cells = device.holding(g, key=jr.key(0))
    except ValueError as error:
        raise Unasked(f"Its cells cannot be held: {error}") from error
    found = np.asarray(device.conductance(cells, jnp.zeros(())))
    off = np.max(np.abs(found - np.asarray(g)) - 3e-7 * np.asarray(g))
    return None if off <= 3e-7 * device.g_max else f"a conductance at time 0 that is off by {off:.2g} S"


def _described(probed: Probed) -> str | None:
    device = probed.device
    if not isinstance(device.span, Span):
        return f"a `span` that is {device.span!r}, no `Span`"
    if device.levels is not None and not (isinstance(device.levels, int) and device.levels >= 2):
        return f"`levels` {device.levels!r}, neither None nor a whole number from 2"
    for name in ("assumes", "effects"):
        value = getattr(device, name)
        if not (isinstance(value, tuple) and all(isinstance(each, str) for each in value)):
            return f"`{name}` {value!r}, no tuple of texts"
    return None


def _sourced(probed: Probed) -> str | None:
    device = probed.device
    sources: Any = device.sources
    if not isinstance(sources, tuple) or not all(isinstance(line, str) for line in sources):
        return f"`sources` {sources!r}, no tuple of texts"
    if not sources and set(device.effects) <= {"I-V"} and not probed.is_random:
        return None  # nothing of it was measured
    if not sources:
        return "no `sources`"
    silent = [line for line in sources if not re.search(r"\(.+\)", line)]
    return f"{silent[0]!r}, which names no place in brackets" if silent else None


def _root(device: AbstractDevice, method: str) -> bool:
    """Whether a method is still the one of `AbstractDevice`."""
    return getattr(type(device), method) is getattr(AbstractDevice, method)


VALUE_PROMISES = {
    "in range": Promise(
        "Conductances and read noise are finite and never negative, from time 0 to ten years.",
        _in_range,
        "Clip conductances at zero where they are made.",
    ),
    "in order": Promise(
        "A higher target is a higher conductance on average, at every age.",
        _ordered,
        "Look at the level and age named; is a sign or a unit wrong?",
    ),
    "near its target": Promise(
        "Written cells lie about their targets.",
        _near,
        "Write towards the target in siemens; what a read would correct belongs to compensation.",
    ),
    "not a number": Promise(
        "A target or a time that is NaN is refused, or stays NaN.",
        _not_a_number,
        "Decorate `program` with `memsim.extend.writes` and `conductance` with `memsim.extend.ages`.",
    ),
    "current": Promise(
        "The current is finite and grows with the voltage, and is g v of an ohmic cell.",
        _current,
        "Give `iv` the relation that `current` computes.",
    ),
    "measured": Promise(
        "A cell that was measured conducts at time 0 what was measured.",
        _held,
        "Let `holding(g, key=)` return cells whose conductance at 0 is `g`.",
    ),
    "described": Promise(
        "What it says of itself is of the right kind.",
        _described,
        f"`span` is a `Span`, `levels` a number or None, `assumes` and `effects` texts, these of {EFFECTS}.",
    ),
    "sources": Promise(
        "Where each number is from is said.",
        _sourced,
        'Give `sources`, a line a number: "write_noise = 5e-07 S (your paper, Fig. 2, measured)".',
    ),
}
