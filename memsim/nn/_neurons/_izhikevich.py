"""Izhikevich's neuron, and the kinds of cells he found in it."""

from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from device_models import Sourced

from ..._checks import checked, did_you_mean, plain, whole
from ._firing import Firing, Membrane
from ._neuron import check_neuron
from ._parameters import Parameter, PositiveParameter, parameter, positive, value
from ._spiking import AbstractSpiking
from ._surrogate import SuperSpike

LOWEST, OVERSHOOT = -200.0, 10.0  # millivolts: the quadratic term overflows without bounds


class IzhikevichState(NamedTuple):
    """The membrane as its step left it, and the recovery, both before any reset."""

    membrane: Membrane
    recovery: Float[Array, "*shape"]


class Izhikevich(AbstractSpiking):
    r"""Izhikevich's neurons: $\dot v = 0.04 v^2 + 5 v + 140 - u + x$ and $\dot u = a\,(b v - u)$, by Euler steps.

    Where $v > \theta$ there is a spike, after which $v = c$ and $u$ rises by $d$. As in the paper, and unlike anything
    else here, $v$ is in millivolts and the equations are in milliseconds; `dt` is in seconds all the same. $v$ is kept
    in $[-200, \theta + 10]$.

    A float is a constant and an array, one or one a neuron, is trained.

    **Arguments:**

    - `size`: Number of neurons, or the shape of the layer.
    - `a`, `b`, `c`, `d`: Rate of the recovery, its sensitivity, reset of the membrane, and jump of the recovery.
    - `threshold`: Peak at which a spike is cut off, in millivolts.
    - `dt`: Time step, in seconds.
    - `substeps`: Euler steps of the membrane within `dt`.
    - `recovery`: Whether $u$ follows the membrane "new" from this step, or the "old" one.
    - `firing`: Its reset must be "zero", which sets the membrane to `c`.

    The same spikes as jaxpike `Izhikevich` by default with `dt=1e-3`; as norse `Izhikevich` with `substeps=1`,
    `recovery="old"` and `dt` times its tau_inv / 1000.

    Reference: Izhikevich2003.

    >>> import jax.numpy as jnp, memsim as ms
    >>> spikes = ms.nn.SpikingNetwork([ms.nn.Izhikevich(1)])(jnp.full((200, 1), 10.0))
    >>> int(spikes.sum())  # of regular spiking cells in 200 ms
    5
    """

    size: int | tuple[int, ...] = eqx.field(static=True, converter=plain)
    a: Parameter = eqx.field(default=0.02, converter=parameter("a"))
    b: Parameter = eqx.field(default=0.2, converter=parameter("b"))
    c: Parameter = eqx.field(default=-65.0, converter=parameter("c"))
    d: Parameter = eqx.field(default=8.0, converter=parameter("d"))
    threshold: PositiveParameter = eqx.field(default=30.0, converter=positive("threshold"))
    dt: float = eqx.field(static=True, default=1e-3, converter=plain)
    substeps: int = eqx.field(static=True, default=2, converter=plain)
    recovery: Literal["new", "old"] = eqx.field(static=True, default="new")
    firing: Firing = Firing(reset="zero", surrogate=SuperSpike(0.5))

    def __check_init__(self):
        check_neuron(self, substeps=whole(1)._replace(what="at least 1, a whole number"))
        if self.dt / self.substeps > 1.5e-3:
            raise ValueError(
                f"An Euler step must be at most 1.5e-3 seconds. Got dt={self.dt} in {self.substeps} substeps. "
                "Milliseconds? Multiply by 1e-3. Or take more substeps."
            )
        self.firing.check_value_reset("Izhikevich")
        self.firing.check_step(self.dt)

    def initial_state(self) -> IzhikevichState:
        v = jnp.broadcast_to(value(self.c), self.shape)
        return IzhikevichState(self.firing.initial(v), value(self.b) * v)

    def coefficients(self) -> "_Coefficients":
        return _Coefficients(*(value(p) for p in (self.a, self.b, self.c, self.d, self.threshold)))

    def update(
        self,
        coefficients: "_Coefficients",
        current: Float[Array, "*shape"],
        state: IzhikevichState,
        *,
        key: Key[Array, ""] | None = None,
    ) -> IzhikevichState:
        a, b, c, d, threshold = coefficients
        milliseconds = 1e3 * self.dt
        fired = self.firing.spikes(state.membrane, threshold)
        u = state.recovery + d * fired

        def integrate(v):
            for _ in range(self.substeps):
                slope = 0.04 * v * v + 5.0 * v + 140.0 - u + current
                v = _bounded(v + milliseconds / self.substeps * slope, threshold + OVERSHOOT)
            return v

        before = self.firing.rested(state.membrane, fired, threshold, c)
        after = self.firing.advance(state.membrane, fired, threshold, c, self.dt, integrate)
        v = before if self.recovery == "old" else after.membrane
        return IzhikevichState(after, u + milliseconds * a * (b * v - u))

    def spikes(self, coefficients: "_Coefficients", state: IzhikevichState) -> Float[Array, "*shape"]:
        return self.firing.spikes(state.membrane, coefficients.threshold)


