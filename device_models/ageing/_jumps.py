"""A cell that jumps now and then, less and less often as it ages."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, UInt32

from .._checks import at_least, check, is_zero, positive
from .._checks._quantities import NOT_NEGATIVE, OLDEST_PLAUSIBLE, Number
from .._draws import bits
from .._hash import bits_of, labelled, normal_of
from .._roots import root
from ..curves._curves import AbstractCurve
from ._paths import SEED, AbstractPath

MOST_JUMPS = 16  # of one cell; the measured ones make about two in five decades of time
RESTLESS, OWN = 2**31 - 1, 2**31 - 2  # labels beside those of the jumps
STD_OF_BYTES = (4 * (256**2 - 1) / 12) ** 0.5  # of the sum of four uniform bytes


class Jumps(AbstractPath):
    r"""Jumps at random moments of log time, healed after a while, and noise of its own at each age.

    On the clock $u = \ln(1 + t / t_\mathrm{on})$ a cell jumps $\lambda v$ times in each unit, $\lambda$ its `rate`
    and $v$ that of the cell among others, of mean 1. A jump $k$ adds $x_k = m + \sqrt{1 - m^2}\,\eta_k$, with
    $\eta_k$ of mean 0 and variance 1 and nearly normal (the sum of four uniform numbers), and is undone after an
    exponential stretch of $u$ of mean $1 / \theta$. With $n(u) = \lambda\,(1 - e^{-\theta u}) / \theta$ jumps that
    last in the mean cell, and fresh normals $\xi(t)$,

    $$Z(t) = \sqrt{1 - o}\;\frac{\sum_k x_k - m\,n}{\sqrt{n + \mathrm{var}(v)\,m^2 n^2}} + \sqrt{o}\;\xi(t).$$

    Its correlations are those of a random walk in $u$ that forgets at the rate $\theta$, less the own share $o$.
    Its tails are heavy at first, since few cells have jumped: an excess kurtosis of about $3 (1 - o)^2\,(1 / n +
    \mathrm{var}(v))$. A `lean` $m$ makes it skewed. So are raw data of oxide cells (`rram_relaxing`). A cell jumps
    at most 16 times; nothing is stored but one word for each.

    **Arguments:**

    - `onset`: $t_\mathrm{on}$ in seconds, positive.
    - `rate`: $\lambda$, positive: a number, or a curve over the relative conductance that was aimed at.
    - `unevenness`: $a$, not negative: $v = (1 + a)\,U^a$ with a uniform $U$, of variance $a^2 / (1 + 2 a)$.
    - `healing`: $\theta$, not negative.
    - `own`: $o$, share of the variance that is drawn anew at each age, a number or a curve.
    - `lean`: $m$ from -1, all jumps down alike, to 1, all up; a number or a curve.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> def spread(t):
    ...     return f"{device.conductance(cells, jnp.array(t)).std() / 1e-6:.1f}"
    >>> history = dm.ageing.Snapshots((1.0, 1e5), (dm.curves.Constant(1e-6), dm.curves.Constant(2e-6)), "log")
    >>> device = dm.Gaussian(0.0, 40e-6, spread=history, path=dm.ageing.Jumps(0.01, 0.5))
    >>> cells = device.program(jnp.full(5000, 20e-6), key=jr.key(0))
    >>> spread(1.0), spread(1e5)
    ('1.0', '2.0')
    """

    onset: Number
    rate: Number | AbstractCurve
    unevenness: Number = 0.0
    healing: Number = 0.0
    own: Number | AbstractCurve = 0.0
    lean: Number | AbstractCurve = 0.0

    def __check_init__(self):
        check(
            self,
            onset=positive("in seconds", most=OLDEST_PLAUSIBLE),
            unevenness=NOT_NEGATIVE,
            healing=NOT_NEGATIVE,
            **{
                name: rule
                for name, rule in (("rate", positive()), ("own", at_least(0, most=1)), ("lean", at_least(-1, most=1)))
                if not isinstance(getattr(self, name), AbstractCurve)
            },
        )

    def draw(self, shape: tuple[int, ...], dtype: Any, *, key: Key[Array, ""]) -> SEED:
        return bits(key, shape)

    @eqx.filter_jit  # a hundred small functions otherwise, where a cell is asked outside a compiled function
    def value(
        self, state: SEED, t: Float[Array, ""], g: Float[Array, "*cells"] | None = None
    ) -> Float[Array, "*cells"]:
        dtype = jnp.result_type(float)
        t = jnp.asarray(t, dtype)
        u = jnp.log1p(t / self.onset)
        rate, own, lean = (_at(part, g, state.shape, dtype) for part in (self.rate, self.own, self.lean))
        count, total = self._jumps(state, u, rate)
        lasting = rate * self._lasting(u)
        variance = lasting + self._variance_of_rate * (lean * lasting) ** 2
        moved = lean * (count - lasting) + root(1.0 - lean**2) * total
        z = root(1.0 - own) * moved / root(jnp.where(variance > 0, variance, 1.0))
        if is_zero(self.own):
            return z
        return z + root(own) * normal_of(labelled(state, jnp.uint32(OWN) ^ bits_of(t)), dtype)

    @property
    def assumes(self) -> str:
        again = "" if is_zero(self.own) else ", and is partly drawn anew at each age"
        return f"the deviation of each cell jumps at random moments of log time{again}"

    @property
    def _variance_of_rate(self) -> Array:
        return jnp.asarray(self.unevenness) ** 2 / (1.0 + 2.0 * jnp.asarray(self.unevenness))

    def _lasting(self, u: Float[Array, ""]) -> Float[Array, ""]:
        """How many jumps last at `u`, for a rate of 1."""
        theta = jnp.asarray(self.healing, u.dtype)
        heals = theta > 1e-6
        return jnp.where(heals, -jnp.expm1(-theta * u) / jnp.where(heals, theta, 1.0), u)

    def _jumps(
        self, seed: SEED, u: Float[Array, ""], rate: Float[Array, "*cells"]
    ) -> tuple[Float[Array, "*cells"], Float[Array, "*cells"]]:
        """How many jumps of each cell last at `u`, and the sum of their sizes."""
        a = jnp.asarray(self.unevenness, u.dtype)
        first, _ = _uniforms(labelled(seed, jnp.uint32(RESTLESS)), u.dtype)
        gap = 1.0 / (jax.lax.stop_gradient(rate) * (1.0 + a) * first**a)
        at = jnp.zeros(seed.shape, u.dtype)
        count, total = jnp.zeros_like(at), jnp.zeros_like(at)
        for jump in range(MOST_JUMPS):
            wait, stay = _uniforms(labelled(seed, jnp.uint32(2 * jump)), u.dtype)
            at = at - jnp.log(wait) * gap
            lasts = (at < u) & (-jnp.log(stay) > self.healing * (u - at))
            size = _size(labelled(seed, jnp.uint32(2 * jump + 1)), u.dtype)
            count, total = count + lasts.astype(u.dtype), total + jnp.where(lasts, size, 0.0)
        return count, total


def _at(
    part: Number | AbstractCurve, g: Float[Array, "*cells"] | None, shape: tuple[int, ...], dtype: Any
) -> Float[Array, "*cells"]:
    if not isinstance(part, AbstractCurve):
        return jnp.full(shape, part, dtype)
    if g is None:
        raise ValueError("`g` must say at which relative conductance the jumps are asked for. Got none.")
    return part(g.astype(dtype))


def _uniforms(word: UInt32[Array, "*cells"], dtype: Any) -> tuple[Float[Array, "*cells"], Float[Array, "*cells"]]:
    """Two uniform numbers between 0 and 1, of 16 bits each."""
    halves = word >> jnp.uint32(16), word & jnp.uint32(0xFFFF)
    high, low = ((half.astype(jnp.int32).astype(dtype) + 0.5) * 2.0**-16 for half in halves)
    return high, low


def _size(word: UInt32[Array, "*cells"], dtype: Any) -> Float[Array, "*cells"]:
    """The sum of the four bytes, of mean 0 and variance 1: nearly normal, at a tenth of the cost."""
    pairs = (word & jnp.uint32(0x00FF00FF)) + ((word >> jnp.uint32(8)) & jnp.uint32(0x00FF00FF))
    total = (pairs & jnp.uint32(0xFFFF)) + (pairs >> jnp.uint32(16))
    return (total.astype(jnp.int32).astype(dtype) - 510.0) / STD_OF_BYTES
