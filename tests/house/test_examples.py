"""Every public name is documented with an example, and every example of a docstring prints what it says."""

import ast
import doctest
import inspect
from pathlib import Path

import pytest

import device_models
import memsim

ROOT = Path(__file__).parents[2]
TOPS = {"ms": memsim, "dm": device_models}
PACKAGES = ("memsim", "device_models")  # whose names stand in their stubs
WITHOUT = {  # public names that have no docstring of their own, and what they are; the line above them says it
    "dm.DEVICES": "a table of constructors",
    "dm.EFFECTS": "a tuple of names",
    "dm.__version__": "a text",
    "dm.memristors.MEMRISTORS": "a table of constructors",
    "dm.pulsed.PULSED": "a table of constructors",
    "ms.EFFECTS": "a tuple of names",
    "ms.chips.FAMILIES": "a table of golden files",
    "ms.chips.TARGETS": "a table of constructors",
    "ms.data.EVENT": "a dtype of NumPy",
    "ms.energy.COMPONENTS": "a tuple of names",
    "ms.energy.NUMBERS": "a table of sourced numbers",
    "ms.nir.DIALECTS": "a table of dialects",
    "ms.nn.IZHIKEVICH_2003": "a table of sourced numbers",
    "ms.plotting.COLOURS": "a tuple of colours",
    "ms.plotting.JOURNALS": "a table of styles",
    "ms.plotting.MARKERS": "a tuple of markers",
    "ms.recipes.RECIPES": "a table of constructors",
    "ms.study.MEASURED": "a text",
    "ms.train.METRICS": "a table of metrics",
}


def sources():
    return [path for folder in ("device_models", "memsim") for path in sorted((ROOT / folder).rglob("*.py"))]


def short(path):
    return str(path.relative_to(ROOT))


def documented(path):
    """Name, docstring and line of all modules, classes and functions of a file: decorators hide them from `doctest`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and (text := ast.get_docstring(node)):
            yield getattr(node, "name", path.stem), text, node.body[0].lineno - 1


def parts(room, label):
    """The public modules in `room`, itself among them, by what they are called."""
    yield label, room
    for name in room.__all__:
        part = getattr(room, name)
        if inspect.ismodule(part):
            yield from parts(part, f"{label}.{name}")


ROOMS = {label: room for top, package in TOPS.items() for label, room in parts(package, top)}
PUBLIC = {
    f"{label}.{name}": thing
    for label, room in ROOMS.items()
    for name in room.__all__
    if not inspect.ismodule(thing := getattr(room, name))
}


@pytest.mark.parametrize("path", [path for path in sources() if ">>> " in path.read_text(encoding="utf-8")], ids=short)
def test_examples_print_what_they_say(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write files
    said = []
    for name, text, line in documented(path):
        example = doctest.DocTestParser().get_doctest(text, {}, name, str(path), line)
        doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert "".join(said) == ""


def own_docstring(thing):
    """What is written of `thing`, not what a named tuple or a dataclass says of itself."""
    found = inspect.getdoc(thing) if callable(thing) else None
    made = found is not None and inspect.isclass(thing) and found.startswith(f"{thing.__name__}(")
    return "" if found is None or made else found


@pytest.mark.parametrize("label", ROOMS)
def test_every_public_name_has_a_docstring_with_an_example(label):
    names = {name for name in PUBLIC if name.rpartition(".")[0] == label} - WITHOUT.keys()
    assert {name for name in names if not own_docstring(PUBLIC[name])} == set(), "without a docstring"
    assert {name for name in names if ">>> " not in own_docstring(PUBLIC[name])} == set(), "without an example"


def test_what_needs_no_example_is_public_and_no_class_or_function():
    assert {name for name in WITHOUT if name not in PUBLIC or callable(PUBLIC[name])} == set()


@pytest.mark.parametrize(
    "path", [path for path in sources() if path.name == "__init__.py" and path.parent.name not in PACKAGES], ids=short
)
def test_what_a_room_hands_on_stands_in_its_list(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    lists = [node for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"]
    listed = {name for node in lists for name in ast.literal_eval(node.value)}
    imports = [alias for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert {alias.name for alias in imports if alias.asname == alias.name} - listed == set(), "absent in `__all__`"
