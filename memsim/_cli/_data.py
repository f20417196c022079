"""The commands `memsim data list` and `memsim data get NAME`."""

from pathlib import Path

import tyro

from ..data import data_folder, get, is_complete, sources


def list_data() -> None:
    """The data sets that can be downloaded, and which are here."""
    print(f"in {data_folder()}")
    for name, source in sources().items():
        print(f"  {name:16} {'here' if is_complete(source) else '-':5} {source.licence:13} {source.summary}")


def get_data(name: tyro.conf.Positional[str], folder: Path | None = None) -> None:
    """Download a data set, check and unpack it. What is there already is left alone.

    Args:
        name: Such as shd; `memsim data list` shows them.
        folder: Where data sets are kept; by default MEMSIM_DATA, else the user's cache folder.
    """
    place = get(name, folder=folder)
    print(f"{name} is in {place}. Licence: {sources()[name].licence}. Please cite: {sources()[name].citation}")
