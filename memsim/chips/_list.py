"""All targets, by name."""

from collections.abc import Callable

from device_models._checks._names import lookup

from ._akida._target import akida
from ._brainscales2._target import brainscales2
from ._brainscales2._vmm import brainscales2_vmm
from ._chip import AbstractChip
from ._dynapse2._target import dynapse2
from ._loihi._target import loihi1, loihi2
from ._neurogrid._target import neurogrid

TARGETS: dict[str, Callable[[], AbstractChip]] = {
    "loihi1": loihi1,
    "loihi2": loihi2,
    "brainscales2": brainscales2,
    "brainscales2_vmm": brainscales2_vmm,
    "dynapse2": dynapse2,
    "neurogrid": neurogrid,
    "akida": akida,
}


def target(name: str) -> AbstractChip:
    """The chip of that name, with its defaults; `ValueError` with near names where there is none.

    >>> import memsim as ms
    >>> ms.chips.target("loihi1").checked
    'bit-checked against lava-nc 0.10.0'
    """
    return lookup("A target", name, TARGETS)()
