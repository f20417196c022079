"""A labelled set of recordings, and its three splits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32, Int, Int32, Num, Shaped, UInt8

from .._checks import judge
from ._arrays import as_array

LARGEST = 2**31 - 1
CLASSES, NUMBERS = "classes", "numbers"


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples with a label each: `Dataset(xs, ys)`.

    **Arguments:**

    - `inputs`: One sample a row: images `(n, channels, height, width)`, vectors `(n, features)`, recordings
      `(n, steps, channels)`, or `(n, steps, 2, height, width)` from an event camera. Kept as float32; as uint8 where
      they are bytes or truth values, in a quarter of the memory, cast where a batch is used; and as int32 where they
      are other whole numbers, such as tokens.
    - `labels`: The class of each, `(n,)`, an index into `class_names`: whole numbers of any dtype, kept as int32. Or
      what is to be predicted, `(n, *targets)`, as floats, kept as float32.
    - `class_names`: One name for each class; by default their numbers.
    - `lengths`: Of recordings that are padded at their end, the steps that count, `(n,)`. What a network gives out in
      later ones is left out of losses, scores and metrics. `None` where all steps count.
    - `frames`: Frames each recording had originally, `(n,)`; nothing depends on it.
    - `name`: What the set is called.
    - `licence`: Terms under which the data may be passed on.
    - `citation`: What to cite.

    Raises `ValueError` where shapes, types or ranges disagree, where a number is not finite, and where there is none.

    >>> import numpy as np, memsim as ms
    >>> data = ms.data.Dataset(np.zeros((6, 1, 28, 28)), np.arange(6) % 3)
    >>> len(data), data.class_names, data.inputs.dtype.name
    (6, ('0', '1', '2'), 'float32')
    """

    inputs: Float32[np.ndarray, "n *sample"] | UInt8[np.ndarray, "n *sample"] | Int32[np.ndarray, "n *sample"]
    labels: Num[np.ndarray, "n *targets"]
    class_names: tuple[str, ...] = ()
    lengths: Int[np.ndarray, " n"] | None = None
    frames: Int[np.ndarray, " n"] | None = None
    name: str = "data"
    licence: str = ""
    citation: str = ""

    def __init__(
        self,
        inputs: Shaped[Any, "n *sample"] | Sequence[Any],
        labels: Num[Any, "n *targets"] | Sequence[Any],
        class_names: Sequence[str] | None = None,
        *,
        lengths: Int[Any, " n"] | Sequence[int] | None = None,
        frames: Int[Any, " n"] | Sequence[int] | None = None,
        name: str = "data",
        licence: str = "",
        citation: str = "",
    ):
        for field, text in (("name", name), ("licence", licence), ("citation", citation)):
            judge(field, text, str)
            object.__setattr__(self, field, text)
        object.__setattr__(self, "inputs", _inputs(inputs))
        found = as_array("labels", labels)
        if found.dtype.kind == "f":
            if class_names is not None and len(class_names):
                raise ValueError(
                    "`labels` must be whole numbers where there are `class_names`. "
                    f"Got {found.dtype}; cast them, or leave `class_names` out."
                )
            object.__setattr__(self, "labels", _targets(found, len(self)))
            object.__setattr__(self, "class_names", ())
        else:
            judge("class_names", class_names, Sequence[str] | None)
            names = None if class_names is None else tuple(class_names)
            most = None if names is None else len(names) - 1
            labels = self._whole("labels", found, 0, most, "An index into `class_names`: add missing ones or renumber.")
            object.__setattr__(self, "labels", labels)
            object.__setattr__(self, "class_names", names or tuple(map(str, range(int(np.max(labels)) + 1))))
        steps = self.inputs.shape[1] if self.inputs.ndim > 1 else 1
        remedy = "Drop empty recordings."
        object.__setattr__(self, "lengths", self._whole("lengths", lengths, 1, steps, remedy))
        object.__setattr__(self, "frames", self._whole("frames", frames, 1, None, remedy))

    @property
    def of(self) -> Literal["classes", "numbers"]:
        """What the labels are: "classes", or "numbers" that are to be predicted."""
        return NUMBERS if self.labels.dtype.kind == "f" else CLASSES

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, indices: Int[np.ndarray, " taken"] | Sequence[int]) -> "Dataset":
        """The samples at `indices`, in that order. Raises `ValueError` for no indices, and for one that is none."""
        chosen = as_array("indices", indices)
        if chosen.dtype == bool and chosen.shape == (len(self),):
            chosen = np.flatnonzero(chosen)
        if chosen.ndim != 1 or chosen.dtype.kind not in "iu" or np.any((chosen < -len(self)) | (chosen >= len(self))):
            raise ValueError(
                f"`indices` must be whole numbers below {len(self)}, the number of recordings. Got {indices!r:.80}."
            )
        rows = ("inputs", "labels", "lengths", "frames")
        return replace(self, **{row: getattr(self, row)[chosen] for row in rows if getattr(self, row) is not None})

    def flattened(self) -> "Dataset":
        """The same recordings as `(n, steps, channels)`, for layers that know no image; nothing is copied."""
        return replace(self, inputs=self.inputs.reshape(*self.inputs.shape[:2], -1))

    def _whole(self, field: str, values: Any, least: int, most: int | None, remedy: str) -> Any:
        """One whole number for each sample, as int32; `None` for none."""
        if values is None:
            return None
        found = as_array(field, values)
        if found.dtype.kind not in "iu" or found.ndim != 1:
            raise ValueError(
                f"`{field}` must hold one whole number for each recording. Got {found.dtype} {found.shape}. "
                + _as_whole(found)
            )
        if len(found) != len(self):
            raise ValueError(
                f"`{field}` must have one entry for each of the {len(self)} recordings in `inputs`. "
                f"Got {len(found)}. Build all of them from the same recordings."
            )
        if np.any((found < least) | (found > (LARGEST if most is None else most))):
            limit = "" if most is None else f", from {least} to {most}"
            raise ValueError(f"`{field}` must be at least {least}{limit}. Got {found.min()} to {found.max()}. {remedy}")
        return found.astype(np.int32)


