r"""How the deviation of a cell from its population moves as the cell ages.

A population has a mean and a spread at each age; its history says them. Where one cell lies within the population, in
standard deviations, is its path $Z(t)$: of mean 0 and variance 1 at every age. What a source publishes are mostly
spreads, which say nothing of paths, so a path is an assumption unless trajectories of single cells were measured.
"""

from abc import abstractmethod
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, UInt32

from .._checks import Checked, between, check, fraction, is_zero, positive
from .._checks._names import lookup
from .._checks._quantities import NOT_NEGATIVE, OLDEST_PLAUSIBLE, Number
from .._draws import bits, normal
from .._hash import bits_of, labelled, normal_of
from .._roots import root

LEVELS = 12  # of the dyadic construction: a leaf of a walk from milliseconds on is one percent of an age
ROOT, LEAF, OWN, AMPLITUDE, ONSET = (2**31 + place for place in range(5))  # labels beside those of the nodes
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(24)
SEED = UInt32[Array, "*cells"]


class AbstractPath(Checked):
    """Where a cell lies within its population, in standard deviations, at any age and in any order of asking.

    >>> import device_models as dm
    >>> paths = [dm.ageing.Keep(), dm.ageing.Redraw(), dm.ageing.Walk(1e-3), dm.ageing.Jumps(0.01, 0.5)]
    >>> all(isinstance(path, dm.ageing.AbstractPath) for path in paths)
    True
    """

    @abstractmethod
    def draw(self, shape: tuple[int, ...], dtype: Any, *, key: Key[Array, ""]) -> Any:
        """What chance decides, once a write, for cells of `shape`."""

    @abstractmethod
    def value(self, state: Any, t: Float[Array, ""], g: Float[Array, "*cells"] | None = None) -> Float[Array, "*cells"]:
        """$Z(t)$ at `t` seconds after programming, of cells that aimed at the relative conductance `g`."""

    @property
    @abstractmethod
    def assumes(self) -> str:
        """What a cell does, in words that end a sentence."""


class Keep(AbstractPath):
    """A cell keeps its rank for life: one number, drawn at the write.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> def correlation(path):
    ...     history = dm.ageing.Snapshots((0.0, 1e5), (dm.curves.Constant(0.0), dm.curves.Constant(2e-6)))
    ...     device = dm.Gaussian(0.0, 40e-6, spread=history, path=path)
    ...     cells = device.program(jnp.full(5000, 20e-6), key=jr.key(0))
    ...     ages = [device.conductance(cells, jnp.array(t)) for t in (1e3, 1e5)]
    ...     return f"{jnp.corrcoef(*ages)[0, 1]:.1f}"
    >>> correlation(dm.ageing.Keep()), correlation(dm.ageing.Redraw())
    ('1.0', '0.0')
    """

    def draw(self, shape: tuple[int, ...], dtype: Any, *, key: Key[Array, ""]) -> Float[Array, "*cells"]:
        return normal(key, shape, dtype, kept=True)

    def value(
        self, state: Float[Array, "*cells"], t: Float[Array, ""], g: Float[Array, "*cells"] | None = None
    ) -> Float[Array, "*cells"]:
        return state

    @property
    def assumes(self) -> str:
        return "each cell keeps its rank for life"


class Redraw(AbstractPath):
    """A cell has another rank at each age, independent of all others: that of a new population.

    >>> import device_models as dm
    >>> device = dm.rram_wan2022().remembering("redraw")
    >>> isinstance(device.path, dm.ageing.Redraw)
    True
    """

    def draw(self, shape: tuple[int, ...], dtype: Any, *, key: Key[Array, ""]) -> SEED:
        return bits(key, shape)

    def value(
        self, state: SEED, t: Float[Array, ""], g: Float[Array, "*cells"] | None = None
    ) -> Float[Array, "*cells"]:
        return normal_of(labelled(state, bits_of(t)), jnp.result_type(float))

    @property
    def assumes(self) -> str:
        return "each cell has another rank at each age"


