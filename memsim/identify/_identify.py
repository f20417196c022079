"""Reads an array with inputs that are chosen for it, and says what it is."""

from collections.abc import Callable
from typing import Any

import jax.random as jr
import numpy as np
from jaxtyping import Array, Key

from .._array import AnalogMatrix, Crossbar
from .._checks import checked, that, whole, write
from ._choose import How, choose
from ._circuit import Circuit
from ._found import Found
from ._infer import DESIGN, infer
from ._known import Known
from ._reads import real

BATCH = 32  # reads that are asked for at once


@checked(
    read=that("a function of inputs, an `AnalogMatrix` or an `Experiment`", callable),
    design=DESIGN,
    known=write("Such as `Known(targets=w)`."),
    budget=whole(1),
    inputs=write('"expected", "random" or "one-hot".'),
)
def identify(
    read: Callable[[Any], Any],
    design: Crossbar | Circuit,
    known: Known | None = None,
    *,
    budget: int,
    inputs: How = "expected",
    key: Key[Array, ""],
) -> Found:
    """What an array is, from `budget` reads of it.

    **Arguments:**

    - `read`: The array: an `AnalogMatrix`, an `Experiment` with hardware, or any function from a batch of inputs, shape
      (reads, inputs), to outputs. It is called with at most 32 inputs at a time. Where it may fail half-way, hand it
      over as an `Experiment`, which loses no read.
    - `design`: What is known of its making: a `Crossbar`, or a `Circuit` of bare cells in volts and amperes.
    - `known`: What else is, above all the `targets` that were written.
    - `budget`: Reads, each of one input.
    - `inputs`: How they are chosen, as in `choose`.
    - `key`: For the choice, and for noisy reads of an `AnalogMatrix`.

    **Raises:** `ValueError` as `infer`.

    >>> import device_models as dm, jax, memsim as ms
    >>> design = ms.Crossbar(dm.rram_wan2022(), compensation=None)
    >>> w, key = jax.random.normal(jax.random.key(0), (4, 8)), jax.random.key(1)
    >>> moment = design.program(w, key=key).at(3600.0, key=key)
    >>> known = ms.identify.Known(targets=w, age=3600.0)
    >>> found = ms.identify.identify(moment, design, known, budget=16, key=key)
    >>> found.conductances.mean.shape
    (2, 8, 4)
    """
    known = Known() if known is None else known
    choice_key, read_key = jr.split(key)
    x = np.asarray(choose(design, budget, known, how=inputs, key=choice_key))
    parts = []
    for start in range(0, budget, BATCH):
        parts.append(_answers(read, x[start : start + BATCH], jr.fold_in(read_key, start)))
    return infer(x, np.concatenate(parts), design, known)


def _answers(read: Callable[..., Any], x: np.ndarray, key: Array) -> np.ndarray:
    if isinstance(read, AnalogMatrix):
        return np.asarray(read(x, key=key), np.float64)
    y = real("y", read(x))
    if y.ndim != 2 or len(y) != len(x):
        raise ValueError(f"`read` must give outputs of shape (reads, outputs) for {len(x)} inputs. Got {y.shape}.")
    return y
