"""Training state on disk, so that a killed run goes on where it stopped."""

import json
import os
from pathlib import Path
from typing import Any

import equinox as eqx


def save(path: Path, state: Any, *, epoch: int, fingerprint: str) -> None:
    """Writes `state` next to `path` and moves it there, so that a kill leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with open(partial, "wb") as file:
        file.write(json.dumps({"epoch": epoch, "fingerprint": fingerprint}).encode() + b"\n")
        eqx.tree_serialise_leaves(file, state)
    os.replace(partial, path)


def load(path: Path, like: Any, *, fingerprint: str) -> tuple[int, Any]:
    """The epoch and the state saved at `path`, or epoch 0 and `like` where there is no file.

    Raises `ValueError` for a file that is corrupt or belongs to a run with other settings.
    """
    if not path.exists():
        return 0, like
    try:
        with open(path, "rb") as file:
            header = json.loads(file.readline())
            state = eqx.tree_deserialise_leaves(file, like) if header["fingerprint"] == fingerprint else None
    except (ValueError, KeyError, TypeError, EOFError, RuntimeError) as error:
        raise ValueError(
            f"A checkpoint must be a complete file. Got {path}, which cannot be read; delete it."
        ) from error
    if state is None:
        raise ValueError(
            "A checkpoint must come from a run with the same model, data, key, hardware, epochs and batch size. "
            f"Got {path} from another run; delete it or choose another path."
        )
    return header["epoch"], state
