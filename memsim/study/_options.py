"""The options of an experiment: judged as a whole before any work, and smaller where a quick run is asked for."""

import dataclasses
import functools
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from .._checks import LONGEST_TIME, Must, at_least, checked, fraction, judge, positive
from ..train._trainer import MULTIPLE
from ._chips import TIMES

Options = TypeVar("Options", bound=type)

COUNT = Must("at least 1", lambda x: x >= 1)
SHARE = fraction(one=False)
RULES = {  # of options that are not counts if whole, and positive if not
    "times": TIMES._replace(hint="Write seconds: a day is 86400."),
    "time": at_least(0.0, "in seconds after programming", most=LONGEST_TIME),
    "clip": MULTIPLE,
    "write_noise": at_least(0.0, "in multiples of the published one"),
    "noise_scales": Must("positive multiples", lambda x: np.isfinite(x) & (x > 0)),
    "steps": Must("from 2 to 10000, to keep the first and the last frame", lambda x: (x >= 2) & (x <= 10_000)),
    "duration": positive("in seconds"),
    "model_dt": positive("in seconds", most=1.0, hint="Milliseconds? Multiply by 1e-3."),
    "sweeps": positive("in multiples of the range", most=1000.0),
    "resistances": at_least(0.0, "in ohm"),
    "training_resistance": at_least(0.0, "in ohm"),
    "g_min": at_least(0.0, "in siemens"),
    "gaussian_std": SHARE,
    "mismatch": SHARE,
    "training_mismatch": SHARE,
    "noise": SHARE,
    "noises": at_least(0.0),
    "snr": Must("finite, in decibels", np.isfinite),
    "cell_errors": SHARE,
    "stuck": fraction(zero=False, one=False),
    "transfer_rate": fraction(zero=False),
    "levels": Must("at least 2", lambda x: x >= 2),
    "rtol": Must("at least 1e-12 and below 1", lambda x: (x >= 1e-12) & (x < 1)),
    "factors": Must("positive multiples from 1e-6 to 1e6", lambda x: (x >= 1e-6) & (x <= 1e6)),
    "kappa": positive("in 1/V", most=100.0),  # beyond, a sinh of volts soon overflows
    "speeds": at_least(0.0, "in pixels a second", most=200.0),
    "window": at_least(0.0, "in steps"),
}
# What the part of memsim that an option is for judges by itself, with a better message: make that part before any work.
LEFT_TO_PARTS = {"adc_bits", "dac_bits", "tile"}


def check_options(config: Any, **most: int) -> None:
    """Raises `ValueError` for an option that cannot be, before anything is computed or written.

    Every option must be what its annotation says. Whole numbers must be at least 1, others positive, unless the table
    here says something else for their name. Tuples must not be empty. `most` names options that have an upper limit,
    such as a `batch_size`, of which the data must have one.
    """
    annotations = typing.get_type_hints(type(config))
    for field in dataclasses.fields(config):
        value, annotation = getattr(config, field.name), annotations[field.name]
        judge(field.name, value, annotation, RULES.get(field.name) or _usual(field.name, annotation))
        if field.name in most and value > most[field.name]:
            raise ValueError(f"`{field.name}` must be at most {most[field.name]}, as many as there are. Got {value}.")
        if value == ():
            raise ValueError(f"`{field.name}` must name one or more. Got none; leave it out for its default.")


@checked()
def quick(smaller: Mapping[str, Any]) -> Callable[[Options], Options]:
    """A decorator of a dataclass with an option `quick`: where that is given, `smaller` are the defaults.

    What is given besides holds, whatever it is.
    """

    def decorate(kind: Options) -> Options:
        plain = kind.__init__

        @functools.wraps(plain)
        def init(self: Any, *args: Any, **given: Any) -> None:
            plain(self, *args, **({**smaller, **given} if given.get("quick") else given))

        kind.__init__ = init  # type: ignore[misc]
        return kind

    return decorate


def _usual(name: str, annotation: Any) -> Must:
    kinds = {annotation, *typing.get_args(annotation)}
    if name in LEFT_TO_PARTS or not kinds & {int, float}:
        return Must()
    return positive() if float in kinds else COUNT
