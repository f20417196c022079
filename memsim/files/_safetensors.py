"""Arrays of a safetensors file: a length, a JSON header of that length, and the bytes of all arrays."""

import json
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

LONGEST = 100_000_000  # bytes of a header, as the format says
DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
    "C64": "complex64",
}


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """All arrays by name; raises `ValueError` for a file that is cut or damaged."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(LONGEST, len(data) - 8):
        raise ValueError(_broken(path, "it is shorter than its header says, or of another kind"))
    try:
        header = json.loads(data[8 : 8 + length])
        header.pop("__metadata__", None)
        entries = {name: (entry["dtype"], entry["shape"], entry["data_offsets"]) for name, entry in header.items()}
        ends = sorted(tuple(offsets) for _, _, offsets in entries.values())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(_broken(path, f"its header cannot be read ({type(error).__name__}: {error})")) from error
    body = memoryview(data)[8 + length :]
    apart = all(first[1] == second[0] for first, second in pairwise(ends))
    if ends and not (apart and ends[0][0] == 0 and ends[-1][1] == len(body)):
        raise ValueError(_broken(path, "its arrays do not fill it from end to end, so it is cut"))
    return {name: _array(path, name, body, *entry) for name, entry in entries.items()}


def _array(path: Path, name: str, body: memoryview, kind: Any, shape: Any, offsets: Any) -> np.ndarray:
    if kind not in DTYPES:
        raise ValueError(_broken(path, f"{name} is of type {kind!r}, and known are {', '.join(DTYPES)}"))
    dtype = jnp.dtype(DTYPES[kind])
    whole = isinstance(shape, list) and all(isinstance(size, int) and size >= 0 for size in shape)
    if not whole or prod(shape) * dtype.itemsize != offsets[1] - offsets[0]:
        raise ValueError(_broken(path, f"{name} has {offsets[1] - offsets[0]} bytes for shape {shape} of {kind}"))
    return np.frombuffer(body[offsets[0] : offsets[1]], np.uint8).view(dtype).reshape(shape)


def _broken(path: Path, reason: str) -> str:
    return f"A safetensors file must be whole. Got {path}: {reason}. Copy it again."
