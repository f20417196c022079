"""Wrong names answered with the near ones."""

from collections.abc import Iterable

from device_models._checks._names import nearest


def did_you_mean(kind: str, name: str, known: Iterable[str]) -> str:
    """The message for a `name` that is not among the `known` ones."""
    return f"{kind} must be a known name. Got {name!r}. Did you mean {nearest(str(name), sorted(known))}?"
