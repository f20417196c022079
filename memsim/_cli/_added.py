"""What other packages add, and what is wrong with it; the command `memsim devices`."""

from collections.abc import Iterable
from typing import Any

from device_models._plugins import Plugin, packages, plugins

from . import _scripts


def examine() -> list[dict[str, Any]]:
    """Every name that another package adds, each loaded: "trouble" says why one cannot be used."""
    return [
        {"package": package, "kind": each.kind, "name": each.name, "place": each.place, "trouble": _trouble(each)}
        for package, added in packages().items()
        for each in added
    ]


def list_devices() -> None:
    """The cells by name, as `--device NAME` and `--cells NAME` take them, each with what it is."""
    from device_models import DEVICES

    for name, entry in DEVICES.items():
        print(f"  {name:22} {first_line(entry.make)}")
    found = plugins("devices", DEVICES)
    for name, each in found.usable.items():
        trouble = _trouble(each)
        said = f"{first_line(each.load())} ({each.package} {each.version})" if trouble is None else trouble
        print(f"  {name:22} {said}")
    for clash in found.clashing.values():
        print(f"  NOT USED: {clash}")


def first_line(thing: Any) -> str:
    """What a function or class is, in the first line of its docstring."""
    return (thing.__doc__ or "").strip().partition("\n")[0]


def own_names(kind: str) -> Iterable[str]:
    """The names of memsim's own of a kind."""
    if kind == "devices":
        from device_models import DEVICES

        return DEVICES
    if kind == "targets":
        from ..chips import TARGETS

        return TARGETS
    return _scripts.scripts(kind)


def _trouble(plugin: Plugin) -> str | None:
    """Why it cannot be used, `None` where it can."""
    clash = plugins(plugin.kind, own_names(plugin.kind)).clashing.get(plugin.name)
    if clash is not None:
        return clash
    try:
        if plugin.kind in _scripts.PARTS:
            _scripts.load_script(plugin.kind, plugin.name)
        else:
            plugin.load()
    except ValueError as error:
        return str(error)
    return None
