"""Signatures as a reader wants them: without the modules that types come from, without long defaults."""

import inspect
import re
from functools import cache
from typing import Any

from names import homes

LONGEST_DEFAULT = 48


def signature(thing: Any, *, bound: bool = False) -> str:
    """`(device: AbstractDevice, ...) -> Chip` of a class or function; empty where it has none."""
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):
        return ""
    parameters = list(found.parameters.values())
    if bound and parameters and parameters[0].name in ("self", "cls"):
        parameters = parameters[1:]
    returns = inspect.Signature.empty if isinstance(thing, type) else found.return_annotation
    shown = found.replace(parameters=[with_short_default(each) for each in parameters], return_annotation=returns)
    return tidy(str(shown))


class Shown:
    """Prints as `text` where a default is printed."""

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return self.text


def with_short_default(parameter: inspect.Parameter) -> inspect.Parameter:
    if parameter.default is parameter.empty:
        return parameter
    return parameter.replace(default=Shown(short(parameter.default)))


def short(value: Any, longest: int = LONGEST_DEFAULT) -> str:
    """`value` as code: whole, or `Name(...)` where that is long, a function by its name."""
    if callable(value) and hasattr(value, "__qualname__"):
        return value.__qualname__.replace("<locals>.", "").replace("<lambda>", "...")
    text = re.sub(r"\s+", " ", repr(value))
    if len(text) <= longest and not text.startswith("<"):
        return text
    return f"{type(value).__name__}(...)" if not isinstance(value, (tuple, list, dict)) else "..."


def tidy(text: str) -> str:
    text = re.sub(r"~(?=\w)", "", text)
    text = re.sub(r"(?:\b[A-Za-z_]\w*\.)+\w+", at_home, text)
    text = with_bars(text.replace("NoneType", "None"))
    text = re.sub(r"<[^<>]*>", "...", text)
    head, arrow, returned = text.rpartition(" -> ")
    return f"{head} -> {returned.strip(chr(39))}" if arrow else text


def with_bars(text: str) -> str:
    """`Union[a, b[c]]` as `a | b[c]`, and `Optional[a]` as `a | None`."""
    while found := re.search(r"\b(Union|Optional)\[", text):
        parts, depth, start, end = [], 0, found.end(), found.end()
        while depth >= 0:
            depth += {"[": 1, "]": -1}.get(text[end], 0)
            if depth < 0 or (depth == 0 and text[end] == ","):
                parts.append(text[start:end].strip())
                start = end + 1
            end += 1
        parts += ["None"] * (found[1] == "Optional")
        text = text[: found.start()] + " | ".join(parts) + text[end:]
    return text


def at_home(found: re.Match) -> str:
    """A type by where it is described, of which Sphinx shows the last word and makes a link, or else its last word."""
    return "~" + places()[found[0]] if found[0] in places() else found[0].rpartition(".")[2]


@cache
def places() -> dict[str, str]:
    """Where each public class is described, by the name that Python prints for it."""
    kinds = [home for home in homes().values() if isinstance(home.thing, type)]
    return {f"{home.thing.__module__}.{home.thing.__qualname__}": home.full for home in kinds}
