"""How many cycles of its clock a Xylo takes for a step."""

from ..._checks import at_least, checked, fraction, positive, whole

MARGIN = 1.2  # of the clock over the cycles of the worst case


@checked(
    inputs=whole(1),
    hidden=whole(1),
    outputs=whole(1),
    fan_out=at_least(0),
    input_rate=fraction(),
    hidden_rate=fraction(),
)
def xylo_cycles(
    inputs: int,
    hidden: int,
    outputs: int,
    *,
    fan_out: float,
    input_rate: float = 1.0,
    hidden_rate: float = 1.0,
) -> float:
    """Cycles for one time step of Xylo Audio 2, of a network without aliases.

    **Arguments:**

    - `inputs`, `hidden`, `outputs`: Their numbers.
    - `fan_out`: Mean number of synapses from a hidden neuron to hidden ones.
    - `input_rate`, `hidden_rate`: The fraction of steps in which an input, or a hidden neuron, fires at all; the worst
      case by default.

    >>> import memsim as ms
    >>> ms.chips.xylo_cycles(16, 63, 8, fan_out=0.0)
    9310.0
    """
    heard = inputs * (3.5 * input_rate * hidden + 1)
    recurrent = hidden * (7 * fan_out * hidden_rate + 3)
    given = hidden * hidden_rate * (1 + 8 * outputs)
    return heard + recurrent + given + hidden * (19 + 3 * hidden_rate) + 12 * outputs


@checked(worst=positive(), dt=positive("in seconds"))
def xylo_clock(worst: float, dt: float) -> float:
    """The clock, in hertz, that a chip needs for the `worst` number of cycles in each step of `dt` seconds.

    - `worst`: Cycles of the worst step, as of `xylo_cycles`.
    - `dt`: In seconds.

    >>> import memsim as ms
    >>> cycles = ms.chips.xylo_cycles(16, 63, 8, fan_out=0.0)
    >>> f"{1e-6 * ms.chips.xylo_clock(cycles, 1e-3):.1f} MHz"
    '11.2 MHz'
    """
    return MARGIN * worst / dt
