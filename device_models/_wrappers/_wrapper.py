"""What wrappers share: they change one thing about a device and keep its range, I-V and sources."""

import equinox as eqx

from .._device import AbstractDevice
from .._iv import AbstractIV


class AbstractWrapper(AbstractDevice):
    """A device that behaves as `device` but for one thing."""

    device: eqx.AbstractVar[AbstractDevice]

    @property
    def g_min(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.device.g_min

    @property
    def g_max(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.device.g_max

    @property
    def iv(self) -> AbstractIV:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.device.iv

    @property
    def sources(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.device.sources
