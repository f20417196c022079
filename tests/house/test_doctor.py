"""`memsim doctor` tells what is here, and its exit status whether anything is wrong."""

import importlib.metadata
import json
import tomllib
from pathlib import Path

import pytest

from memsim._cli import main
from memsim._cli._packages import EXTRAS

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]


@pytest.fixture(autouse=True)
def folders(monkeypatch, tmp_path):
    """Caches of its own for each test, so that no person's files are counted."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("MEMSIM_DATA", "MEMSIM_CACHE"):
        monkeypatch.delenv(name, raising=False)


def told(capsys):
    """The findings, as JSON gives them, and the exit status."""
    status = main(["doctor", "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_where_the_tests_run_all_is_well_and_every_package_is_named(capsys, tmp_path):
    assert main(["doctor"]) == 0
    words = capsys.readouterr().out
    for name in ("jax", "jaxlib", "equinox", "optax", "diffrax", "numpy", "scipy", "xarray", "matplotlib", *EXTRAS):
        assert f"\n  {name} " in words
    assert "cpu" in words and "x64 off" in words and "reads right to" in words and "All is well." in words
    assert list(tmp_path.iterdir()) == []  # it looks, and makes nothing


def test_json_says_the_same(capsys, tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "one.nc").write_bytes(bytes(1000))
    status, found = told(capsys)
    assert status == 0 and found["troubles"] == []
    assert {each["name"] for each in found["packages"]} == {line.partition(">")[0] for line in PROJECT["dependencies"]}
    results = next(each for each in found["folders"] if each["holds"] == "results")
    assert (results["files"], results["size"], results["is_writable"]) == (1, 1000, True)
    assert found["read"]["error"] < 1e-5


def test_every_extra_says_what_it_is_for():
    assert set(EXTRAS) == set(PROJECT["optional-dependencies"]) - {"dev"}


@pytest.mark.parametrize("version", ["1.26.4", None])
def test_a_package_that_is_absent_or_too_old_is_a_fault(version, capsys, monkeypatch):
    right = importlib.metadata.version

    def wrong(name):
        if name != "numpy":
            return right(name)
        if version is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(importlib.metadata, "version", wrong)
    status, found = told(capsys)
    assert status == 1
    assert found["troubles"] == [f"numpy {version or 'is absent'}: >=2.0 is needed"]


def test_a_folder_that_cannot_be_written_is_a_fault(capsys, monkeypatch):
    monkeypatch.setenv("MEMSIM_DATA", "/dev/null/data")
    assert main(["doctor"]) == 1
    assert "WRONG: /dev/null/data cannot be written to" in capsys.readouterr().out


def test_a_crossbar_that_reads_wrong_is_a_fault(capsys, monkeypatch):
    monkeypatch.setattr("memsim._cli._doctor.LARGEST_ERROR", -1.0)
    status, found = told(capsys)
    assert status == 1 and found["read"] is None
    assert "ArithmeticError" in found["troubles"][0]
