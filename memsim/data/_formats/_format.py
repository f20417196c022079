"""What memsim can do with one kind of file."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .._events import Size

Read = Callable[[Path], np.ndarray]
Write = Callable[[Path, np.ndarray, Size], None]


class Format(NamedTuple):
    """How the recordings with one ending are read and written.

    **Arguments:**

    - `read`: From a file to its events, perhaps out of order. Raises `ValueError` for what is wrong with the file.
    - `write`: Puts events of a sensor of some size into a file; `None` where memsim does not write the format. Raises
      `ValueError`, before it writes, for what the format cannot hold.
    """

    read: Read
    write: Write | None = None


def of_bytes(decode: Callable[[bytes], np.ndarray], encode: Callable[[np.ndarray, Size], bytes]) -> Format:
    """The format of files that are decoded and encoded as a whole."""

    def write(file: Path, events: np.ndarray, size: Size) -> None:
        file.write_bytes(encode(events, size))

    return Format(lambda file: decode(file.read_bytes()), write)
