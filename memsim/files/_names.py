"""Functions and classes by name: what a file may name, and what loading it finds, without importing on its say."""

import dataclasses
import enum
import importlib
import inspect
import sys
import types
from collections.abc import Collection, Iterator
from typing import Any

import equinox as eqx
import jax
import optax

from .._checks import described, nearest

OURS = ("memsim", "device_models")
OTHERS = ("equinox", "jax", "optax")  # of which a file may name what importing them has loaded
CLOSED = ("_bundled", "_cli")  # parts of ours that run something
FAMILIES = ("curves", "iv", "noise", "ageing", "pulsed", "memristors")
# By their public names things are found when they have moved within a package.
FACES = ("memsim", "device_models", "memsim.nn", "memsim.train", "memsim.encoding", "memsim.data", "memsim.insitu")
FACES += ("memsim.extend", "memsim.recipes", *(f"device_models.{room}" for room in FAMILIES), "equinox.nn", "equinox")
# Whose functions compute, and write no file whatever they are given: a file may bind arguments to what it names.
ROOMS = (
    "memsim.nn",
    "memsim._array",
    "memsim.encoding",
    "memsim.recipes",
    "memsim.insitu",
    "memsim.train._loss",
    "equinox.nn",
)
ROOMS += tuple(f"device_models.{room}" for room in ("_cells", "_wrappers", *FAMILIES))
NO_MATHS = {"load", "save", "savez", "fromfile", "fromfunction", "fromiter", "frombuffer", "apply_along_axis"}
SOURCES = {"jax.nn": jax.nn, "jax.numpy": jax.numpy, "jax.lax": jax.lax, "jax.scipy.special": jax.scipy.special}
SOURCES["optax"] = optax


def name_of(thing: Any) -> str | None:
    """ "module:name" of a function or class that has one; `None` for a lambda, or a function made by a call."""
    if (public := _public_name(thing)) is not None:
        return public
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    named = isinstance(module, str) and isinstance(name, str) and "<lambda>" not in name
    return f"{module}:{name}" if named else None


def can_be_found(name: str, thing: Any) -> bool:
    """Whether a file may name `thing`; what is the user's own it may, once they allow it."""
    return name.split(":")[0].split(".")[0] not in (*OURS, *OTHERS) or _found(name) is thing


class Known:
    """What a file may name: classes and functions of ours, of Equinox, jax and optax, and those that a user allows."""

    def __init__(self, allow: Collection[Any] = ()):
        self.allowed: dict[str, Any] = {}
        for thing in allow:
            for one in _within(thing):
                self.allowed[f"{one.__module__}:{one.__qualname__}"] = one

    def find(self, name: Any, where: str) -> Any:
        """The function or class of this name; raises `ValueError` where there is none that a file may name."""
        found = self._allowed(name) if isinstance(name, str) and name.count(":") == 1 else None
        if found is None:
            found = _found(name) if isinstance(name, str) and name.count(":") == 1 else None
        if found is None:
            raise ValueError(self._unknown(name, where))
        return found

    def _allowed(self, name: str) -> Any:
        if name in self.allowed:
            return self.allowed[name]
        bare = name.partition(":")[2]  # a class that has moved between modules, as out of a notebook
        same = [thing for known, thing in self.allowed.items() if known.partition(":")[2] == bare]
        ours = name.split(":")[0].split(".")[0] in (*OURS, *OTHERS)
        return same[0] if len(same) == 1 and not ours else None

    def _unknown(self, name: Any, where: str) -> str:
        module, _, bare = str(name).partition(":")
        rule = "must be of a class or function that memsim, Equinox, jax or optax has, or that `allow` names"
        if module.split(".")[0] in (*OURS, *OTHERS):
            return f"{where} {rule}. Got {name!r}, which this release does not have. Load it with that which saved it."
        near = f" Got allow={nearest(bare, [one.partition(':')[2] for one in self.allowed])}." if self.allowed else ""
        return f"{where} {rule}. Got {name!r}.{near} Is it yours? Write `load(path, allow=[{bare.split('.')[0]}])`."


