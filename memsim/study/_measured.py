"""What a measure takes and gives: its arguments against a grid, its results as a data set."""

import inspect
import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from .._checks import described, did_you_mean

if TYPE_CHECKING:
    import xarray as xr

ONE = "value"  # what a result without a name is called
KINDS = "biufUSOMm"  # of NumPy's types, those that a file and a table can hold
HINT = "Return a number, an array, a dict of them, or an `xarray.Dataset`"


class Unusable(ValueError):
    """The results of a measure cannot be used, whatever its point is: there is no use in going on."""


def check_measure(measure: Callable[..., Any], names: Sequence[str], *, keyed: bool) -> None:
    """Raises `ValueError` unless `measure` takes arguments of these names, and a key where there is one."""
    try:
        parameters = inspect.signature(measure).parameters.values()
    except (TypeError, ValueError):  # of C: the first call will say
        return
    by_name = {p.name: p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    for name in names:
        if name not in by_name and not takes_any:
            raise ValueError(did_you_mean("A name in `grid`", name, by_name, what="an argument of `measure`"))
    if keyed and "key" not in by_name and not takes_any:
        raise ValueError(
            "`measure` must take `key` where one is given. Got none among its arguments "
            f"({', '.join(by_name)}); add `*, key`, or leave `key` out."
        )
    for name, parameter in by_name.items():
        if parameter.default is parameter.empty and name not in names and not (name == "key" and keyed):
            what = "`key`" if name == "key" else f"`grid`, a value or more for `{name}`"
            raise ValueError(f"What `measure` needs must be given: {what}. Got {', '.join(names)}.")


def as_dataset(result: Any, names: Sequence[str]) -> "xr.Dataset":
    """What a measure has returned, as a data set without the dimensions `names` of the grid.

    Raises `Unusable` for what is none.
    """
    import xarray as xr

    if isinstance(result, xr.Dataset):
        found = result
    elif isinstance(result, xr.DataArray):
        found = result.to_dataset(name=result.name or ONE)
    elif isinstance(result, Mapping):
        found = xr.Dataset()
        for name, value in result.items():
            if not isinstance(name, str) or not name or "/" in name:
                raise Unusable(f"`measure` must call what it returns by text without slashes. Got {name!r}.")
            found = found.merge({name: _variable(name, value)})
    else:
        found = xr.Dataset({ONE: _variable(ONE, result)})
    found = found.assign(found.map(_fetched, keep_attrs=True).data_vars)  # a map leaves out coordinates of no variable
    _check(found, names)
    return found


def _variable(name: str, value: Any) -> Any:
    import xarray as xr

    if isinstance(value, xr.DataArray):
        return value
    if isinstance(value, tuple) and len(value) in (2, 3) and isinstance(value[0], str | tuple | list):
        dims, values, *attributes = value  # as `xarray.Dataset` takes it
        return xr.DataArray(np.asarray(values), dims=dims, attrs=dict(*attributes))
    if not isinstance(value, numbers.Number | bool | str | np.ndarray | np.generic | jax.Array | list | tuple):
        raise Unusable(f"`measure` must return numbers. Got {described(value)} for `{name}`. {HINT}.")
    try:
        values = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise Unusable(
            f"`measure` must return numbers. Got {described(value)} for `{name}`: {error}. {HINT}."
        ) from error
    return xr.DataArray(values, dims=[f"{name}_{axis}" for axis in range(values.ndim)])


def _fetched(values: "xr.DataArray") -> "xr.DataArray":
    """With its numbers in NumPy, whichever device they were on."""
    return values.copy(data=np.asarray(values.data))


def _check(found: "xr.Dataset", names: Sequence[str]) -> None:
    if not found.data_vars:
        raise Unusable(f"`measure` must return something. Got a data set without variables. {HINT}.")
    for name in names:
        if name in found.variables or name in found.dims:
            raise Unusable(
                f"`measure` must leave the names of the grid to `sweep`. Got `{name}` in what it returned; drop it, "
                f'such as by `.squeeze("{name}", drop=True)`.'
            )
    for name, variable in found.variables.items():
        if variable.dtype.kind not in KINDS:
            raise Unusable(
                f"`measure` must return real numbers, truths or text. Got {variable.dtype} for `{name}`; of complex "
                "numbers return the real and the imaginary part."
            )
