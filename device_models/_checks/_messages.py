"""What came, in words, and what to do about common mistakes."""

import inspect
import typing
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jax.core import Tracer

from ._annotations import alternatives, is_key, with_article

LENGTH = 80  # characters of a value that a message shows


def described(value: Any) -> str:
    """A value, short enough for one line."""
    if inspect.isclass(value):
        return f"the class {value.__name__}"
    if isinstance(value, eqx.Module):
        return with_article(type(value).__name__)
    if inspect.isroutine(value) or inspect.ismodule(value):
        return f"the {'module' if inspect.ismodule(value) else 'function'} {value.__name__}"
    if isinstance(value, Tracer) or (isinstance(value, jax.Array | np.ndarray) and value.ndim > 0 and value.size > 8):
        return f"an array of shape {value.shape}, {value.dtype}"
    if isinstance(value, jax.Array | np.ndarray):
        return str(value)
    words = str(value) if isinstance(value, int | float | np.generic) else repr(value)
    return words if len(words) <= LENGTH else f"{words[:LENGTH]}... (a {type(value).__name__})"


def wrong_numbers(values: np.ndarray, right: np.ndarray) -> str:
    """How many of an array's numbers are wrong, and the first of them."""
    wrong = values[~np.broadcast_to(right, values.shape)]
    return f"{wrong.size} of {values.size} that are not, such as {wrong[0]}"


def remedy(value: Any, annotation: Any) -> str:
    """What to write instead, where the mistake is a known one; else nothing."""
    options = alternatives(annotation)
    classes = tuple(option for option in options if inspect.isclass(option) and option not in (int, float, str, bool))
    if inspect.isclass(value) and classes and issubclass(value, classes):
        return f"Call it: `{value.__name__}(...)`."
    if inspect.isfunction(value) and _returns(value, classes):
        return f"Call it: `{value.__name__}()`."
    if int in options and isinstance(value, float) and value.is_integer():
        return f"Write {round(value)}."
    if isinstance(value, list) and any(typing.get_origin(option) is tuple for option in options):
        return f"Write a tuple: {described(tuple(value))}."
    arrays = [option.array_type for option in options if hasattr(option, "dim_str")]
    if isinstance(value, list | tuple) and arrays and arrays != [np.ndarray]:
        return f"Write `{'np' if np.ndarray in arrays else 'jnp'}.asarray(...)` around it."
    if any(map(is_key, options)):
        return "Write `jax.random.key(0)`, and `jax.random.split` for several."
    return ""


def _returns(function: Any, classes: tuple[type, ...]) -> bool:
    made = getattr(function, "__annotations__", {}).get("return")
    return inspect.isclass(made) and bool(classes) and issubclass(made, classes)
