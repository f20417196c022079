"""A file of data that comes with the package, read and known by its checksum."""

import hashlib
from pathlib import Path


def packaged(file: Path, sha256: str | None, *, holds: str, remedy: str) -> bytes:
    """The bytes of a `file` that `holds` something, with that checksum, if one is given.

    Raises `FileNotFoundError` where there is none, and `ValueError` where it is another.
    """
    if not file.is_file():
        raise FileNotFoundError(f"{holds} must be in a file. There is none at {file}. {remedy}")
    raw = file.read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    if sha256 not in (None, digest):
        raise ValueError(f"{file} must have the sha256 {sha256}. Got {digest} over {len(raw)} bytes. {remedy}")
    return raw
