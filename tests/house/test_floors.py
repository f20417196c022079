"""Rooms import downwards only, without circles, stay small, and importing memsim loads nothing heavy."""

import ast
import graphlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import device_models
import memsim

ROOT = Path(__file__).parents[2]
FLOORS = {
    "device_models": 0,
    "memsim._checks": 1,  # what users hand over
    "memsim._keeping": 1,  # what finished work is kept by
    "memsim.data": 2,
    "memsim.encoding": 2,
    "memsim._array": 2,  # all between weights and codes
    "memsim.nn": 3,
    "memsim.recipes": 3,
    "memsim.nir": 4,
    "memsim.files": 4,
    "memsim.train": 4,
    "memsim.insitu": 4,
    "memsim.solve": 4,  # equations and searches on arrays
    "memsim.chips": 5,  # digital and mixed-signal systems as targets
    "memsim.study": 5,
    "memsim.energy": 6,  # joules, seconds, square metres of what the floors below did
    "memsim.extend": 6,  # what parts of your own inherit and promise
    "memsim.plotting": 6,  # draws with the statistics of study
    "memsim.heal": 7,  # chips mended from their own reads
    "memsim.identify": 7,  # what an array is, from its own reads
    "memsim._cli": 8,
}
HEAVY = ("diffrax", "xarray", "matplotlib", "tyro", "rich", "h5netcdf", "scipy", "nir")
MOST_NAMES, LONGEST_FUNCTION, MOST_ARGUMENTS = 52, 40, 8
MOST_LINES = {"tests": 400}  # of a file; 300 elsewhere
EXCEPTIONS: dict[str, str] = {  # what is larger, by its name in the messages below, and why
    "device_models.fit._drift.fit_drift": "ten arguments: data, and settings with defaults that calls name one by one",
    "device_models.fit._memristor.fit_memristor": "ten arguments: a model, data, and settings with defaults",
    "device_models.fit._read_noise.fit_read_noise": "nine arguments: data, and settings with defaults",
    "memsim.energy._descent._descend.descend": "nine arguments: a network, its design, its data, what is free",
    "memsim.heal._compare.compare": "eleven arguments: what is mended and how, and settings that calls name one by one",
    "memsim.nn._synapses._conv.__init__": "eleven arguments: those of `equinox.nn.Conv1d`, and how its weights start",
    "memsim.nn._synapses._conv_transpose.__init__": "twelve arguments: those of `equinox.nn.ConvTranspose1d`, and gain",
    "memsim.study._attribute.attribute": "nine arguments: those of `robustness`",
    "memsim.study._confusion.confusion": "nine arguments: those of `robustness`",
    "memsim.study._robustness.robustness": "nine arguments: what is measured, and five settings, most with defaults",
    "memsim.study._robustness.chip_outcomes": "ten arguments: those of `robustness` with its data set taken apart",
    "memsim.study._robustness.chip_accuracies": "ten arguments: those of `chip_outcomes`",
    "memsim.train._fit.fit": "twelve arguments: model and data, and settings with defaults that calls name one by one",
}


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


def ours(module, source):
    """Those of our modules that `module` imports if its text is `source`."""
    package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
    wanted = {m for m in imports(ast.parse(source), package) if m.split(".")[0] in {"memsim", "device_models"}}
    # A lazily spelled `import memsim.nn.name` is judged by the longest module in it.
    return {next((p for p in prefixes(m) if p in MODULES), m) for m in wanted}


def prefixes(module):
    parts = module.split(".")
    return [".".join(parts[:n]) for n in range(len(parts), 0, -1)]


def room(module):
    if module == "memsim.__main__":  # `python -m memsim`
        return "memsim._cli"
    parts = module.split(".")
    return parts[0] if parts[0] == "device_models" else ".".join(parts[:2])


def may_import(above, below):
    """Whether module `above` may import module `below`; both are ours."""
    if room(above) == room(below):
        return True
    assert room(above) in FLOORS, f"{room(above)} is new: give it a floor in FLOORS of {Path(__file__).name}."
    return below != "memsim" and FLOORS[room(below)] < FLOORS[room(above)]


