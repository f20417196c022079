"""Experiments in parts: each is saved when it is finished, so that an interrupted run goes on, alone or with others."""

import shutil
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from device_models._files import as_path

from .._checks import checked
from .._keeping import SECONDS_BETWEEN_LOOKS, claimed, code_hash, environment, fingerprint
from ._results import make_folder, open_result, save_result
from ._right import packed_names

if TYPE_CHECKING:
    import xarray as xr

Part = TypeVar("Part")
IN_USE = "in-use"  # the claim of all processes that are at the parts of a folder


@checked()
def parts_folder(out: Path | str, settings: Mapping[str, Any]) -> Path:
    """The folder in `out` for the parts of a run with these `settings`, this code of memsim, and these packages.

    Another run has another folder, so that no part of it is mistaken for one of this. Where memsim is installed or
    in which state its repository is plays no part; what it computes with does.
    """
    named = fingerprint((dict(settings), environment()))
    if named.unknown:
        warnings.warn(
            f"`settings` should hold numbers, text and functions. Got {', '.join(named.unknown)}, of which only "
            "the class is known: parts made with another one would be taken over.",
            stacklevel=2,
        )
    return as_path(out) / f"parts-{named.digest[:12]}"


@checked()
def run_parts(parts: Mapping[str, Part], compute: Callable[[Part], "xr.Dataset"], folder: Path | str) -> "xr.Dataset":
    """Computes and saves the `parts` that are not in `folder` yet; returns all of them as one data set.

    Any number of processes may share the work: each takes the parts that no other one is at, waits for the last ones,
    and returns the whole. A part whose process was killed is taken over, and one whose file is damaged is computed
    again. A part is known by its name and by the code of `compute`: its file, and what this imports of the user's.

    **Arguments:**

    - `parts`: By the names of their files.
    - `compute`: One part; its coordinates say where in the whole it belongs.
    - `folder`: As of `parts_folder`. Whoever has saved the whole calls `remove_parts`.
    """
    import xarray as xr

    folder = as_path(folder)
    for name in parts:
        if not name or Path(name).name != name:
            raise ValueError(f"The name of a part must be one of a file. Got {name!r}; leave slashes out.")
    make_folder(folder)
    code = code_hash(compute)[:8]
    files = {name: folder / f"{name}-{code}.nc" for name in parts}
    try:
        with claimed(in_use(folder), shared=True, wait=f"Waiting for the process that removes {folder}."):
            done = sum(file.exists() for file in files.values())
            if done:
                print(f"Continuing: {done} of {len(parts)} parts are finished in {folder}.")
            found = _all(parts, compute, files)
    finally:
        if {file.name for file in folder.glob("*")} == {IN_USE}:  # nothing was worth keeping
            remove_parts(folder)
    ordered = [found[name] for name in parts]
    names = sorted({name for part in ordered for name in packed_names(part)})
    # Not combine_by_coords: where parts differ in a coordinate's length, it spreads every variable over it.
    whole = xr.merge([part.drop_vars(names, errors="ignore") for part in ordered], join="outer", compat="no_conflicts")
    return whole.assign({name: _joined(name, ordered, whole) for name in names})


@checked()
def remove_parts(folder: Path | str) -> None:
    """Removes the parts of a whole that is saved; where another process is still at them, the last one does."""
    folder = as_path(folder)
    if folder.is_dir():
        with claimed(in_use(folder)) as alone:
            if alone:
                shutil.rmtree(folder, ignore_errors=True)  # network file systems keep what is open


def _joined(name: str, parts: Sequence["xr.Dataset"], whole: "xr.Dataset") -> "xr.DataArray":
    """A packed variable of all parts, still in bytes: a merge would make floats of them. Zero where no part has it."""
    import xarray as xr

    having = [part[name] for part in parts if name in part]
    dims = having[0].dims
    bits = np.zeros([whole.sizes.get(dim, having[0].sizes[dim]) for dim in dims], np.uint8)
    for values in having:
        known = [whole.indexes[dim].get_indexer(values.indexes[dim]) if dim in whole.indexes else None for dim in dims]
        places = [np.arange(values.sizes[dim]) if at is None else at for dim, at in zip(dims, known, strict=True)]
        bits[np.ix_(*places)] = values.transpose(*dims)
    return xr.DataArray(bits, dims=dims, attrs=having[0].attrs)


def in_use(folder: Path) -> Path:
    """The claim on the parts in `folder`."""
    return folder / IN_USE


def _all(
    parts: Mapping[str, Part], compute: Callable[[Part], "xr.Dataset"], files: Mapping[str, Path]
) -> dict[str, "xr.Dataset"]:
    found: dict[str, xr.Dataset] = {}
    start, told = time.perf_counter(), False
    while missing := [name for name in parts if name not in found]:
        for name in missing:
            part, computed = _one(parts[name], compute, files[name])
            if part is not None:
                found[name] = part
            if computed:
                print(f"{time.perf_counter() - start:6.0f} s  {name}", flush=True)
        if found.keys().isdisjoint(missing):
            if not told:
                print(f"Waiting for {len(missing)} of {len(parts)} parts, which other processes are at.", flush=True)
            told = True
            time.sleep(SECONDS_BETWEEN_LOOKS)
    return found


def _one(part: Part, compute: Callable[[Part], "xr.Dataset"], file: Path) -> tuple["xr.Dataset | None", bool]:
    """A part from its file or computed, and which of them; `None` where another process is at it."""
    if (found := _saved(file)) is not None:
        return found, False
    with claimed(file.with_suffix(".claim")) as mine:
        if not mine:
            return None, False
        if (found := _saved(file)) is not None:  # finished while we asked
            return found, False
        save_result(compute(part), file)
        return open_result(file), True


def _saved(file: Path) -> "xr.Dataset | None":
    try:
        return open_result(file)
    except FileNotFoundError:
        return None
    except ValueError:
        print(f"{file} cannot be read and is computed again.", flush=True)
        return None
