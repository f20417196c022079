"""Archives unpacked without trust: nothing leaves the folder, and what is kept appears whole or not at all."""

import gzip
import os
import shutil
import socket
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from device_models._files import is_running

TEMPORARY = ".unpacking-"
LARGEST_FACTOR, LARGEST_LEAST = 100, 2**30  # of what an archive may unpack to; text and spikes shrink to about a tenth
BLOCK = 2**20  # bytes
DAY = 86400.0  # seconds
DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    RuntimeError,
    NotImplementedError,
)


def unpack(archive: Path, folder: Path, holds: str, *, largest: int | None = None) -> None:
    """Puts the file or folder `holds` of a .zip, .tar.gz or .tar into `folder`; a .gz holds the file of its own name.

    Links and devices in the archive are passed over, and so is all that is not `holds`. What killed processes left
    unpacked is removed.

    **Arguments:**

    - `largest`: Most bytes to unpack; `None` for 100 times those of the archive, or 1 GiB if that is more.

    Raises `ValueError` for a name that leads out of the folder, and for an archive without `holds`, of more than
    `largest` bytes unpacked, or damaged.
    """
    remove_left(folder)
    room = max(LARGEST_FACTOR * archive.stat().st_size, LARGEST_LEAST) if largest is None else largest
    names: set[str] = set()
    with tempfile.TemporaryDirectory(prefix=f"{TEMPORARY}{_host()}-{os.getpid()}-", dir=folder) as temporary:
        try:
            for name, content in _files(archive):
                parts = _parts(name, archive)
                names.add(parts[0])
                if parts[0] == holds:
                    room -= _write(content, Path(temporary, *parts), room, archive)
        except DAMAGED as error:
            raise ValueError(
                f"{archive} must be a whole archive. Reading it gave {type(error).__name__}: {error}. Delete it and "
                "download it again."
            ) from error
        found = Path(temporary) / holds
        if not found.exists():
            raise ValueError(f"{archive} must hold {holds}. Got {sorted(names)[:10]}. Download it again.")
        if (folder / holds).is_dir():
            shutil.rmtree(folder / holds)
        os.replace(found, folder / holds)


def remove_left(folder: Path) -> None:
    """Removes what processes that run no more were unpacking."""
    for left in folder.glob(f"{TEMPORARY}*"):
        host, _, rest = left.name.removeprefix(TEMPORARY).rpartition("-")[0].rpartition("-")
        if host == _host() and rest.isdecimal() and is_running(int(rest)):
            continue
        if host and host != _host() and time.time() - left.stat().st_mtime < DAY:  # of another machine
            continue
        shutil.rmtree(left, ignore_errors=True)


def _host() -> str:
    return socket.gethostname()[:40].replace("-", "_")


def _files(archive: Path) -> Iterator[tuple[str, Any]]:
    """Names of the regular files, and each opened for reading."""
    if archive.name.endswith(".zip"):
        with zipfile.ZipFile(archive) as opened:
            for entry in opened.infolist():
                if not entry.is_dir():
                    with opened.open(entry) as content:
                        yield entry.filename, content
    elif archive.name.endswith((".tar.gz", ".tgz", ".tar")):
        with tarfile.open(archive) as opened:
            for member in opened:
                content = opened.extractfile(member) if member.isreg() else None
                if content is not None:
                    with content:
                        yield member.name, content
    elif archive.name.endswith(".gz"):
        with gzip.open(archive) as content:
            yield archive.name.removesuffix(".gz"), content
    else:
        raise ValueError(f"An archive must end in .zip, .tar.gz, .tgz, .tar or .gz. Got {archive.name}. Rename it.")


def _parts(name: str, archive: Path) -> tuple[str, ...]:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or ".." in parts or PurePosixPath(*parts).is_absolute() or PureWindowsPath(*parts).drive:
        raise ValueError(
            f"An archive must write inside its folder only. Got the name {name!r} in {archive}. Do not use that file."
        )
    return parts


def _write(content: Any, target: Path, room: int, archive: Path) -> int:
    """Writes one file of at most `room` bytes, and returns how many they were."""
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with open(target, "wb") as file:
        while block := content.read(BLOCK):
            written += len(block)
            if written > room:
                raise ValueError(
                    f"{archive} must unpack to no more bytes than its limit. Got more at {target.name}. "
                    "If you trust the archive, set `largest` of its `Archive`."
                )
            file.write(block)
    return written
