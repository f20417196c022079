"""The optimizer of a descent: one rate for weights and ranges, another for the numbers of the design."""

import functools
from collections.abc import Hashable
from typing import Any

import jax
import optax

from ._designed import Designed


@functools.lru_cache(maxsize=16)
def rates(learning_rate: float, pace: float, steps: int, *, bits: bool) -> optax.GradientTransformation:
    """Adam with a cosine decay for weights, and at `pace` for knobs; those of bits stay unless `bits`.

    One object for equal settings, so that a step is compiled once for all prices.
    """
    each: dict[Hashable, optax.GradientTransformation] = {
        "weights": optax.adam(optax.cosine_decay_schedule(learning_rate, steps)),
        "knobs": optax.adam(optax.cosine_decay_schedule(pace, steps, 0.1)),
        "bits": optax.adam(optax.cosine_decay_schedule(pace, steps, 0.1)) if bits else optax.set_to_zero(),
    }
    return optax.multi_transform(each, _labels)


def _labels(params: Designed) -> Any:
    names = {name: jax.tree.map(lambda _, name=name: _label(name), knobs) for name, knobs in params.knobs.items()}
    return Designed(jax.tree.map(lambda _: "weights", params.model), names, params.free)


def _label(name: str) -> str:
    return "bits" if name.endswith("_bits") else "knobs"
