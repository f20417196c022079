"""Phase-change memory: noisy writes, power-law drift, 1/f read noise."""

import dataclasses
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from .._checks import Checked, check, is_zero, positive
from .._checks._quantities import NOT_NEGATIVE, SIEMENS, exceeds
from .._device import AbstractDevice, ages, check_effect, writes
from .._draws import scattered
from .._sizes import check_not_negative, check_siemens
from .._span import Span
from ..ageing._paths import AbstractPath, Keep, Memory, Walk, path_of
from ..curves._curves import AbstractCurve
from ..iv._iv import AbstractIV, Ohmic
from ..noise._spectrum import OneOverF

SCALES = {"write noise": "write_noise_scale", "drift": "nu_scale", "read noise": "read_noise_scale"}


class MovingExponent(Checked):
    """The exponents of a population, and the path of each cell within it."""

    mean: Float[Array, "*cells"]
    std: Float[Array, "*cells"]
    path: Any


class PCMCells(Checked):
    """Written cells: conductance after the write (S), drift exponent, relative 1/f noise amplitude."""

    g_written: Float[Array, "*cells"]
    nu: Float[Array, "*cells"] | MovingExponent
    q_s: Float[Array, "*cells"]


class PCM(AbstractDevice):
    r"""Phase-change memory.

    With $g = G_\mathrm{target} / g_\mathrm{max}$ and $\xi, \xi'$ independent standard normals, drawn once per write:

    - write: $G_0 = \max(0,\ G_\mathrm{target} + \sigma(g)\,\xi)$,
    - drift: $G(t) = G_0\,((t + t_0) / t_0)^{-\nu}$ with $\nu = |\mu_\nu(g) + \sigma_\nu(g)\,\xi'|$,
    - read: $\sigma_\mathrm{read}(t) = G(t)\,Q_s(g)\,\sqrt{\ln((t + t_0 + t_\mathrm{read}) / (2 t_\mathrm{read}))}$.

    Four choices that the papers leave open:

    - The exponent is *folded* at zero. A negative one would be a cell that gains conductance for ten years, which
      nobody measured; a clipped one would put cells at exactly zero drift. The field's reference code folds, too.
    - $Q_s$ follows the *target*, as in the paper: it describes the phase configuration aimed at, while the written
      conductance carries the write's own error.
    - A conductance is clipped at zero, so a cell with target zero has a positive mean, $\sigma(0)/\sqrt{2\pi}$. Nothing
      is clipped at `g_max`: a write may overshoot.
    - All cells of an array have one age, as if they were written at once. Pairs of 1024 x 1024, written one after the
      other in 21 s (10 us a cell) or in 35 min (1 ms), have an error of outputs of 9.3 and 10.7 % instead of 9.3 %
      when the last is 20 s old; one hour later it is larger by at most 0.15 points, one day later by 0.01 (the numbers
      of Joshi2020, normal weights, one scale for all; computed by us).

    **Arguments:**

    - `g_min`, `g_max`: The range a target may have, in siemens; `g_max` is the one the curves were fitted for.
    - `write_noise`: $\sigma(g)$ in siemens.
    - `nu_mean`, `nu_std`: $\mu_\nu(g)$ and $\sigma_\nu(g)$, pure numbers.
    - `relative_read_noise`: $Q_s(g)$, a pure number.
    - `t_0`: Time from the write to the reference read, in seconds.
    - `t_read`: Duration of one read, in seconds, at most `t_0`.
    - `write_noise_scale`, `nu_scale`, `read_noise_scale`: Multiply $\sigma$, $\nu$ and $Q_s$: a poorer or a better
      process. Not negative.
    - `iv`: Current-voltage relation; the papers read ohmic cells.
    - `path`: How the exponent of one cell moves within its population, for which $Z(t)$ stands in the place of $\xi'$:
      `Keep()` as in the papers, `Redraw()` or a `Walk`.
    - `span`: Where its numbers were measured.
    - `sources`: Where each number was read.

    Reference: Nandakumar2019, Joshi2020, LeGallo2023.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.pcm_joshi2020(write_noise_scale=0.0)
    >>> cells = device.program(jnp.full(1000, 12e-6), key=jr.key(0))
    >>> day = device.conductance(cells, jnp.array(86400.0))
    >>> print(f"{1e6 * day.mean():.0f} of 12 uS after a day")
    8 of 12 uS after a day
    """

    g_min: float
    g_max: float
    write_noise: AbstractCurve
    nu_mean: AbstractCurve
    nu_std: AbstractCurve
    relative_read_noise: AbstractCurve
    t_0: float
    t_read: float
    write_noise_scale: float | Float[Array, ""] = 1.0
    nu_scale: float | Float[Array, ""] = 1.0
    read_noise_scale: float | Float[Array, ""] = 1.0
    iv: AbstractIV = Ohmic()
    path: AbstractPath = Keep()
    span: Span = eqx.field(static=True, default=Span())
    sources: tuple[str, ...] = eqx.field(static=True, default=())

    def __check_init__(self):
        seconds = positive("in seconds")
        scales = dict.fromkeys(SCALES.values(), NOT_NEGATIVE)
        check(self, g_min=SIEMENS, g_max=SIEMENS, t_0=seconds, t_read=seconds, **scales)
        check_siemens("write_noise", self.write_noise, self.g_max)
        for name in ("write_noise", "nu_std", "relative_read_noise"):
            check_not_negative(name, getattr(self, name))
        if exceeds(self.t_read, self.t_0):
            raise ValueError(
                "`t_read` must be at most `t_0`, in seconds: the logarithm of the read noise is negative otherwise. "
                f"Got t_read={self.t_read}, t_0={self.t_0}. Nanoseconds? Multiply by 1e-9."
            )

    @property
    def effects(self) -> tuple[str, ...]:
        absent = {effect for effect, name in SCALES.items() if is_zero(getattr(self, name))}
        return (
            *(effect for effect in SCALES if effect not in absent),
            *(() if isinstance(self.iv, Ohmic) else ("I-V",)),
        )

    def without(self, effect: str) -> AbstractDevice:
        check_effect(effect)
        if effect == "I-V":
            return dataclasses.replace(self, iv=Ohmic())
        return dataclasses.replace(self, **{SCALES[effect]: 0.0}) if effect in SCALES else self

    @property
    def assumes(self) -> tuple[str, ...]:
        kept = "each cell keeps its exponent for life"
        moving = f"of the exponent, {self.path.assumes}"
        return (f"drift: {kept if isinstance(self.path, Keep) else moving}",) if "drift" in self.effects else ()

    def remembering(self, how: Memory) -> AbstractDevice:
        # The deviation of ln G grows with log time, its variance with the square.
        return dataclasses.replace(self, path=path_of(how, Walk(self.t_0, power=2.0)))

    @writes
    def program(self, target: Float[Array, "*cells"], *, key: Key[Array, ""]) -> PCMCells:
        write_key, drift_key = jr.split(key)
        g = target / self.g_max
        write_noise = scattered(self.write_noise_scale * self.write_noise(g), write_key)
        if isinstance(self.path, Keep):  # draws that are not kept, unless a gradient follows
            nu = self.nu_scale * jnp.abs(self.nu_mean(g) + scattered(self.nu_std(g), drift_key))
        else:
            path = self.path.draw(g.shape, g.dtype, key=drift_key)
            nu = MovingExponent(self.nu_mean(g), self.nu_std(g), path)
        q_s = self.read_noise_scale * self.relative_read_noise(g)
        return PCMCells(jnp.maximum(target + write_noise, 0.0), nu, q_s)

    def holding(self, g: Float[Array, "*cells"], *, key: Key[Array, ""]) -> PCMCells:
        """Cells whose exponents and read noise are those of a write towards `g`, or the nearest end of the range."""
        return dataclasses.replace(self.program(jnp.clip(g, self.g_min, self.g_max), key=key), g_written=g)

    @ages
    def conductance(self, cells: PCMCells, t: Float[Array, ""]) -> Float[Array, "*cells"]:
        nu = self._exponent(cells.nu, t) if isinstance(cells.nu, MovingExponent) else cells.nu
        return cells.g_written * jnp.exp(-nu * jnp.log1p(t / self.t_0))

    @ages
    def read_noise(self, cells: PCMCells, t: Float[Array, ""]) -> Float[Array, "*cells"]:
        growth = jnp.sqrt(jnp.log((t + self.t_0 + self.t_read) / (2 * self.t_read)))
        return self.conductance(cells, t) * cells.q_s * growth

    @property
    def read_spectrum(self) -> OneOverF:
        return OneOverF(self.t_0, self.t_read)

    def _exponent(self, nu: MovingExponent, t: Float[Array, ""]) -> Float[Array, "*cells"]:
        return self.nu_scale * jnp.abs(nu.mean + nu.std * self.path.value(nu.path, t).astype(nu.mean.dtype))
