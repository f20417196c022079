"""The reference: a page a room, with every public name, its signature and its docstring."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from names import Name, docstring, homes, rooms
from prose import of_docstring
from signatures import short, signature

OURS = ("memsim.", "device_models.")
HEAD = """# Reference

Every public name, a page a room. `import memsim as ms` and `import device_models as dm`; a name is imported when it is
first asked for. Units are SI throughout.

"""


def pages(shown: Mapping[str, str]) -> dict[str, str]:
    """The text of each page by its name, with the figures `shown` of names."""
    found = {room: page(room, shown) for room in rooms()}
    count = sum(not name.is_room for names in rooms().values() for name in names)
    rows = [f"| [`{room}`]({room}.md) | {first(doc_of_room(room))} | {len(rooms()[room])} |" for room in rooms()]
    table = "| room | what is in it | names |\n|---|---|---|\n" + "\n".join(rows)
    contents = "```{toctree}\n:hidden:\n\n" + "\n".join(rooms()) + "\n```\n"
    return {"index": f"{HEAD}{table}\n\n{count} names in all.\n\n{contents}"} | found


def page(room: str, shown: Mapping[str, str]) -> str:
    names = rooms()[room]
    rows = [f"| {link(name)} | {in_cell(summary(name))} |" for name in names]
    table = "| name | what it is |\n|---|---|\n" + "\n".join(rows)
    described = [described_name(name, shown.get(name.full, "")) for name in names if is_at_home(name)]
    module = f"```{{py:module}} {room}\n```\n"
    return f"# `{room}`\n\n{module}\n{doc_of_room(room)}\n\n{table}\n\n" + "\n".join(described)


def doc_of_room(room: str) -> str:
    module = __import__(room, fromlist=["_"])
    return of_docstring(inspect.cleandoc(module.__doc__ or ""), room)


def is_at_home(name: Name) -> bool:
    return not name.is_room and homes().get(id(name.thing), name) == name


def link(name: Name) -> str:
    if name.is_room:
        return f"[`{name.name}`]({name.full}.md)"
    home = homes().get(id(name.thing), name)
    return f"{{py:obj}}`{name.name} <{home.full}>`"


def summary(name: Name) -> str:
    text = doc_of_room(name.full) if name.is_room else of_docstring(docstring(name), name.room)
    return first(text) or f"A constant, a {type(name.thing).__name__} of {len(name.thing)}."


def first(text: str) -> str:
    """The first paragraph."""
    return " ".join(text.partition("\n\n")[0].split())


def in_cell(text: str) -> str:
    return text.replace("|", r"\|")


def described_name(name: Name, shown: str = "") -> str:
    """The directive of one name, with its figure and members within it."""
    text = f"{of_docstring(docstring(name), name.room)}\n\n{shown}".rstrip()
    if isinstance(name.thing, type):
        members = "\n".join(described_member(name, *member) for member in members_of(name.thing))
        return directive("class", name.name + signature(name.thing), f"{inherited(name)}{text}\n\n{members}", 5)
    if callable(name.thing):
        return directive("function", name.name + (signature(name.thing) or "()"), text, 5)
    return directive("data", name.name, f"{text}\n\n{value(name.thing)}", 5)


def directive(kind: str, head: str, body: str, ticks: int) -> str:
    fence = "`" * ticks
    return f"{fence}{{py:{kind}}} {head}\n\n{body.strip()}\n{fence}\n"


def inherited(name: Name) -> str:
    """A sentence on the public classes that a class inherits from."""
    bases = [homes()[id(base)] for base in name.thing.__mro__[1:] if id(base) in homes()]
    links = ", ".join(f"{{py:obj}}`{base.name} <{base.full}>`" for base in bases)
    return f"*A kind of {links}.*\n\n" if links else ""


def members_of(kind: type) -> Iterator[tuple[str, Any, Any]]:
    """Documented public members with their owners: its own, and of bases that are not described themselves."""
    seen = set()
    for base in kind.__mro__:
        if not base.__module__.startswith(OURS) or (base is not kind and id(base) in homes()):
            continue
        for name, raw in vars(base).items():
            if not name.startswith("_") and name not in seen and text_of(raw, base, name):
                seen.add(name)
                yield name, raw, base


def text_of(raw: Any, base: type, name: str) -> str:
    """The docstring of a method or property; a field has none."""
    if isinstance(raw, property):
        return raw.__doc__ or ""
    found = getattr(base, name, None)
    return (getattr(found, "__doc__", "") or "") if inspect.isroutine(found) or hasattr(raw, "__wrapped__") else ""


def described_member(name: Name, member: str, raw: Any, base: type) -> str:
    text = of_docstring(inspect.cleandoc(text_of(raw, base, member)), name.room)
    full = f"{name.name}.{member}"
    if isinstance(raw, property):
        return directive("property", full, text, 4)
    static = isinstance(raw, (staticmethod, classmethod))
    head = full + signature(getattr(base, member), bound=not static)
    return directive("method", head, text, 4)


def value(thing: Any) -> str:
    """A constant as it prints, of a mapping its keys; nothing where that is long."""
    text = ", ".join(map(repr, thing)) if isinstance(thing, Mapping) else short(thing, longest=300)
    return "" if len(text) > 1000 or text == "..." or text.endswith("(...)") else f"```python\n{text}\n```"
