"""Event recordings made into data sets: gathered on fewer places, counted in steps, held out by class."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from .._checks import between, judge
from ._dataset import Dataset
from ._events import Size, check_coarser, downsample
from ._frames import Binning, Polarity, count_events
from ._get import find_source

VALIDATION = between(0.0, 1.0, hint="Such as 0.1, a tenth of each class.")


class Form(NamedTuple):
    """How the recordings of one set become inputs.

    **Arguments:**

    - `name`: Of the set, as in `sources()`.
    - `sensor`, `size`: Where the events are, and the size on which they are gathered.
    - `binning`, `polarity`: As in `to_frames`.
    - `dtype`: Of the inputs: `np.float32` or `np.uint8`.
    """

    name: str
    sensor: Size
    size: Size
    binning: Binning
    polarity: Polarity
    dtype: type

    def check(self) -> None:
        """Raises `ValueError` for settings that cannot be, before anything is read."""
        judge("binning", self.binning, Binning)
        check_coarser("channels" if len(self.sensor) == 1 else "size", self.size, self.sensor)
        judge("dtype", self.dtype, type)
        if self.dtype not in (np.float32, np.uint8):
            raise ValueError(f"`dtype` must be np.float32 or np.uint8. Got {self.dtype}.")

    def dataset(
        self, recordings: Iterable[np.ndarray], labels: Int[np.ndarray, " n"], class_names: tuple[str, ...]
    ) -> Dataset:
        """The recordings, each binned as it is read: never more than one is held as events."""
        self.check()
        planes = (2,) if self.polarity == "split" else ()
        shape = (self.binning.steps, *planes, *reversed(self.size))
        inputs, frames = np.empty((len(labels), *shape), self.dtype), np.ones(len(labels), np.int32)
        for index, events in enumerate(recordings):
            coarse = downsample(events, self.sensor, self.size)
            counts = count_events(coarse, self.size, self.binning, self.polarity)
            if self.dtype == np.uint8 and counts.max() > 255:
                raise ValueError(
                    f"Counts must be at most 255 to fit uint8. Got {counts.max()} in recording {index}. "
                    "Take shorter steps, binary ones, or dtype=np.float32."
                )
            inputs[index] = counts
            if len(events):
                length = int(events["t"][-1] * 1e-6 / self.binning.dt + 1e-9) + 1
                if length >= 2**31:
                    raise ValueError(f"Recording {index} must have fewer than 2**31 steps. Got {length}; crop it.")
                frames[index] = length
        source = find_source(self.name)
        origin = {"name": self.name, "licence": source.licence, "citation": source.citation}
        return Dataset(inputs, labels, class_names, frames=frames, **origin)


def hold_out(
    labels: Int[np.ndarray, " n"], fraction: float
) -> tuple[Int[np.ndarray, " kept"], Int[np.ndarray, " held"]]:
    """Indices to keep and to hold out: of each class the `fraction`, rounded, but at least one if it has two.

    The same labels give the same indices. Raises `ValueError` unless 0 < fraction < 1.
    """
    judge("validation", fraction, float, VALIDATION)
    generator = np.random.default_rng(0)
    held = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        held[members[: max(min(1, len(members) - 1), round(fraction * len(members)))]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)
