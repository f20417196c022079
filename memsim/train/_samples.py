"""What a model is trained on and judged by, whatever it comes as: samples, labels, and how much of each counts."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, Num

from .._checks import described
from ..data import Dataset, Splits

FORMS = "a `memsim.data.Dataset`, a pair of arrays (xs, ys), or an iterable of such batches"


class Samples(NamedTuple):
    """Samples on the first axis, the label of each, and the steps of each that count; `None` where all do."""

    xs: Num[Array, "n *sample"]
    labels: Num[Array, "n *targets"]
    lengths: Int[Array, " n"] | None = None

    @classmethod
    def of(cls, data: Any, name: str = "data") -> "Samples":
        """All of `data` as arrays. Raises `ValueError` for what is none of the forms that data may have."""
        if isinstance(data, Samples):
            return data
        if isinstance(data, Splits):
            raise ValueError(f"`{name}` must be one set. Got three; pass one of them, such as `data.test`.")
        if isinstance(data, Dataset):
            lengths = None if data.lengths is None else jnp.asarray(data.lengths)
            return cls(jnp.asarray(data.inputs), jnp.asarray(data.labels), lengths)
        if _is_pair(data):
            return cls.of(_dataset(data, name))
        if not _is_iterable(data):
            raise ValueError(f"`{name}` must be {FORMS}. Got {described(data)}.")
        found = [_batch(batch, name) for batch in data]
        if not found:
            raise ValueError(f"`{name}` must hold at least one batch. Got none; was it used up?")
        xs, labels, lengths = zip(*found, strict=True)
        counted = None if lengths[0] is None else np.concatenate(lengths)
        return cls.of(Dataset(np.concatenate(xs), np.concatenate(labels), lengths=counted))

    @property
    def kind(self) -> Literal["classes", "numbers"]:
        """What the labels are."""
        return "numbers" if jnp.issubdtype(self.labels.dtype, jnp.floating) else "classes"

    def __len__(self) -> int:
        return self.xs.shape[0]

    def take(self, indices: Array | slice) -> "Samples":
        """The samples at `indices`."""
        return jax.tree.map(lambda values: values[indices], self)


def batches(data: Any, name: str = "data") -> Iterator[Samples]:
    """The batches of an iterable, one pass."""
    for batch in data:
        yield Samples.of(_dataset(_batch(batch, name), name))


def is_batched(data: Any) -> bool:
    """Whether `data` comes as an iterable of batches."""
    return not isinstance(data, Dataset | Samples) and not _is_pair(data) and _is_iterable(data)


def check_repeats(data: Any, name: str = "data") -> None:
    """Raises `ValueError` for an iterable that can be gone through only once."""
    if iter(data) is data:
        raise ValueError(
            f"`{name}` must give its batches anew in every epoch. Got {described(data)}, which is used up after one; "
            "pass the loader itself, or a list of the batches."
        )


def _is_pair(data: Any) -> bool:
    """Whether it is (xs, ys) or (xs, ys, lengths), not a list of batches."""
    return isinstance(data, tuple) and len(data) in (2, 3) and not any(isinstance(each, tuple | dict) for each in data)


def _is_iterable(data: Any) -> bool:
    return isinstance(data, Iterable) and not isinstance(data, str | bytes | dict | np.ndarray | jax.Array)


def _batch(batch: Any, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    if isinstance(batch, Dataset):
        return batch.inputs, batch.labels, batch.lengths
    if not isinstance(batch, tuple | list) or len(batch) not in (2, 3):
        raise ValueError(f"A batch of `{name}` must be (xs, ys), or (xs, ys, lengths). Got {described(batch)}.")
    xs, ys, *lengths = batch  # tensors of other libraries, too
    counted = np.asarray(lengths[0]) if lengths and lengths[0] is not None else None
    return np.asarray(xs), np.asarray(ys), counted


def _dataset(data: Any, name: str) -> Dataset:
    xs, ys, lengths = _batch(data, name)
    return Dataset(xs, ys, lengths=lengths)
