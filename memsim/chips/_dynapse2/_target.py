"""DYNAP-SE2 as a target."""

import math
from collections.abc import Iterator
from typing import Literal

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, Key, Num

from device_models import Sourced

from ..._checks import Checked, check, fraction, is_known
from ...nn import LIF, CuBaLIF
from .._network._fit import Problem
from .._network._stages import Stage
from .._placing._host import on_host
from .._placing._part import AbstractPart
from .._placing._target import AbstractTarget, Conventions, Layers
from .._sums._fan_in import wiring_problems
from .._sums._quantised import Quantised
from ._part import Layer
from ._quantise import BITS, settings
from ._rule import Circuit

LIMITS = {
    "cores": Sourced(4.0, "1", "Richter2024"),
    "neurons": Sourced(256.0, "1 a core", "Richter2024"),
    "synapses": Sourced(64.0, "1 a neuron", "Richter2024: its CAM"),
    "time": Sourced(0.15, "s", "the longest that the smallest current of the bias generator gives a membrane"),
    "refractory": Sourced(100.0, "steps", "assumed"),
    "input": Sourced(127.0, "events a line and step", "assumed: links are not modelled"),
    "mismatch": Sourced(0.1, "1", "rockpool 3.1.0: 30 % at three standard deviations, of biases and capacitances"),
}
MOST = {name: int(float(limit)) for name, limit in LIMITS.items()}
FIXED = ("Io", "Idc", "Iw_ahp", "kappa_n", "kappa_p", "Ut")  # at the floor, or of the process and temperature
SMALLEST = 0.1  # of a deviating parameter, relative to what it should be
Mode = Literal["chip", "dynapsim"]


def dynapse2(mode: Mode = "chip", mismatch: float = float(LIMITS["mismatch"])) -> "DYNAPSE2":
    """DYNAP-SE2: analog neurons that compute with currents, in continuous time.

    - `mode`: "chip", or "dynapsim" as rockpool's simulator has it.
    - `mismatch`: Relative standard deviation of every bias, capacitance and voltage.

    >>> import memsim as ms
    >>> ms.chips.dynapse2().checked
    'assumed mismatch'
    """
    return DYNAPSE2(mode, mismatch)


class DYNAPSE2(AbstractTarget, Checked):
    """DYNAP-SE2: neurons with exponential feedback, in the equations of DynapSim.

    In mode "chip", weights are sums of four base currents of their core, a neuron has two synaptic currents of which
    one is taken from the other, and fires once a step. In mode "dynapsim", weights are real, and inhibition cancels
    only excitation of the same step, as in the simulator that its equations are checked against. Slope factors and the
    thermal voltage are those of all neurons: they do not deviate.

    A layer has cores of its own, for their neurons share all parameters. A neuron is matched where it begins to fire:
    its rheobase is that of the network's neuron. A bias takes a synapse, from a source that fires in every step. A
    readout at the end is left to the host.

    **Arguments:**

    - `mode`: "chip" or "dynapsim".
    - `mismatch`: Relative standard deviation of every bias, capacitance and voltage of every neuron; drawn at
      deployment.

    Reference: Richter2024.

    >>> import memsim as ms
    >>> chip = ms.chips.DYNAPSE2(mode="dynapsim", mismatch=0.0)
    >>> chip.conventions.fires, chip.conventions.spikes
    (('above', 'at'), 127)
    """

    mode: Mode = eqx.field(static=True, default="chip")
    mismatch: float = eqx.field(static=True, default=float(LIMITS["mismatch"]))

    def __check_init__(self):
        check(self, mismatch=fraction(one=False))

    @property
    def name(self) -> str:
        return "dynapse2"

    @property
    def checked(self) -> str:
        return "assumed mismatch" if self.mode == "chip" else "every spike checked against rockpool 3.1.0 DynapSim"

    @property
    def conventions(self) -> Conventions:
        spikes = 1 if self.mode == "chip" else MOST["input"]
        return Conventions(("above", "at"), ("zero",), acts=0, spikes=spikes, refractory=MOST["refractory"])

    @property
    def most_input(self) -> int:
        return MOST["input"]

    def problems(self, layers: tuple[Stage, ...]) -> Iterator[Problem]:
        for place, layer in enumerate(layers):
            if not _left_to_host(layers, place):
                yield from _problems(layer)
        cores = self.cores(layers)
        if cores > MOST["cores"]:
            came = f"{cores}, {MOST['neurons']} neurons of one layer each"
            yield Problem("", f"at most {MOST['cores']} cores", came, "Make layers smaller or fewer.")

    def cores(self, layers: tuple[Stage, ...]) -> int:
        held = [layer for place, layer in enumerate(layers) if not _left_to_host(layers, place)]
        return sum(math.ceil(layer.size / MOST["neurons"]) for layer in held)

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
                "`dynapse2(mismatch=0.0)`."
            )
        parts: list[AbstractPart] = []
        reports: list[Quantised] = []
        for place, (layer, each) in enumerate(zip(layers, jr.split(_or_any(key), len(layers)), strict=True)):
            if _left_to_host(layers, place):
                parts.append(on_host(layer))
            else:
                part, report = _placed(layer, self, each)
                parts.append(part)
                reports.append(report)
        return Layers(tuple(parts), tuple(reports))


