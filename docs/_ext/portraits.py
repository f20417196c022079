"""The figures of the reference: one of each public device, converter, mapping and neuron.

They are of what the example of a docstring makes, so that a new part has its figure without a line here.
"""

import ast
import contextlib
import doctest
import inspect
import io
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, get_args

import equinox as eqx
import jax.random as jr

import memsim as ms
from memsim.plotting._portrait._portrait import Part
from names import Name, docstring, homes, rooms

KINDS = get_args(Part)
FOLDER, DPI, PROCESSES = "portraits", 110, 2
SPAWNED = multiprocessing.get_context("spawn")


@cache
def portrayed() -> dict[str, Name]:
    """Every public name that is such a part, or makes one, by its full name."""
    found = [name for names in rooms().values() for name in names if is_part(name) and homes()[id(name.thing)] == name]
    return {name.full: name for name in found}


def is_part(name: Name) -> bool:
    if name.is_room or not callable(name.thing) or name.room == "device_models.fit":
        return False
    if isinstance(name.thing, type):
        return issubclass(name.thing, KINDS) and not name.name.startswith("Abstract")
    made = inspect.signature(name.thing).return_annotation
    return isinstance(made, type) and issubclass(made, KINDS)


def subject(name: Name) -> tuple[str, Any]:
    """What is drawn of `name`, as code and as itself: the fullest call of it in its example, or one that makes it."""
    source = "".join(each.source for each in doctest.DocTestParser().get_examples(docstring(name)))
    namespace: dict[str, Any] = {}
    run([line for line in ast.parse(source).body if isinstance(line, ast.Import | ast.ImportFrom)], namespace)
    calls = sorted(calls_in(source), key=lambda call: -len(call.args) - len(call.keywords))
    called = [(call, value(call.func, namespace)) for call in calls]
    own = [call for call, thing in called if thing is name.thing]
    others = [call for call, thing in called if id(thing) in homes() and is_part(homes()[id(thing)])]
    wanted = name.thing if isinstance(name.thing, type) else KINDS
    for call in [*own, *others]:
        made = value(call, namespace) or after_all(call, source, namespace)
        if isinstance(made, wanted):
            return ast.unparse(call), made
    return f"{name.name}()", name.thing()


def value(code: ast.expr, namespace: dict[str, Any]) -> Any:
    """What `code` is; nothing where it needs what is not there."""
    with contextlib.suppress(NameError):
        return eval(ast.unparse(code), namespace)


def after_all(call: ast.Call, source: str, namespace: dict[str, Any]) -> Any:
    """The value of a `call` that needs the whole example before it."""
    run(ast.parse(source).body, namespace)
    return value(call, namespace)


def calls_in(source: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))


def run(lines: list[ast.stmt], namespace: dict[str, Any]) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(ast.Module(lines, []), "<example>", "exec"), namespace)


def draw(folder: Path) -> dict[str, str]:
    """Draws all of them into `folder`, each part once; returns the directive that shows each, by full name.

    In a process of its own: Sphinx forks to read and write pages, and must not once JAX has its threads.
    """
    with ProcessPoolExecutor(1, SPAWNED) as pool:
        return pool.submit(drawn, folder).result()


def drawn(folder: Path) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    parts = {full: subject(name) for full, name in portrayed().items()}
    first = {
        full: next(other for other, (_, made) in parts.items() if eqx.tree_equal(made, part))
        for full, (_, part) in parts.items()
    }
    names = sorted(set(first.values()))
    with ProcessPoolExecutor(PROCESSES, SPAWNED) as pool:
        words = dict(zip(names, pool.map(saved, names, [folder] * len(names)), strict=True))
    for old in folder.glob("*.png"):
        if old.stem not in names:
            old.unlink()
    return {full: directive(parts[full][0], words[other], f"{other}.png") for full, other in first.items()}


def saved(full: str, folder: Path) -> str:
    """Draws what stands for one name; returns what its lines are."""
    figure = ms.plotting.portrait(subject(portrayed()[full])[1], key=jr.key(0))
    with ms.plotting.style():
        figure.savefig(folder / f"{full}.png", dpi=DPI)
    return str(figure.get_label())


def directive(code: str, words: str, file: str) -> str:
    return f"```{{figure}} {FOLDER}/{file}\n:alt: {words}\n\n`{' '.join(code.split())}`. {words}\n```"
