"""Memristors by name, for command lines, configuration files and the tests that all of them pass."""

from collections.abc import Callable
from typing import NamedTuple

from .._checks import checked
from .._checks._names import lookup
from .._sourced import Sourced
from ._data_driven import DATA_DRIVEN_2017, DATA_DRIVEN_2021, data_driven2017, data_driven2021
from ._jart import jart_bengel2020
from ._jart_set import JART_BENGEL_2020
from ._linear_ion_drift import (
    HP_BIOLEK_2009,
    HP_JOGLEKAR_2009,
    HP_STRUKOV_2008,
    hp_biolek2009,
    hp_joglekar2009,
    hp_strukov2008,
)
from ._memristor import AbstractMemristor
from ._michigan import MICHIGAN_CHANG_2011, michigan_chang2011
from ._mms import MMS_MOLTER_2016, mms_molter2016
from ._stanford_pku import STANFORD_JIANG_2016, stanford_jiang2016
from ._vteam import VTEAM_KVATINSKY_2015, vteam_kvatinsky2015
from ._yakopcic import YAKOPCIC_2011, yakopcic2011


class MemristorEntry(NamedTuple):
    """A constructor, the published numbers it uses, and a sine that opens its loop (chosen by us).

    Below `frequency` (Hz) the loop of a sine of `amplitude` (V) is open, above it closes.

    - `make`: The constructor, `make()`.
    - `numbers`: By name, with unit and source.
    - `amplitude`, `frequency`: Of the sine, in volts and hertz.

    >>> import device_models as dm
    >>> entry = dm.memristors.memristor("hp_joglekar2009")
    >>> entry.amplitude, entry.frequency, entry.numbers["r_on"].unit
    (1.0, 5.0, 'ohm')
    """

    make: Callable[..., AbstractMemristor]
    numbers: dict[str, Sourced]
    amplitude: float
    frequency: float


MEMRISTORS = {
    "hp_strukov2008": MemristorEntry(hp_strukov2008, HP_STRUKOV_2008, 1.0, 1.0),
    "hp_joglekar2009": MemristorEntry(hp_joglekar2009, HP_JOGLEKAR_2009, 1.0, 5.0),
    "hp_biolek2009": MemristorEntry(hp_biolek2009, HP_BIOLEK_2009, 1.0, 10.0),
    "vteam_kvatinsky2015": MemristorEntry(vteam_kvatinsky2015, VTEAM_KVATINSKY_2015, 0.25, 1e7),
    "yakopcic2011": MemristorEntry(yakopcic2011, YAKOPCIC_2011, 0.75, 100.0),
    "michigan_chang2011": MemristorEntry(michigan_chang2011, MICHIGAN_CHANG_2011, 1.0, 1.0),
    "mms_molter2016": MemristorEntry(mms_molter2016, MMS_MOLTER_2016, 0.5, 1e3),
    "stanford_jiang2016": MemristorEntry(stanford_jiang2016, STANFORD_JIANG_2016, 1.6, 1e8),
    "data_driven2017": MemristorEntry(data_driven2017, DATA_DRIVEN_2017, 1.5, 1e5),
    "data_driven2021": MemristorEntry(data_driven2021, DATA_DRIVEN_2021, 1.8, 1e4),
    "jart_bengel2020": MemristorEntry(jart_bengel2020, JART_BENGEL_2020, 1.0, 4e4),
}


@checked()
def memristor(name: str) -> MemristorEntry:
    """The entry of `name`: `memristor("mms_molter2016").make()` is a memristor, `.numbers` its sources.

    Raises `ValueError` for an unknown name, with the nearest known ones.

    >>> import device_models as dm
    >>> type(dm.memristors.memristor("mms_molter2016").make()).__name__
    'MMS'
    """
    return lookup("A memristor's name", name, MEMRISTORS)
