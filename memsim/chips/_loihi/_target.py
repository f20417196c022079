"""Loihi 1 as a target."""

import math
from collections.abc import Iterator
from typing import Literal

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key, Num

from device_models import Sourced

from ..._checks import check, is_known, plain, whole
from .._connection import AbstractConnection, Dense
from .._convolution import Convolution, reached
from .._fit import Problem
from .._quantised import Quantised
from .._stages import Stage
from .._target import AbstractTarget, Conventions, Layers
from ._part import Layer
from ._quantise import THRESHOLD, Settings, bits_a_synapse, settings
from ._rule import BRIAN2, LAVA, NENGO
from ._weights import LARGEST

LIMITS = {
    "cores": Sourced(128.0, "1", "Davies2018"),
    "compartments": Sourced(1024.0, "1 a core", "nengo-loihi 1.1.0, its checks of a block"),
    "in_axons": Sourced(4096.0, "1 a core", "nengo-loihi 1.1.0, its checks of a block"),
    "synapse_bits": Sourced(16384.0 * 64, "bit a core", "nengo-loihi 1.1.0, its checks of a block"),
    "refractory": Sourced(63.0, "steps", "nengo-loihi 1.1.0, its checks of a block"),
    "delay": Sourced(62.0, "steps", "lava-nc 0.10.0"),
}
MOST = {name: int(limit.value) for name, limit in LIMITS.items()}


RULES = {
    "lava": (LAVA, "lava-nc 0.10.0"),
    "nengo": (NENGO, "nengo-loihi 1.1.0"),
    "brian2": (BRIAN2, "brian2-loihi 0.5.2"),
}
Rule = Literal["lava", "nengo", "brian2"]


def loihi1(rule: Rule = "lava", *, chips: int = 1) -> "Loihi1":
    """Intel's Loihi 1, in the fixed-point arithmetic of lava-nc, or of another of its public simulators.

    - `rule`, `chips`: As of `Loihi1`.

    >>> import memsim as ms
    >>> ms.chips.loihi1().checked
    'bit-checked against lava-nc 0.10.0'
    """
    return Loihi1(rule, chips)


class Loihi1(AbstractTarget):
    """Intel's Loihi 1.

    Currents and membranes of 24 bits, decays of 12 bits, weights of 8 bits and a sign, reset to zero, one spike a
    step. A spike acts on the next layer one step later. A readout is a compartment that never fires, whose membrane is
    probed. Mixed weights are kept even and exponents at zero, where all public simulators agree to the bit.

    **Arguments:**

    - `rule`: Whose arithmetic: "lava"; "nengo", which holds refractory periods of up to 63 steps; or "brian2", where an
      input acts in its own step and membranes know no rails.

    - `chips`: How many there are, of 128 cores each.

    Reference: Davies2018.
    """

    rule: Rule = eqx.field(static=True, default="lava")
    chips: int = eqx.field(static=True, default=1, converter=plain)

    def __check_init__(self):
        check(self, chips=whole(1))

    @property
    def name(self) -> str:
        return "loihi1"

    @property
    def checked(self) -> str:
        return f"bit-checked against {RULES[self.rule][1]}"

    @property
    def conventions(self) -> Conventions:
        acts, refractory = (0 if self.rule == "brian2" else 1), (0 if self.rule == "lava" else MOST["refractory"])
        return Conventions(fires=("above",), reset=("zero",), acts=acts, spikes=1, refractory=refractory)

    @property
    def most_input(self) -> int:
        return 1

    def problems(self, layers: tuple[Stage, ...]) -> Iterator[Problem]:
        for layer in layers:
            yield from _problems(layer)
        cores, most = self.cores(layers), MOST["cores"] * self.chips
        if cores > most:
            yield Problem("", f"at most {most} cores", f"{cores}", "Make layers smaller, or take several `chips`.")

    def cores(self, layers: tuple[Stage, ...]) -> int:
        return sum(math.ceil(layer.size / neurons_a_core(layer)) for layer in layers)

    def place(
        self,
        layers: tuple[Stage, ...],
        *,
        calibration: Num[Array, "batch steps *inputs"] | None = None,
        key: Key[Array, ""] | None = None,
    ) -> Layers:
        placed = [_placed(layer, self) for layer in layers]
        return Layers(tuple(part for part, _ in placed), tuple(report for _, report in placed))


