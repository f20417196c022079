"""What all use cases share: a network is trained as floats or for a machine, put there, and is a row of a table.

A `Use` has splits, a `Task` and a `Learning`; `use.row` gives metrics over chips, joules by component, seconds and
square metres of a machine. `table_of` and `report` show all rows.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Array, Key

import memsim as ms
from _frame import print_table
from _placed import CALIBRATION, CHIPS, COMPONENTS, DIGITAL, Task, as_row, design_of, on_machine
from _spikes import NETWORKS, that_fits
from _trained import fitted

TRAININGS = ("as floats", "for the machine")


class Learning(NamedTuple):
    """How a network is trained, as floats and then through a machine.

    **Arguments:**

    - `epochs`, `more_epochs`: As floats, and for the machine from there on, at a quarter of the learning rate.
    - `batch_size`, `learning_rate`: Of Adam, with a cosine decay.
    """

    epochs: int
    more_epochs: int
    batch_size: int = 64
    learning_rate: float = 4e-3

    @classmethod
    def of(cls, config: Any) -> "Learning":
        """By the options of an experiment that have these names."""
        return cls(config.epochs, config.more_epochs, config.batch_size, config.learning_rate)

    def floats(self, model: Any, data: ms.data.Splits, *, once: str, key: Key[Array, ""]) -> Any:
        """Trained once for all points of a sweep with that name."""
        return self._fitted(model, data, self.epochs, 1.0, key=key, once=once)

    def through(self, model: Any, data: ms.data.Splits, hardware: Any, *, key: Key[Array, ""]) -> Any:
        """More epochs with what each step samples; with `None` as floats, the control."""
        return self._fitted(model, data, self.more_epochs, 0.25, key=key, hardware=hardware)

    def _fitted(self, model: Any, data: ms.data.Splits, epochs: int, share: float, **more: Any) -> Any:
        size = min(self.batch_size, len(data.train))
        rate = share * self.learning_rate
        return fitted(model, data, epochs=epochs, batch_size=size, learning_rate=rate, **more)


class Learnt(NamedTuple):
    """A trained network, of which kind it is, and why a machine refuses it, if it does."""

    model: Any
    kind: str
    refused: str


class Use(NamedTuple):
    """A use case: what a network learns from, what it is asked, and how it is trained.

    **Arguments:**

    - `make`: `make(key=key)` gives the untrained network; `None` for one of `hidden` neurons that fits each machine.
    - `priced`: Recordings of the test set, evenly spread over it, whose energy is measured.
    - `name`: Tells its training apart from those of other use cases in one sweep.
    """

    data: ms.data.Splits
    task: Task
    learning: Learning
    make: Callable[..., Any] | None = None
    hidden: int = 63
    priced: int = 32
    name: str = ""

    def row(self, seed: int, training: str, machine: str, *, key: Key[Array, ""]) -> xr.Dataset:
        """The network, trained in one of `TRAININGS`, on one of `MACHINES`. A `seed` trains once as floats.

        The metrics are NaN, and `refused` says why, where the network does not fit on a chip.
        """
        learnt = self.trained(seed, training, machine, key=key)
        if learnt.refused:
            return _refused(self.task).assign(network=learnt.kind, refused=learnt.refused)
        return self.placed(learnt, machine, self.data.test, key=key).assign(network=learnt.kind, refused="")

    def trained(self, seed: int, training: str, machine: str, *, key: Key[Array, ""]) -> Learnt:
        """The network itself; untrained where it is refused."""
        model_key, fit_key, more_key = jr.split(key, 3)
        target = ms.chips.target(CHIPS[machine]) if machine in CHIPS else None
        kind, model = self._network(target, key=model_key)
        refused = "" if target is None else _problems(target, model, self.data)
        if refused:
            return Learnt(model, kind, refused)
        model = self.learning.floats(model, self.data, once=f"seed {seed} {self.name} {kind}", key=fit_key)
        if training != TRAININGS[0]:
            sampled = hardware(machine, model, self.data, self.task)
            model = self.learning.through(model, self.data, sampled, key=more_key)
        return Learnt(model, kind, "")

    def placed(self, learnt: Learnt, machine: str, test: ms.data.Dataset, *, key: Key[Array, ""]) -> xr.Dataset:
        """The trained network on a machine, judged on a test set; the same `key` draws the same chips."""
        data = ms.data.Splits(self.data.train, self.data.validation, test)
        chosen = np.linspace(0, len(test) - 1, min(self.priced, len(test))).astype(int)
        xs = jnp.asarray(test.inputs[chosen])
        return on_machine(machine, learnt.model, data, xs, self.task, key=jr.fold_in(key, 3))

    def _network(self, target: Any, *, key: Key[Array, ""]) -> tuple[str, Any]:
        """The untrained network, and what it is called."""
        if self.make is not None:
            return "its own", self.make(key=key)
        shape = self.data.train.inputs.shape[-1], self.hidden, len(self.data.train.class_names)
        kind = that_fits(target, *shape)
        return kind, NETWORKS[kind](*shape, key=key)


def hardware(machine: str, model: Any, data: ms.data.Splits, task: Task) -> Any:
    """What training for a machine samples, arrays at the age at which they are judged; nothing for a digital one."""
    if machine in DIGITAL:
        return None
    if machine in CHIPS:
        return ms.train.OnChip(ms.chips.target(CHIPS[machine]), input_shape=_inputs(data))
    designs = ms.calibrate(model, data.train.inputs[:CALIBRATION], design_of(machine))
    return ms.train.SampledChip(designs, time=task.time)


def _problems(target: Any, model: Any, data: ms.data.Splits) -> str:
    return " ".join(map(str, target.fits(model, input_shape=_inputs(data)).problems))


def _refused(task: Task) -> xr.Dataset:
    joules = xr.DataArray(np.full(len(COMPONENTS), np.nan), {"component": list(COMPONENTS)})
    none = {name: ("chip", [np.nan] * (task.chips or 1)) for name in task.names}
    return as_row(joules, none)


def _inputs(data: ms.data.Splits) -> tuple[int, ...]:
    return tuple(data.train.inputs.shape[2:])


def table_of(result: xr.Dataset, metric: str = "accuracy") -> pd.DataFrame:
    """A row for each machine and training: the metric with its interval over seeds and chips, and the other numbers."""
    others = ["latency", "answer", "square_metres", "events"]
    mean = (
        result[others]
        .mean("seed")
        .assign(
            joules=result.joules.sum("component", skipna=False).mean("seed"),
            static=result.joules.sel(component="static").mean("seed"),
        )
    )
    table = ms.study.summary(result[metric])
    return table.merge(mean.to_dataframe().reset_index(), on=[name for name in mean.dims])


def report(table: pd.DataFrame) -> None:
    """Prints the table."""
    columns = ["machine", "trained", "worth", "95 %", "of events (uJ)", "static (uJ)", "latency (us)", "answer (us)"]
    rows = [
        [
            str(one["machine"]),
            str(one["training"]),
            f"{one['mean']:.3f}",
            f"[{one['low']:.3f}, {one['high']:.3f}]" if one["high"] > one["low"] else "",  # one value for all
            f"{1e6 * (one['joules'] - one['static']):.4g}",
            f"{1e6 * one['static']:.4g}",
            f"{1e6 * one['latency']:.4g}",
            f"{1e6 * one['answer']:.4g}",
        ]
        for _, one in table.iterrows()
    ]
    print_table(columns, rows)
