"""Docstrings, and words in other pages, as MyST: examples in fences, names and keys of papers as links."""

import re
from collections.abc import Callable, Iterator

from bibliography import keys
from names import homes, rooms

ALIASES = {"ms": "memsim", "dm": "device_models", "memsim": "memsim", "device_models": "device_models"}
DOTTED = re.compile(r"(?<![`\w}])`((?:ms|dm|memsim|device_models)(?:\.\w+)+)([^`<>\w.][^`<>]*)?`(?!`)")
BARE = re.compile(r"(?<![`\w])`([A-Z]\w+)(?:\(\))?`(?!`)")
CITED = re.compile(r"(?<![\[\w@`-])([A-Z][A-Za-z]+(?:19|20)\d\d)(?![\w\]`])")
FENCE = re.compile(r"^\s*(`{3,}|~{3,})")


def of_docstring(text: str, room: str) -> str:
    """MyST of a docstring of a name in `room`."""
    return outside_code(fenced(text), lambda line: cited(linked(line, room)))


def of_page(text: str) -> str:
    """A page whose dotted names, `ms.Crossbar`, are links."""
    return outside_code(text, lambda line: DOTTED.sub(to_name, line))


def fenced(text: str) -> str:
    """`>>>` examples, to the next empty line, in fences of their own, however far they are indented."""
    return "\n".join(with_fences(text.splitlines()))


def with_fences(lines: list[str]) -> Iterator[str]:
    within, indent = False, None  # of the example that is under way
    for line in lines:
        within ^= bool(FENCE.match(line))
        if not within and indent is None and line.lstrip().startswith(">>>"):
            indent = len(line) - len(line.lstrip())
            yield from ("", "```pycon")
        if indent is not None and not line.strip():
            indent = None
            yield "```"
        yield line[indent:] if indent is not None else line
    if indent is not None:
        yield "```"


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """`text` with `change` made to each line that is not in a fence; the content of a directive is prose."""
    lines, closing, directives = [], "", []
    for line in text.splitlines():
        fence = FENCE.match(line)
        if closing:
            closing = "" if line.strip() == closing else closing
        elif fence and directives and line.strip() == directives[-1]:
            directives.pop()
        elif fence and "{" in line and "{code-cell}" not in line:
            directives.append(fence[1])
        elif fence:
            closing = fence[1]
        else:
            line = change(line)
        lines.append(line)
    return "\n".join(lines)


def cited(line: str) -> str:
    """Keys of the bibliography, outside code, as links to it."""
    parts = re.split(r"(`[^`]*`|\$[^$]*\$)", line)
    return "".join(part if n % 2 else CITED.sub(to_key, part) for n, part in enumerate(parts))


def to_key(found: re.Match) -> str:
    return f"[{found[1]}](#ref-{found[1].lower()})" if found[1] in keys() else found[0]


def linked(line: str, room: str) -> str:
    """Names in code, of the room itself or of any, as links to where they are described."""

    def to_bare(found: re.Match) -> str:
        home = by_bare(found[1], room)
        return f"{{py:obj}}`{found[1]} <{home}>`" if home else found[0]

    return BARE.sub(to_bare, DOTTED.sub(to_name, line))


def to_name(found: re.Match) -> str:
    """`ms.name`, `ms.name(...)` or `ms.name(...).member` as a link to what is described."""
    top, *rest = found[1].split(".")
    full = by_full(".".join([ALIASES[top], *rest]))
    return f"{{py:obj}}`{found[1]}{found[2] or ''} <{full}>`" if full else found[0]


def by_full(full: str) -> str | None:
    """Where `full`, a public name, is described."""
    if full in rooms():
        return full
    for name in rooms().get(full.rpartition(".")[0], ()):
        if name.full == full:
            home = homes().get(id(name.thing))
            return home.full if home else full
    return None


def by_bare(word: str, room: str) -> str | None:
    """Where the one public name `word` is described, that of `room` before others; none where several are."""
    found = {name.full: name for names in rooms().values() for name in names if name.name == word and not name.is_room}
    if f"{room}.{word}" in found:
        return by_full(f"{room}.{word}")
    places = {by_full(full) for full in found}
    return places.pop() if len(places) == 1 else None
