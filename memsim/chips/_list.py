"""All targets, by name."""

from collections.abc import Callable

from device_models._checks._names import lookup

from ._loihi._target import loihi1, loihi2
from ._target import AbstractTarget

TARGETS: dict[str, Callable[[], AbstractTarget]] = {
    "loihi1": loihi1,
    "loihi2": loihi2,
}


def target(name: str) -> AbstractTarget:
    """The chip of that name, with its defaults; `ValueError` with near names where there is none.

    >>> import memsim as ms
    >>> ms.chips.target("loihi1").checked
    'bit-checked against lava-nc 0.10.0'
    """
    return lookup("A target", name, TARGETS)()