def _as_whole(found: np.ndarray) -> str:
    """How what is not one whole number for each recording becomes that."""
    if found.dtype.kind == "U":
        return "Number the names: `names, labels = np.unique(labels, return_inverse=True)`."
    if found.ndim == 2:
        return "Take the only column: `[:, 0]`." if found.shape[1] == 1 else "One-hot? Write `labels.argmax(1)`."
    return "Convert it with `np.asarray(..., np.int32)`."


def _inputs(values: Any) -> np.ndarray:
    found = as_array("inputs", values)
    if found.dtype.kind not in "fiub":
        raise ValueError(
            "`inputs` must be numbers, one sample a row. "
            f"Got {found.dtype} {found.shape}. Convert them with `np.asarray(..., np.float32)`."
        )
    if found.size == 0 or found.ndim == 0:
        raise ValueError(
            f"`inputs` must hold at least one sample, and one number in each. Got shape {found.shape}. "
            "Was anything selected?"
        )
    if found.dtype.kind == "b" or found.dtype == np.uint8:
        return found.astype(np.uint8, copy=False)
    if found.dtype.kind in "iu":
        if found.min() < -LARGEST - 1 or found.max() > LARGEST:
            raise ValueError(f"Whole numbers in `inputs` must fit int32. Got {found.min()} to {found.max()}.")
        return found.astype(np.int32, copy=False)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused as such
        found = found.astype(np.float32, copy=False)
    if not np.isfinite(found).all():
        raise ValueError("`inputs` must be finite. Got NaN or infinity. Remove or repair those recordings.")
    return found


def _targets(values: np.ndarray, number: int) -> np.ndarray:
    if values.shape[:1] != (number,):
        raise ValueError(
            f"`labels` must have one entry for each of the {number} recordings in `inputs`. Got shape {values.shape}."
        )
    with np.errstate(over="ignore"):
        found = values.astype(np.float32)
    if not np.isfinite(found).all():
        raise ValueError("`labels` must be finite. Got NaN or infinity. Remove or repair those recordings.")
    return found


@dataclass(frozen=True, eq=False)
class Splits:
    """Recordings to train on, to choose settings on, and to report once.

    **Arguments:**

    - `train`, `validation`, `test`: A `Dataset` each.

    >>> import memsim as ms
    >>> data = ms.data.spoken_digits()
    >>> len(data.train), len(data.validation), len(data.test)
    (1800, 600, 600)
    """

    train: Dataset
    validation: Dataset
    test: Dataset

    def __post_init__(self):
        for part in ("train", "validation", "test"):
            judge(part, getattr(self, part), Dataset)

    def flattened(self) -> "Splits":
        """The same recordings as `(n, steps, channels)`, for layers that know no image; nothing is copied."""
        return Splits(self.train.flattened(), self.validation.flattened(), self.test.flattened())
