"""A cell that is normally distributed about a mean, and relaxes."""

import dataclasses
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from .._checks import Checked, check, is_zero
from .._checks._quantities import NOT_NEGATIVE, SIEMENS, exceeds
from .._device import AbstractDevice, ages, check_effect, in_order, writes
from .._draws import scattered
from .._roots import root_of_difference, root_of_squares
from .._sizes import check_not_negative, check_siemens
from .._span import Span
from ..ageing._histories import AbstractHistory
from ..ageing._paths import AbstractPath, Keep, Memory, Walk, path_of
from ..curves._curves import AbstractCurve
from ..iv._iv import AbstractIV, Ohmic

WALK_ONSET = 2e-3  # seconds, of oxide cells as measured (`rram_relaxing`); for other cells assumed
SCALES = {"write noise": "write_noise_scale", "drift": "drift_scale", "read noise": "read_noise_scale"}


class GaussianCells(Checked):
    """Written cells: target and write error in siemens, and where each lies in its population from then on.

    `written` or `path` is `None` where the device draws no such thing.
    """

    target: Float[Array, "*cells"]
    written: Float[Array, "*cells"] | None
    path: Any


class Gaussian(AbstractDevice):
    r"""A cell with a normal write error, whose population moves and widens with age.

    With $g = G_\mathrm{target} / g_\mathrm{max}$, a standard normal $\xi$ and a path $Z(t)$ drawn once per write, and
    the mean $m(t) = G_\mathrm{target} + \Delta(g, t)$,

    $$G(t) = \mathrm{clip}\Big(m(t) + \sqrt{\sigma_w(g)^2 + \sigma(g, 0)^2}\;\xi
    + \sqrt{\sigma(m(t) / g_\mathrm{max}, t)^2 - \sigma(g, 0)^2}\;Z(t)\Big),$$

    clipped to `lowest` and `highest`. The spread $\sigma(g, t)$ is that of the whole population, as it is published:
    what there is of it at $t = 0$ is an error of the write, which a verifying read sees, and what is added later is
    not. A history that is tabulated over targets (`Growth`) is read at $g$ instead of $m(t) / g_\mathrm{max}$.

    The device without write noise loses $\xi$; without drift it stays as at $t = 0$.

    **Arguments:**

    - `g_min`, `g_max`: The range a target may have, in siemens; $g$ is relative to `g_max`.
    - `write_noise`: $\sigma_w(g)$ in siemens, or `None`.
    - `shift`: $\Delta(g, t)$ in siemens, or `None`.
    - `spread`: $\sigma(g, t)$ in siemens, or `None`.
    - `noise`: Standard deviation of one read in siemens, of the conductance at that age; `None` for exact reads.
    - `lowest`, `highest`: Where conductances end, in siemens; `None` for no upper end.
    - `write_noise_scale`, `drift_scale`, `read_noise_scale`: Multiply the errors of writing, what time adds, and read
      noise. Not negative.
    - `iv`: Current-voltage relation.
    - `path`: How one cell moves within its population: `Keep()`, `Redraw()` or a `Walk`.
    - `span`: Where its numbers were measured.
    - `sources`: Where each number was read.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.Gaussian(0.0, 25e-6, write_noise=dm.curves.Constant(1e-6))
    >>> cells = device.program(jnp.full(2000, 10e-6), key=jr.key(0))
    >>> g = 1e6 * device.conductance(cells, jnp.array(0.0))
    >>> print(f"{g.mean():.1f} +- {g.std():.1f} uS")
    10.0 +- 1.0 uS
    """

    g_min: float
    g_max: float
    write_noise: AbstractCurve | None = None
    shift: AbstractHistory | None = None
    spread: AbstractHistory | None = None
    noise: AbstractHistory | None = None
    lowest: float = 0.0
    highest: float | None = None
    write_noise_scale: float | Float[Array, ""] = 1.0
    drift_scale: float | Float[Array, ""] = 1.0
    read_noise_scale: float | Float[Array, ""] = 1.0
    iv: AbstractIV = Ohmic()
    path: AbstractPath = Keep()
    span: Span = eqx.field(static=True, default=Span())
    sources: tuple[str, ...] = eqx.field(static=True, default=())

    def __check_init__(self):
        conductances = ("g_min", "g_max", "lowest", "highest")
        check(self, **dict.fromkeys(conductances, SIEMENS), **dict.fromkeys(SCALES.values(), NOT_NEGATIVE))
        for name in ("write_noise", "shift", "spread", "noise"):
            check_siemens(name, getattr(self, name), self.g_max)
        for name in ("write_noise", "spread", "noise"):
            check_not_negative(name, getattr(self, name))
        highest = self.g_max if self.highest is None else self.highest
        if exceeds(self.lowest, self.g_min) or exceeds(self.g_max, highest):
            raise ValueError(
                "Conductances must end outside the range of targets, 0 <= lowest <= g_min and highest >= g_max, in "
                f"siemens. Got lowest={self.lowest}, highest={self.highest} for g_min={self.g_min}, g_max={self.g_max}."
            )

    @property
    def effects(self) -> tuple[str, ...]:
        moving = self.shift is not None or self.spread is not None
        there = {
            "write noise": self.write_noise is not None or self.spread is not None,
            "drift": moving,
            "read noise": self.noise is not None,
            "I-V": not isinstance(self.iv, Ohmic),
        }
        off = {effect for effect, name in SCALES.items() if is_zero(getattr(self, name))}
        return in_order(*(effect for effect, shown in there.items() if shown and effect not in off))

    def without(self, effect: str) -> AbstractDevice:
        check_effect(effect)
        if effect == "I-V":
            return dataclasses.replace(self, iv=Ohmic())
        return dataclasses.replace(self, **{SCALES[effect]: 0.0}) if effect in SCALES else self

    @property
    def assumes(self) -> tuple[str, ...]:
        return (f"drift: {self.path.assumes}",) if self.spread is not None and "drift" in self.effects else ()

    def remembering(self, how: Memory) -> AbstractDevice:
        return dataclasses.replace(self, path=path_of(how, Walk(WALK_ONSET)))

    @writes
    def program(self, target: Float[Array, "*cells"], *, key: Key[Array, ""]) -> GaussianCells:
        write_key, path_key = jr.split(key)
        std, written, path = self._write_std(target), None, None
        if std is not None:
            written = scattered(self.write_noise_scale * std, write_key)
        if self.spread is not None:
            path = self.path.draw(target.shape, target.dtype, key=path_key)
        return GaussianCells(target, written, path)

    def holding(self, g: Float[Array, "*cells"], *, key: Key[Array, ""]) -> GaussianCells:
        """Cells that aimed at `g`, or the nearest end of the range; what they are off at time 0 is the write's."""
        cells = self.program(jnp.clip(g, self.g_min, self.g_max), key=key)
        exact = GaussianCells(cells.target, jnp.zeros_like(g), cells.path)
        return dataclasses.replace(exact, written=g - self.conductance(exact, jnp.zeros((), g.dtype)))

    @ages
    def conductance(self, cells: GaussianCells, t: Float[Array, ""]) -> Float[Array, "*cells"]:
        mean = cells.target
        if self.shift is not None:
            mean = mean + self.drift_scale * self.shift(cells.target / self.g_max, t)
        g = mean if cells.written is None else mean + cells.written
        if self.spread is not None and cells.path is not None:
            start = self.spread(cells.target / self.g_max, jnp.zeros_like(t))
            where = cells.target if self.spread.of_target else jnp.maximum(mean, self.lowest)
            now = self.spread(where / self.g_max, t)
            added = self.drift_scale * root_of_difference(now, start)
            g = g + added * self.path.value(cells.path, t, cells.target / self.g_max).astype(g.dtype)
        return jnp.clip(g, self.lowest, self.highest)

    @ages
    def read_noise(self, cells: GaussianCells, t: Float[Array, ""]) -> Float[Array, "*cells"] | None:
        if self.noise is None:
            return None
        return self.read_noise_scale * self.noise(self.conductance(cells, t) / self.g_max, t)

    def _write_std(self, target: Float[Array, "*cells"]) -> Float[Array, "*cells"] | None:
        """Of what is wrong as soon as the cell is written."""
        g, zero = target / self.g_max, jnp.zeros((), target.dtype)
        start = None if self.spread is None else self.spread(g, zero)
        if self.write_noise is None or start is None:
            return start if self.write_noise is None else self.write_noise(g)
        return root_of_squares(jnp.stack([self.write_noise(g), start]))