def through_the_door(above, below):
    """Whether `above` imports a private room, such as `memsim._array`, by its face."""
    inside = below.removeprefix(room(below)).split(".")
    public = not room(below).rpartition(".")[2].startswith("_")
    return public or room(above) == room(below) or not any(part.startswith("_") for part in inside)


@pytest.mark.parametrize("module", [module for module in MODULES if module != "memsim"])
def test_a_module_imports_only_from_lower_floors_and_its_own_room(module):
    assert [m for m in sorted(ours(module, MODULES[module].read_text())) if not may_import(module, m)] == []


@pytest.mark.parametrize("module", [module for module in MODULES if module != "memsim"])
def test_a_private_room_is_entered_by_its_face(module):
    assert [m for m in sorted(ours(module, MODULES[module].read_text())) if not through_the_door(module, m)] == []


@pytest.mark.parametrize(
    "module, line, wrong",
    [
        ("device_models._cells._pcm", "import memsim", "memsim"),
        ("memsim._array._matrix", "def f():\n    from .. import nn", "memsim.nn"),
        ("memsim.nn._deploy", "from ..train._fit import fit", "memsim.train._fit"),
        ("memsim.nn._deploy", "from .. import deploy", "memsim"),
        ("memsim.train", "import memsim.study", "memsim.study"),
        ("memsim.data", "from .._array import cuts", "memsim._array"),
    ],
)
def test_this_test_sees_a_climbing_import(module, line, wrong):
    assert [m for m in ours(module, line) if not may_import(module, m)] == [wrong]


def test_this_test_asks_for_the_floor_of_a_new_room():
    with pytest.raises(AssertionError, match=r"memsim\._new is new: give it a floor"):
        may_import("memsim._new", "device_models")


def test_no_file_imports_itself_by_way_of_others():
    # A room is loaded before its files, and a face after what it hands on: only the files are compared.
    graph = {}
    for module, path in MODULES.items():
        if path.name != "__init__.py":
            graph[module] = {m for m in ours(module, path.read_text()) if MODULES[m].name != "__init__.py"}
    graphlib.TopologicalSorter(graph).prepare()


def test_no_room_meets_itself_by_way_of_others():
    graph = {}
    for module, path in MODULES.items():
        if module not in ("memsim", "device_models"):
            graph.setdefault(place(module), set()).update(map(place, ours(module, path.read_text())))
    graphlib.TopologicalSorter({above: below - {above} for above, below in graph.items()}).prepare()


def place(module):
    """The room of `module`, and within `device_models` that room's own."""
    return ".".join(module.split(".")[:2])


@pytest.mark.parametrize("path", SCRIPTS, ids=str)
def test_a_script_imports_only_the_packages_and_what_scripts_of_its_folder_share(path):
    shared = {file.stem for file in path.parent.glob("_*.py")}
    others = {"experiments", "figures", "tests", "helpers"} | {script.stem for script in SCRIPTS} - shared
    tree = ast.parse(path.read_text())
    assert not {module.split(".")[0] for module in imports(tree, "")} & others
    assert not any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree)), "scripts are no package"


@pytest.mark.parametrize("path", SCRIPTS, ids=str)
def test_a_script_names_what_there_is(path):
    """No script is run whole by the tests that take minutes, and no type checker reads one."""
    tops = {"ms": memsim, "dm": device_models}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and re.fullmatch(r"(ms|dm)(\.\w+)+", ast.unparse(node)):
            top, *names = ast.unparse(node).split(".")
            found = tops[top]
            for name in names:
                if not inspect.ismodule(found):  # fields and methods are looked up in objects
                    break
                assert hasattr(found, name), f"{path.name}:{node.lineno}: {ast.unparse(node)}"
                found = getattr(found, name)


