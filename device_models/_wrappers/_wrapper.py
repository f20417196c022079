"""What devices made of others share: they change one thing, and are else what they are made of."""

import dataclasses

from .._device import AbstractDevice, check_effect, in_order, made_of
from .._span import Span
from ..ageing._paths import Memory
from ..iv._iv import AbstractIV
from ..noise._spectrum import OneOverF


class AbstractWrapper(AbstractDevice):
    """A device made of the devices among its fields; range, levels, I-V and measured conductances are the first one's.

    Sources, effects, spans and assumptions are those of all. What a wrapper changes it says itself.
    """

    @property
    def g_min(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        return _first(self).g_min

    @property
    def g_max(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        return _first(self).g_max

    @property
    def levels(self) -> int | None:
        return _first(self).levels

    @property
    def iv(self) -> AbstractIV:
        return _first(self).iv

    @property
    def read_spectrum(self) -> OneOverF | None:
        first, *others = (device.read_spectrum for device in made_of(self).values())
        return first if all(other == first for other in others) else None

    @property
    def sources(self) -> tuple[str, ...]:
        first, *others = (device.sources for device in made_of(self).values())
        return (*first, *(line for other in others for line in other if line not in first))

    @property
    def span(self) -> Span:
        first, *others = (device.span for device in made_of(self).values())
        both = first
        for other in others:
            both = both & other
        return dataclasses.replace(both, conductance=first.conductance)

    @property
    def assumes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(line for device in made_of(self).values() for line in device.assumes))

    def remembering(self, how: Memory) -> AbstractDevice:
        return dataclasses.replace(self, **{name: one.remembering(how) for name, one in made_of(self).items()})

    @property
    def effects(self) -> tuple[str, ...]:
        return in_order(*(effect for device in made_of(self).values() for effect in device.effects))

    def without(self, effect: str) -> AbstractDevice:
        check_effect(effect)
        return dataclasses.replace(self, **{name: one.without(effect) for name, one in made_of(self).items()})


def _first(wrapper: AbstractWrapper) -> AbstractDevice:
    return next(iter(made_of(wrapper).values()))
