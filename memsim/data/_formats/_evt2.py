"""EVT 2.0 and 2.1 of Prophesee cameras: words of 32 bits for one event, or of 64 bits for up to 32 in a row."""

import numpy as np
from jaxtyping import Shaped, UInt32, UInt64

from .._events import EVENT
from ._clock import turns

# The four highest bits of the head of a word: darker, brighter, or the high 28 bits of time. All others are no events.
BRIGHTER, TIME_HIGH = 0x1, 0x8
TURN = 2**34  # microseconds until the time starts again, 4.8 h
PLACES = 2**11


def decode_evt2(words: UInt32[np.ndarray, " words"]) -> Shaped[np.ndarray, " events"]:
    """The events of a stream of EVT 2.0; those before the first high bits of time are passed over."""
    return _decode(words, np.ones(len(words), np.uint32))


def decode_evt21(words: UInt64[np.ndarray, " words"]) -> Shaped[np.ndarray, " events"]:
    """As `decode_evt2`, for EVT 2.1: the lower half of a word says which of 32 columns have an event."""
    return _decode((words >> 32).astype(np.uint32), words.astype(np.uint32))


def encode_evt2(events: Shaped[np.ndarray, " events"]) -> UInt32[np.ndarray, " words"]:
    """Words for these events, with the high bits of time wherever they change.

    Raises `ValueError` for places above 2047 and for times of 2**34 microseconds and more.
    """
    return _encode(events, events["x"])[0]


def encode_evt21(events: Shaped[np.ndarray, " events"]) -> UInt64[np.ndarray, " words"]:
    """As `encode_evt2`, for EVT 2.1, in a word for each event: so events of one time keep their order."""
    head, is_event = _encode(events, events["x"] & 0xFFE0)
    words = head.astype(np.uint64) << 32
    words[is_event] |= np.uint64(1) << (events["x"] & 31).astype(np.uint64)
    return words


def _decode(head: UInt32[np.ndarray, " words"], columns: UInt32[np.ndarray, " words"]) -> Shaped[np.ndarray, " events"]:
    kind = head >> 28
    is_time = kind == TIME_HIGH
    high = (head[is_time] & 0x0FFFFFFF).astype(np.int64) << 6
    high += TURN * turns(high, fall=TURN // 2)  # less is no turn, but a disorder that sorting mends
    at = np.flatnonzero((kind <= BRIGHTER) & (np.cumsum(is_time) > 0))
    which, bit = np.nonzero(np.unpackbits(columns[at, None].astype("<u4").view(np.uint8), axis=1, bitorder="little"))
    at = at[which]
    found = np.empty(len(at), EVENT)
    found["t"] = high[np.cumsum(is_time)[at] - 1] + (head[at] >> 22 & 0x3F)
    found["x"], found["y"] = (head[at] >> 11 & PLACES - 1) + bit, head[at] & PLACES - 1
    found["p"] = kind[at] == BRIGHTER
    return found


def _encode(
    events: Shaped[np.ndarray, " events"], x: Shaped[np.ndarray, " events"]
) -> tuple[UInt32[np.ndarray, " words"], Shaped[np.ndarray, " words"]]:
    """The heads of all words, and which of them are events."""
    if max(events["x"].max(), events["y"].max()) >= PLACES or events["t"][-1] >= TURN:
        raise ValueError(
            f"x and y must be below {PLACES} and t below 2**34. Got x up to {events['x'].max()}, y up to "
            f"{events['y'].max()} and t up to {events['t'][-1]}"
        )
    t = events["t"]
    new = np.diff(t >> 6, prepend=-1) != 0
    place = np.cumsum(new + 1) - 1
    is_event = np.zeros(place[-1] + 1, bool)
    is_event[place] = True
    words = np.empty(len(is_event), "<u4")
    words[~is_event] = TIME_HIGH << 28 | t[new] >> 6
    words[place] = events["p"].astype(np.int64) << 28 | (t & 0x3F) << 22 | x.astype(np.int64) << 11 | events["y"]
    return words, is_event
