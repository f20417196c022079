"""Wrong names answered with the near ones."""

import difflib
from collections.abc import Iterable


def did_you_mean(kind: str, name: str, known: Iterable[str]) -> str:
    """The message for a `name` that is not among the `known` ones."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or known
    return f"{kind} must be a known name. Got {name!r}. Did you mean {' or '.join(near)}?"
