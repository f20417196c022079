"""ATIS recordings (.bin), the format of N-MNIST and N-Caltech101: five bytes an event."""

import numpy as np
from jaxtyping import Int, Shaped, UInt8

from .._events import EVENT, Size

OVERFLOW_ROW = 240  # marks an event that is none: all times from here on are STEP later
STEP = 2**13  # microseconds
RANGE = 2**23  # bits of a time in the file
LONGEST = 2**36  # microseconds, 19 h: there is a mark for each 8192 of them


def decode_atis(raw: bytes) -> Shaped[np.ndarray, " events"]:
    """The events of one file: x, y, then polarity in bit 7 and time in the 23 bits that follow, highest byte first.

    Raises `ValueError` where the bytes are none or not a multiple of five.
    """
    if not raw or len(raw) % 5:
        raise ValueError(f"the file must hold five bytes an event and at least one event. Got {len(raw)} bytes")
    rows = np.frombuffer(raw, np.uint8).reshape(-1, 5).astype(np.int64)
    marks = rows[:, 1] == OVERFLOW_ROW
    t = (rows[:, 2] & 127) << 16 | rows[:, 3] << 8 | rows[:, 4]
    found = np.empty(len(rows), EVENT)
    found["t"] = t + STEP * np.cumsum(marks)
    found["x"], found["y"], found["p"] = rows[:, 0], rows[:, 1], rows[:, 2] >> 7
    return found[~marks]


def encode_atis(events: Shaped[np.ndarray, " events"], size: Size) -> bytes:
    """The bytes of a file with these events; times from 2**23 microseconds on are preceded by overflow marks.

    Raises `ValueError` for places that do not fit one byte, for row 240, which is the mark, and for times from 19 h on.
    """
    if len(events) and events["t"][-1] >= LONGEST:
        raise ValueError(f"t must be below 2**36 microseconds. Got t up to {events['t'][-1]}")
    if len(events) == 0 or events["x"].max() > 255 or events["y"].max() > 255 or OVERFLOW_ROW in events["y"]:
        raise ValueError(
            "a .bin file must hold at least one event, x and y must be at most 255, and no y 240, which marks an "
            f"overflow of time. Got {len(events)} events"
        )
    needed = np.maximum(0, -((RANGE - 1 - events["t"]) // STEP))  # marks before each event
    before = np.diff(needed, prepend=0)
    place = np.arange(len(events)) + needed
    rows = np.zeros((len(events) + int(before.sum()), 5), np.uint8)
    rows[:, 1] = OVERFLOW_ROW
    rows[place] = _rows(events, events["t"] - STEP * needed)
    return rows.tobytes()


def _rows(events: Shaped[np.ndarray, " events"], t: Int[np.ndarray, " events"]) -> UInt8[np.ndarray, "events 5"]:
    columns = events["x"], events["y"], events["p"].astype(np.int64) << 7 | t >> 16, t >> 8 & 255, t & 255
    return np.stack(columns, 1).astype(np.uint8)
