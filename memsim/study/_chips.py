"""Chips by their number and moments by their time: what a study draws, whatever else it draws."""

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from device_models._device import said_effects

from .._array import EFFECTS, Crossbar, effects
from .._checks import LONGEST_TIME, Must, judge, write
from ..nn import analog_layers, at, program
from ..nn._deploy import layers_on_chips, share_held
from ..nn._mixed_signal import Designs, check_designs, crossbar_of, design_hint
from ..nn._told import tell_shared
from ..train import SampledChip
from ..train._memory import Memory, as_bytes
from ..train._metrics import Metric, Metrics, as_metrics
from ..train._objective import Kind, Scores, as_scores
from ..train._samples import Samples
from ..train._task import BOTH, check_task

TIMES = Must(
    "one or more seconds after programming, all at least 0 and at most 1e12",
    lambda t: (t >= 0) & (t <= LONGEST_TIME),
    "Write a list of seconds: `times=[0.0, 3600.0]`.",
)

DESIGN = write(lambda given: "Pass its `crossbar`." if isinstance(given, SampledChip) else design_hint(given))


def check_times(times: Any) -> None:
    """Raises `ValueError` unless `times` is a sequence of times at which a chip can be looked at, in seconds.

    >>> import memsim as ms
    >>> ms.study.check_times([0.0, 3600.0])
    >>> try:
    ...     ms.study.check_times([3600.0, -1.0])
    ... except ValueError as error:
    ...     print("refused")
    refused
    """
    judge("times", times, Sequence[float], TIMES)
    if len(times) == 0 or np.ndim(times) != 1:
        raise ValueError(f"`times` must be {TIMES.what}. Got {times}.")


class Workload(NamedTuple):
    """What every chip is asked: samples with their labels, at times, scored and measured, within so many bytes."""

    samples: Samples
    times: Float[Array, " times"]
    scores: Scores
    metrics: tuple[Metric, ...]
    memory: float

    @classmethod
    def of(
        cls, data: Any, times: Any, scores: Scores | None, memory: Memory, metrics: Metrics | None = None
    ) -> "Workload":
        """All of `data` at `times` in seconds, which are checked."""
        check_times(times)
        samples = Samples.of(data)
        if metrics is None:
            samples.check_meant('metrics="rmse"')
        scores = as_scores(scores, samples.kind, samples.labels.shape[1:])
        moments = jnp.asarray(times, jnp.result_type(float))
        return cls(samples, moments, scores, as_metrics(metrics, samples.kind), as_bytes(memory))

    def check(self, model: Any, crossbar: Designs, *, kinds: Sequence[Kind] = BOTH) -> None:
        """Raises `ValueError` where `model` on `crossbar` cannot be asked this."""
        check_times(self.times)
        check_designs(crossbar)
        check_task(model, self.samples, self.scores, kinds=kinds)
        tell_shared(layers_on_chips(model, crossbar))


def programmed(model: Any, crossbar: Designs, number: Array, *, key: Key[Array, ""]) -> tuple[Any, Key[Array, ""]]:
    """Chip `number` of a study with `key`, and the key of its life."""
    program_key, life_key = jr.split(jr.fold_in(key, number))
    return program(model, crossbar, key=program_key), life_key


def aged(chip: Any, t: Float[Array, ""], *, key: Key[Array, ""]) -> tuple[Any, Key[Array, ""], Key[Array, ""]]:
    """A chip with the key of its life at time `t`, a key for reads then, and one for reads of single layers.

    The keys are those of the time itself, so that other times before or after it change nothing.
    """
    moment_key, read_key, layer_key = jr.split(_at_time(key, t), 3)
    return at(chip, t, key=moment_key), read_key, layer_key


def _at_time(key: Key[Array, ""], t: Float[Array, ""]) -> Key[Array, ""]:
    words = jnp.atleast_1d(jax.lax.bitcast_convert_type(jnp.abs(t), jnp.uint32))  # two for a time in float64
    for place in range(words.shape[0]):
        key = jr.fold_in(key, words[place])
    return key


def present_effects(model: Any, crossbar: Designs) -> tuple[str, ...]:
    """Those of `memsim.EFFECTS` that the design of at least one layer shows."""
    shown = {effect for design in _designs(model, crossbar) for effect in effects(design)}
    return tuple(effect for effect in EFFECTS if effect in shown)


def on_chips(model: Any, crossbar: Designs) -> dict[str, str]:
    """The attribute that says which layers of `model` are on chips, and how much of it that is."""
    paths = layers_on_chips(model, crossbar)
    share = share_held(model, paths)
    where = ", ".join(path or "itself" for path in paths)
    words = f"{share:.1%} of the model's numbers, in {where}"
    if share < 0.5:
        logging.getLogger("memsim").warning(f"On chips are {words}. The rest is digital, without any error of a chip.")
    return {"on_chips": words}


def check_said_effects(model: Any, crossbar: Designs) -> None:
    """Raises `ValueError` for a device that does not say which effects it shows: none could be taken from it."""
    for design in _designs(model, crossbar):
        said_effects(design.device)


def _designs(model: Any, crossbar: Designs) -> list[Crossbar]:
    designs = [crossbar_of(crossbar, path, layer) for path, layer in analog_layers(model).items()]
    return [design for design in designs if design is not None]
