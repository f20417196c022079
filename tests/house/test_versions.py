"""Versions: one for all that names it; what is tested at the least, and what `make` installs, is what is declared."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import device_models
import memsim

ROOT = Path(__file__).parents[2]


def _declared() -> list[str]:
    """Requirements of the package and of its extras but `peers`, which has pinned versions of its own."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *(line for name in ("test", "data", "events", "nir") for line in extras[name])]


def _numbers(version: str) -> tuple[int, ...]:
    """1.0 and 1.0.0 are one version."""
    parts = [int(part) for part in version.split(".")]
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def test_the_oldest_versions_that_are_tested_are_the_lower_bounds_that_are_declared():
    bounds = dict(re.findall(r"^([\w-]+)\S*?>=([\d.]+)", line)[0] for line in _declared() if ">=" in line)
    lines = (ROOT / "tests" / "oldest.txt").read_text().splitlines()
    tested = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    assert {name: _numbers(version) for name, version in tested.items()} == {
        name: _numbers(version) for name, version in bounds.items()
    }


def test_whoever_names_the_version_names_the_same():
    version = memsim.__version__
    assert device_models.__version__ == version
    cited = re.findall(r"^ *version: (.*)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert cited == [version, version]  # of the software, and of what to cite for it
    newest = re.search(r"^## (\S+?),? ", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest and newest[1] == version


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_every_python_has_one_locked_version_that_is_allowed(python):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (ROOT / "tests" / "locked.txt").read_text().splitlines()
    here = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux", "os_name": "posix"}
    locked = [Requirement(line) for line in lines]
    chosen = {each.name: each for each in locked if each.marker is None or each.marker.evaluate(here)}
    for wanted in map(Requirement, [*project["dependencies"], *project["optional-dependencies"]["test"]]):
        (pin,) = chosen[wanted.name].specifier
        assert pin.operator == "==" and wanted.specifier.contains(pin.version), wanted
    assert len(chosen) == len([each for each in locked if each.marker is None or each.marker.evaluate(here)])


def test_locked_versions_name_no_place_to_get_them():
    assert not re.search(r"[/@]|--", (ROOT / "tests" / "locked.txt").read_text())
