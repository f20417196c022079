"""Event recordings in files: the format is known by the file's ending."""

from pathlib import Path
from types import ModuleType

import numpy as np
from jaxtyping import Shaped

from ._aedat3 import decode_aedat3, encode_aedat3
from ._atis import decode_atis, encode_atis
from ._events import Size, as_events, event_array, in_order

OWN = {".bin": (decode_atis, encode_atis), ".aedat": (decode_aedat3, encode_aedat3)}
FAERY = (".aedat4", ".dat", ".raw")


def read_events(file: Path | str, *, size: Size | None = None) -> Shaped[np.ndarray, " events"]:
    """The events of one recording, in order of time.

    | ending | format | read by |
    |---|---|---|
    | .bin | ATIS, five bytes an event: N-MNIST, N-Caltech101 | memsim |
    | .aedat | AEDAT 3.1: DVS-Gesture as published by IBM | memsim |
    | .aedat4 | AEDAT 4: iniVation cameras | faery |
    | .dat, .raw | Prophesee cameras (RAW: EVT 2 and EVT 3) | faery |

    faery (LGPL-3.0) comes with `pip install 'memsim[events]'`; it is loaded when such a file is read, and at no other
    time. Times are those in the file: `crop` lets them count from another moment.

    **Arguments:**

    - `file`: The recording.
    - `size`: (width, height) of the sensor; checked if given.

    Raises `FileNotFoundError` where there is no file, `ValueError` for another ending and for corrupt, truncated or
    empty files, `ImportError` where faery is needed and absent. DAT and RAW do not say how many events they hold: one
    that was cut between two events reads as a shorter recording.
    """
    file = Path(file)
    _check_ending(file)
    if not file.is_file():
        raise FileNotFoundError(f"A recording must be a file. There is none at {file}. Is the path right?")
    try:
        found = OWN[file.suffix][0](file.read_bytes()) if file.suffix in OWN else _read_with_faery(file)
        return as_events(in_order(found), size=size)
    except ValueError as error:
        raise ValueError(
            f"{file} must be a whole {file.suffix} recording, but {error}. Copy or download it again."
        ) from error


def write_events(file: Path | str, events: Shaped[np.ndarray, " events"], *, size: Size) -> None:
    """Writes one recording that `read_events` reads back unchanged, in the format of the file's ending.

    **Arguments:**

    - `file`: Where to; an existing file is replaced.
    - `events`: As for `as_events`.
    - `size`: (width, height) of the sensor.

    Raises `ValueError` for another ending and for events that the format cannot hold, `ImportError` where faery is
    needed and absent.
    """
    file = Path(file)
    _check_ending(file)
    events = as_events(events, size=size)
    if file.suffix in OWN:
        try:
            file.write_bytes(OWN[file.suffix][1](events))
        except ValueError as error:
            raise ValueError(f"{file} cannot hold these events: {error}. Choose another format.") from error
        return
    faery = _faery(file)
    theirs = events.astype(faery.EVENTS_DTYPE)  # field by field, in order: its fourth is named on
    faery.events_stream_from_array(theirs, (size[0], size[1])).to_file(file, zero_t0=False)


def _check_ending(file: Path) -> None:
    if file.suffix not in (*OWN, *FAERY):
        raise ValueError(
            f"A recording's name must end in one of {', '.join((*OWN, *FAERY))}. Got {file.name}. "
            "The ending tells the format; SHD and SSC are read with `SpikeFile`."
        )


def _read_with_faery(file: Path) -> Shaped[np.ndarray, " events"]:
    faery = _faery(file)
    _check_bytes(file)
    try:
        theirs = faery.events_stream_from_file(file).to_array()
    except RuntimeError as error:  # of all kinds of damage
        raise ValueError(f"reading it gave: {error}") from error
    if len(theirs) == 0:
        raise ValueError("it holds no events")
    return event_array(*(theirs[name] for name in theirs.dtype.names or ()))


def _check_bytes(file: Path) -> None:
    """Finds damage that faery reads over."""
    raw = file.read_bytes()
    if file.suffix == ".aedat4":
        return
    if not raw.startswith(b"%"):
        raise ValueError(f"it starts with {raw[:8]!r} and not with a header line, %")
    place = 0
    while raw[place : place + 1] == b"%":
        place = raw.find(b"\n", place) + 1 or len(raw)
    # DAT: after the header two bytes of type and size, then 8 bytes an event. RAW: words of 2 (EVT 3) or 4 bytes.
    odd = (len(raw) - place - 2) % 8 if file.suffix == ".dat" else (len(raw) - place) % 2
    if odd:
        raise ValueError(f"it ends {odd} bytes into an event")


def _faery(file: Path) -> ModuleType:
    try:
        import faery  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ImportError(
            f"Reading and writing {file.suffix} files needs faery. It is not installed. "
            "Run `pip install 'memsim[events]'`."
        ) from error
    return faery
