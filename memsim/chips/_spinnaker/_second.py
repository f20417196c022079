"""SpiNNaker 2 as a target: neurons in float32 on its processors, with weights of 8 bits."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from device_models import Sourced

from ..._checks import Checked, is_known
from .._network._fit import Problem
from .._network._stages import Stage, Synapses
from .._placing._part import AbstractPart, State, Stepped
from .._placing._target import Conventions, own_delay
from .._sums._connection import Dense, longest_delay, tally
from .._sums._counts import Counts, every_neuron
from .._sums._quantised import Quantised, quantised
from ._machine import AbstractSpiNNaker

LIMITS = {
    "cores": Sourced(152.0, "1", "Mayr2019"),
    "neurons": Sourced(1000.0, "1 a core", "Mayr2019: 152 000 neurons a chip"),
}
MOST = {name: int(float(limit)) for name, limit in LIMITS.items()}
LARGEST = 127
TRACED_DELAY = 15  # steps, of delays that are being trained


class Neurons(NamedTuple):
    """Currents and membranes, and the spikes that have still to come back."""

    current: Float[Array, " units"]
    membrane: Float[Array, " units"]
    last: Int[Array, " units"]
    past: Int[Array, "past units"] | None


class FloatLayer(AbstractPart):
    """Leaky neurons in float32, with synapses of 8 bits.

    **Arguments:**

    - `synapses`, `feedback`: Whole numbers; one of them is `weight` in the network's units.
    - `bias`: Input of each step, spikes apart.
    - `decay`, `current_decay`, `threshold`, `v_reset`: Of the network's neurons; a readout has no threshold, and
      neurons without a synaptic current have no `current_decay`.
    - `at`: Whether a membrane at its threshold fires.
    - `subtracts`: Whether a reset takes the threshold off.
    """

    synapses: Dense
    feedback: Dense | None
    weight: Float[Array, ""]
    bias: Float[Array, " units"]
    decay: Float[Array, " units"]
    current_decay: Float[Array, " units"] | None
    threshold: Float[Array, " units"] | None
    v_reset: Float[Array, " units"]
    core: Int[Array, " units"]
    unit: Float[Array, "..."]
    rest: Float[Array, "..."]
    cores: int = eqx.field(static=True)
    at: bool = eqx.field(static=True)
    subtracts: bool = eqx.field(static=True)
    spiking: bool = eqx.field(static=True)
    path: str = eqx.field(static=True)

    def initial_state(self) -> State:
        size = self.synapses.weight.shape[0]
        past = None if self.feedback is None else self.feedback.initial_state()
        neurons = Neurons(jnp.zeros((size,)), jnp.zeros((size,)), jnp.zeros((size,), jnp.int32), past)
        return State(self.synapses.initial_state(), neurons)

    def heard(self, xs: Int[Array, "steps inputs"], past: Any) -> tuple[Any, Any]:
        return self.synapses.sums(xs, past, most=1)

    def advance(self, heard: Any, neurons: Neurons, *, key: Key[Array, ""] | None = None) -> Stepped:
        sums, past = heard, neurons.past
        if self.feedback is not None and past is not None:
            back, past = self.feedback.sums(neurons.last[None], past, most=1)
            sums = sums + back[0]
        arriving = sums.astype(jnp.float32) * self.weight + self.bias
        current = arriving if self.current_decay is None else self.current_decay * neurons.current + arriving
        membrane = self.decay * neurons.membrane + current
        after, spikes = membrane, jnp.zeros(membrane.shape, jnp.int32)
        if self.threshold is not None:
            fires = membrane >= self.threshold if self.at else membrane > self.threshold
            after = jnp.where(fires, membrane - self.threshold if self.subtracts else self.v_reset, membrane)
            spikes = fires.astype(jnp.int32)
        outputs = spikes if self.spiking else membrane
        return Stepped(Neurons(current, after, spikes, past), outputs, membrane, current)

    def counted(self, xs: Int[Array, "steps inputs"], stepped: Stepped) -> Counts:
        spikes = stepped.outputs if self.spiking else jnp.zeros(stepped.outputs.shape, jnp.int32)
        updates = every_neuron(xs.shape[0], self.core, self.cores)
        return tally(self.synapses, self.feedback, xs, spikes, updates, self.core, self.cores)


def spinnaker2() -> "SpiNNaker2":
    """SpiNNaker 2: float32 neurons with weights of 8 bits, as published.

    >>> import memsim as ms
    >>> ms.chips.spinnaker2().checked
    'published, unchecked'
    """
    return SpiNNaker2()


class SpiNNaker2(AbstractSpiNNaker, Checked):
    """SpiNNaker 2: 152 processors with float32 in hardware, for which neurons are programs; weights have 8 bits.

    The neuron is the network's own, in float32, with either threshold and either reset; a spike acts one step later.
    One scale a layer brings its largest weight to 127. No simulator or board judged it.

    Reference: Mayr2019.

    >>> import jax.random as jr, memsim as ms
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(4, 8, key=jr.key(0)), ms.nn.LIF(8)])
    >>> fit = ms.chips.SpiNNaker2().fits(network, input_shape=4)
    >>> bool(fit), fit.cores
    (True, 1)
    """

    @property
    def name(self) -> str:
        return "spinnaker2"

    @property
    def checked(self) -> str:
        return "published, unchecked"

    @property
    def conventions(self) -> Conventions:
        return Conventions(fires=("at", "above"), reset=("zero", "subtract"), acts=1, spikes=1, refractory=0)

    @property
    def neurons_a_core(self) -> int:
        return MOST["neurons"]

    @property
    def most_cores(self) -> int:
        return MOST["cores"]

    def problems_of(self, layer: Stage) -> Iterator[Problem]:
        weight = layer.synapses().weight
        if is_known(weight) and not bool(jnp.any(weight != 0)):
            yield Problem(layer.path, "weights that are not all zero", "zeros", "Train the network first.")

    def placed_layer(self, layer: Stage) -> tuple[FloatLayer, Quantised]:
        synapses, feedback, dynamics = layer.synapses(), layer.feedback(), layer.dynamics()
        gain = jnp.expand_dims(dynamics.gain, 1)
        wanted = [each.weight * gain for each in (synapses, feedback) if each is not None]
        largest = jnp.max(jnp.stack([jnp.max(jnp.abs(each)) for each in wanted]))
        unit = jnp.where(largest > 0, largest, 1.0) / LARGEST
        codes = [jnp.round(each / unit).astype(jnp.int32) for each in wanted]
        own, firing = own_delay(layer.habits()), dynamics.firing
        part = FloatLayer(
            synapses=_dense(codes[0], synapses, max(1, own)),
            feedback=None if feedback is None else _dense(codes[1], feedback, own),
            weight=unit,
            bias=dynamics.gain * (synapses.bias + (0.0 if feedback is None else feedback.bias)),
            decay=dynamics.decay,
            current_decay=dynamics.current_decay,
            threshold=dynamics.threshold,
            v_reset=dynamics.v_reset,
            at=firing is not None and firing.at_threshold == "fires",
            subtracts=firing is not None and firing.reset == "subtract",
            core=self.core_of(layer),
            unit=jnp.ones(()),
            rest=dynamics.rest,
            cores=self.cores((layer,)),
            spiking=dynamics.threshold is not None,
            path=layer.path,
        )
        return part, quantised(layer.path, wanted[0] / unit, codes[0], largest=LARGEST)


def _dense(codes: Int[Array, "outputs inputs"], synapses: Synapses, wait: int) -> Dense:
    longest = longest_delay(synapses.delays, most=TRACED_DELAY)
    return Dense(weight=codes, largest=LARGEST, delays=synapses.delays, longest=longest, wait=wait)
