"""A grid of settings: what each name runs over, how its values are called, and which points share their keys."""

import functools
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.random as jr
import numpy as np
from jaxtyping import Array, Key

from .._checks import described, did_you_mean
from .._keeping import fingerprint
from ._factors import FACTORS

LONGEST_LABEL = 60  # letters of an object's text; beyond, its class alone
MOST_DESCRIBED, LONGEST_CONTENT = 100, 500  # values, and letters of each: an attribute holds 64 kB
WORD = 2**32  # what `jax.random.fold_in` takes is below


class Axis(NamedTuple):
    """What one name of a grid runs over.

    - `labels`: The coordinates in the result.
    - `values`: What the measure is given.
    - `digests`: What tells one value from another, in any process.
    - `folded`: What is folded into the key of a point where this name has keys of its own.
    """

    name: str
    labels: tuple[Any, ...]
    values: tuple[Any, ...]
    digests: tuple[str, ...]
    folded: tuple[int, ...]

    @classmethod
    def of(cls, name: str, given: Any) -> "Axis":
        """Raises `ValueError` for values that are empty, repeated, or that nothing tells apart."""
        labels, values = _labels_and_values(name, given)
        digests = tuple(_digest(name, value) for value in values)
        where = {}
        for label, digest in zip(labels, digests, strict=True):
            if label in where or (digest in where.values() and not isinstance(given, Mapping)):
                raise ValueError(f"`grid` must give each value of `{name}` once. Got {label!r} again.")
            where[label] = digest
        named = labels if isinstance(given, Mapping) else values
        return cls(name, labels, values, digests, tuple(map(_folded, named)))


class Point(NamedTuple):
    """One point of a grid: its `place` along each axis, its `values`, and how these are `called`."""

    place: tuple[int, ...]
    values: dict[str, Any]
    called: dict[str, Any]
    digest: str

    def __str__(self) -> str:
        return ", ".join(f"{name}={label}" for name, label in self.called.items())


class Grid(NamedTuple):
    """The axes, and the names along which points have `own` keys."""

    axes: tuple[Axis, ...]
    own: tuple[str, ...]

    @classmethod
    def of(cls, grid: Mapping[str, Any], unpaired: Sequence[str] = ()) -> "Grid":
        """Raises `ValueError` for what is no grid."""
        if not grid:
            raise ValueError('`grid` must name one or more arguments of `measure`. Got none; write {"seed": range(3)}.')
        for name in grid:
            if not isinstance(name, str) or not name.isidentifier() or name == "key":
                raise ValueError(
                    f"A name in `grid` must be that of an argument other than `key`, which is drawn. Got {name!r}."
                )
        for name in unpaired:
            if name not in grid:
                raise ValueError(did_you_mean("A name in `unpaired`", name, grid))
        axes = tuple(Axis.of(name, given) for name, given in grid.items())
        return cls(axes, tuple(sorted(name for name in grid if name in FACTORS or name in unpaired)))

    @property
    def names(self) -> tuple[str, ...]:
        """The dimensions."""
        return tuple(axis.name for axis in self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each dimension has."""
        return tuple(len(axis.labels) for axis in self.axes)

    @property
    def size(self) -> int:
        """How many points there are."""
        return math.prod(self.shape)

    def points(self) -> Iterator[Point]:
        """All points, the last axis varying fastest."""
        for place in itertools.product(*map(range, self.shape)):
            values = {axis.name: axis.values[at] for axis, at in zip(self.axes, place, strict=True)}
            called = {axis.name: axis.labels[at] for axis, at in zip(self.axes, place, strict=True)}
            digests = {axis.name: axis.digests[at] for axis, at in zip(self.axes, place, strict=True)}
            yield Point(place, values, called, fingerprint(digests).digest)

    def key_of(self, point: Point, key: Key[Array, ""]) -> Key[Array, ""]:
        """The key of a point: `key`, folded with the value along each name that has keys of its own, by alphabet.

        The order of the grid, its size and the other names play no part.
        """
        place = dict(zip(self.names, point.place, strict=True))
        folded = {axis.name: axis.folded for axis in self.axes}
        for name in self.own:
            key = jr.fold_in(key, np.uint32(folded[name][place[name]]))
        return key

    def shared(self, keyed: bool) -> str:
        """Which names share keys, in words."""
        if not keyed:
            return "no key was given"
        paired = [name for name in self.names if name not in self.own]
        words = []
        if paired:
            words.append(f"the same keys, so the same chance, at every value of {', '.join(paired)}")
        if self.own:
            words.append(f"keys of its own at each value of {', '.join(self.own)}")
        return "; ".join(words)

    def described(self) -> dict[str, Any]:
        """What was swept: the values of each name; of objects, how they are called and what they hold."""
        return {axis.name: _described(axis) for axis in self.axes}


def _labels_and_values(name: str, given: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    if isinstance(given, Mapping):
        labels, values = tuple(map(_plain, given)), tuple(map(_plain, given.values()))
        if not (_are_numbers(labels) or all(isinstance(label, str) for label in labels)):
            raise ValueError(f"Names of values in `grid` must be all text or all numbers. Got {labels} for `{name}`.")
    else:
        values = tuple(map(_plain, _listed(name, given)))
        labels = values if _are_numbers(values) else _texts(values)
    if not values:
        raise ValueError(f"`grid` must give at least one value for `{name}`. Got none.")
    return labels, values


def _listed(name: str, given: Any) -> list[Any]:
    if isinstance(given, np.ndarray | jax.Array):
        if given.ndim == 1:
            return list(given)
        raise ValueError(f"An array in `grid` must have one axis. Got {described(given)} for `{name}`.")
    if isinstance(given, str | bytes) or not isinstance(given, Sequence):
        raise ValueError(
            f"`grid` must give a list, or a mapping of names to values, for `{name}`. Got {described(given)}; "
            "write [value] for a single one."
        )
    return list(given)


def _plain(value: Any) -> Any:
    """A number of NumPy or JAX as one of Python, so that how it was written plays no part."""
    if isinstance(value, np.generic | np.ndarray | jax.Array) and np.ndim(value) == 0 and value.dtype.kind in "biufU":
        return value.item()
    return value


def _are_numbers(values: Sequence[Any]) -> bool:
    numbers = all(isinstance(value, bool | int | float) for value in values)
    if numbers and any(math.isnan(value) for value in values):
        raise ValueError("A number in `grid` must not be NaN, which no coordinate can be found by.")
    return numbers


def _texts(values: Sequence[Any]) -> tuple[str, ...]:
    """What values are called where they are not all numbers: no two the same."""
    found: list[str] = []
    for value in values:
        text, count = _text(value), 2
        while text in found and not isinstance(value, str):
            text, count = f"{_text(value)} ({count})", count + 1
        found.append(text)
    return tuple(found)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, functools.partial):
        return _text(value.func)
    if isinstance(name := getattr(value, "__name__", None), str):
        return name
    text = " ".join(eqx.tree_pformat(value, width=10_000).split())
    return text if len(text) <= LONGEST_LABEL and " at 0x" not in text else type(value).__name__


def _digest(name: str, value: Any) -> str:
    found = fingerprint(value)
    if found.unknown:
        raise ValueError(
            f"`grid` must hold values that can be told from others, such as numbers, text, arrays, functions and "
            f"modules. Got {', '.join(found.unknown)} for `{name}`; pass what it is made of."
        )
    return found.digest


def _folded(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < WORD:
        return value
    return int(fingerprint(value).digest[:8], 16)


def _described(axis: Axis) -> Any:
    if len(axis.labels) > MOST_DESCRIBED:
        return f"{len(axis.labels)} values, from {axis.labels[0]} to {axis.labels[-1]}"
    if all(label is value for label, value in zip(axis.labels, axis.values, strict=True)):
        return list(axis.labels)
    return {str(label): _content(value) for label, value in zip(axis.labels, axis.values, strict=True)}


def _content(value: Any) -> str:
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if isinstance(name, str):
        return f"{module}.{name}"
    return " ".join(eqx.tree_pformat(value, width=10_000).split())[:LONGEST_CONTENT]
