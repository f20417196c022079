"""Labelled result files: written whole or not at all, and read as they were written or not at all."""

import hashlib
import io
import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from device_models._files import as_path, written_whole

from .._checks import checked

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

LAYOUT = 1
# Behind the end of the NetCDF4 data, where no reader of NetCDF looks: the layout, and the hash of all that is before.
SEAL = re.compile(rb"\nmemsim result, layout (\d{1,9}), sha256 ([0-9a-f]{64})\n\Z")


@checked()
def save_result(result: "xr.Dataset", path: Path | str) -> None:
    """Writes NetCDF4 with a checksum to `path`, whole or not at all.

    Raises `OSError` with the folder's name where it cannot be written.

    - `result`: A `Dataset`, with what `provenance` says in its attributes.
    - `path`: Such as "results/mine/result.nc".

    >>> import xarray as xr, memsim as ms
    >>> result = xr.Dataset({"accuracy": ("chip", [0.9, 0.92])}, attrs=ms.study.provenance())
    >>> ms.study.save_result(result, "result.nc")
    >>> "versions" in ms.study.open_result("result.nc").attrs
    True
    """
    path = as_path(path)
    make_folder(path.parent)
    with written_whole(path) as partial:
        result.to_netcdf(partial, engine="h5netcdf")
        with open(partial, "ab") as file:
            file.write(_seal(partial.read_bytes()))


@checked()
def open_result(path: Path | str) -> "xr.Dataset":
    """Reads a result file into memory.

    Raises `FileNotFoundError` where there is none, and `ValueError` for one that is not, to the last bit, what
    `save_result` wrote, or that has the layout of another release.

    >>> import xarray as xr, memsim as ms
    >>> ms.study.save_result(xr.Dataset({"accuracy": ("chip", [0.9, 0.92])}), "result.nc")
    >>> ms.study.open_result("result.nc")["accuracy"].values.tolist()
    [0.9, 0.92]
    """
    import xarray as xr

    path = as_path(path)
    if not path.exists():
        raise FileNotFoundError(f"A result file must exist before it is read. Got {path}; run its experiment first.")
    if not path.is_file():
        raise ValueError(f"A result file must be a file. Got {path}, which is none; add the name of a file in it.")
    try:
        with xr.open_dataset(io.BytesIO(_unsealed(path)), engine="h5netcdf") as file:
            # Encodings describe this file: kept, the length of its names would cut those of a larger result.
            return file.load().drop_encoding()
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ValueError(
            f"A result file must be complete NetCDF4 of layout {LAYOUT}, as `save_result` writes it. Got {path}, which "
            f"cannot be read: {error}. Delete it and run its experiment again."
        ) from error


@checked()
def save_table(table: "pd.DataFrame", path: Path | str, *, index: bool = True) -> None:
    """Writes a summary as CSV to `path`, whole or not at all; `index` says whether its index becomes a column.

    - `table`: Such as `summary(result)`.
    - `path`: Such as "results/mine/summary.csv".

    >>> import pandas as pd, memsim as ms
    >>> from pathlib import Path
    >>> ms.study.save_table(pd.DataFrame({"time": [0.0], "mean": [0.93]}), "summary.csv", index=False)
    >>> print(Path("summary.csv").read_text().strip())
    time,mean
    0.0,0.93
    """
    with written_whole(path) as partial:
        table.to_csv(partial, index=index)


@checked()
def make_folder(folder: Path | str) -> None:
    """Makes `folder` and checks that it can be written, before hours of work are spent.

    >>> import memsim as ms
    >>> from pathlib import Path
    >>> ms.study.make_folder("results/mine")
    >>> Path("results/mine").is_dir()
    True
    """
    folder = as_path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe{os.getpid()}-{secrets.token_hex(4)}"
        probe.touch()
        probe.unlink(missing_ok=True)
    except OSError as error:
        raise OSError(
            f"The output folder must be writable. Got {folder}. Choose another, of experiments by --out."
        ) from error


def _seal(data: bytes) -> bytes:
    return f"\nmemsim result, layout {LAYOUT}, sha256 {hashlib.sha256(data).hexdigest()}\n".encode()


def _unsealed(path: Path) -> bytes:
    """The NetCDF4 data of a result file; raises `ValueError` with the reason where it is not what was written."""
    content = path.read_bytes()
    found = SEAL.search(content, max(0, len(content) - 200))
    if found is None:
        raise ValueError("its end with layout and checksum is missing, so it is cut, or of another release")
    data = content[: found.start()]
    if content[found.start() :] == _seal(data):
        return data
    if int(found[1]) != LAYOUT:
        raise ValueError(f"its layout is {int(found[1])}, that of another release")
    raise ValueError("its checksum differs, so it was damaged or changed")
