"""The scripts in `experiments` and `figures`: where they are, what they say, and how one is loaded."""

import re
from pathlib import Path
from types import ModuleType


def scripts(kind: str) -> dict[str, Path]:
    """The scripts in `experiments` or `figures`: beside the package in a checkout, inside it after an install."""
    package = Path(__file__).parents[1]
    bundled = package / "_bundled" / kind
    folder = bundled if bundled.is_dir() else package.parent / kind
    return {path.stem: path for path in sorted(folder.glob("[!_]*.py"))}  # the others are what scripts share


def load_script(kind: str, name: str) -> ModuleType:
    """The module of one script, loaded by path. Raises `ValueError` with the near names for an unknown one."""
    found = scripts(kind)
    if name not in found:
        from .._checks import did_you_mean  # here, since it imports jax

        raise ValueError(did_you_mean(f"A name in {kind}", name, found))
    from .._keeping import load_file  # late, too

    return load_file(f"memsim_{kind}_{name}", found[name])


def summary(path: Path) -> str:
    """The first line of a script's docstring, read without running it."""
    found = re.match(r'r?"""(.*?)("""|$)', path.read_text(), re.MULTILINE)
    return found[1] if found else ""
