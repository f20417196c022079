"""A device of which only a part of the range is used."""

import dataclasses
from typing import Any

from jaxtyping import Array, Float, Key

from .._checks import check, is_known
from .._checks._quantities import MICRO_SIEMENS, SIEMENS, Number, exceeds
from .._device import AbstractDevice, ages, writes
from .._span import Span
from ._wrapper import AbstractWrapper


class Within(AbstractWrapper):
    """`device` whose targets lie from `low` to `high` siemens, within its own range.

    Its errors stay what they are in siemens, and so grow relative to the range, while its currents, and the energy of a
    read, fall with it. Both ends may be arrays, and take part in gradients.

    **Arguments:**

    - `device`: The cell that is written. Levels go outside: `Levels(Within(...), n)`.
    - `low`, `high`: Ends of the range, in siemens; `None` for those of `device`.

    >>> import device_models as dm
    >>> dm.Within(dm.pcm_joshi2020(), high=10e-6).g_max
    1e-05
    """

    device: AbstractDevice
    low: Number | None = None
    high: Number | None = None

    def __check_init__(self):
        check(self, low=SIEMENS, high=SIEMENS)
        if self.device.levels is not None:
            raise ValueError(
                f"`device` must have a continuous range. Got one with {self.device.levels} levels, which would no "
                "longer be equally spaced. Wrap the other way round: `Levels(Within(device, ...), n)`."
            )
        if exceeds(self.device.g_min, self.g_min) or exceeds(self.g_max, self.device.g_max):
            raise ValueError(
                "`low` and `high` must lie within the range of `device`, in siemens. Got "
                f"low={self.low}, high={self.high} for {self.device.g_min} to {self.device.g_max}. {MICRO_SIEMENS}"
            )

    @property
    def g_min(self) -> Number:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.device.g_min if self.low is None else self.low

    @property
    def g_max(self) -> Number:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.device.g_max if self.high is None else self.high

    @property
    def span(self) -> Span:
        known = is_known(self.g_min, self.g_max)
        ends = (float(self.g_min), float(self.g_max)) if known else self.device.span.conductance
        return dataclasses.replace(self.device.span, conductance=ends)

    @writes
    def program(self, target: Float[Array, "*cells"], *, key: Key[Array, ""]) -> Any:
        return self.device.program(target, key=key)

    def holding(self, g: Float[Array, "*cells"], *, key: Key[Array, ""]) -> Any:
        return self.device.holding(g, key=key)

    @ages
    def conductance(self, cells: Any, t: Float[Array, ""]) -> Float[Array, "*cells"]:
        return self.device.conductance(cells, t)

    @ages
    def read_noise(self, cells: Any, t: Float[Array, ""]) -> Float[Array, "*cells"] | None:
        return self.device.read_noise(cells, t)
