"""The folders that commands write to: compiled functions, data sets, results."""

import os
import tempfile
from pathlib import Path
from typing import NamedTuple


class Folder(NamedTuple):
    """A folder of commands: what it `holds`, and what is there."""

    holds: str
    path: str
    files: int
    size: int
    """In bytes."""
    is_writable: bool


def folder(holds: str, path: Path) -> Folder:
    """What is at `path`; nothing is made there."""
    sizes = [file.stat().st_size for file in path.rglob("*") if file.is_file()] if path.is_dir() else []
    return Folder(holds, str(path), len(sizes), sum(sizes), _is_writable(path))


def _is_writable(path: Path) -> bool:
    """Whether a file can be written in `path`, or the folder be made where it is not there yet."""
    if not path.exists():
        there = next(parent for parent in path.absolute().parents if parent.exists())
        return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    try:
        with tempfile.TemporaryFile(dir=path):
            return True
    except OSError:
        return False
