"""Stochastic gradient descent by pulses, and with a digital accumulator in front of them."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Key

from device_models.pulsed import AbstractPulsed

from .._checks import checked
from ._cells import TRAINS, Cells, Trains, bare, dense, descended, fabricated, resumed, whole
from ._transform import COUNT, DEVICE, RATE, SCALE, AbstractRule, Gradient, Now, Rate, check_devices, transformation


@checked(device=DEVICE, learning_rate=RATE, scale=SCALE)
def analog_sgd(
    device: AbstractPulsed,
    learning_rate: Rate,
    *,
    trains: Trains = TRAINS,
    scale: float | None = None,
    digital: optax.GradientTransformation | None = None,
    key: Key[Array, ""],
) -> optax.GradientTransformation:
    r"""Every gradient goes straight to the cells: $W \leftarrow W - \eta\,\delta x^T$ by coincidence of pulse trains.

    A device whose steps up and down differ settles where the mean gradient balances the difference, towards its
    symmetry point, and not at the minimum of the loss. Gokmen2016 has the update, and what the devices must be for it.

    The transformations of `memsim.insitu` are used as any of optax, and train an unchanged model as if its matrices
    were arrays of `device`: `init(params)` fabricates one for each and writes the initial weights; after `update` and
    `optax.apply_updates` the parameters are what the arrays show. Weights are clipped at the bounds of each cell. A
    device that leaks does so once in each step. Of a device whose least weight is zero, which pulses only raise, each
    weight has two, a `device_models.pulsed.OneSidedPair`, refreshed at the start of a step where it is full.

    Gradients may be those of `value_and_outer`, of which every read of a batch is applied in turn, or ordinary ones,
    whose pulse counts are rounded at random. Matrices are the weights of analog layers of `memsim.nn`, or in parameters
    without such layers all two-dimensional arrays; `optax.partition` gives layers different devices.

    **Arguments:**

    - `device`: The cells, of `device_models`.
    - `learning_rate`: In units of the weights, a number or a schedule of optax.
    - `trains`: How long pulse trains are, and how they divide the learning rate.
    - `scale`: Weight of one unit of the device, the same for all matrices. With `None` each matrix has its own, which
        puts its largest initial weight at half a unit.
    - `digital`: For parameters that are no matrix, as biases: `optax.sgd(learning_rate)` by default.
    - `key`: For fabrication and all pulses.

    Reference: Gokmen2016.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> optimizer = ms.insitu.analog_sgd(dm.pulsed.idealized(), 0.01, scale=4.0, key=jr.key(0))
    >>> params = {"weight": jnp.ones((20, 20))}
    >>> updates, state = optimizer.update({"weight": jnp.ones((20, 20))}, optimizer.init(params), params)
    >>> print(f"{updates['weight'].mean():.3f}")  # for `optax.apply_updates(params, updates)`
    -0.011
    """
    check_devices(device)
    return transformation(_SGD(device, trains), learning_rate, scale, digital, key)


class _SGD(AbstractRule):
    device: AbstractPulsed
    trains: Trains = eqx.field(static=True)

    def start(self, weight: Float[Array, "outputs inputs"], *, key: Key[Array, ""]) -> Cells:
        return bare(fabricated(self.device, weight, key=key))

    def step(self, state: Cells, gradient: Gradient, now: Now, *, key: Key[Array, ""]) -> Cells:
        array = resumed(state, self.device, key=key)
        return bare(descended(array, gradient, now.rate, self.trains, key=key))

    def weight(self, state: Cells) -> Float[Array, "outputs inputs"]:
        return state.shown


@checked(device=DEVICE, learning_rate=RATE, length=COUNT, scale=SCALE)
def mixed_precision(
    device: AbstractPulsed,
    learning_rate: Rate,
    *,
    length: int = 31,
    scale: float | None = None,
    digital: optax.GradientTransformation | None = None,
    key: Key[Array, ""],
) -> optax.GradientTransformation:
    r"""Gradients accumulate digitally and are written when they are worth a pulse.

    $\chi \leftarrow \chi - \eta\,\nabla L$, then $n = \mathrm{trunc}(\chi / \overline{\Delta w})$ pulses for each
    cell, and $\chi \leftarrow \chi - n\,\overline{\Delta w}$: what was meant to be written leaves the accumulator,
    whatever the cell did. $\overline{\Delta w}$ is what a pulse is worth, the `granularity` of the device. Few pulses,
    exact sums, one digital number for each weight.

    **Arguments:** as for `analog_sgd`; `length` is the most pulses of a cell in one step, the rest waits for the next.

    Reference: Nandakumar2020.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> optimizer = ms.insitu.mixed_precision(dm.pulsed.idealized(), 0.1, key=jr.key(0))
    >>> params = {"weight": jnp.ones((20, 20))}
    >>> small = {"weight": jnp.full((20, 20), 1e-4)}  # a step of the cells is worth more: it waits in digital
    >>> updates, state = optimizer.update(small, optimizer.init(params), params)
    >>> float(updates["weight"].max())
    0.0
    """
    check_devices(device)
    return transformation(_MixedPrecision(device, length), learning_rate, scale, digital, key)


class Accumulated(NamedTuple):
    """An array of cells, and what is still to be written to it, in units of its device."""

    array: Cells
    accumulated: Float[Array, "outputs inputs"]


class _MixedPrecision(AbstractRule):
    device: AbstractPulsed
    length: int = eqx.field(static=True)

    def start(self, weight: Float[Array, "outputs inputs"], *, key: Key[Array, ""]) -> Accumulated:
        return Accumulated(bare(fabricated(self.device, weight, key=key)), jnp.zeros_like(weight))

    def step(
        self,
        state: Accumulated,
        gradient: Gradient,
        now: Now,
        *,
        key: Key[Array, ""],
    ) -> Accumulated:
        accumulated, worth = state.accumulated - now.rate * dense(gradient), self.device.granularity
        pulses = whole(accumulated / worth, self.length)
        array = resumed(state.array, self.device, key=key).burst(pulses, most=self.length, key=key)
        return Accumulated(bare(array), accumulated - pulses.astype(accumulated.dtype) * worth)

    def weight(self, state: Accumulated) -> Float[Array, "outputs inputs"]:
        return state.array.shown
