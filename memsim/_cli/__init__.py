"""The command line: `memsim list`, `run NAME`, `draw NAME`, `data list`, `data get NAME` and `doctor`."""

import os
import sys

from ._scripts import load_script as load_script
from ._scripts import scripts as scripts
from ._tree import tree


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns the exit status: 2 for a mistake in the call, 130 for an interruption."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        return tree().run(words or ["--help"], "memsim")
    except (ValueError, OSError) as error:
        if os.environ.get("MEMSIM_TRACEBACK"):
            raise
        print(f"memsim: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("memsim: interrupted; the same command goes on where this one stopped.", file=sys.stderr)
        return 130


__all__ = [
    "load_script",
    "main",
    "scripts",
]
