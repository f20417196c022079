"""DAT recordings of Prophesee: eight bytes an event, after a header that is text and then two bytes."""

import numpy as np
from jaxtyping import Shaped

from .._events import EVENT, Size
from ._clock import turns
from ._header import header_lines, time_of_zero

TYPES = {0: "Event2D", 12: "EventCD"}
EVENT_BYTES = 8
TURN = 2**32  # microseconds until the time starts again, 71.6 min
PLACES = 2**14


def decode_dat(raw: bytes) -> Shaped[np.ndarray, " events"]:
    """The events of one file: 32 bits of time, then from below 14 bits of x, 14 of y and the polarity.

    A time that falls by at least half of its range has started again; less is disorder, which sorting mends.

    Raises `ValueError` for another type of event, no events, and a file that ends within one.
    """
    lines, start = header_lines(raw, b"%")
    kind = tuple(raw[start : start + 2])
    if len(kind) < 2 or kind[0] not in TYPES or kind[1] != EVENT_BYTES:
        raise ValueError(
            "two bytes after its header must say that events of type 0 (Event2D) or 12 (EventCD) follow, of 8 bytes "
            f"each. Got {kind}"
        )
    body = raw[start + 2 :]
    if not body or len(body) % EVENT_BYTES:
        raise ValueError(f"it must hold whole events of 8 bytes and at least one. Got {len(body)} bytes of them")
    clock, data = np.frombuffer(body, "<u4").reshape(-1, 2).T
    if kind[0] == 12 and np.any(data >> 28 > 1):
        raise ValueError(f"its polarities must be 0 or 1. Got {(data >> 28).max()}")
    t = clock.astype(np.int64)
    found = np.empty(len(t), EVENT)
    found["t"] = t + TURN * turns(t, fall=TURN // 2) + time_of_zero(lines)
    found["x"], found["y"], found["p"] = data & PLACES - 1, data >> 14 & PLACES - 1, data >> 28 & 1
    return found


def encode_dat(events: Shaped[np.ndarray, " events"], size: Size) -> bytes:
    """The bytes of a file with these events, of type EventCD.

    Raises `ValueError` for no events, times of 2**32 microseconds and more, and sensors above 2**14 in a direction.
    """
    if len(events) == 0 or max(size) > PLACES or events["t"][-1] >= TURN:
        last = f"t up to {events['t'][-1]}" if len(events) else "no events"
        raise ValueError(
            f"a .dat file must hold at least one event, width and height must be at most {PLACES}, and t below 2**32 "
            f"microseconds. Got size {size} and {last}"
        )
    words = np.empty((len(events), 2), "<u4")
    x, y, p = (events[name].astype(np.uint32) for name in ("x", "y", "p"))
    words[:, 0], words[:, 1] = events["t"], p << 28 | y << 14 | x
    width, height = size if len(size) == 2 else (size[0], 1)
    lines = "% Data file containing CD events.", "% Version 2", f"% Height {height}", f"% Width {width}", ""
    return "\n".join(lines).encode() + bytes([12, EVENT_BYTES]) + words.tobytes()
