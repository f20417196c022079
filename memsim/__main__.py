"""`python -m memsim` is the command `memsim`."""

import sys

from ._cli import main

if __name__ == "__main__":
    sys.exit(main())
