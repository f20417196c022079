"""Shoulder exercises before a smartwatch, cut into windows, with people held out."""

import hashlib
import io
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from device_models._files import as_path

from .._checks import checked, positive, whole
from ._dataset import Dataset, Splits

SHA256 = "eb122f23cdf06ef6bd6c6c5312958ec5cf9d038e2e6d457b8081662c75a42537"
FILE = "watch_dataset.npy"
INSTALL = "pip install --no-deps seglearn==1.2.5"
ORIGIN = {
    "name": "spar",
    "licence": "BSD-3-Clause",
    "citation": "D. M. Burns et al., Shoulder physiotherapy exercise recognition: machine learning the inertial "
    "signals from a smartwatch, Physiol. Meas. 39, 075007 (2018). As distributed by seglearn 1.2.5.",
}
RATE = 50.0  # hertz
EXERCISES = ("PEN", "ABD", "FEL", "IR", "ER", "TRAP", "ROW")
PEOPLE = range(1, 11)


@checked(seconds=positive("in seconds", most=18.0), every=positive("in seconds", most=18.0), skip=whole(1, most=25))
def spar(
    seconds: float = 4.0,
    *,
    every: float | None = None,
    skip: int = 2,
    validation: Sequence[int] = (7,),
    test: Sequence[int] = (8, 9, 10),
    folder: Path | str | None = None,
) -> Splits:
    """Accelerometer and gyroscope of a smartwatch during seven exercises of the shoulder, 10 people on both sides.

    Its file comes with seglearn 1.2.5, which is never imported: install it without what it needs, or put its file,
    `watch_dataset.npy`, into `folder`. It is a pickle, which could run anything, and is opened only after its sha256
    is the known one. Recordings of 19 s and more are cut into windows of the same length; channels are standardised by
    the training set's mean and deviation. No person is in two of the sets.

    **Arguments:**

    - `seconds`: Of a window.
    - `every`: Seconds from one window to the next; by default half of one in training, and a whole one elsewhere.
    - `skip`: Of the 50 samples a second, each of so many is kept, after a mean over as many.
    - `validation`, `test`: The numbers of people held out, from 1 to 10.
    - `folder`: Holds `watch_dataset.npy`; by default the file of an installed seglearn is taken.

    **Returns:** `Splits` with inputs (n, steps, 6): three accelerations, three rates of turning, without unit.

    Raises `FileNotFoundError` where the file is not there, and `ValueError` for another file, for people that
    there are not or that are in two sets, and where none are left to learn from. Licence: BSD-3-Clause. Reference:
    Burns2018.

    >>> import memsim as ms
    >>> try:
    ...     data = ms.data.spar(folder="an_empty_folder")
    ... except FileNotFoundError as error:
    ...     print(str(error).partition("`")[2].partition("`")[0])
    pip install --no-deps seglearn==1.2.5
    """
    held = [*validation, *test]
    strange = sorted({each for each in held if each not in PEOPLE or held.count(each) > 1})
    if strange or not validation or not test or len(held) == len(PEOPLE):
        raise ValueError(
            "`validation` and `test` must name people of 1 to 10, none twice, and leave some to learn from. "
            f"Got {list(validation)} and {list(test)}."
        )
    recordings = _read(folder)
    learnt = [person for person in PEOPLE if person not in held]
    seen = np.concatenate(
        [x for x, person in zip(recordings["X"], recordings["subject"], strict=True) if person in learnt]
    )

    def part(people: Sequence[int], step: float) -> Dataset:
        windows, labels = [], []
        for x, label, person in zip(recordings["X"], recordings["y"], recordings["subject"], strict=True):
            if person in people:
                cut = _windows((x - seen.mean(0)) / seen.std(0), seconds, step, skip)
                windows.append(cut)
                labels.append(np.full(len(cut), label))
        return Dataset(np.concatenate(windows).astype(np.float32), np.concatenate(labels), EXERCISES, **ORIGIN)

    rest = seconds if every is None else every
    return Splits(part(learnt, seconds / 2 if every is None else every), part(validation, rest), part(test, rest))


def _windows(
    x: Float[np.ndarray, "samples channels"], seconds: float, every: float, skip: int
) -> Float[np.ndarray, "windows steps channels"]:
    steps = max(1, round(seconds * RATE / skip))
    means = x[: len(x) // skip * skip].reshape(-1, skip, x.shape[1]).mean(1)
    starts = range(0, len(means) - steps + 1, max(1, round(every * RATE / skip)))
    return np.stack([means[start : start + steps] for start in starts])


def _read(folder: Path | str | None) -> dict[str, list | Int[np.ndarray, " n"]]:
    path = _place(folder)
    raw = path.read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    if digest != SHA256:
        raise ValueError(
            f"{path} must have the sha256 {SHA256}, since a pickle could run anything. Got {digest}. Take the file of "
            f"seglearn 1.2.5: `{INSTALL}`."
        )
    return np.load(io.BytesIO(raw), allow_pickle=True).item()


def _place(folder: Path | str | None) -> Path:
    """Where the file is: in `folder`, or in an installed seglearn."""
    path = _installed() if folder is None else as_path(folder) / FILE
    if path is None or not path.is_file():
        where = "seglearn 1.2.5 is not installed" if folder is None else f"{path} is no file"
        raise FileNotFoundError(
            f"The file of the data set spar must be there. Got none: {where}. Install the package that has it, "
            f"`{INSTALL}`, or name a `folder` that holds its {FILE}."
        )
    return path


def _installed() -> Path | None:
    try:
        return Path(str(metadata.distribution("seglearn").locate_file(f"seglearn/data/{FILE}")))
    except metadata.PackageNotFoundError:
        return None
