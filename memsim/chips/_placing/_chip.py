"""What all chips share, whatever networks they take."""

from abc import abstractmethod
from typing import Any

import equinox as eqx

from .._network._fit import Fit


class AbstractChip(eqx.Module):
    """A chip that networks can be placed on: an `AbstractTarget` for spikes, an `AbstractRateTarget` for values.

    >>> import memsim as ms
    >>> all(isinstance(make(), ms.chips.AbstractChip) for make in ms.chips.TARGETS.values())
    True
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """As it is listed."""

    @property
    @abstractmethod
    def checked(self) -> str:
        """Against what the arithmetic was checked: a package and its version, a published rule, or nothing."""

    @abstractmethod
    def fits(self, network: Any, *, input_shape: Any = None) -> Fit:
        """Whether `network` fits: every limit that it breaks, with what would repair it."""

    @abstractmethod
    def deploy(self, network: Any, *, calibration: Any = None, key: Any = None, input_shape: Any = None) -> Any:
        """`network` in the chip's numbers; raises `ValueError` with all broken limits."""
