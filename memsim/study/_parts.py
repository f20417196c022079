"""Experiments in parts: each is saved when it is finished, so that an interrupted run goes on."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ._provenance import git_state
from ._results import make_folder, open_result, save_result

if TYPE_CHECKING:
    import xarray as xr

Part = TypeVar("Part")


def parts_folder(out: Path, settings: Mapping[str, Any]) -> Path:
    """The folder in `out` for the parts of a run with these `settings` and this state of the source tree.

    Another run has another folder, so that no part of it is mistaken for one of this.
    """
    state = json.dumps({**settings, "git": git_state()}, default=str)
    return out / f"parts-{hashlib.sha256(state.encode()).hexdigest()[:12]}"


def run_parts(parts: Mapping[str, Part], compute: Callable[[Part], "xr.Dataset"], folder: Path) -> "xr.Dataset":
    """Computes and saves the `parts` that are not in `folder` yet; returns all of them as one data set.

    **Arguments:**

    - `parts`: By the names of their files.
    - `compute`: One part; its coordinates say where in the whole it belongs.
    - `folder`: As of `parts_folder`. Whoever has saved the whole deletes it.
    """
    import xarray as xr

    make_folder(folder)
    files = {name: folder / f"{name}.nc" for name in parts}
    done = sum(file.exists() for file in files.values())
    if done:
        print(f"Continuing: {done} of {len(parts)} parts are finished in {folder}.")
    start = time.perf_counter()
    for name, part in parts.items():
        if not files[name].exists():
            save_result(compute(part), files[name])
            print(f"{time.perf_counter() - start:6.0f} s  {name}", flush=True)
    # Not combine_by_coords: where parts differ in a coordinate's length, it spreads every variable over it.
    return xr.merge([open_result(file) for file in files.values()], join="outer", compat="no_conflicts")
