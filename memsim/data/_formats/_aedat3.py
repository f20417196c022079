"""AEDAT 3.1 recordings (.aedat), in which IBM published DVS-Gesture; no maintained library reads this version."""

import struct

import numpy as np
from jaxtyping import Shaped

from .._events import EVENT, Size

MAGIC = b"#!AER-DAT3.1"
END_OF_HEADER = b"#!END-HEADER"
PACKET = struct.Struct("<hhiiiiii")  # type, source, size, time offset, time overflow, capacity, number, valid
POLARITY = 1
LONGEST_PACKET = 4096
TIME_BITS = 31


def decode_aedat3(raw: bytes) -> Shaped[np.ndarray, " events"]:
    """The valid polarity events of one file; frames, inertial and special events are passed over.

    Raises `ValueError` for another version, a header without end, a packet that contradicts itself or is cut off.
    """
    if not raw.startswith(MAGIC):
        raise ValueError(
            f"the file must start with {MAGIC.decode()} or #!AER-DAT2.0. Got {raw[:14]!r}; AEDAT 4 must end in .aedat4"
        )
    place = _end_of_header(raw)
    parts = [np.empty(0, EVENT)]
    while place < len(raw):
        if len(raw) - place < PACKET.size:
            raise ValueError(f"the file must end with a whole packet. Got {len(raw) - place} bytes of a header")
        kind, _, size, _, overflow, capacity, number, _ = PACKET.unpack_from(raw, place)
        place += PACKET.size
        if size < 1 or not 0 <= number <= capacity or (kind == POLARITY and size != 8):
            raise ValueError(f"a packet must hold its {number} events of 8 bytes. Got size {size}, capacity {capacity}")
        if place + number * size > len(raw):
            raise ValueError(f"the file must end with a whole packet. Got {len(raw) - place} of {number * size} bytes")
        if kind == POLARITY:
            parts.append(_polarity_events(np.frombuffer(raw, "<u4", 2 * number, place).reshape(-1, 2), overflow))
        place += capacity * size
    return np.concatenate(parts)


def encode_aedat3(events: Shaped[np.ndarray, " events"], size: Size) -> bytes:
    """The bytes of a file with these events, in packets of at most 4096 that share one time overflow.

    Raises `ValueError` for places of 2**15 and more, and for times of 2**62 microseconds and more.
    """
    if len(events) and (max(events["x"].max(), events["y"].max()) >= 2**15 or events["t"][-1] >= 2**62):
        raise ValueError(
            f"x and y must be below 2**15 and t below 2**62. Got x up to {events['x'].max()}, y up to "
            f"{events['y'].max()} and t up to {events['t'][-1]}"
        )
    overflow_changes = np.flatnonzero(np.diff(events["t"] >> TIME_BITS)) + 1
    cuts = np.union1d(overflow_changes, np.arange(LONGEST_PACKET, len(events), LONGEST_PACKET))
    packets = [_packet(block) for block in np.split(events, cuts) if len(block)]
    header = b"\r\n".join([MAGIC, b"#Format: RAW", b"#Source 0: memsim", END_OF_HEADER, b""])
    return header + b"".join(packets)


def _end_of_header(raw: bytes) -> int:
    place = 0
    while raw[place : place + 1] == b"#":
        stop = raw.find(b"\n", place) + 1
        if stop == 0:
            raise ValueError(f"the header must end with {END_OF_HEADER.decode()}. Got the end of the file")
        ended, place = raw.startswith(END_OF_HEADER, place), stop
        if ended:
            return place
    raise ValueError(f"the header must end with {END_OF_HEADER.decode()}. Got a line without # at byte {place}")


def _polarity_events(words: Shaped[np.ndarray, "events 2"], overflow: int) -> Shaped[np.ndarray, " valid"]:
    data = words[words[:, 0] & 1 == 1]  # bit 0: not taken back by a filter
    found = np.empty(len(data), EVENT)
    found["t"] = data[:, 1].astype(np.int64) + (overflow << TIME_BITS)
    found["x"], found["y"], found["p"] = data[:, 0] >> 17, data[:, 0] >> 2 & 0x7FFF, data[:, 0] >> 1 & 1
    return found


def _packet(events: Shaped[np.ndarray, " events"]) -> bytes:
    words = np.empty((len(events), 2), "<u4")
    x, y, p = (events[name].astype(np.uint32) for name in ("x", "y", "p"))
    words[:, 0] = x << 17 | y << 2 | p << 1 | 1
    words[:, 1] = events["t"] & (2**TIME_BITS - 1)
    header = PACKET.pack(POLARITY, 0, 8, 4, int(events["t"][0]) >> TIME_BITS, len(events), len(events), len(events))
    return header + words.tobytes()
