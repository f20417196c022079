"""Which epoch's weights a training keeps, and when it has gone on for long enough."""

from typing import Any, NamedTuple

import equinox as eqx
import numpy as np

from .._checks import Checked, check, whole


class Stop(Checked):
    """Keeps the weights of the best validation, and stops when there is none better for a while.

    With hardware, each epoch is validated on chips of its own, so that a lucky one can look best: validate on many
    samples, and report on others.

    **Arguments:**

    - `patience`: Epochs without a better validation after which training stops; `None` never.
    - `best`: Whether the weights of the best epoch are returned, or those of the last.

    >>> import equinox as eqx, jax.random as jr, memsim as ms
    >>> xs, epochs = jr.normal(jr.key(0), (64, 4)), []
    >>> data, model = (xs, xs.sum(1)), ms.nn.convert(eqx.nn.Linear(4, 1, key=jr.key(1)))
    >>> settings = {"validation": data, "epochs": 3, "batch_size": 16, "report": epochs.append}
    >>> model = ms.train.fit(model, data, stop=ms.train.Stop(patience=1), key=jr.key(2), **settings)
    >>> [epoch.number for epoch in epochs]  # the validation was better in each
    [1, 2, 3]
    """

    patience: int | None = eqx.field(static=True, default=None)
    best: bool = eqx.field(static=True, default=True)

    def __check_init__(self):
        check(self, patience=whole(1))


class Best(NamedTuple):
    """The best model until now, the number of its epoch, and its validation."""

    model: Any
    epoch: Any
    validation: Any

    def updated(self, model: Any, epoch: int, validation: float, better: str) -> "Best":
        """With `model` of `epoch`, if it is better, or the first."""
        ahead = validation > self.validation if better == "larger" else validation < self.validation
        if int(self.epoch) and not ahead:
            return self
        return Best(model, np.asarray(epoch), np.asarray(validation))
