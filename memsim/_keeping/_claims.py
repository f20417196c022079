"""Work that several processes share: whoever holds the claim on it does it, and a claim ends with its process."""

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows: there, work may be done twice, but nothing is written by halves
    fcntl = None

SECONDS_BETWEEN_LOOKS = 0.2


@contextmanager
def claimed(file: Path, *, shared: bool = False, wait: str | None = None) -> Iterator[bool]:
    """Yields whether the claim `file` is this caller's while the block runs; with `wait`, once it is.

    The claim is a lock of the system on `file`, which is removed with it. The lock of a process that ends, however it
    ends, is free at once, and one that is stopped or suspended keeps it. Threads of one process exclude each other,
    too. Where a file system has no locks, every claim is granted.

    **Arguments:**

    - `file`: Its folder is made. It holds who has the claim, for a person to read.
    - `shared`: A claim that any number may have at a time, and that excludes those which are not shared.
    - `wait`: Wait until the claim is free, and tell a person so by this line if that takes time.
    """
    descriptor = _locked(file, shared)
    if descriptor is None and wait:
        print(wait, file=sys.stderr, flush=True)
    while descriptor is None and wait:
        time.sleep(SECONDS_BETWEEN_LOOKS)
        descriptor = _locked(file, shared)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            if not shared:
                with suppress(OSError):
                    file.unlink()
            os.close(descriptor)


def _locked(file: Path, shared: bool) -> int | None:
    """A descriptor that holds the lock on `file`, or `None` where somebody else has it."""
    while True:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(file, os.O_CREAT | os.O_RDWR, 0o666)
        except FileNotFoundError:  # its folder was removed in between
            continue
        if not _try_lock(descriptor, shared):
            os.close(descriptor)
            return None
        if _is_still(file, descriptor):
            if not shared:
                os.write(descriptor, f"{socket.gethostname()}, process {os.getpid()}, {time.ctime()}\n".encode())
            return descriptor
        os.close(descriptor)  # whoever had the claim removed this file with it


def _try_lock(descriptor: int, shared: bool) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # the file system has no locks
        return True
    return True


def _is_still(file: Path, descriptor: int) -> bool:
    """Whether `file` is the one that was opened."""
    try:
        return os.path.samestat(os.stat(file), os.fstat(descriptor))
    except FileNotFoundError:
        return False
