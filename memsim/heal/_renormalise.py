"""Norms whose statistics are those of the chip."""

import dataclasses
from typing import Any

import equinox as eqx
import jax.random as jr
from jaxtyping import Array, Key

from .._checks import check, plain, whole
from ..nn import Stateful, adapt_batch_norm
from ._remedy import AbstractRemedy, Case, Repair
from ._spent import Budget, Known, Spent, affordable, check_parameters

LEAST = 16  # samples; the spread of a channel is then known to a fifth


class Renormalise(AbstractRemedy):
    """The running statistics of batch norms, measured anew on the chip: mean and variance of each channel.

    Labels are not needed. Nothing is added in digital: the numbers of the norms are replaced.

    **Arguments:**

    - `samples`: All at once through the chip.

    Reference: Joshi2020, as `memsim.nn.adapt_batch_norm`.

    >>> import memsim as ms
    >>> ms.heal.Renormalise(200).samples
    200
    """

    samples: int = eqx.field(static=True, converter=plain, default=256)

    def __check_init__(self):
        check(self, samples=whole(2))

    def planned(self, known: Known, budget: Budget) -> tuple[AbstractRemedy, Spent]:
        if known.norms == 0:
            raise ValueError(
                "Renormalise must have batch norms whose statistics it measures. Got a model without. Leave it out."
            )
        wanted = min(self.samples, known.samples)
        samples = affordable(wanted, budget.reads, known.reads, LEAST, "samples", "Renormalise")
        check_parameters(known.norms, budget, "Renormalise", "It has two for each channel of each norm.")
        return dataclasses.replace(self, samples=samples), known.of_samples(samples, parameters=known.norms)

    def find(self, case: Case, *, key: Key[Array, ""]) -> Repair:
        choice_key, read_key = jr.split(key)
        some = jr.choice(choice_key, len(case.samples), (self.samples,), replace=False)
        adapted: Any = adapt_batch_norm(case.now, case.samples.xs[some], key=read_key)
        assert isinstance(adapted, Stateful)
        return Repair(case.chip, {}, adapted.state)
