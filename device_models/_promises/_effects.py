"""Effects that are told apart: a device without one keeps the others, and what chance decided of them."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from .._device import EFFECTS, AbstractDevice, said_effects
from .._wrappers._write_verify import WriteVerify
from ..iv._iv import Ohmic
from ._probed import YEAR, Probed, chip
from ._report import Promise, Unasked


def _known(probed: Probed) -> str | None:
    effects = _said(probed)
    wrong = [effect for effect in effects if effect not in EFFECTS]
    if wrong or effects != tuple(effect for effect in EFFECTS if effect in effects):
        return f"{effects}"
    return None


def _without(probed: Probed) -> str | None:
    effects = _said(probed)
    for effect in EFFECTS:
        less = probed.device.without(effect)
        if not isinstance(less, AbstractDevice):
            return f"{type(less).__name__} without {effect!r}, no device"
        rest = tuple(other for other in effects if other != effect)
        if less.effects != rest:
            return f"{less.effects} without {effect!r}"
    return None


def _bare(probed: Probed) -> str | None:
    bare = probed.device
    for effect in _said(probed):
        bare = bare.without(effect)
    cells, start, year = chip(bare, probed.targets)
    if not isinstance(bare.iv, Ohmic):
        return f"an `iv` {type(bare.iv).__name__} without any effect"
    off = np.abs(np.asarray(start) - np.asarray(probed.targets))
    if np.any(off > 1e-6 * np.asarray(probed.targets)):
        return f"cells that are off their targets by {off.max():.2g} S without any effect"
    if not np.array_equal(year, start):
        return "cells that age without any effect"
    return "read noise without any effect" if _noisy(bare, cells) else None


def _still(probed: Probed) -> str | None:
    if "drift" not in _said(probed):
        raise Unasked("It says that it does not drift.")
    _, still, year = chip(probed.device.without("drift"), probed.targets)
    if not np.array_equal(still, probed.chip[1]):
        return "other cells at the write without drift"
    return None if np.array_equal(year, still) else "cells that age without drift"


def _quiet(probed: Probed) -> str | None:
    if "read noise" not in _said(probed):
        raise Unasked("It says that its reads are exact.")
    if isinstance(probed.device, WriteVerify):
        raise Unasked("Its writes are verified by reads, which the noise of those decides.")
    quiet = probed.device.without("read noise")
    cells, *parts = chip(quiet, probed.targets)
    if _noisy(quiet, cells):
        return "read noise"
    same = all(np.array_equal(a, b) for a, b in zip(parts, probed.chip[1:], strict=True))
    return None if same else "another history without read noise"


def _shown(probed: Probed) -> str | None:
    effects, (g, std) = _said(probed), probed.population
    noisy, ages = bool(np.any(std > 0)), bool(np.any(g[1:] != g[0]))
    if noisy != ("read noise" in effects):
        return f"{'read noise' if noisy else 'exact reads'}, and `effects` {effects}"
    if ages != ("drift" in effects):
        return f"conductances that {'change' if ages else 'stay the same'} with time, and `effects` {effects}"
    if "write noise" in effects and not np.any(np.ptp(g[0], axis=0) > 0):
        return f"cells that are all written alike, and `effects` {effects}"
    if ("I-V" in effects) == isinstance(probed.device.iv, Ohmic):
        return f"an `iv` {type(probed.device.iv).__name__}, and `effects` {effects}"
    if probed.is_random and not set(effects) & {"write noise", "drift", "stuck cells"}:
        return f"cells that chance tells apart, and `effects` {effects}"
    return None


def _said(probed: Probed) -> tuple[str, ...]:
    try:
        return said_effects(probed.device)
    except ValueError as why:
        raise Unasked(f"It does not say its effects, which `memsim.study.attribute` needs: {why}") from why


def _noisy(device: AbstractDevice, cells: Any) -> bool:
    std = device.read_noise(cells, jnp.asarray(YEAR))
    return std is not None and bool(np.any(np.asarray(std)))


EFFECT_PROMISES = {
    "known effects": Promise(
        "Its effects are known ones, each once and in their order.",
        _known,
        f"Give `effects` some of {EFFECTS}, in this order.",
    ),
    "shown effects": Promise(
        "It shows the effects that it says, and no others.",
        _shown,
        "Say in `effects` what `conductance`, `read_noise` and `iv` do.",
    ),
    "without one": Promise(
        "Without one of its effects it shows all of its others.",
        _without,
        "Let `without(effect)` return the same device, that effect taken out of it and of its `effects`.",
    ),
    "without any": Promise(
        "Without any effect cells keep their targets for ever, and are read exactly.",
        _bare,
        "Let `without` take out all that an effect does, and nothing be left that no effect names.",
    ),
    "without drift": Promise(
        "Without drift a chip stays as it was written, and is written as before.",
        _still,
        "Draw what drifts from a key of its own, so that other draws stay as they are.",
    ),
    "without read noise": Promise(
        "Without read noise reads are exact and the history is the same.",
        _quiet,
        "Let `without` set the size of the noise to zero, and leave all draws as they are.",
    ),
}
