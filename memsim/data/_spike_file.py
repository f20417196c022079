"""SHD and SSC: recordings of a cochlea's channels in one HDF5 file."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int, Shaped

from device_models._files import as_path, written_whole

from .._checks import judge, whole
from ._arrays import as_array
from ._events import as_events, event_array
from ._hdf5 import Inside, opened

SECONDS_LIMIT = float(np.finfo(np.float16).max)


@dataclass(frozen=True, eq=False)
class SpikeFile:
    """The recordings of one file in the format of the Spiking Heidelberg Datasets, read one at a time.

    The file holds `spikes/times` (float16 seconds) and `spikes/units` (uint16 channels), one list a recording,
    `labels`, and the names of the classes in `extra/keys`. Times become whole microseconds; float16 keeps about 1 ms
    at 1 s.

    **Arguments:**

    - `path`: The .h5 file.
    - `channels`: Of the cochlea.

    Raises `FileNotFoundError` where there is no file, `ValueError` where it is corrupt, truncated or something else.

    >>> import numpy as np, memsim as ms
    >>> events = ms.data.event_array(np.array([0, 1000]), np.array([5, 600]))
    >>> ms.data.write_spikes("mine.h5", [events], np.array([0]), ["zero"])
    >>> file = ms.data.SpikeFile("mine.h5")
    >>> [recording["x"].tolist() for recording in file.recordings()], file.class_names()
    ([[5, 600]], ('zero',))
    """

    path: Path | str
    channels: int = 700

    def __post_init__(self):
        judge("channels", self.channels, int, whole(1, most=2**16))
        if not as_path(self.path).is_file():
            raise FileNotFoundError(f"A spike file must exist. There is none at {self.path}. Is the path right?")

    def labels(self) -> Int[np.ndarray, " n"]:
        """The class of each recording, an index into `class_names()`."""
        with _opened(self.path) as file:
            return _labels(file)

    def class_names(self) -> tuple[str, ...]:
        """One name for each class; their numbers where the file has no names."""
        with _opened(self.path) as file:
            if "extra/keys" in file:
                return tuple(key.decode() if isinstance(key, bytes) else str(key) for key in file["extra/keys"][()])
            return tuple(str(label) for label in range(int(np.max(_labels(file))) + 1))

    def speakers(self) -> Int[np.ndarray, " n"] | None:
        """The speaker of each recording, where the file tells (SHD does)."""
        with _opened(self.path) as file:
            return np.asarray(file["extra/speaker"]).astype(np.int64) if "extra/speaker" in file else None

    def recordings(self, indices: Sequence[int] | Int[np.ndarray, " taken"] | None = None) -> Iterator[np.ndarray]:
        """Event arrays (x is the channel) of all recordings, or of those at `indices`, in that order."""
        number = len(self.labels())
        indices = np.arange(number) if indices is None else as_array("indices", indices)
        if indices.size and (indices.dtype.kind not in "iu" or indices.min() < 0 or indices.max() >= number):
            raise ValueError(f"`indices` must be whole numbers from 0 to {number - 1}. Got {indices!r:.80}.")
        with _opened(self.path) as file:
            times, units, labels = file["spikes/times"], file["spikes/units"], file["labels"]
            if not len(times) == len(units) == len(labels):
                raise ValueError(f"it has {len(times)} times, {len(units)} units and {len(labels)} labels")
            for index in indices.tolist():
                try:
                    yield event_array(times[index], units[index], size=(self.channels,), tick=1.0)
                except ValueError as error:
                    raise ValueError(f"in recording {index}: {error}") from error


def write_spikes(
    path: Path | str,
    recordings: Sequence[Shaped[np.ndarray, " _"]],
    labels: Int[np.ndarray, " n"],
    class_names: Sequence[str],
) -> None:
    """Writes a file that `SpikeFile` reads: times rounded to float16 seconds, polarity left out.

    **Arguments:**

    - `path`: Where to; an existing file is replaced when the new one is complete.
    - `recordings`: One event array each, as for `as_events`.
    - `labels`, `class_names`: The class of each recording, and the names of the classes.

    Raises `ValueError` where recordings and labels differ in number, for labels without a name, for events with a row,
    and for times above 65504 s.

    >>> import numpy as np, memsim as ms
    >>> events = ms.data.event_array(np.array([0, 1000]), np.array([5, 600]))
    >>> ms.data.write_spikes("mine.h5", [events, events], np.array([0, 1]), ["zero", "one"])
    >>> ms.data.SpikeFile("mine.h5").labels().tolist()
    [0, 1]
    """
    import h5py

    judge("class_names", class_names, Sequence[str])
    judge("class_names", tuple(class_names), tuple[str, ...])
    judge("recordings", recordings, Sequence[np.ndarray])
    labels = as_array("labels", labels)
    if labels.shape != (len(recordings),) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"`labels` must be one whole number for each of the {len(recordings)} recordings. "
            f"Got {labels.dtype} {labels.shape}."
        )
    if np.any((labels < 0) | (labels >= len(class_names))):
        raise ValueError(f"`labels` must index the {len(class_names)} `class_names`. Got up to {labels.max()}.")
    checked = [_checked(index, recording) for index, recording in enumerate(recordings)]
    with written_whole(path) as partial, h5py.File(partial, "w") as file:
        times = file.create_dataset("spikes/times", (len(labels),), h5py.vlen_dtype(np.float16))
        units = file.create_dataset("spikes/units", (len(labels),), h5py.vlen_dtype(np.uint16))
        for index, events in enumerate(checked):
            times[index], units[index] = (events["t"] * 1e-6).astype(np.float16), events["x"]
        file["labels"] = labels.astype(np.uint16)
        file["extra/keys"] = np.array([name.encode() for name in class_names])


def _checked(index: int, recording: Shaped[np.ndarray, " events"]) -> Shaped[np.ndarray, " events"]:
    events = as_events(recording)
    if len(events) and (events["t"][-1] * 1e-6 > SECONDS_LIMIT or events["y"].any()):
        raise ValueError(
            f"Recording {index} must end by {SECONDS_LIMIT} s, and have channels x without rows y. "
            f"Got t up to {events['t'][-1] * 1e-6} s and y up to {events['y'].max()}; crop it, or write another format."
        )
    return events


def _labels(file: Inside) -> Int[np.ndarray, " n"]:
    found = np.asarray(file["labels"])
    if found.ndim != 1 or found.dtype.kind not in "iu" or np.any(found < 0):
        raise ValueError(f"its labels must be whole numbers from 0. Got {found.dtype} {found.shape}")
    return found.astype(np.int64)


def _opened(path: Path | str) -> AbstractContextManager[Inside]:
    return opened(
        path,
        "a whole HDF5 file with spikes/times, spikes/units and labels",
        "Delete it and run `memsim data get` again.",
    )
