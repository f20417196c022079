"""The commands `memsim chips list` and `memsim chips check FILE...`."""

from pathlib import Path

import tyro

from device_models._plugins import plugins

from ..chips import TARGETS, check, target


def list_chips() -> None:
    """The chips that networks can be placed on, and against what their arithmetic was checked."""
    for name in TARGETS:
        print(f"  {name:18} {target(name).checked}")
    added = plugins("targets", TARGETS)
    for name, each in added.usable.items():
        try:
            print(f"  {name:18} {target(name).checked} ({each.package} {each.version})")
        except ValueError as error:
            print(f"  {name:18} NOT USED: {error}")
    for clash in added.clashing.values():
        print(f"  NOT USED: {clash}")


def check_files(files: tyro.conf.Positional[tuple[Path, ...]]) -> int:
    """Compute golden files by our rules, and say by how much they differ; the status is 1 if any integer does.

    Args:
        files: Such as loihi_lava_typ_0.npz; the name says the family, the rest is as tests/data/chips/README.md says.
    """
    if not files:
        raise ValueError("`memsim chips check` needs the names of golden files. Got none.")
    found = [check(file) for file in files]
    for each in found:
        largest = ", ".join(f"{name} {value:g}" for name, value in each.largest.items())
        print(f"{'equal' if each.equal else 'DIFFERS':8} {each.file:28} {each.rule}: largest difference {largest}")
    return 0 if all(each.equal for each in found) else 1
