"""Wires with resistance, solved exactly."""

from typing import Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from device_models import AbstractDevice

from ..._checks import check, judge, write
from ._abstract import AbstractWires
from ._checks import OHMS, Conductances, Voltages, as_conductances, as_voltages
from ._dissection import effective_matrix
from ._ladder import Lines, tolerance

MAX_NEWTON_STEPS = 50


class WireSolution(NamedTuple):
    """Voltages and currents of an array for one input.

    `word_line` and `bit_line` are the node voltages on both sides of each cell, `cell_currents` the currents between
    them, shape (rows, columns); `currents` those into the sinks, shape (columns,). `power` is all that the drivers
    deliver and `wire_power` what of it heats the wires, in watts. `iterations` counts those of the solver.
    """

    word_line: Float[Array, "rows columns"]
    bit_line: Float[Array, "rows columns"]
    cell_currents: Float[Array, "rows columns"]
    currents: Float[Array, " columns"]
    power: Float[Array, ""]
    wire_power: Float[Array, ""]
    iterations: Int[Array, ""]


class ResistiveWires(AbstractWires):
    """Word and bit lines with a resistance in each segment between cells.

    A word line of n cells is driven through n segments, the first of them between driver and first cell; its other end
    is open, or, driven from both sides, ends in one more segment and a driver of the same voltage. A bit line of m
    cells is held at 0 V behind its m-th segment. Drivers and sinks may add a resistance of their own. All of them may
    be 0: that line is then ideal. As arrays, resistances take part in gradients and in `jax.vmap`.

    Negative conductances or NaN are an error where they are concrete; traced ones make the result NaN, since compiled
    code should not call back.

    **Arguments:**

    - `word_line`, `bit_line`: Resistance of one segment, in ohm.
    - `source`, `sink`: Resistance of each driver, and between each bit line and its 0 V, in ohm.
    - `drive`: Side of the drivers: "left", "right" or "both".
    - `sense`: Side of the sinks: "bottom" or "top".

    >>> import jax.numpy as jnp, memsim as ms
    >>> wires = ms.ResistiveWires(word_line=100.0, bit_line=100.0)
    >>> print(f"{1 / wires.effective(jnp.array([[1e-3]])).item():.0f} ohm of one cell of 1000")
    1200 ohm of one cell of 1000
    """

    word_line: float | Float[Array, ""]
    bit_line: float | Float[Array, ""]
    source: float | Float[Array, ""] = 0.0
    sink: float | Float[Array, ""] = 0.0
    drive: Literal["left", "right", "both"] = eqx.field(static=True, default="left")
    sense: Literal["bottom", "top"] = eqx.field(static=True, default="bottom")

    def __check_init__(self):
        check(self, word_line=OHMS, bit_line=OHMS, source=OHMS, sink=OHMS)

    def effective(self, g: Conductances) -> Float[Array, "rows columns"]:
        """The conductance matrix seen from the terminals, in siemens: bit-line currents are `v @ effective(g)`.

        Exact, and at the cost of some n^3 operations for all inputs at once; see `_dissection`.
        """
        return self._effective(as_conductances(g))

    def solve(self, g: Conductances, v: Voltages) -> WireSolution:
        """Every voltage and current of an array of ohmic cells, word lines driven at `v` volts."""
        g = as_conductances(g)
        return self._solve(None, g, as_voltages(v, g))

    def operating_point(self, device: AbstractDevice, g: Conductances, v: Voltages) -> WireSolution:
        """Every voltage and current of an array of cells with the I-V of `device`; `iterations` are Newton's.

        The gradient with respect to `g`, `v` and the resistances is the implicit one: one linear solve.
        """
        judge("device", device, AbstractDevice, write("Such as `dm.Ideal(iv=dm.iv.Sinh(2.5))`."))
        g = as_conductances(g)
        return self._solve(device, g, as_voltages(v, g))

    def currents(self, device: AbstractDevice, g: Conductances, v: Voltages) -> Float[Array, " columns"]:
        """Bit-line currents of an array of cells with the I-V of `device`, in amperes, by Newton's method."""
        return self.operating_point(device, g, v).currents

    @eqx.filter_jit
    def _effective(self, g: Array) -> Array:
        found = self.oriented(effective_matrix(self.oriented(g), *self.lines(g)))
        return jnp.where(jnp.all(g >= 0), found, jnp.nan)

    @eqx.filter_jit
    def _solve(self, device: AbstractDevice | None, g: Array, v: Array) -> WireSolution:
        lines, g, v = self.lines(g), self.oriented(g), self._along_rows(v)
        if device is None:
            c, iterations = lines.cell_currents(g, g * v)
        else:
            c, iterations = _nonlinear_currents(lines, device, g, v)
        return self._solution(lines, v, c, iterations)

    def lines(self, g: Array) -> Lines:
        """As `_dissection` and `_ladder` want them: drivers at column 0, sinks at row 0."""
        word = jnp.full_like(g, self.word_line).at[:, 0].add(self.source)
        bit = jnp.full_like(g, self.bit_line).at[0, :].add(self.sink)
        far_driver = jnp.asarray(self.word_line + self.source, g.dtype) if self.drive == "both" else None
        return Lines(word, bit, far_driver)

    def oriented(self, g: Array) -> Array:
        """`g` with drivers at column 0 and sinks at row 0, or what is so turned back."""
        g = g[::-1] if self.sense == "bottom" else g
        return g[:, ::-1] if self.drive == "right" else g

    def _along_rows(self, v: Array) -> Array:
        return (v[::-1] if self.sense == "bottom" else v)[:, None]

    def _solution(self, lines: Lines, v: Array, c: Array, iterations: Array) -> WireSolution:
        word, bit = v - lines.word_drop(c), lines.bit_drop(c)
        power = jnp.sum(v * c)
        return WireSolution(
            self.oriented(word),
            self.oriented(bit),
            self.oriented(c),
            jnp.sum(self.oriented(c), axis=0),
            power,
            power - jnp.sum(c * (word - bit)),
            iterations,
        )


