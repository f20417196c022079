"""Fields and arguments held against their annotations and their rules."""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import equinox as eqx
import jax
import numpy as np

from ._annotations import alternatives, certain, expected, fits, for_jax, is_part
from ._known import as_scalar, numbers
from ._messages import described, remedy, wrong_numbers
from ._rules import Must

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
ANYTHING = Must()


def check(module: Any, **rules: Must) -> None:
    """Raises `ValueError` for a field of a module, or of a dataclass, that is not what its annotation and rule say."""
    for name, annotation, static in _fields(type(module)):
        value = object.__getattribute__(module, name)  # equinox's own takes longer than the rest of a check
        judge(name, value, annotation, rules.pop(name, ANYTHING), static=static)
    assert not rules, f"{type(module).__name__} has no field {', '.join(rules)}"


class Checked(eqx.Module):
    """A module whose fields are what their annotations say. A class with rules of its own calls `check` with them."""

    def __check_init__(self):
        if type(self).__check_init__ is Checked.__check_init__:  # equinox calls those of all base classes
            check(self)


def checked(**rules: Must) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """A decorator: `ValueError` for an argument that is not what its annotation and its rule say.

    A NumPy array that stands for one of JAX becomes one.
    """

    def decorate(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        signature = inspect.signature(function)
        several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        stated = [p for p in signature.parameters.values() if p.kind not in several and p.annotation is not p.empty]
        annotations = {p.name: p.annotation for p in stated}  # `self` has none: it was judged when it was made
        assert rules.keys() <= annotations.keys(), f"{function.__name__} has no argument of one of {sorted(rules)}"

        @functools.wraps(function)
        def call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError:
                return function(*args, **kwargs)  # the call itself says which argument is missing or unknown
            given = bound.arguments
            for name in given.keys() & annotations.keys():
                if given[name] is not signature.parameters[name].default:
                    judge(name, given[name], annotations[name], rules.get(name, ANYTHING))
                    given[name] = for_jax(given[name], annotations[name])
            return function(*bound.args, **bound.kwargs)

        return call

    return decorate


def judge(name: str, value: Any, annotation: Any, rule: Must = ANYTHING, *, static: bool = False) -> None:
    """Raises `ValueError` unless `value` is what `annotation` and `rule` say. A `static` one must be hashable, too."""
    if _is_right_at_sight(value, annotation, rule):
        return
    if not fits(value, annotation) or (static and isinstance(value, jax.Array | np.ndarray)):
        raise ValueError(_message(name, described(value), value, annotation, rule))
    holds = np.isfinite if rule.holds is None else rule.holds
    for found in numbers(value):
        right = holds(found)
        if not (right if found.ndim == 0 else np.all(right)):
            came = wrong_numbers(found, np.asarray(right)) if found.size > 1 else described(value)
            raise ValueError(_message(name, came, value, annotation, rule))


def _is_right_at_sight(value: Any, annotation: Any, rule: Must) -> bool:
    """Whether `value` is right as most values are, plain ones and parts: many times faster than finding what is not."""
    kind = type(value)
    if kind is float or kind is int:
        return _is_right_number(value, kind, annotation, rule.holds)
    if kind is str:
        known = certain(annotation)
        return kind in known.exact or value in known.texts
    return (value is None and kind in certain(annotation).exact) or is_part(kind, annotation)


@functools.lru_cache(maxsize=4096)
def _is_right_number(value: int | float, kind: type, annotation: Any, holds: Callable[[Any], Any] | None) -> bool:
    """Whether a plain number is right: an answer that is kept, since the same designs are made again and again."""
    number = as_scalar(value)
    return kind in certain(annotation).exact and bool(np.isfinite(number) if holds is None else holds(number))


def _message(name: str, came: str, value: Any, annotation: Any, rule: Must) -> str:
    optional = None in alternatives(annotation) or type(None) in alternatives(annotation)
    must = rule.what + (", or None" if optional else "") if rule.what else expected(annotation)
    hint = rule.hint if isinstance(rule.hint, str) else rule.hint(value)
    return " ".join(
        part for part in (f"`{name}` must be {must}. Got {name}={came}.", remedy(value, annotation), hint) if part
    )


@functools.cache
def _fields(kind: type) -> tuple[tuple[str, Any, bool], ...]:
    """Name, annotation and whether it is static, of the fields that users give."""
    found = dataclasses.fields(kind)  # type: ignore[arg-type]
    return tuple((f.name, f.type, bool(f.metadata.get("static", False))) for f in found if f.init)
