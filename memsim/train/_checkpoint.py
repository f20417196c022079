"""Training state on disk, so that a killed run goes on where it stopped."""

import hashlib
import io
import json
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from device_models._files import as_path, probe, written_whole

from .._keeping import claimed, environment, fingerprint

LAYOUT = 1
SEAL = re.compile(rb"memsim checkpoint, layout (\d{1,9}), sha256 [0-9a-f]{64}\n")  # the first line, of all that follows


class Checkpoint:
    """The file of one run: the `epoch` and `state` that were found in it, and where later ones go."""

    def __init__(self, path: Path | None, identity: str, epoch: int, state: Any):
        self.path, self.identity, self.epoch, self.state = path, identity, epoch, state
        self.failed = False

    def save(self, state: Any, epoch: int) -> None:
        """Writes `state`, whole or not at all. A failure is told once and is none of the training's."""
        if self.path is None:
            return
        try:
            with written_whole(self.path) as partial:
                partial.write_bytes(_content(state, epoch, self.identity))
        except Exception as error:  # whatever it is, the model is worth more
            if not self.failed:
                warnings.warn(
                    f"The checkpoint should be saved after epoch {epoch}. Got {type(error).__name__}: {error} Training "
                    f"goes on without, and tries again; {self.path} holds what was saved last.",
                    stacklevel=3,
                )
            self.failed = True


@contextmanager
def opened(path: Path | str | None, state: Any, *, run: Any) -> Iterator[Checkpoint]:
    """Yields the checkpoint at `path` of the run that starts from `state`; without a path it never saves.

    `run` is all that decides the run's numbers. While one process has the checkpoint, others wait for it.

    Raises `OSError` where it could not be saved, and `ValueError` for a file that is corrupt or of another run.
    """
    if path is None:
        yield Checkpoint(None, "", 0, state)
        return
    path = as_path(path)
    identity = _identity(run)
    _check_place(path, _content(state, 0, identity))
    with claimed(path.with_name(path.name + ".claim"), wait=f"Waiting for the process that trains with {path}."):
        yield Checkpoint(path, identity, *_load(path, state, identity))


def _identity(run: Any) -> str:
    found = fingerprint((environment(), run))
    if found.unknown:
        warnings.warn(
            "What is trained with a checkpoint should be of arrays, functions and classes of Python. Got "
            f"{', '.join(found.unknown)}, known by class alone: when resuming, keep what they hold the same.",
            stacklevel=5,
        )
    return found.digest


def _check_place(path: Path, content: bytes) -> None:
    try:
        probe(path, content)
    except OSError as error:
        raise OSError(f"`checkpoint` must be a file that can be written. {error}") from error


def _content(state: Any, epoch: int, identity: str) -> bytes:
    file = io.BytesIO()
    file.write(json.dumps({"epoch": epoch, "run": identity}).encode() + b"\n")
    eqx.tree_serialise_leaves(file, state, filter_spec=_write_leaf)
    body = file.getvalue()
    return _seal(body) + body


def _seal(body: bytes) -> bytes:
    return f"memsim checkpoint, layout {LAYOUT}, sha256 {hashlib.sha256(body).hexdigest()}\n".encode()


def _load(path: Path, like: Any, identity: str) -> tuple[int, Any]:
    """The epoch and the state saved at `path`, or epoch 0 and `like` where there is no file."""
    if not path.exists():
        return 0, like
    file = io.BytesIO(_unsealed(path))
    header = json.loads(file.readline())
    if header["run"] != identity:
        raise ValueError(
            "A checkpoint must come from a run with the same model, data, key, hardware, optimizer, loss, epochs and "
            "batch size, by the same code of memsim, versions and options of jax. "
            f"Got {path} from another run; delete it or choose another path."
        )
    return header["epoch"], eqx.tree_deserialise_leaves(file, like, filter_spec=_read_leaf)


def _unsealed(path: Path) -> bytes:
    """What stands behind the first line; raises `ValueError` where it is not what was written."""
    content = path.read_bytes()
    found = SEAL.match(content)
    body = content[found.end() :] if found else b""
    if found and found[0] == _seal(body):
        return body
    if found is None:
        reason = "its first line with layout and checksum is missing, so it is cut, or of another release"
    elif int(found[1]) != LAYOUT:
        reason = f"its layout is {int(found[1])}, that of another release"
    else:
        reason = "its checksum differs, so it is cut or damaged"
    raise ValueError(
        f"A checkpoint must be a complete file of layout {LAYOUT}. Got {path}, which cannot be read: {reason}. "
        "Delete it; the run then starts anew."
    )


def _write_leaf(file: io.BytesIO, leaf: Any) -> None:
    if _is_key(leaf):
        np.save(file, np.asarray(jr.key_data(leaf)))
    else:
        eqx.default_serialise_filter_spec(file, leaf)


def _read_leaf(file: io.BytesIO, like: Any) -> Any:
    if _is_key(like):
        return jr.wrap_key_data(jnp.asarray(np.load(file)), impl=jr.key_impl(like))
    return eqx.default_deserialise_filter_spec(file, like)


def _is_key(leaf: Any) -> bool:
    """Whether `leaf` is an array of typed random keys, which numpy cannot hold."""
    return isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
