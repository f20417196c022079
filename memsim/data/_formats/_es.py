"""Event Stream recordings (.es, version 2): one byte of time and polarity, then the place, after twenty of header."""

import numpy as np
from jaxtyping import Int, Shaped

from .._events import EVENT, Size

MAGIC, HEADER, DVS = b"Event Stream", 20, 1
OVERFLOW, RESET = 255, 254  # bytes that stand alone: 127 microseconds more; nothing
LONGEST = 2**36  # microseconds, 19 h: there is a byte for each 127 of them without an event


def decode_es(raw: bytes) -> Shaped[np.ndarray, " events"]:
    """The events of one file of type DVS: seven bits of time since the byte before and the polarity, x, y.

    Rows count from below. Raises `ValueError` for another version or type, no events, and a file that ends within one.
    """
    if raw[:12] != MAGIC or len(raw) < HEADER or raw[12] != 2 or raw[15] != DVS:
        raise ValueError(f"it must begin as an Event Stream file of version 2 and type DVS. Got {raw[:16]!r}")
    body = np.frombuffer(raw, np.uint8, offset=HEADER)
    starts = _starts(body)
    time = body[starts].astype(np.int64)
    alone = time >= RESET
    t = np.cumsum(np.where(time == OVERFLOW, 127, np.where(alone, 0, time >> 1)))
    places = starts[~alone]
    if len(places) == 0 or places[-1] + 5 > len(body):
        raise ValueError(f"it must hold whole events of 5 bytes and at least one. Got {len(places)} events")
    found = np.empty(len(places), EVENT)
    found["t"], found["p"] = t[~alone], time[~alone] & 1
    for name, place in (("x", 1), ("y", 3)):
        found[name] = body[places + place].astype(np.uint16) | body[places + place + 1].astype(np.uint16) << 8
    return found


def _starts(body: np.ndarray) -> Int[np.ndarray, " words"]:
    """Where the words begin: each says by its first byte where the next is, found for twice as many in each turn."""
    end = len(body)
    after = np.minimum(np.arange(end) + np.where(body >= RESET, 1, 5), end)
    jump, found = np.append(after, end), np.zeros(min(1, end), np.int64)
    while len(found) and found[-1] < end:
        further = jump[found]
        found, jump = np.append(found, further[further < end]), jump[jump]
        if further[-1] >= end:
            break
    return found


def encode_es(events: Shaped[np.ndarray, " events"], size: Size) -> bytes:
    """The bytes of a file with these events.

    Raises `ValueError` for no events, sensors above 2**16 - 1 in a direction, and times from 19 h on.
    """
    width, height = size if len(size) == 2 else (size[0], 1)
    if len(events) == 0 or max(width, height) >= 2**16 or events["t"][-1] >= LONGEST:
        last = f"t up to {events['t'][-1]}" if len(events) else "no events"
        raise ValueError(
            "an .es file must hold at least one event, width and height must be below 2**16, and t below 2**36 "
            f"microseconds. Got size {size} and {last}"
        )
    since = np.diff(events["t"].astype(np.int64), prepend=0)
    before, rest = since // 127, since % 127
    place = np.cumsum(before) + 5 * np.arange(len(events))
    body = np.full(int(before.sum()) + 5 * len(events), OVERFLOW, np.uint8)
    body[place] = rest << 1 | events["p"]
    for offset, name in ((1, "x"), (3, "y")):
        body[place + offset], body[place + offset + 1] = events[name] & 255, events[name] >> 8
    header = MAGIC + bytes([2, 0, 0, DVS]) + np.array([width, height], "<u2").tobytes()
    return header + body.tobytes()
