"""What to write instead of what cannot be part of a crossbar."""

from collections.abc import Callable
from typing import Any, Literal, get_args

from device_models import DEVICES

from .._checks import nearest

Noise = Literal["by_spectrum", "per_read", "per_moment", "off"]  # names that `Reads` knows
NOISES = get_args(Noise)


def of_device(value: Any) -> str:
    """A device of the catalogue, called, whose name is near to the text `value`."""
    if not isinstance(value, str):
        return "" if callable(value) else "Such as `dm.pcm_joshi2020()`."
    if value in DEVICES:
        return f"Write `dm.{DEVICES[value].make.__name__}()`."
    if ".py" in value or ".json" in value:
        return "Import a cell of your own and call it; `dm.fit.load_device` reads one from a file."
    return f"Did you mean {nearest(value.lower(), [f'dm.{entry.make.__name__}()' for entry in DEVICES.values()])}?"


def of_converter(kind: str) -> Callable[[Any], str]:
    """`ADC(8)` for 8."""

    def hint(value: Any) -> str:
        return f"Write `{kind}({value})`." if type(value) is int else f"Such as `{kind}(8)`; None is an ideal one."

    return hint


def of_wires(value: Any) -> str:
    """`ResistiveWires(2.0, 2.0)` for 2.0."""
    if value is None:
        return "Write `IdealWires()`."
    ohms = float(value) if type(value) in (int, float) else 2.0
    return f"Write `ResistiveWires({ohms}, {ohms})`, in ohm a segment."


def of_reads(value: Any) -> str:
    """`Reads("off")` for "off", or for a name near to it."""
    if isinstance(value, str):
        return f'Write `Reads("{nearest(value, NOISES).split(" or ")[0]}")`.'
    kind = type(value).__name__
    return f"Write `Reads({'sense=' * (kind == 'SenseAmplifier')}{kind}(...))`."


def of_tile(value: Any) -> str:
    """`(64, 64)` for 64."""
    return f"Write ({value}, {value})." if type(value) is int else ""


def of_name(*known: str) -> Callable[[Any], str]:
    """The one of the `known` names that is near to a wrong text."""

    def hint(value: Any) -> str:
        near = nearest(value, known, otherwise=()) if isinstance(value, str) else ""
        return f"Did you mean {near}?" if near else ""

    return hint
