"""Graphs in files: read without trust in who wrote them, written whole or not at all."""

from pathlib import Path
from typing import Any

from device_models._files import as_path, written_whole

from ._package import nir_package


def write(path: str | Path, graph: Any) -> None:
    """Writes a `nir.NIRGraph` to a file, as `nir.write` does, but whole or not at all: an old file is lost to no error.

    **Arguments:**

    - `path`: The file, such as "network.nir".
    - `graph`: What `to_nir` gives.

    >>> import jax.random as jr, memsim as ms
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(3, 2, key=jr.key(0)), ms.nn.LI(2)])
    >>> ms.nir.write("mine.nir", ms.nir.to_nir(network, dt=1e-3, input_shape=3))
    >>> [type(layer).__name__ for layer in ms.nir.from_nir("mine.nir", dt=1e-3).layers]
    ['Linear', 'LI']
    """
    nir = nir_package()
    if not isinstance(graph, nir.NIRGraph):
        raise ValueError(f"`graph` must be a nir.NIRGraph. Got {type(graph).__name__}; `to_nir` makes one of a model.")
    with written_whole(path) as partial:
        nir.write(partial, graph)


def opened(graph: Any) -> Any:
    """A `nir.NIRGraph`, itself or from the file of a path; raises `ValueError` for anything else."""
    nir = nir_package()
    graph = read(graph) if isinstance(graph, str | Path) else graph
    if not isinstance(graph, nir.NIRGraph):
        raise ValueError(f"`graph` must be a nir.NIRGraph or the path of a file. Got {type(graph).__name__}.")
    return graph


def read(path: str | Path) -> Any:
    """The graph in a file.

    Raises `FileNotFoundError` where there is none, and `ValueError` for one that is corrupt, that refers to other files
    or to itself, or that would unpack to more than 4 GiB: it is looked through before anything is unpacked.
    """
    from ._safety import check_file  # h5py takes longer to import than all else of this package

    nir, path = nir_package(), as_path(path)
    if not path.is_file():
        raise FileNotFoundError(f"A file must be there to be read. Got {path}, which is none.")
    try:
        check_file(path)
        return nir.read(path, type_check=False)
    except Exception as error:  # h5py and nir raise whatever they meet first
        raise ValueError(f"A file must be one that `nir.write` wrote. Got {path}: {_said(error)}") from error


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
