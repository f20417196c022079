"""What wrappers share: they change one thing about a device and keep its range, I-V and sources."""

import dataclasses

import equinox as eqx

from .._device import AbstractDevice
from .._span import Span
from ..ageing._paths import Memory
from ..iv._iv import AbstractIV
from ..noise._spectrum import OneOverF


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
    def levels(self) -> int | None:
        return self.device.levels

    @property
    def iv(self) -> AbstractIV:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.device.iv

    @property
    def read_spectrum(self) -> OneOverF | None:
        return self.device.read_spectrum

    @property
    def sources(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.device.sources

    @property
    def span(self) -> Span:
        return self.device.span

    @property
    def assumes(self) -> tuple[str, ...]:
        return self.device.assumes

    def remembering(self, how: Memory) -> AbstractDevice:
        return dataclasses.replace(self, device=self.device.remembering(how))
