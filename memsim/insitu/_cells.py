"""A gradient, or a number of steps, written to an array of cells by pulses."""

import warnings

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from device_models._draws import uniform
from device_models.pulsed import (
    AbstractPulsed,
    AbstractScaling,
    OneSidedPair,
    PulsedArray,
    PulsedCells,
    ShortestTrains,
)

from .._checks import Checked, check, is_known
from ._outer import OuterProduct
from ._transform import COUNT, Gradient

Cells = PulsedArray | OneSidedPair
REFRESH = 2**31 - 1  # folded into the key of a step, so that a refresh draws other numbers than its pulses
SAMPLE, FEW = 1000, 0.01  # cells that are looked at for a symmetry point, and the share that may lack one


def fabricated(device: AbstractPulsed, weight: Float[Array, "outputs inputs"], *, key: Key[Array, ""]) -> Cells:
    """An array of `device` that shows `weight`, with two devices for each weight where pulses only raise one."""
    return (OneSidedPair if is_one_sided(device) else PulsedArray).fabricate(device, weight, key=key)


def is_one_sided(device: AbstractPulsed) -> bool:
    """Whether pulses only raise a weight, so that each takes two devices."""
    return is_known(device.w_min) and bool(np.all(np.asarray(device.w_min) >= 0))


def balanced(cells: Cells) -> tuple[Cells, Float[Array, "outputs inputs"]]:
    """The cells at their symmetry point, and what they show there; a pair of one-sided devices has it at zero.

    A cell whose symmetry point is one of its bounds has none to return to, and could move one way only: it stays where
    it is.
    """
    if isinstance(cells, OneSidedPair):
        return cells, jnp.zeros_like(cells.shown)
    point = cells.device.symmetry_point(cells.cells)
    hidden = jnp.where(at_bound(point, cells.cells), cells.hidden, point)
    shown = hidden - cells.cells.reference
    return eqx.tree_at(lambda cells: (cells.hidden, cells.shown), cells, (hidden, shown)), shown


def at_bound(point: Float[Array, "*cells"], cells: PulsedCells) -> Bool[Array, "*cells"]:
    """Where a symmetry point is a bound, of a cell that moves."""
    return ((point <= cells.w_min) | (point >= cells.w_max)) & (cells.w_min < cells.w_max)


@eqx.filter_jit
def _share_at_bound(device: AbstractPulsed) -> Float[Array, ""]:
    """Of many cells, those whose symmetry point is a bound."""
    cells = device.fabricate((SAMPLE,), key=jr.key(0))
    return jnp.mean(at_bound(device.symmetry_point(cells), cells))


def warn_without_symmetry(device: AbstractPulsed) -> None:
    """Warns where a known device has many cells without a symmetry point, which Tiki-Taka is built on."""
    if not is_known(*jax.tree.leaves(eqx.filter(device, eqx.is_inexact_array_like))) or is_one_sided(device):
        return
    with jax.ensure_compile_time_eval():
        share = float(_share_at_bound(device))
    if share > FEW:
        warnings.warn(
            f"Tiki-Taka is built on a weight at which steps up and down are equal. {share:.0%} of the cells of this "
            "device have none between their bounds; they start at zero with their reference there, and their "
            "asymmetry biases what is learned. Use `mixed_precision`, or `agad`, which needs no such point.",
            stacklevel=4,
        )


def bare(cells: Cells) -> Cells:
    """`cells` without their device, whose numbers are constants: arrays only, as optax and `jax.lax.scan` want it."""
    return _with(cells, None)


def with_device(cells: Cells, device: AbstractPulsed) -> Cells:
    """The cells that `bare` was given."""
    return _with(cells, device)


def _with(cells: Cells, device: AbstractPulsed | None) -> Cells:
    def swapped(array: PulsedArray) -> PulsedArray:
        return eqx.tree_at(lambda array: array.device, array, device, is_leaf=lambda leaf: leaf is None)

    if isinstance(cells, OneSidedPair):
        return OneSidedPair(swapped(cells.plus), swapped(cells.minus))
    return swapped(cells)


def resumed(cells: Cells, device: AbstractPulsed, *, key: Key[Array, ""]) -> Cells:
    """The cells that `bare` was given, at the start of a step: leaked since the last one, and refreshed where full."""
    cells = with_device(cells, device).decay()
    return cells.refresh(key=jr.fold_in(key, REFRESH)) if isinstance(cells, OneSidedPair) else cells


class Trains(Checked):
    """How an update by coincidence is sent.

    **Arguments:**

    - `length`: Pulses of a train, at most as many as a cell makes in one read.
    - `scaling`: How trains divide the learning rate between rows and columns. By default they are no longer than the
      largest update of a read needs, `device_models.pulsed.ShortestTrains()`; `BalancedScaling()` sends all of the
      `length`.

    Reference: Gokmen2016.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> trains = ms.insitu.Trains(length=10, scaling=dm.pulsed.BalancedScaling())
    >>> optimizer = ms.insitu.analog_sgd(dm.pulsed.idealized(), 0.1, trains=trains, key=jr.key(0))
    >>> list(optimizer.init({"weight": jnp.ones((2, 3))}).arrays)
    ["['weight']"]
    """

    length: int = 31
    scaling: AbstractScaling = ShortestTrains()

    def __check_init__(self):
        check(self, length=COUNT)


TRAINS = Trains()


def descended(
    array: Cells, gradient: Gradient, rate: Float[Array, ""], trains: Trains, *, key: Key[Array, ""]
) -> Cells:
    """`array` moved by - `rate` * `gradient` on average, by at most the length of a train for each read.

    Of an `OuterProduct` each read in turn is one update by coincidence of pulse trains; of an ordinary array each cell
    gets its own number of pulses, rounded at random to a whole one.
    """
    length, scaling = trains.length, trains.scaling
    if isinstance(gradient, OuterProduct):
        return array.update(gradient.inputs, -gradient.errors, rate, length=length, scaling=scaling, key=key)
    rounding_key, pulse_key = jr.split(key)
    pulses = rounded(-rate * gradient / array.device.granularity, length, key=rounding_key)
    return array.burst(pulses, most=length, key=pulse_key)


def rounded(pulses: Float[Array, "*cells"], length: int, *, key: Key[Array, ""]) -> Int[Array, "*cells"]:
    """Whole numbers next to `pulses` that are equal to them on average, up to `length` either way."""
    return _limited(jnp.floor(pulses + uniform(key, pulses.shape, pulses.dtype)), length)


def whole(pulses: Float[Array, "*cells"], length: int) -> Int[Array, "*cells"]:
    """`pulses` rounded towards zero, up to `length` either way."""
    return _limited(jnp.trunc(pulses), length)


def dense(gradient: Gradient) -> Float[Array, "outputs inputs"]:
    """The gradient as one matrix."""
    return gradient.dense if isinstance(gradient, OuterProduct) else gradient


def _limited(pulses: Float[Array, "*cells"], length: int) -> Int[Array, "*cells"]:
    return jnp.clip(pulses, -length, length).astype(jnp.int32)
