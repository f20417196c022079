"""Functions of scripts, carried to another process: a script is no package, so it is loaded there by its path first."""

import importlib.util
import io
import pickle
import sys
import types
from collections.abc import Callable, Mapping
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any


def load_file(name: str, path: Path | str) -> types.ModuleType:
    """The module of one file under this name, loaded by path; it may import the files beside it."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    beside = str(Path(path).parent)  # where what scripts share is
    sys.path.insert(0, beside)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[spec.name]
        raise
    finally:
        sys.path.remove(beside)
    return module


class Carried:
    """A value that can be unpickled in a process that finds fewer modules than this one.

    Where it arrives, modules are looked for where they are here, too, and the `scripts` that hold its classes and
    functions are loaded first.

    **Arguments:**

    - `value`: What is carried.
    - `scripts`: Files by module, as `scripts_of` finds them.
    - `dump`: How the value becomes bytes, such as `cloudpickle.dumps`.
    """

    def __init__(self, value: Any, scripts: Mapping[str, str], dump: Callable[[Any], bytes] = pickle.dumps):
        self.value = value
        self.scripts = dict(scripts)
        self.dump = dump

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, (list(sys.path), self.scripts, self.dump(self.value))


def scripts_of(value: Any) -> dict[str, str]:
    """The files of those modules that `value` needs and that no import would find, by their names."""
    looked = _Modules(io.BytesIO())
    try:
        looked.dump(value)
    except Exception:  # what cannot be pickled is left to whoever carries it, who may know how
        return {}
    found = {name: sys.modules[name] for name in sorted(looked.names) if _is_loaded_by_path(name)}
    return {name: str(Path(str(module.__file__)).resolve()) for name, module in found.items()}


class _Modules(pickle.Pickler):
    """Notes the modules of all classes and functions that it meets."""

    def __init__(self, file: io.BytesIO):
        super().__init__(file)
        self.names: set[str] = set()

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, type | types.FunctionType) and isinstance(obj.__module__, str):
            self.names.add(obj.__module__)
        return NotImplemented


def _is_loaded_by_path(name: str) -> bool:
    module = sys.modules.get(name)
    if name in ("__main__", "__mp_main__") or "." in name or not getattr(module, "__file__", None):
        return False
    return PathFinder.find_spec(name) is None


def _arrived(places: list[str], scripts: Mapping[str, str], data: bytes) -> Carried:
    sys.path.extend(place for place in places if place not in sys.path)
    for name, path in scripts.items():
        if name not in sys.modules:
            load_file(name, path)
    return Carried(pickle.loads(data), scripts)
