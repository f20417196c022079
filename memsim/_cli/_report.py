"""What `memsim doctor` found, in plain lines."""

from typing import Any

from ._packages import EXTRAS


def lines(found: dict[str, Any]) -> list[str]:
    """The findings in words, a line each."""
    python, jax = found["python"], found["jax"]
    return [
        f"memsim {found['memsim']['version']} in {found['memsim']['path']}",
        f"Python {python['version']} in {python['path']}, {python['platform']}",
        "packages",
        *(f"  {_package(each)}" for each in found["packages"]),
        f"  {'jaxlib':16} {found['jaxlib'] or 'absent'}",
        "extras, by pip install 'memsim[NAME]'",
        *(f"  {name:8} {_extra(of):8} {EXTRAS[name]}{_missing(of)}" for name, of in found["extras"].items()),
        *(_jax(jax) if jax else []),
        "settings" if found["environment"] else "no settings",
        *(f"  {name}={value}" for name, value in found["environment"].items()),
        "folders",
        *(f"  {_folder(each)}" for each in found["folders"]),
        *(_names(found["names"]) if found["names"] else []),
        *(["other packages"] if found["plugins"] else ["no other packages add to it"]),
        *(f"  {line}" for line in added_lines(found["plugins"])),
        *(_read(found["read"]) if found["read"] else []),
        *([f"WRONG: {trouble}" for trouble in found["troubles"]] or ["All is well."]),
    ]


def added_lines(added: list[dict[str, Any]]) -> list[str]:
    """What other packages add, a line a package and kind, and a line for each name that cannot be used."""
    by_package: dict[str, list[str]] = {}
    for each in added:
        if each["trouble"] is None:
            by_package.setdefault(f"{each['package']}: {each['kind']}", []).append(each["name"])
    broken = [f"NOT USED: {each['trouble']}" for each in added if each["trouble"] is not None]
    return [*(f"{where} {', '.join(names)}" for where, names in by_package.items()), *broken]


def _names(names: dict[str, int]) -> list[str]:
    return [", ".join(f"{number} {kind}" for kind, number in names.items()) + "; `memsim --help` says what lists them"]


def _jax(jax: dict[str, Any]) -> list[str]:
    x64 = "on" if jax["x64"] else "off"
    return ["jax", f"  {jax['backend']}: {', '.join(jax['devices'])}", f"  {jax['dtype']} by default, x64 {x64}"]


def _read(read: dict[str, float]) -> list[str]:
    return [f"an 8 x 8 crossbar of ideal cells reads right to {read['error']:.0e}, in {read['seconds']:.1f} s"]


def _package(each: dict[str, Any]) -> str:
    verdict = "ok" if each["is_tested"] else "NOT TESTED" if each["version"] else "MISSING"
    return f"{each['name']:16} {each['version'] or 'absent':12} {verdict:10} {each['tested']}"


def _extra(packages: list[dict[str, Any]]) -> str:
    here = sum(each["version"] is not None for each in packages)
    return "absent" if not here else "here" if here == len(packages) else "in part"


def _missing(packages: list[dict[str, Any]]) -> str:
    absent = [each["name"] for each in packages if each["version"] is None]
    untested = [
        f"{each['name']} {each['version']}, tested {each['tested']}"
        for each in packages
        if each["version"] and not each["is_tested"]
    ]
    return "".join(f"; {word} {', '.join(names)}" for word, names in (("without", absent), ("with", untested)) if names)


def _folder(each: dict[str, Any]) -> str:
    size = f"{each['files']} files, {each['size'] / 1e6:.1f} MB" if each["files"] else "empty"
    return f"{each['holds']:20} {each['path']}: {size}{'' if each['is_writable'] else ', NOT WRITABLE'}"
