"""A labelled set of recordings, and its three splits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float32, Int, UInt8

from .._checks import judge
from ._arrays import as_array


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled recordings of equal duration in steps.

    **Arguments:**

    - `name`: What the set is called.
    - `inputs`: One recording a row, `(n, steps, channels)`, or `(n, steps, 2, height, width)` from an event camera;
        float32, or uint8 for counts in a quarter of the memory, to be cast where a batch is used.
    - `labels`: Class of each recording, `(n,)`, an index into `class_names`. Whole numbers of any dtype; kept as int32.
    - `lengths`: Frames each recording had originally, `(n,)`, as `labels`.
    - `class_names`: One name for each class.
    - `licence`: Terms under which the data may be passed on.
    - `citation`: What to cite.

    Raises `ValueError` where shapes, types or ranges disagree, where a number is not finite, and where there is none.
    """

    name: str
    inputs: Float32[np.ndarray, "n steps *channels"] | UInt8[np.ndarray, "n steps *channels"]
    labels: Int[np.ndarray, " n"]
    lengths: Int[np.ndarray, " n"]
    class_names: tuple[str, ...]
    licence: str
    citation: str

    def __post_init__(self):
        for field in ("name", "licence", "citation"):
            judge(field, getattr(self, field), str)
        judge("class_names", self.class_names, tuple[str, ...])
        _check_inputs(self.inputs)
        for field, least, most, remedy in (
            ("labels", 0, len(self.class_names) - 1, "An index into `class_names`: add missing names or renumber."),
            ("lengths", 1, 2**31 - 1, "Drop empty recordings."),
        ):
            whole = _whole_numbers(field, getattr(self, field), len(self.inputs))
            if np.any((whole < least) | (whole > most)):
                raise ValueError(
                    f"`{field}` must be at least {least}, from {least} to {most}. "
                    f"Got {whole.min()} to {whole.max()}. {remedy}"
                )
            object.__setattr__(self, field, whole.astype(np.int32))

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, indices: Int[np.ndarray, " taken"] | Sequence[int]) -> "Dataset":
        """The recordings at `indices`, in that order. Raises `ValueError` for no indices, and for one that is none."""
        chosen = as_array("indices", indices)
        if chosen.dtype == bool and chosen.shape == (len(self),):
            chosen = np.flatnonzero(chosen)
        if chosen.ndim != 1 or chosen.dtype.kind not in "iu" or np.any((chosen < -len(self)) | (chosen >= len(self))):
            raise ValueError(
                f"`indices` must be whole numbers below {len(self)}, the number of recordings. Got {indices!r:.80}."
            )
        return replace(self, inputs=self.inputs[chosen], labels=self.labels[chosen], lengths=self.lengths[chosen])

    def flattened(self) -> "Dataset":
        """The same recordings as `(n, steps, channels)`, for layers that know no image; nothing is copied."""
        return replace(self, inputs=self.inputs.reshape(*self.inputs.shape[:2], -1))


def _check_inputs(inputs: Any) -> None:
    fits = isinstance(inputs, np.ndarray) and inputs.ndim >= 3 and inputs.dtype in (np.float32, np.uint8)
    if not fits:
        came = f"{inputs.dtype} {inputs.shape}" if isinstance(inputs, np.ndarray) else type(inputs).__name__
        raise ValueError(
            "`inputs` must be a NumPy array of float32 or uint8, with recordings, steps and channels as dimensions. "
            f"Got {came}. Convert it with `np.asarray(..., np.float32)`."
        )
    if inputs.size == 0:
        raise ValueError(
            f"`inputs` must hold at least one recording, one step and one channel. Got shape {inputs.shape}. "
            "Was anything selected?"
        )
    if not np.isfinite(inputs).all():
        raise ValueError("`inputs` must be finite. Got NaN or infinity. Remove or repair those recordings.")


def _whole_numbers(field: str, values: Any, number: int) -> Int[np.ndarray, " n"]:
    found = as_array(field, values)
    if found.dtype.kind not in "iu" or found.ndim != 1:
        raise ValueError(
            f"`{field}` must hold one whole number for each recording. Got {found.dtype} {found.shape}. "
            f"Convert it with `np.asarray(..., np.int32)`."
        )
    if len(found) != number:
        raise ValueError(
            f"`{field}` must have one entry for each of the {number} recordings in `inputs`. "
            f"Got {len(found)}. Build all three from the same recordings."
        )
    return found


@dataclass(frozen=True, eq=False)
class Splits:
    """Recordings to train on, to choose settings on, and to report once."""

    train: Dataset
    validation: Dataset
    test: Dataset

    def __post_init__(self):
        for part in ("train", "validation", "test"):
            judge(part, getattr(self, part), Dataset)

    def flattened(self) -> "Splits":
        """The same recordings as `(n, steps, channels)`, for layers that know no image; nothing is copied."""
        return Splits(self.train.flattened(), self.validation.flattened(), self.test.flattened())
