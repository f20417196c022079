"""What a number depends on beside its settings: the code, the packages, and how jax computes."""

import functools
import hashlib
import importlib.metadata
import inspect
import platform
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax

from ._fingerprint import content, fingerprint, own_file, undecorated

PACKAGES = ("memsim", "jax", "jaxlib", "equinox", "optax", "numpy", "xarray")
READ = (".py", ".npz")  # the files of our packages that decide a number: code, and the data it reads
JAX_OPTIONS = (
    "jax_enable_x64",
    "jax_default_matmul_precision",
    "jax_default_prng_impl",
    "jax_threefry_partitionable",
)


@functools.cache
def source_hash() -> str:
    """The hash of the source of memsim and device_models, as installed or as it lies in a checkout."""
    import device_models

    return hash_of(Path(__file__).parents[1], Path(str(device_models.__file__)).parent)


def hash_of(*packages: Path) -> str:
    """The hash of what decides a number in the folders of some packages."""
    digest = hashlib.sha256()
    for package in packages:
        for file in sorted(package.rglob("*")):
            place = file.relative_to(package.parent)
            # Experiments lie inside the package after an install only; each is known by the function that measures.
            if file.suffix in READ and "_bundled" not in place.parts:
                digest.update(f"{place.as_posix()} {content(file)}\n".encode())
    return digest.hexdigest()


@functools.cache
def versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on; "unknown" for one that is not installed."""
    return {name: _version(name) for name in PACKAGES} | {"python": platform.python_version()}


def environment() -> dict[str, Any]:
    """All that decides a number beside settings and the caller's own code."""
    return {"source": source_hash(), "versions": versions(), "backend": jax.default_backend()} | jax_options()


def jax_options() -> dict[str, str]:
    """How jax computes: the options that decide bits."""
    return {name: str(getattr(jax.config, name)) for name in JAX_OPTIONS}


def code_hash(function: Callable[..., Any]) -> str:
    """The hash of the code of a function of the user: its file, and the user's files that this one imports from.

    A function that no file holds, as in a notebook, goes by its own code.
    """
    files = sorted({file for module in _modules_of(function) if (file := own_file(module)) is not None})
    if not files:
        return fingerprint(inspect.unwrap(_bare(function))).digest
    return hashlib.sha256(" ".join(map(content, files)).encode()).hexdigest()


def _bare(function: Any) -> Any:
    """The function in a bound method, a partial, or a compiled one; the class of any other callable object."""
    while True:
        found = getattr(function, "func", None) or getattr(function, "__func__", None)
        found = found or getattr(function, "__wrapped__", None) or undecorated(function)
        if found is function:
            return function if inspect.isroutine(function) else type(function)
        function = found


def _modules_of(function: Callable[..., Any]) -> list[types.ModuleType]:
    """The user's module that holds `function`, and those that it names, in turn."""
    first = sys.modules.get(_bare(function).__module__)
    found = [] if first is None or own_file(first) is None else [first]
    for module in found:  # grows while it is walked
        found.extend(other for other in _named_in(module) if other not in found)
    return found


def _named_in(module: types.ModuleType) -> Iterator[types.ModuleType]:
    seen = set()
    for value in list(vars(module).values()):
        name = value.__name__ if isinstance(value, types.ModuleType) else getattr(value, "__module__", None)
        other = sys.modules.get(name) if isinstance(name, str) and name not in seen else None
        if other is not None and own_file(other) is not None:
            seen.add(name)
            yield other


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
