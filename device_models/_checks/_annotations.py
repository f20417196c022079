"""Whether a value is what an annotation says, and the annotation in words.

A name in quotes, of a class that is imported late, is compared with the names of a value's classes. An annotation that
nothing is known about, such as a type variable, lets everything pass.
"""

import functools
import inspect
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Union

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import AbstractArray

EXACT = {float: {float, int}, int: {int}, bool: {bool}, str: {str}, None: {type(None)}, type(None): {type(None)}}
LONGEST = 1000  # elements of a sequence that are looked at one by one


def fits(value: Any, annotation: Any) -> bool:
    """Whether `value` is of the type, shape and dtype that `annotation` asks for."""
    known = certain(annotation)
    if type(value) in known.exact or isinstance(value, known.classes):
        return True
    if annotation is None or annotation is type(None):
        return value is None
    if isinstance(annotation, str | typing.ForwardRef):
        return _is_named(value, _quoted(annotation))
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Union, types.UnionType):
        return any(fits(value, option) for option in arguments)
    if origin is Literal:
        return any(type(value) is type(option) and value == option for option in arguments)
    if annotation in (float, int):
        return _is_number(value, whole=annotation is int)
    if annotation is bool:
        return isinstance(value, bool | np.bool_)
    if origin is not None:
        return _fits_generic(value, origin, arguments)
    if _is_array_type(annotation):
        return _is_array(value, annotation)
    return isinstance(value, annotation) if inspect.isclass(annotation) else True


def expected(annotation: Any) -> str:
    """What `annotation` asks for, in words."""
    options: list[str] = []
    for option in alternatives(annotation):
        options.extend(words for words in _words(option) if words not in options)
    return options[0] if len(options) == 1 else f"{', '.join(options[:-1])} or {options[-1]}"


def with_article(name: str) -> str:
    """A class's `name` with "a" or "an"."""
    return f"a{'n' if name[:1] in 'AEIO' else ''} {name}"


def alternatives(annotation: Any) -> tuple[Any, ...]:
    """What a union allows; any other annotation alone."""
    if typing.get_origin(annotation) not in (Union, types.UnionType):
        return (annotation,)
    return tuple(inner for option in typing.get_args(annotation) for inner in alternatives(option))


class Certain(NamedTuple):
    """What fits an annotation for sure: all values of the `exact` types, of `classes` and theirs, and `texts`."""

    exact: frozenset[type]
    classes: tuple[type, ...]
    texts: frozenset[str]


@functools.cache
def certain(annotation: Any) -> Certain:
    """What fits `annotation` for sure."""
    exact, classes, texts = set[type](), list[type](), set[str]()
    for option in alternatives(annotation):
        if option in (Any, inspect.Parameter.empty):
            classes.append(object)
        elif option in EXACT:
            exact |= EXACT[option]
        elif typing.get_origin(option) is Literal:
            texts.update(text for text in typing.get_args(option) if isinstance(text, str))
        elif inspect.isclass(option) and typing.get_origin(option) is None and not _is_array_type(option):
            classes.append(option)
    return Certain(frozenset(exact), tuple(classes), frozenset(texts))


@functools.cache
def is_part(kind: type, annotation: Any) -> bool:
    """Whether values of `kind` are modules, and fit `annotation` for sure."""
    return issubclass(kind, eqx.Module) and issubclass(kind, certain(annotation).classes)


def _quoted(annotation: Any) -> str:
    """The text of an annotation in quotes, such as "xr.Dataset"."""
    return annotation if isinstance(annotation, str) else annotation.__forward_arg__


def _is_named(value: Any, annotation: str) -> bool:
    names = [name.strip().rpartition(".")[2] for name in annotation.split("|")]
    if not all(name.isidentifier() for name in names):
        return True
    return (value is None and "None" in names) or any(kind.__name__ in names for kind in type(value).__mro__)


def _is_number(value: Any, *, whole: bool) -> bool:
    if isinstance(value, jax.Array | np.ndarray | np.generic):
        real = jnp.issubdtype(value.dtype, np.integer if whole else np.number)
        return value.ndim == 0 and real and not jnp.issubdtype(value.dtype, np.complexfloating)
    return isinstance(value, int if whole else int | float) and not isinstance(value, bool)


def _fits_generic(value: Any, origin: Any, arguments: tuple[Any, ...]) -> bool:
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            exact = certain(arguments[0]).exact
            return all(type(element) in exact or fits(element, arguments[0]) for element in value)
        return len(value) == len(arguments) and all(map(fits, value, arguments))
    if origin is Callable:
        return callable(value)
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(fits(inner, arguments[-1]) for inner in value.values())
    if origin in (list, Sequence, Collection, Iterable):
        if isinstance(value, jax.Array | np.ndarray):
            return value.ndim > 0 and (arguments[0] is not int or jnp.issubdtype(value.dtype, np.integer))
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, origin):
            return False
        return not isinstance(value, list | tuple) or all(fits(inner, arguments[0]) for inner in value[:LONGEST])
    return isinstance(value, origin) if inspect.isclass(origin) else True


