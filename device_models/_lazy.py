"""Public names that are imported when they are first asked for, so that an import costs what is used of it."""

import ast
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def lazily(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package whose names stand in the `__init__.pyi` beside its `file`.

    The stub says `from . import room as room` and `from ._module import name as name`. So the names stand in one place,
    for editors and type checkers as well.
    """
    homes = _homes(Path(file).with_suffix(".pyi").read_text(encoding="utf-8"))

    def get(name: str) -> Any:
        if name not in homes:
            hint = "" if name.startswith("_") else _elsewhere(package, name, homes)
            said = f"module {package!r} has no attribute {name!r}.{hint}"
            raise AttributeError(said, name=name, obj=sys.modules[package])
        home, within = homes[name]
        module = importlib.import_module(f"{package}.{home}")
        value = getattr(module, within) if within else module
        setattr(sys.modules[package], name, value)  # asked for once
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return get, names, list(homes)


def _elsewhere(package: str, name: str, homes: dict[str, tuple[str, str | None]]) -> str:
    """Where a wrong name is right: in a room of the package; or what is near to it."""
    from ._checks._names import nearest

    rooms = [room for room, (home, within) in homes.items() if within is None and home == room]
    there = [room for room in rooms if hasattr(importlib.import_module(f"{package}.{room}"), name)]
    if there:
        return f" It is {' or '.join(f'`{package}.{room}.{name}`' for room in there)}."
    near = nearest(name, homes, otherwise=())
    return f" Did you mean {near}?" if near else ""


def _homes(stub: str) -> dict[str, tuple[str, str | None]]:
    """The module that each name of a stub comes from, and what it is called there; a module goes by its own name."""
    lines = [node for node in ast.parse(stub).body if isinstance(node, ast.ImportFrom) and node.level == 1]
    return {
        each.asname or each.name: (line.module, each.name) if line.module else (each.name, None)
        for line in lines
        for each in line.names
    }
