"""Results of the points of a grid as one data set over the grid's names and what the results have besides."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ._grid import Grid
from ._measured import Unusable
from ._right import packed_names

if TYPE_CHECKING:
    import xarray as xr

MISSING = {"b": np.float32, "i": float, "u": float}  # what whole numbers and truths become where some are missing


class Part(NamedTuple):
    """The result of one point."""

    name: str
    place: tuple[int, ...]
    result: "xr.Dataset"


def assembled(grid: Grid, parts: Sequence[Part]) -> "xr.Dataset":
    """The whole of parts that are alike; NaN where one is missing, or lacks what others have along a coordinate."""
    import xarray as xr

    first = parts[0]
    sizes = {str(dim): size for dim, size in first.result.sizes.items()}
    indexes = {
        dim: _union([part.result.indexes[dim] for part in parts]) for dim in sizes if dim in first.result.indexes
    }
    sizes |= {dim: len(index) for dim, index in indexes.items()}
    bits = packed_names(first.result)
    whole: dict[str, Any] = {}
    for name in map(str, first.result.variables):
        if name in indexes:
            attributes = first.result[name].attrs
            whole[name] = xr.Variable(name, indexes[name].values, attributes)
        elif name in first.result.coords and _is_one(name, parts):
            whole[name] = first.result[name].variable
        else:
            whole[name] = _over_grid(name, grid, parts, sizes, indexes, zeros=name in bits)
    found = xr.Dataset(whole).set_coords([name for name in map(str, first.result.coords)])
    found = found.assign_coords({axis.name: list(axis.labels) for axis in grid.axes})
    return found.assign_attrs(_same_attributes([part.result.attrs for part in parts]))


def check_alike(first: Part, other: Part) -> None:
    """Raises `Unusable`, naming two points, where they differ in variables, or in a dimension without a coordinate."""
    one, two = first.result, other.result
    if set(one.variables) != set(two.variables):
        differs = sorted(map(str, set(one.variables) ^ set(two.variables)))
        _refuse("return the same variables at every point", f"`{', '.join(differs)}` at one of", first, other)
    for name in one.variables:
        if one[name].dims != two[name].dims or (one[name].dtype.kind in "US") != (two[name].dtype.kind in "US"):
            came = (
                f"`{name}` over {one[name].dims} and over {two[name].dims}, {one[name].dtype} and {two[name].dtype}, at"
            )
            _refuse("return a variable alike at every point", came, first, other)
    for dim in one.sizes:
        if dim not in one.indexes and one.sizes[dim] != two.sizes[dim]:
            came = f"{one.sizes[dim]} and {two.sizes[dim]} along `{dim}`, which has no coordinate, at"
            _refuse("return a dimension without a coordinate in one length", came, first, other)


def _refuse(must: str, came: str, first: Part, other: Part) -> None:
    raise Unusable(f"`measure` must {must}. Got {came} the points {first.name} and {other.name}.")


def _union(indexes: Sequence[Any]) -> Any:
    """All values of a coordinate, those of the first point first."""
    found = indexes[0]
    for index in indexes[1:]:
        if not index.equals(found):
            found = found.append(index.difference(found, sort=False))
    return found


def _is_one(name: str, parts: Sequence[Part]) -> bool:
    """Whether a coordinate without an index is the same at every point."""
    return all(part.result[name].variable.equals(parts[0].result[name].variable) for part in parts[1:])


def _over_grid(
    name: str, grid: Grid, parts: Sequence[Part], sizes: Mapping[str, int], indexes: Mapping[str, Any], *, zeros: bool
) -> Any:
    import xarray as xr

    pieces = [part.result[name].variable for part in parts]
    dims = pieces[0].dims
    shape = tuple(sizes[str(dim)] for dim in dims)
    dtype = np.result_type(*(piece.dtype for piece in pieces))
    if len(parts) == grid.size and all(piece.shape == shape for piece in pieces):
        values = np.empty(grid.shape + shape, dtype)
    elif zeros or dtype.kind in "USO":
        values = np.full(grid.shape + shape, 0 if zeros else "", dtype)
    else:
        kind = MISSING.get(dtype.kind, dtype)
        values = np.full(grid.shape + shape, np.datetime64("NaT") if dtype.kind in "mM" else np.nan, kind)
    for part, piece in zip(parts, pieces, strict=True):
        own = [part.result.indexes.get(dim) for dim in dims]
        places = [
            np.arange(size) if index is None else indexes[str(dim)].get_indexer(index)
            for dim, index, size in zip(dims, own, piece.shape, strict=True)
        ]
        values[(*part.place, *np.ix_(*places))] = piece.values
    return xr.Variable((*grid.names, *dims), values, pieces[0].attrs)


def _same_attributes(every: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Those attributes that all results have alike."""
    first = every[0]
    return {
        name: value
        for name, value in first.items()
        if all(name in other and np.array_equal(other[name], value) for other in every[1:])
    }
