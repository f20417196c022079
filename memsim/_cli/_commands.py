"""What a word of the command line can be: a function, an experiment, or a branch with words of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, make_dataclass
from typing import Annotated, Any, Union

import tyro

from . import _scripts
from ._where import Where


@dataclass(frozen=True)
class Function:
    """A command whose options are the arguments of the function that `load` returns; its result is the exit status."""

    summary: str
    load: Callable[[], Callable[..., int | None]]
    is_added: bool = False
    """Whether another package adds it, and may fail to load it."""

    def run(self, words: list[str], path: str) -> int:
        """Does what `words` say."""
        return tyro.cli(self.load(), prog=path, args=words) or 0

    def options(self) -> Any:
        """What has the options: a function or a dataclass."""
        return self.load()


@dataclass(frozen=True)
class Experiment:
    """A command whose options are the `Config` of an experiment, the script of which is loaded when it is chosen.

    And those of `Where`.
    """

    summary: str
    name: str
    is_added: bool = False

    def run(self, words: list[str], path: str) -> int:
        """Reads the configuration from `words` and runs the experiment."""
        script = _scripts.load_script("experiments", self.name)
        last = [word for word in words if word in ("--quick", "--no-quick")][-1:]
        # The defaults of a quick run are smaller; what is given besides holds.
        quick = last == ["--quick"] and hasattr(script, "QUICK")
        options = _with_where(_config(script, self.name), *([script.Config(quick=True)] if quick else []))
        chosen = tyro.cli(options, prog=path, description=script.__doc__, args=words)
        from .._keeping import compiled_folder, keep_compiled  # after the words are read: they import JAX

        keep_compiled(compiled_folder())
        with chosen.where.used(chosen.config.out):
            script.run(chosen.config)
        return 0

    def options(self) -> Any:
        """What has the options."""
        return _with_where(_config(_scripts.load_script("experiments", self.name), self.name))


@dataclass(frozen=True)
class Branch:
    """A word before other words. `kind` is what those are called where one is unknown, `needs` where one is missing.

    `of_file` makes the command of a script of one's own, for a word that ends in `.py`.
    """

    summary: str
    kind: str
    needs: str
    commands: Mapping[str, "Function | Experiment | Branch"]
    of_file: "Callable[[str], Function | Experiment] | None" = None

    def run(self, words: list[str], path: str) -> int:
        """Passes the rest on to the command that the first word names. Only that one is loaded."""
        if not words:
            raise ValueError(f"`{path}` needs {self.needs}.")
        name, *rest = words
        if name in self.commands:
            return self.commands[name].run(rest, f"{path} {name}")
        if self.of_file is not None and _scripts.is_file(name):
            return self.of_file(name).run(rest, f"{path} {name}")
        if not name.startswith("-"):
            from .._checks import did_you_mean  # here, since it imports jax

            raise ValueError(did_you_mean(self.kind, name, self.commands))
        # Help needs names and summaries only, a completion script all options of all commands.
        try:
            tyro.cli(self.union(whole="completion" in name), prog=path, description=self.summary, args=words)
        except AssertionError as error:  # for a shell that tyro does not know
            raise ValueError(f"{error}.") from error
        return 0

    def union(self, *, whole: bool) -> Any:
        """The commands as tyro's subcommands; `whole` loads each with its options."""
        loaded = {name: each for name, each in self.commands.items() if not (whole and _is_broken(each))}
        return Union[tuple(_subcommand(name, each, whole) for name, each in loaded.items())]  # noqa: UP007


def _is_broken(command: Function | Experiment | Branch) -> bool:
    """Whether what another package adds does not load: it breaks nothing but itself."""
    try:
        return not isinstance(command, Branch) and command.is_added and command.options() is None
    except Exception:
        return True


def _config(script: Any, name: str) -> type:
    """The options of an experiment, which say where its results go."""
    config: Any = script.Config
    if not (is_dataclass(config) and "out" in {field.name for field in fields(config)}):
        raise ValueError(f"The `Config` of an experiment must be a dataclass with `out: Path`. Got that of {name}.")
    return config  # pyright: ignore[reportReturnType]


def _with_where(config: type, *default: Any) -> type:
    """A class of a `config`, perhaps with a default, and of `where` it is computed, as options side by side."""
    flat = tyro.conf.arg(name="")
    chosen = default[0] if default else config()
    options = [("config", Annotated[config, flat], chosen), ("where", Annotated[Where, flat], Where())]
    return make_dataclass("Chosen", [(name, kind, field(default=value)) for name, kind, value in options])


def _subcommand(name: str, command: Function | Experiment | Branch, whole: bool) -> Any:
    if not whole:
        chosen = tyro.conf.subcommand(name, constructor=lambda: None, description=command.summary)
    elif isinstance(command, Branch):
        inside = command.union(whole=True)
        chosen = tyro.conf.subcommand(name, constructor_factory=lambda: inside, description=command.summary)
    else:
        chosen = tyro.conf.subcommand(name, constructor=command.options(), description=command.summary)
    return Annotated[Any, chosen]
