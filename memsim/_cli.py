"""The command line: `memsim list`, `memsim run NAME`, `memsim draw NAME`, `memsim data get NAME`."""

import ast
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

from ._checks import did_you_mean

USAGE = """memsim list                     the experiments and figures
memsim run NAME [options]       run an experiment; --help shows its options
memsim draw NAME [options]      draw the figure of a finished experiment
memsim data list                the data sets that can be downloaded
memsim data get NAME [options]  download a data set; --help shows the options"""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns the exit status: 2 for a mistake in the call, 130 for an interruption."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        return _dispatch(words)
    except (ValueError, OSError) as error:
        if os.environ.get("MEMSIM_TRACEBACK"):
            raise
        print(f"memsim: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("memsim: interrupted; the same command goes on where this one stopped.", file=sys.stderr)
        return 130


def scripts(kind: str) -> dict[str, Path]:
    """The scripts in `experiments` or `figures`: beside the package in a checkout, inside it after an install."""
    package = Path(__file__).parent
    bundled = package / "_bundled" / kind
    folder = bundled if bundled.is_dir() else package.parent / kind
    return {path.stem: path for path in sorted(folder.glob("[!_]*.py"))}  # the others are what scripts share


def load_script(kind: str, name: str) -> ModuleType:
    """The module of one script, loaded by path. Raises `ValueError` with the near names for an unknown one."""
    found = scripts(kind)
    if name not in found:
        raise ValueError(did_you_mean(f"A name in {kind}", name, found))
    spec = importlib.util.spec_from_file_location(f"memsim_{kind}_{name}", found[name])
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    beside = str(found[name].parent)  # where what scripts share is
    sys.path.insert(0, beside)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(beside)
    return module


def _dispatch(words: list[str]) -> int:
    match words:
        case ["list"]:
            _list()
        case ["run", name, *rest]:
            _run(name, rest)
        case ["draw", name, *rest]:
            _draw(name, rest)
        case ["data", "list"]:
            _list_data()
        case ["data", "get", *rest]:
            _get_data(rest)
        case [] | ["-h" | "--help"]:
            print(USAGE)
        case ["run" | "draw" as command]:
            raise ValueError(f"`memsim {command}` needs a NAME. `memsim list` shows them.")
        case ["data"]:
            raise ValueError("`memsim data` needs `list` or `get NAME`.")
        case ["data", command, *_]:
            raise ValueError(did_you_mean("A command after `memsim data`", command, ["list", "get"]))
        case [command, *_]:
            raise ValueError(did_you_mean("A command", command, ["list", "run", "draw", "data"]))
    return 0


def _list() -> None:
    for kind in ("experiments", "figures"):
        print(kind)
        for name, path in scripts(kind).items():
            summary = ast.get_docstring(ast.parse(path.read_text())) or ""
            print(f"  {name:12} {summary.splitlines()[0] if summary else ''}")


def _run(name: str, rest: list[str]) -> None:
    module = load_script("experiments", name)
    import tyro

    last = [word for word in rest if word in ("--quick", "--no-quick")][-1:]
    # The defaults of a quick run are smaller; what is given besides holds.
    default = module.Config(quick=True) if last == ["--quick"] and hasattr(module, "QUICK") else None
    config = tyro.cli(module.Config, prog=f"memsim run {name}", description=module.__doc__, args=rest, default=default)
    _keep_compiled_functions()
    module.run(config)


def _draw(name: str, rest: list[str]) -> None:
    module = load_script("figures", name)
    import tyro

    tyro.cli(module.draw, prog=f"memsim draw {name}", args=rest)


def _list_data() -> None:
    from .data import data_folder, is_complete, sources

    print(f"in {data_folder()}")
    for name, source in sources().items():
        print(f"  {name:12} {'here' if is_complete(source) else '-':5} {source.licence:13} {source.summary}")


def _get_data(rest: list[str]) -> None:
    import tyro

    from .data import get, sources

    def fetch(name: tyro.conf.Positional[str], folder: Path | None = None) -> None:
        """Download a data set, check and unpack it. What is there already is left alone.

        Args:
            name: Such as shd; `memsim data list` shows them.
            folder: Where data sets are kept; by default MEMSIM_DATA, else the user's cache folder.
        """
        place = get(name, folder=folder)
        print(f"{name} is in {place}. Licence: {sources()[name].licence}. Please cite: {sources()[name].citation}")

    tyro.cli(fetch, prog="memsim data get", args=rest)


def _keep_compiled_functions() -> None:
    """A second run finds what the first one compiled. `MEMSIM_CACHE` names another folder."""
    import jax

    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    jax.config.update("jax_compilation_cache_dir", os.environ.get("MEMSIM_CACHE", str(home / "memsim" / "jax")))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
