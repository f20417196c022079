"""A gain for each bit line, from reads of single arrays."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from .._array import AnalogMatrix
from .._checks import check, plain, whole
from ..nn import AbstractAnalog, analog_layers
from ..nn._deploy import digital_weight
from ._beside import Beside
from ._remedy import AbstractRemedy, Case, Repair
from ._spent import Budget, Known, Spent, affordable, check_parameters, on_chips

LEAST = 4


class LineGains(AbstractRemedy):
    r"""One factor for each bit line of each row tile, by least squares from reads of the arrays.

    Each array is read alone with what its word lines are driven with in digital. With the codes $y$ that a bit line
    gives and the products $\hat y$ that its weights should give, $\gamma = \sum y \hat y / \sum y^2$: of all gains the
    one after which the outputs are nearest, which read noise makes smaller than one. It mends what the cells of a line
    have in common, a mean drift above all.

    **Arguments:**

    - `reads`: Of each array.

    >>> import memsim as ms
    >>> ms.heal.LineGains(64).reads
    64
    """

    reads: int = eqx.field(static=True, converter=plain, default=256)

    def __check_init__(self):
        check(self, reads=whole(1))

    def planned(self, known: Known, budget: Budget) -> tuple[AbstractRemedy, Spent]:
        reads = affordable(
            self.reads, budget.reads, float(len(known.layers)), LEAST, "reads of each array", "LineGains"
        )
        parameters = sum(layer.row_tiles * layer.outputs for layer in known.layers.values())
        check_parameters(parameters, budget, "LineGains", "It has one number for each bit line of each row tile.")
        joules = sum(reads * layer.read_joules for layer in known.layers.values())
        return LineGains(reads), Spent(float(reads * len(known.layers)), 0.0, parameters, joules)  # pyright: ignore

    def find(self, case: Case, *, key: Key[Array, ""]) -> Repair:
        layers, digital = analog_layers(case.now), analog_layers(case.model)
        added = {}
        for place, path in enumerate(on_chips(case.chip)):
            choice_key, read_key = jr.split(jr.fold_in(key, place))
            patterns = case.probes[path]
            some = jr.choice(choice_key, len(patterns), (self.reads,), replace=self.reads > len(patterns))
            added[path] = Beside(
                gain=_gains(layers[path], digital_weight(path, digital[path]), patterns[some], read_key)
            )
        return Repair(case.chip, added)


def _gains(layer: AbstractAnalog, w: Array, x: Array, key: Array) -> Float[Array, "row_tiles outputs"]:
    """Those of a `layer` at a moment whose weights should be `w`, from reads of the patterns `x`."""
    assert isinstance(layer.weight, AnalogMatrix)
    matrix, ideal = layer.as_wired(layer.weight), layer.as_wired(AnalogMatrix.exact(w)).weight
    if matrix.sums.of_codes is not None:  # is added in digital, and has no error
        ideal = ideal - matrix.sums.of_codes * matrix.word_lines.codes_per_input
    found = []
    parts = matrix.partial_sums(x, key=key)
    for tile, y in zip(matrix.sums.tiles(matrix.inputs), parts, strict=True):
        wanted = x[:, tile] @ ideal[tile]
        power = jnp.sum(y**2, axis=0)
        found.append(jnp.where(power > 0, jnp.sum(y * wanted, axis=0) / jnp.where(power > 0, power, 1.0), 1.0))
    return jnp.stack(found)
