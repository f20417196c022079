"""Reads of hardware, kept as they come: nothing is lost, and what was read can be read again from the file."""

import base64
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Shaped

from .._checks import Must, check, check_finite, write


class Batch(NamedTuple):
    """Reads taken together: inputs, outputs, and when they came, in seconds since 1970.

    - `x`, `y`: Shapes (reads, inputs) and (reads, outputs).
    - `time`: In seconds since 1970.

    >>> import numpy as np, memsim as ms
    >>> batch = ms.identify.Batch(np.eye(2), 2 * np.eye(2), time=1.7e9)
    >>> batch.x.shape, batch.y.shape
    ((2, 2), (2, 2))
    """

    x: Shaped[np.ndarray, "reads inputs"]
    y: Shaped[np.ndarray, "reads outputs"]
    time: float


@dataclass(eq=False)
class Experiment:
    """A function of hardware whose reads are written to a file, batch by batch, before they are handed on.

    Called again with the same inputs it first hands on what the file holds, bit for bit, and then asks the hardware: a
    run that was broken off is continued by starting it again, with this object or another. A batch during which the
    function raises leaves all batches before it.

    **Arguments:**

    - `read`: From inputs, shape (reads, inputs), to outputs (reads, outputs); `None` replays the file only.
    - `path`: The file, one line of JSON a batch; made if it is not there.

    >>> import numpy as np, tempfile, pathlib, memsim as ms
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> first = ms.identify.Experiment(lambda x: 2 * x, folder / "reads.jsonl")(np.eye(2))
    >>> ms.identify.Experiment(None, folder / "reads.jsonl")(np.eye(2)).tolist() == first.tolist()
    True
    """

    read: Callable[[Any], Any] | None
    path: str | Path
    _handed_on: int = field(default=0, init=False, repr=False)

    def __post_init__(self):
        check(
            self,
            read=Must("a function of inputs, or None to replay", lambda f: f is None or callable(f)),
            path=write("Such as `Path('reads.jsonl')`."),
        )

    def __call__(self, x: Any) -> np.ndarray:
        """The outputs for a batch of inputs, from the file or else from the hardware."""
        x = np.asarray(x)
        batches = self.batches
        if self._handed_on < len(batches):
            batch = batches[self._handed_on]
            if batch.x.shape != x.shape or not np.array_equal(batch.x, x):
                raise ValueError(
                    f"Inputs must be those of the file. Batch {self._handed_on} of {self.path} was read with others. "
                    "Use the same key and budget, or another file."
                )
            self._handed_on += 1
            return batch.y
        if self.read is None:
            raise ValueError(f"The file must hold what is asked for. {self.path} ends after {len(batches)} batches.")
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)  # before the read, which else would be lost
        try:
            y = np.asarray(self.read(x))
        except BaseException:  # also where somebody stops it
            self._handed_on = 0  # who begins again, begins with the file
            raise
        if y.shape[:1] != x.shape[:1]:
            raise ValueError(f"`read` must give outputs for each of {x.shape[0]} inputs. Got shape {y.shape}.")
        self._write(Batch(x, y, time.time()))
        self._handed_on += 1
        check_finite("y", y, "It is kept in the file.")
        return y

    @property
    def batches(self) -> list[Batch]:
        """All that the file holds; a last line that was not written whole is left out."""
        if not Path(self.path).exists():
            return []
        lines = Path(self.path).read_bytes().split(b"\n")
        return [_decoded(json.loads(line)) for line in lines[:-1]]

    def _write(self, batch: Batch) -> None:
        whole = Path(self.path).read_bytes() if Path(self.path).exists() else b""
        with Path(self.path).open("r+b" if Path(self.path).exists() else "wb") as file:
            file.seek(whole.rfind(b"\n") + 1)  # over half a line that a kill left
            file.truncate()
            line = {"time": batch.time, "x": _encoded(batch.x), "y": _encoded(batch.y)}
            file.write(json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def _encoded(values: np.ndarray) -> dict[str, Any]:
    if values.dtype.hasobject:
        raise ValueError(f"Reads must be numbers. Got {values.dtype}.")
    data = base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()
    return {"dtype": values.dtype.str, "shape": values.shape, "base64": data}


def _decoded(line: dict[str, Any]) -> Batch:
    def array(part: dict[str, Any]) -> np.ndarray:
        values = np.frombuffer(base64.b64decode(part["base64"]), np.dtype(part["dtype"]))
        return values.reshape(part["shape"]).copy()

    return Batch(array(line["x"]), array(line["y"]), float(line["time"]))
