"""Data sets fetched by name into one folder, once."""

import hashlib
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from device_models._files import as_path

from .._checks import checked, did_you_mean
from ._download import Show, check_address, download, file_checksum
from ._sources import SOURCES, Archive, Source
from ._unpack import remove_left, unpack


def sources() -> dict[str, Source]:
    """The data sets that can be downloaded, by name.

    >>> import memsim as ms
    >>> ms.data.sources()["shd"].licence
    'CC BY 4.0'
    """
    return {source.name: source for source in SOURCES}


@checked()
def get(name: str | Source, *, folder: Path | str | None = None) -> Path:
    """Downloads a data set, checks and unpacks it, and returns its folder.

    What is there already is left alone, so that a second call, and one after an interruption, only does the rest. A
    progress bar is shown where somebody is looking. The downloaded archive is deleted once it is unpacked.

    **Arguments:**

    - `name`: Such as "shd", of those in `sources()`; or a `Source` of your own.
    - `folder`: Where data sets are kept, each in a folder with its name. By default the environment variable
      `MEMSIM_DATA`, else `memsim/data` in the user's cache folder.

    Raises `ValueError` for an unknown name, an address outside the web, a wrong checksum and an archive that is damaged
    or unpacks to too much, `ConnectionError` where no address delivers, `OSError` where the folder cannot be written.

    >>> import memsim as ms
    >>> try:
    ...     ms.data.get("shf")
    ... except ValueError as error:
    ...     print(error)
    A data set must be a known name. Got 'shf'. Did you mean shd?
    """
    source = find_source(name)
    _check(source)
    place = data_folder(folder) / source.name
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"The data folder must be writable. Got {place} ({error}); choose another with `folder` or MEMSIM_DATA."
        ) from error
    with _alone(place):
        remove_left(place)
        for archive in source.archives:
            if not (place / archive.holds).exists():
                _get_archive(archive, place)
    return place


def find_source(name: str | Source) -> Source:
    """The data set of this name. Raises `ValueError` with the near names for an unknown one."""
    if isinstance(name, Source):
        return name
    if not isinstance(name, str) or name not in sources():
        raise ValueError(did_you_mean("A data set", name, sources()))
    return sources()[name]


def data_folder(folder: Path | str | None = None) -> Path:
    """Where data sets are kept: `folder`, else `MEMSIM_DATA`, else the user's cache folder.

    >>> import memsim as ms
    >>> ms.data.data_folder("sets").name
    'sets'
    """
    if folder is not None:
        return as_path(folder)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("MEMSIM_DATA") or cache / "memsim" / "data").expanduser()


@checked()
def is_complete(source: Source | str, folder: Path | str | None = None) -> bool:
    """Whether all of a data set has been fetched.

    - `source`: A name, such as "shd", or a `Source`.
    - `folder`: As for `memsim.data.get`.

    >>> import memsim as ms
    >>> ms.data.is_complete("shd", "an_empty_folder")
    False
    """
    source = find_source(source)
    place = data_folder(folder) / source.name
    return all((place / archive.holds).exists() for archive in source.archives)


def fetched(name: str, folder: Path | str | None = None) -> Path:
    """The folder of a data set. Raises `FileNotFoundError` with the command that fetches it where a part lacks."""
    place = data_folder(folder) / name
    for archive in find_source(name).archives:
        if not (place / archive.holds).exists():
            raise FileNotFoundError(
                f"The data set {name} must have been fetched. There is no {place / archive.holds}. "
                f"Run `memsim data get {name}{'' if folder is None else f' --folder {folder}'}`."
            )
    return place


def _check(source: Source) -> None:
    """Raises `ValueError` for what could not be fetched, or would leave the folder, before anything is."""
    plain = [source.name, *(name for archive in source.archives for name in (archive.name, archive.holds))]
    for name in plain:
        if not isinstance(name, str) or name in ("", ".", "..") or "/" in name or "\\" in name:
            raise ValueError(f"A data set, its archives and what they hold must have plain names. Got {name!r}.")
    for archive in source.archives:
        if not archive.urls:
            raise ValueError(f"`urls` must hold at least one address. Got none for {archive.name}.")
        algorithm, _, digits = archive.checksum.partition(":")
        if algorithm not in hashlib.algorithms_guaranteed or not re.fullmatch("[0-9a-f]+", digits):
            raise ValueError(f'A checksum must be written as "md5:..." or "sha256:...". Got {archive.checksum!r}.')
        for url in archive.urls:
            check_address(url)


def _get_archive(archive: Archive, place: Path) -> None:
    target = place / archive.name
    if target.is_file() and (found := file_checksum(target, archive.checksum)) != archive.checksum:
        raise ValueError(f"{target} must have the checksum {archive.checksum}. Got {found}. Delete it and try again.")
    if not target.is_file():
        with _progress(archive) as show:
            download(archive.urls, target, archive.checksum, show=show)
    unpack(target, place, archive.holds, largest=archive.largest)
    target.unlink()


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Lets other processes that fetch into this folder wait, where the system can."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    descriptor = os.open(place, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems of a network lock no folders
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


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
