"""What `save_device` writes is what the published schema says, and files of other versions say what to do."""

import json
import re

import jax.numpy as jnp
import jsonschema
import pytest

import device_models as dm
from device_models.fit import load_device, save_device, schema
from device_models.fit._schema import made
from memsim._cli import main

SAVED = {
    **{name: entry.make for name, entry in dm.DEVICES.items()},
    **{name: entry.make for name, entry in dm.memristors.MEMRISTORS.items()},
    **{name: entry.make for name, entry in dm.pulsed.PULSED.items()},
    "infinite": lambda: dm.curves.InversePower(factor=1e-300, power=1 / 3, high=float("inf")),
    "wrapped": lambda: dm.StuckCells(dm.WriteVerify(dm.pcm_hermes1(), window=1e-7, max_pulses=9), p_on=0.1),
    "arrays": lambda: dm.pcm_joshi2020(write_noise_scale=jnp.asarray(0.1, jnp.float32)),
}
JUDGE = jsonschema.Draft202012Validator(schema())

# As the first release wrote it: without the schema, and without its own version.
OLD = """{"format": "device_models.device", "version": 1, "device": {"class": "Ideal", "fields": {
  "g_min": {"value": 0.0, "unit": "S"}, "g_max": {"value": 2.5e-05, "unit": "S"},
  "iv": {"value": {"class": "Ohmic", "fields": {}}}, "sources": {"value": []}}}, "provenance": {"lot": 7}}"""


def content(tmp_path, device=None):
    save_device(tmp_path / "device.json", device or dm.pcm_joshi2020(), provenance={"lot": 7})
    return json.loads((tmp_path / "device.json").read_text())


def test_the_published_schema_is_a_schema_and_that_of_the_classes():
    jsonschema.Draft202012Validator.check_schema(schema())
    assert schema() == json.loads(json.dumps(made())), "a class has changed its fields: `make schema`"


@pytest.mark.parametrize("name", SAVED)
def test_every_device_is_written_as_the_schema_says(tmp_path, name):
    JUDGE.validate(content(tmp_path, SAVED[name]()))


@pytest.mark.parametrize(
    "change",
    {
        "a field more": lambda file: file["device"]["fields"].update(more={"value": 1.0}),
        "a field less": lambda file: file["device"]["fields"].pop("g_max"),
        "another unit": lambda file: file["device"]["fields"]["g_max"].update(unit="uS"),
        "another class": lambda file: file["device"].update({"class": "PMC"}),
        "another version": lambda file: file.update(version=2),
        "no provenance": lambda file: file.pop("provenance"),
        "an unknown entry": lambda file: file["device"]["fields"]["g_max"].update(value={"code": "1"}),
    }.items(),
    ids=lambda change: change[0],
)
def test_what_is_refused_is_not_as_the_schema_says(tmp_path, change):
    file = content(tmp_path)
    change[1](file)
    assert not JUDGE.is_valid(file)
    (tmp_path / "device.json").write_text(json.dumps(file))
    with pytest.raises(ValueError):
        load_device(tmp_path / "device.json")


def test_a_file_of_the_first_release_is_read_as_before(tmp_path):
    JUDGE.validate(json.loads(OLD))
    (tmp_path / "old.json").write_text(OLD)
    assert load_device(tmp_path / "old.json") == dm.Ideal()
    assert dm.fit.load_provenance(tmp_path / "old.json") == {"lot": 7}


@pytest.mark.parametrize(
    "change, says",
    [
        ({"version": 2}, "a newer release wrote; read it with that one: pip install --upgrade memsim"),
        ({"version": 0}, "a whole number from 1 to 1. Got 0"),
        ({"version": "1"}, "no release wrote"),
        ({"version": True}, "no release wrote"),
        ({"schema": "urn:memsim:device:9"}, "must be of the schema urn:memsim:device:1"),
    ],
)
def test_another_version_says_what_to_do(tmp_path, change, says):
    (tmp_path / "device.json").write_text(json.dumps(content(tmp_path) | change))
    with pytest.raises(ValueError, match=re.escape(says)):
        load_device(tmp_path / "device.json")


def test_a_class_of_another_release_says_which(tmp_path):
    file = content(tmp_path) | {"release": "9.9"}
    file["device"]["class"] = "Memtransistor"
    (tmp_path / "device.json").write_text(json.dumps(file))
    with pytest.raises(ValueError, match=rf"is of memsim 9\.9, this is {re.escape(dm.__version__)}"):
        load_device(tmp_path / "device.json")


def test_the_command_prints_the_schema(capsys):
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == schema()
