"""A cell that repeats what a measured cell did."""

import dataclasses
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, Key

from .._checks import at_least, check, each, is_known, is_zero, whole
from .._checks._quantities import AGES, LARGEST_PLAUSIBLE_CONDUCTANCE, MICRO_SIEMENS, NOT_NEGATIVE, SIEMENS, Number
from .._device import AbstractDevice, ages, check_effect, in_order, writes
from .._span import Span
from ..curves._curves import is_rising
from ..iv._iv import AbstractIV, Ohmic

SCALES = {"write noise": "write_noise_scale", "drift": "drift_scale"}
READS = at_least(-LARGEST_PLAUSIBLE_CONDUCTANCE, "in siemens", most=LARGEST_PLAUSIBLE_CONDUCTANCE, hint=MICRO_SIEMENS)


class EmpiricalCells(NamedTuple):
    """Written cells: the target in siemens, and which of the measured cells each repeats."""

    target: Float[Array, "*cells"]
    measured: Int[Array, "*cells"]


class Empirical(AbstractDevice):
    r"""Cells that each repeat the trajectory of a measured one: the judge of all laws that are fitted to such data.

    A cell written towards $G_\mathrm{target}$ draws one measured cell $k$ among the `neighbours` that aimed nearest (in
    the order of their targets), and is from then on as far off as that one was,

    $$G(t) = \max\big(0,\ G_\mathrm{target} + \epsilon_k + d_k(t)\big),\quad \epsilon_k = G_k(0) - T_k,\quad d_k(t) =
    G_k(t) - G_k(0),$$

    with its error of the write and all that came later, in the correlations and with the tails they have. Between
    the ages $d_k$ is linear in $\ln(1 + t / t_1)$ with the first age $t_1$ after 0; after the last it is held
    (assumed).

    **Arguments:**

    - `times`: Ages of the reads in seconds, 0 first, increasing.
    - `targets`: $T_k$, what each measured cell aimed at, in siemens.
    - `conductances`: $G_k$ at all ages, in siemens; leave out cells that were not read at each.
    - `g_min`, `g_max`: The range a target may have, in siemens.
    - `neighbours`: Among how many of them to draw.
    - `write_noise_scale`, `drift_scale`: Multiply $\epsilon_k$ and $d_k$. Not negative.
    - `iv`: Current-voltage relation.
    - `sources`: Where the reads are from.

    >>> import jax.numpy as jnp, jax.random as jr, numpy as np, device_models as dm
    >>> measured = jnp.array([[9e-6, 8e-6], [11e-6, 10e-6]])
    >>> device = dm.Empirical((0.0, 3600.0), jnp.array([10e-6, 10e-6]), measured, 0.0, 25e-6, neighbours=2)
    >>> cells = device.program(jnp.full(100, 10e-6), key=jr.key(0))
    >>> print(1e6 * np.unique(np.asarray(device.conductance(cells, jnp.array(3600.0))).round(7)))
    [ 8. 10.]
    """

    times: tuple[float, ...]
    targets: Float[Array, " measured"]
    conductances: Float[Array, "measured times"]
    g_min: float
    g_max: float
    neighbours: int = 100
    write_noise_scale: Number = 1.0
    drift_scale: Number = 1.0
    iv: AbstractIV = Ohmic()
    sources: tuple[str, ...] = eqx.field(static=True, default=())

    def __check_init__(self):
        check(
            self,
            times=each(AGES, AGES.what),
            targets=SIEMENS,
            conductances=READS,
            neighbours=whole(1),
            **dict.fromkeys(SCALES.values(), NOT_NEGATIVE),
        )
        n, ages_read = self.conductances.shape
        if ages_read != len(self.times) or n != len(self.targets) or ages_read < 2:
            raise ValueError(
                "`conductances` must be (cells, times), one row for each of `targets` and a column for each of at "
                f"least two `times`. Got {self.conductances.shape} for {len(self.targets)} targets and "
                f"{len(self.times)} times."
            )
        if is_known(*self.times) and (self.times[0] != 0 or not is_rising(self.times)):
            raise ValueError(f"`times` must begin at 0 and increase, in seconds since the write. Got {self.times}.")
        if self.neighbours > n:
            raise ValueError(f"`neighbours` must be at most the {n} measured cells. Got {self.neighbours}.")

    @property
    def span(self) -> Span:
        return Span(time=(self.times[0], self.times[-1]), conductance=(self.g_min, self.g_max))

    @property
    def effects(self) -> tuple[str, ...]:
        there = (effect for effect, name in SCALES.items() if not is_zero(getattr(self, name)))
        return in_order(*there, *(() if isinstance(self.iv, Ohmic) else ("I-V",)))

    def without(self, effect: str) -> AbstractDevice:
        check_effect(effect)
        if effect == "I-V":
            return dataclasses.replace(self, iv=Ohmic())
        return dataclasses.replace(self, **{SCALES[effect]: 0.0}) if effect in SCALES else self

    @writes
    def program(self, target: Float[Array, "*cells"], *, key: Key[Array, ""]) -> EmpiricalCells:
        targets = jnp.asarray(self.targets, target.dtype)
        order = jnp.argsort(targets)
        aimed = targets[order]
        ends = (jnp.searchsorted(aimed, target, side=side) for side in ("left", "right"))
        first = jnp.clip((sum(ends) - self.neighbours) // 2, 0, len(order) - self.neighbours)
        neighbour = jr.randint(key, target.shape, 0, self.neighbours, first.dtype)
        return EmpiricalCells(target, order[first + neighbour])

    def holding(self, g: Float[Array, "*cells"], *, key: Key[Array, ""]) -> EmpiricalCells:
        """Cells that repeat a measured one that aimed near `g`, from `g` on; they aimed at it less its first error."""
        measured = self.program(jnp.clip(g, self.g_min, self.g_max), key=key).measured
        off = jnp.asarray(self.conductances[:, 0], g.dtype) - jnp.asarray(self.targets, g.dtype)
        return EmpiricalCells(g - self.write_noise_scale * off[measured], measured)

    @ages
    def conductance(self, cells: EmpiricalCells, t: Float[Array, ""]) -> Float[Array, "*cells"]:
        dtype = cells.target.dtype
        reads, targets = jnp.asarray(self.conductances, dtype), jnp.asarray(self.targets, dtype)
        u = jnp.log1p(jnp.asarray(self.times, dtype) / self.times[1])
        now = jnp.log1p(jnp.asarray(t, dtype) / self.times[1])
        place = jnp.clip(jnp.searchsorted(u, now, side="right"), 1, len(self.times) - 1)
        share = jnp.clip((now - u[place - 1]) / (u[place] - u[place - 1]), 0.0, 1.0)
        moved = (1 - share) * reads[:, place - 1] + share * reads[:, place] - reads[:, 0]
        off = self.write_noise_scale * (reads[:, 0] - targets) + self.drift_scale * moved
        return jnp.maximum(cells.target + off[cells.measured], 0.0)

    @ages
    def read_noise(self, cells: EmpiricalCells, t: Float[Array, ""]) -> None:
        return None
