"""The downloaded event data sets, binned and split."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Shaped

from .._checks import judge
from ._dataset import Dataset, Splits
from ._events import Size, event_array
from ._form import VALIDATION, Form, hold_out
from ._formats import load_npy
from ._frames import Binning, Polarity
from ._get import fetched
from ._recordings import read_events
from ._spike_file import SpikeFile

COCHLEA = 700
SHD_BINNING = Binning(14e-3, 100)
SSC_BINNING = Binning(10e-3, 100)
NMNIST_BINNING = Binning(31e-3, 10)
GESTURE_BINNING = Binning(0.1, 60)
NMNIST_SIZE = (34, 34)
GESTURE_SIZE = (128, 128)
GESTURES = (
    "hand clapping",
    "right hand wave",
    "left hand wave",
    "right arm clockwise",
    "right arm counter-clockwise",
    "left arm clockwise",
    "left arm counter-clockwise",
    "arm roll",
    "air drums",
    "air guitar",
    "other gestures",
)


def shd(
    binning: Binning = SHD_BINNING,
    *,
    channels: int = 256,
    validation: float = 0.1,
    dtype: type = np.float32,
    folder: Path | str | None = None,
) -> Splits:
    """The Spiking Heidelberg Digits: spoken digits in German and English from 12 speakers, as spikes of a cochlea.

    8156 recordings to train on and 2264 to test on; `memsim data get shd` fetches them. Two of the speakers are in the
    test set only, and none in the validation set is new, so validation accuracy is above test accuracy.

    **Arguments:**

    - `binning`: The steps; by default 100 over 1.4 s.
    - `channels`: The cochlea's 700 channels are gathered in this many.
    - `validation`: Fraction of each class held out of the training set, always the same recordings.
    - `dtype`: `np.float32`, or `np.uint8` for a quarter of the memory, to be cast where a batch is used. In float32 the
      default takes 4 bytes x 10420 x 100 x 256 = 1.1 GB; the events themselves are read one recording at a time.
    - `folder`: As for `memsim.data.get`.

    **Returns:** `Splits` with inputs `(n, steps, channels)`. `frames` are the steps up to a recording's last event.

    Raises `FileNotFoundError` where the data set has not been fetched, `ValueError` for damaged files, for bad settings
    and for counts that do not fit uint8.

    Licence: CC BY 4.0. Reference: Cramer et al. (2022).

    >>> import numpy as np, memsim as ms
    >>> from pathlib import Path
    >>> events = ms.data.event_array(np.array([0, 1000]), np.array([5, 600]))
    >>> Path("sets/shd").mkdir(parents=True)
    >>> for part in ("train", "test"):  # in the place of `memsim data get shd`
    ...     ms.data.write_spikes(f"sets/shd/shd_{part}.h5", 20 * [events], np.arange(20) % 2, ["zero", "one"])
    >>> data = ms.data.shd(channels=70, folder="sets")
    >>> data.train.inputs.shape, data.validation.inputs.shape
    ((18, 100, 70), (2, 100, 70))
    """
    form = _form("shd", (COCHLEA,), (channels,), binning, "merged", dtype, validation)
    place = fetched("shd", folder)
    train, test = (SpikeFile(place / f"shd_{part}.h5") for part in ("train", "test"))
    kept, held = hold_out(train.labels(), validation)
    return Splits(
        _spikes(form, train, kept), _spikes(form, train, held), _spikes(form, test, np.arange(len(test.labels())))
    )


def ssc(
    binning: Binning = SSC_BINNING,
    *,
    channels: int = 128,
    dtype: type = np.float32,
    folder: Path | str | None = None,
) -> Splits:
    """The Spiking Speech Commands: 35 spoken words, as spikes of a cochlea.

    75466 recordings to train on, 9981 for validation and 20382 to test on, as published; `memsim data get ssc` fetches
    them. In float32 the default takes 4 bytes x 105829 x 100 x 128 = 5.4 GB: think of `dtype=np.uint8`.

    Arguments, what is returned and raised, licence and reference as for `shd`.

    >>> import numpy as np, memsim as ms
    >>> from pathlib import Path
    >>> events = ms.data.event_array(np.array([0, 1000]), np.array([5, 600]))
    >>> Path("sets/ssc").mkdir(parents=True)
    >>> for part in ("train", "valid", "test"):  # in the place of `memsim data get ssc`
    ...     ms.data.write_spikes(f"sets/ssc/ssc_{part}.h5", 2 * [events], np.array([0, 1]), ["yes", "no"])
    >>> ms.data.ssc(channels=70, folder="sets").train.inputs.shape
    (2, 100, 70)
    """
    form = _form("ssc", (COCHLEA,), (channels,), binning, "merged", dtype)
    place = fetched("ssc", folder)
    files = [SpikeFile(place / f"ssc_{part}.h5") for part in ("train", "valid", "test")]
    return Splits(*(_spikes(form, file, np.arange(len(file.labels()))) for file in files))


def nmnist(
    binning: Binning = NMNIST_BINNING,
    *,
    size: Size = NMNIST_SIZE,
    validation: float = 0.1,
    dtype: type = np.float32,
    folder: Path | str | None = None,
) -> Splits:
    """N-MNIST: the 70000 digits of MNIST before an event camera that moves in three saccades of about 0.1 s.

    `memsim data get nmnist` fetches it. In float32 the default takes 4 bytes x 70000 x 10 x 2312 = 6.5 GB: think of
    `dtype=np.uint8`, or of a smaller `size`.

    **Arguments:**

    - `binning`: The steps; by default 10 over 0.31 s.
    - `size`: (width, height) on which the 34 x 34 pixels are gathered.
    - `validation`, `dtype`, `folder`: As for `shd`.

    **Returns:** `Splits` with inputs `(n, steps, 2, height, width)`, darker before brighter; `flattened()` makes them
    `(n, steps, channels)`.

    Raises as `shd` does. Licence: CC BY-SA 4.0. Reference: Orchard et al. (2015).

    >>> import numpy as np, memsim as ms
    >>> from pathlib import Path
    >>> events = ms.data.event_array(np.array([0, 1000]), np.array([5, 6]), np.array([7, 8]))
    >>> for place in ("Train/3", "Test/3"):  # in the place of `memsim data get nmnist`
    ...     Path("sets/nmnist", place).mkdir(parents=True)
    ...     for number in range(2):
    ...         ms.data.write_events(f"sets/nmnist/{place}/{number}.bin", events, size=(34, 34))
    >>> ms.data.nmnist(validation=0.5, folder="sets").train.inputs.shape
    (1, 10, 2, 34, 34)
    """
    form = _form("nmnist", NMNIST_SIZE, size, binning, "split", dtype, validation)
    place = fetched("nmnist", folder)
    names = tuple(str(digit) for digit in range(10))
    train, test = (_files(place / part, "*/*.bin", lambda file: file.parent.name, names) for part in ("Train", "Test"))
    return _images(form, train, test, names, lambda file: read_events(file, size=NMNIST_SIZE), validation)


def dvs_gesture(
    binning: Binning = GESTURE_BINNING,
    *,
    size: Size = (32, 32),
    validation: float = 0.1,
    dtype: type = np.float32,
    folder: Path | str | None = None,
) -> Splits:
    """DVS128 Gesture: 11 gestures of 29 people before an event camera under three illuminations.

    `memsim data get dvs_gesture` fetches it, cut into one file a gesture. Time counts from a gesture's first event. In
    float32 the default takes about 4 bytes x 1341 x 60 x 2048 = 0.7 GB. The recordings as published by IBM, AEDAT 3.1
    and a list of times, are read with `read_events` and `crop`.

    **Arguments:**

    - `binning`: The steps; by default 60 over 6 s.
    - `size`: (width, height) on which the 128 x 128 pixels are gathered.
    - `validation`, `dtype`, `folder`: As for `shd`. The people of the validation set are in the training set, too.

    What is returned and raised as for `nmnist`. Licence: CC BY 4.0. Reference: Amir et al. (2017).

    >>> import numpy as np, memsim as ms
    >>> from pathlib import Path
    >>> rows = np.array([[5, 7, 1, 0], [6, 8, 0, 250]])  # x, y, polarity and milliseconds
    >>> for person in ("ibmGestureTrain/one", "ibmGestureTrain/two", "ibmGestureTest/three"):
    ...     Path("sets/dvs_gesture", person).mkdir(parents=True)  # in the place of `memsim data get dvs_gesture`
    ...     np.save(f"sets/dvs_gesture/{person}/0.npy", rows)
    >>> ms.data.dvs_gesture(validation=0.5, folder="sets").train.inputs.shape
    (1, 60, 2, 32, 32)
    """
    form = _form("dvs_gesture", GESTURE_SIZE, size, binning, "split", dtype, validation)
    place = fetched("dvs_gesture", folder)
    numbers = tuple(str(gesture) for gesture in range(len(GESTURES)))
    folders = (place / "ibmGestureTrain", place / "ibmGestureTest")
    train, test = (_files(part, "*/*.npy", lambda file: file.stem, numbers) for part in folders)
    return _images(form, train, test, GESTURES, _read_gesture, validation)


def _form(
    name: str,
    sensor: Size,
    size: Size,
    binning: Binning,
    polarity: Polarity,
    dtype: type,
    validation: float = 0.1,
) -> Form:
    """What was asked for, checked before anything is read."""
    form = Form(name, sensor, size, binning, polarity, dtype)
    form.check()
    judge("validation", validation, float, VALIDATION)
    return form


def _spikes(form: Form, file: SpikeFile, indices: Int[np.ndarray, " part"]) -> Dataset:
    return form.dataset(file.recordings(indices), file.labels()[indices], file.class_names())


class _Files(NamedTuple):
    paths: list[Path]
    labels: Int[np.ndarray, " n"]


def _files(folder: Path, pattern: str, label: Callable[[Path], str], names: tuple[str, ...]) -> _Files:
    paths = sorted(folder.glob(pattern))
    strange = [path for path in paths if label(path) not in names]
    if not paths or strange:
        raise ValueError(
            f"{folder} must hold recordings as {pattern}, labelled {names[0]} to {names[-1]}. "
            f"Got {strange[0] if strange else 'none'}. Delete it and run `memsim data get` again."
        )
    return _Files(paths, np.array([names.index(label(path)) for path in paths]))


def _images(
    form: Form,
    train: _Files,
    test: _Files,
    class_names: tuple[str, ...],
    read: Callable[[Path], np.ndarray],
    validation: float,
) -> Splits:
    def part(files: _Files, indices: np.ndarray) -> Dataset:
        return form.dataset((read(files.paths[index]) for index in indices), files.labels[indices], class_names)

    kept, held = hold_out(train.labels, validation)
    return Splits(part(train, kept), part(train, held), part(test, np.arange(len(test.paths))))


def _read_gesture(path: Path) -> Shaped[np.ndarray, " events"]:
    """One gesture: a row (x, y, p, t) an event, t in milliseconds."""
    try:
        rows = load_npy(path)
        if rows.ndim != 2 or rows.shape[1] != 4 or len(rows) == 0:
            raise ValueError(f"it holds an array of shape {rows.shape}")
        rows = rows[np.argsort(rows[:, 3], kind="stable")]
        x, y, p, t = rows.T
        return event_array(t - t[0], x, y, p, size=GESTURE_SIZE, tick=1e-3)
    except (ValueError, OSError) as error:
        raise ValueError(
            f"{path} must be a whole .npy file of rows x, y, p, t. Reading it gave: {error}. "
            "Delete its data set's folder and run `memsim data get dvs_gesture` again."
        ) from error
