"""What every device that pulses change promises: the size of a step, up and down, at each weight."""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, Key

from .._checks import Checked, checked, is_known, whole
from .._default import default
from ._parts import Bounds, Steps, Upkeep

HALVINGS = 40  # of the range, in the search for the symmetry point: below the resolution of a float


class PulsedCells(Checked):
    """Fabricated devices: everything that differs from device to device and never changes.

    `up` and `down` are unshaped steps, `w_min` and `w_max` bounds, `reference` what a read subtracts, `reset` the mean
    weight after a reset, `lifetime` in mini-batches (`None` without leak), `shape` what only the rule knows.

    >>> import jax.random as jr, device_models as dm
    >>> device = dm.pulsed.ConstantStep(dm.pulsed.Steps(0.01))
    >>> cells = device.fabricate((2, 3), key=jr.key(0))
    >>> cells.up.shape, cells.lifetime
    ((2, 3), None)
    """

    up: Float[Array, "*cells"]
    down: Float[Array, "*cells"]
    w_min: Float[Array, "*cells"]
    w_max: Float[Array, "*cells"]
    reference: Float[Array, "*cells"]
    reset: Float[Array, "*cells"]
    lifetime: Float[Array, "*cells"] | None
    shape: Any = None

    def size(self, up: Bool[Array, "*cells"]) -> Float[Array, "*cells"]:
        """Unshaped steps, up where `up`."""
        return jnp.where(up, self.up, self.down)


class AbstractPulsed(Checked):
    """One kind of memory cell that pulses change, in units of the weight it stands for.

    A pulse up adds `step_up`, a pulse down subtracts `step_down`, each with the noise `steps.noise`; then the weight is
    clipped to the bounds of the device. A pair of devices or a fixed reference makes weights signed, and is part of
    what the fitted numbers describe.

    A rule of your own has the fields `steps` and `bounds` and writes `step` and `steepness`; the rest has a default.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> class Halving(dm.pulsed.AbstractPulsed):
    ...     steps: dm.pulsed.Steps = dm.pulsed.Steps(0.5)
    ...     bounds: dm.pulsed.Bounds = dm.pulsed.Bounds()
    ...     def step(self, cells, w, up):
    ...         return cells.size(up) * jnp.where(up, cells.w_max - w, w - cells.w_min)
    ...     def steepness(self):
    ...         return 0.5
    >>> array = dm.pulsed.PulsedArray.fabricate(Halving(), (2,), key=jr.key(0))
    >>> print(array.pulse(jnp.array([1, 2]), key=jr.key(1)).shown)
    [0.5  0.75]
    """

    steps: eqx.AbstractVar[Steps]
    bounds: eqx.AbstractVar[Bounds]

    @default
    def upkeep(self) -> Upkeep:
        """What happens to a device beside pulses."""
        return Upkeep()

    @default
    def sources(self) -> tuple[str, ...]:
        """Where each number of a published set was read."""
        return ()

    @abstractmethod
    def step(self, cells: PulsedCells, w: Float[Array, "*cells"], up: Bool[Array, "*cells"]) -> Float[Array, "*cells"]:
        """Size of the step that one pulse makes from `w`, without noise: up where `up`, down elsewhere."""

    @abstractmethod
    def steepness(self) -> float | Float[Array, ""]:
        """Largest nonlinear change of a nominal step from pulse to pulse, relative to the way the weight moves.

        The float 0.0 where the step is constant or linear in the weight, however steep.
        """

    def symmetry_point(self, cells: PulsedCells) -> Float[Array, "*cells"]:
        """The weight, between the bounds, that pulses up and down in turn lead to; where both steps are equal.

        It is found by halving: the step up must exceed the step down below that weight, and not above it.
        """

        def halve(_, ends):
            low, high = ends
            middle = (low + high) / 2
            rising = self.step_up(cells, middle) > self.step_down(cells, middle)
            return jnp.where(rising, middle, low), jnp.where(rising, high, middle)

        low, high = jax.lax.fori_loop(0, HALVINGS, halve, (cells.w_min, cells.w_max))
        return (low + high) / 2

    def finish(self, cells: PulsedCells, *, key: Key[Array, ""] | None) -> PulsedCells:
        """Adds what only this rule draws for each device; of the mean device, without a key, nothing is drawn."""
        return cells

    def step_up(self, cells: PulsedCells, w: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        """What one pulse up adds to `w`, without noise."""
        return self.step(cells, w, jnp.ones(w.shape, bool))

    def step_down(self, cells: PulsedCells, w: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        """What one pulse down subtracts from `w`, without noise."""
        return self.step(cells, w, jnp.zeros(w.shape, bool))

    @checked(shape=whole(0))
    def fabricate(self, shape: tuple[int, ...], *, key: Key[Array, ""]) -> PulsedCells:
        """Draws an array of devices of this `shape`."""
        steps_key, bounds_key, rule_key, reset_key, leak_key, corrupt_key = jr.split(key, 6)
        up, down = self.steps.fabricate(shape, key=steps_key)
        low, high = self.bounds.fabricate(shape, key=bounds_key)
        leak, corrupt = self.upkeep.leak, self.upkeep.corrupt
        lifetime = None if leak is None else leak.fabricate(shape, key=leak_key)
        reset = self.upkeep.reset.fabricate(shape, key=reset_key)
        cells = PulsedCells(up, down, low, high, jnp.zeros(shape), reset, lifetime)
        cells = self.finish(cells, key=rule_key)
        if corrupt is None:
            return cells
        bounds = corrupt.collapse(cells.w_min, cells.w_max, key=corrupt_key)
        return eqx.tree_at(lambda made: (made.w_min, made.w_max), cells, bounds)

    @property
    def dw_min(self) -> float | Float[Array, ""]:
        """Nominal step, a parameter of the rule, in units of the weight; what a pulse is worth is `granularity`."""
        return self.steps.dw_min

    @property
    def granularity(self) -> Float[Array, ""]:
        r"""What one pulse is worth: the mean step around where the device works, in units of the weight.

        That is $(\overline{\Delta w}_\mathrm{up} + \overline{\Delta w}_\mathrm{down}) / 2$ where a read finds zero, of
        the device that is the mean of all. A device whose least weight is zero is one of a `OneSidedPair`, which works
        between two refreshes: of it, the step up in the middle of the range.

        Raises `ValueError` for a device that does not move there.
        """
        cells = self._mean_cells()
        one_sided = jnp.asarray(self.w_min) >= 0
        at = jnp.where(one_sided, (cells.w_min + cells.w_max) / 2, jnp.clip(cells.reference, cells.w_min, cells.w_max))
        up, down = self.step_up(cells, at), self.step_down(cells, at)
        found = jnp.where(one_sided, up, (up + down) / 2)
        if is_known(found) and not found > 0:
            raise ValueError(f"A device must move where it works. Got steps up and down of {up} and {down} at {at}.")
        return found

    def _mean_cells(self) -> PulsedCells:
        """One device that is the mean of all."""
        up, down = (jnp.asarray(size, float) for size in self.steps.mean)
        low, high = (jnp.asarray(bound, float) for bound in (self.w_min, self.w_max))
        zero = jnp.zeros(())
        return self.finish(PulsedCells(up, down, low, high, reference=zero, reset=zero, lifetime=None), key=None)

    @property
    def w_min(self) -> float | Float[Array, ""]:
        """Nominal least weight."""
        return self.bounds.w_min

    @property
    def w_max(self) -> float | Float[Array, ""]:
        """Nominal greatest weight."""
        return self.bounds.w_max
