"""The last layer, tuned with the chip in the forward pass."""

import dataclasses
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Key

from .._checks import check, plain, positive, whole
from ..nn import analog_layers
from ._beside import Beside
from ._remedy import AbstractRemedy, Case, Repair
from ._spent import Budget, Known, Spent, affordable, check_parameters, on_chips
from ._tuning import Descent, learnt

LEAST = 10  # updates


class LastLayer(AbstractRemedy):
    """A whole digital matrix beside the last array, learnt on what the chip gives out.

    The layers before are the chip's, errors and all. The gradient meets no array on its way back, only what comes after
    the last one: nothing needs to be known of the chip but its outputs.

    **Arguments:**

    - `updates`, `batch`, `rate`: Of Adam, with a cosine decay. Each sample of each batch is read once.

    >>> import memsim as ms
    >>> ms.heal.LastLayer(updates=20).updates
    20
    """

    updates: int = eqx.field(static=True, converter=plain, default=150)
    batch: int = eqx.field(static=True, converter=plain, default=64)
    rate: float = eqx.field(static=True, converter=plain, default=5e-3)

    def __check_init__(self):
        check(self, updates=whole(1), batch=whole(1), rate=positive())

    def planned(self, known: Known, budget: Budget) -> tuple[AbstractRemedy, Spent]:
        what = f"updates of {self.batch} samples"
        updates = affordable(self.updates, budget.reads, self.batch * known.reads, LEAST, what, "LastLayer")
        last = list(known.layers.values())[-1]
        parameters = last.inputs * last.outputs
        check_parameters(parameters, budget, "LastLayer", "`Adapters` take fewer.")
        spent = known.of_samples(updates * self.batch, parameters=parameters)
        spent = spent._replace(multiplications=last.reads * parameters)
        return dataclasses.replace(self, updates=updates), spent

    def find(self, case: Case, *, key: Key[Array, ""]) -> Repair:
        path = list(on_chips(case.chip))[-1]
        matrix: Any = analog_layers(case.now)[path].weight
        added = {path: Beside(factors=(jnp.zeros((matrix.inputs, matrix.outputs)),))}
        descent = Descent(self.updates, self.batch, self.rate)
        return Repair(case.chip, learnt(case, added, descent, "moment", key=key))
