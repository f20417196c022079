"""What both SpiNNakers are: processors, each with some neurons of one layer."""

import math
from abc import abstractmethod
from collections.abc import Iterator

import jax.numpy as jnp
from jaxtyping import Array, Int, Key, Num

from .._network._fit import Problem
from .._network._stages import Stage
from .._placing._part import AbstractPart
from .._placing._target import AbstractTarget, Layers
from .._sums._quantised import Quantised


class AbstractSpiNNaker(AbstractTarget):
    """A machine whose processors hold so many neurons of one layer each. One spike of an input in a step."""

    @property
    @abstractmethod
    def neurons_a_core(self) -> int:
        """The most neurons of a processor."""

    @property
    @abstractmethod
    def most_cores(self) -> int:
        """Processors of the machine."""

    @abstractmethod
    def problems_of(self, layer: Stage) -> Iterator[Problem]:
        """The limits that one layer breaks."""

    @abstractmethod
    def placed_layer(self, layer: Stage) -> tuple[AbstractPart, Quantised]:
        """One layer in the numbers of the machine."""

    @property
    def most_input(self) -> int:
        return 1

    def core_of(self, layer: Stage) -> Int[Array, " units"]:
        """The processor of each neuron, from 0 on."""
        return jnp.arange(layer.size, dtype=jnp.int32) // self.neurons_a_core

    def problems(self, layers: tuple[Stage, ...]) -> Iterator[Problem]:
        for layer in layers:
            yield from self.problems_of(layer)
        cores = self.cores(layers)
        if cores > self.most_cores:
            yield Problem("", f"at most {self.most_cores} cores", f"{cores}", "Make layers smaller.")

    def cores(self, layers: tuple[Stage, ...]) -> int:
        return sum(math.ceil(layer.size / self.neurons_a_core) for layer in layers)

    def place(
        self,
        layers: tuple[Stage, ...],
        *,
        calibration: Num[Array, "batch steps *inputs"] | None = None,
        key: Key[Array, ""] | None = None,
    ) -> Layers:
        placed = [self.placed_layer(layer) for layer in layers]
        return Layers(tuple(part for part, _ in placed), tuple(report for _, report in placed))
