"""A device some of whose cells cannot be written."""

import dataclasses
from typing import Any

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, Key

from .._checks import Checked, check, fraction, is_known
from .._device import AbstractDevice, ages, check_effect, in_order, writes
from .._draws import uniform
from ._wrapper import AbstractWrapper

ROUNDING = 1e-6  # of a sum in float32


class StuckState(Checked):
    """Working cells, and which of them are stuck on or off."""

    cells: Any
    on: Bool[Array, "*cells"]
    off: Bool[Array, "*cells"]


class StuckCells(AbstractWrapper):
    """`device` with a fraction of its cells shorted at `g_max` and another open at `g_min`.

    A stuck cell neither drifts nor fluctuates: it is a defect, not a memory state (assumed).

    **Arguments:**

    - `device`: The cells that work.
    - `p_on`, `p_off`: Probability that a cell is stuck at `g_max`, at `g_min`.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.StuckCells(dm.Ideal(), p_on=0.01, p_off=0.02)
    >>> cells = device.program(jnp.full(10000, 10e-6), key=jr.key(0))
    >>> g = device.conductance(cells, jnp.array(0.0))
    >>> print(f"{(g == device.g_max).mean():.2f}, {(g == device.g_min).mean():.2f}")
    0.01, 0.02
    """

    device: AbstractDevice
    p_on: float = 0.0
    p_off: float = 0.0

    def __check_init__(self):
        check(self, p_on=fraction(), p_off=fraction())
        if is_known(self.p_on, self.p_off) and float(self.p_on) + float(self.p_off) > 1 + ROUNDING:
            raise ValueError(
                "`p_on` and `p_off` must be probabilities whose sum is at most 1. "
                f"Got p_on={self.p_on}, p_off={self.p_off}. Percent? Divide by 100."
            )

    @property
    def effects(self) -> tuple[str, ...]:
        sound = self.p_on == self.p_off == 0
        return in_order(*([] if sound else ["stuck cells"]), *self.device.effects)

    def without(self, effect: str) -> AbstractDevice:
        check_effect(effect)
        # Not the bare device: it would split its key otherwise, and its cells would be others.
        sound = {"p_on": 0.0, "p_off": 0.0} if effect == "stuck cells" else {}
        return dataclasses.replace(self, device=self.device.without(effect), **sound)

    @writes
    def program(self, target: Float[Array, "*cells"], *, key: Key[Array, ""]) -> StuckState:
        write_key, stuck_key = jr.split(key)
        u = uniform(stuck_key, target.shape)
        cells = self.device.program(target, key=write_key)
        return StuckState(cells, on=u < self.p_on, off=u >= 1 - self.p_off)

    def holding(self, g: Float[Array, "*cells"], *, key: Key[Array, ""]) -> StuckState:
        if "stuck cells" in self.effects:
            raise ValueError(
                "Cells that were measured must be known to work or to be stuck. Got `StuckCells`, and a conductance "
                "does not say which. Use its `device`: then all cells work, and begin at what was measured."
            )
        none = jnp.zeros(g.shape, bool)
        return StuckState(self.device.holding(g, key=key), none, none)

    @ages
    def conductance(self, cells: StuckState, t: Float[Array, ""]) -> Float[Array, "*cells"]:
        g = self.device.conductance(cells.cells, t)
        return jnp.where(cells.on, self.g_max, jnp.where(cells.off, self.g_min, g))

    @ages
    def read_noise(self, cells: StuckState, t: Float[Array, ""]) -> Float[Array, "*cells"] | None:
        std = self.device.read_noise(cells.cells, t)
        return None if std is None else jnp.where(cells.on | cells.off, 0.0, std)
