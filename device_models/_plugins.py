"""What other packages add to memsim by entry points: cells, chips, experiments, figures."""

import functools
import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterable, Mapping
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, NamedTuple

GROUPS = {
    "devices": "memsim.devices",
    "targets": "memsim.targets",
    "experiments": "memsim.experiments",
    "figures": "memsim.figures",
}
"""The group of entry points of each kind."""


class Plugin(NamedTuple):
    """What a package adds: its `name`, and the `place` it is imported from, "module:function" or a module."""

    kind: str
    name: str
    place: str
    package: str
    version: str

    def load(self) -> Any:
        """What the entry point names. Raises `ValueError` with the error where its package does not import."""
        entry = importlib.metadata.EntryPoint(self.name, self.place, GROUPS[self.kind])
        try:
            return entry.load()
        except (Exception, SystemExit) as error:
            said = f"{type(error).__name__}: {error}"
            raise ValueError(f"{self} must import. Got {said}. Mend or uninstall {self.package}.") from error

    def file(self) -> Path | None:
        """The file of the module, found without importing anything; `None` where there is none."""
        try:
            return _file(self.place.partition(":")[0])
        except (ImportError, ValueError):  # of a finder of somebody else
            return None

    def __str__(self) -> str:
        return f"{self.name!r} in {GROUPS[self.kind]} of {self.package} {self.version}"


class Plugins(NamedTuple):
    """What packages add of one kind: what can be used, by name, and those whose names clash, each with the reason."""

    usable: dict[str, Plugin]
    clashing: dict[str, str]


def plugins(kind: str, own: Iterable[str] = ()) -> Plugins:
    """Those of a kind, beside the `own` names, which keep their meaning. Nothing is imported."""
    by_name: dict[str, list[Plugin]] = {}
    for each in _all(kind, tuple(sys.path)):
        by_name.setdefault(each.name, []).append(each)
    mine, usable, clashing = set(own), {}, {}
    for name, found in sorted(by_name.items()):
        several = sorted(found, key=lambda each: each.package)
        if name in mine:
            clashing[name] = f"{several[0]} has a name of memsim's own, which it does not replace."
        elif len(several) > 1:
            clashing[name] = f"{' and '.join(map(str, several))} have one name, and neither is used. Uninstall one."
        else:
            usable[name] = several[0]
    return Plugins(usable, clashing)


def choose(kind: str, said: str, name: str, own: Mapping[str, Any]) -> Plugin:
    """The plugin of that `name`. `ValueError` for one that clashes, and with the near names where there is none."""
    found = plugins(kind, own)
    if name in found.usable:
        return found.usable[name]
    if name in found.clashing and name not in own:
        raise ValueError(f"{said} must be of one package. Got {found.clashing[name]}")
    from ._checks._names import did_you_mean  # here, since it imports jax

    raise ValueError(did_you_mean(said, name, [*own, *found.usable], what="a known one"))


def packages() -> dict[str, list[Plugin]]:
    """All that is added, by package and version."""
    found: dict[str, list[Plugin]] = {}
    for kind in GROUPS:
        for each in _all(kind, tuple(sys.path)):
            found.setdefault(f"{each.package} {each.version}", []).append(each)
    return dict(sorted(found.items()))


@functools.cache  # the places are its key: entry points are looked for there
def _all(kind: str, places: tuple[str, ...]) -> tuple[Plugin, ...]:
    found = importlib.metadata.entry_points(group=GROUPS[kind])
    return tuple(sorted(_plugin(kind, each) for each in found))


def _plugin(kind: str, entry: Any) -> Plugin:
    """Of an `EntryPoint`, be it of Python or of the package importlib_metadata, whose import takes Python's place."""
    package = entry.dist
    name, version = ("unknown", "unknown") if package is None else (package.metadata["Name"], package.version)
    return Plugin(kind, entry.name, entry.value, name or "unknown", version)


def _file(module: str) -> Path | None:
    """Looks through packages by their places: `find_spec` of a module within one would import it."""
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top)
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            return None
        spec = PathFinder.find_spec(f"{spec.name}.{part}", list(spec.submodule_search_locations))
    return Path(spec.origin) if spec is not None and spec.origin and spec.has_location else None
