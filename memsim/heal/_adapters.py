"""Matrices of low rank in digital beside frozen arrays, learnt with the chip as it is."""

import dataclasses
from collections.abc import Iterable
from typing import Any, Literal

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Key

from .._checks import check, did_you_mean, plain, positive, whole
from ..nn import analog_layers
from ._beside import Beside, bias_of
from ._remedy import AbstractRemedy, Case, Repair
from ._spent import Budget, Known, Spent, affordable, check_parameters, on_chips
from ._tuning import Descent, learnt

LEAST = 10  # updates


class Adapters(AbstractRemedy):
    r"""Digital matrices of low rank, $y = \mathrm{array}(x) + x A B$, learnt with the frozen chip in the forward pass.

    The chip stays what it is; $A$ starts at random and $B$ at zero, and both descend on the loss of training data.
    Errors of single cells are not undone, but the network is led around them.

    **Arguments:**

    - `rank`: Columns of $A$. With 0 there are lines only.
    - `lines`: Whether each bit line has a gain, and each bias an offset, too.
    - `updates`, `batch`, `rate`: Of Adam, with a cosine decay. Each sample of each batch is read once.
    - `backward`: The gradient through the arrays is that of the "moment", as if the chip were known by its reads; or
      that of the digital "model" at the chip's outputs, which is all that a chip that is not known allows.
    - `layers`: Paths of those that have adapters; `None` is all on chips.

    Reference: Hu2021 for matrices of low rank beside frozen ones.

    >>> import memsim as ms
    >>> ms.heal.Adapters(rank=2).rank
    2
    """

    rank: int = eqx.field(static=True, converter=plain, default=1)
    lines: bool = eqx.field(static=True, default=False)
    updates: int = eqx.field(static=True, converter=plain, default=300)
    batch: int = eqx.field(static=True, converter=plain, default=64)
    rate: float = eqx.field(static=True, converter=plain, default=5e-3)
    backward: Literal["moment", "model"] = eqx.field(static=True, default="moment")
    layers: tuple[str, ...] | None = eqx.field(static=True, default=None)

    def __check_init__(self):
        check(self, rank=whole(0), updates=whole(1), batch=whole(1), rate=positive())
        if self.rank == 0 and not self.lines:
            raise ValueError("`rank` must be at least 1 where `lines` is False. Got 0. Nothing would be learnt.")

    def planned(self, known: Known, budget: Budget) -> tuple[AbstractRemedy, Spent]:
        chosen = [known.layers[path] for path in self._paths(known.layers)]
        what = f"updates of {self.batch} samples"
        updates = affordable(self.updates, budget.reads, self.batch * known.reads, LEAST, what, "Adapters")
        parameters = sum(self.rank * (one.inputs + one.outputs) for one in chosen)
        parameters += sum(one.outputs * (1 + one.has_bias) for one in chosen) * self.lines
        advice = "Choose fewer `layers`, a lower rank, or `Adapters(rank=0, lines=True)`."
        check_parameters(parameters, budget, f"Adapters of rank {self.rank}", advice)
        spent = known.of_samples(updates * self.batch, parameters=parameters)
        return dataclasses.replace(self, updates=updates), spent

    def find(self, case: Case, *, key: Key[Array, ""]) -> Repair:
        layers, added = analog_layers(case.now), {}
        for place, path in enumerate(self._paths(on_chips(case.chip))):
            matrix: Any = layers[path].weight
            rows, columns, factors = matrix.inputs, matrix.outputs, ()
            if self.rank:
                first = jr.normal(jr.fold_in(key, place), (rows, self.rank)) / rows**0.5
                factors = (first, jnp.zeros((self.rank, columns)))
            gain = jnp.ones((1, columns)) if self.lines else None
            offset = jnp.zeros(columns) if self.lines and bias_of(layers[path]) is not None else None
            added[path] = Beside(gain, factors, offset)
        descent = Descent(self.updates, self.batch, self.rate)
        return Repair(case.chip, learnt(case, added, descent, self.backward, key=key))

    def _paths(self, there: Iterable[str]) -> list[str]:
        """The layers that have adapters, of those that are `there`."""
        known = list(there)
        for path in self.layers or ():
            if path not in known:
                raise ValueError(did_you_mean("A path in `layers`", path, known))
        return [path for path in known if self.layers is None or path in self.layers]
