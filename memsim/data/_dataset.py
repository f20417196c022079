"""A labelled set of recordings, and its three splits."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Int, Int32, UInt8


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled recordings of equal duration in steps.

    **Arguments:**

    - `name`: What the set is called.
    - `inputs`: One recording a row, `(n, steps, channels)`, or `(n, steps, 2, height, width)` from an event camera;
        float32, or uint8 for counts in a quarter of the memory, to be cast where a batch is used.
    - `labels`: Class of each recording, `(n,)`, an index into `class_names`, int32.
    - `lengths`: Frames each recording had originally, `(n,)`, int32.
    - `class_names`: One name for each class.
    - `licence`: Terms under which the data may be passed on.
    - `citation`: What to cite.

    Raises `ValueError` where shapes, types or ranges disagree.
    """

    name: str
    inputs: Float32[np.ndarray, "n steps *channels"] | UInt8[np.ndarray, "n steps *channels"]
    labels: Int32[np.ndarray, " n"]
    lengths: Int32[np.ndarray, " n"]
    class_names: tuple[str, ...]
    licence: str
    citation: str

    def __post_init__(self):
        counts = isinstance(self.inputs, np.ndarray) and self.inputs.dtype == np.uint8
        self._check_array("inputs", np.uint8 if counts else np.float32, 3, or_more=True)
        for field in ("labels", "lengths"):
            self._check_array(field, np.int32, 1)
            if len(getattr(self, field)) != len(self.inputs):
                raise ValueError(
                    f"`{field}` must have one entry for each of the {len(self.inputs)} recordings in `inputs`. "
                    f"Got {len(getattr(self, field))}. Build all three from the same recordings."
                )
        if not counts and not np.isfinite(self.inputs).all():
            raise ValueError("`inputs` must be finite. Got NaN or infinity. Remove or repair those recordings.")
        if np.any((self.labels < 0) | (self.labels >= len(self.class_names))):
            raise ValueError(
                f"`labels` must be from 0 to {len(self.class_names) - 1}, one for each of `class_names`. "
                f"Got {self.labels.min()} to {self.labels.max()}. Add the missing names or renumber."
            )
        if np.any(self.lengths < 1):
            raise ValueError(f"`lengths` must be at least 1. Got {self.lengths.min()}. Drop empty recordings.")

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, indices: Int[np.ndarray, " taken"]) -> "Dataset":
        """The recordings at `indices`, in that order."""
        return replace(self, inputs=self.inputs[indices], labels=self.labels[indices], lengths=self.lengths[indices])

    def flattened(self) -> "Dataset":
        """The same recordings as `(n, steps, channels)`, for layers that know no image; nothing is copied."""
        return replace(self, inputs=self.inputs.reshape(*self.inputs.shape[:2], -1))

    def _check_array(self, field: str, dtype: type, dimensions: int, *, or_more: bool = False) -> None:
        array = getattr(self, field)
        fits = isinstance(array, np.ndarray) and (array.ndim == dimensions or (or_more and array.ndim > dimensions))
        if not fits or array.dtype != dtype:
            came = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
            raise ValueError(
                f"`{field}` must be a NumPy array of {np.dtype(dtype)} with {dimensions} dimensions"
                f"{' or more' * or_more}. "
                f"Got {came}. Convert it with `np.asarray(..., np.{np.dtype(dtype)})`."
            )


@dataclass(frozen=True, eq=False)
class Splits:
    """Recordings to train on, to choose settings on, and to report once."""

    train: Dataset
    validation: Dataset
    test: Dataset

    def flattened(self) -> "Splits":
        """The same recordings as `(n, steps, channels)`, for layers that know no image; nothing is copied."""
        return Splits(self.train.flattened(), self.validation.flattened(), self.test.flattened())
