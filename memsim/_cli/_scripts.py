"""The scripts in `experiments` and `figures`, those of other packages and of one's own: where they are, how loaded."""

import re
from pathlib import Path
from typing import Any

from device_models._plugins import Plugin, choose, plugins

PARTS = {"experiments": ("Config", "run"), "figures": ("draw",)}
"""What a script of each kind must have."""


def scripts(kind: str) -> dict[str, Path]:
    """The scripts in `experiments` or `figures`: beside the package in a checkout, inside it after an install."""
    package = Path(__file__).parents[1]
    bundled = package / "_bundled" / kind
    folder = bundled if bundled.is_dir() else package.parent / kind
    return {path.stem: path for path in sorted(folder.glob("[!_]*.py"))}  # the others are what scripts share


def added(kind: str) -> dict[str, Plugin]:
    """Those that other packages add, beside ours."""
    return plugins(kind, scripts(kind)).usable


def is_file(name: str) -> bool:
    """Whether a word stands for a script of one's own and not for a name."""
    return name.endswith(".py")


def load_script(kind: str, name: str) -> Any:
    """The module of one script: a file of one's own, ours by its name, or one of another package.

    Raises `ValueError` with the near names for an unknown one, and with what a script lacks.
    """
    from .._keeping import load_file  # late, since it imports jax

    found = scripts(kind)
    if is_file(name):
        if not Path(name).is_file():
            raise ValueError(f"A script must be there. Got {name}, which is no file; names are without `.py`.")
        script: Any = load_file(f"memsim_{kind}_{Path(name).stem}", name)
    elif name in found:
        script = load_file(f"memsim_{kind}_{name}", found[name])
    else:
        script = choose(kind, f"A name in {kind}", name, found).load()
    if lacks := [part for part in PARTS[kind] if not hasattr(script, part)]:
        raise ValueError(
            f"A script of {kind} must have {' and '.join(f'`{part}`' for part in PARTS[kind])}. "
            f"Got {name} without {' and '.join(lacks)}. CONTRIBUTING.md shows one."
        )
    return script


def summary(script: Path | Plugin) -> str:
    """The first line of a script's docstring, read without running it, and which package adds it."""
    path = script.file() if isinstance(script, Plugin) else script
    found = None if path is None else re.match(r'\s*r?"""(.*?)("""|$)', path.read_text(encoding="utf-8"), re.MULTILINE)
    said = found[1] if found else ""
    return f"{said} ({script.package} {script.version})".strip() if isinstance(script, Plugin) else said
