"""Equilibrium propagation: a network of memristors that settles twice, and learns from the difference."""

from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from device_models.memristors import AbstractMemristor

from .._checks import Checked, at_least, check, checked, is_known, positive, whole
from ._newton import newton

NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)  # of the integral over a voltage
States = tuple[Float[Array, "rails hidden"], Float[Array, "hidden outputs"]]
BETA = positive("in siemens, the conductance that pulls the outputs towards their targets")


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
        return jnp.concatenate([x, -x, constant, -constant])

    def settle(self, states: States, x: Float[Array, " inputs"], nudge: "Nudge | None" = None) -> Phase:
        """Where the circuit settles for one input, freely or with outputs pulled to targets; gradients are implicit."""
        hidden, outputs = states[1].shape
        rails = self.rails(x)
        _check_sizes(states, rails, None if nudge is None else nudge.target)
        _check_range(self.cells, states)

        def residual(v: Array, states: States, rails: Array) -> Array:
            return self._currents(states, rails, v[:hidden], v[hidden:], nudge)

        found = newton(residual, jnp.zeros(hidden + outputs, x.dtype), (states, rails), self.clamp)
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


@checked(beta=BETA)
def equilibrium_gradient(
    network: ResistiveNetwork,
    states: States,
    x: Float[Array, " inputs"],
    target: Float[Array, " classes"],
    *,
    beta: float | Float[Array, ""],
    rule: Literal["square", "co-content"] = "square",
) -> States:
    r"""What the cost grows by with each state, from two phases and what each cell sees in them.

    With the voltages $V_0$ of the free and $V_\beta$ of the nudged phase, "square" is the rule of ohmic cells,

    $$\frac{\partial C}{\partial s} \approx \frac{1}{2 \beta} \frac{\partial G}{\partial s} (V_\beta^2 - V_0^2),$$

    with the conductance $G$ at 0 V, and "co-content" that of any cell, $\frac1\beta \int_{V_0}^{V_\beta}
    \frac{\partial I}{\partial s}\,dV$, which a circuit would have to integrate. The latter is exact as $\beta$ goes to
    zero; the former, too, for cells whose current is in proportion to the voltage.

    **Arguments:**

    - `network`, `states`: The circuit.
    - `x`: One input, in volts.
    - `target`: Of each class, in volts.
    - `beta`: How strongly the nudged phase pulls, in siemens; for float32 not below 1e-4 of what the cells of an output
      conduct together, see `Nudge`.
    - `rule`: "square" or "co-content".

    Reference: Scellier2017 (recalled), Kendall2020 (recalled).

    >>> import device_models as dm, jax.numpy as jnp, memsim as ms
    >>> network = ms.insitu.ResistiveNetwork(dm.memristors.mms_molter2016())
    >>> states = (jnp.full((4, 2), 0.5), jnp.full((2, 2), 0.4))
    >>> ms.insitu.equilibrium_gradient(network, states, jnp.array([0.1]), jnp.array([0.05]), beta=1e-6)[1].shape
    (2, 2)
    """
    free = network.settle(states, x)
    nudged = network.settle(states, x, Nudge(target, jnp.asarray(beta, x.dtype)))
    found = []
    for state, before, after, power in zip(
        states, _voltages(network, x, free), _voltages(network, x, nudged), (1.0, network.gain**2), strict=True
    ):
        grown = (
            _square(network.cells, state, before, after)
            if rule == "square"
            else (_integral(network.cells, state, before, after))
        )
        found.append(grown / (beta * power))
    return found[0], found[1]


@checked()
def exact_gradient(
    network: ResistiveNetwork, states: States, x: Float[Array, " inputs"], target: Float[Array, " classes"]
) -> States:
    """What the cost of the free phase grows by with each state: the implicit gradient through the circuit.

    >>> import device_models as dm, jax.numpy as jnp, memsim as ms
    >>> network = ms.insitu.ResistiveNetwork(dm.memristors.mms_molter2016())
    >>> states = (jnp.full((4, 2), 0.5), jnp.full((2, 2), 0.4))
    >>> ms.insitu.exact_gradient(network, states, jnp.array([0.1]), jnp.array([0.05]))[1].shape
    (2, 2)
    """
    _check_sizes(states, network.rails(x), target)
    return jax.grad(lambda states: cost(network.settle(states, x).outputs, target))(states)


