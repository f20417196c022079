"""One kind of neuron: its answer to a step of current, and its rate against the current."""

from typing import TYPE_CHECKING, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from ...nn import AbstractNeuron
from .._style import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STEPS, ON = 300, slice(30, 230)  # of the run; those with a current
FINE = np.linspace(0.0, 3.0, 31)  # times the smallest current that makes it spike
COARSE = np.geomspace(1e-3, 1e3, 61)
WANTED = 5  # spikes under the current that is drawn


class Answers(NamedTuple):
    """Of the first neuron, under each of some currents."""

    membrane: Float[np.ndarray, "currents steps"]
    output: Float[np.ndarray, "currents steps"]


def neuron(panels: "list[Axes]", part: AbstractNeuron, *, key: Key[Array, ""]) -> str:
    """Draws them, and says what they show."""
    return (_spiking if part.spiking else _readout)(panels, part, key)


def _spiking(panels: "list[Axes]", part: AbstractNeuron, key: Key[Array, ""]) -> str:
    fired = answers(part, COARSE, key).output[:, ON].sum(1)
    least = COARSE[np.argmax(fired > 0)] if fired.any() else COARSE[-1]
    currents = least * FINE
    found = answers(part, currents, key)
    spikes = found.output[:, ON].sum(1)
    first = int(np.argmax(spikes > 0)) if spikes.any() else len(FINE) - 1
    above = max(first, int(np.argmax(spikes >= min(WANTED, spikes.max()))))
    for axes, place in zip(panels, (max(first - 1, 0), above), strict=False):
        _trace(axes, found.membrane[place], found.output[place], currents[place])
    panels[2].plot(currents, spikes / (ON.stop - ON.start), ".-", color=COLOURS[2], markersize=2)
    panels[2].set(xlabel="Current", ylabel="Spikes a step", xlim=(0, None), ylim=(0, None))
    panels[2].locator_params(axis="x", nbins=4)
    return (
        "a, b: Membrane before its reset under a step of current (grey), below the smallest that makes it spike and "
        "above; ticks: spikes. c: Mean number of spikes a step while a current flows. Deterministic but for neurons "
        "with noise: no spread."
    )


def _readout(panels: "list[Axes]", part: AbstractNeuron, key: Key[Array, ""]) -> str:
    found = answers(part, np.array([1.0]), key)
    pulse = answers(part, np.array([1.0]), key, on=slice(ON.start, ON.start + 1))
    _trace(panels[0], found.membrane[0], None, 1.0)
    _trace(panels[1], pulse.membrane[0], None, 1.0, on=slice(ON.start, ON.start + 1))
    currents = np.linspace(-2.0, 2.0, 21)
    panels[2].plot(
        currents, answers(part, currents, key).membrane[:, ON.stop - 1], ".-", color=COLOURS[2], markersize=2
    )
    panels[2].set(xlabel="Current", ylabel="Membrane, last step")
    return (
        "a, b: Membrane under a step of current one, and under a current of one in one step (grey). c: Membrane at the "
        "end of the step against the current. Deterministic but for neurons with noise: no spread."
    )


def answers(part: AbstractNeuron, currents: np.ndarray, key: Key[Array, ""], on: slice = ON) -> Answers:
    """What the first neuron of `part` does under each of the `currents`, in the steps `on`."""
    time = jnp.zeros(STEPS).at[on].set(1.0)
    return Answers(*(np.asarray(each, float) for each in _answers(part, jnp.asarray(currents, jnp.float32), time, key)))


@eqx.filter_jit
def _answers(part: AbstractNeuron, currents: Array, time: Array, key: Key[Array, ""]) -> tuple[Array, Array]:
    def one(current: Array) -> tuple[Array, Array]:
        xs = jnp.broadcast_to((current * time).reshape(-1, *([1] * len(part.shape))), (STEPS, *part.shape))
        keys = jr.split(key, STEPS)
        ys, _, record = part.run(xs, part.initial_state(), keys=keys, record=frozenset({"membranes"}))
        return record["membranes"][""].reshape(STEPS, -1)[:, 0], ys.reshape(STEPS, -1)[:, 0]

    return jax.vmap(one)(currents)


def _trace(axes: "Axes", membrane: np.ndarray, output: np.ndarray | None, current: float, on: slice = ON) -> None:
    axes.axvspan(on.start, on.stop, color="0.92", linewidth=0)
    axes.plot(np.arange(STEPS), membrane, color=COLOURS[2], linewidth=0.8)
    if output is not None and output.any():
        low, high = axes.get_ylim()
        top = high + 0.08 * (high - low)
        axes.plot(np.flatnonzero(output), np.full(np.count_nonzero(output), top), "|", color=COLOURS[4], markersize=4)
    axes.set(xlabel="Step", ylabel="Membrane")
    axes.set_title(f"Current {current:.3g}")
