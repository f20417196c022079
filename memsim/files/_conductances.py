"""Conductances of a chip, in and out."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from device_models._checks._quantities import MICRO_SIEMENS, SIEMENS
from device_models._files import as_path, written_whole
from device_models.fit import read_csv

from .._array import Chip, Crossbar
from .._checks import TIME, Must, as_time, at_least, checked, did_you_mean, judge, write
from ._arrays import read_arrays
from ._planes import Plane, columns_of, conductances_of, planes_of

if TYPE_CHECKING:
    import xarray as xr

COLUMNS = ("slice", "polarity", "row", "bit_line")  # of a .csv, beside the conductance
FAR = 20.0  # times `g_max`: what is further out is in another unit, or of another device
SOURCE = Must(
    "conductances in siemens, all finite",
    hint="Write a path, an array of (planes, rows, lines), or a dictionary of (rows, lines) by the name of a plane.",
)
Scale = float | Float[Array, "row_tiles columns"] | None


@checked(t=TIME, path=write("Such as 'chip.csv'."))
def conductances(chip: Chip, t: float = 0.0, path: str | Path | None = None) -> "xr.Dataset":
    """The conductance of every cell of a chip, labelled, as a Dataset, and as a file.

    Dims are slice (digit of the weights), polarity (1  -1 negative, 0 both in one cell), row (word line) and
    bit_line; `row_tile` and `column` say to which tile and which weight they belong (-1: a reference line). `scale` is
    the weight of one fully-on cell. `chip_from_conductances` takes all of it back, of a .csv but for the scale.

    **Arguments:**

    - `chip`: One chip.
    - `t`: Seconds since the end of programming.
    - `path`: Where to write it as well: .csv, one line a cell; .npz, one array a plane; or .nc.

    **Raises:** `ValueError` for several chips in one, as `jax.vmap` makes, and for another ending of `path`.

    >>> import jax.random as jr, device_models as dm, memsim as ms
    >>> from pathlib import Path
    >>> chip = ms.Crossbar(dm.Ideal()).program([[0.5, -1.0]], key=jr.key(0))
    >>> found = ms.files.conductances(chip, path="cells.csv")
    >>> dict(found.sizes), len(Path("cells.csv").read_text().splitlines())
    ({'slice': 1, 'polarity': 2, 'row': 2, 'bit_line': 1, 'tile': 1, 'weight_column': 1}, 5)
    """
    import xarray as xr

    g = conductances_of(chip, as_time(t))
    planes, design = planes_of(chip.crossbar.mapping, len(g)), chip.crossbar
    assert isinstance(design, Crossbar)
    slices, signs = sorted({plane.slice for plane in planes}), [plane.sign for plane in planes if plane.slice == 0]
    rows, lines = np.arange(g.shape[1]), np.arange(g.shape[2])
    labels = {
        "slice": slices,
        "polarity": signs,
        "row": rows,
        "bit_line": lines,
        "row_tile": ("row", rows // design.tile[0]),
        "column": ("bit_line", columns_of(design, g.shape[2])),
    }
    cells = g.reshape(len(slices), len(signs), *g.shape[1:])
    found = xr.Dataset(
        {
            "conductance": (COLUMNS, cells, {"units": "S", "long_name": "conductance of a cell"}),
            "scale": (("tile", "weight_column"), np.asarray(chip.scales), {"long_name": "weight of one fully-on cell"}),
        },
        labels,
        {
            "t": float(t),
            "t_units": "s",
            "mapping": type(design.mapping).__name__,
            "device": type(design.device).__name__,
        },
    )
    if path is not None:
        _written(as_path(path), found, planes, g)
    return found


@checked(conductances=SOURCE, scale=at_least(0.0, "the weight of one fully-on cell"))
def chip_from_conductances(crossbar: Crossbar, conductances: Any, *, scale: Scale = None, key: Key[Array, ""]) -> Chip:
    """A chip of the design `crossbar` whose cells were measured, in siemens, at the end of programming.

    It ages, is read and converted as any chip of that design; at t = 0 its cells conduct what was measured.

    **Arguments:**

    - `crossbar`: The design; its device says how such cells age.
    - `conductances`: An array (planes, rows, lines), rows the word lines and so the inputs; a dictionary of arrays
      (rows, lines), or of paths of them (.csv without a header, .npy), by plane: "positive" and "negative" of a pair,
      "single" of an `OffsetColumn`, with `BitSliced` "positive_0" ...; the path of a .csv or .npz that `conductances`
      wrote, or whose columns are slice, polarity, row, bit_line and conductance [S], with its unit; or a Dataset of
      `conductances`.
    - `scale`: Weight of one fully-on cell, a number or (row_tiles, columns); by default that of the file, which a .csv
      has not, and of arrays 1.
    - `key`: For what was not measured: how each cell ages, and errors of converters.

    **Raises:** `ValueError` for conductances that are missing, negative, not finite or far beyond the range of the
    device, as microsiemens are; for planes that the mapping does not have; and for a device whose cells a measurement
    does not tell, such as `CellPair`.

    >>> import device_models as dm, jax, memsim as ms, numpy as np
    >>> measured = {"positive": np.full((3, 2), 20e-6), "negative": np.full((3, 2), 5e-6)}
    >>> design = ms.Crossbar(dm.Ideal(), compensation=None)
    >>> chip = ms.files.chip_from_conductances(design, measured, key=jax.random.key(0))
    >>> chip.at(0.0).effective_weight.shape
    (2, 3)
    """
    if scale is None and isinstance(conductances, str | Path) and as_path(conductances).suffix == ".csv":
        raise ValueError(
            "`scale` must be given for a .csv, which has none: the weight of one fully-on cell, that of the chip "
            f"it was written of, or 1.0 for weights in such units. Got none with {conductances}."
        )
    g, own_scale = _collected(crossbar, conductances)
    judge("conductances", g, Float[np.ndarray, "planes rows lines"], SIEMENS)
    most = float(crossbar.device.g_max)
    if g.max() > FAR * most:
        raise ValueError(
            f"`conductances` must be in siemens, and not far beyond the {most:g} S that the device reaches. Got up to "
            f"{g.max():g}. {MICRO_SIEMENS}"
        )
    given = own_scale if scale is None else scale
    return crossbar.measured(
        jnp.asarray(g, jnp.result_type(float)), jnp.asarray(1.0 if given is None else given), key=key
    )


def _collected(crossbar: Crossbar, source: Any) -> tuple[np.ndarray, Any]:
    """The planes of a source in the order of the chip, and the scale that stands with them."""
    if isinstance(source, str | Path):
        path = as_path(source)
        if path.suffix != ".csv":
            return _of_names(crossbar, read_arrays(path))
        return _of_lines(crossbar, read_csv(path, {**dict.fromkeys(COLUMNS, "1"), "conductance": "S"}), path)
    if hasattr(source, "data_vars"):  # a Dataset, without importing what it is of
        cells = source["conductance"].transpose(*COLUMNS).values
        scale = source["scale"].values if "scale" in source else None
        return cells.reshape(-1, *cells.shape[2:]), scale
    return _of_names(crossbar, source) if isinstance(source, Mapping) else (np.asarray(source), None)


def _of_names(crossbar: Crossbar, found: Mapping[str, Any]) -> tuple[np.ndarray, Any]:
    found = dict(found)
    scale = found.pop("scale", None)
    planes = _expected(crossbar)
    names = [plane.name for plane in planes]
    for name in found:
        if name not in names:
            raise ValueError(did_you_mean("A plane of `conductances`", name, names, what="one that the mapping has"))
    if missing := [name for name in names if name not in found]:
        raise ValueError(f"`conductances` must have every plane. Got {', '.join(found)} without {', '.join(missing)}.")
    arrays = [_matrix(name, found[name]) for name in names]
    if len({array.shape for array in arrays}) > 1 or arrays[0].ndim != 2:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in zip(names, arrays, strict=True))
        raise ValueError(f"`conductances` must be matrices (rows, lines) of one shape. Got {shapes}.")
    return np.stack(arrays), scale


def _matrix(name: str, values: Any) -> np.ndarray:
    if not isinstance(values, str | Path):
        return np.asarray(values)
    try:
        if as_path(values).suffix == ".npy":
            return np.load(values, allow_pickle=False)
        return np.loadtxt(values, delimiter=",", ndmin=2)
    except ValueError as error:
        raise ValueError(f"{name!r} of `conductances` must be a file of numbers. Got {values}: {error}.") from error


def _expected(crossbar: Crossbar) -> list[Plane]:
    w = jax.ShapeDtypeStruct((1, 1), jnp.result_type(float))
    count = jax.eval_shape(lambda w: crossbar.mapping.fractions(w, crossbar.tile[1]), w).shape[0]
    return planes_of(crossbar.mapping, count)


def _of_lines(crossbar: Crossbar, read: dict[str, np.ndarray], path: Path) -> tuple[np.ndarray, None]:
    """One line a cell, in any order, each cell once."""
    planes = _expected(crossbar)
    places = {(plane.slice, plane.sign): place for place, plane in enumerate(planes)}
    keys = np.stack([read[name] for name in COLUMNS], axis=1)
    if not (keys == np.trunc(keys)).all() or (keys[:, [0, 2, 3]] < 0).any():
        raise ValueError(f"{path} must number slices, rows and bit lines from 0, and polarities 1, -1 and 0.")
    pairs = {(int(digit), int(sign)) for digit, sign in keys[:, :2]}
    if pairs != set(places):
        raise ValueError(
            f"{path} must have the slices and polarities of the mapping, {sorted(places)}. Got {sorted(pairs)}."
        )
    plane = np.array([places[int(digit), int(sign)] for digit, sign in keys[:, :2]])
    row, line = keys[:, 2].astype(int), keys[:, 3].astype(int)
    shape = (len(planes), row.max() + 1, line.max() + 1)
    count = np.zeros(shape, int)
    np.add.at(count, (plane, row, line), 1)
    if (count != 1).any():
        where = np.argwhere(count != 1)[0]
        raise ValueError(
            f"{path} must have each cell once. Got {count[tuple(where)]} of {planes[where[0]].name}, row {where[1]}, "
            f"bit line {where[2]}."
        )
    g = np.empty(shape)
    g[plane, row, line] = read["conductance"]
    return g, None


def _written(path: Path, found: "xr.Dataset", planes: list[Plane], g: np.ndarray) -> None:
    if path.suffix not in (".csv", ".npz", ".nc"):
        raise ValueError(f"`path` must end in .csv, .npz or .nc. Got {path}.")
    with written_whole(path) as partial:
        if path.suffix == ".nc":
            found.to_netcdf(partial, engine="h5netcdf")
        elif path.suffix == ".npz":
            arrays = {plane.name: g[place] for place, plane in enumerate(planes)}
            with open(partial, "wb") as file:
                np.savez(file, scale=found["scale"].values, **arrays)
        else:
            lines = [f"{', '.join(COLUMNS)}, column, conductance [S]"]
            columns = found["column"].values
            for place, plane in enumerate(planes):
                for row, line in np.ndindex(g.shape[1:]):
                    labels = f"{plane.slice},{plane.sign},{row},{line},{columns[line]}"
                    lines.append(f"{labels},{float(g[place, row, line])!r}")
            partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
