"""Which packages are here, and whether their versions are among those that memsim is tested with."""

import importlib.metadata
import tomllib
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement

EXTRAS = {
    "test": "run the tests and linters",
    "data": "data sets of scikit-learn",
    "events": "AEDAT 4 recordings of event cameras",
    "docs": "build the site",
    "cluster": "sweeps on the machines of dask and SLURM",
    "nir": "networks from and to other spiking libraries",
    "onnx": "networks from ONNX graphs",
    "sat": "formulas checked by a solver, in tests",
    "hwcomponents": "published converters beside ours, in `memsim energy check`",
    "peers": "tests and timings beside other libraries",
}
"""What each optional set of packages is for."""


class Package(NamedTuple):
    """A package that memsim needs or can use: its `version`, `None` where absent, and the range that is `tested`."""

    name: str
    version: str | None
    tested: str
    is_tested: bool


def needed() -> list[Package]:
    """The packages without which memsim does not run."""
    return [_found(each) for each in _declared()[""]]


def optional() -> dict[str, list[Package]]:
    """The packages of each extra."""
    declared = _declared()
    return {extra: [_found(each) for each in declared.get(extra, [])] for extra in EXTRAS}


def version(name: str) -> str | None:
    """The version of a package, `None` where it is absent."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _found(wanted: Requirement) -> Package:
    here = version(wanted.name)
    tested = ",".join(sorted(map(str, wanted.specifier), reverse=True))
    is_tested = here is not None and wanted.specifier.contains(here, prereleases=True)
    return Package(wanted.name, here, tested, is_tested)


def _declared() -> dict[str, list[Requirement]]:
    """Requirements by extra, those of memsim itself under "": of the checkout, or else of what is installed."""
    project = Path(__file__).parents[2] / "pyproject.toml"
    if project.is_file():
        table = tomllib.loads(project.read_text())["project"]
        lines = {"": table["dependencies"]} | table["optional-dependencies"]
        return {extra: [Requirement(line) for line in of] for extra, of in lines.items()}
    every = [Requirement(line) for line in importlib.metadata.requires("memsim") or []]
    return {extra: [each for each in every if _belongs(each, extra)] for extra in ("", *EXTRAS)}


def _belongs(wanted: Requirement, extra: str) -> bool:
    marker = wanted.marker
    if marker is None or not extra:
        return marker is None and not extra
    return marker.evaluate({"extra": extra})
