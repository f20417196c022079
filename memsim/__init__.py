"""Analog in-memory computing: spiking networks on memristor crossbars, in one differentiable program.

The public names stand in `__init__.pyi`; each is imported when it is first asked for.
"""

from device_models._lazy import lazily as _lazily
from device_models._version import __version__ as __version__

__getattr__, __dir__, __all__ = _lazily(__name__, __file__)
