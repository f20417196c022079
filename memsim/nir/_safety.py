"""What a file of somebody else's must not do when it is read; nothing of it is unpacked here."""

import re
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import h5py

LARGEST = 2**32  # bytes of all arrays of a file, unpacked
AT_ONCE = 2**25  # bytes of texts that are looked at together, at the most
DEEPEST = 64  # groups within groups: NIR needs two a graph within a graph

FIELD = re.compile(r"/nodes/([^/]+)/([^/]+)$")
TEXTS = ("type", "padding", "edges")  # fields of nodes, and of graphs within graphs


def check_file(path: Path) -> None:
    """Raises `ValueError` for a file that refers to another one or to itself, or that would unpack to too much."""
    total, packed = 0, path.stat().st_size
    with h5py.File(path, "r") as file:
        for name, data in _arrays(file, "", {}):
            _check_numbers(name, data)
            total += _unpacked(name, data, packed, LARGEST - total)
            if total > LARGEST:
                raise ValueError(f"it unpacks to more than {LARGEST} bytes, at {name}. `nir.read` it if it may.")


def _check_numbers(path: str, data: h5py.Dataset) -> None:
    """Raises `ValueError` for text where a node has numbers; `nir.read` would fail without the name of the node."""
    found = FIELD.search(path)
    if found and "/metadata/" not in path and found[2] not in TEXTS and h5py.check_string_dtype(data.dtype):
        raise ValueError(f"Node {found[1]!r} must have numbers in `{found[2]}`. Got text, at {path}.")


def _arrays(group: h5py.Group, path: str, seen: dict[Any, str]) -> Iterator[tuple[str, h5py.Dataset]]:
    """The arrays below `group`, by the path of each, without following a link that is not the thing itself."""
    if path.count("/") > DEEPEST:
        raise ValueError(f"its groups are nested more than {DEEPEST} deep, at {path[:80]}.")
    for name in group:
        here, link = f"{path}/{name}", group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"{here} is a link to another place. Copy what it refers to into the file.")
        thing = group[name]
        if thing in seen:
            raise ValueError(f"{here} is {seen[thing]} once more. Write it twice.")
        seen[thing] = here
        if isinstance(thing, h5py.Group):
            yield from _arrays(thing, here, seen)
        elif isinstance(thing, h5py.Dataset):
            yield here, thing


def _unpacked(name: str, data: h5py.Dataset, packed: int, most: int) -> int:
    """Bytes that an array takes in memory; texts of any length are added up, as long as they stay below `most`."""
    if data.is_virtual or data.external:
        raise ValueError(f"the numbers of {name} are in another file. Copy them into this one.")
    text = h5py.check_string_dtype(data.dtype)
    if data.shape is None or (text is None and data.dtype.kind not in "biuf"):
        raise ValueError(f"{name} must be numbers or text. Got {'nothing' if data.shape is None else data.dtype}.")
    if text is not None and text.length is None:
        return _text_length(name, data, packed, most)
    return prod(data.shape) * data.dtype.itemsize


def _text_length(name: str, data: h5py.Dataset, packed: int, most: int) -> int:
    """Bytes of texts of any length: in the file, many may be the same long one."""
    if data.ndim == 0:
        return len(data[()])
    if data.ndim > 2 or data.size > data.shape[0] * 2:
        raise ValueError(f"{name} must be pairs of texts. Got shape {data.shape}.")
    rows, total = max(1, AT_ONCE // packed), 0
    for start in range(0, data.shape[0], rows):
        total += sum(len(one) for one in data[start : start + rows].reshape(-1))
        if total > most:
            break
    return total
