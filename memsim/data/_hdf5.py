"""HDF5 files opened for reading without trust: what they hold comes from themselves, never from another file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from device_models._files import as_path

LARGEST_FACTOR, LARGEST_LEAST = 100, 2**30  # of what a data set may unpack to
PLUGINS = {36559: "Prophesee's ECF codec"}  # of the filters that HDF5 does not bring along


@contextmanager
def opened(path: Path | str, must_be: str, remedy: str) -> Iterator["Inside"]:
    """The contents of one file; whatever is wrong with them becomes a `ValueError` that says what the file must be."""
    import h5py

    path = as_path(path)
    try:
        with h5py.File(path, "r") as file:
            yield Inside(file)
    # h5py: OSError for damage, KeyError for a missing part, RuntimeError and TypeError for one of another kind.
    except (OSError, KeyError, RuntimeError, TypeError, ValueError) as error:
        if isinstance(error, TimeoutError | ConnectionError | PermissionError):
            raise
        raise ValueError(f"{path} must be {must_be}. Reading it gave: {error}. {remedy}") from error


class Inside:
    """The data sets within one open file.

    **Arguments:**

    - `file`: The `h5py.File`.
    """

    def __init__(self, file: Any):
        self._file = file

    def __contains__(self, name: str) -> bool:
        return self._find(name) is not None

    def __getitem__(self, name: str) -> Any:
        """The data set of this name. Raises `KeyError` where there is none, `ValueError` where it lies elsewhere."""
        import h5py

        found = self._find(name)
        if not isinstance(found, h5py.Dataset):
            raise KeyError(f"it has no data set {name}")
        if found.external or found.is_virtual:
            raise ValueError(f"{name} lies in another file, which is not read")
        most = max(LARGEST_FACTOR * self._file.id.get_filesize(), LARGEST_LEAST)
        if found.nbytes > most:
            raise ValueError(f"{name} unpacks to {found.nbytes} bytes, more than {most}, a hundred times its file")
        _check_filters(name, found)
        return found

    def _find(self, name: str) -> Any:
        """What is called `name`, reached through groups of this file alone; no link is followed."""
        from h5py import Group, h5l  # pyright: ignore[reportAttributeAccessIssue]

        found: Any = self._file
        for part in name.split("/"):
            links = found.id.links if isinstance(found, Group) else None
            if links is None or not links.exists(part.encode()):
                return None
            if links.get_info(part.encode()).type != h5l.TYPE_HARD:
                raise ValueError(f"{name} is a link to another place, which is not followed")
            found = found[part]
        return found


def _check_filters(name: str, dataset: Any) -> None:
    """Raises `ValueError` where a plugin that unpacks the data set is missing."""
    import h5py

    creation = dataset.id.get_create_plist()
    for index in range(creation.get_nfilters()):
        code = creation.get_filter(index)[0]
        if not h5py.h5z.filter_avail(code):
            raise ValueError(
                f"{name} is packed with {PLUGINS.get(code, 'a filter')} (HDF5 filter {code}), whose plugin is not "
                "installed; let HDF5_PLUGIN_PATH name the folder that holds it, or write the file without packing"
            )
