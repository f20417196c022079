"""BrainScaleS-2 as a target for spiking networks."""

from collections.abc import Iterator

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Key, Num

from device_models import Sourced

from ..._checks import Checked, check, fraction
from ...nn import LI, LIF, AdEx, CuBaLI, CuBaLIF
from .._network._fit import Problem
from .._network._stages import Stage
from .._placing._target import AbstractTarget, Conventions, Layers
from .._sums._connection import Dense
from .._sums._fan_in import wiring_problems
from .._sums._quantised import Quantised, quantised
from ._mac import WEIGHT
from ._neurons import Layer, delivered, fabricated, gains

LIMITS = {
    "neurons": Sourced(512.0, "1", "Pehle2022"),
    "synapses": Sourced(128.0, "1 a neuron", "Pehle2022: 256 rows, two for a weight with a sign"),
    "refractory": Sourced(255.0, "steps", "assumed: a counter of 8 bits"),
    "input": Sourced(127.0, "events a line and step", "assumed: links are not modelled"),
    "speed": Sourced(1000.0, "1", "Pehle2022: times the network's time"),
    "mismatch": Sourced(0.05, "1", "assumed, after calibration; 0.2 to 0.3 before it"),
}
MOST = {name: int(float(limit)) for name, limit in LIMITS.items()}
NEURONS = (LIF, CuBaLIF, AdEx, LI, CuBaLI)


def brainscales2(mismatch: float = float(LIMITS["mismatch"])) -> "BrainScaleS2":
    """BrainScaleS-2 with spiking neurons; `brainscales2_vmm` for networks of continuous values.

    - `mismatch`: Relative standard deviation of every parameter of every neuron: 0.05 after calibration and 0.2 to 0.3
      before it, all assumed.

    >>> import memsim as ms
    >>> ms.chips.brainscales2().checked
    'assumed mismatch'
    """
    return BrainScaleS2(mismatch)


class BrainScaleS2(AbstractTarget, Checked):
    """BrainScaleS-2 with spiking neurons: analog circuits, a thousand times as fast as the network's own time.

    Weights have 6 bits and a sign, and take two rows each. Every neuron has its own deviation of the gain of both
    synaptic inputs, of its time constants, and of its threshold, resting and reset voltages: `deploy` draws them with
    its `key`, and they stay. Neurons are otherwise those of the network, `LIF`, `CuBaLIF` or `AdEx` and readouts, reset
    to a value. The 10 bits with which parameters are stored are not modelled: a thousandth, against the mismatch.

    **Arguments:**

    - `mismatch`: Relative standard deviation of every parameter; that of a voltage is relative to the range between
      rest and threshold. No number for it is published in text.

    Reference: Pehle2022.

    >>> import jax.random as jr, memsim as ms
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(4, 8, key=jr.key(0)), ms.nn.LIF(8)])
    >>> ms.chips.BrainScaleS2(mismatch=0.2).fits(network, input_shape=4).problems
    ()
    """

    mismatch: float = eqx.field(static=True, default=float(LIMITS["mismatch"]))

    def __check_init__(self):
        check(self, mismatch=fraction(one=False))

    @property
    def name(self) -> str:
        return "brainscales2"

    @property
    def checked(self) -> str:
        return "assumed mismatch"

    @property
    def conventions(self) -> Conventions:
        return Conventions(("above", "at"), ("zero",), acts=0, spikes=1, refractory=MOST["refractory"])

    @property
    def most_input(self) -> int:
        return MOST["input"]

    def problems(self, layers: tuple[Stage, ...]) -> Iterator[Problem]:
        for layer in layers:
            if not isinstance(layer.neuron, NEURONS):
                known = ", ".join(kind.__name__ for kind in NEURONS)
                kind = type(layer.neuron).__name__
                yield Problem(layer.path, f"neurons of the chip: {known}", kind, "Train with one of these.")
            yield from wiring_problems(layer, MOST["synapses"])
        number = sum(layer.size for layer in layers)
        if number > MOST["neurons"]:
            yield Problem("", f"at most {MOST['neurons']} neurons", f"{number}", "Make layers smaller.")

    def cores(self, layers: tuple[Stage, ...]) -> int:
        return len(layers)

    def place(
        self,
        layers: tuple[Stage, ...],
        *,
        calibration: Num[Array, "batch steps *inputs"] | None = None,
        key: Key[Array, ""] | None = None,
    ) -> Layers:
        if key is None and self.mismatch > 0:
            raise ValueError(
                "`key` must be given: it draws the chip's mismatch. Got None. Pass `key=jax.random.key(0)`, or make "
                "`brainscales2(mismatch=0.0)`."
            )
        keys = jr.split(jr.key(0) if key is None else key, len(layers))
        placed = [_placed(layer, self, each) for layer, each in zip(layers, keys, strict=True)]
        return Layers(tuple(part for part, _ in placed), tuple(report for _, report in placed))


def _placed(layer: Stage, chip: BrainScaleS2, key: Key[Array, ""]) -> tuple[Layer, Quantised]:
    synapses, feedback = layer.synapses(), layer.feedback()
    matrices = [synapses.weight] if feedback is None else [synapses.weight, feedback.weight]
    largest = jnp.max(jnp.stack([jnp.max(jnp.abs(each)) for each in matrices]))
    unit = jnp.maximum(largest / WEIGHT, jnp.finfo(largest.dtype).tiny)
    codes = [jnp.round(each / unit).astype(jnp.int32) for each in matrices]
    gain_key, neuron_key = jr.split(key)
    one, own = jnp.ones(()), gains(chip.mismatch, layer.size, key=gain_key)
    weights = [delivered(each, unit, own) for each in codes]
    counted = [Dense(weight=each, largest=WEIGHT) for each in codes]
    part = Layer(
        weight=weights[0],
        feedback=None if feedback is None else weights[1],
        bias=own.bias * (synapses.bias + (0.0 if feedback is None else feedback.bias)),
        synapses=counted[0],
        back=None if feedback is None else counted[1],
        neuron=fabricated(layer.neuron, chip.mismatch, key=neuron_key),
        unit=one,
        rest=0 * one,
        core=jnp.zeros(layer.size, jnp.int32),
        spiking=layer.neuron.spiking,
        cores=1,
        path=layer.path,
    )
    return part, quantised(layer.path, synapses.weight / unit, codes[0], largest=WEIGHT)