def _is_array_type(annotation: Any) -> bool:
    return inspect.isclass(annotation) and issubclass(annotation, AbstractArray)


def _is_array(value: Any, annotation: Any) -> bool:
    """By shape and dtype; NumPy's arrays will do for JAX's, and numbers for arrays without axes."""
    if isinstance(value, jax.Array | np.ndarray | np.generic) and _is_of(value.dtype, value.shape, annotation):
        return True
    wanted = ("float32", "int32") if _is_number(value, whole=True) else ("float32",)
    number = not _dims(annotation) and _is_number(value, whole=False)
    return number and any(_has_dtype(kind, annotation.dtypes) for kind in wanted)


@functools.lru_cache(maxsize=4096)
def _is_of(dtype: Any, shape: tuple[int, ...], annotation: Any) -> bool:
    """Whether an array of this type and shape is what an annotation asks for: an answer that is kept."""
    dims = _dims(annotation)
    variadic = any(dim.lstrip("#?").startswith(("*", "...")) for dim in dims)
    if len(shape) < len(dims) - 1 if variadic else len(shape) != len(dims):
        return False
    sizes = zip(dims, shape, strict=False)
    if not variadic and any(dim.isdigit() and int(dim) != size for dim, size in sizes):
        return False
    if jnp.issubdtype(dtype, jax.dtypes.prng_key):
        return is_key(annotation)
    return not is_key(annotation) and _has_dtype(dtype, annotation.dtypes)


def for_jax(value: Any, annotation: Any) -> Any:
    """`value`; where it is an array of NumPy's floats or truths and `annotation` asks for one of JAX, that array.

    What is known stays known while something else is traced. Integers may have more bits than JAX keeps: they pass.
    """
    if not isinstance(value, np.ndarray) or not _is_jax(annotation):
        return value
    if not (jnp.issubdtype(value.dtype, jnp.inexact) or value.dtype == bool):
        return value
    with jax.ensure_compile_time_eval():
        return jnp.asarray(value)


@functools.cache
def _is_jax(annotation: Any) -> bool:
    """Whether of all arrays only those of JAX will do."""
    options = alternatives(annotation)
    arrays = [option for option in options if _is_array_type(option)]
    return bool(arrays) and np.ndarray not in options and all(option.array_type is jax.Array for option in arrays)


def is_key(annotation: Any) -> bool:
    """Whether an annotation asks for a key of jax.random."""
    return _is_array_type(annotation) and annotation.dtypes == ("prng_key",)


def _has_dtype(dtype: Any, allowed: Any) -> bool:
    return not isinstance(allowed, tuple | list) or str(dtype) in allowed


def _dims(annotation: Any) -> list[str]:
    return annotation.dim_str.split()


def _words(annotation: Any) -> tuple[str, ...]:
    if typing.get_origin(annotation) is Literal:
        options = typing.get_args(annotation)
        return tuple(f'"{option}"' if isinstance(option, str) else repr(option) for option in options)
    return (_word(annotation),)


def _word(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    plain = {float: "a finite number", int: "a whole number", bool: "True or False", str: "text", None: "None"}
    if annotation in plain or annotation is type(None):
        return plain.get(annotation, "None")
    if isinstance(annotation, str | typing.ForwardRef):
        return f"a {_quoted(annotation).rpartition('.')[2]}"
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return f"a tuple, each {expected(arguments[0])}"
        return f"a tuple ({', '.join(map(expected, arguments))})"
    if origin is Callable:
        return "a function"
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return f"a dictionary, each value {expected(arguments[-1])}"
    if origin is not None:
        return f"a sequence, each {expected(arguments[0])}" if arguments else "a sequence"
    if _is_array_type(annotation):
        return _array_words(annotation)
    name = getattr(annotation, "__name__", str(annotation))
    return with_article(name)


def _array_words(annotation: Any) -> str:
    if is_key(annotation):
        return "a key of jax.random"
    kinds = annotation.dtypes if isinstance(annotation.dtypes, tuple | list) else ("bool", "int32", "float32")
    numbers = "numbers" if "int32" in kinds and "float32" in kinds else "floats" if "float32" in kinds else "integers"
    if not _dims(annotation):
        return "a finite number" if numbers == "floats" else "a number" if numbers == "numbers" else "a whole number"
    return f"an array of finite {numbers} with axes ({', '.join(_dims(annotation))})"
