"""What a number depends on beside its settings: the code, the packages, and how jax computes."""

import functools
import hashlib
import importlib.metadata
import platform
from pathlib import Path
from typing import Any

import jax

from device_models._plugins import Plugin, packages

from ._fingerprint import content

PACKAGES = ("memsim", "jax", "jaxlib", "equinox", "optax", "numpy", "xarray")
READ = (".py", ".npz", ".xz")  # the files of our packages that decide a number: code, and the data it reads
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
        for file in sorted(package.rglob("*")) if package.is_dir() else [package]:
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
    """All that decides a number beside settings and the caller's own code.

    Settings say cells and chips of other packages by name, so the source of each package that adds such counts.
    """
    added = {"plugins": plugin_hashes()} if packages() else {}
    return {"source": source_hash(), "versions": versions(), "backend": jax.default_backend()} | jax_options() | added


def plugin_hashes() -> dict[str, str]:
    """Of each package that adds to memsim, with its version, the hash of the source that its names come from."""
    return {package: hash_of(*_folders(added)) for package, added in packages().items()}


def _folders(added: list[Plugin]) -> list[Path]:
    """The packages, or single files, that the modules of entry points are in."""
    found = {_top(file, each.place) for each in added if (file := each.file()) is not None}
    return sorted(found)


def _top(file: Path, place: str) -> Path:
    depth = place.partition(":")[0].count(".") + (file.name == "__init__.py")
    return file.parents[depth - 1] if depth else file


def jax_options() -> dict[str, str]:
    """How jax computes: the options that decide bits."""
    return {name: str(getattr(jax.config, name)) for name in JAX_OPTIONS}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
