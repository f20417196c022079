"""Modules import downwards only, files stay short, and importing memsim loads nothing heavy."""

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = {
    "_names": 0,  # words only, for every floor
    "_checks": 0,  # and what a value may be
    "_inputs": 0,  # and signals as floats
    "_stored_key": 0,
    "_arguments": 0,  # and what an array is given
    "_claims": 0,  # and work that processes share
    "_fingerprint": 0,  # and what a value computes
    "_hints": 1,  # what to write instead
    "_identity": 1,
    "_tiles": 1,
    "_complex": 1,
    "_converters": 1,
    "_wires": 1,
    "_provenance": 1,
    "data": 1,
    "encoding": 1,
    "_mapping": 2,
    "_ranges": 2,
    "_sense": 2,
    "_read_noise": 3,
    "_fluctuation": 3,
    "_lines": 3,
    "_matrix": 3,
    "_programming": 3,
    "_compensation": 3,
    "_crossbar": 3,
    "_effects": 3,
    "recipes": 3,
    "nn": 4,
    "nir": 5,
    "train": 5,
    "insitu": 5,
    "study": 6,
    "plotting": 7,  # draws with the statistics of study
    "_cli": 8,
    "__init__": 9,  # exports everything, so nobody below may import it
}
HEAVY = ("diffrax", "xarray", "matplotlib", "tyro", "rich", "h5netcdf", "scipy", "nir")


def files(*folders):
    return sorted(
        path for folder in folders for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts
    )


def name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name(path): path for path in files("memsim", "device_models")}
SCRIPTS = files("experiments", "figures")


def imports(tree, package):
    """Full names of the modules that a file in `package` imports, at the top or within functions."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            inside = {f"{base}.{alias.name}" for alias in node.names} & MODULES.keys()
            found.update(inside or {base})
    return found


def unit(module):
    """The file or folder directly in memsim that `module` belongs to."""
    return [*module.split("."), "__init__"][1]


def floor(module):
    if module.split(".")[0] == "device_models":
        return 0
    assert unit(module) in FLOORS, f"memsim/{unit(module)} is new: give it a floor in FLOORS of {Path(__file__).name}."
    return FLOORS[unit(module)]


def may_import(above, below):
    """Whether module `above` may import module `below`; both are ours."""
    if floor(below) < floor(above) or above.split(".")[0] == below.split(".")[0] == "device_models":
        return True
    if unit(above) == unit(below):
        return True
    # Files side by side in memsim/ share a folder, and so may meet; two packages of one floor may not.
    return floor(above) == floor(below) and all(MODULES[m].parent == ROOT / "memsim" for m in (above, below))


def ours(module, source):
    """Which of our modules `module` imports if its text is `source`."""
    package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
    wanted = {m for m in imports(ast.parse(source), package) if m.split(".")[0] in {"memsim", "device_models"}}
    # A lazily spelled `import memsim.nn.name` is judged by the longest module in it.
    return {next((p for p in prefixes(m) if p in MODULES), m) for m in wanted}


def faults(module, source):
    """What `module` imports against the rules if its text is `source`."""
    return sorted(m for m in ours(module, source) if not may_import(module, m))


def prefixes(module):
    parts = module.split(".")
    return [".".join(parts[:n]) for n in range(len(parts), 0, -1)]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_lower_floors_and_its_own_folder(module):
    assert faults(module, MODULES[module].read_text()) == []


@pytest.mark.parametrize(
    "module, line, wrong",
    [
        ("device_models._cells._pcm", "import memsim", "memsim"),
        ("memsim._tiles", "from ._crossbar import Chip", "memsim._crossbar"),
        ("memsim._matrix", "def f():\n    from . import nn", "memsim.nn"),
        ("memsim.nn._deploy", "from ..train._fit import fit", "memsim.train._fit"),
        ("memsim.nn._deploy", "from .. import deploy", "memsim"),
        ("memsim.train", "import memsim.study", "memsim.study"),
        ("memsim.data", "from .._tiles import cuts", "memsim._tiles"),
    ],
)
def test_this_test_sees_a_climbing_import(module, line, wrong):
    assert faults(module, line) == [wrong]


def test_no_imports_go_round_in_a_circle():
    below = {module: ours(module, path.read_text()) - {module} for module, path in MODULES.items()}
    below["device_models.fit._file"] -= {"device_models"}  # a file names classes as the package exports them
    assert len(list(graphlib.TopologicalSorter(below).static_order())) >= len(MODULES)  # raises for a circle


def test_this_test_asks_for_the_floor_of_a_new_module():
    with pytest.raises(AssertionError, match="memsim/_new is new: give it a floor"):
        floor("memsim._new")


@pytest.mark.parametrize("path", SCRIPTS, ids=str)
def test_a_script_imports_only_the_packages_and_what_scripts_of_its_folder_share(path):
    shared = {file.stem for file in path.parent.glob("_*.py")}
    others = {"experiments", "figures", "tests", "helpers"} | {script.stem for script in SCRIPTS} - shared
    tree = ast.parse(path.read_text())
    assert not {module.split(".")[0] for module in imports(tree, "")} & others
    assert not any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree)), "scripts are no package"


def test_nobody_imports_a_script():
    for path in files("memsim", "device_models", "tests"):
        tops = {module.split(".")[0] for module in imports(ast.parse(path.read_text()), name(path.parent) or "tests")}
        assert not tops & {"experiments", "figures"}, path


@pytest.mark.parametrize("path", files("memsim", "device_models", "tests", "experiments", "figures"), ids=name)
def test_a_file_has_at_most_400_lines_and_evaluates_its_annotations(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 400
    # Strings for annotations silently break eqx.AbstractVar.
    futures = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
    assert not any(alias.name == "annotations" for node in futures for alias in node.names)


def test_importing_memsim_loads_nothing_heavy():
    code = f"import memsim, sys; print(*[m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == []
