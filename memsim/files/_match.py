"""Which array of elsewhere is which of a model, by their names."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from .._checks import nearest
from ._forms import IGNORED, Part, forms

Name = tuple[str, ...]  # split at the dots: ("layers", "0", "weight")
Arrays = dict[Name, tuple[str, np.ndarray]]  # by their names as they are looked for: as they are called, and they
GATES = re.compile(r"((?:weight|bias)_(?:ih|hh))_l(\d+)$")
LAYERS = 6  # names that a message shows


class Place(NamedTuple):
    """A layer of a model: its path, its path split, and itself."""

    path: str
    name: Name
    layer: Any


class Matched(NamedTuple):
    """The parts of all layers with the arrays they are made of; what lacks, and what is left over."""

    found: list[tuple[Place, Part, list[str]]]
    missing: list[str]
    left: list[str]


def matched(places: list[Place], source: dict[str, np.ndarray]) -> Matched:
    """The layers of a model with the arrays of `source`, whose names have been given new ones by a map, or not.

    Names are compared as they are first, then with numbers counted among what holds weights, so that torch's layers 0,
    2 and 4 are `.layers[0]`, `.layers[1]` and `.layers[2]`; both also without what is before all names.
    """
    best = None
    theirs, ours = [_torch_names(source)], [[canonical(place.name) for place in places]]
    for ranked in (False, True):
        for named in theirs:
            for names in ours:
                for some, cut in _without_common(list(named.values()), list(names)):
                    keys = dict(zip(named, _ranked(some) if ranked else some, strict=True))
                    if len(set(keys.values())) < len(keys):
                        continue
                    wanted = _ranked(cut) if ranked else cut
                    found = _compared(places, wanted, {key: (name, source[name]) for name, key in keys.items()})
                    if not (found.missing or found.left):
                        return found
                    if best is None or len(found.missing) + len(found.left) < len(best.missing) + len(best.left):
                        best = found
    assert best is not None
    return best


def canonical(name: Iterable[str]) -> Name:
    """A name without what only containers add: the `layers` of a sequence, the `layer` of what a network wraps."""
    parts = list(name)
    kept = [
        part
        for place, part in enumerate(parts)
        if not (part == "layers" and place + 1 < len(parts) and parts[place + 1].isdecimal()) and part != "layer"
    ]
    return tuple(kept)


def split(name: str) -> Name:
    """A name of elsewhere, or a path of a model such as ".layers[0].weight", at its dots and brackets."""
    return tuple(part for part in re.split(r"[.\[\]'\"/]+", name) if part)


def renamed(source: Mapping[str, np.ndarray], names: Any) -> dict[str, np.ndarray]:
    """`source` with its names changed by a map or a function; what becomes `None` is left out."""
    if names is None:
        return dict(source)
    change: Callable[[str], Any] = names if callable(names) else _by_prefix(names, source)
    new: dict[str, np.ndarray] = {}
    for name, array in source.items():
        other = change(name)
        if other is None:
            continue
        if not isinstance(other, str):
            raise ValueError(f"`names` must give a name or None. Got {other!r} for {name!r}.")
        if other in new:
            raise ValueError(f"`names` must give each array a name of its own. Got {other!r} twice, for {name!r} too.")
        new[other] = array
    return new


def _by_prefix(names: Mapping[str, str | None], source: Mapping[str, Any]) -> Callable[[str], str | None]:
    used: set[str] = set()

    def change(name: str) -> str | None:
        parts = split(name)
        for size in range(len(parts), 0, -1):
            for old in names:
                if split(old) == parts[:size]:
                    used.add(old)
                    new = names[old]
                    return None if new is None else ".".join((*split(new), *parts[size:]))
        return name

    for name in source:
        change(name)
    if unused := [old for old in names if old not in used]:
        raise ValueError(
            f"`names` must name arrays of `source`, or what their names begin with. Got {unused[0]!r}. Did you mean "
            f"{nearest(unused[0], list(source), otherwise=list(source)[:LAYERS])}?"
        )
    return change


def _torch_names(source: Mapping[str, Any]) -> dict[str, Name]:
    """Names split, and the layers of torch's recurrent networks as layers: "rnn.bias_ih_l1" is rnn, 1, bias_ih."""
    names = {name: split(name) for name in source}
    deep = {parts[:-1] for parts in names.values() if parts and (found := GATES.match(parts[-1])) and int(found[2])}
    new = {}
    for name, parts in names.items():
        found = GATES.match(parts[-1]) if parts else None
        if found is not None:
            parts = (*parts[:-1], *((found[2],) if parts[:-1] in deep else ()), found[1])
        new[name] = canonical(parts)
    return new


def _without_common(theirs: list[Name], ours: list[Name]) -> Iterable[tuple[list[Name], list[Name]]]:
    """Both lists of names, without some of what stands before all names of one."""
    for cut in range(_common(ours, 0) + 1):
        for off in range(_common(theirs, 1) + 1):
            yield [name[off:] for name in theirs], [name[cut:] for name in ours]


def _common(names: list[Name], least: int) -> int:
    """How many parts all names begin with, so that at least so many of each are left."""
    most = min((len(name) for name in names), default=0) - least
    count = 0
    while count < most and len({name[count] for name in names}) == 1:
        count += 1
    return max(count, 0)


def _ranked(names: list[Name]) -> list[Name]:
    """Names whose numbers are counted among those that stand in one place."""
    numbers: dict[Name, set[int]] = {}
    for name in names:
        for place, part in enumerate(name):
            if part.isdecimal():
                numbers.setdefault(name[:place], set()).add(int(part))
    ranks = {
        place: {number: str(rank) for rank, number in enumerate(sorted(found))} for place, found in numbers.items()
    }
    return [
        tuple(ranks[name[:place]][int(part)] if part.isdecimal() else part for place, part in enumerate(name))
        for name in names
    ]


def _compared(places: list[Place], names: list[Name], source: Arrays) -> Matched:
    found, missing, used = [], [], set()
    for place, name in zip(places, names, strict=True):
        options = [_fitted(parts, name, source) for parts in forms(place.layer)]
        best = min(options, key=lambda option: (len(option[1]), _misfits(option[0], source), -len(option[0])))
        found += [(place, part, [source[key][0] for key in keys]) for part, keys in best[0]]
        missing += [
            f"{place.path}{part.leaf}" if part.leaf.startswith(".") else f"{place.path}.{part.leaf}" for part in best[1]
        ]
        used |= {key for _, keys in best[0] for key in keys}
    left = [name for key, (name, _) in source.items() if key not in used and not (key and key[-1] in IGNORED)]
    return Matched(found, missing, left)


def _misfits(there: list[tuple[Part, list[Name]]], source: Arrays) -> int:
    """How many arrays are of another shape than a form asks for."""
    pairs = [
        (source[key][1].shape, shape) for part, keys in there for key, shape in zip(keys, part.shapes, strict=True)
    ]
    return sum(found != shape for found, shape in pairs)


def _fitted(parts: tuple[Part, ...], name: Name, source: Arrays) -> tuple[list[tuple[Part, list[Name]]], list[Part]]:
    """Parts with the names that they are made of, and parts of which one is missing."""
    there, missing = [], []
    for part in parts:
        keys = [canonical((*name, *below.split("."))) for below in part.names] or [name]
        if all(key in source for key in keys):
            there.append((part, keys))
        else:
            missing.append(part)
    return there, missing
