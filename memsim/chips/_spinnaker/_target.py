"""SpiNNaker 1 as a target."""

from collections.abc import Iterator

import equinox as eqx
from jaxtyping import Array, Int

from device_models import Sourced

from ..._checks import Checked, is_known
from .._network._fit import Problem
from .._network._stages import Stage, Synapses
from .._placing._target import Conventions, own_delay
from .._sums._connection import longest_delay
from .._sums._quantised import Quantised
from ._machine import AbstractSpiNNaker
from ._part import Layer
from ._quantise import settings
from ._ring import Ring

LIMITS = {
    "neurons": Sourced(255.0, "1 a core", "Rhodes2018"),
    "cores": Sourced(1_036_800.0, "1", "Furber2014: the largest machine, of 57 600 chips of 18 cores"),
    "delay": Sourced(16.0, "steps", "Rhodes2018: 4 bits; sPyNNaker puts delay neurons between for more"),
}
MOST = {name: int(float(limit)) for name, limit in LIMITS.items()}


def spinnaker1() -> "SpiNNaker1":
    """SpiNNaker 1, in the fixed-point arithmetic of sPyNNaker's leaky neurons.

    >>> import memsim as ms
    >>> ms.chips.spinnaker1().checked
    "bit-checked against sPyNNaker's C code with spinn_common 1e3a090"
    """
    return SpiNNaker1()


class SpiNNaker1(AbstractSpiNNaker, Checked):
    """SpiNNaker 1, in the fixed-point arithmetic of sPyNNaker's leaky neurons.

    Numbers of S16.15, unsigned words of 16 bits in ring buffers that saturate, one for excitation and one for
    inhibition; decays of 32 fractional bits. A membrane at its threshold fires, is reset to a value, and may stay there
    for some steps. Neurons without a synaptic current get the delta synapse, whose code was read and not run. A readout
    is a neuron that never fires, whose membrane is recorded. Time constants are those of 15-bit ratios dt / tau.

    **Arguments:**

    - `nearest`: Whether products of the membrane round to the nearest number, as sPyNNaker does today, or down, as its
      older versions did.

    Reference: Rhodes2018.

    >>> import jax.random as jr, memsim as ms
    >>> neuron = ms.nn.CuBaLIF(8, firing=ms.nn.Firing(reset="zero"))
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(4, 8, key=jr.key(0)), neuron])
    >>> fit = ms.chips.SpiNNaker1().fits(network, input_shape=4)
    >>> bool(fit), fit.cores
    (True, 1)
    """

    nearest: bool = eqx.field(static=True, default=True)

    @property
    def name(self) -> str:
        return "spinnaker1"

    @property
    def checked(self) -> str:
        return "bit-checked against sPyNNaker's C code with spinn_common 1e3a090"

    @property
    def conventions(self) -> Conventions:
        return Conventions(fires=("at",), reset=("zero",), acts=1, spikes=1, refractory=2**31 - 1)

    @property
    def neurons_a_core(self) -> int:
        return MOST["neurons"]

    @property
    def most_cores(self) -> int:
        return MOST["cores"]

    def problems_of(self, layer: Stage) -> Iterator[Problem]:
        own = own_delay(layer.habits())
        for synapses in (layer.synapses(), layer.feedback()):
            longest = 0 if synapses is None else longest_delay(synapses.delays, most=MOST["delay"] - 1) + max(1, own)
            if longest > MOST["delay"]:
                yield Problem(
                    layer.path,
                    f"delays of at most {MOST['delay']} steps, with the one that every spike takes",
                    f"{longest}",
                    "Shorten them, or the time step.",
                )
        if is_known(layer.synapses().weight) and float(settings(layer).report.to_zero) == 1.0:
            came = "one that is so small beside the feedback that all round to zero"
            yield Problem(layer.path, "weights that are not all zero", came, "Train with larger weights.")

    def placed_layer(self, layer: Stage) -> tuple[Layer, Quantised]:
        found, dynamics = settings(layer, nearest=self.nearest), layer.dynamics()
        own, apart = own_delay(layer.habits()), dynamics.current_decay is not None
        feedback = None if found.feedback is None else _ring(found.feedback, layer.feedback(), own, apart)
        part = Layer(
            synapses=_ring(found.words, layer.synapses(), max(1, own), apart),
            feedback=feedback,
            shift=found.shift,
            to=found.neurons,
            start=found.start,
            core=self.core_of(layer),
            unit=found.unit,
            rest=dynamics.rest,
            cores=self.cores((layer,)),
            spiking=dynamics.threshold is not None,
            path=layer.path,
        )
        return part, found.report


def _ring(words: Int[Array, "outputs inputs"], synapses: Synapses | None, wait: int, apart: bool) -> Ring:
    delays = None if synapses is None else synapses.delays
    longest = longest_delay(delays, most=MOST["delay"] - 1)
    return Ring(words=words, delays=delays, longest=longest, wait=wait, apart=apart)
