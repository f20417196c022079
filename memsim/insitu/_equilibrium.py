"""Equilibrium propagation: a network of memristors that settles twice, and learns from the difference."""

from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from device_models.memristors import AbstractMemristor

from .._checks import at_least, checked, positive, whole
from ._resistive import Nudge, Phase, ResistiveNetwork, States, check_sizes, cost

NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)  # of the integral over a voltage
BETA = positive("in siemens, the conductance that pulls the outputs towards their targets")


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
    nudged = network.settle(states, x, Nudge(target, jnp.asarray(beta, x.dtype)), start=free)
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
    check_sizes(states, network.rails(x), target)
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
