"""What a model is trained on and judged by, whatever it comes as: samples, labels, and how much of each counts."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
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
        if not is_batched(data, name):
            raise ValueError(f"`{name}` must be {FORMS}. Got {described(data)}.")
        found = list(batches(data, name))
        if not found:
            raise ValueError(f"`{name}` must hold at least one batch. Got none; was it used up?")
        for number, batch in enumerate(found):
            check_alike(batch, found[0], number, name)
        return jax.tree.map(lambda *values: jnp.concatenate(values), *found)

    @property
    def kind(self) -> Literal["classes", "numbers"]:
        """What the labels are."""
        return "numbers" if jnp.issubdtype(self.labels.dtype, jnp.floating) else "classes"

    @property
    def targets_over_time(self) -> bool:
        """Whether there is a target for each step of recordings that are padded."""
        steps = self.xs.shape[1:2]
        return self.lengths is not None and self.kind == "numbers" and self.labels.shape[1:2] == steps != ()

    def check_meant(self, name: str) -> None:
        """Raises `ValueError` for one-hot rows, which nobody said were numbers to be predicted."""
        labels = self.labels
        if self.kind == "classes" or labels.ndim != 2 or labels.shape[1] < 2 or isinstance(labels, Tracer):
            return
        if bool((((labels == 0) | (labels == 1)).all(1) & (labels.sum(1) == 1)).all()):
            raise ValueError(
                f"`labels` must be one whole number for each sample where they are classes. Got one-hot rows, "
                f"{labels.shape}, of floats. Write `labels.argmax(1)`, or `{name}`, to predict them as numbers."
            )

    def __len__(self) -> int:
        return self.xs.shape[0]

    def take(self, indices: Array | slice) -> "Samples":
        """The samples at `indices`."""
        return jax.tree.map(lambda values: values[indices], self)


def batches(data: Any, name: str = "data") -> Iterator[Samples]:
    """The batches of an iterable, one pass."""
    for batch in data:
        yield Samples.of(_dataset(_batch(batch, name), name))


def is_batched(data: Any, name: str = "data") -> bool:
    """Whether `data` comes as an iterable of batches. Raises `ValueError` for a tuple of several sets."""
    if isinstance(data, Dataset | Samples) or _is_pair(data) or not _is_iterable(data):
        return False
    if isinstance(data, tuple):
        raise ValueError(
            f"`{name}` must be one set: (xs, ys), or a list of batches. Got a tuple of {len(data)}. A training and a "
            "validation set? Write `fit(model, train, validation=validation)`."
        )
    return True


def check_alike(batch: Samples, first: Samples, number: int, name: str = "data") -> None:
    """Raises `ValueError` for a batch that is not of the same samples, labels and lengths as the first."""

    def form(samples: Samples) -> tuple[Any, ...]:
        return samples.xs.shape[1:], samples.labels.shape[1:], samples.kind, samples.lengths is not None

    if form(batch) != form(first):
        words = [
            f"samples of shape {xs}, labels of shape {labels} that are {kind}, {'with' if counted else 'no'} lengths"
            for xs, labels, kind, counted in (form(first), form(batch))
        ]
        raise ValueError(
            f"All batches of `{name}` must be alike. Got {words[0]}, and in batch {number} {words[1]}. Pad samples and "
            "cast labels to one form."
        )


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