def _nonlinear_currents(
    lines: Lines, device: AbstractDevice, g: Float[Array, "rows columns"], v: Float[Array, "rows 1"]
) -> tuple[Float[Array, "rows columns"], Int[Array, ""]]:
    """Newton's method for the voltage u of each cell, and one more, differentiable, step of it."""
    solution, iterations = _newton(*jax.lax.stop_gradient((lines, g, v)), device)
    solution = jax.lax.stop_gradient(solution)
    slope = jax.lax.stop_gradient(device.iv.conductance(g, solution))
    residual = _missing_voltage(lines, device, g, v, solution)
    u = solution + _newton_step(lines, slope, residual)
    return device.iv.current(g, u), iterations


def _missing_voltage(lines: Lines, device: AbstractDevice, g: Array, v: Array, u: Array) -> Array:
    """What is left of the drivers' voltages after cells and lines; zero at the operating point."""
    c = device.iv.current(g, u)
    return v - lines.word_drop(c) - lines.bit_drop(c) - u


def _newton_step(lines: Lines, slope: Array, residual: Array) -> Array:
    c, _ = lines.cell_currents(slope, slope * residual)
    return residual - lines.word_drop(c) - lines.bit_drop(c)


def _newton(lines: Lines, g: Array, v: Array, device: AbstractDevice) -> tuple[Array, Array]:
    scale = jnp.maximum(jnp.max(jnp.abs(v)), jnp.finfo(v.dtype).tiny)
    enough = 10 * tolerance(v.dtype) * scale

    def missing(u):
        return _missing_voltage(lines, device, g, v, u)

    def unfinished(state):
        _, residual, steps = state
        return (jnp.max(jnp.abs(residual)) > enough) & (steps < MAX_NEWTON_STEPS)

    def step(state):
        u, residual, steps = state
        change = _newton_step(lines, device.iv.conductance(g, u), residual)
        size = jnp.max(jnp.abs(residual))

        def too_far(trial):
            _, residual, share = trial
            return (jnp.max(jnp.abs(residual)) > size) & (share > 1e-3)

        def halve(trial):
            share = trial[2] / 2
            u_trial = u + share * change
            return u_trial, missing(u_trial), share

        first = u + change
        u, residual, _ = jax.lax.while_loop(too_far, halve, (first, missing(first), jnp.ones((), v.dtype)))
        return u, residual, steps + 1

    start = jnp.broadcast_to(v, g.shape)
    u, residual, steps = jax.lax.while_loop(unfinished, step, (start, missing(start), jnp.zeros((), int)))
    return eqx.error_if(
        u,
        ~(jnp.max(jnp.abs(residual)) <= enough),
        f"The operating point must be found within {MAX_NEWTON_STEPS} Newton steps. It was not: the I-V of the cells "
        "must rise with the voltage and hold for all of theirs, which may exceed the drivers' (choose a smaller `v`), "
        "and conductances, in siemens, and voltages must be finite.",
    ), steps
