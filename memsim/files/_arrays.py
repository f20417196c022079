"""Named arrays from files of other libraries."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from device_models._files import as_path

from .._checks import checked
from ._safetensors import read_safetensors
from ._torch_file import read_torch

TORCH = (".pt", ".pth", ".bin", ".ckpt")
WEIGHTS = ("state_dict", "model_state_dict", "model")  # what checkpoints call the weights within them


@checked()
def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of a file by name: safetensors, a state dict of torch, or .npz. Nothing of a file is run.

    Of a checkpoint of torch with more than weights in it, those called "state_dict", "model_state_dict" or "model", or
    the only dictionary of tensors. bfloat16 and 8-bit floats keep their type, as that of `ml_dtypes`.

    **Raises:** `FileNotFoundError` where there is no file; `ValueError` for one that is cut, of another kind, or that
    holds anything beside tensors, containers, numbers and text, such as a pickled module.

    >>> import numpy as np, memsim as ms
    >>> np.savez("weights.npz", weight=np.ones((3, 2), np.float32))
    >>> {name: array.shape for name, array in ms.files.read_arrays("weights.npz").items()}
    {'weight': (3, 2)}
    """
    path = as_path(path)
    if not path.is_file():
        raise FileNotFoundError(f"A file must be there to be read. Got {path}, which is none.")
    if path.suffix == ".safetensors":
        return read_safetensors(path)
    if path.suffix in TORCH:
        return _weights(path, read_torch(path))
    if path.suffix == ".npz":
        return _of_npz(path)
    raise ValueError(
        f"A file of arrays must end in .safetensors, .npz, {', '.join(TORCH)}. Got {path}. Rename it, or pass the "
        "arrays."
    )


def _of_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except (zipfile.BadZipFile, ValueError, EOFError, OSError) as error:
        raise ValueError(f"An .npz file must be whole, and of numbers. Got {path}: {error}.") from error


def _weights(path: Path, held: dict[Any, Any]) -> dict[str, np.ndarray]:
    if _are_tensors(held):
        return held
    inside = {name: value for name, value in held.items() if isinstance(value, dict) and _are_tensors(value) and value}
    named = [name for name in WEIGHTS if name in inside] or list(inside)
    if len(named) != 1 and not set(named) & set(WEIGHTS):
        raise ValueError(
            f"A torch file must hold one dictionary of tensors. Got {path} with {', '.join(map(repr, held))}, of which "
            f"{', '.join(map(repr, inside)) or 'none'} are such. Save `model.state_dict()`."
        )
    return inside[named[0]]


def _are_tensors(held: Mapping[Any, Any]) -> bool:
    return all(isinstance(name, str) and isinstance(value, np.ndarray) for name, value in held.items())
