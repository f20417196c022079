"""A network of memristors that settles: rails, hidden nodes with diodes, and pairs of output nodes."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from device_models.memristors import AbstractMemristor

from .._checks import Checked, at_least, check, checked, is_known, positive
from ._newton import Slopes, newton

States = tuple[Float[Array, "rails hidden"], Float[Array, "hidden outputs"]]


class Phase(NamedTuple):
    """Voltages at which the circuit settled: of hidden nodes, and of the pairs of output nodes.

    >>> import jax.numpy as jnp, memsim as ms
    >>> ms.insitu.Phase(hidden=jnp.zeros(3), outputs=jnp.zeros(4)).outputs.shape
    (4,)
    """

    hidden: Float[Array, " hidden"]
    outputs: Float[Array, " outputs"]


class ResistiveNetwork(Checked):
    r"""Rails, hidden nodes and output nodes, with a memristor between every two of neighbouring layers.

    Inputs $x$ are voltages on rails, once with either sign, beside rails of $\pm$ `bias`. Each hidden node is clamped
    by diodes, $i = g\,v_0 \sinh(v / v_0)$, and drives the cells of the next layer through a bidirectional amplifier:
    voltages times the gain $A$ forward, currents over $A$ backward. A class has two output nodes, and is their
    difference. So the circuit settles where the sum of co-contents is smallest,

    $$E = \sum \int_0^{V} I(s, V')\,dV' + \sum g\,v_0^2 \cosh(v / v_0) + \frac{1}{A^2} \sum \int_0^{V} I(s, V')\,dV',$$

    for the first layer's cells, the diodes and the second layer's cells with states $s$.

    **Arguments:**

    - `cells`: The compact model of all cells; while the circuit settles their states stay.
    - `clamp`, `gain`: $v_0$, in volts, and $A$.
    - `diode`: $g$, conductance of the diodes at 0 V, in siemens.
    - `bias`: Of the constant rails, in volts.
    - `paired`: Whether inputs stand on two rails each; on one, without `-x`, a weight is no difference of two cells.

    Reference: Kendall2020 (recalled); Doell2025 (abstract read).

    >>> import device_models as dm, jax.numpy as jnp, memsim as ms
    >>> network = ms.insitu.ResistiveNetwork(dm.memristors.mms_molter2016())
    >>> network.settle((jnp.full((4, 2), 0.5), jnp.full((2, 2), 0.4)), jnp.array([0.1])).hidden.shape
    (2,)
    """

    cells: AbstractMemristor
    clamp: float | Float[Array, ""] = 0.1
    diode: float | Float[Array, ""] = 1e-3
    gain: float | Float[Array, ""] = 4.0
    bias: float | Float[Array, ""] = 0.2
    paired: bool = eqx.field(static=True, default=True)

    def __check_init__(self):
        check(
            self,
            clamp=positive("in volts", most=50.0),
            diode=positive("in siemens"),
            gain=at_least(1.0),
            bias=at_least(0.0, "in volts", most=50.0),
        )

    def rails(self, x: Float[Array, " inputs"]) -> Float[Array, " rails"]:
        """Voltages of the rails for one input, in volts."""
        constant = jnp.asarray(self.bias, x.dtype)[None]
        return jnp.concatenate([x, -x, constant, -constant] if self.paired else [x, constant, -constant])

    def settle(
        self, states: States, x: Float[Array, " inputs"], nudge: "Nudge | None" = None, *, start: Phase | None = None
    ) -> Phase:
        """Where the circuit settles for one input, freely or with outputs pulled to targets; gradients are implicit.

        From a `start` that is near it is found in fewer steps.
        """
        hidden, outputs = states[1].shape
        rails = self.rails(x)
        check_sizes(states, rails, None if nudge is None else nudge.target)
        _check_range(self.cells, states)

        def currents(v: Array, states: States, rails: Array) -> Array:
            return self._currents(states, rails, v[:hidden], v[hidden:], nudge)

        def slopes(v: Array) -> Slopes:
            return self._slopes(*held, v[:hidden], v[hidden:], nudge)

        held = jax.lax.stop_gradient((states, rails))
        begin = jnp.zeros(hidden + outputs, x.dtype) if start is None else jnp.concatenate(start)
        found = newton(currents, slopes, begin, (states, rails), self.clamp)
        return Phase(found[:hidden], found[hidden:])

    def _currents(self, states: States, rails: Array, v: Array, o: Array, nudge: "Nudge | None") -> Array:
        """What flows out of each node, over the power of the gain at which its co-content counts."""
        first = self.cells.current(states[0], rails[:, None] - v[None])
        second = self.cells.current(states[1], self.gain * v[:, None] - o[None]) / self.gain**2
        diodes = self.diode * self.clamp * jnp.sinh(v / self.clamp)
        into_outputs = jnp.sum(second, axis=0)
        if nudge is not None:
            into_outputs = into_outputs - nudge.beta * jax.grad(cost)(o, nudge.target)  # of E plus beta times the cost
        return jnp.concatenate([diodes - jnp.sum(first, axis=0) + self.gain * jnp.sum(second, axis=1), -into_outputs])

    def _slopes(self, states: States, rails: Array, v: Array, o: Array, nudge: "Nudge | None") -> Slopes:
        """Of `_currents`, by the voltages of the nodes."""
        first = _conductance(self.cells, states[0], rails[:, None] - v[None])
        second = _conductance(self.cells, states[1], self.gain * v[:, None] - o[None])
        hidden = self.diode * jnp.cosh(v / self.clamp) + jnp.sum(first, axis=0) + jnp.sum(second, axis=1)
        outputs = jnp.diag(jnp.sum(second, axis=0) / self.gain**2)
        if nudge is not None:
            outputs = outputs + nudge.beta * jax.hessian(cost)(o, nudge.target)
        return Slopes(hidden, -second / self.gain, outputs)


class Nudge(NamedTuple):
    """What pulls the outputs: the targets of the classes, in volts, and the conductance that does, in siemens.

    The outputs move by about `beta` over the conductance of their cells, and a gradient is a difference of two such
    phases. Voltages of float32 have 24 bits: where `beta` is below some 1e-4 of that conductance (1e-6 S for cells of
    10 mS), the difference is mostly rounding. Use `jax.enable_x64`, with inputs of float64, or a larger `beta`.

    >>> import jax.numpy as jnp, memsim as ms
    >>> ms.insitu.Nudge(target=jnp.array([0.05, 0.0]), beta=jnp.array(1e-6)).target.shape  # one voltage a class
    (2,)
    """

    target: Float[Array, " classes"]
    beta: Float[Array, ""]


def cost(outputs: Float[Array, " outputs"], target: Float[Array, " classes"]) -> Float[Array, ""]:
    """Half of the squared distance of the classes' voltages from their targets, in V^2."""
    return 0.5 * jnp.sum((classes(outputs) - target) ** 2)


@checked()
def classes(outputs: Float[Array, "*batch outputs"]) -> Float[Array, "*batch classes"]:
    """The voltage of each class, the difference of its two nodes.

    >>> import jax.numpy as jnp, memsim as ms
    >>> ms.insitu.classes(jnp.array([0.5, 0.25, 0.0, 1.0])).tolist()
    [0.5, -0.75]
    """
    first, second = jnp.split(outputs, 2, axis=-1)
    return first - second


def check_sizes(states: States, rails: Array, target: Array | None) -> None:
    """Raises `ValueError` for layers, inputs and targets that do not belong together; some would be broadcast."""
    (inputs, hidden), (nodes, outputs) = states[0].shape, states[1].shape
    if inputs != rails.shape[0] or nodes != hidden or outputs % 2:
        raise ValueError(
            f"`states` must be of shapes (rails, hidden) and (hidden, 2 classes), of {rails.shape[0]} rails: one of "
            f"either sign for each input (without `paired`, one), and two of the bias. Got {states[0].shape} and "
            f"{states[1].shape}."
        )
    if target is not None and 2 * target.shape[0] != outputs:
        raise ValueError(f"`target` must be a voltage for each of {outputs // 2} classes. Got shape {target.shape}.")


def _check_range(cells: AbstractMemristor, states: States) -> None:
    """Raises `ValueError` for known states that no cell has."""
    low, high = cells.bounds
    for place, state in enumerate(states):
        if not is_known(state, low, high):
            continue
        found, rounding = np.asarray(state, float), 1e-6 * float(high - low)
        if not np.all((found >= low - rounding) & (found <= high + rounding)):
            raise ValueError(
                f"`states` must be within those of the cells, {float(low):g} to {float(high):g}. Got "
                f"{float(np.min(state)):g} to {float(np.max(state)):g} in layer {place}."
            )


def _conductance(cells: AbstractMemristor, state: Array, v: Array) -> Array:
    """What the current grows by with the voltage."""
    return jax.jvp(lambda v: cells.current(state, v), (v,), (jnp.ones_like(v),))[1]
