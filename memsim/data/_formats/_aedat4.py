"""AEDAT 4 recordings (.aedat4) of iniVation cameras, read and written by faery."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np
from jaxtyping import Shaped

from .._events import EVENT, Size, event_array

PLACES = 2**15


def read_aedat4(file: Path) -> Shaped[np.ndarray, " events"]:
    """The events of one file. Raises `ValueError` for damage and for no events, `ImportError` without faery."""
    faery = _faery()
    with _errors("reading it"):
        theirs = faery.events_stream_from_file(file, file_type="aedat").to_array()
    if len(theirs) == 0:
        raise ValueError("it holds no events")
    return event_array(*(theirs[name] for name in theirs.dtype.names or ()))


def write_aedat4(file: Path, events: Shaped[np.ndarray, " events"], size: Size) -> None:
    """Writes these events, and reads them back to be sure.

    Raises `ValueError` for no events and for those that the format cannot hold, `ImportError` without faery.
    """
    faery = _faery()
    if len(events) == 0 or len(size) != 2 or max(size) >= PLACES:
        raise ValueError(
            f"a .aedat4 file must hold at least one event, and width and height must be below {PLACES}. "
            f"Got {len(events)} events and size {size}"
        )
    theirs = events.astype(faery.EVENTS_DTYPE)  # field by field, in order: its fourth is named on
    with _errors("writing them"):
        faery.events_stream_from_array(theirs, size).to_file(file, zero_t0=False, file_type="aedat")
    if not np.array_equal(read_aedat4(file), events.astype(EVENT)):
        raise ValueError("faery reads other events than were to be written")


@contextmanager
def _errors(doing: str) -> Iterator[None]:
    """Makes `ValueError` of what faery raises: RuntimeError for damage of all kinds, and a panic for its own faults."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, RuntimeError) and type(error).__name__ != "PanicException":
            raise
        raise ValueError(f"{doing} gave: {error}") from error


def _faery() -> ModuleType:
    try:
        import faery  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ImportError(
            "Reading and writing .aedat4 files needs faery. It is not installed. Run `pip install 'memsim[events]'`."
        ) from error
    return faery
