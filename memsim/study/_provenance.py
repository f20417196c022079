"""Where a result comes from: versions, git state, and every device number with its source."""

import importlib.metadata
import json
import platform
import subprocess
from pathlib import Path
from typing import Any

import equinox as eqx
import jax

from .._crossbar import Crossbar
from ..nn import MixedSignal

PACKAGES = ("memsim", "jax", "jaxlib", "equinox", "optax", "numpy", "xarray")


def provenance() -> dict[str, str]:
    """Attributes for a result: package versions, Python, git commit and whether the tree was clean."""
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    versions["python"] = platform.python_version()
    return {"versions": json.dumps(versions), "git": git_state(), "backend": jax.default_backend()}


def git_state() -> str:
    """Commit of the source tree, "+changes" where it differs, or "not a git checkout"."""
    here = Path(__file__).parent

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", here, *words], capture_output=True, text=True, check=True).stdout.strip()

    try:
        # An installed package may lie inside somebody else's repository.
        if not git("ls-files", str(Path(__file__))):
            return "not a git checkout"
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "not a git checkout"


def device_numbers(design: Any) -> dict[str, str]:
    """Attributes for a result: every setting of a design, and the source of every number of its device."""
    settings = eqx.tree_pformat(design, short_arrays=False, width=120)
    crossbar = design.synapses if isinstance(design, MixedSignal) else design
    sources = {"device_numbers": "\n".join(crossbar.device.sources)} if isinstance(crossbar, Crossbar) else {}
    return {"design": settings} | sources
