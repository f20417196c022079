"""Published pulsed devices by name."""

from collections.abc import Callable
from typing import NamedTuple

from .._checks import checked
from .._checks._names import lookup
from .._sourced import Sourced
from . import _numbers as numbers
from . import _presets as presets
from ._pulsed import AbstractPulsed


class PulsedEntry(NamedTuple):
    """A constructor and the published numbers it uses.

    - `make`: The constructor, `make()`.
    - `numbers`: By name, with unit and source.

    >>> import device_models as dm
    >>> entry = dm.pulsed.pulsed("ecram_tang2018")
    >>> type(entry.make()).__name__, entry.numbers["dw_min"].unit
    ('LinearStep', '1')
    """

    make: Callable[..., AbstractPulsed]
    numbers: dict[str, Sourced]


PULSED = {
    "reram_es_gong2018": PulsedEntry(presets.reram_es_gong2018, numbers.RERAM_ES_GONG_2018),
    "reram_sb_gong2018": PulsedEntry(presets.reram_sb_gong2018, numbers.RERAM_SB_GONG_2018),
    "capacitor_li2018": PulsedEntry(presets.capacitor_li2018, numbers.CAPACITOR_LI_2018),
    "ecram_tang2018": PulsedEntry(presets.ecram_tang2018, numbers.ECRAM_TANG_2018),
    "ecram_mo_kim2019": PulsedEntry(presets.ecram_mo_kim2019, numbers.ECRAM_MO_KIM_2019),
    "idealized": PulsedEntry(presets.idealized, numbers.IDEALIZED),
    "gokmen2016": PulsedEntry(presets.gokmen2016, numbers.GOKMEN_2016),
    "pcm_onesided_nandakumar2020": PulsedEntry(
        presets.pcm_onesided_nandakumar2020, numbers.PCM_ONESIDED_NANDAKUMAR_2020
    ),
    "reram_array_om_gong2022": PulsedEntry(presets.reram_array_om_gong2022, numbers.RERAM_ARRAY_OM_GONG_2022),
    "reram_array_hfo2_gong2022": PulsedEntry(presets.reram_array_hfo2_gong2022, numbers.RERAM_ARRAY_HFO2_GONG_2022),
}


@checked()
def pulsed(name: str) -> PulsedEntry:
    """The entry of `name`: `pulsed("ecram_tang2018").make()` is a pulsed device, `.numbers` its sources.

    Raises `ValueError` for an unknown name, with the nearest known ones.

    >>> import device_models as dm
    >>> print(f"{dm.pulsed.pulsed('gokmen2016').make().dw_min:.4f}")
    0.0016
    """
    return lookup("A pulsed device's name", name, PULSED)
