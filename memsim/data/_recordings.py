"""Event recordings in files: the format is known by the file's ending."""

from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from device_models._files import as_path, written_whole

from .._checks import checked, judge, write
from ._events import BUILD, Size, as_events, check_size, in_order
from ._formats import FORMATS, Encoding, raw_format


@checked()
def read_events(file: Path | str, *, size: Size | None = None) -> Shaped[np.ndarray, " events"]:
    """The events of one recording, in order of time.

    | ending | format | written, too |
    |---|---|---|
    | .bin | ATIS, five bytes an event: N-MNIST, N-Caltech101 | yes |
    | .aedat | AEDAT 2.0 of jAER (DVS128, DAVIS), AEDAT 3.1: DVS-Gesture as published by IBM | 3.1 |
    | .aedat4 | AEDAT 4 of iniVation cameras, by faery | yes |
    | .dat | Prophesee's event types 0 and 12 | 12 |
    | .es | Event Stream 2 of Neuromorphic Systems, type DVS | yes |
    | .raw | Prophesee's EVT 2.0, EVT 2.1 and EVT 3.0 | yes |
    | .h5, .hdf5 | Prophesee's HDF5, table CD/events | no |
    | .npy | NumPy's structured arrays with fields t, x, y, p | yes |
    | .csv | whole numbers below a line such as t,x,y,p | yes |

    Endings may be in capital letters. faery (LGPL-3.0) comes with `pip install 'memsim[events]'`; it is loaded for
    AEDAT 4, and at no other time. Times are those in the file, counted on where its clock starts again: `crop` lets
    them count from another moment. Places are those in the file, too: AEDAT 2.0 counts rows from below and columns from
    the right, Event Stream rows from below, all others from above and from the left.

    **Arguments:**

    - `file`: The recording.
    - `size`: (width, height) of the sensor; checked if given.

    Raises `FileNotFoundError` where there is no file, `ValueError` for another ending and for corrupt, truncated or
    empty files, `ImportError` where faery is needed and absent. DAT and RAW do not say how many events they hold: one
    that was cut between two events reads as a shorter recording.

    >>> import numpy as np, memsim as ms
    >>> events = ms.data.event_array(np.array([0, 10]), np.array([1, 2]), np.array([1, 0]))
    >>> ms.data.write_events("recording.bin", events, size=(34, 34))
    >>> ms.data.read_events("recording.bin")["x"].tolist()
    [1, 2]
    """
    file = as_path(file)
    ending = _ending(file)
    if size is not None:
        check_size("size", size)
    if not file.is_file():
        raise FileNotFoundError(f"A recording must be a file. There is none at {file}. Is the path right?")
    try:
        return as_events(in_order(FORMATS[ending].read(file)), size=size)
    except ValueError as error:
        raise ValueError(f"{file} must be a whole {ending} recording, but {_with_remedy(error, ending)}") from error


@checked(events=write(BUILD))
def write_events(
    file: Path | str, events: Shaped[np.ndarray, " events"], *, size: Size, encoding: Encoding = "evt3"
) -> None:
    """Writes one recording that `read_events` reads back unchanged, in the format of the file's ending.

    The file is written whole or not at all.

    **Arguments:**

    - `file`: Where to; an existing file is replaced. Its ending is one of those that `read_events` marks as written.
    - `events`: As for `as_events`.
    - `size`: (width, height) of the sensor.
    - `encoding`: Of a .raw file: "evt3" is the smallest and holds 19 h, "evt2" and "evt2.1" hold 4.8 h.

    Raises `ValueError` for another ending and for events that the format cannot hold, `ImportError` where faery is
    needed and absent, `OSError` where the place cannot be written.

    >>> import numpy as np, memsim as ms
    >>> from pathlib import Path
    >>> events = ms.data.event_array(np.array([0, 10]), np.array([1, 2]), np.array([1, 0]))
    >>> ms.data.write_events("recording.csv", events, size=(34, 34))
    >>> print(Path("recording.csv").read_text().splitlines()[0])
    t,x,y,p
    """
    file = as_path(file)
    ending = _ending(file)
    judge("encoding", encoding, Encoding, write('Its letters are small, as in "evt2.1".'))
    put = raw_format(encoding).write if ending == ".raw" else FORMATS[ending].write
    if put is None or (encoding != "evt3" and ending != ".raw"):
        written = ", ".join(name for name, known in FORMATS.items() if known.write is not None)
        raise ValueError(
            f"A recording can be written with the endings {written}, and with an `encoding` as .raw. "
            f"Got {file.name} and encoding={encoding!r}."
        )
    check_size("size", size)
    events = as_events(events, size=size)
    try:
        with written_whole(file) as partial:
            put(partial, events, size)
    except ValueError as error:
        raise ValueError(f"{file} cannot hold these events: {error}. Choose another format.") from error


def _with_remedy(error: ValueError, ending: str) -> str:
    """What is wrong with a recording, as sentences; errors that are sentences have their own remedy."""
    said = str(error)
    if said.endswith("."):
        return said
    return f"{said}. {'Correct its text.' if ending == '.csv' else 'Copy or download it again.'}"


def _ending(file: Path) -> str:
    ending = file.suffix.lower()
    if ending not in FORMATS:
        raise ValueError(
            f"A recording's name must end in one of {', '.join(FORMATS)}. Got {file.name}. "
            "The ending tells the format; SHD and SSC are read with `SpikeFile`."
        )
    return ending
