"""Identification of an array as large as it comes, from reads of its bit lines."""

import time
from typing import Any

import jax.random as jr
import numpy as np

import device_models as dm
import memsim as ms
from _clock import Case

SIZE, READS, AGE = 128, 256, 3600.0


def identification(config: Any):
    """Seconds of the clock and of the processors, compilation apart, the better of two calls."""
    design = ms.Crossbar(dm.rram_wan2022(), wires=ms.ResistiveWires(1.0, 1.0), compensation=None)
    w, key = jr.normal(jr.key(0), (SIZE, SIZE)), jr.key(1)
    moment = design.program(w, key=key).at(AGE, key=key)
    known = ms.identify.Known(targets=w, age=AGE)
    x = np.asarray(ms.identify.choose(design, READS, known, key=jr.key(2)))
    y = np.asarray(moment(x, key=jr.key(3)), np.float64)
    ms.identify.infer(x, y, design, known)
    times = np.array([_times(x, y, design, known) for _ in range(2)]).min(axis=0)
    words = f"identification, {SIZE}x{SIZE} weights behind wires, {READS} reads"
    for of, seconds in zip(("clock", "processors"), times, strict=True):
        yield Case(f"{words}: {of}", float(seconds), 10.0, "s")


def _times(*arguments: Any) -> tuple[float, float]:
    clock, processors = time.perf_counter(), time.process_time()
    ms.identify.infer(*arguments)
    return time.perf_counter() - clock, time.process_time() - processors