class _Coefficients(NamedTuple):
    a: Float[Array, "*units"]
    b: Float[Array, "*units"]
    c: Float[Array, "*units"]
    d: Float[Array, "*units"]
    threshold: Float[Array, "*units"]


def _bounded(v: Float[Array, "*shape"], highest: Float[Array, "*units"]) -> Float[Array, "*shape"]:
    """`v` within its bounds, and NaN where it is not finite, which bounds alone would hide."""
    return jnp.clip(v, LOWEST, highest) + 0 * v


@checked()
def izhikevich_2003(kind: str, size: int | tuple[int, ...], **settings: Any) -> Izhikevich:
    """Neurons of one of the kinds in `IZHIKEVICH_2003`, such as "regular_spiking" or "fast_spiking".

    Other `settings` are those of `Izhikevich`.

    Raises `ValueError` for an unknown kind.

    >>> import jax.numpy as jnp, memsim as ms
    >>> regular, fast = ms.nn.izhikevich_2003("regular_spiking", 1), ms.nn.izhikevich_2003("fast_spiking", 1)
    >>> [int(ms.nn.SpikingNetwork([neuron])(jnp.full((200, 1), 10.0)).sum()) for neuron in (regular, fast)]
    [5, 18]
    """
    if kind not in IZHIKEVICH_2003:
        raise ValueError(did_you_mean("A kind of cell", kind, IZHIKEVICH_2003))
    return Izhikevich(size, **{name: float(number) for name, number in IZHIKEVICH_2003[kind].items()}, **settings)


def _cell(a: float, b: float, c: float, d: float) -> dict[str, Sourced]:
    where = "Izhikevich, IEEE Trans. Neural Netw. 14, 1569 (2003), Fig. 2, recalled"
    units = {"a": "1/ms", "b": "1", "c": "mV", "d": "mV"}
    return {name: Sourced(number, units[name], where) for name, number in zip("abcd", (a, b, c, d), strict=True)}


IZHIKEVICH_2003 = {
    "regular_spiking": _cell(0.02, 0.2, -65.0, 8.0),
    "intrinsically_bursting": _cell(0.02, 0.2, -55.0, 4.0),
    "chattering": _cell(0.02, 0.2, -50.0, 2.0),
    "fast_spiking": _cell(0.1, 0.2, -65.0, 2.0),
    "low_threshold_spiking": _cell(0.02, 0.25, -65.0, 2.0),
    "thalamo_cortical": _cell(0.02, 0.25, -65.0, 0.05),
    "resonator": _cell(0.1, 0.26, -65.0, 2.0),
}
