"""What every device promises."""

from collections.abc import Sequence

from .._checks import checked
from .._device import AbstractDevice
from ._effects import EFFECT_PROMISES
from ._history import HISTORY_PROMISES
from ._probed import Probed
from ._report import Report, ask_all
from ._values import VALUE_PROMISES

DEVICE_PROMISES = {**HISTORY_PROMISES, **VALUE_PROMISES, **EFFECT_PROMISES}
"""By name, each asked of a `Probed` device."""


@checked()
def check_device(device: AbstractDevice, *, promises: Sequence[str] | None = None) -> Report:
    """Asks of a device what every device of the package keeps, and reports what it breaks, and what to do.

    It takes some seconds, most of which is compiling.

    **Arguments:**

    - `device`: Any device, wrapped or not, of your own or not.
    - `promises`: Names of those that are asked; all by default.

    **Raises:** `ValueError` for what is no device, and for an unknown promise. A device that breaks one raises nothing.

    >>> import device_models as dm
    >>> import memsim as ms
    >>> print(ms.extend.check_device(dm.pcm_joshi2020(), promises=["sources"]))
    kept    sources: Where each number is from is said.
    PCM keeps 1 of 1 promises
    """
    return ask_all(type(device).__name__, Probed(device), DEVICE_PROMISES, promises)
