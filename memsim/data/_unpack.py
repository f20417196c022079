"""Archives unpacked without trust: nothing leaves the folder, and what is kept appears whole or not at all."""

import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any


def unpack(archive: Path, folder: Path, holds: str) -> None:
    """Puts the file or folder `holds` of a .zip, .tar.gz or .tar into `folder`.

    Links and devices in the archive are passed over, and so is all that is not `holds`.

    Raises `ValueError` for a name that leads out of the folder, an archive without `holds`, and a damaged one.
    """
    with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=folder) as temporary:
        try:
            for name, content in _files(archive):
                _write(name, content, Path(temporary), archive)
        except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, RuntimeError) as error:
            raise ValueError(
                f"{archive} must be a whole archive. Reading it gave {type(error).__name__}: {error}. Delete it and "
                "download it again."
            ) from error
        found = Path(temporary) / holds
        if not found.exists():
            names = sorted(path.name for path in Path(temporary).iterdir())
            raise ValueError(f"{archive} must hold {holds}. Got {names[:10]}. Download it again.")
        if (folder / holds).is_dir():
            shutil.rmtree(folder / holds)
        os.replace(found, folder / holds)


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
    else:
        raise ValueError(f"An archive must end in .zip, .tar.gz, .tgz or .tar. Got {archive.name}. Rename it.")


def _write(name: str, content: Any, folder: Path, archive: Path) -> None:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    target = folder.joinpath(*parts)
    if not parts or ".." in parts or not target.resolve().is_relative_to(folder.resolve()):
        raise ValueError(
            f"An archive must write inside its folder only. Got the name {name!r} in {archive}. Do not use that file."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target, "wb") as file:
        shutil.copyfileobj(content, file)
