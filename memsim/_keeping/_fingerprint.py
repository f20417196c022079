"""What a value computes, as a hash: of arrays, settings and modules, and of functions by their code.

The same value has the same fingerprint in every process: nothing goes by address, by hash order or by the time of day.
"""

import enum
import functools
import hashlib
import sys
import sysconfig
import types
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.core import Tracer

OURS = ("memsim", "device_models")  # whose sources `identity` knows as a whole
INSTALLED = [Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")]
TYPE_CHECKERS = ("<@beartype(", "/beartype/", "/jaxtyping/")  # where the code of their wrappers is from
COMPILED = ("PjitFunction", "_JitWrapper", "_lru_cache_wrapper")  # of jax, equinox, Python: what they wrap counts alone
CACHES = ("_jit_info", "_fun")  # what jax hangs on a function it has wrapped: line numbers, and the function again
PRIMITIVES = bool | int | float | complex | str | bytes | PurePath | types.NoneType | types.EllipsisType


class Fingerprint(NamedTuple):
    """A hash, and the classes of those values that it could not look into, such as objects of a C extension."""

    digest: str
    unknown: tuple[str, ...]


def fingerprint(value: Any) -> Fingerprint:
    """The fingerprint of `value`, whatever it is made of.

    - Arrays go by type, shape and bytes; containers and objects by their class and what they hold.
    - Functions go by bytecode, constants, defaults, bound arguments, what they close over and, for those of the user,
      the globals they name. What an installed package defines goes by its name and the package's version.
    - What none of this reaches goes by its class alone, which `unknown` then names.
    """
    reader = _Reader()
    return Fingerprint(reader.of(value), tuple(sorted(reader.unknown)))


def own_file(module: types.ModuleType | None) -> Path | None:
    """The source file of a module of the user: neither ours, nor of Python, nor of an installed package."""
    file = getattr(module, "__file__", None)
    if module is None or file is None or module.__name__.partition(".")[0] in OURS:
        return None
    path = Path(file).resolve()
    return None if any(folder in path.parents for folder in INSTALLED) else path


def undecorated(function: Any) -> Any:
    """`function` without the wrappers that only check its types."""
    while isinstance(function, types.FunctionType) and hasattr(function, "__wrapped__"):
        origin = function.__code__.co_filename.replace("\\", "/")
        if not any(name in origin for name in TYPE_CHECKERS):
            break
        function = function.__wrapped__
    return function


class _Reader:
    """Walks one value to its ends."""

    def __init__(self) -> None:
        self.unknown: set[str] = set()
        self.above: list[int] = []  # the addresses of what is being read: where one comes again, there is a loop
        self.done: dict[int, str] = {}
        self.kept: list[Any] = []  # an address stands for one value as long as this lives

    def of(self, value: Any) -> str:
        value = undecorated(value)
        if isinstance(value, PRIMITIVES):
            return _hash(type(value).__qualname__, repr(value))
        place = id(value)
        if place in self.above:
            return _hash("loop", str(len(self.above) - self.above.index(place)))
        if place not in self.done:
            self.kept.append(value)
            self.above.append(place)
            self.done[place] = _hash(*self.parts(value))
            self.above.pop()
        return self.done[place]

    def parts(self, value: Any) -> Iterator[str | bytes]:
        """What tells `value` from others."""
        match value:
            case jax.Array() | np.ndarray() | np.generic():
                yield from self.array(value)
            case _ if _is_named(value):
                yield from ("named", value.__module__, value.__qualname__, _version(value.__module__))
            case enum.Enum():
                yield from ("enum", type(value).__qualname__, value.name)
            case types.ModuleType():
                yield from ("module", value.__name__, _version(value.__name__), content(own_file(value)))
            case types.CodeType():
                yield from ("code", value.co_code, value.co_exceptiontable, repr(value.co_names))
                yield from map(self.of, value.co_consts)
            case types.FunctionType():
                yield from self.function(value)
            case types.MethodType():
                yield from ("method", self.of(value.__func__), self.of(value.__self__))
            case staticmethod() | classmethod():
                yield from (type(value).__qualname__, self.of(value.__func__))
            case property():
                yield from ("property", *map(self.of, (value.fget, value.fset, value.fdel)))
            case functools.partial():
                yield from ("partial", self.of(value.func), self.of(value.args), self.of(value.keywords))
            case type():
                yield from self.kind(value)
            case Mapping():
                yield from ("mapping", *sorted(self.of(key) + self.of(item) for key, item in value.items()))
            case set() | frozenset():
                yield from ("set", *sorted(map(_name_or_value, value)))
            case list() | tuple():
                yield from (self.of(type(value)), *map(self.of, value))
            case np.dtype() | range() | slice() | jax.ShapeDtypeStruct():
                yield from (type(value).__qualname__, repr(value))
            case _:
                yield from self.instance(value)

    def array(self, value: Any) -> Iterator[str | bytes]:
        if isinstance(value, Tracer):
            self.unknown.add("a traced array")
            yield str(value.aval)
        elif jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
            yield from ("key", str(jr.key_impl(value)), *self.array(jr.key_data(value)))
        elif value.dtype == object:
            yield from ("objects", str(np.shape(value)), *map(self.of, np.ravel(value)))
        else:
            yield from (str(value.dtype), str(np.shape(value)), np.asarray(value).tobytes())

    def function(self, function: types.FunctionType) -> Iterator[str | bytes]:
        # Not __module__ and __qualname__: functools.wraps copies those of the function that is wrapped.
        module, name = function.__globals__.get("__name__", ""), function.__code__.co_qualname
        installed = _is_installed(module)
        if installed:
            yield from ("function", module, name, _version(module))
        if installed and "<" not in name:  # a method; closures and lambdas are known by more than their names
            return
        yield from (self.of(function.__code__), self.of(function.__defaults__), self.of(function.__kwdefaults__))
        for cell in function.__closure__ or ():
            yield self.of(_as_float(cell.cell_contents)) if _is_filled(cell) else "empty"
        if not installed:
            found = function.__globals__
            yield from (self.of((n, found[n])) for n in _names(function.__code__) if n in found)

    def kind(self, kind: type) -> Iterator[str | bytes]:
        yield from ("class", kind.__module__, kind.__qualname__)
        if _is_installed(kind.__module__):
            yield _version(kind.__module__)
            return
        yield from map(self.of, kind.__bases__)
        for name, item in sorted(vars(kind).items()):
            generated = isinstance(item, types.FunctionType) and "__create_fn__" in item.__code__.co_qualname
            noise = name.startswith("__") and not callable(item)
            if not (generated or noise or name == "_abc_impl" or isinstance(item, type(kind.__dict__))):
                yield from (name, self.of(item))

    def instance(self, value: Any) -> Iterator[str | bytes]:
        """An object of any other class, by what it holds; a compiled function by what it wraps."""
        kind = type(value)
        name = f"{kind.__module__}.{kind.__qualname__}"
        if kind.__name__ in COMPILED and hasattr(value, "__wrapped__"):
            yield from (name, self.of(value.__wrapped__))
            return
        yield self.of(kind)
        if isinstance(value, types.BuiltinFunctionType | types.MethodWrapperType | np.ufunc):
            yield from (str(getattr(value, "__module__", "")), value.__name__)
            owner = getattr(value, "__self__", None)
            yield "" if isinstance(owner, types.ModuleType) else self.of(owner)
        elif hasattr(kind, "__array__"):
            yield from self.array(np.asarray(value))
        elif fields := _fields(value):
            yield self.of(fields)
        elif not (hasattr(value, "__dict__") or _has_slots(kind) or kind is object or hasattr(kind, "__get__")):
            self.unknown.add(name)  # it may hold anything; a descriptor of a class goes by its name there


def content(file: Path | None) -> str:
    """The hash of a file's bytes; nothing where there is none."""
    try:
        return "" if file is None else hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""


def _hash(*parts: str | bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def _is_installed(name: str) -> bool:
    """Whether the module of this name is ours, of Python, or of an installed package: told by name and version."""
    top = name.partition(".")[0]
    if top in OURS or (top in sys.stdlib_module_names and top != "__main__"):
        return True
    module = sys.modules.get(name)
    return getattr(module, "__file__", None) is not None and own_file(module) is None


def _is_named(value: Any) -> bool:
    """Whether an installed package has `value` under the name that it says, and a name and a version tell it."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str) or not _is_installed(module):
        return False
    return undecorated(getattr(sys.modules.get(module), name, None)) is value


def _version(name: str) -> str:
    return str(getattr(sys.modules.get(name.partition(".")[0]), "__version__", ""))


def _names(code: types.CodeType) -> list[str]:
    """What `code` and the functions within it look up by name."""
    inner = [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return sorted({*code.co_names, *(name for part in inner for name in _names(part))})


def _is_filled(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def _as_float(value: Any) -> Any:
    """A number that a function closes over. Schedules of optax make a float of theirs in the first call."""
    if isinstance(value, jax.Array | np.ndarray | np.generic):
        plain = np.ndim(value) == 0 and not isinstance(value, Tracer) and jnp.issubdtype(value.dtype, np.number)
        return _as_float(value.item()) if plain else value
    whole = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if whole and abs(value) < 2**53 else value


def _name_or_value(item: Any) -> str:
    """A member of a set, which has no order to walk along."""
    return repr(item) if isinstance(item, PRIMITIVES) else getattr(item, "__qualname__", type(item).__qualname__)


def _fields(value: Any) -> dict[str, Any]:
    slots = [name for kind in type(value).__mro__ for name in _listed(vars(kind).get("__slots__", ()))]
    held = {name: getattr(value, name) for name in slots if hasattr(value, name)} | getattr(value, "__dict__", {})
    return {name: item for name, item in held.items() if not (name.startswith("__") or name in CACHES)}


def _has_slots(kind: type) -> bool:
    return any("__slots__" in vars(base) for base in kind.__mro__)


def _listed(slots: Any) -> list[str]:
    return [slots] if isinstance(slots, str) else list(slots)
