"""SHD and SSC: recordings of a cochlea's channels in one HDF5 file."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped

from ._events import as_events, event_array

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
    """

    path: Path
    channels: int = 700

    def __post_init__(self):
        if not self.path.is_file():
            raise FileNotFoundError(f"A spike file must exist. There is none at {self.path}. Is the path right?")

    def labels(self) -> Int[np.ndarray, " n"]:
        """The class of each recording, an index into `class_names()`."""
        with _opened(self.path) as file:
            return np.asarray(file["labels"]).astype(np.int64)

    def class_names(self) -> tuple[str, ...]:
        """One name for each class; their numbers where the file has no names."""
        with _opened(self.path) as file:
            if "extra/keys" in file:
                return tuple(key.decode() if isinstance(key, bytes) else str(key) for key in file["extra/keys"][()])
            return tuple(str(label) for label in range(int(np.max(file["labels"])) + 1))

    def speakers(self) -> Int[np.ndarray, " n"] | None:
        """The speaker of each recording, where the file tells (SHD does)."""
        with _opened(self.path) as file:
            return np.asarray(file["extra/speaker"]).astype(np.int64) if "extra/speaker" in file else None

    def recordings(self, indices: Sequence[int] | Int[np.ndarray, " taken"] | None = None) -> Iterator[np.ndarray]:
        """Event arrays (x is the channel) of all recordings, or of those at `indices`, in that order."""
        with _opened(self.path) as file:
            times, units = file["spikes/times"], file["spikes/units"]
            if not len(times) == len(units) == len(file["labels"]):
                raise ValueError(f"it has {len(times)} times, {len(units)} units and {len(file['labels'])} labels")
            for index in range(len(times)) if indices is None else indices:
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

    Raises `ValueError` where recordings and labels differ in number, and for times above 65504 s.
    """
    import h5py

    if len(recordings) != len(labels):
        raise ValueError(f"`labels` must be one for each of the {len(recordings)} recordings. Got {len(labels)}.")
    partial = Path(path).with_name(Path(path).name + ".partial")
    with h5py.File(partial, "w") as file:
        times = file.create_dataset("spikes/times", (len(labels),), h5py.vlen_dtype(np.float16))
        units = file.create_dataset("spikes/units", (len(labels),), h5py.vlen_dtype(np.uint16))
        for index, recording in enumerate(recordings):
            events = as_events(recording)
            if len(events) and events["t"][-1] * 1e-6 > SECONDS_LIMIT:
                raise ValueError(f"Times must be at most {SECONDS_LIMIT} s. Got {events['t'][-1] * 1e-6}; crop them.")
            times[index], units[index] = (events["t"] * 1e-6).astype(np.float16), events["x"]
        file["labels"] = np.asarray(labels).astype(np.uint16)
        file["extra/keys"] = np.array([name.encode() for name in class_names])
    os.replace(partial, path)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield file
    # h5py: OSError for damage, KeyError for a missing part, RuntimeError and TypeError for one of another kind.
    except (OSError, KeyError, RuntimeError, TypeError, ValueError) as error:
        if isinstance(error, TimeoutError | ConnectionError | PermissionError):
            raise
        raise ValueError(
            f"{path} must be a whole HDF5 file with spikes/times, spikes/units and labels. Reading it gave: {error}. "
            "Delete it and run `memsim data get` again."
        ) from error
