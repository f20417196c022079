"""Devices by name, for command lines and configuration files."""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from ._cells._emerging import (
    ECRAM_CHEN_2023,
    FEFET_JERRY_2017,
    MTJ_GENERIC,
    ecram_chen2023,
    fefet_jerry2017,
    mtj_generic,
)
from ._cells._ideal import Ideal
from ._cells._pcm_sets import (
    PCM_HERMES_1,
    PCM_HERMES_2,
    PCM_JOSHI_2020,
    PCM_LI_2023,
    pcm_hermes1,
    pcm_hermes2,
    pcm_joshi2020,
    pcm_li2023,
)
from ._cells._relaxing import rram_relaxing
from ._cells._relaxing_sets import RRAM_RELAXING_C
from ._cells._rram import (
    CMO_HFOX_FALCONE_2025,
    RRAM_MILO_2021,
    RRAM_WAN_2022,
    cmo_hfox_falcone2025,
    rram_milo2021,
    rram_wan2022,
)
from ._cells._sonos import SONOS_AGRAWAL_2022, SONOS_XIAO_2022, sonos_agrawal2022, sonos_xiao2022
from ._checks import checked
from ._device import AbstractDevice
from ._plugins import choose
from ._sourced import Sourced


class Entry(NamedTuple):
    """A constructor and the published numbers it uses; those of another package stand in its `sources` alone."""

    make: Callable[..., AbstractDevice]
    numbers: dict[str, Sourced]

    def takes(self, setting: str) -> bool:
        """Whether the constructor has an argument of this name, such as "write_noise_scale"."""
        return setting in inspect.signature(self.make).parameters


DEVICES = {
    "ideal": Entry(Ideal, {}),
    "pcm_joshi2020": Entry(pcm_joshi2020, PCM_JOSHI_2020),
    "pcm_hermes1": Entry(pcm_hermes1, PCM_HERMES_1),
    "pcm_hermes2": Entry(pcm_hermes2, PCM_HERMES_2),
    "pcm_li2023": Entry(pcm_li2023, PCM_JOSHI_2020 | PCM_LI_2023),
    "rram_wan2022": Entry(rram_wan2022, RRAM_WAN_2022),
    "rram_relaxing": Entry(rram_relaxing, RRAM_RELAXING_C),
    "rram_milo2021": Entry(rram_milo2021, RRAM_MILO_2021),
    "cmo_hfox_falcone2025": Entry(cmo_hfox_falcone2025, CMO_HFOX_FALCONE_2025),
    "sonos_agrawal2022": Entry(sonos_agrawal2022, SONOS_AGRAWAL_2022),
    "sonos_xiao2022": Entry(sonos_xiao2022, SONOS_XIAO_2022),
    "ecram_chen2023": Entry(ecram_chen2023, ECRAM_CHEN_2023),
    "fefet_jerry2017": Entry(fefet_jerry2017, FEFET_JERRY_2017),
    "mtj_generic": Entry(mtj_generic, MTJ_GENERIC),
}


@checked()
def device(name: str) -> Entry:
    """The entry of `name`: `device("pcm_joshi2020").make()` is a device, `.numbers` its sources.

    `name` is one of `DEVICES`, or one that an installed package adds by an entry point of the group `memsim.devices`.

    Raises `ValueError` for an unknown name, with the nearest known ones, and for one of a package that does not import.

    >>> import device_models as dm
    >>> entry = dm.device("pcm_joshi2020")
    >>> entry.make().g_max, entry.numbers["g_max"].unit
    (2.5e-05, 'S')
    """
    if name in DEVICES:
        return DEVICES[name]
    plugin = choose("devices", "A device name", name, DEVICES)
    make: Any = plugin.load()
    if not callable(make):
        raise ValueError(f"{plugin} must be a function that makes a device. Got {make!r}; name one, module:function.")
    return Entry(cast(Callable[..., AbstractDevice], make), {})
