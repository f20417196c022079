"""Data sets fetched by name into one folder, once."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .._names import did_you_mean
from ._download import Show, download, file_checksum
from ._sources import SOURCES, Archive, Source
from ._unpack import unpack


def sources() -> dict[str, Source]:
    """The data sets that can be downloaded, by name."""
    return {source.name: source for source in SOURCES}


def get(name: str | Source, *, folder: Path | str | None = None) -> Path:
    """Downloads a data set, checks and unpacks it, and returns its folder.

    What is there already is left alone, so that a second call, and one after an interruption, only does the rest. A
    progress bar is shown where somebody is looking. The downloaded archive is deleted once it is unpacked.

    **Arguments:**

    - `name`: Such as "shd", of those in `sources()`; or a `Source` of your own.
    - `folder`: Where data sets are kept, each in a folder with its name. By default the environment variable
      `MEMSIM_DATA`, else `memsim/data` in the user's cache folder.

    Raises `ValueError` for an unknown name, a wrong checksum and an archive that is damaged, `ConnectionError` where no
    address delivers, `OSError` where the folder cannot be written.
    """
    source = find_source(name)
    place = data_folder(folder) / source.name
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"The data folder must be writable. Got {place} ({error}); choose another with `folder` or MEMSIM_DATA."
        ) from error
    for archive in source.archives:
        if not (place / archive.holds).exists():
            _get_archive(archive, place)
    return place


def find_source(name: str | Source) -> Source:
    """The data set of this name. Raises `ValueError` with the near names for an unknown one."""
    if isinstance(name, Source):
        return name
    if name not in sources():
        raise ValueError(did_you_mean("A data set", name, sources()))
    return sources()[name]


def data_folder(folder: Path | str | None = None) -> Path:
    """Where data sets are kept: `folder`, else `MEMSIM_DATA`, else the user's cache folder."""
    if folder is not None:
        return Path(folder)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("MEMSIM_DATA") or cache / "memsim" / "data").expanduser()


def is_complete(source: Source, folder: Path | str | None = None) -> bool:
    """Whether all of a data set has been fetched."""
    place = data_folder(folder) / source.name
    return all((place / archive.holds).exists() for archive in source.archives)


def _get_archive(archive: Archive, place: Path) -> None:
    target = place / archive.name
    if target.is_file() and (found := file_checksum(target, archive.checksum)) != archive.checksum:
        raise ValueError(f"{target} must have the checksum {archive.checksum}. Got {found}. Delete it and try again.")
    if not target.is_file():
        with _progress(archive) as show:
            download(archive.urls, target, archive.checksum, show=show)
    unpack(target, place, archive.holds)
    target.unlink()


@contextmanager
def _progress(archive: Archive) -> Iterator[Show]:
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(archive.name, total=archive.size)
        yield lambda done, total: progress.update(task, completed=done, total=total or archive.size)
