"""What every experiment does beside its question: recordings, labels, a table to read, files."""

import dataclasses
import itertools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from rich.console import Console
from rich.table import Table

import memsim as ms

FEW = 200  # training recordings of a quick run


def digits(steps: int, *, recordings: int = 600, quick: bool = False, **how: Any) -> ms.data.Splits:
    """The spoken digits, of the test set at most so many `recordings`, for a `quick` run few of the training set."""
    data = ms.data.spoken_digits(steps=steps, **how)
    train = data.train.take(np.arange(FEW)) if quick else data.train
    return ms.data.Splits(train, data.validation, data.test.take(np.arange(min(recordings, len(data.test)))))


def label(result: xr.Dataset, labels: Mapping[str, str | tuple[str, str]]) -> None:
    """Gives variables of `result` a unit, or a unit and a meaning: `{"seed": "1", "time": ("s", "age of a chip")}`."""
    for name, given in labels.items():
        unit, *meaning = (given,) if isinstance(given, str) else given
        result[name].attrs |= {"units": unit} | ({"long_name": meaning[0]} if meaning else {})


def of_a_point(config: Any, *points: str) -> Any:
    """The `config` without its options `points`, which only say which points there are, and without where results go.

    What a measure is given: a sweep with more points has the old ones.
    """
    defaults = {field.name: field.default for field in dataclasses.fields(config)}
    return dataclasses.replace(config, **{name: defaults[name] for name in (*points, "out")})


def first_of(result: xr.Dataset, along: str | Sequence[str], *names: str) -> xr.Dataset:
    """With the variables `names` at the first value `along` some names of a grid, such as where all have the same."""
    first = dict.fromkeys([along] if isinstance(along, str) else along, 0)
    return result.assign({name: result[name].isel(first, drop=True) for name in names})


def origin(settings: Any, data: ms.data.Dataset | None = None, design: Any = None) -> dict[str, str]:
    """Attributes for a result: `provenance`, its `settings`, the numbers of a `design`, and whose `data` these are.

    The settings are a mapping or a configuration.
    """
    if dataclasses.is_dataclass(settings) and not isinstance(settings, type):
        settings = dataclasses.asdict(settings)
    numbers = {} if design is None else ms.study.device_numbers(design)
    recorded = {} if data is None else {"data": f"{data.citation} {data.licence}"}
    return ms.study.provenance() | numbers | {"config": json.dumps(dict(settings), default=str)} | recorded


def swept(measure: Callable[..., Any], grid: Mapping[str, Any], *, folder: Path | str, key: Any = None) -> xr.Dataset:
    """`memsim.study.sweep`, of which every point must be measured: what is shown and written is whole.

    Raises `ValueError` where one failed; the others are kept.
    """
    result = ms.study.sweep(measure, grid, folder=folder, key=key)
    if "failed" in result.attrs:
        raise ValueError(
            f"All points must be measured before a result is written. Got errors at {result.failed}; the same command "
            "tries these again, the others are kept."
        )
    return result


def places(result: xr.Dataset | xr.DataArray, *dims: str) -> list[dict[str, Any]]:
    """All combinations of the coordinates along `dims`, the last varying fastest, each for `result.sel`."""
    return [dict(zip(dims, values, strict=True)) for values in itertools.product(*(result[dim].values for dim in dims))]


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str | None = None, width: int = 120
) -> None:
    """Prints `rows` below the names of their `columns`."""
    shown = Table(*columns, title=title)
    for row in rows:
        shown.add_row(*row)
    Console(width=width).print(shown)


def finish(
    name: str,
    result: xr.Dataset,
    table: pd.DataFrame,
    *,
    out: Path | str,
    report: Callable[[], Any],
) -> None:
    """Saves what the experiment `name` found in the folder `out`, reports it, and removes the points of its sweep."""
    out, parts = Path(out), result.attrs.pop("parts", None)
    ms.study.save_result(result, out / f"{name}.nc")
    ms.study.save_table(table, out / f"{name}.csv", index=False)
    report()
    print(f"Wrote {out / name}.nc and {name}.csv. `memsim draw {name}` draws them")
    if parts is not None:
        ms.study.remove_parts(out / parts)
