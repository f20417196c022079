"""Public names that are imported when they are first asked for, so that an import costs what is used of it."""

import ast
import difflib
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGES = ("device_models", "memsim")


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
    """Where a wrong name is right: in a room of the package, or in the other package; or what is near to it."""
    rooms = [f"{package}.{room}" for room, (home, within) in homes.items() if within is None and home == room]
    others = [other for other in PACKAGES if other != package and name in importlib.import_module(other).__all__]
    there = [room for room in rooms if name in _own(importlib.import_module(room))] + others
    if there:
        return f" It is {' or '.join(f'`{place}.{name}`' for place in there)}."
    near = difflib.get_close_matches(name, homes, n=1)
    return f" Did you mean {near[0]}?" if near else ""


def _own(room: ModuleType) -> list[str]:
    """The names that a room hands out, not those that it has for itself."""
    made_there = [
        name for name, value in vars(room).items() if getattr(value, "__module__", "").startswith(room.__name__)
    ]
    return getattr(room, "__all__", made_there)


def _homes(stub: str) -> dict[str, tuple[str, str | None]]:
    """The module that each name of a stub comes from, and what it is called there; a module goes by its own name."""
    lines = [node for node in ast.parse(stub).body if isinstance(node, ast.ImportFrom) and node.level == 1]
    return {
        each.asname or each.name: (line.module, each.name) if line.module else (each.name, None)
        for line in lines
        for each in line.names
    }
