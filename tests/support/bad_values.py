"""Every public name with right arguments, and wrong values for each argument, made from its annotation."""

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Union

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import AbstractArray

import device_models as dm
import memsim as ms

ROOMS = {
    "memsim": ms,
    "device_models": dm,
    "fit": dm.fit,
    "ageing": dm.ageing,
    "curves": dm.curves,
    "iv": dm.iv,
    "memristors": dm.memristors,
    "noise": dm.noise,
    "pulsed": dm.pulsed,
    "nn": ms.nn,
    "train": ms.train,
    "study": ms.study,
    "insitu": ms.insitu,
    "encoding": ms.encoding,
    "data": ms.data,
    "recipes": ms.recipes,
    "nir": ms.nir,
    "files": ms.files,
    "plotting": ms.plotting,
    "chips": ms.chips,
    "energy": ms.energy,
    "solve": ms.solve,
    "heal": ms.heal,
    "identify": ms.identify,
    "extend": ms.extend,
}
NAN, INF = float("nan"), float("inf")


class Wrong(NamedTuple):
    """A wrong value, and how it is written."""

    label: str
    value: Any


def public() -> dict[str, Any]:
    """Every class and function of ours that a public module hands out, once, by room and name."""
    found: dict[int, tuple[str, Any]] = {}
    for room, module in ROOMS.items():
        for name, thing in inspect.getmembers(module):  # public names are imported when asked for
            home = ("memsim", "device_models") if room in ("memsim", "device_models", "extend") else (module.__name__,)
            ours = callable(thing) and getattr(thing, "__module__", "").startswith(home)
            if not name.startswith(("_", "Abstract")) and ours and not inspect.isabstract(thing):
                found.setdefault(id(thing), (f"{room}.{name}", thing))
    return dict(found.values())


def parameters(thing: Any) -> dict[str, inspect.Parameter]:
    """The arguments that a class or function can be given by name."""
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {name: p for name, p in inspect.signature(thing).parameters.items() if p.kind not in several}


def options(annotation: Any) -> tuple[Any, ...]:
    """What a union allows; any other annotation alone."""
    if typing.get_origin(annotation) in (Union, types.UnionType):
        return tuple(inner for option in typing.get_args(annotation) for inner in options(option))
    return (annotation,)


def is_array(option: Any) -> bool:
    return inspect.isclass(option) and issubclass(option, AbstractArray)


def is_key(option: Any) -> bool:
    return is_array(option) and option.dtypes == ("prng_key",)


def axes(option: Any) -> int:
    return len(option.dim_str.split())


def is_number(option: Any) -> bool:
    return option in (float, int) or (is_array(option) and axes(option) == 0 and not is_key(option))


def origin(option: Any) -> Any:
    return typing.get_origin(option)


def is_several(option: Any) -> bool:
    return origin(option) in (tuple, list, Sequence, Collection, Iterable)


def wrong_values(annotation: Any, right: Any, *, magnitude: bool) -> Iterator[Wrong]:
    """Values that an argument of this annotation must refuse, whatever it means; `right` is one that it takes.

    A `magnitude` is a number that cannot be negative. Annotations that say nothing (a type variable, `Any`) give none.
    """
    choices = options(annotation)
    if any(choice in (Any, inspect.Parameter.empty) or isinstance(choice, str | typing.TypeVar) for choice in choices):
        return
    if None not in choices and type(None) not in choices:
        yield Wrong("None", None)
    if str not in choices:
        yield Wrong("text", "nonsense")
    if any(map(is_number, choices)):
        yield from _wrong_numbers(whole=float not in choices and int in choices, magnitude=magnitude)
    elif bool not in choices and not any(map(is_array, choices)):
        yield Wrong("a number", 8.5)
    if bool in choices:
        yield Wrong("a number", 8)
    if not any(is_several(choice) or is_array(choice) for choice in choices):
        yield Wrong("a list", [1.0, 2.0])
    if any(is_key(choice) for choice in choices):
        yield from (Wrong("a whole number", 0), Wrong("a raw key", jax.random.PRNGKey(0)))
    elif any(is_array(choice) and axes(choice) for choice in choices) and isinstance(right, jax.Array | np.ndarray):
        free = any(is_array(choice) and ("*" in choice.dim_str or "..." in choice.dim_str) for choice in choices)
        yield from _wrong_arrays(right, any_axes=free)
    if any(is_several(choice) for choice in choices):
        yield from _wrong_sequences(choices, right)
    for choice in choices:
        if inspect.isclass(choice) and issubclass(choice, eqx.Module):
            yield Wrong(
                "another module",
                ms.GlobalDriftCompensation() if choice is not ms.GlobalDriftCompensation else dm.iv.Ohmic(),
            )
            yield Wrong("a class", type(right) if isinstance(right, choice) else choice)


def _wrong_numbers(*, whole: bool, magnitude: bool) -> Iterator[Wrong]:
    kinds = {"float": float, "numpy": np.float32, "0-d array": np.asarray, "jax": jnp.asarray}
    bad = {"nan": NAN} | ({} if not whole else {"a fraction": 2.5}) | ({"negative": -1.0} if magnitude else {})
    for name, number in bad.items():
        for written, kind in kinds.items():
            yield Wrong(f"{name}, {written}", kind(number))
    if whole and magnitude:
        yield Wrong("negative, int", -1)
    yield Wrong("infinite", INF)
    yield Wrong("a truth", True)


def _wrong_arrays(right: Any, *, any_axes: bool) -> Iterator[Wrong]:
    yield Wrong("a number", 8.5)
    if jnp.issubdtype(right.dtype, jnp.inexact) and right.size:
        flat = np.asarray(right).copy().reshape(-1)
        flat[flat.size // 2] = np.nan
        module = jnp if isinstance(right, jax.Array) else np
        yield Wrong("NaN in an array", module.asarray(flat.reshape(right.shape)))
        if not any_axes:
            yield Wrong("another number of axes", module.asarray(right)[None, None, None])
    yield Wrong("texts", ["a", "b"])


def _wrong_sequences(choices: tuple[Any, ...], right: Any) -> Iterator[Wrong]:
    inner = [typing.get_args(choice)[0] for choice in choices if is_several(choice) and typing.get_args(choice)]
    if any(option in (float, int) for choice in inner for option in options(choice)):
        yield Wrong("texts", ("a", "b"))
        yield Wrong("NaN within", (NAN,) * len(right) if isinstance(right, tuple) else (NAN,))
    if not any(is_number(choice) for choice in choices):
        yield Wrong("a number", 8.5)


def refusal(call: Callable[..., Any], arguments: Mapping[str, Any], name: str, wrong: Any) -> str | None:
    """What is amiss in how `call` answers a `wrong` value for the argument `name`; `None` where it refuses clearly."""
    try:
        call(**{**arguments, name: wrong})
    except (ValueError, TypeError, OSError) as error:
        named = re.search(rf"\b{name}\b", str(error)) is not None
        return None if named else f"unclear: {type(error).__name__}: {str(error)[:160]}"
    except Exception as error:
        return f"unclear: {type(error).__name__}: {str(error)[:160]}"
    return "silent"


def fields_of(instance: Any) -> dict[str, Any]:
    """The arguments that make `instance` again."""
    return {f.name: getattr(instance, f.name) for f in dataclasses.fields(instance) if f.init}
