"""The reference of the site knows every public name, and shows it as a reader wants it."""

import importlib
import inspect
import re
import sys
from pathlib import Path

import pytest

import device_models as dm
import memsim as ms

sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "_ext"))
names = importlib.import_module("names")
portraits = importlib.import_module("portraits")
signatures = importlib.import_module("signatures")
PUBLIC = [name for room in names.rooms().values() for name in room if not name.is_room]


@pytest.mark.parametrize("room", names.rooms())
def test_a_room_hands_out_what_its_face_says(room):
    module = importlib.import_module(room)
    found = {name.name for name in names.rooms()[room]}
    assert {name for name in getattr(module, "__all__", ()) if not name.startswith("_")} <= found
    assert found and all(getattr(module, name) is not None for name in found)


def test_every_class_and_function_has_a_docstring():
    described = [name for name in PUBLIC if isinstance(name.thing, type) or callable(name.thing)]
    assert [name.full for name in described if not names.docstring(name)] == []


def test_no_signature_shows_where_a_type_lies():
    shown = {name.full: signatures.signature(name.thing) for name in PUBLIC if callable(name.thing)}
    wrong = {full: text for full, text in shown.items() if re.search(r"\._|<|Union\[|Optional\[", text)}
    assert wrong == {}
    assert shown["memsim.nn.LIF"].startswith("(size: Any, tau_mem: float | Array | ndarray")


def test_a_thing_that_two_rooms_hand_out_is_described_once():
    home = names.homes()[id(ms.program)]
    assert home.full == "memsim.nn.program" and ms.nn.program is ms.program
    assert names.homes()[id(dm.PCM)].full == "device_models.PCM"


@pytest.mark.parametrize("kind", portraits.KINDS, ids=lambda kind: kind.__name__)
def test_every_device_converter_mapping_and_neuron_makes_what_its_figure_is_of(kind):
    """The figures themselves are drawn by `make docs`, a few by `tests/memsim/plotting/test_portraits.py`."""
    found = {
        full: portraits.subject(name)[1] for full, name in portraits.portrayed().items() if is_of(name.thing, kind)
    }
    assert found and all(isinstance(part, kind) for part in found.values())


def is_of(thing, kind):
    made = thing if isinstance(thing, type) else inspect.signature(thing).return_annotation
    return issubclass(made, kind)


def test_every_preset_has_a_figure():
    presets = [
        entry.make for table in (dm.DEVICES, dm.pulsed.PULSED, dm.memristors.MEMRISTORS) for entry in table.values()
    ]
    figures = portraits.portrayed()
    assert {names.homes()[id(make)].full for make in presets} <= figures.keys() and len(figures) >= 90
