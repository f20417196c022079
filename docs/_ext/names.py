"""Every public name of both packages: where it is handed out, and what it is."""

import ast
import importlib
import inspect
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

TOPS = ("memsim", "device_models")


@dataclass(frozen=True)
class Name:
    """A public `name` of a `room`; the object, and the module and name under which its source has it."""

    room: str
    name: str
    thing: Any
    module: str
    inner: str

    @property
    def full(self) -> str:
        return f"{self.room}.{self.name}"

    @property
    def is_room(self) -> bool:
        return isinstance(self.thing, ModuleType)


@cache
def rooms() -> dict[str, tuple[Name, ...]]:
    """The names of each public room, top rooms first."""
    found = {}
    for top in TOPS:
        found[top] = tuple(names_of(top))
        found |= {each.full: tuple(names_of(each.full)) for each in found[top] if each.is_room}
    return found


def names_of(room: str) -> list[Name]:
    """What the face of `room`, its stub where it has one, imports as itself: `from ._pcm import PCM as PCM`."""
    module = importlib.import_module(room)
    found = []
    for node in ast.parse(face(module).read_text()).body:
        if isinstance(node, ast.ImportFrom):
            above = importlib.util.resolve_name("." * node.level + (node.module or ""), package_of(module))
            found += [name_of(module, above, each.name) for each in node.names if each.name == each.asname]
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):  # a room that is one file
            found.append(name_of(module, room, node.name))
    found += [name_of(module, room, name) for name in vars(module).get("__all__", ()) if not name.startswith("_")]
    once = {each.name: each for each in reversed(found) if not each.name.startswith("_")}
    return sorted(once.values(), key=lambda each: each.name.lower())


def face(module: ModuleType) -> Path:
    path = Path(module.__file__)
    stub = path.with_suffix(".pyi")
    return stub if stub.exists() else path


def package_of(module: ModuleType) -> str:
    return module.__name__ if Path(module.__file__).name == "__init__.py" else module.__name__.rpartition(".")[0]


def name_of(module: ModuleType, above: str, name: str) -> Name:
    thing = getattr(module, name)
    return Name(module.__name__, name, thing, above, name)


@cache
def homes() -> dict[int, Name]:
    """For each thing that is handed out, the name under which it is described: that of the lowest room."""
    found: dict[int, Name] = {}
    for names in rooms().values():
        for each in names:
            if not each.is_room and callable(each.thing):
                found[id(each.thing)] = each  # the later, so a room in front of its top
    return found


def docstring(name: Name) -> str:
    """What stands under its definition; of a constant, the string after its assignment."""
    if (
        name.is_room
        or isinstance(name.thing, type)
        or inspect.isroutine(name.thing)
        or hasattr(name.thing, "__wrapped__")
    ):
        return inspect.cleandoc(name.thing.__doc__ or "")
    return constant_docstring(name.module, name.inner)


def constant_docstring(module: str, name: str) -> str:
    """The string literal after `name = ...`, in `module` or where that imports it from."""
    source = sys.modules.get(module) or importlib.import_module(module)
    body = ast.parse(Path(source.__file__).read_text()).body
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.ImportFrom) and name in {each.asname or each.name for each in node.names}:
            below = importlib.util.resolve_name("." * node.level + (node.module or ""), package_of(source))
            return constant_docstring(below, name)
        if name in assigned(node) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            return inspect.cleandoc(str(after.value.value))
    return ""


def assigned(node: ast.stmt) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {each.id for each in targets if isinstance(each, ast.Name)}
