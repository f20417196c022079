"""Which numbers of a study are of cells as old as any that was measured, and which continue their equations."""

import logging
from collections.abc import Sequence
from functools import reduce
from operator import and_
from typing import Any

import numpy as np

from device_models import Span

from .._checks import checked
from ..nn import analog_layers
from ..nn._mixed_signal import Designs, crossbar_of
from ._chips import TIMES, check_times

MEASURED = "whether cells of this age were measured; where not, their equations are continued"


@checked(times=TIMES)
def is_measured(span: Span, times: Sequence[float] | np.ndarray) -> np.ndarray:
    """Whether cells of each of these ages, in seconds, were measured; where `span` states none, just written ones.

    >>> import device_models as dm, memsim as ms
    >>> ms.study.is_measured(dm.sonos_xiao2022().span, [0.0, 3.2e8]).tolist()
    [True, False]
    """
    check_times(times)
    held = [span.holds(float(t)) for t in times]
    return np.array([t == 0 if known is None else known for known, t in zip(held, times, strict=True)], bool)


def span_of(model: Any, crossbar: Designs) -> tuple[Span, tuple[str, ...]]:
    """Where the cells of all layers on chips were measured, and what their histories assume."""
    designs = [crossbar_of(crossbar, path, layer) for path, layer in analog_layers(model).items()]
    devices = [design.device for design in designs if design is not None]
    span = reduce(and_, (device.span for device in devices), Span())
    return span, tuple(dict.fromkeys(words for device in devices for words in device.assumes))


def marks(model: Any, crossbar: Designs, times: Sequence[float]) -> tuple[Any, dict[str, str]]:
    """The coordinate `measured` along time, and the attributes `span` and `assumes`; one line of logging beyond."""
    span, assumes = span_of(model, crossbar)
    measured = is_measured(span, times)
    if span.time is not None and not measured.all():
        logging.getLogger("memsim").warning(f"{beyond(span, np.asarray(times)[~measured])} `measured` is False there.")
    attributes = {"span": str(span)} | ({"assumes": "\n".join(assumes)} if assumes else {})
    return ("time", measured, {"units": "1", "long_name": MEASURED}), attributes


def beyond(span: Span | str, times: np.ndarray) -> str:
    """In a sentence, that cells of these ages were not measured."""
    ages = ", ".join(f"{float(t):.3g}" for t in times)
    return f"No cell is known to have been measured at {ages} s (span: {span}): its equations are continued there."
