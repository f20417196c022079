"""Matrices of low rank in digital beside frozen arrays, learnt with the chip as it is."""

import dataclasses
from collections.abc import Iterable
from typing import Any, Literal

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from .._array import AnalogMatrix
from .._checks import check, did_you_mean, plain, positive, whole
from ..nn import analog_layers
from ..nn._deploy import digital_weight
from ._beside import Beside, bias_of
from ._remedy import AbstractRemedy, Case, Repair
from ._spent import Budget, Known, Spent, affordable, check_parameters, on_chips
from ._tuning import Descent, Targets, learnt

LEAST = 10  # updates


class Adapters(AbstractRemedy):
    r"""Digital matrices of low rank, $y = \mathrm{array}(x) + x A B$, learnt with the frozen chip in the forward pass.

    The chip stays what it is; $A$ starts at random and $B$ at zero, and both descend on the loss of training data.
    Errors of single cells are not undone, but the network is led around them.

    With `start="reads"` each array is read with what its word lines are driven with in digital, and $A B$ starts as the
    matrix of that rank after which its outputs are nearest to the digital ones (reduced-rank regression: of the least
    squares fit $M$ to the errors of outputs, the part along the first right singular vectors of $X M$). It takes no
    labels, and with `updates=0` it is all.

    **Arguments:**

    - `rank`: Columns of $A$; of a layer with fewer inputs or outputs, as many as these. With 0 there are lines only.
    - `lines`: Whether each bit line has a gain, and each bias an offset, too.
    - `updates`, `batch`, `rate`: Of Adam, with a cosine decay. Each sample of each batch is read once. No updates are
      for a `start` from "reads".
    - `backward`: The gradient through the arrays is that of the "moment", as if the chip were known by its reads; or
      that of the digital "model" at the chip's outputs, which is all that a chip that is not known allows.
    - `layers`: Paths of those that have adapters; `None` is all on chips.
    - `biases`: Paths of layers whose bias has an offset, whether they have adapters or not.
    - `start`: "random", or from "reads" of single arrays.
    - `patterns`: How many reads of each array that takes.
    - `targets`: What is learnt: the "labels" of the samples; the class probabilities of the digital model instead, for
      the samples ("outputs") or for means of two of them each ("mixtures", of samples that are floats). These take no
      labels, and tell more of a model that is right about all samples that it was trained on.

    Reference: Hu2021 for matrices of low rank beside frozen ones; Izenman1975 for reduced-rank regression, Hinton2015
    for learning the outputs of another model, Zhang2018 for means of two samples (recalled).

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
    biases: tuple[str, ...] = eqx.field(static=True, default=())
    start: Literal["random", "reads"] = eqx.field(static=True, default="random")
    patterns: int = eqx.field(static=True, converter=plain, default=1024)
    targets: Targets = eqx.field(static=True, default="labels")

    def __check_init__(self):
        check(self, rank=whole(0), updates=whole(0), batch=whole(1), rate=positive(), patterns=whole(1))
        if self.updates == 0 and (self.start == "random" or self.rank == 0):
            raise ValueError(
                '`updates` must be at least 1 unless `start` is "reads", of adapters of some rank. Got 0 with '
                f"start={self.start!r} and rank={self.rank}."
            )
        if self.rank == 0 and not self.lines:
            raise ValueError("`rank` must be at least 1 where `lines` is False. Got 0. Nothing would be learnt.")

    def planned(self, known: Known, budget: Budget) -> tuple[AbstractRemedy, Spent]:
        paths = self._paths(known.layers)
        reads, spent = self._first_reads(known, paths)
        what, least = f"updates of {self.batch} samples", LEAST if self.updates else 0
        left = None if budget.reads is None else max(budget.reads - int(reads), 0)
        updates = affordable(self.updates, left, self.batch * known.reads, least, what, "Adapters") if least else 0
        parameters = self._parameters(known, paths)
        advice = "Choose fewer `layers`, a lower rank, or `Adapters(rank=0, lines=True)`."
        check_parameters(parameters, budget, f"Adapters of rank {self.rank}", advice)
        more = known.of_samples(updates * self.batch, parameters=parameters)
        each = sum(one.reads * self._factor_size(one) for one in (known.layers[path] for path in paths))
        whole = more._replace(reads=more.reads + reads, joules=more.joules + spent, multiplications=each)
        return dataclasses.replace(self, updates=updates), whole

    def _first_reads(self, known: Known, paths: list[str]) -> tuple[float, float]:
        """Reads of single arrays that the start takes, and their joules."""
        if self.start == "random" or self.rank == 0:
            return 0.0, 0.0
        return float(self.patterns * len(paths)), sum(self.patterns * known.layers[path].read_joules for path in paths)

    def _parameters(self, known: Known, paths: list[str]) -> int:
        """How many numbers there are in digital."""
        chosen = [known.layers[path] for path in paths]
        offsets = set(self.biases) | ({path for path in paths if known.layers[path].has_bias} if self.lines else set())
        number = sum(self._factor_size(one) + one.outputs * self.lines for one in chosen)
        return number + sum(known.layers[path].outputs for path in offsets)

    def _factor_size(self, layer: Any) -> int:
        """Numbers of $A$ and $B$ of a layer."""
        return min(self.rank, layer.inputs, layer.outputs) * (layer.inputs + layer.outputs)

    def find(self, case: Case, *, key: Key[Array, ""]) -> Repair:
        there = list(on_chips(case.chip))
        chosen, layers = self._paths(there), analog_layers(case.now)
        added = {}
        for place, path in enumerate([path for path in there if path in chosen or path in self.biases]):
            columns = _matrix(layers[path]).outputs
            lines = self.lines and path in chosen
            factors = self._factors(case, path, jr.fold_in(key, place)) if path in chosen and self.rank else ()
            offset = (
                jnp.zeros(columns) if (lines and bias_of(layers[path]) is not None) or path in self.biases else None
            )
            added[path] = Beside(jnp.ones((1, columns)) if lines else None, factors, offset)
        if self.updates == 0:
            return Repair(case.chip, added)
        descent = Descent(self.updates, self.batch, self.rate)
        return Repair(case.chip, learnt(case, added, descent, self.backward, self.targets, key=key))

    def _factors(self, case: Case, path: str, key: Key[Array, ""]) -> tuple[Array, Array]:
        """$A$ and $B$ before the descent."""
        layer = analog_layers(case.now)[path]
        rows, columns = _matrix(layer).inputs, _matrix(layer).outputs
        rank = min(self.rank, rows, columns)
        if self.start == "random":
            return jr.normal(key, (rows, rank)) / rows**0.5, jnp.zeros((rank, columns))
        if path not in case.probes:
            raise ValueError('`start="reads"` must have patterns of word lines. Got a case without `probes`.')
        choice_key, read_key = jr.split(key)
        patterns, number = case.probes[path], self.patterns
        x = patterns[jr.choice(choice_key, len(patterns), (number,), replace=number > len(patterns))]
        ideal = layer.as_wired(AnalogMatrix.exact(digital_weight(path, analog_layers(case.model)[path]))).weight
        return nearest(x, x @ ideal - _matrix(layer)(x, key=read_key), rank)

    def _paths(self, there: Iterable[str]) -> list[str]:
        """The layers that have adapters, of those that are `there`."""
        known = list(there)
        for name in ("layers", "biases"):
            for path in getattr(self, name) or ():
                if path not in known:
                    raise ValueError(did_you_mean(f"A path in `{name}`", path, known))
        return [path for path in known if self.layers is None or path in self.layers]


def _matrix(layer: Any) -> AnalogMatrix:
    assert isinstance(layer.weight, AnalogMatrix)
    return layer.weight


def nearest(
    x: Float[Array, "patterns rows"], missing: Float[Array, "patterns columns"], rank: int
) -> tuple[Float[Array, "rows rank"], Float[Array, "rank columns"]]:
    """The matrix of that rank, in two factors of like size, whose outputs for `x` are nearest to `missing`.

    With a ridge of 1e-3 of the mean square input, without which few patterns tell nothing of lines that are idle.
    """
    gram = x.T @ x
    ridge = 1e-3 * jnp.trace(gram) / x.shape[1] + jnp.finfo(x.dtype).tiny
    whole = jnp.linalg.solve(gram + ridge * jnp.eye(x.shape[1], dtype=x.dtype), x.T @ missing)
    moved = x @ whole
    directions = jnp.linalg.eigh(moved.T @ moved)[1][:, ::-1][:, :rank]
    first = whole @ directions
    size = jnp.linalg.norm(first, axis=0, keepdims=True) ** 0.5
    size = jnp.where(size > 0, size, 1.0)
    return first / size, (directions * size).T
