"""Files that are written whole or not at all, whatever fails and whoever else writes."""

import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SECONDS_UNTIL_LEFT = 60.0  # of silence, before what a dead process left is removed


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Yields a file beside `path` to write into, and moves it to `path` once that has succeeded and is on the disk.

    After an error, an interruption or a kill `path` is as it was. Any number of processes and threads may write one
    `path` at a time: the last one wins, and no reader sees half a file. The yielded name ends in `.partial`, so tell
    a writer that goes by endings the format: `figure.savefig(partial, format="pdf")`.

    **Arguments:**

    - `path`: The file, text or a `Path`; folders that lack are made, and where it is a link, its target is replaced.

    **Raises:** `OSError` with the place where it cannot be written, and whatever the writing itself raises.
    """
    target = Path(os.path.realpath(as_path(path)))
    partial = _begin(target)
    try:
        yield partial
        with open(partial, "rb+") as file:
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, partial)
        os.replace(partial, target)
    except OSError as error:
        raise OSError(f"A file must be written whole. Got {error} for {path}, which is as it was before.") from error
    finally:
        partial.unlink(missing_ok=True)
    _flush_folder(target.parent)


def probe(path: str | Path, content: bytes = b"") -> None:
    """Checks that `content` can be written to `path`, before the work that makes it: writes it beside, and removes it.

    **Raises:** `OSError` with the place where it cannot.
    """
    target = Path(os.path.realpath(as_path(path)))
    partial = _begin(target)
    try:
        partial.write_bytes(content)
    except OSError as error:
        raise OSError(f"There must be space for {len(content)} bytes. Got {error} in {target.parent}.") from error
    finally:
        partial.unlink(missing_ok=True)


def as_path(path: str | Path) -> Path:
    """`path`, text or a `Path`, as a `Path`. Raises `TypeError` for anything else."""
    if not isinstance(path, str | Path):
        raise TypeError(f'A path must be text or a `Path`. Got {path!r}; write it as "folder/name".')
    return Path(path)


def is_running(process: int) -> bool:
    """Whether this machine may still run a process of this number; true where it cannot be told."""
    if os.name == "nt":  # there, signal 0 would end the process
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def _begin(target: Path) -> Path:
    """An empty file for this writer alone, beside `target`; what killed ones left there is removed."""
    if target.exists() and not target.is_file():
        raise OSError(f"A path to write to must be that of a file. Got {target}, which is none; add a file name.")
    if target.exists() and not os.access(target, os.W_OK):
        raise OSError(f"A file to replace must be writable. Got {target}, which is not; choose another name.")
    stem = f"{target.name[:40]}.{socket.gethostname()[:20]}-"
    partial = target.with_name(f"{stem}{os.getpid()}-{secrets.token_hex(4)}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_left(target.parent, stem)
        partial.touch(exist_ok=False)
    except OSError as error:
        raise OSError(
            f"A folder to write to must be writable. Got {target.parent} ({error}); choose another."
        ) from error
    return partial


def _remove_left(folder: Path, stem: str) -> None:
    for name in os.listdir(folder):
        if not (name.startswith(stem) and name.endswith(".partial")):
            continue
        process = name.removeprefix(stem).partition("-")[0]
        file = folder / name
        with suppress(OSError):  # another process may have removed it
            silent = time.time() - file.stat().st_mtime > SECONDS_UNTIL_LEFT
            if silent and process.isdecimal() and not is_running(int(process)):
                file.unlink()


def _flush_folder(folder: Path) -> None:
    """Puts the new name on the disk, too, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
