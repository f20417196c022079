"""Devices as files that a person can read: every number with its unit, and where it is from."""

import dataclasses
import inspect
import json
import math
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .. import ageing, curves, iv, memristors, noise, pulsed
from .._checks import checked
from .._checks._names import nearest
from .._files import as_path, written_whole
from .._span import Span
from .._version import __version__
from ._units import unit_of

ROOMS = (ageing, curves, iv, memristors, noise, pulsed)  # beside what stands at the top
FORMAT, VERSION = "device_models.device", 1
SCHEMA = f"urn:memsim:device:{VERSION}"  # the `$id` of `schema()`


@checked()
def save_device(path: str | Path, device: eqx.Module, *, provenance: dict[str, Any]) -> None:
    """Writes `device`, made of classes that `device_models` exports, as JSON.

    Every field stands with its value and SI unit; floats are written so that the same bits are read again.

    **Arguments:**

    - `path`: The file, which is replaced as a whole or not at all.
    - `device`: Any device, wrapper, curve, pulsed device or memristor.
    - `provenance`: Where the numbers are from, of what JSON can hold; `Fit.provenance` makes it for a fitted device.

    **Raises:** `ValueError` for a class that is not exported, a field that is neither number, text nor such a class,
    and a provenance that JSON cannot hold; `OSError` where the file cannot be written.

    >>> import device_models as dm
    >>> dm.fit.save_device("mine.json", dm.pcm_joshi2020(), provenance={"measured": "by nobody"})
    >>> dm.fit.load_device("mine.json").g_max
    2.5e-05
    """
    head = {"format": FORMAT, "version": VERSION, "schema": SCHEMA, "release": __version__}
    content = {**head, "device": _encoded(device, None), "provenance": provenance}
    try:
        text = json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`provenance` must be of what JSON can hold. {error}. Write it as text.") from error
    with written_whole(path) as partial:
        partial.write_text(text + "\n", encoding="utf-8")


@checked()
def load_device(path: str | Path) -> eqx.Module:
    """The device that `save_device` wrote.

    Only classes that `device_models` exports are made, by their constructors, so every check of theirs is made again.

    **Raises:** `ValueError` for a file that is no such JSON, another version of it, an unknown class, a field that is
    missing, unknown or in another unit, and values that the class refuses.

    >>> import device_models as dm
    >>> dm.fit.save_device("mine.json", dm.pcm_joshi2020(), provenance={"measured": "by nobody"})
    >>> type(dm.fit.load_device("mine.json")).__name__
    'PCM'
    """
    content = _content(path)
    try:
        return _decoded(content["device"], None, f"{path}: device")
    except ValueError as error:
        release = content.get("release", __version__)  # files of the first releases do not say theirs
        if release == __version__:
            raise
        raise ValueError(f"{error} The file is of memsim {release}, this is {__version__}.") from error


@checked()
def load_provenance(path: str | Path) -> dict[str, Any]:
    """What `save_device` was told about where the numbers are from.

    >>> import device_models as dm
    >>> dm.fit.save_device("mine.json", dm.pcm_joshi2020(), provenance={"measured": "by nobody"})
    >>> dm.fit.load_provenance("mine.json")["measured"]
    'by nobody'
    """
    return _content(path)["provenance"]


def _content(path: str | Path) -> dict[str, Any]:
    if not as_path(path).is_file():
        raise FileNotFoundError(f"A device file must be there. Got {path}, which is none.")
    try:
        content = json.loads(as_path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"A device file must be JSON. Got {path}, {error}. Was it cut or edited?") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f'A device file must say "format": {FORMAT!r}. {path} does not. Is it another file?')
    _check_version(path, content)
    if missing := {"device", "provenance"} - content.keys():
        raise ValueError(
            f"A device file must hold device and provenance. {path} lacks {' and '.join(sorted(missing))}."
        )
    return content


def _check_version(path: str | Path, content: dict[str, Any]) -> None:
    version = content.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ValueError(
            f"The version of a device file must be a whole number from 1 to {VERSION}. Got {version!r} in {path}, "
            "which no release wrote. Was it edited?"
        )
    if version > VERSION:
        raise ValueError(
            f"The version of a device file must be at most {VERSION} for memsim {__version__}. Got {version} in "
            f"{path}, which a newer release wrote; read it with that one: pip install --upgrade memsim."
        )
    if content.get("schema", SCHEMA) != SCHEMA:
        raise ValueError(
            f"A device file of version {version} must be of the schema {SCHEMA}. Got {content['schema']!r} in {path}. "
            "Correct it, or leave it out."
        )


def known_classes() -> dict[str, type[eqx.Module | Span]]:
    """The classes that a file may name."""
    import device_models

    exported = dict(inspect.getmembers(device_models)) | {
        name: kind for room in ROOMS for name, kind in vars(room).items()
    }
    return {
        name: kind
        for name, kind in exported.items()
        if inspect.isclass(kind) and issubclass(kind, eqx.Module | Span) and not inspect.isabstract(kind)
    }


