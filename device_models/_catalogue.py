"""Devices by name, for command lines and configuration files."""

import difflib
from collections.abc import Callable
from typing import NamedTuple

from ._device import AbstractDevice
from ._cells._ideal import Ideal
from ._cells._pcm_sets import PCM_HERMES_1, PCM_HERMES_2, PCM_JOSHI_2020, pcm_hermes1, pcm_hermes2, pcm_joshi2020
from ._sourced import Sourced


class Entry(NamedTuple):
    """A constructor and the published numbers it uses."""

    make: Callable[..., AbstractDevice]
    numbers: dict[str, Sourced]


DEVICES = {
    "ideal": Entry(Ideal, {}),
    "pcm_joshi2020": Entry(pcm_joshi2020, PCM_JOSHI_2020),
    "pcm_hermes1": Entry(pcm_hermes1, PCM_HERMES_1),
    "pcm_hermes2": Entry(pcm_hermes2, PCM_HERMES_2),
}


def device(name: str) -> Entry:
    """The entry of `name`: `device("pcm_joshi2020").make()` is a device, `.numbers` its sources.

    Raises `ValueError` for an unknown name, with the nearest known ones.
    """
    if name not in DEVICES:
        near = difflib.get_close_matches(name, DEVICES, n=3, cutoff=0.4) or sorted(DEVICES)
        raise ValueError(f"A device name must be a known one. Got {name!r}. Did you mean {' or '.join(near)}?")
    return DEVICES[name]
