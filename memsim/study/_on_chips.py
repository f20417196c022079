"""The compiled core of a study: one model on chips at times, and what its converters clip."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from .._keeping import looked_at, progress
from ..nn import analog_layers, clipping
from ..nn._mixed_signal import Designs
from ..train._evaluate import predictions
from ._chips import Workload, aged, programmed
from ._devices import over_chips
from ._right import Judged

WATCHED = 8  # samples, from the first, that tell what converters clip
_told: list[Any] = []  # called after each chip at each time, where a person looks


def worth(
    model: Any, crossbar: Designs, workload: Workload, chips: Sequence[int], *, key: Key[Array, ""], chunk: int
) -> Judged:
    """What the chips of these numbers are worth at all times; a line says how many are done, where a person looks."""
    numbers = jnp.asarray(chips)
    with _told_of_each(len(chips) * workload.times.shape[0]) as ticking:
        found = jax.device_get(measured(model, crossbar, workload, numbers, key, chunk=chunk, ticking=ticking))
        jax.effects_barrier()
    return found


@eqx.filter_jit
def measured(
    model: Any,
    crossbar: Designs,
    workload: Workload,
    chips: Int[Array, " chips"],
    key: Key[Array, ""],
    *,
    chunk: int,
    ticking: bool = False,
) -> Judged:
    """What each of the chips is worth at each time."""
    samples, times, scores, metrics, memory = workload

    def one_chip(number: Int[Array, ""]) -> Any:
        chip, life_key = programmed(model, crossbar, number, key=key)

        def at_time(t: Float[Array, ""]) -> Judged:
            now, read_key, _ = aged(chip, t, key=life_key)
            found = predictions(now, samples, key=read_key, scores=scores, memory=memory / chunk)
            judged = Judged.of(found, samples, metrics)
            if ticking:
                jax.debug.callback(_tick, judged.first)
            return judged

        return jax.lax.map(at_time, times)

    return over_chips(one_chip, chips, chunk)


def first_clips(
    model: Any, crossbar: Designs, workload: Workload, *, key: Key[Array, ""]
) -> Float[np.ndarray, "layers 2"]:
    """What the DAC and the ADC of each layer clip on the first chip at the first time, with the first samples."""
    now, layer_key = _first_moment(model, crossbar, workload.times[0], key)
    found = clipping(now, workload.samples.xs[:WATCHED], key=layer_key)
    shares = [(found[path].dac, found[path].adc.mean()) if path in found else (0, 0) for path in analog_layers(model)]
    return np.asarray(shares, float)


@eqx.filter_jit
def _first_moment(model: Any, crossbar: Designs, t: Array, key: Array) -> tuple[Any, Array]:
    chip, life_key = programmed(model, crossbar, jnp.zeros((), int), key=key)
    now, _, layer_key = aged(chip, t, key=life_key)
    return now, layer_key


@contextmanager
def _told_of_each(total: int) -> Iterator[bool]:
    with progress("chip and time", total, words="compiling") as show:
        done = count(1)
        _told.append(lambda: show(next(done)))
        try:
            yield looked_at()
        finally:
            _told.pop()


def _tick(_: Any) -> None:
    for tell in _told[-1:]:
        tell()
