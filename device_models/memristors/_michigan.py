"""The tungsten-oxide memristor of the University of Michigan: a Schottky path and a tunnelling path in parallel."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._checks import check, checked, positive
from .._checks._quantities import NOT_NEGATIVE
from .._sourced import Sourced, describe
from ._interval import AbstractInterval, Walls
from ._memristor import AbstractMemristor, values

CODED = "Chang2011, as set in code whose origin was not noted"
MICHIGAN_CHANG_2011 = {
    "alpha": Sourced(0.5e-6, "A", CODED),
    "beta": Sourced(0.5, "1/V", CODED),
    "gamma": Sourced(4e-6, "A", CODED),
    "delta": Sourced(2.0, "1/V", CODED),
    "lambda_": Sourced(4.5, "1/s", CODED),
    "eta_1": Sourced(0.004, "1", CODED),
    "eta_2": Sourced(4.0, "1/V", CODED),
    "tau": Sourced(10.0, "1", f"{CODED}; used only where the cell forgets"),
    "x_0": Sourced(0.0, "1", CODED),
}


class Michigan(AbstractMemristor):
    r"""$I = (1 - x)\, \alpha (1 - e^{-\beta V}) + x\, \gamma \sinh(\delta V)$ and
    $\dot x = \lambda (\eta_1 \sinh(\eta_2 V) - x / \tau)$.

    The state is the area share of the conducting region, from 0 to 1.

    **Arguments:**

    - `alpha`, `gamma`: Amplitudes of the two currents, in amperes.
    - `beta`, `delta`, `eta_2`: In 1/V.
    - `lambda_`: Rate, in 1/s.
    - `eta_1`: A pure number.
    - `tau`: How long the state is kept, in units of 1/`lambda_`; `None` for a cell that does not forget.
    - `x_0`: Initial state.
    - `sources`: Where each number was read.

    Reference: Chang2011.

    >>> import jax.numpy as jnp, device_models as dm
    >>> cell = dm.memristors.michigan_chang2011()
    >>> float(cell.current(jnp.array(0.5), jnp.array(0.0))), float(cell.flow(jnp.array(0.5), jnp.array(1.0))) > 0
    (0.0, True)
    """

    alpha: float | Float[Array, ""]
    beta: float | Float[Array, ""]
    gamma: float | Float[Array, ""]
    delta: float | Float[Array, ""]
    lambda_: float | Float[Array, ""]
    eta_1: float | Float[Array, ""]
    eta_2: float | Float[Array, ""]
    tau: float | Float[Array, ""] | None = None
    x_0: float | Float[Array, ""] = 0.0
    sources: tuple[str, ...] = eqx.field(static=True, default=())

    def __check_init__(self):
        amperes, per_volt = positive("in amperes"), positive("in 1/V")
        check(
            self,
            alpha=amperes,
            gamma=amperes,
            beta=per_volt,
            delta=per_volt,
            eta_2=per_volt,
            lambda_=positive("in 1/s"),
            eta_1=NOT_NEGATIVE,
            tau=positive("in units of 1/`lambda_`"),
        )

    @property
    def interval(self) -> AbstractInterval:
        return Walls(0.0, 1.0)

    def current(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        schottky = -self.alpha * jnp.expm1(-self.beta * v)
        return (1 - state) * schottky + state * self.gamma * jnp.sinh(self.delta * v)

    def flow(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        drift = self.eta_1 * jnp.sinh(self.eta_2 * v)
        return self.lambda_ * (drift if self.tau is None else drift - state / self.tau)


@checked()
def michigan_chang2011(*, volatile: bool = False) -> Michigan:
    """Tungsten oxide, below a volt and over seconds; `volatile` cells forget with a time constant of 2.2 s.

    Reference: Chang2011.

    >>> import jax.numpy as jnp, device_models as dm
    >>> cell = dm.memristors.michigan_chang2011(volatile=True)
    >>> x = jnp.array(0.5)
    >>> print(f"{-x / cell.flow(x, jnp.array(0.0)):.1f} s")  # in which a state without voltage is forgotten
    2.2 s
    """
    n = MICHIGAN_CHANG_2011
    numbers = values(n)
    if not volatile:
        numbers.pop("tau")
    return Michigan(**numbers, sources=tuple(describe(n)))
