"""Where a result comes from: versions, git state, and every device number with its source."""

import json
import subprocess
from pathlib import Path
from typing import Any

import equinox as eqx
import jax

from .._array import Crossbar
from .._keeping import jax_options, plugin_hashes, source_hash, versions
from ..nn import MixedSignal


def provenance() -> dict[str, str]:
    """Attributes for a result: versions of packages and Python, and what else decides a number or helps to repeat it.

    - `source`: The hash of the source of memsim and device_models, which tells two states of the code apart wherever
      they are installed.
    - `git`: The commit, and whether the tree was clean, for a person to find that source.
    - `x64`, `backend`, `devices`: Whether jax has 64 bits, where it computed, and on how many devices.
    - `plugins`: Packages that add to memsim, with versions and hashes of their source; absent where there is none.

    >>> import memsim as ms
    >>> sorted(ms.study.provenance())
    ['backend', 'devices', 'git', 'source', 'versions', 'x64']
    """
    added = {"plugins": json.dumps(found)} if (found := plugin_hashes()) else {}
    return {
        "versions": json.dumps(versions()),
        "source": source_hash(),
        "git": git_state(),
        "x64": jax_options()["jax_enable_x64"],
        "backend": jax.default_backend(),
        "devices": str(jax.device_count()),
        **added,
    }


def git_state() -> str:
    """Commit of the source tree, "+changes" where it differs, or "not a git checkout".

    >>> import memsim as ms
    >>> state = ms.study.git_state()
    >>> state == "not a git checkout" or len(state.removesuffix("+changes")) == 40
    True
    """
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
    """Attributes for a result: every setting of a design, and the source of every number of its device.

    >>> import device_models as dm, memsim as ms
    >>> numbers = ms.study.device_numbers(ms.Crossbar(dm.pcm_joshi2020()))
    >>> list(numbers), "Joshi2020" in str(numbers)
    (['design', 'device_numbers'], True)
    """
    settings = eqx.tree_pformat(design, short_arrays=False, width=120)
    crossbar = design.synapses if isinstance(design, MixedSignal) else design
    sources = {"device_numbers": "\n".join(crossbar.device.sources)} if isinstance(crossbar, Crossbar) else {}
    return {"design": settings} | sources
