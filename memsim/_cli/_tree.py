"""All commands: what is said here is the help, the completion and the answer to a wrong word."""

from collections.abc import Callable
from functools import partial
from typing import Any

from device_models._plugins import packages, plugins

from . import _scripts
from ._commands import Branch, Experiment, Function

NAME = "a NAME, which `memsim list` shows, or a FILE.py of your own"


def tree() -> Branch:
    """The commands of `memsim`."""
    return Branch(
        "Spiking networks on analog in-memory computing hardware. After any command, --help shows its options.",
        kind="A command",
        needs="a command; `memsim --help` shows them",
        commands=_scripts_of() | _parts() | _rooms(),
    )


def _scripts_of() -> dict[str, Any]:
    run, draw = "run an experiment", "draw a finished experiment"
    experiments, figures = "A name in experiments", "A name in figures"
    return {
        "list": Function("the experiments and figures, and what other packages add", lambda: list_scripts),
        "run": Branch(run, experiments, NAME, _experiments(), of_file=lambda file: Experiment(file, file)),
        "draw": Branch(draw, figures, NAME, _figures(), of_file=lambda file: Function(file, partial(_figure, file))),
    }


def _parts() -> dict[str, Any]:
    return {
        "devices": Function("the cells, by name", _devices),
        "check-device": Function("whether a cell keeps what every cell promises", _check("check_device")),
        "check-target": Function("whether a chip keeps what every chip promises", _check("check_target")),
        "check-neuron": Function("whether a neuron keeps what every neuron promises", _check("check_neuron")),
        "schema": Function("what a file of a device must be, as JSON Schema", _schema),
    }


def _rooms() -> dict[str, Any]:
    return {
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
    }


def list_scripts() -> None:
    """The experiments and figures, each with what it is about, and what other packages add."""
    for kind in ("experiments", "figures"):
        print(kind)
        for name, script in {**_scripts.scripts(kind), **_scripts.added(kind)}.items():
            print(f"  {name:14} {_scripts.summary(script)}")
    if packages():
        from ._added import examine  # here, since what is added is loaded
        from ._report import added_lines

        print("\n".join(["other packages", *(f"  {line}" for line in added_lines(examine()))]))


def _experiments() -> dict[str, Any]:
    ours = {name: Experiment(_scripts.summary(path), name) for name, path in _scripts.scripts("experiments").items()}
    return ours | {name: Experiment(said, name, is_added=True) for name, said in _added("experiments").items()}


def _figures() -> dict[str, Any]:
    ours = {name: _scripts.summary(path) for name, path in _scripts.scripts("figures").items()}
    of = {name: Function(said, partial(_figure, name)) for name, said in ours.items()}
    return of | {name: Function(said, partial(_figure, name), True) for name, said in _added("figures").items()}


def _added(kind: str) -> dict[str, str]:
    """What each name of other packages is about; one that clashes says so, as it does where it is chosen."""
    ours = _scripts.scripts(kind)
    clashing = plugins(kind, ours).clashing.items()
    said = {name: _scripts.summary(each) for name, each in _scripts.added(kind).items()}
    return said | {name: f"NOT USED: {why}" for name, why in clashing if name not in ours}


def _figure(name: str) -> Callable[..., None]:
    return _scripts.load_script("figures", name).draw


# What follows imports only when its command is chosen.


def _devices() -> Callable[..., None]:
    from ._added import list_devices

    return list_devices


def _check(command: str) -> Callable[[], Callable[..., int]]:
    def load() -> Callable[..., int]:
        from . import _promises

        return getattr(_promises, command)

    return load


def _schema() -> Callable[..., None]:
    from ._promises import print_schema

    return print_schema


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
