"""Stochastic pulse trains on word and bit lines, and how often two of them coincide."""

from abc import abstractmethod
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from equinox.internal import unvmap_max
from jaxtyping import Array, Bool, Float, Int, Key

from .._checks import Checked, at_least, checked, whole
from .._draws import uniform

RATE = at_least(0.0, hint="Put the sign into `d`.")
SHORT = 8  # pulses of a train of which no more are drawn where no more are sent


class AbstractScaling(Checked):
    """How a learning rate is divided between the trains of a row and of a column, and the length of the trains.

    A pulse comes with probability `min(1, |x| c_x)` on a column and `min(1, |d| c_d)` on a row, and
    `learning_rate = granularity * length * c_x * c_d`. Where a product is clipped at 1, the update falls short: a train
    moves a weight by at most `length` steps.

    >>> import device_models as dm
    >>> scalings = [dm.pulsed.EqualScaling(), dm.pulsed.BalancedScaling(), dm.pulsed.ShortestTrains()]
    >>> all(isinstance(scaling, dm.pulsed.AbstractScaling) for scaling in scalings)
    True
    """

    @abstractmethod
    def __call__(
        self, strength: Float[Array, ""], x_max: Float[Array, ""], d_max: Float[Array, ""], length: int
    ) -> tuple[Float[Array, ""], Float[Array, ""], Int[Array, ""]]:
        """`(c_x, c_d, used)` for `strength` = learning rate / `granularity`; `used` pulses of the `length` are sent."""


class EqualScaling(AbstractScaling):
    """The same factor on both sides, as first proposed.

    Reference: Gokmen2016.

    >>> import jax, jax.numpy as jnp, jax.random as jr, numpy as np, device_models as dm
    >>> scaling = dm.pulsed.EqualScaling()
    >>> x, d = jnp.array([1.0, 0.5]), jnp.array([0.1])
    >>> draw = jax.vmap(lambda key: dm.pulsed.coincidences(x, d, 10.0, length=31, scaling=scaling, key=key))
    >>> print(np.asarray(draw(jr.split(jr.key(0), 5000))).mean(0).round(1))  # strength * outer(d, x)
    [[1.  0.5]]
    """

    def __call__(
        self, strength: Float[Array, ""], x_max: Float[Array, ""], d_max: Float[Array, ""], length: int
    ) -> tuple[Float[Array, ""], Float[Array, ""], Int[Array, ""]]:
        factor = jnp.sqrt(strength / length)
        return factor, factor, jnp.asarray(length)


class BalancedScaling(AbstractScaling):
    """The largest `x` and the largest `d` get the same probability ("update management").

    Reference: Gokmen2017.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> scaling = dm.pulsed.BalancedScaling()
    >>> x, d = jnp.array([1.0, 0.5]), jnp.array([0.1])
    >>> print(dm.pulsed.coincidences(x, d, 100.0, length=10, scaling=scaling, key=jr.key(0)))  # the largest come always
    [[10  5]]
    """

    def __call__(
        self, strength: Float[Array, ""], x_max: Float[Array, ""], d_max: Float[Array, ""], length: int
    ) -> tuple[Float[Array, ""], Float[Array, ""], Int[Array, ""]]:
        return *_balanced(strength / length, x_max, d_max), jnp.asarray(length)


class ShortestTrains(AbstractScaling):
    """Balanced, and no longer than the largest update needs ("update and train length management").

    Likelier pulses in shorter trains: the same mean with less variance, in less time.

    Reference: Gokmen2017.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> x, d = jnp.array([1.0, 0.5]), jnp.array([1.0])
    >>> counts = dm.pulsed.coincidences(x, d, 4.0, length=31, scaling=dm.pulsed.ShortestTrains(), key=jr.key(0))
    >>> print(counts)  # trains of 4 pulses that all come on the lines of 1
    [[4 3]]
    """

    def __call__(
        self, strength: Float[Array, ""], x_max: Float[Array, ""], d_max: Float[Array, ""], length: int
    ) -> tuple[Float[Array, ""], Float[Array, ""], Int[Array, ""]]:
        needed = jnp.clip(jnp.ceil(strength * x_max * d_max), 1.0, length)
        return *_balanced(strength / needed, x_max, d_max), needed.astype(int)


BALANCED = BalancedScaling()


