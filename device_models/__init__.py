"""Models of one memory cell: how a write goes, how the cell ages, what a read finds.

The public names stand in `__init__.pyi`; each is imported when it is first asked for.
"""

from ._lazy import lazily as _lazily
from ._version import __version__ as __version__

__getattr__, __dir__, __all__ = _lazily(__name__, __file__)
