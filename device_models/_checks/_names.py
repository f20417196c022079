"""Names of things, and wrong names answered with the near ones."""

import difflib
from collections.abc import Iterable, Mapping
from typing import TypeVar

Entry = TypeVar("Entry")


def nearest(name: str, known: Iterable[str], *, otherwise: Iterable[str] | None = None) -> str:
    """The names among the `known` ones that are near to `name`; where none is, `otherwise`, or all.

    Capital letters and small ones are the same here. A name that is right but for them is the only near one.
    """
    known, folded = list(known), {}
    for each in known:
        folded.setdefault(each.casefold(), []).append(each)
    wanted = name.casefold()
    close = [wanted] if wanted in folded else difflib.get_close_matches(wanted, folded, n=3, cutoff=0.4)
    near = [each for match in close for each in folded[match]]
    return " or ".join(near or (known if otherwise is None else otherwise))


def did_you_mean(kind: str, name: str, known: Iterable[str], *, what: str = "a known name") -> str:
    """The message for a `name` that is not among the `known` ones."""
    return f"{kind} must be {what}. Got {name!r}. Did you mean {nearest(str(name), sorted(known))}?"


def lookup(kind: str, name: str, table: Mapping[str, Entry]) -> Entry:
    """The entry of `name`; `ValueError` with the near names where there is none."""
    if name not in table:
        raise ValueError(did_you_mean(kind, name, table, what="a known one"))
    return table[name]