class Walk(AbstractPath):
    r"""A random walk in log time, with noise of its own at each age, on cells that differ.

    With a Brownian motion $B$ and fresh normals $\xi$ of each cell, its clock
    $u = \ln(1 + t / t_\mathrm{on})^p$ and its amplitude $A$,

    $$Z(t) = A\,\big(\sqrt{1 - o}\;B(u) + \sqrt{o\,u}\;\xi(t)\big) \big/ \sqrt{\mathrm{E}[A^2 u]}.$$

    The correlation of one cell at $t < t'$ is $(1 - o) \sqrt{u / u'}$ where cells are alike. Where they differ, tails
    are heavy: at first because few cells have begun to move, later by the amplitudes.

    Nothing is stored but a word for each cell. $B$ is built by halving (each node of a binary tree over $u$ displaces
    the middle of its interval by a normal number hashed from the word and the node), so a query costs the depth of
    the tree, in any order. Ages in one leaf, one percent of an age apart where `onset` is some milliseconds,
    have independent bridges there instead of a common one.

    **Arguments:**

    - `onset`: $t_\mathrm{on}$ of the median cell, in seconds, positive.
    - `power`: $p$; 1 for deviations whose variance grows with log time, 2 for those that grow with it.
    - `own`: $o$, share of the variance that is drawn anew at each age.
    - `onset_spread`: Standard deviation of $\ln t_\mathrm{on}$ over cells.
    - `amplitude_spread`: Standard deviation of $\ln A$ over cells, which adds $3 (e^{4 s^2} - 1)$ of kurtosis.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.rram_wan2022()
    >>> cells = device.program(jnp.full(5000, 20e-6), key=jr.key(0))
    >>> second, hour, day = (device.conductance(cells, jnp.array(t)) for t in (1.0, 3600.0, 86400.0))
    >>> bool(jnp.corrcoef(hour, day)[0, 1] > jnp.corrcoef(second, day)[0, 1])
    True
    """

    onset: Number
    power: Number = 1.0
    own: Number = 0.0
    onset_spread: Number = 0.0
    amplitude_spread: Number = 0.0

    def __check_init__(self):
        check(
            self,
            onset=positive("in seconds", most=OLDEST_PLAUSIBLE),
            power=between(0.0, 4.0),
            own=fraction(),
            onset_spread=NOT_NEGATIVE,
            amplitude_spread=NOT_NEGATIVE,
        )

    def draw(self, shape: tuple[int, ...], dtype: Any, *, key: Key[Array, ""]) -> SEED:
        return bits(key, shape)

    @eqx.filter_jit  # a hundred small functions otherwise, where a cell is asked outside a compiled function
    def value(
        self, state: SEED, t: Float[Array, ""], g: Float[Array, "*cells"] | None = None
    ) -> Float[Array, "*cells"]:
        dtype = jnp.result_type(float)
        t = jnp.asarray(t, dtype)
        label, mean = bits_of(t), self._mean_clock(t)
        u = jnp.broadcast_to(self._clock(t, 0.0), state.shape)
        if not is_zero(self.onset_spread):
            u = self._clock(t, self.onset_spread * _normal(state, ONSET, dtype))
        walked = brownian(state, u, self._clock(OLDEST_PLAUSIBLE, -self.onset_spread * 6.0), label)
        z = walked * jnp.sqrt(1.0 - self.own)
        if not is_zero(self.own):
            z = z + root(self.own * u) * normal_of(labelled(state ^ jnp.uint32(OWN), label), dtype)
        if not is_zero(self.amplitude_spread):
            z = z * jnp.exp(self.amplitude_spread * _normal(state, AMPLITUDE, dtype) - self.amplitude_spread**2)
        return z / root(jnp.where(mean > 0, mean, 1.0))

    @property
    def assumes(self) -> str:
        again = "" if is_zero(self.own) else ", and is partly drawn anew at each age"
        return f"the deviation of each cell walks in log time{again}"

    def _clock(self, t: Any, shift: Any) -> Array:
        return jnp.log1p(t / self.onset * jnp.exp(-jnp.asarray(shift))) ** self.power

    def _mean_clock(self, t: Float[Array, ""]) -> Float[Array, ""]:
        """Over cells; of a normal shift by quadrature."""
        if is_zero(self.onset_spread):
            return self._clock(t, 0.0)
        weights = jnp.asarray(WEIGHTS / WEIGHTS.sum(), t.dtype)
        return jnp.sum(weights * self._clock(t, self.onset_spread * jnp.asarray(NODES, t.dtype)))


Memory = Literal["keep", "redraw", "walk"] | AbstractPath


def path_of(how: Memory, walk: Walk) -> AbstractPath:
    """The path of this name, where "walk" is that `walk`; a path is itself."""
    if isinstance(how, AbstractPath):
        return how
    return lookup("`how`", how, {"keep": Keep(), "redraw": Redraw(), "walk": walk})


def brownian(
    seed: SEED, u: Float[Array, "*cells"], most: Float[Array, ""], label: UInt32[Array, ""]
) -> Float[Array, "*cells"]:
    """Brownian motion of each cell at `u`, from 0 to `most`; `label` stands for the age within a leaf."""
    share = jnp.clip(u / most, 0.0, 1.0)
    total = share * _normal(seed, ROOT, u.dtype)
    std = 0.5  # of the displacement of a middle, in units of the root of `most`
    for level in range(LEVELS):
        place = share * 2**level
        node = jnp.minimum(jnp.floor(jax.lax.stop_gradient(place)), 2**level - 1)
        hat = 1.0 - jnp.abs(2.0 * (place - node) - 1.0)
        word = labelled(seed, node.astype(jnp.uint32) + jnp.uint32(2**level))
        total = total + std * hat * normal_of(word, u.dtype)
        std = std * 0.5**0.5
    place = share * 2**LEVELS
    within = jax.lax.stop_gradient(place - jnp.floor(place))
    bridge = root(within * (1.0 - within) / 2**LEVELS)
    total = total + bridge * normal_of(labelled(seed ^ jnp.uint32(LEAF), label), u.dtype)
    return jnp.sqrt(most) * total


def _normal(seed: SEED, label: int, dtype: Any) -> Float[Array, "*cells"]:
    return normal_of(labelled(seed, jnp.uint32(label)), dtype)
