"""What has been compiled once is found again by later processes."""

import os
from pathlib import Path

import jax
from jax.experimental.compilation_cache import compilation_cache

from device_models._checks import checked
from device_models._files import as_path, probe

SECONDS = 0.3  # what compiles faster than this is not kept


@checked()
def enable_compilation_cache(folder: Path | str | None = None) -> Path:
    """From here on compiled functions are kept in a folder, where this and later processes find them; returns it.

    Commands do so by themselves. What is kept is told apart by program, compiler and machine, so that a folder never
    makes a number another one. It may be deleted at any time.

    **Arguments:**

    - `folder`: By default the environment variable `MEMSIM_CACHE`, else `memsim/jax` in the user's cache folder.

    **Raises:** `OSError` where it cannot be written.

    >>> import jax, memsim as ms
    >>> before = jax.config.jax_compilation_cache_dir
    >>> ms.enable_compilation_cache("compiled").name
    'compiled'
    >>> jax.config.update("jax_compilation_cache_dir", before)
    """
    place = compiled_folder() if folder is None else as_path(folder)
    place.mkdir(parents=True, exist_ok=True)
    probe(place / "writable")
    keep_compiled(place)
    return place


def compiled_folder() -> Path:
    """Where compiled functions are kept: `MEMSIM_CACHE`, else `memsim/jax` in the user's cache folder."""
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(os.environ.get("MEMSIM_CACHE", str(home / "memsim" / "jax")))


def keep_compiled(folder: Path) -> None:
    """Lets JAX keep compiled functions in `folder`; where it cannot be written, JAX warns and goes on."""
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", SECONDS)
    compilation_cache.reset_cache()  # JAX looks for a folder once, when it first compiles