def _encoded(value: Any, unit: str | None) -> Any:
    """`value` as JSON; `unit` is that of the field it stands in, for a curve's own numbers."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, tuple):
        return [_encoded(item, unit) for item in value]
    if isinstance(value, np.ndarray | np.generic | jax.Array) and np.issubdtype(value.dtype, np.number):
        array = np.asarray(value)
        flat = [_encoded(item, unit) for item in array.ravel().tolist()]
        return {"array": flat, "shape": list(array.shape), "dtype": str(array.dtype)}
    if isinstance(value, eqx.Module | Span):
        return _encoded_module(value, unit)
    raise ValueError(
        f"A field of a saved device must be a number, an array, text or a device class. Got {type(value).__name__}. "
        "Leave it at its default or save what it is made of."
    )


def _encoded_module(module: eqx.Module | Span, inherited: str | None) -> dict[str, Any]:
    name = type(module).__name__
    if known_classes().get(name) is not type(module):
        raise ValueError(
            f"A saved device must be of classes that `device_models` exports. Got {type(module).__module__}.{name}. "
            "Export it, or save the parts."
        )
    sources = getattr(module, "sources", ())
    fields = {}
    for field in dataclasses.fields(module):
        if field.init:
            unit = unit_of(name, field.name, sources=sources, inherited=inherited)
            value = getattr(module, field.name)
            encoded = _encoded(value, unit if _is_curve(value) else None)
            fields[field.name] = {"value": encoded, "unit": unit} if _has_unit(value) else {"value": encoded}
    return {"class": name, "fields": fields}


def _is_curve(value: Any) -> bool:
    """Whether the numbers within `value` have the unit of the field that holds it: a function of g, or of g and t."""
    from ..ageing._histories import AbstractHistory
    from ..curves._curves import AbstractCurve

    items = value if isinstance(value, tuple) else (value,)
    return any(isinstance(item, AbstractCurve | AbstractHistory) for item in items)


def _has_unit(value: Any) -> bool:
    if isinstance(value, tuple):
        return any(_has_unit(item) for item in value)
    number = isinstance(value, int | float | np.ndarray | np.generic | jax.Array) and not isinstance(value, bool)
    return number or _is_curve(value)


def _decoded(value: Any, unit: str | None, where: str) -> Any:
    if isinstance(value, list):
        return tuple(_decoded(item, unit, where) for item in value)
    if not isinstance(value, dict):
        return value
    try:
        if value.keys() == {"float"}:
            return float(value["float"])
        if value.keys() == {"array", "shape", "dtype"}:
            flat = [_decoded(item, unit, where) for item in value["array"]]
            return jnp.asarray(np.reshape(np.asarray(flat, value["dtype"]), value["shape"]))
    except (TypeError, ValueError) as error:
        raise ValueError(f"A number must be one that `save_device` writes. {where} is not: {error}.") from error
    if value.keys() == {"class", "fields"}:
        return _decoded_module(value["class"], value["fields"], unit, where)
    raise ValueError(f"An entry must be a number, a list or a class with fields. {where} has {sorted(value)}.")


def _decoded_module(name: Any, fields: Any, inherited: str | None, where: str) -> eqx.Module | Span:
    known = known_classes()
    if not isinstance(name, str) or name not in known:
        near = nearest(str(name), known, otherwise=["one of another release"])
        raise ValueError(f"{where} must be of a known class. Got {name!r}. Did you mean {near}?")
    kind = known[name]
    wanted = {field.name for field in dataclasses.fields(kind) if field.init}
    if (
        not isinstance(fields, dict)
        or fields.keys() != wanted
        or not all(isinstance(entry, dict) and "value" in entry for entry in fields.values())
    ):
        got = sorted(fields) if isinstance(fields, dict) else type(fields).__name__
        raise ValueError(f"{where} ({name}) must have the fields {sorted(wanted)}, each with a value. Got {got}.")
    sources = _decoded(fields["sources"]["value"], None, where) if "sources" in fields else ()
    arguments = {}
    for field, entry in fields.items():
        unit = unit_of(name, field, sources=sources, inherited=inherited)
        if entry.get("unit", unit) != unit:
            raise ValueError(f"{where}.{field} must be in {unit}. Got {entry['unit']!r}. Convert the value.")
        arguments[field] = _decoded(entry["value"], unit if _names_curve(entry["value"]) else None, f"{where}.{field}")
    try:
        return kind(**arguments)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where} must be what {name} accepts. {error}") from error


def _names_curve(value: Any) -> bool:
    from ..ageing._histories import AbstractHistory
    from ..curves._curves import AbstractCurve

    items = value if isinstance(value, list) else [value]
    kinds = [known_classes().get(str(item.get("class"))) for item in items if isinstance(item, dict)]
    return any(kind is not None and issubclass(kind, AbstractCurve | AbstractHistory) for kind in kinds)