@checked(
    change=at_least(-1.0, "in shares of the range", most=1.0), voltage=positive("in volts", most=50.0), steps=whole(1)
)
def pulse_states(
    cells: AbstractMemristor,
    states: Float[Array, "*cells"],
    change: Float[Array, "*cells"],
    *,
    voltage: float | Float[Array, ""],
    steps: int = 4,
) -> Float[Array, "*cells"]:
    """States after one pulse on each cell that would move one in the middle of its range by `change` of the range.

    Cells elsewhere move by more or less, and differently up and down: the update is that of the compact model.

    **Arguments:**

    - `cells`, `states`: The model, and its states before the pulse.
    - `change`: What is asked for, in shares of the range, with its sign; durations are in proportion.
    - `voltage`, `steps`: Of the pulses, of either sign, in volts; Euler steps of a pulse.

    >>> import device_models as dm, jax.numpy as jnp, memsim as ms
    >>> cells, change = dm.memristors.mms_molter2016(), jnp.array([0.01, -0.01])
    >>> [round(x, 2) for x in ms.insitu.pulse_states(cells, jnp.array([0.2, 0.5]), change, voltage=0.6).tolist()]
    [0.22, 0.49]
    """
    interval = cells.interval
    low, high = interval.low, interval.high
    middle = jnp.full_like(states, (low + high) / 2)
    volts = jnp.asarray(voltage, states.dtype)
    up = jnp.sign(cells.flow(middle, jnp.full_like(states, volts)))  # whether a positive voltage raises the state
    applied = jnp.sign(change) * up * volts
    speed = jnp.abs(cells.flow(middle, applied))
    seconds = jnp.abs(change) * (high - low) / jnp.where(speed > 0, speed, 1.0) / steps

    def step(coordinate: Array, _: None) -> tuple[Array, None]:
        rate = interval.rate(lambda state: cells.flow(state, applied), coordinate)
        return interval.keep(coordinate + seconds * rate), None

    moved, _ = jax.lax.scan(step, interval.coordinate(states), length=steps)
    return jnp.where(change == 0, states, interval.state(moved))


def _check_sizes(states: States, rails: Array, target: Array | None) -> None:
    """Raises `ValueError` for layers, inputs and targets that do not belong together; some would be broadcast."""
    (inputs, hidden), (nodes, outputs) = states[0].shape, states[1].shape
    if inputs != rails.shape[0] or nodes != hidden or outputs % 2:
        raise ValueError(
            "`states` must be of shapes (2 inputs + 2, hidden) and (hidden, 2 classes). Got "
            f"{states[0].shape} and {states[1].shape}, with {rails.shape[0] // 2 - 1} inputs."
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


def _voltages(network: ResistiveNetwork, x: Array, phase: Phase) -> tuple[Array, Array]:
    """Across each cell of both layers."""
    first = network.rails(x)[:, None] - phase.hidden[None]
    return first, network.gain * phase.hidden[:, None] - phase.outputs[None]


def _slope(cells: AbstractMemristor, state: Array, v: Array) -> Array:
    """What the current grows by with the state."""
    return jax.jvp(lambda state: cells.current(state, v), (state,), (jnp.ones_like(state),))[1]


def _square(cells: AbstractMemristor, state: Array, before: Array, after: Array) -> Array:
    zero, one = jnp.zeros_like(before), jnp.ones_like(before)
    slope = jax.jvp(lambda v: _slope(cells, state, v), (zero,), (one,))[1]
    return 0.5 * slope * (after**2 - before**2)


def _integral(cells: AbstractMemristor, state: Array, before: Array, after: Array) -> Array:
    middle, half = (after + before) / 2, (after - before) / 2
    total = jnp.zeros_like(middle)
    for node, weight in zip(NODES.tolist(), WEIGHTS.tolist(), strict=True):
        total = total + weight * _slope(cells, state, middle + node * half)
    return half * total
