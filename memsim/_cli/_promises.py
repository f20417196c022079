"""The commands `memsim check-device NAME`, `check-target NAME`, `check-neuron NAME` and `schema`."""

import importlib
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tyro

PLACES = "a name, FILE.py:NAME, or MODULE:NAME"


def check_device(name: tyro.conf.Positional[str], promises: tuple[str, ...] = ()) -> int:
    """Ask of a cell what every cell promises; the status is 1 where it breaks one.

    Args:
        name: As `memsim devices` lists it, or FILE.py:NAME, MODULE:NAME, of a device or of what makes one without
            arguments, or FILE.json of a device.
        promises: Those that are asked; all by default.
    """
    from device_models import AbstractDevice, device
    from device_models.fit import load_device

    from ..extend import check_device as check

    found = load_device(name) if name.endswith(".json") else _named(name, lambda word: device(word).make)
    return _print(check(_made(found, AbstractDevice, name), promises=promises or None))


def check_target(name: tyro.conf.Positional[str], promises: tuple[str, ...] = ()) -> int:
    """Ask of a chip what every chip promises; the status is 1 where it breaks one.

    Args:
        name: As `memsim chips list` lists it, or FILE.py:NAME, MODULE:NAME, of a chip or of what makes one without
            arguments.
        promises: Those that are asked; all by default.
    """
    from ..chips import AbstractChip, target
    from ..extend import check_target as check

    return _print(check(_made(_named(name, target), AbstractChip, name), promises=promises or None))


def check_neuron(
    name: tyro.conf.Positional[str], mean: float = 0.2, std: float = 0.5, promises: tuple[str, ...] = ()
) -> int:
    """Ask of a neuron what every neuron promises; the status is 1 where it breaks one.

    Args:
        name: A class of memsim.nn, or FILE.py:NAME, MODULE:NAME, of a class or function that takes the size alone.
        mean: Of currents under which it fires now and then.
        std: Of the same currents.
        promises: Those that are asked; all by default.
    """
    from ..extend import check_neuron as check

    return _print(check(_named(name, _neuron), mean=mean, std=std, promises=promises or None))


def print_schema() -> None:
    """The JSON Schema of a file of a device."""
    from device_models.fit import schema

    print(json.dumps(schema(), indent=2))


def _named(name: str, by_name: Callable[[str], Any]) -> Any:
    """What a word stands for: a name, or what a module or file holds."""
    place, colon, within = name.partition(":")
    if not colon:
        if "/" in name or name.endswith(".py"):
            raise ValueError(f"What is checked must be {PLACES}. Got {name}; add what it is called there, {name}:NAME.")
        return by_name(name)
    module = _module(place)
    if not hasattr(module, within):
        from .._checks import did_you_mean  # here, since it imports jax

        public = [each for each in vars(module) if not each.startswith("_")]
        raise ValueError(did_you_mean(f"A name in {place}", within, public, what="there"))
    return getattr(module, within)


def _module(place: str) -> Any:
    from .._keeping import load_file

    if place.endswith(".py"):
        if not Path(place).is_file():
            raise ValueError(f"A file must be there. Got {place}, which is none.")
        return load_file(f"memsim_checked_{Path(place).stem}", place)
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as error:
        raise ValueError(f"A module must be installed. Got {place}: {error}. A file? Write {place}.py.") from error


def _made(found: Any, kind: type, name: str) -> Any:
    """The part, made where it is not."""
    try:
        part = found if isinstance(found, kind) or not callable(found) else found()
    except TypeError as error:
        raise ValueError(f"{name} must be made without arguments. Got {error}.") from error
    if not isinstance(part, kind):
        raise ValueError(f"{name} must be an `{kind.__name__}`, or make one. Got {type(part).__name__}.")
    return part


def _neuron(name: str) -> Any:
    from .. import nn

    kinds = {each: thing for each, thing in vars(nn).items() if _is_neuron(thing) and not inspect.isabstract(thing)}
    if name not in kinds:
        from .._checks import did_you_mean

        raise ValueError(did_you_mean("A neuron", name, kinds, what="one of `memsim.nn`"))
    return kinds[name]


def _is_neuron(thing: Any) -> bool:
    from ..nn import AbstractNeuron

    return isinstance(thing, type) and issubclass(thing, AbstractNeuron)


def _print(report: Any) -> int:
    print(report)
    return 0 if report else 1
