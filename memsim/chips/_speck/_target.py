"""Speck as a target."""

from collections.abc import Iterator

import equinox as eqx
from jaxtyping import Array, Key, Num

from ..._checks import check, plain, whole
from .._network._fit import Problem, Unfit
from .._network._stages import Stage
from .._placing._target import AbstractTarget, Conventions, Layers
from ._memory import KERNELS, cores_for, geometry, problems_of, row
from ._part import Rule
from ._place import placed, problems_of_numbers


def speck(rule: Rule = "multi", *, floor: float | None = None) -> "Speck":
    """SynSense's Speck, in the arithmetic of its twin in time steps, or event by event.

    - `rule`, `floor`: As of `Speck`.

    >>> import memsim as ms
    >>> ms.chips.speck().checked, ms.chips.speck("asynchronous").checked
    ('bit-checked against sinabs 3.1.3', 'published rule')
    """
    return Speck(rule, floor)


class Speck(AbstractTarget):
    """SynSense's Speck: convolutions of neurons without a leak, one layer a core.

    Weights and biases of 8 bits, thresholds and membranes of 16, reset by subtraction. All numbers of a layer share one
    scale, so that a low floor or a high threshold can leave no bits to the weights: `fits` names layers whose weights
    are all lost, `Placed.quantised` says how many are, by layer.

    **Arguments:**

    - `rule`: "multi", where a neuron fires as often as its membrane holds the threshold; "single", once a step;
      "asynchronous", the chip itself, which adds one event at a time and fires once an event at the most. The first
      two are the time-stepped twin by which networks are trained.
    - `floor`: The lowest membrane, in the network's units; by default as low as 16 bits go, at no cost. sinabs takes
      -32768.0 by default, and so loses all weights below one half.
    - `spikes`: The most spikes of an input, and of a neuron by "multi", in one step.

    Reference: Yao2024.

    >>> import memsim as ms
    >>> chip = ms.chips.Speck("single")
    >>> chip.conventions.spikes, ms.chips.Speck("multi").conventions.spikes
    (1, 31)
    """

    rule: Rule = eqx.field(static=True, default="multi")
    floor: float | None = eqx.field(static=True, default=None, converter=plain)
    spikes: int = eqx.field(static=True, default=31, converter=plain)

    def __check_init__(self):
        check(self, spikes=whole(1, most=255))

    @property
    def name(self) -> str:
        return "speck"

    @property
    def checked(self) -> str:
        return "published rule" if self.rule == "asynchronous" else "bit-checked against sinabs 3.1.3"

    @property
    def conventions(self) -> Conventions:
        most = {"multi": self.spikes, "single": 1, "asynchronous": 1 << 15}[self.rule]
        return Conventions(fires=("at",), reset=("subtract",), acts=0, spikes=most, refractory=0)

    @property
    def most_input(self) -> int:
        return self.spikes

    def problems(self, layers: tuple[Stage, ...]) -> Iterator[Problem]:
        shapes = []
        for layer in layers:
            try:
                shapes.append(geometry(row(layer).then))
            except Unfit as error:
                yield error.problem
                continue
            yield from problems_of(shapes[-1], layer.path)
            yield from problems_of_numbers(layer, self.floor)
        if len(layers) > len(KERNELS):
            remedy = "Leave layers out."
            yield Problem("", f"at most {len(KERNELS)} layers, one a core", f"{len(layers)}", remedy)
        elif cores_for(shapes) is None and not any(True for s in shapes for _ in problems_of(s, "")):
            remedy = "Make the largest layers smaller: only two cores have 64 Ki words of kernel, three of neurons."
            yield Problem("", "a core of its own for each layer", "layers that need the same ones", remedy)

    def cores(self, layers: tuple[Stage, ...]) -> int:
        return len(layers)

    def place(
        self,
        layers: tuple[Stage, ...],
        *,
        calibration: Num[Array, "batch steps *inputs"] | None = None,
        key: Key[Array, ""] | None = None,
    ) -> Layers:
        found = [placed(layer, self.rule, self.floor, self.spikes) for layer in layers]
        return Layers(tuple(part for part, _ in found), tuple(report for _, report in found))