def neurons_a_core(layer: Stage) -> int:
    """How many neurons of a layer a core holds, by its compartments and the memory for their synapses."""
    synapses, feedback = layer.synapses(), layer.feedback()
    own = 0 if layer.convolution is not None else synapses.weight.shape[1]  # a kernel is kept once
    fan_in = own + (0 if feedback is None else feedback.weight.shape[1])
    return max(1, min(MOST["compartments"], MOST["synapse_bits"] // max(fan_in * bits_a_synapse(synapses), 1)))


def _problems(layer: Stage) -> Iterator[Problem]:
    synapses, feedback, neurons, path = layer.synapses(), layer.feedback(), layer.dynamics(), layer.path
    fan_in = synapses.weight.shape[1] + (0 if feedback is None else feedback.weight.shape[1])
    if fan_in > MOST["in_axons"]:
        yield Problem(path, f"at most {MOST['in_axons']} inputs", f"{fan_in}", "Pool, or split the layer's input.")
    longest = 0 if synapses.delays is None else int(np.max(np.asarray(synapses.delays)))
    if longest > MOST["delay"]:
        yield Problem(path, f"delays of at most {MOST['delay']} steps", f"{longest}", "Shorten them, or the time step.")
    to_value = neurons.firing is not None and neurons.firing.reset == "zero" and is_known(neurons.v_reset)
    if to_value and np.any(np.asarray(neurons.v_reset) != 0):
        yield Problem(path, "a reset to its resting value", "another `v_reset`", "Set `v_reset` to `v_rest`.")
    if not is_known(synapses.weight):
        return
    found = settings(layer, LAVA)
    if float(found.report.to_zero) == 1.0:
        came = f"thresholds or biases so large that all weights round to zero ({THRESHOLD} mantissas are the most)"
        yield Problem(path, "weights that are not all zero", came, "Train with larger weights, or a lower threshold.")
    if neurons.threshold is not None and bool(jnp.any(found.to.threshold <= 0)):
        yield Problem(
            path, "thresholds above zero", "one that rounds to zero", "Raise the threshold, or shrink weights."
        )


def _placed(layer: Stage, chip: Loihi1) -> tuple[Layer, Quantised]:
    variant = RULES[chip.rule][0]
    found, neurons = settings(layer, variant), layer.dynamics()
    a_core = neurons_a_core(layer)
    core = np.arange(layer.size, dtype=np.int32) // a_core
    part = Layer(
        _connection(layer, found, core, wait=chip.conventions.acts),
        None if found.feedback is None else Dense(found.feedback, LARGEST),
        found.to._replace(held=jnp.asarray(neurons.refractory, jnp.int32)),
        jnp.asarray(core),
        found.unit,
        neurons.rest,
        variant=variant,
        exponent=0,
        feedback_exponent=0,
        most=chip.most_input,
        cores=math.ceil(layer.size / a_core),
        spiking=neurons.threshold is not None,
        path=layer.path,
    )
    return part, found.report


def _connection(layer: Stage, found: Settings, core: np.ndarray, *, wait: int) -> AbstractConnection:
    if layer.convolution is not None:
        pairs = (jnp.asarray(each) for each in reached(layer.convolution, layer.input_shape, core))
        return Convolution(found.weight, layer.convolution, *pairs, LARGEST, layer.input_shape, wait)
    longest = 0 if found.delays is None else MOST["delay"]
    if found.delays is not None and is_known(found.delays):
        longest = int(np.max(np.asarray(found.delays)))
    return Dense(found.weight, LARGEST, found.delays, longest, wait)