@checked(strength=RATE, length=whole(1))
def coincidences(
    x: Float[Array, " columns"],
    d: Float[Array, " rows"],
    strength: float | Float[Array, ""],
    *,
    length: int = 31,
    scaling: AbstractScaling = BALANCED,
    key: Key[Array, ""],
) -> Int[Array, "rows columns"]:
    r"""Signed number of pulses that each cell gets: positive ones up, negative ones down.

    On each line a train of independent pulses is drawn; a cell gets one where both of its lines have one. The number
    is binomial, of `length` trials with probability $p_x p_d$, and its mean is `strength * outer(d, x)` where no
    probability is clipped at 1.

    **Arguments:**

    - `x`, `d`: What drives columns and rows.
    - `strength`: Learning rate in units of the step, `learning_rate / device.granularity`; not negative.
    - `length`: Pulses of a train.
    - `scaling`: How the strength is divided between rows and columns.

    Reference: Gokmen2016.

    >>> import jax, jax.numpy as jnp, jax.random as jr, numpy as np, device_models as dm
    >>> x, d = jnp.array([1.0, -0.5]), jnp.array([1.0])
    >>> draw = jax.vmap(lambda key: dm.pulsed.coincidences(x, d, 10.0, key=key))
    >>> print(np.asarray(draw(jr.split(jr.key(0), 1000))).mean(0).round())
    [[10. -5.]]
    """
    return trains(x, d, strength, length=length, scaling=scaling, key=key).coincidences()


class Trains(NamedTuple):
    """Pulses of all lines, one row for each place of a train: the sign of the line where there is one, zero elsewhere.

    Places that are not sent are empty. `short` says that only the first `SHORT` are sent.
    """

    columns: Float[Array, "length columns"]
    rows: Float[Array, "length rows"]
    short: Bool[Array, ""]

    def coincidences(self) -> Int[Array, "rows columns"]:
        """Signed number of pulses that each cell gets."""

        def counted(places: int) -> Float[Array, "rows columns"]:
            # One product of matrices counts for all cells; whole numbers below 2^24 are exact in it.
            return self.rows[:places].T @ self.columns[:places]

        length = self.rows.shape[0]
        if length <= SHORT:
            return jnp.rint(counted(length)).astype(int)
        return jnp.rint(jax.lax.cond(self.short, lambda: counted(SHORT), lambda: counted(length))).astype(int)

    def of_rows(self, rows: Int[Array, " some"]) -> "Trains":
        """The trains of some rows with all columns."""
        return self._replace(rows=self.rows[:, rows])

    def pulsing(self) -> Bool[Array, " rows"]:
        """The rows with a cell that gets a pulse."""
        met = jnp.any(self.columns != 0, axis=1)
        return jnp.any((self.rows != 0) & met[:, None], axis=0)


def trains(
    x: Float[Array, " columns"],
    d: Float[Array, " rows"],
    strength: float | Float[Array, ""],
    *,
    length: int,
    scaling: AbstractScaling,
    key: Key[Array, ""],
) -> Trains:
    """What is sent for one sample; arguments as of `coincidences`."""
    x_size, d_size = jnp.abs(x), jnp.abs(d)
    c_x, c_d, used = scaling(jnp.asarray(strength, x.dtype), jnp.max(x_size), jnp.max(d_size), length)
    x_key, d_key = jr.split(key)

    def first(places: int) -> tuple[Float[Array, "length columns"], Float[Array, "length rows"]]:
        sent, rest = (jnp.arange(places) < used)[:, None], ((0, length - places), (0, 0))
        x_train = jnp.where(sent, train(x, x_size * c_x, length, places, key=x_key), 0.0)
        d_train = jnp.where(sent, train(d, d_size * c_d, length, places, key=d_key), 0.0)
        return jnp.pad(x_train, rest), jnp.pad(d_train, rest)

    # In a batch under vmap all are short, or all are drawn in full, so that this stays a choice.
    short = unvmap_max(used) <= SHORT
    if length <= SHORT:
        return Trains(*first(length), short)
    columns, rows = jax.lax.cond(short, lambda: first(SHORT), lambda: first(length))
    return Trains(columns, rows, short)


def train(
    signal: Float[Array, " lines"], p: Float[Array, " lines"], length: int, places: int, *, key: Key[Array, ""]
) -> Float[Array, "places lines"]:
    """The first `places` of a train of pulses of probability `p` on each line, with the sign of its signal."""
    there = uniform(key, (length, *p.shape), p.dtype)[:places] < p[None, :]
    return jnp.where(there, jnp.sign(signal)[None, :], 0.0)


def _balanced(
    product: Float[Array, ""], x_max: Float[Array, ""], d_max: Float[Array, ""]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Factors of this `product` that give `x_max` and `d_max` the same probability; zero where there is no update."""
    any_update = (x_max > 0) & (d_max > 0)
    ratio = jnp.where(any_update, d_max, 1.0) / jnp.where(any_update, x_max, 1.0)
    return jnp.sqrt(product * ratio), jnp.sqrt(product / ratio)
