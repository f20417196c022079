"""Versions: what `make test-oldest` installs is what pyproject.toml allows at the least."""

import re
import tomllib
from pathlib import Path

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
