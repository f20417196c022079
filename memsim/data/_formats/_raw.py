"""RAW recordings of Prophesee cameras: a header that names the encoding, then words of EVT 2.0, 2.1 or 3.0."""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Shaped

from .._events import Size
from ._evt2 import decode_evt2, decode_evt21, encode_evt2, encode_evt21
from ._evt3 import decode_evt3, encode_evt3
from ._header import header_lines, time_of_zero

Encoding = Literal["evt3", "evt2", "evt2.1"]


class _Words(NamedTuple):
    dtype: str
    version: str
    format: str
    decode: Callable[[np.ndarray], np.ndarray]
    encode: Callable[[np.ndarray], np.ndarray]


WORDS: dict[Encoding, _Words] = {
    "evt2": _Words("<u4", "2.0", "EVT2", decode_evt2, encode_evt2),
    "evt2.1": _Words("<u8", "2.1", "EVT21", decode_evt21, encode_evt21),
    "evt3": _Words("<u2", "3.0", "EVT3", decode_evt3, encode_evt3),
}


def decode_raw(raw: bytes) -> Shaped[np.ndarray, " events"]:
    """The events of one file; triggers and all that is no event are passed over.

    Raises `ValueError` for a header that names no known encoding, for a file that ends within a word or has no events.
    """
    lines, start = header_lines(raw, b"%", end=b"end")
    words = _words(lines, raw)
    size = np.dtype(words.dtype).itemsize
    if (len(raw) - start) % size:
        raise ValueError(f"it ends {(len(raw) - start) % size} bytes into a word of {size}")
    stream = np.frombuffer(raw, words.dtype, offset=start)
    if words.format == "EVT21" and _is_swapped(lines, stream):
        stream = stream << 32 | stream >> 32
    found = words.decode(stream)
    found["t"] += time_of_zero(lines)
    if len(found) == 0:
        raise ValueError(f"it holds no events whose time is known, in {len(stream)} words")
    return found


def encode_raw(events: Shaped[np.ndarray, " events"], size: Size, encoding: Encoding) -> bytes:
    """The bytes of a file with these events.

    Raises `ValueError` for no events and for those that the encoding cannot hold.
    """
    if len(events) == 0 or max(size) > 2**11:
        raise ValueError(
            "a .raw file must hold at least one event, and width and height must be at most 2048. "
            f"Got {len(events)} events and size {size}"
        )
    words = WORDS[encoding]
    width, height = size if len(size) == 2 else (size[0], 1)
    order = ";endianness=little" if words.format == "EVT21" else ""
    header = (
        f"% evt {words.version}\n% format {words.format};height={height};width={width}{order}\n"
        f"% geometry {width}x{height}\n% end\n"
    )
    return header.encode() + words.encode(events).astype(words.dtype).tobytes()


def _words(lines: list[str], raw: bytes) -> _Words:
    if not lines:
        raise ValueError(f"it starts with {raw[:8]!r} and not with a header line, %")
    for line in lines:
        name, _, said = line.partition(" ")
        for words in WORDS.values():
            if (name, said) == ("evt", words.version) or (name == "format" and said.split(";")[0] == words.format):
                return words
    said = [line for line in lines if line.startswith(("evt", "format"))]
    raise ValueError(f"its header must say evt 2.0, evt 2.1 or evt 3.0. Got {', '.join(said) or 'none of them'}")


def _is_swapped(lines: list[str], stream: Shaped[np.ndarray, " words"]) -> bool:
    """Whether the upper half of each 64-bit word comes first, as from the sensor IMX636."""
    said = re.search(r"endianness[ =](\w+)", "\n".join(lines))
    if said is not None:
        return said[1] == "legacy"
    # A stream begins with the time: 8 in the four highest bits of the upper half.
    first = int(stream[0]) if len(stream) else 0
    return first >> 28 & 0xF == 8 and first >> 60 != 8
