"""What `_encode` writes as the thing again. Classes are filled field by field: no constructor of theirs runs."""

import enum
import functools
import inspect
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from .._checks import nearest
from ..nn._synapses._keyed import Tally
from ._encode import recheck
from ._names import Known, fields_of, is_record

FRESH = {"object": object, "Tally": Tally}


class Decoder:
    """Makes values of JSON and arrays again."""

    def __init__(self, arrays: dict[str, np.ndarray], known: Known, path: Any):
        self.arrays, self.known, self.path = arrays, known, path
        self._numbered: dict[int, Any] = {}

    def decoded(self, made: Any, where: str = "") -> Any:
        """The value that stands at `where` in the thing."""
        if made is None or isinstance(made, bool | str | int | float):
            return made
        if isinstance(made, list):
            return tuple(self.decoded(item, f"{where}[{i}]") for i, item in enumerate(made))
        if "same" in made:
            return self._numbered[made["same"]]
        kinds: dict[str, Callable[[Any, str], Any]] = {
            "class": self._record,
            "array": self._array,
            "enum": self._member,
            "named": lambda made, where: self.known.find(made["named"], self._at(where)),
            "float": lambda made, where: float(made["float"]),
            "complex": lambda made, where: complex(*self.decoded(made["complex"], where)),
            "bytes": lambda made, where: bytes.fromhex(made["bytes"]),
            "dtype": lambda made, where: jnp.dtype(made["dtype"]),
            "slice": lambda made, where: slice(*self.decoded(made["slice"], where)),
            "fresh": lambda made, where: FRESH[made["fresh"]](),
            "partial": self._partial,
            "dict": lambda made, where: self._pairs(made["dict"], where),
            "state": self._state,
            "list": lambda made, where: list(self.decoded(made["list"], where)),
            "set": lambda made, where: set(self.decoded(made["set"], where)),
            "frozenset": lambda made, where: frozenset(self.decoded(made["frozenset"], where)),
        }
        kind = next((kind for kind in kinds if kind in made), None)
        if kind is None:
            raise ValueError(f"{self._at(where)} must be of a known kind. Got {sorted(made)}; save it again.")
        value = kinds[kind](made, where)
        if "number" in made:
            self._numbered[made["number"]] = value
        return value

    def _at(self, where: str) -> str:
        return f"{where or 'The thing'} in {self.path}"

    def _pairs(self, pairs: list[Any], where: str) -> dict[Any, Any]:
        return {(name := self.decoded(key, where)): self.decoded(value, f"{where}[{name!r}]") for key, value in pairs}

    def _state(self, made: dict[str, Any], where: str) -> eqx.nn.State:
        held = self._pairs(made["state"], where)
        return eqx.nn.State.tree_unflatten(tuple(held), tuple(held.values()))

    def _member(self, made: dict[str, Any], where: str) -> Any:
        kind = self.known.find(made["enum"], self._at(where))
        if not (inspect.isclass(kind) and issubclass(kind, enum.Enum) and made["member"] in kind.__members__):
            raise ValueError(f"{self._at(where)} must be a member of {made['enum']}. Got {made['member']!r}.")
        return kind[made["member"]]

    def _partial(self, made: dict[str, Any], where: str) -> Any:
        kind = jax.tree_util.Partial if made["jax"] else functools.partial
        keywords = self.decoded(made["keywords"], where)
        return kind(self.decoded(made["partial"], where), *self.decoded(made["args"], where), **keywords)

    def _record(self, made: dict[str, Any], where: str) -> Any:
        kind = self.known.find(made["class"], self._at(where))
        if not is_record(kind):
            raise ValueError(f"{self._at(where)} must be of a class with fields. Got {made['class']!r}.")
        self._check_fields(kind, made["fields"], where)
        found = {name: self._field(kind, name, value, where) for name, value in made["fields"].items()}
        if issubclass(kind, tuple):
            return kind(*(found[name] for name in fields_of(kind)))
        try:
            value = object.__new__(kind)
            for name, item in found.items():
                object.__setattr__(value, name, item)
            if made.get("checked"):
                recheck(value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self._at(where)} must be what {kind.__name__} accepts. {error}") from error
        return value

    def _field(self, kind: type, name: str, made: Any, where: str) -> Any:
        if isinstance(made, dict) and "default" in made:
            given = inspect.signature(kind).parameters.get(name)
            if given is None or not inspect.isfunction(given.default):
                raise ValueError(f"{self._at(where)} must have a default for {name!r}. {kind.__name__} has none now.")
            return given.default
        return self.decoded(made, f"{where}.{name}")

    def _check_fields(self, kind: type, found: dict[str, Any], where: str) -> None:
        wanted = fields_of(kind)
        lost, new = [name for name in found if name not in wanted], [name for name in wanted if name not in found]
        if not (lost or new):
            return
        parts = [f"the file has {', '.join(lost)}, which the class has no more"] if lost else []
        parts += [f"the class has {', '.join(new)}, which the file lacks"] if new else []
        renamed = [f"{name} -> {nearest(name, new, otherwise=[])}" for name in lost if nearest(name, new, otherwise=[])]
        hint = f" Renamed, {', '.join(renamed)}?" if renamed else ""
        raise ValueError(
            f"{self._at(where)} must have the fields that {kind.__name__} has. Of "
            f"{kind.__module__}.{kind.__qualname__} {', and '.join(parts)}.{hint} Load it with the release that "
            "saved it."
        )

    def _array(self, made: dict[str, Any], where: str) -> Any:
        found = self.arrays[made["array"]]
        dtype = made["dtype"]
        if isinstance(dtype, str) and str(found.dtype) != dtype:
            found = found.view(jnp.dtype(dtype)).reshape(found.shape)
        if list(found.shape) != made["shape"]:
            raise ValueError(f"{self._at(where)} must have shape {tuple(made['shape'])}. Got {found.shape}.")
        if made["kind"] == "numpy":
            return found[()] if made.get("scalar") else found
        array = _weak(found) if made.get("weak") else jnp.asarray(found)
        if array.dtype != found.dtype:
            raise ValueError(
                f"{self._at(where)} must keep its {found.dtype}. jax holds {array.dtype} as it is set. Set "
                '`jax.config.update("jax_enable_x64", True)` before.'
            )
        return jr.wrap_key_data(array, impl=made["implementation"]) if made["kind"] == "key" else array


def _weak(found: np.ndarray) -> jax.Array:
    """An array whose type gives way in promotions, as that of a number of Python does."""
    weak = jnp.asarray(found.reshape(-1)[0].item()) if found.size else jnp.asarray(0.0)
    if weak.dtype != found.dtype:
        return jnp.asarray(found)
    if found.ndim == 0:
        return weak
    same = found.size > 0 and np.array_equal(found, np.full_like(found, found.reshape(-1)[0]))
    return jnp.full(found.shape, weak) if same else jnp.asarray(found)
