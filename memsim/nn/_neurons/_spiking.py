"""What neurons that spike share: what they give out."""

from abc import abstractmethod
from typing import Any

import equinox as eqx
from jaxtyping import Array, Float

from ._firing import Firing
from ._neuron import AbstractNeuron


class AbstractSpiking(AbstractNeuron):
    """A neuron whose output is its spikes, of the membrane after the step or of the one before it."""

    firing: eqx.AbstractVar[Firing]

    @abstractmethod
    def spikes(self, coefficients: Any, state: Any) -> Float[Array, "*shape"]:
        """How often the membranes of a state fire."""

    @property
    def spiking(self) -> bool:
        return True

    def output(self, coefficients: Any, before: Any, after: Any) -> Float[Array, "*shape"]:
        return self.spikes(coefficients, before if self.firing.emit == "old" else after)
