"""Labelled result files: written whole or not at all, and read with a clear complaint."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr


def save_result(result: "xr.Dataset", path: Path) -> None:
    """Writes NetCDF4 next to `path` and moves it there.

    Raises `OSError` with the folder's name where it cannot be written.
    """
    make_folder(path.parent)
    partial = path.with_name(path.name + ".partial")
    result.to_netcdf(partial, engine="h5netcdf")
    os.replace(partial, path)


def open_result(path: Path) -> "xr.Dataset":
    """Reads a result file into memory.

    Raises `FileNotFoundError` where there is none and `ValueError` for a corrupt or truncated one.
    """
    import xarray as xr

    if not path.exists():
        raise FileNotFoundError(f"A result file must exist before it is read. Got {path}; run its experiment first.")
    try:
        with xr.open_dataset(path, engine="h5netcdf") as file:
            # Encodings describe this file: kept, the length of its names would cut those of a larger result.
            return file.load().drop_encoding()
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ValueError(
            f"A result file must be complete NetCDF4. Got {path}, which cannot be read; delete it and run again."
        ) from error


def make_folder(folder: Path) -> None:
    """Makes `folder` and checks that it can be written, before hours of work are spent."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OSError(f"The output folder must be writable. Got {folder}; choose another with --out.") from error
