"""The folder of a sweep's finished points: who is at it, and how it goes."""

import shutil
from pathlib import Path

from device_models._files import as_path

from .._checks import checked
from .._keeping import claimed

IN_USE = "in-use"  # the claim of all processes that are at the points of a folder


@checked()
def remove_parts(folder: Path | str) -> None:
    """Removes the finished points of a sweep whose whole is saved; where another process is at them, the last one does.

    **Arguments:**

    - `folder`: That of the sweep / the attribute "parts" of its result.

    >>> import memsim as ms
    >>> from pathlib import Path
    >>> found = ms.study.sweep(lambda bits: 2.0**-bits, {"bits": [1, 2]}, folder="mine")
    >>> parts = Path("mine") / found.attrs["parts"]
    >>> ms.study.save_result(found, "mine/result.nc")
    >>> ms.study.remove_parts(parts)
    >>> list(parts.glob("*.nc"))
    []
    """
    folder = as_path(folder)
    if folder.is_dir():
        with claimed(in_use(folder)) as alone:
            if alone:
                shutil.rmtree(folder, ignore_errors=True)  # network file systems keep what is open


def in_use(folder: Path) -> Path:
    """The file of the claim."""
    return folder / IN_USE
