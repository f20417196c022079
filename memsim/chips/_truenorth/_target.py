"""TrueNorth as a target."""

from collections.abc import Iterator

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, Num

from device_models import Sourced

from ..._checks import Checked, check, is_known, positive, whole
from .._network._fit import Problem
from .._network._stages import Stage, Synapses
from .._placing._target import AbstractTarget, Conventions, Layers, own_delay
from .._sums._connection import Dense, longest_delay
from .._sums._quantised import Quantised
from ._levels import MOST_AXONS, effective
from ._part import Layer
from ._quantise import WEIGHT, Copies, copies, most_inputs, settings

LIMITS = {
    "cores": Sourced(4096.0, "1", "Merolla2014"),
    "axons": Sourced(256.0, "1 a core", "Merolla2014"),
    "neurons": Sourced(256.0, "1 a core", "Merolla2014"),
    "delay": Sourced(15.0, "ticks", "Merolla2014"),
}
MOST = {name: int(float(limit)) for name, limit in LIMITS.items()}


def truenorth(axons: int = 4, *, leak_at: float | None = None) -> "TrueNorth":
    """IBM's TrueNorth, with `axons` axons an input; `leak_at` takes networks that leak.

    - `axons`, `leak_at`: As of `TrueNorth`.

    >>> import memsim as ms
    >>> ms.chips.truenorth().checked
    'bit-checked against RANC 08ae4bd'
    """
    return TrueNorth(axons, leak_at)