def test_nobody_imports_a_script():
    for path in files("memsim", "device_models", "tests"):
        tops = {module.split(".")[0] for module in imports(ast.parse(path.read_text()), name(path.parent) or "tests")}
        assert not tops & {"experiments", "figures"}, path


@pytest.mark.parametrize("path", files("memsim", "device_models", "tests", "experiments", "figures"), ids=name)
def test_a_file_is_short_and_evaluates_its_annotations(path):
    tree = ast.parse(path.read_text())
    most = MOST_LINES.get(path.relative_to(ROOT).parts[0], 300)
    assert len(path.read_text().splitlines()) <= most or name(path) in EXCEPTIONS
    # Strings for annotations silently break eqx.AbstractVar.
    futures = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    assert not any(alias.name == "annotations" for node in futures for alias in node.names)


@pytest.mark.parametrize("path", files("memsim", "device_models", "experiments", "figures"), ids=name)
def test_a_function_is_short_and_has_few_arguments(path):
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            label = f"{name(path)}.{node.name}"
            if label not in EXCEPTIONS and (lines(node) > LONGEST_FUNCTION or arguments(node) > MOST_ARGUMENTS):
                found.append(f"{label}: {lines(node)} lines, {arguments(node)} arguments")
    assert found == []


def lines(function):
    """Of a function, without its docstring."""
    documented = ast.get_docstring(function) is not None
    return (
        function.end_lineno
        - function.lineno
        + 1
        - documented * (function.body[0].end_lineno - function.body[0].lineno + 1)
    )


def arguments(function):
    found = function.args
    every = [argument.arg for argument in (*found.posonlyargs, *found.args, *found.kwonlyargs)]
    return len([argument for argument in every if argument not in ("self", "cls")]) + sum(
        argument is not None for argument in (found.vararg, found.kwarg)
    )


@pytest.mark.parametrize("package", [memsim, device_models], ids=lambda package: package.__name__)
def test_few_names_stand_at_the_top(package):
    assert len(package.__all__) <= MOST_NAMES
    assert all(hasattr(package, found) for found in package.__all__)


@pytest.mark.parametrize(
    "package, name, says",
    [
        (device_models, "SoftBounds", "It is `device_models.pulsed.SoftBounds`."),
        (device_models, "vteam_kvatinsky2015", "It is `device_models.memristors.vteam_kvatinsky2015`."),
        (memsim, "AbstractADC", "It is `memsim.extend.AbstractADC`."),
        (memsim, "to_real", "It is `memsim.encoding.to_real`."),
        (memsim, "pcm_joshi2020", "It is `device_models.pcm_joshi2020`."),
        (memsim, "CrossBar", "Did you mean Crossbar?"),
        (memsim, "_array_", "no attribute '_array_'."),
    ],
)
def test_a_name_that_is_not_at_the_top_is_found(package, name, says):
    with pytest.raises(AttributeError, match=re.escape(says)):
        getattr(package, name)


def test_rooms_are_few_on_few_floors():
    folders = [found for found in FLOORS if found.startswith("memsim.") and (ROOT / found.replace(".", "/")).is_dir()]
    assert len(folders) <= 18
    assert len(set(FLOORS.values())) <= 9


ALL_NAMES = "import device_models as dm, memsim as ms; [getattr(m, name) for m in (dm, ms) for name in dir(m)]"


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        (ALL_NAMES, HEAVY),
        ("import memsim, device_models", ("jax", "equinox", "numpy")),
        ("from memsim._cli import main; main(['list'])", ("jax", "equinox", "numpy")),
    ],
)
def test_what_is_imported_is_no_more_than_what_is_asked_for(code, absent):
    code = f"{code}\nimport sys; print('loaded:', *[m for m in {absent} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split("loaded:")[1].split() == []


def test_a_name_that_is_not_there_is_answered_as_by_any_module():
    for package in (device_models, memsim):
        assert set(package.__all__) <= set(dir(package))
        with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'Crosbar'"):
            print(package.Crosbar)
