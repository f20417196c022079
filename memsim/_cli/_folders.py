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


def compiled_folder() -> Path:
    """Where compiled functions are kept: `MEMSIM_CACHE`, else `memsim/jax` in the user's cache folder."""
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(os.environ.get("MEMSIM_CACHE", str(home / "memsim" / "jax")))


def keep_compiled_functions() -> None:
    """A second run finds what the first one compiled."""
    import jax

    jax.config.update("jax_compilation_cache_dir", str(compiled_folder()))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)


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
