"""One memristor under a sine: pinched loops at three frequencies, and the path of its state."""

from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key

from device_models.memristors import MEMRISTORS, AbstractMemristor, AdaptiveSteps, Trace, simulate

from .._standard._parts import engineering, prefixed
from .._style import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FACTORS, LOOKS = (1.0, 4.0, 16.0), ("-", "--", ":")
SAMPLES, PERIODS = 200, 2
DECADES = 6.0  # below the largest current, that the logarithmic panel shows
STATES = 101
PLAIN = 1.0  # volts: the amplitude for a memristor that is none of the table


def loops(panels: "list[Axes]", memristor: AbstractMemristor, *, key: Key[Array, ""]) -> str:
    """Draws them, and says what they show; chance decides nothing."""
    amplitude, frequency = drive(memristor)
    trace = steady(memristor, amplitude, frequency)
    low, high = (float(end) for end in memristor.bounds)
    scale, prefix = prefixed(float(np.abs(trace.current).max()))
    phase = np.arange(SAMPLES + 1) / SAMPLES
    for place, factor in enumerate(FACTORS):
        look = {"color": COLOURS[place], "linestyle": LOOKS[place], "linewidth": 0.8}
        current = np.asarray(trace.current[place])
        label = engineering(factor * frequency, "Hz")
        panels[0].plot(trace.voltage[place], current / scale, label=label, **look)
        seen = np.abs(current) > np.abs(trace.current).max() * 10**-DECADES
        panels[1].plot(trace.voltage[place], np.where(seen, np.abs(current), np.nan), **look)
        panels[2].plot(phase, 100 * (np.asarray(trace.state[place]) - low) / (high - low), label=label, **look)
    panels[0].set(xlabel="Voltage (V)", ylabel=f"Current ({prefix}A)")
    panels[1].set(xlabel="Voltage (V)", ylabel="|Current| (A)", yscale="log")
    panels[2].set(xlabel="Period", ylabel="State (% of its range)")
    panels[2].legend()
    return (
        f"a, b: Current against voltage in period {PERIODS} of a sine of {amplitude:g} V, at three frequencies, and "
        "the size of the current on a logarithmic axis. c: The state meanwhile. Deterministic equations: no spread."
    )


def drive(memristor: AbstractMemristor) -> tuple[float, float]:
    """Amplitude and frequency that open the loop: of the table, or in which the state crosses its range and back."""
    known = [(entry.make(), entry) for entry in MEMRISTORS.values()]
    alike = [entry for made, entry in known if eqx.tree_equal(made, memristor)]
    alike += [entry for made, entry in known if type(made) is type(memristor)]
    if alike:
        return alike[0].amplitude, alike[0].frequency
    low, high = (float(end) for end in memristor.bounds)
    states = jnp.linspace(low, high, STATES)[1:-1]
    speeds = jnp.abs(jnp.stack([memristor.flow(states, jnp.full(states.shape, v)) for v in (PLAIN, -PLAIN)]))
    crossing = float((high - low) / STATES * jnp.sum(1 / jnp.max(speeds, 0)))
    return PLAIN, 1 / (2 * crossing)


def steady(memristor: AbstractMemristor, amplitude: float, frequency: float) -> Trace:
    """The last period at each frequency: (factors, samples + 1)."""
    phase = np.linspace(0.0, PERIODS, PERIODS * SAMPLES + 1)
    voltage = jnp.asarray(amplitude * np.sin(2 * np.pi * (phase % 1.0)), jnp.float32)
    times = jnp.asarray([phase / (factor * frequency) for factor in FACTORS], jnp.float32)
    run = jax.jit(jax.vmap(lambda time: simulate(memristor, time, voltage, steps=AdaptiveSteps(1e-4, 1e-6))))
    return jax.tree.map(lambda leaf: np.asarray(leaf)[:, -SAMPLES - 1 :], run(times))
