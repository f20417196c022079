"""The command `memsim doctor`: what is installed, what jax computes on, where files go, whether a crossbar reads."""

import json as json_format
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from device_models._version import __version__

from . import _added, _scripts
from ._folders import Folder, folder
from ._packages import needed, optional, version
from ._report import lines

LARGEST_ERROR = 1e-5  # of a read of ideal cells in float32, over the largest weight; about 1e-7 is usual


def doctor(json: bool = False) -> int:
    """Say what is installed here and whether it works, for a report of a fault. Exit status 1 if something is wrong.

    Args:
        json: The same as JSON.
    """
    found = examine()
    print(json_format.dumps(found, indent=2) if json else "\n".join(lines(found)))
    return 1 if found["troubles"] else 0


def examine() -> dict[str, Any]:
    """All that `memsim doctor` says, as values that JSON can hold; what is wrong is in "troubles"."""
    troubles: list[str] = []
    packages, extras = needed(), optional()
    troubles += [
        f"{each.name} {each.version or 'is absent'}: {each.tested} is needed" for each in packages if not each.is_tested
    ]
    folders = _attempt("folders", _folders, troubles) or []
    troubles += [f"{each.path} cannot be written to" for each in folders if not each.is_writable]
    added = _attempt("other packages", _added.examine, troubles) or []
    troubles += [each["trouble"] for each in added if each["trouble"] is not None]
    return {
        "memsim": {"version": __version__, "path": str(Path(__file__).parents[1])},
        "python": {"version": platform.python_version(), "path": sys.executable, "platform": platform.platform()},
        "packages": [each._asdict() for each in packages],
        "jaxlib": version("jaxlib"),
        "extras": {extra: [each._asdict() for each in of] for extra, of in extras.items()},
        "jax": _attempt("jax", _jax, troubles),
        "environment": {name: os.environ[name] for name in sorted(os.environ) if _matters(name)},
        "folders": [each._asdict() for each in folders],
        "names": _attempt("names", _names, troubles),
        "plugins": added,
        "read": _attempt("A read of an 8 x 8 crossbar", _read, troubles),
        "troubles": troubles,
    }


def _attempt(what: str, look: Callable[[], Any], troubles: list[str]) -> Any:
    """What `look` finds; if it fails, `None`, and why in `troubles`. A doctor does not fall ill."""
    try:
        return look()
    except Exception as error:
        troubles.append(f"{what}: {type(error).__name__}: {error}")
        return None


def _matters(name: str) -> bool:
    return name.startswith(("JAX_", "MEMSIM_")) or name in ("XLA_FLAGS", "XDG_CACHE_HOME", "EQX_ON_ERROR")


def _jax() -> dict[str, Any]:
    import jax
    import jax.numpy as jnp

    dtype = jnp.zeros(()).dtype
    return {
        "backend": jax.default_backend(),
        "devices": [f"{device.device_kind} {device.id}" for device in jax.devices()],
        "x64": str(dtype) == "float64",
        "dtype": str(dtype),
    }


def _names() -> dict[str, int]:
    """How many names memsim has of its own."""
    from device_models import DEVICES

    from ..chips import TARGETS

    scripts = {kind: len(_scripts.scripts(kind)) for kind in _scripts.PARTS}
    return {"cells": len(DEVICES), "chips": len(TARGETS)} | scripts


def _folders() -> list[Folder]:
    from .._keeping import compiled_folder
    from ..data import data_folder

    places = {
        "compiled functions": compiled_folder(),
        "data sets": data_folder(),
        "results": Path("results").absolute(),
    }
    return [folder(holds, path) for holds, path in places.items()]


def _read() -> dict[str, float]:
    """One read of ideal cells against the matrix they hold. Raises `ArithmeticError` where they differ."""
    import jax.random as jr
    import numpy as np

    from device_models import Ideal

    from .._array import Crossbar

    began = time.perf_counter()
    weights = np.linspace(-1.0, 1.0, 64, dtype=np.float32).reshape(8, 8)
    inputs = np.linspace(0.0, 1.0, 8, dtype=np.float32)
    chip = Crossbar(Ideal()).program(weights, key=jr.key(0))
    outputs = chip.at(0.0, key=jr.key(1))(inputs, key=jr.key(2))
    error = float(np.max(np.abs(np.asarray(outputs) - weights @ inputs)))
    if not error <= LARGEST_ERROR:
        raise ArithmeticError(
            f"its outputs are wrong by {error:.1e}, {LARGEST_ERROR:.0e} is the most that rounding makes."
        )
    return {"error": error, "seconds": time.perf_counter() - began}
