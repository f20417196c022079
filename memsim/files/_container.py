"""The container of a saved thing: a zip of arrays, as numpy.savez makes them, and a JSON text that says what they are.

Everything in it can be read without memsim, `numpy.load(path)["layers.0.weight"]`, and by `unzip`. Nothing is packed,
so that no file unpacks to more than it is. The archive's comment holds the layout and the SHA-256 of the text, which
holds those of all arrays.
"""

import hashlib
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from device_models._files import written_whole

LAYOUT = 1
TEXT = "memsim.json"
SEAL = re.compile(rb"memsim file, layout (\d{1,9}), sha256 ([0-9a-f]{64})")
DATE = (1980, 1, 1, 0, 0, 0)  # always the same, so that one thing is one file, byte by byte


def write(path: str | Path, content: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Writes `content`, of what JSON can hold, and the `arrays` by name; whole or not at all."""
    files = {f"{name}.npy": _packed(array) for name, array in arrays.items()}
    content = content | {"sha256": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}}
    text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False).encode()
    with written_whole(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = f"memsim file, layout {LAYOUT}, sha256 {hashlib.sha256(text).hexdigest()}".encode()
        for name, data in (files | {TEXT: text}).items():
            archive.writestr(zipfile.ZipInfo(name, DATE), data)


def read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What `write` wrote; raises `ValueError` for a file that is cut, damaged, of another layout or another kind."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _opened(path, archive)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError) as error:
        raise ValueError(
            f"A file must be one that `memsim.save` wrote, whole. Got {path}: {_reason(path, error)}"
        ) from error


def _opened(path: Path, archive: zipfile.ZipFile) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    seal = SEAL.fullmatch(archive.comment)
    if seal is None or TEXT not in archive.namelist():
        weights = "`memsim.files.load_weights` reads the arrays of .npz and .pt files into a model."
        raise ValueError(f"A file must be one that `memsim.save` wrote. Got {path}, another zip archive. {weights}")
    if int(seal[1]) != LAYOUT:
        raise ValueError(
            f"A file must have layout {LAYOUT}. Got layout {int(seal[1])} in {path}. Load it with the release that "
            "saved it, or a newer one."
        )
    _check_entries(path, archive)
    text = archive.read(TEXT)
    if hashlib.sha256(text).hexdigest() != seal[2].decode():
        raise ValueError(_damaged(path, TEXT))
    content = json.loads(text)
    sums = content["sha256"]
    if set(archive.namelist()) != {*sums, TEXT}:
        raise ValueError(_damaged(path, "its list of arrays"))
    arrays = {}
    for name, expected in sums.items():
        data = archive.read(name)
        if hashlib.sha256(data).hexdigest() != expected:
            raise ValueError(_damaged(path, name))
        arrays[name.removesuffix(".npy")] = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    return content, arrays


def _check_entries(path: Path, archive: zipfile.ZipFile) -> None:
    """Raises `ValueError` for entries that are packed, stand twice, or claim more bytes than the file has."""
    entries = archive.infolist()
    plain = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
    if not plain or len({entry.filename for entry in entries}) < len(entries):
        raise ValueError(_damaged(path, "its list of arrays"))
    if sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise ValueError(_damaged(path, "the size of its arrays"))


def _packed(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array, order="C"), allow_pickle=False)
    return file.getvalue()


def _damaged(path: Path, part: str) -> str:
    return (
        f"A file must be as `memsim.save` wrote it. Got {path}, in which {part} differs from its checksum: it is "
        "damaged or was edited. Save it again, or copy it again from where it is sound."
    )


def _reason(path: Path, error: Exception) -> str:
    with open(path, "rb") as file:
        begins = file.read(4)
    if not begins:
        return "it is empty."
    if begins == b"PK\x03\x04":
        return f"it is cut or damaged ({error}). Copy it again, or save it again."
    return "it is of another kind."
