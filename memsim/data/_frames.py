"""Events counted in steps of time, and counts turned back into events."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32, Int, Shaped

from .._checks import judge, that
from ._arrays import as_array
from ._events import EVENT, Size, as_events, check_size, whole_microseconds

Polarity = Literal["split", "signed", "merged"]
Late = Literal["drop", "last", "refuse"]
LONGEST_STEP = 10.0  # seconds: beyond it is another unit by mistake
MOST_STEPS = 10**9
ANY_NUMBER = that("a number", lambda numbers: numbers == numbers)


@dataclass(frozen=True)
class Binning:
    r"""How time is cut into steps: an event at $t$ is in step $k$ when $k\,dt \le t < (k + 1)\,dt$.

    **Arguments:**

    - `dt`: Duration of a step, in seconds, from 1e-6 to 10.
    - `steps`: How many there are. For 100 steps over 1.4 s say `Binning(1.4 / 100, 100)`.
    - `binary`: Whether a step with several events holds 1 (or -1), instead of their number.
    - `late`: What becomes of events at or after the end, `dt * steps`: "drop" loses them, "last" counts them in the
      last step, "refuse" raises `ValueError`.

    Raises `ValueError` for settings outside these ranges.

    >>> import memsim as ms
    >>> binning = ms.data.Binning(1.4 / 100, 100)
    >>> events = ms.data.event_array([0.0, 0.02, 0.02], [0, 1, 1], tick=1.0)
    >>> ms.data.to_frames(events, (2,), binning, polarity="merged")[:2].tolist()
    [[1.0, 0.0], [0.0, 2.0]]
    """

    dt: float
    steps: int
    binary: bool = False
    late: Late = "drop"

    def __post_init__(self):
        judge("dt", self.dt, float, ANY_NUMBER)
        judge("steps", self.steps, int, ANY_NUMBER)
        judge("binary", self.binary, bool)
        judge("late", self.late, Late)
        if not (1e-6 <= self.dt <= LONGEST_STEP and 1 <= self.steps <= MOST_STEPS):
            raise ValueError(
                f"`dt` must be at least 1e-6 and at most {LONGEST_STEP:g}, in seconds, and `steps` from 1 to "
                f"{MOST_STEPS}. Got dt={self.dt}, steps={self.steps}. Milliseconds? Multiply by 1e-3."
            )

    def edges(self) -> Int[np.ndarray, " edges"]:
        """The `steps` + 1 borders of the steps, in whole microseconds."""
        return whole_microseconds(np.arange(self.steps + 1) * self.dt)

    def step_of(self, t: Int[np.ndarray, " events"]) -> Int[np.ndarray, " kept"]:
        """The step of each of the sorted times `t` (microseconds), without those that are dropped at the end."""
        starts = np.searchsorted(t, self.edges())
        late = len(t) - starts[-1]
        if late and self.late == "refuse":
            raise ValueError(
                f"Events must come before {self.dt * self.steps} s. Got {late} of {len(t)} later, until "
                f"{t[-1] * 1e-6} s. Take more steps, or `late` as drop or last."
            )
        sizes = np.diff(starts)
        if self.late == "last":
            sizes[-1] += late
        return np.repeat(np.arange(self.steps), sizes)


def to_frames(
    events: Shaped[np.ndarray, " events"], size: Size, binning: Binning, *, polarity: Polarity = "split"
) -> Float32[np.ndarray, "steps *shape"]:
    """Events counted in each step at each place.

    **Arguments:**

    - `events`: A structured array, as for `as_events`.
    - `size`: Of the sensor: (width, height), or (channels,).
    - `binning`: The steps.
    - `polarity`: "split" counts darker (0) and brighter (1) apart, "signed" subtracts darker from brighter, "merged"
      counts both alike.

    **Returns:** float32 of shape (steps, 2, height, width), or (steps, 2, channels) for a line; without the 2 unless
    "split".

    Raises `ValueError` for events outside the sensor.

    >>> import numpy as np, memsim as ms
    >>> events = ms.data.event_array(np.array([0, 500, 1500]), np.array([0, 1, 1]))
    >>> ms.data.to_frames(events, (2,), ms.data.Binning(1e-3, 2), polarity="merged").tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    check_size("size", size)
    judge("binning", binning, Binning)
    return count_events(as_events(events, size=size), size, binning, polarity).astype(np.float32)


def count_events(
    events: Shaped[np.ndarray, " events"], size: Size, binning: Binning, polarity: Polarity
) -> Int[np.ndarray, "steps *shape"]:
    """What `to_frames` returns, as integers, of events that were checked before."""
    judge("polarity", polarity, Polarity)
    step = binning.step_of(events["t"])
    events = events[: len(step)]
    shape = (binning.steps, 2, *reversed(size))
    place = events["x"] + (events["y"].astype(np.int64) * size[0] if len(size) == 2 else 0)
    flat = (2 * step + events["p"]) * int(np.prod(size)) + place
    counts = np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape)
    if polarity == "signed":
        counts = counts[:, 1] - counts[:, 0]
    elif polarity == "merged":
        counts = counts.sum(1)
    return np.sign(counts) if binning.binary else counts


def from_frames(
    frames: Shaped[np.ndarray, "steps *shape"] | Sequence, dt: float, *, polarity: Polarity = "split"
) -> Shaped[np.ndarray, " events"]:
    """Events whose counts are `frames`: each at the start of its step, in the order of steps and places.

    It undoes `to_frames` up to the times within a step: binned again, the same frames come out. Binary frames give one
    event a place, and signed ones only the surplus of one polarity.

    **Arguments:**

    - `frames`: Whole numbers, shaped as `to_frames` returns them for this `polarity`; negative ones only if "signed".
    - `dt`: Duration of a step, in seconds.
    - `polarity`: As in `to_frames`; merged events come back as brighter.

    Raises `ValueError` for counts that are not whole or wrongly signed, and for another number of dimensions.

    >>> import numpy as np, memsim as ms
    >>> frames = np.array([[0, 2], [1, 0]])
    >>> ms.data.from_frames(frames, 1e-3, polarity="merged")[["t", "x"]].tolist()
    [(0, 1), (0, 1), (1000, 0)]
    """
    judge("polarity", polarity, Polarity)
    frames = as_array("frames", frames)
    split = polarity == "split"
    if frames.ndim - split not in (2, 3) or (split and frames.shape[1] != 2):
        raise ValueError(
            f"`frames` must be (steps, {'2, ' * split}height, width) or (steps, {'2, ' * split}channels) for polarity "
            f"{polarity}. Got {frames.shape}. Another `polarity`?"
        )
    if (
        not np.isfinite(frames).all()
        or np.any(frames != np.round(frames))
        or (polarity != "signed" and np.any(frames < 0))
    ):
        raise ValueError(
            "`frames` must hold whole numbers of events, negative ones only with polarity signed. "
            f"Got values from {frames.min()} to {frames.max()}."
        )
    where = np.nonzero(frames)
    counts = frames[where].astype(np.int64)
    step, *place = (np.repeat(index, np.abs(counts)) for index in where)
    found = np.zeros(len(step), EVENT)
    found["t"] = Binning(dt, len(frames)).edges()[step]
    found["p"] = place.pop(0) if split else np.repeat(counts > 0, np.abs(counts))
    found["x"] = place[-1]
    found["y"] = place[0] if len(place) == 2 else 0
    return found
