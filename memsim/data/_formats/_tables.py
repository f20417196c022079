"""Events in the files of NumPy (.npy) and as text (.csv)."""

import csv
import io
import tokenize
import warnings
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from .._events import EVENT, Size, event_array

COLUMNS = {"t": "t", "timestamp": "t", "x": "x", "y": "y", "p": "p", "polarity": "p", "on": "p"}
HEADER = "t,x,y,p"


def read_npy(file: Path) -> Shaped[np.ndarray, " events"]:
    """A structured array with fields t, x and perhaps y and p.

    Raises `ValueError` for plain arrays, which do not tell their columns, and for pickled objects.
    """
    array = load_npy(file)
    if array.ndim != 1 or not {"t", "x"} <= set(array.dtype.names or ()) or array.dtype["t"].kind not in "iu":
        raise ValueError(
            "its array must have one entry for each event and fields that name the columns: t, whole microseconds, and "
            f"x, and perhaps y and p. Got {array.dtype} of shape {array.shape}; load it with `np.load` and build "
            "`event_array(t, x, y, p)`, with the `tick` of its times"
        )
    return array


def load_npy(file: Path) -> np.ndarray:
    """The one array of a file. Raises `ValueError` for damage of any kind and for pickled objects."""
    with open(file, "rb") as opened:
        try:
            return np.lib.format.read_array(opened, allow_pickle=False)
        except (EOFError, OSError, MemoryError, SyntaxError, TypeError, tokenize.TokenError) as error:
            raise ValueError(f"reading it gave {type(error).__name__}: {error}") from error


def write_npy(file: Path, events: Shaped[np.ndarray, " events"], size: Size) -> None:
    """Writes an array of the dtype `EVENT`."""
    with open(file, "wb") as opened:
        np.save(opened, events.astype(EVENT), allow_pickle=False)


def decode_csv(raw: bytes) -> Shaped[np.ndarray, " events"]:
    """Events of lines of whole numbers below a line that names the columns: t in microseconds, x, y, p.

    Raises `ValueError` for a header that does not name each column once, and for lines of other than whole numbers.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("it must be text in UTF-8") from error
    header, _, body = text.partition("\n")
    names = _names(header.rstrip("\r"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a table without lines
            rows = np.loadtxt(io.StringIO(body), np.int64, delimiter=",", comments=None, ndmin=2)
    except ValueError as error:
        raise ValueError(
            f"below its header it must hold whole numbers between commas, t in microseconds. Got: "
            f"{str(error).rstrip('.')}. Seconds? Multiply by 1e6, and round."
        ) from error
    if len(rows) and rows.shape[1] != len(names):
        raise ValueError(f"its lines must have the {len(names)} columns of its header. Got {rows.shape[1]}")
    columns = dict(zip(names, rows.T if len(rows) else np.empty((len(names), 0), np.int64), strict=True))
    order = np.argsort(columns["t"], kind="stable")
    t, x, y, p = (columns[name][order] if name in columns else None for name in "txyp")
    assert t is not None and x is not None  # _names asks for them
    return event_array(t, x, y, p)


def encode_csv(events: Shaped[np.ndarray, " events"], size: Size) -> bytes:
    """The text of a file with these events."""
    text = io.StringIO()
    np.savetxt(text, np.stack([events[name].astype(np.int64) for name in EVENT.names or ()], 1), "%d", ",")
    return f"{HEADER}\n{text.getvalue()}".encode()


def _names(header: str) -> list[str]:
    # Other tools write the sensor's size behind a name: x@640.
    cells = [cell.partition("@")[0].strip() for cell in next(csv.reader([header]), [])]
    found = [COLUMNS.get(cell.lower(), cell) for cell in cells]
    if not {"t", "x"} <= set(found) or len(set(found)) < len(found) or not set(found) <= set(COLUMNS.values()):
        hint = "; its columns are not separated by commas" if ";" in header or "\t" in header else ""
        raise ValueError(
            f"its first line must name each column once: t, in microseconds, and x, and perhaps y and p, as {HEADER}. "
            f"Got {header[:80]!r}{hint}"
        )
    return found
