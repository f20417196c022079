"""Every public name is documented with an example, and every example of a docstring says what it prints."""

import ast
import doctest
import importlib
import inspect
from pathlib import Path
from types import ModuleType

import pytest

import device_models
import memsim

ROOT = Path(__file__).parents[2]
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)
WITH_EXAMPLES = [
    path
    for folder in ("device_models", "memsim")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


def examples(path):
    """Of the docstrings of one file, found in its text: decorators hide functions from `doctest`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, DOCUMENTED) and ">>>" in (ast.get_docstring(node) or ""):
            name, place = getattr(node, "name", path.stem), node.body[0].lineno - 1
            found = ast.get_docstring(node)
            yield doctest.DocTestParser().get_doctest(found, {}, name, str(path), place)


def run(example):
    """What of `example` is not as it says."""
    said = []
    doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    return "".join(said)


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_print_what_they_say(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write files
    assert "".join(run(example) for example in examples(path)) == ""