class TrueNorth(AbstractTarget, Checked):
    """IBM's TrueNorth: binary crossbars of 256 axons and 256 neurons, four types of axon, one axon for each neuron.

    A neuron gives each type of axon a weight of 9 bits, so that its weights are sums of four values, chosen for it by
    least squares. An input takes `axons` of a core's 256 axons: fewer leave room for more inputs, more bring weights
    nearer. Of normal weights, root mean square error relative to them, and the most inputs of a neuron:

    | axons | 1 | 2 | 3 | 4 | 5 | 6 |
    |---|---|---|---|---|---|---|
    | error | 0.72 | 0.33 | 0.18 | 0.09 | 0.06 | 0.04 |
    | inputs | 256 | 128 | 85 | 64 | 51 | 42 |

    Weights of -1, 0 and 1 are exact from two axons on. A neuron drives one axon: its copies drive the others, in
    each core that hears it. Membranes leak by a constant or not at all, there are no synaptic currents, and only spikes
    leave the chip.

    **Arguments:**

    - `axons`: Of an input.
    - `leak_at`: The membrane, in thresholds, at which the constant leak is that of the network, towards zero. `None`
      takes networks without a leak only.
    - `mask`: Bits of a random number, 8 bits of a draw, that are added to each threshold in each tick.

    Reference: Merolla2014, Cassidy2013.

    >>> import jax.random as jr, memsim as ms
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(4, 8, key=jr.key(0)), ms.nn.IF(8)])
    >>> fit = ms.chips.TrueNorth(axons=4).fits(network, input_shape=4)
    >>> bool(fit), fit.cores
    (True, 1)
    """

    axons: int = eqx.field(static=True, default=4)
    leak_at: float | None = eqx.field(static=True, default=None)
    mask: int = eqx.field(static=True, default=0)

    def __check_init__(self):
        check(self, axons=whole(1, most=MOST_AXONS), leak_at=positive("in thresholds"), mask=whole(0, most=255))

    @property
    def name(self) -> str:
        return "truenorth"

    @property
    def checked(self) -> str:
        beyond = {"leak towards zero": self.leak_at is not None, "random thresholds": self.mask > 0}
        named = ", ".join(what for what, has in beyond.items() if has)
        return "bit-checked against RANC 08ae4bd" + (f"; {named}: published rule" if named else "")

    @property
    def conventions(self) -> Conventions:
        return Conventions(fires=("at",), reset=("zero", "subtract"), acts=1, spikes=1, refractory=0)

    @property
    def most_input(self) -> int:
        return 1

    def problems(self, layers: tuple[Stage, ...]) -> Iterator[Problem]:
        found = [each for layer in layers for each in self._problems(layer)]
        yield from found
        if not found and self.cores(layers) > MOST["cores"]:
            came = f"{self.cores(layers)}, of copies for fan-out"
            yield Problem("", f"at most {MOST['cores']} cores", came, "Make later layers smaller, or take fewer axons.")

    def cores(self, layers: tuple[Stage, ...]) -> int:
        return sum(each.cores for each in copies(layers, self.axons))

    def place(
        self,
        layers: tuple[Stage, ...],
        *,
        calibration: Num[Array, "batch steps *inputs"] | None = None,
        key: Key[Array, ""] | None = None,
    ) -> Layers:
        placed = [self._placed(*each) for each in zip(layers, copies(layers, self.axons), strict=True)]
        return Layers(tuple(part for part, _ in placed), tuple(report for _, report in placed))

    def _placed(self, layer: Stage, fan_out: Copies) -> tuple[Layer, Quantised]:
        found = settings(layer, axons=self.axons, leak_at=self.leak_at, mask=self.mask)
        values, taps, feedback = found.neurons.weights, found.taps, found.feedback
        own = own_delay(layer.habits())
        part = Layer(
            synapses=self._dense(effective(values, taps), layer.synapses(), max(1, own)),
            feedback=None if feedback is None else self._dense(effective(values, feedback), layer.feedback(), own),
            taps=taps if feedback is None else jnp.concatenate([taps, feedback], axis=1),
            to=found.neurons,
            unit=found.unit,
            rest=layer.dynamics().rest,
            axons=self.axons,
            copies=fan_out.number,
            cores=fan_out.cores,
            spiking=True,
            path=layer.path,
        )
        return part, found.report

    def _dense(self, weight: Int[Array, "outputs inputs"], synapses: Synapses | None, wait: int) -> Dense:
        delays = None if synapses is None else synapses.delays
        longest = longest_delay(delays, most=MOST["delay"] - 1)
        return Dense(weight=weight, largest=self.axons * WEIGHT, delays=delays, longest=longest, wait=wait)

    def _problems(self, layer: Stage) -> Iterator[Problem]:
        path, dynamics, feedback = layer.path, layer.dynamics(), layer.feedback()
        inputs, most = layer.inputs + (0 if feedback is None else layer.size), most_inputs(self.axons)
        if inputs > most:
            must = f"at most {most} inputs, {self.axons} axons each, with those of its own feedback"
            yield Problem(path, must, f"{inputs}", "Split or pool the layer's input, or take fewer `axons`.")
        if dynamics.threshold is None:
            yield Problem(path, "neurons that fire, since only spikes leave the chip", "a readout", "Count spikes.")
        if dynamics.current_decay is not None:
            yield Problem(path, "neurons without a synaptic current", "one that decays", "Train with `IF`.")
        if self.leak_at is None and _leaks(dynamics.decay):
            remedy = (
                "Train with `IF`, or take `leak_at=0.5`: the network's leak at half its threshold, at any membrane."
            )
            yield Problem(path, "no leak that is in proportion to the membrane", "one", remedy)
        if self.leak_at is not None and _biased(layer):
            yield Problem(path, "a leak or a bias, which are one number", "both", "Take `use_bias=False`.")
        for synapses in (layer.synapses(), feedback):
            yield from () if synapses is None else _delays(path, synapses)
        if is_known(layer.synapses().weight) and not bool(jnp.any(layer.synapses().weight != 0)):
            yield Problem(path, "weights that are not all zero", "zeros", "Train the network first.")


def _leaks(decay: Float[Array, " units"]) -> bool:
    return not is_known(decay) or bool(np.any(np.asarray(decay) != 1))


def _biased(layer: Stage) -> bool:
    biases = [each.bias for each in (layer.synapses(), layer.feedback()) if each is not None]
    return _leaks(layer.dynamics().decay) and any(is_known(bias) and bool(jnp.any(bias != 0)) for bias in biases)


def _delays(path: str, synapses: Synapses) -> Iterator[Problem]:
    if synapses.delays is None or not is_known(synapses.delays):
        return
    delays = np.asarray(synapses.delays)
    longest = int(np.max(delays)) + 1
    if longest > MOST["delay"]:
        must = f"delays of at most {MOST['delay']} ticks, with the one that every spike takes"
        yield Problem(path, must, f"{longest}", "Shorten them, or the time step.")
    if np.any(delays != delays[:1]):
        yield Problem(path, "one delay for all synapses of an input, which share its axons", "several", "Train one.")
