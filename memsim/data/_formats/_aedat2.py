"""AEDAT 2.0 recordings (.aedat) of jAER, whose words mean what the chip named in the header makes of them."""

import numpy as np
from jaxtyping import Shaped

from .._events import EVENT
from ._clock import turns
from ._header import header_lines

MAGIC = b"#!AER-DAT2.0"
CHIP = "AEChip:"
RECORD = 8  # bytes: address and time, each of 32 bits, highest byte first
TURN = 2**32  # microseconds until the time starts again, 71.6 min


def decode_aedat2(raw: bytes) -> Shaped[np.ndarray, " events"]:
    """The events of one file, at the addresses that it has; frames, inertial and special events are passed over.

    Addresses count rows from below, and columns from the right as jAER shows them. Polarity is that of jAER: in the
    words of a DVS128 the bit is set for darker, in those of a DAVIS for brighter.

    Raises `ValueError` for a header without a chip or with an unknown one, and for a file that ends within a record.
    """
    lines, start = header_lines(raw, b"#", end=b"end of ascii header")
    chip = _chip(lines)
    if (len(raw) - start) % RECORD:
        raise ValueError(f"it ends {(len(raw) - start) % RECORD} bytes into a record of {RECORD}")
    address, clock = np.frombuffer(raw, ">u4", offset=start).reshape(-1, 2).T
    t = clock.astype(np.int64)
    t += TURN * turns(t, fall=TURN // 2)
    address = address.astype(np.uint32)
    decode = _dvs128 if chip.startswith("dvs128") else _davis
    return decode(address, t)


def _chip(lines: list[str]) -> str:
    """The class of jAER that made the file, without its package, in lower case."""
    named = [line.removeprefix(CHIP).strip() for line in lines if line.startswith(CHIP)]
    if not named:
        raise ValueError(
            "its header must name the chip, whose addresses it holds. Got none; if you know it, write a line such as "
            "`# AEChip: DVS128` or `# AEChip: DAVIS240C` into the header"
        )
    chip = named[0].rpartition(".")[2].lower()
    if not chip.startswith(("dvs128", "davis")):
        raise ValueError(f"its chip must be a DVS128 or a DAVIS. Got {named[0]}, whose addresses are not known")
    return chip


def _dvs128(address: Shaped[np.ndarray, " records"], t: Shaped[np.ndarray, " records"]) -> np.ndarray:
    """Bits 1 to 7 are x, 8 to 14 y, and bit 0 is set for darker. Bit 15 or 31 marks what is no pixel's event."""
    is_event = address & 0x80008000 == 0
    return _events(t[is_event], address[is_event] >> 1 & 0x7F, address[is_event] >> 8 & 0x7F, ~address[is_event] & 1)


def _davis(address: Shaped[np.ndarray, " records"], t: Shaped[np.ndarray, " records"]) -> np.ndarray:
    """Bits 12 to 21 are x, 22 to 30 y, and bit 11 is set for brighter. Bit 10 or 31 marks what is no pixel's event."""
    is_event = address & 0x80000400 == 0
    address = address[is_event]
    return _events(t[is_event], address >> 12 & 0x3FF, address >> 22 & 0x1FF, address >> 11 & 1)


def _events(t: np.ndarray, x: np.ndarray, y: np.ndarray, p: np.ndarray) -> Shaped[np.ndarray, " events"]:
    found = np.empty(len(t), EVENT)
    found["t"], found["x"], found["y"], found["p"] = t, x, y, p
    return found
