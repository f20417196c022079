"""What neurons that spike share: what they give out."""

from abc import abstractmethod
from typing import Any, NamedTuple

import equinox as eqx
from jaxtyping import Array, Float, Key

from ._firing import Firing, Membrane
from ._leak import Leak
from ._neuron import AbstractNeuron


class AbstractSpiking(AbstractNeuron):
    """A neuron whose output is its spikes, of the membrane after the step or of the one before it.

    >>> import memsim as ms
    >>> neuron = ms.nn.LIF(2, firing=ms.nn.Firing(reset="zero"))
    >>> isinstance(neuron, ms.nn.AbstractSpiking), neuron.firing.reset
    (True, 'zero')
    """

    firing: eqx.AbstractVar[Firing]

    @abstractmethod
    def spikes(self, coefficients: Any, state: Any) -> Float[Array, "*shape"]:
        """How often the membranes of a state fire."""

    @property
    def spiking(self) -> bool:
        return True

    def output(self, coefficients: Any, before: Any, after: Any) -> Float[Array, "*shape"]:
        return self.spikes(coefficients, before if self.firing.emit == "old" else after)


class OneLeak(NamedTuple):
    """What neurons of one leak need of their parameters."""

    membrane: Leak
    threshold: Float[Array, "*units"]
    v_reset: Float[Array, "*units"]


class AbstractOneLeak(AbstractSpiking):
    """A spiking neuron whose membrane is one leak of its input between resets."""

    dt: eqx.AbstractVar[float]

    @abstractmethod
    def coefficients(self) -> OneLeak:
        """The leak, the threshold, and what a reset sets the membrane to."""

    def update(
        self,
        coefficients: OneLeak,
        current: Float[Array, "*shape"],
        state: Membrane,
        *,
        key: Key[Array, ""] | None = None,
    ) -> Membrane:
        membrane, threshold, v_reset = coefficients
        fired = self.firing.spikes(state, threshold)
        return self.firing.advance(state, fired, threshold, v_reset, self.dt, lambda v: membrane(v, current))

    def spikes(self, coefficients: OneLeak, state: Membrane) -> Float[Array, "*shape"]:
        return self.firing.spikes(state, coefficients.threshold)

    def filters(self, coefficients: OneLeak) -> tuple[Leak, ...] | None:
        return (coefficients.membrane,) if self.firing.reset == "none" else None