def _or_any(key: Key[Array, ""] | None) -> Key[Array, ""]:
    """A key where none is needed."""
    return jr.key(0) if key is None else key


def _left_to_host(layers: tuple[Stage, ...], place: int) -> bool:
    layer = layers[place]
    return place == len(layers) - 1 and place > 0 and layer.habits().firing is None and layer.recurrent is None


def _problems(layer: Stage) -> Iterator[Problem]:
    path = layer.path
    if not isinstance(layer.neuron, LIF | CuBaLIF):
        remedy = "Train with `LIF` or `CuBaLIF`; a readout is left to the host, but at the end only."
        yield Problem(path, "neurons that leak and fire", type(layer.neuron).__name__, remedy)
        return
    neurons, synapses = layer.dynamics(), layer.synapses()
    biased = is_known(synapses.bias) and bool(np.any(np.asarray(synapses.bias) != 0))
    yield from wiring_problems(layer, MOST["synapses"] - biased)
    times = {"tau_mem": neurons.decay, "tau_syn": neurons.current_decay}
    for name, decay in times.items():
        if decay is None or not is_known(decay):
            continue
        found = -(neurons.dt or 1e-3) / np.log(np.asarray(decay))
        if not np.allclose(found, found[0], rtol=1e-3):
            yield Problem(path, f"one `{name}` for all its neurons", "several", "A core has one: train it as a float.")
        if found.max() > float(LIMITS["time"]):
            most = float(LIMITS["time"])
            yield Problem(
                path, f"a `{name}` of at most {most:g} s", f"{found.max():.3g} s", "Train with a shorter one."
            )


def _placed(layer: Stage, chip: DYNAPSE2, key: Key[Array, ""]) -> tuple[Layer, Quantised]:
    found, neurons = settings(layer), layer.dynamics()
    base_key, circuit_key = jr.split(key)
    weight = found.exact
    if chip.mode == "chip":
        bases = found.bases[None] * _factors(chip.mismatch, (layer.size, BITS), key=base_key)
        weight = as_currents(found.codes, bases)
    inputs = layer.inputs
    cores = math.ceil(layer.size / MOST["neurons"])
    part = Layer(
        weight=weight[:, :inputs],
        constant=weight[:, inputs],
        feedback=None if layer.recurrent is None else weight[:, inputs + 1 :],
        codes=found.codes[:, :inputs],
        circuit=deviating(found.circuit, layer.size, chip.mismatch, key=circuit_key),
        unit=found.unit,
        rest=neurons.rest,
        core=jnp.arange(layer.size, dtype=jnp.int32) // MOST["neurons"],
        dt=neurons.dt or 1e-3,
        subtractive=chip.mode == "chip",
        spiking=True,
        cores=cores,
        path=layer.path,
    )
    return part, found.report


def as_currents(
    codes: Int[Array, "outputs sources"], bases: Float[Array, "outputs bits"]
) -> Float[Array, "outputs sources"]:
    """The sum of the base currents that each code asks for, with its sign."""
    asked = (jnp.abs(codes)[:, :, None] >> jnp.arange(BITS, dtype=jnp.int32)[None, None]) & 1
    return jnp.sign(codes).astype(bases.dtype) * jnp.einsum("oib,ob->oi", asked.astype(bases.dtype), bases)


def deviating(circuit: Circuit, units: int, sigma: float, *, key: Key[Array, ""]) -> Circuit:
    """A `circuit` of each neuron, with a normal deviation of every parameter that a bias or a layout sets."""
    found = {}
    for name, each in zip(circuit._fields, jr.split(key, len(circuit)), strict=True):
        factor = jnp.ones(units) if name in FIXED else _factors(sigma, (units,), key=each)
        found[name] = getattr(circuit, name) * factor
    return Circuit(**found)


def _factors(sigma: float, shape: tuple[int, ...], *, key: Key[Array, ""]) -> Float[Array, "..."]:
    return jnp.maximum(1 + sigma * jr.normal(key, shape), SMALLEST)