def is_record(kind: Any) -> bool:
    """Whether `kind` is a class whose values are their fields: a module, a dataclass, a named tuple."""
    named = inspect.isclass(kind) and issubclass(kind, tuple) and hasattr(kind, "_fields")
    return named or (inspect.isclass(kind) and (issubclass(kind, eqx.Module) or dataclasses.is_dataclass(kind)))


def fields_of(kind: type) -> tuple[str, ...]:
    """The names of the fields of a record."""
    if issubclass(kind, tuple):
        return kind._fields  # pyright: ignore[reportAttributeAccessIssue]
    return tuple(field.name for field in dataclasses.fields(kind))  # pyright: ignore[reportArgumentType]


def default_of(thing: Any, kind: type, field: str) -> bool:
    """Whether `thing` is what the constructor of `kind` takes for `field` if nothing is given."""
    given = inspect.signature(kind).parameters.get(field)
    return given is not None and given.default is thing


def _public_name(thing: Any) -> str | None:
    own, name = getattr(thing, "__module__", None), getattr(thing, "__name__", None)
    if isinstance(own, str) and isinstance(name, str) and own.split(".")[0] in (*OURS, "equinox"):
        faces = [face for face in FACES if face.split(".")[0] == own.split(".")[0]]
        return next((f"{face}:{name}" for face in faces if _at_face(face, name) is thing), None)
    for module, source in SOURCES.items():
        name = getattr(thing, "__name__", None)
        names = [name] if isinstance(name, str) else []
        for each in names if names and vars(source).get(names[0]) is thing else vars(source):
            if vars(source).get(each) is thing and _is_open(each):
                return f"{module}:{each}"
    return None


def _is_open(name: str) -> bool:
    return not name.startswith("_") and name not in NO_MATHS


def _within(thing: Any) -> Iterator[Any]:
    """A class or function itself; of a module, all that it defines."""
    if isinstance(thing, types.ModuleType):
        inside = vars(thing).values()
        yield from (one for one in inside if getattr(one, "__module__", None) == thing.__name__ and _has_name(one))
    elif _has_name(thing):
        yield thing
    else:
        raise ValueError(
            f"`allow` must be of classes, named functions and modules. Got {described(thing)}. Write "
            "`allow=[MyModule]`."
        )


def _has_name(thing: Any) -> bool:
    return (inspect.isclass(thing) or callable(thing)) and hasattr(thing, "__qualname__")


def _found(name: str) -> Any:
    module, _, path = name.partition(":")
    if module in SOURCES:
        thing = vars(SOURCES[module]).get(path) if _is_open(path) else None
        return thing if callable(thing) and not isinstance(thing, types.ModuleType) else None
    if module in FACES:
        thing = _at_face(module, path)
        return thing if _may_be_named(thing, getattr(thing, "__module__", "")) else None
    parts = module.split(".")
    source = None
    if parts[0] in OURS and not set(parts) & set(CLOSED):
        source = _imported(module)
    elif parts[0] in OTHERS:
        source = sys.modules.get(module)
    thing = source
    for part in path.split("."):
        thing = getattr(thing, "__dict__", {}).get(part)
    right = getattr(thing, "__module__", None) == module and getattr(thing, "__qualname__", None) == path
    return thing if right and _may_be_named(thing, module) else None


def _may_be_named(thing: Any, module: str) -> bool:
    """Whether a file may name `thing`, which `module` defines: a class with fields, or a function that computes."""
    if inspect.isclass(thing):
        return is_record(thing) or issubclass(thing, enum.Enum)
    return callable(thing) and any(f"{module}.".startswith(f"{room}.") for room in ROOMS)


def _at_face(face: str, name: str) -> Any:
    """What a public module hands out by this name."""
    module = importlib.import_module(face)
    public = getattr(module, "__all__", None)  # of those whose names are imported when they are asked for
    if name.startswith("_") or (public is not None and name not in public):
        return None
    return getattr(module, name, None) if public is not None else vars(module).get(name)


def _imported(module: str) -> types.ModuleType | None:
    try:
        return importlib.import_module(module)
    except ImportError:
        return None
