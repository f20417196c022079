"""What a file of a device must be, as a JSON Schema that others can read without this package."""

import dataclasses
import inspect
import json
from pathlib import Path
from typing import Any

from .._device import AbstractDevice
from ._file import FORMAT, SCHEMA, VERSION, known_classes
from ._units import OF_CLASS, OF_FIELD

PUBLISHED = Path(__file__).with_name(f"device-{VERSION}.schema.json")


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what `save_device` writes, as it is published with this release.

    A schema says the form: which classes there are, their fields, and units where a field has always the same. What a
    class refuses beyond, such as a range upside down, `load_device` says.

    >>> import device_models as dm
    >>> dm.fit.schema()["$id"]
    'urn:memsim:device:1'
    """
    return json.loads(PUBLISHED.read_text(encoding="utf-8"))


def made() -> dict[str, Any]:
    """The schema as the classes of the package are now."""
    classes = dict(sorted(known_classes().items()))
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "A model of a memory cell, or a part of one",
        "description": "Every field with its value and SI unit; memsim reads it by device_models.fit.load_device.",
    }
    content = {
        "format": {"const": FORMAT},
        "version": {"const": VERSION},
        "schema": {"const": SCHEMA},
        "release": {"type": "string", "description": "The version of memsim that wrote the file."},
        "device": {"$ref": "#/$defs/module"},
        "provenance": {"type": "object", "description": "Where the numbers are from."},
    }
    needed = ["format", "version", "device", "provenance"]
    kinds = {name: _of_class(name, kind) for name, kind in classes.items()}
    return head | {"type": "object", "required": needed, "properties": content, "$defs": _values(list(kinds)) | kinds}


def publish() -> None:
    """Writes the schema anew."""
    PUBLISHED.write_text(json.dumps(made(), indent=1) + "\n", encoding="utf-8")


def _values(classes: list[str]) -> dict[str, Any]:
    infinite = _object({"float": {"enum": ["inf", "-inf", "nan"]}}, "A number that JSON has no sign for.")
    array = _object(
        {
            "array": {"type": "array", "items": {"$ref": "#/$defs/number"}},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
            "dtype": {"type": "string"},
        },
        "An array, its numbers in the order of rows.",
    )
    simple = {"type": ["null", "boolean", "string"]}
    several = {"type": "array", "items": {"$ref": "#/$defs/value"}}
    value = [simple, {"$ref": "#/$defs/number"}, {"$ref": "#/$defs/array"}, several, {"$ref": "#/$defs/module"}]
    which = [
        {"if": {"properties": {"class": {"const": name}}}, "then": {"$ref": f"#/$defs/{name}"}} for name in classes
    ]
    module = _object({"class": {"enum": classes}, "fields": {"type": "object"}}, "An object of a class.")
    return {
        "number": {"anyOf": [{"type": "number"}, infinite]},
        "array": array,
        "value": {"anyOf": value},
        "module": module | {"allOf": which},
    }


def _of_class(name: str, kind: type) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(kind) if field.init]
    fields = {"type": "object", "required": names, "additionalProperties": False}
    # Of a set of published numbers, such as that of a memristor, `sources` say the units.
    units = {} if "sources" in names and not issubclass(kind, AbstractDevice) else OF_FIELD
    fields["properties"] = {each: _field(OF_CLASS.get((name, each), units.get(each))) for each in names}
    said = inspect.cleandoc(kind.__doc__ or "").partition("\n")[0]
    return {"description": said, "properties": {"fields": fields}}


def _field(always: str | None) -> dict[str, Any]:
    unit = {"type": "string"} if always is None else {"const": always}
    return {"type": "object", "required": ["value"], "properties": {"value": {"$ref": "#/$defs/value"}, "unit": unit}}


def _object(properties: dict[str, Any], said: str) -> dict[str, Any]:
    return {
        "description": said,
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": properties,
    }
