"""One device from several measurements of the same cells."""

import dataclasses
import math

from .._cells._pcm import PCM, SCALES
from ._result import Fit

CURVES = {
    "write noise": ("write_noise",),
    "drift": ("nu_mean", "nu_std"),
    "read noise": ("relative_read_noise",),
}


def combine(*fits: Fit) -> PCM:
    """The `PCM` with what each of `fits` measured: write noise, drift, read noise.

    Its range is what all of them cover, its span that of the drift, if that was measured. Every curve is one of G /
    `g_max`, so give each fit the same `g_max`.

    **Raises:** `ValueError` where two fits measured the same, where their `g_max` or `t_0` differ, and for a fit whose
    device is no `PCM`.

    >>> import numpy as np, device_models as dm
    >>> rng, g = np.random.default_rng(0), np.linspace(2e-6, 20e-6, 60)
    >>> writes = dm.fit.fit_programming(g, g + 0.5e-6 * rng.normal(size=60), degree=0, g_max=20e-6)
    >>> reads = g[:, None] * (1 + 0.01 * rng.normal(size=(60, 20)))
    >>> noise = dm.fit.fit_read_noise(reads, t_0=1.0, t_read=1e-6, g_max=20e-6)
    >>> sorted(dm.fit.combine(writes, noise).effects)
    ['read noise', 'write noise']
    """
    if not fits or not all(isinstance(fit, Fit) and isinstance(fit.device, PCM) for fit in fits):
        got = [type(fit.device if isinstance(fit, Fit) else fit).__name__ for fit in fits]
        raise ValueError(
            f"`fits` must be one or more fits of a `PCM`. Got {got}. Each is what `fit_drift` etc. return."
        )
    devices = [fit.device for fit in fits if isinstance(fit.device, PCM)]
    measured = [effect for device in devices for effect in device.effects]
    if len(set(measured)) < len(measured):
        raise ValueError(f"Each effect must be measured by one fit. Got {measured}. Leave one of them out.")
    _check_same("g_max", [device.g_max for device in devices])
    aged = [device for device in devices if {"drift", "read noise"} & set(device.effects)]
    _check_same("t_0", [device.t_0 for device in aged])

    changes = {"g_min": max(device.g_min for device in devices)}
    changes |= {"span": next((device.span for device in devices if "drift" in device.effects), devices[0].span)}
    if aged:
        changes["t_0"] = aged[0].t_0
    for device in devices:
        for effect in device.effects:
            changes |= {name: getattr(device, name) for name in (*CURVES[effect], SCALES[effect])}
        if "read noise" in device.effects:
            changes["t_read"] = device.t_read
    return dataclasses.replace(
        devices[0], **changes, sources=tuple(line for device in devices for line in device.sources)
    )


def _check_same(name: str, values: list[float]) -> None:
    if any(not math.isclose(value, values[0], rel_tol=1e-9) for value in values):
        raise ValueError(f"Fits that are combined must have one `{name}`. Got {values}. Pass `{name}` to each fit.")
