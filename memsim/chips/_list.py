"""All targets, by name."""

from collections.abc import Callable

from device_models._plugins import choose

from ._akida._target import akida
from ._brainscales2._target import brainscales2
from ._brainscales2._vmm import brainscales2_vmm
from ._dynapse2._target import dynapse2
from ._loihi._target import loihi1, loihi2
from ._loihi._values import loihi2_sigma_delta
from ._neurogrid._target import neurogrid
from ._placing._chip import AbstractChip
from ._speck._target import speck
from ._spinnaker._second import spinnaker2
from ._spinnaker._target import spinnaker1
from ._truenorth._target import truenorth
from ._xylo._target import xylo_audio1, xylo_audio2, xylo_audio3, xylo_imu

TARGETS: dict[str, Callable[[], AbstractChip]] = {
    "loihi1": loihi1,
    "loihi2": loihi2,
    "loihi2_sigma_delta": loihi2_sigma_delta,
    "spinnaker1": spinnaker1,
    "spinnaker2": spinnaker2,
    "truenorth": truenorth,
    "speck": speck,
    "xylo_audio1": xylo_audio1,
    "xylo_audio2": xylo_audio2,
    "xylo_audio3": xylo_audio3,
    "xylo_imu": xylo_imu,
    "brainscales2": brainscales2,
    "brainscales2_vmm": brainscales2_vmm,
    "dynapse2": dynapse2,
    "neurogrid": neurogrid,
    "akida": akida,
}


def target(name: str) -> AbstractChip:
    """The chip of that name, with its defaults.

    `name` is one of `TARGETS`, or one that an installed package adds by an entry point of the group `memsim.targets`.

    Raises `ValueError` for an unknown name, with the nearest known ones, and for one of a package that does not import.

    >>> import memsim as ms
    >>> ms.chips.target("loihi1").checked
    'bit-checked against lava-nc 0.10.0'
    """
    if name in TARGETS:
        return TARGETS[name]()
    plugin = choose("targets", "A target", name, TARGETS)
    make = plugin.load()
    chip = make() if callable(make) else make
    if not isinstance(chip, AbstractChip):
        raise ValueError(f"{plugin} must make a chip, an `AbstractTarget` or `AbstractRateTarget`. Got {chip!r}.")
    return chip
