"""Tensors of a file that torch.save wrote, without torch and without running any of it.

Such a file is a zip with the bytes of the tensors, and with a program for the pickle machine that says how they are put
together. That program is interpreted here, by a machine that knows containers, numbers, texts and the four calls by
which tensors are rebuilt; it has no other calls, imports nothing, and whatever else a file names is an error.
"""

import pickletools
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
}
DTYPES = (*STORAGES.values(), "uint16", "uint32", "uint64", "float8_e4m3fn", "float8_e5m2")
REBUILD = ("_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter")
LEGACY = (b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", b"\x80\x02ctorch")
MARK = object()


class Name(NamedTuple):
    """What the program names: it is never looked up."""

    module: str
    name: str


class Storage(NamedTuple):
    """The bytes that tensors lie in, and the type that they have there; `None` where the tensor says it."""

    key: str
    dtype: str | None


def read_torch(path: Path) -> dict[Any, Any]:
    """What the file holds: dictionaries, lists and numbers, and arrays for tensors.

    Raises `ValueError` for a file that is cut, of the format before torch 1.6, or that holds anything else.
    """
    with open(path, "rb") as file:
        begins = file.read(16)
    if any(begins.startswith(legacy) for legacy in LEGACY):
        raise ValueError(
            f"A torch file must be a zip, as torch saves since 1.6. Got {path}, of the format before. Save it again: "
            "`torch.save(torch.load(path, weights_only=True), path)`."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            found = _Machine(path, archive).run()
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise ValueError(f"A torch file must be whole, and a zip. Got {path}: {error}. Copy it again.") from error
    if not isinstance(found, dict):
        raise ValueError(
            f"A torch file must hold a dictionary of tensors. Got a {type(found).__name__} in {path}. Save "
            "`model.state_dict()`."
        )
    return found


class _Machine:
    """A stack, what is remembered, and the tensors of one file."""

    def __init__(self, path: Path, archive: zipfile.ZipFile):
        self.path, self.archive = path, archive
        programs = [name for name in archive.namelist() if name.split("/")[1:] == ["data.pkl"]]
        if len(programs) != 1 or any("/code/" in name for name in archive.namelist()):
            raise ValueError(
                f"A torch file must hold a state dict. Got {path}, another zip or a compiled module (TorchScript). "
                "Save `model.state_dict()`."
            )
        self.root = programs[0].split("/")[0]
        self.order = self._text("byteorder") or "little"
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.steps: dict[str, Callable[[Any], Any]] = {
            **dict.fromkeys(("PROTO", "FRAME"), lambda arg: None),
            "MARK": lambda arg: self.stack.append(MARK),
            **dict.fromkeys(("EMPTY_DICT",), lambda arg: self.stack.append({})),
            "EMPTY_LIST": lambda arg: self.stack.append([]),
            "EMPTY_TUPLE": lambda arg: self.stack.append(()),
            "NONE": lambda arg: self.stack.append(None),
            "NEWTRUE": lambda arg: self.stack.append(True),
            "NEWFALSE": lambda arg: self.stack.append(False),
            **dict.fromkeys(
                ("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE"),
                self.stack.append,
            ),
            "TUPLE": lambda arg: self.stack.append(tuple(self._marked())),
            **{f"TUPLE{n}": lambda arg, n=n: self.stack.append(tuple(self._popped(n))) for n in (1, 2, 3)},
            "GLOBAL": lambda arg: self.stack.append(self._named(*arg.split(" ", 1))),
            "STACK_GLOBAL": lambda arg: self.stack.append(self._named(*self._popped(2))),
            **dict.fromkeys(("BINPUT", "LONG_BINPUT"), lambda arg: self.memo.__setitem__(arg, self.stack[-1])),
            "MEMOIZE": lambda arg: self.memo.__setitem__(len(self.memo), self.stack[-1]),
            **dict.fromkeys(("BINGET", "LONG_BINGET"), lambda arg: self.stack.append(self.memo[arg])),
            "APPEND": lambda arg: self._append([self.stack.pop()]),
            "APPENDS": lambda arg: self._append(self._marked()),
            "SETITEM": lambda arg: self._set(self._popped(2)),
            "SETITEMS": lambda arg: self._set(self._marked()),
            "BINPERSID": lambda arg: self.stack.append(self._storage(self.stack.pop())),
            "REDUCE": lambda arg: self.stack.append(self._rebuilt(*self._popped(2))),
            "BUILD": lambda arg: self._attributes(),
        }

    def run(self) -> Any:
        """What the program leaves on the stack."""
        try:
            for step, argument, _ in pickletools.genops(self._bytes("data.pkl")):
                if step.name == "STOP":
                    return self.stack.pop()
                if step.name not in self.steps:
                    raise ValueError(self._refused(f"the step {step.name} of its program"))
                self.steps[step.name](argument)
        except (IndexError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(self._refused(f"a program that fails ({type(error).__name__}: {error})")) from error
        raise ValueError(self._refused("a program without an end"))

    def _popped(self, count: int) -> list[Any]:
        found = self.stack[-count:]
        del self.stack[-count:]
        return found

    def _marked(self) -> list[Any]:
        place = len(self.stack) - 1
        while self.stack[place] is not MARK:
            place -= 1
        found = self.stack[place + 1 :]
        del self.stack[place:]
        return found

    def _append(self, items: list[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            raise TypeError("items of what is no list")
        self.stack[-1].extend(items)

    def _set(self, items: list[Any]) -> None:
        if not isinstance(self.stack[-1], dict):
            raise TypeError("entries of what is no dictionary")
        self.stack[-1].update(zip(items[::2], items[1::2], strict=True))

    def _attributes(self) -> None:
        """Attributes of a dictionary, as the versions of a state dict's modules: they are left out."""
        self.stack.pop()
        if not isinstance(self.stack[-1], dict):
            raise TypeError("attributes of what is no dictionary")

    def _named(self, module: str, name: str) -> Name:
        known = (
            (module, name) in (("collections", "OrderedDict"), ("torch", "Size"), ("torch.storage", "UntypedStorage"))
            or (module == "torch._utils" and name in REBUILD)
            or (module == "torch" and (name in STORAGES or name in DTYPES))
        )
        if not known:
            raise ValueError(self._refused(f"{module}.{name}"))
        return Name(module, name)

    def _storage(self, said: Any) -> Storage:
        kind, storage, key, _, _ = said
        if kind != "storage" or not isinstance(key, str) or not isinstance(storage, Name):
            raise TypeError("a storage that is none")
        return Storage(key, None if storage.name == "UntypedStorage" else STORAGES[storage.name])

    def _rebuilt(self, call: Any, given: tuple[Any, ...]) -> Any:
        if not isinstance(call, Name):
            raise TypeError("a call of what has no name")
        if call == ("collections", "OrderedDict"):
            return dict(given[0]) if given else {}
        if call == ("torch", "Size"):
            return tuple(given[0])
        if call.name == "_rebuild_parameter" and isinstance(given[0], np.ndarray):
            return given[0]
        if call.name not in REBUILD or not isinstance(given[0], Storage):
            raise ValueError(self._refused(f"a call of {call.module}.{call.name}"))
        storage, offset, size, stride, *rest = given
        typed = call.name == "_rebuild_tensor_v3"
        if any(rest[3 if typed else 2 :]) and rest[-1]:
            raise ValueError(self._refused("a tensor that is a conjugate or negative view; save its `.resolve_conj()`"))
        return self._tensor(storage, rest[2].name if typed else storage.dtype, offset, size, stride)

    def _tensor(
        self, storage: Storage, dtype: str | None, offset: int, size: tuple[int, ...], stride: tuple[int, ...]
    ) -> np.ndarray:
        kind = jnp.dtype(dtype)
        data = np.frombuffer(self._bytes(f"data/{storage.key}"), np.uint8)
        values = data[: data.size // kind.itemsize * kind.itemsize].view(kind)
        values = values.byteswap() if self.order == "big" and kind.itemsize > 1 else values
        right = all(isinstance(n, int) and n >= 0 for n in (offset, *size, *stride)) and len(size) == len(stride)
        last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True)) if right else -1
        if not right or (0 not in size and last >= values.size):
            raise ValueError(f"A torch file must be whole. Got {self.path}, a tensor of which goes beyond its bytes.")
        if 0 in size:
            return np.zeros(size, kind)
        steps = tuple(step * kind.itemsize for step in stride)
        return np.lib.stride_tricks.as_strided(values[offset:], size, steps, writeable=False)

    def _bytes(self, name: str) -> bytes:
        entry = self.archive.getinfo(f"{self.root}/{name}")
        if entry.compress_type != zipfile.ZIP_STORED:  # torch packs nothing, and what is packed may unpack to anything
            raise ValueError(self._refused("packed entries"))
        return self.archive.read(entry)

    def _text(self, name: str) -> str:
        full = f"{self.root}/{name}"
        return self.archive.read(full).decode() if full in self.archive.namelist() else ""

    def _refused(self, what: str) -> str:
        return (
            f"A torch file must hold tensors, containers, numbers and text only. Got {what} in {self.path}, and "
            "nothing of it was run. Save `model.state_dict()` instead."
        )
