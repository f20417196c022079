"""All commands: what is said here is the help, the completion and the answer to a wrong word."""

from collections.abc import Callable
from functools import partial
from typing import Any

from . import _scripts
from ._commands import Branch, Experiment, Function


def tree() -> Branch:
    """The commands of `memsim`."""
    name = "a NAME; `memsim list` shows them"
    return Branch(
        "Spiking networks on analog in-memory computing hardware. After any command, --help shows its options.",
        kind="A command",
        needs="a command; `memsim --help` shows them",
        commands={
            "list": Function("the experiments and figures", lambda: list_scripts),
            "run": Branch("run an experiment", kind="A name in experiments", needs=name, commands=_experiments()),
            "draw": Branch("draw a finished experiment", kind="A name in figures", needs=name, commands=_figures()),
            "data": Branch(
                "data sets that can be downloaded",
                kind="A command after `memsim data`",
                needs="`list` or `get NAME`",
                commands={
                    "list": Function("the data sets, and which are here", _data_list),
                    "get": Function("download one", _data_get),
                },
            ),
            "chips": Branch(
                "chips that networks can be placed on",
                kind="A command after `memsim chips`",
                needs="`list` or `check FILE...`",
                commands={
                    "list": Function("the chips, and how each was checked", _chips_list),
                    "check": Function("compare our rules with files of other simulators", _chips_check),
                },
            ),
            "energy": Branch(
                "what chips take",
                kind="A command after `memsim energy`",
                needs="`list` or `check`",
                commands={
                    "list": Function("the numbers of components, each with its source", _energy_list),
                    "check": Function("published numbers of chips beside ours", _energy_check),
                },
            ),
            "doctor": Function("what is installed here, and whether it works", _doctor),
        },
    )


def list_scripts() -> None:
    """The experiments and figures, each with what it is about."""
    for kind in ("experiments", "figures"):
        print(kind)
        for name, path in _scripts.scripts(kind).items():
            print(f"  {name:14} {_scripts.summary(path)}")


def _experiments() -> dict[str, Any]:
    return {name: Experiment(_scripts.summary(path), name) for name, path in _scripts.scripts("experiments").items()}


def _figures() -> dict[str, Any]:
    figures = _scripts.scripts("figures")
    return {name: Function(_scripts.summary(path), partial(_figure, name)) for name, path in figures.items()}


def _figure(name: str) -> Callable[..., None]:
    return _scripts.load_script("figures", name).draw


# What follows imports only when its command is chosen.


def _data_list() -> Callable[..., None]:
    from ._data import list_data

    return list_data


def _data_get() -> Callable[..., None]:
    from ._data import get_data

    return get_data


def _chips_list() -> Callable[..., None]:
    from ._chips import list_chips

    return list_chips


def _chips_check() -> Callable[..., int]:
    from ._chips import check_files

    return check_files


def _energy_list() -> Callable[..., None]:
    from ._energy import list_numbers

    return list_numbers


def _energy_check() -> Callable[..., int]:
    from ._energy import check_energy

    return check_energy


def _doctor() -> Callable[..., int]:
    from ._doctor import doctor

    return doctor
