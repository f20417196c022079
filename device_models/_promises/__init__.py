"""What every cell promises, each as a question that can be asked of any device, and the report of the answers."""

from ._device import DEVICE_PROMISES as DEVICE_PROMISES
from ._device import check_device as check_device
from ._probed import TIMES as TIMES
from ._probed import Probed as Probed
from ._report import Finding as Finding
from ._report import Promise as Promise
from ._report import Report as Report
from ._report import Unasked as Unasked
from ._report import ask as ask
from ._report import ask_all as ask_all

__all__ = [
    "DEVICE_PROMISES",
    "TIMES",
    "Finding",
    "Probed",
    "Promise",
    "Report",
    "Unasked",
    "ask",
    "ask_all",
    "check_device",
]
