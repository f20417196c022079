"""EVT 3.0: 16-bit words of Prophesee cameras, each of which changes one part of where and when the next event is."""

import numpy as np
from jaxtyping import Bool, Int, Shaped, UInt16

from .._events import EVENT
from ._clock import turns

# The four highest bits of a word tell what the twelve below are. All other words, such as triggers, are no events.
ROW, SINGLE, BASE, VECTOR_12, VECTOR_8, TIME_LOW, TIME_HIGH = 0x0, 0x2, 0x3, 0x4, 0x5, 0x6, 0x8
TURN = 2**24  # microseconds until the time starts again, 16.8 s
PLACES = 2**11
LONGEST = 2**36  # microseconds, 19 h: there is a word for each 4096 of them
BLOCK = 2**20  # words that are decoded at a time


def decode_evt3(words: UInt16[np.ndarray, " words"]) -> Shaped[np.ndarray, " events"]:
    """The events of a stream of words; those before the first row and the first high bits of time are passed over.

    Time never goes back within a stream, so wherever its high bits fall, another turn of 16.8 s has begun.
    """
    parts, carried, turn = [np.empty(0, EVENT)], words[:0], 0
    for start in range(0, len(words), BLOCK):
        events, carried, turn = _decode(np.concatenate([carried, words[start : start + BLOCK]]), turn)
        parts.append(events)
    return np.concatenate(parts)


def encode_evt3(events: Shaped[np.ndarray, " events"]) -> UInt16[np.ndarray, " words"]:
    """Words that every reader decodes to these events: no step of the high bits of time is left out.

    Raises `ValueError` for places above 2047 and for times of 19 h and more.
    """
    if max(events["x"].max(), events["y"].max()) >= PLACES or events["t"][-1] >= LONGEST:
        raise ValueError(
            f"x and y must be below {PLACES} and t below 2**36. Got x up to {events['x'].max()}, y up to "
            f"{events['y'].max()} and t up to {events['t'][-1]}"
        )
    t, y = events["t"], events["y"].astype(np.int64)
    high = t >> 12
    new_time, new_row = np.diff(t, prepend=-1) != 0, np.diff(y, prepend=-1) != 0
    last = np.cumsum(np.diff(high, prepend=-1) + new_time + new_row + 1) - 1  # word of each event's column
    words = np.zeros(last[-1] + 1, "<u2")
    is_high = np.ones(len(words), bool)
    for places, values in (
        (last, SINGLE << 12 | events["p"].astype(np.int64) << 11 | events["x"]),
        (last[new_row] - 1, ROW << 12 | y[new_row]),
        ((last - new_row)[new_time] - 1, TIME_LOW << 12 | t[new_time] & 0xFFF),
    ):
        words[places], is_high[places] = values, False
    words[is_high] = TIME_HIGH << 12 | np.arange(high[-1] + 1) & 0xFFF
    return words


def _decode(
    words: UInt16[np.ndarray, " words"], turn: int
) -> tuple[Shaped[np.ndarray, " events"], UInt16[np.ndarray, " carried"], int]:
    """Events of some words, the words that bring a decoder into the state at their end, and the turns until then."""
    kind, value = words >> 12, (words & 0xFFF).astype(np.int64)
    row, base, low, high = (_latest(kind == part) for part in (ROW, BASE, TIME_LOW, TIME_HIGH))
    clock, changed, turn = _high_times(kind == TIME_HIGH, value, turn)
    low = np.where(low > changed, low, -1)  # the low bits are zero from a change of the high ones to their next word
    width = np.where(kind == VECTOR_12, 12, np.where(kind == VECTOR_8, 8, 0))
    after = np.cumsum(width)  # columns that vectors have covered after each word
    single = kind == SINGLE

    at = np.flatnonzero((row >= 0) & (high >= 0) & (single | ((width > 0) & (base >= 0))))
    bits = np.where(single, 1, value & np.where(width == 8, 0xFF, 0xFFF))[at]
    which, bit = np.nonzero(bits[:, None] >> np.arange(12) & 1)
    at = at[which]
    start = value[np.where(single[at], at, base[at])]  # a column in eleven bits, and the polarity above it
    passed = np.where(single[at], 0, after[at] - width[at] - after[base[at]])

    found = np.empty(len(at), EVENT)
    found["t"] = clock[high[at]] + np.where(low[at] >= 0, value[low[at]], 0)
    found["x"], found["y"] = (start & PLACES - 1) + passed + bit, value[row[at]] & PLACES - 1
    found["p"] = start >> 11
    carried = words[[last[-1] for last in (high, low, row, base) if last[-1] >= 0]]
    if base[-1] >= 0:
        carried[-1] += after[-1] - after[base[-1]]
    return found, carried, turn


def _latest(marks: Bool[np.ndarray, " words"]) -> Int[np.ndarray, " words"]:
    """The place of the last mark up to and with each word; -1 before the first."""
    return np.maximum.accumulate(np.where(marks, np.arange(len(marks)), -1))


def _high_times(
    marks: Bool[np.ndarray, " words"], value: Int[np.ndarray, " words"], turn: int
) -> tuple[Int[np.ndarray, " words"], Int[np.ndarray, " words"], int]:
    """The time in microseconds at each marked word, the place of its last change at every word, and the last turn."""
    at = np.flatnonzero(marks)
    high = value[at]
    turned = turn + turns(high, fall=1)
    clock, changes = np.zeros(len(marks), np.int64), np.zeros(len(marks), bool)
    clock[at] = turned * TURN + (high << 12)
    changes[at] = np.diff(high, prepend=-1) != 0
    return clock, _latest(changes), int(turned[-1]) if len(at) else turn
