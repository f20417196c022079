"""A thing as JSON and arrays: every object by the name of its class and its fields."""

import dataclasses
import enum
import functools
import inspect
import math
import re
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from .._checks import described, is_known
from ..nn._synapses._keyed import Tally
from ._names import can_be_found, default_of, fields_of, is_record, name_of

LONGEST = 120  # characters of an array's name


class Encoder:
    """Makes JSON of values, and collects their arrays. What stands in several places is written once."""

    def __init__(self):
        self.arrays: dict[str, np.ndarray] = {}
        self._seen: dict[int, tuple[Any, dict[str, Any]]] = {}  # the value is kept, or its id would be another's
        self._open: set[int] = set()
        self._numbered = 0

    def encoded(self, value: Any, where: str = "") -> Any:
        """`value`, which stands at `where` in the thing, as JSON."""
        if value is None or isinstance(value, bool | str) or type(value) is int:
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"float": str(value)}
        if type(value) is tuple:
            return [self.encoded(item, f"{where}[{i}]") for i, item in enumerate(value)]
        if id(value) in self._seen:
            return {"same": self._number(self._seen[id(value)][1])}
        if id(value) in self._open:
            raise ValueError(f"What is saved must not hold itself. {_named(where)} does. Take it out.")
        self._open.add(id(value))
        made = self._once(value, where)
        self._open.discard(id(value))
        self._seen[id(value)] = value, made
        return made

    def _number(self, made: dict[str, Any]) -> int:
        if "number" not in made:
            made["number"] = self._numbered
            self._numbered += 1
        return made["number"]

    def _once(self, value: Any, where: str) -> dict[str, Any]:
        if isinstance(value, jax.Array | np.ndarray | np.generic):
            return self._array(value, where)
        if isinstance(value, enum.Enum):
            return {"enum": _name(type(value), where), "member": value.name}
        if isinstance(value, eqx.nn.State):
            values, keys = value.tree_flatten()
            return {"state": self._pairs(zip(keys, values, strict=True), where)}
        if is_record(type(value)):
            return self._record(value, where)
        if type(value) is dict:
            return {"dict": self._pairs(value.items(), where)}
        if type(value) in (list, set, frozenset):
            items = sorted(value, key=repr) if type(value) is not list else value
            return {type(value).__name__: [self.encoded(item, f"{where}[{i}]") for i, item in enumerate(items)]}
        return self._plain(value, where)

    def _plain(self, value: Any, where: str) -> dict[str, Any]:
        """What is neither array nor container."""
        if type(value) is complex:
            return {"complex": [self.encoded(value.real), self.encoded(value.imag)]}
        if type(value) is bytes:
            return {"bytes": value.hex()}
        if isinstance(value, np.dtype):
            return {"dtype": str(value)}
        if type(value) is slice:
            return {"slice": [self.encoded(part, where) for part in (value.start, value.stop, value.step)]}
        if type(value) is object or type(value) is Tally:
            return {"fresh": "object" if type(value) is object else "Tally"}
        if isinstance(value, functools.partial):
            parts = {"args": self.encoded(value.args, where), "keywords": self.encoded(value.keywords, where)}
            return {"partial": self.encoded(value.func, where), "jax": isinstance(value, jax.tree_util.Partial)} | parts
        if inspect.isclass(value) or callable(value):
            return {"named": _name(value, where)}
        raise ValueError(
            "What is saved must be of arrays, numbers, text, containers, modules and named functions. Got "
            f"{described(value)} at {_named(where)}. Leave it out, or make it a module with fields."
        )

    def _pairs(self, pairs: Any, where: str) -> list[Any]:
        return [[self.encoded(key, where), self.encoded(value, f"{where}[{key!r}]")] for key, value in pairs]

    def _record(self, value: Any, where: str) -> dict[str, Any]:
        names, held = fields_of(type(value)), getattr(value, "__dict__", {})
        if more := [name for name in held if name not in names]:
            raise ValueError(
                "What is saved must have all it holds in fields. Got a "
                f"{type(value).__name__} at {_named(where)} with {', '.join(more)} beside its fields. Declare them."
            )
        found = {}
        for name in names:
            item = object.__getattribute__(value, name)
            bare = inspect.isfunction(item) and name_of(item) is None
            if bare and default_of(item, type(value), name):
                found[name] = {"default": name}
            else:
                found[name] = self.encoded(item, f"{where}.{name}")
        made = {"class": _name(type(value), where), "fields": found}
        return made | ({"checked": True} if _passes(value) else {})

    def _array(self, value: Any, where: str) -> dict[str, Any]:
        if not is_known(value):
            raise ValueError(
                f"What is saved must be known. Got a traced array at {_named(where)}, or one of other machines. Save "
                "outside of compiled functions."
            )
        made: dict[str, Any] = {"array": self._free(where)}
        if isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
            made |= {"kind": "key", "implementation": str(jr.key_impl(value))}
            value = jr.key_data(value)
        else:
            made["kind"] = "jax" if isinstance(value, jax.Array) else "numpy"
            made |= {"weak": True} if getattr(value, "weak_type", False) else {}
            made |= {"scalar": True} if isinstance(value, np.generic) else {}
        array = np.asarray(value)
        if array.dtype.hasobject:
            raise ValueError(
                f"What is saved must be of arrays of numbers or text. Got one of Python objects at {_named(where)}. "
                "Convert it, or make it a list."
            )
        made |= {"dtype": str(array.dtype) if array.dtype.names is None else array.dtype.descr}
        made["shape"] = list(array.shape)
        # bfloat16 and its like are unknown to readers of .npy: their bits are kept as whole numbers.
        self.arrays[made["array"]] = array if array.dtype.type.__module__ == "numpy" else _bits(array)
        return made

    def _free(self, where: str) -> str:
        """A name for the array at `where` that no other has: ".layers[0].weight" is "layers.0.weight"."""
        parts = [part for part in re.split(r"[^\w-]+", where) if part]
        name = ".".join(parts)[-LONGEST:].strip(".") or "array"
        free, taken = name, {one.casefold() for one in self.arrays}
        for number in range(2, len(self.arrays) + 3):
            if free.casefold() not in taken:
                break
            free = f"{name}.again{number}"
        return free


def _bits(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}").reshape(array.shape)


def _name(thing: Any, where: str) -> str:
    name = name_of(thing)
    if name is None:
        raise ValueError(
            f"A function that is saved must have a name, of a module or of its own. Got {described(thing)} at "
            f"{_named(where)}. Define it with `def` in a module, and name it in `load(path, allow=[...])`."
        )
    if not can_be_found(name, thing):
        raise ValueError(
            "What is saved must name functions that compute, and classes with fields. Got "
            f"{described(thing)} at {_named(where)}. Leave it out."
        )
    return name


def _passes(value: Any) -> bool:
    """Whether a module holds what its own checks ask for: not a batch of modules, as `jax.vmap` makes."""
    try:
        recheck(value)
    except Exception:  # what is saved is told apart from what is right
        return False
    return True


def recheck(value: Any) -> None:
    """Runs the checks that the classes of a module make of their fields when it is made."""
    for kind in type(value).__mro__:
        if "__check_init__" in vars(kind):
            vars(kind)["__check_init__"](value)
    if dataclasses.is_dataclass(value) and not isinstance(value, eqx.Module) and hasattr(value, "__post_init__"):
        value.__post_init__()  # pyright: ignore[reportAttributeAccessIssue]


def _named(where: str) -> str:
    return where or "the thing itself"
