r"""Weights, time constants and refractory times as currents of DYNAP-SE2.

A network's neuron is matched where it begins to fire: the constant input that holds its membrane at the threshold is
the synaptic current that does so on the chip, its rheobase. The threshold is set to a tenth of the current at which the
membrane's feedback alone would hold it: 13 pA for 20 ms, below which the membrane is nearly linear. DynapSim's default
of 0.1 uA is reached only long after the feedback has run away.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from device_models import Sourced

from .._network._stages import Dynamics, Stage
from .._sums._quantised import Quantised, quantised
from ._biases import nearest
from ._rule import Circuit

ORIGIN = "rockpool 3.1.0, DynapSim's defaults"
NOMINAL = {
    "Io": Sourced(0.5e-12, "A", ORIGIN),
    "C_mem": Sourced(3e-12, "F", ORIGIN),
    "C_syn": Sourced(24.5e-12, "F", ORIGIN),
    "C_ahp": Sourced(40e-12, "F", ORIGIN),
    "C_pulse": Sourced(0.5e-12, "F", ORIGIN),
    "C_pulse_ahp": Sourced(0.5e-12, "F", ORIGIN),
    "C_ref": Sourced(1.5e-12, "F", ORIGIN),
    "kappa_n": Sourced(0.75, "1", ORIGIN),
    "kappa_p": Sourced(0.66, "1", ORIGIN),
    "Ut": Sourced(25e-3, "V", ORIGIN),
    "Vth": Sourced(0.7, "V", ORIGIN),
    "pulse": Sourced(10e-6, "s", ORIGIN),
    "tau_ahp": Sourced(50e-3, "s", ORIGIN),
    "gain_mem": Sourced(0.25, "1", "chosen by us, Igain_mem / Itau_mem: low, which keeps the membrane nearly linear"),
    "threshold": Sourced(0.1, "1", "chosen by us: Ispkthr, relative to where feedback alone holds the membrane"),
    "gain_syn": Sourced(100.0, "1", f"{ORIGIN}: Igain_syn / Itau_syn"),
}
BITS = 4  # base currents of a core, each twice the one before
LARGEST = (1 << BITS) - 1
CURVE = 512  # points of the membrane's characteristic


class Settings(NamedTuple):
    """A layer in the numbers of the chip.

    **Arguments:**

    - `codes`: Signed masks of base currents: of the inputs, of one that fires in every step, and of the feedback.
    - `bases`: Base currents, in amperes.
    - `exact`: What the codes round, in amperes.
    - `circuit`: Nominal, of the core.
    - `unit`: What a volt of the membrane is in the network's units.
    """

    codes: Int[Array, "outputs sources"]
    bases: Float[Array, " bits"]
    exact: Float[Array, "outputs sources"]
    circuit: Circuit
    unit: Float[Array, "..."]
    report: Quantised


def settings(layer: Stage) -> Settings:
    """One unit of a weight is such that the largest of the layer is the sum of all base currents."""
    synapses, feedback, neurons = layer.synapses(), layer.feedback(), layer.dynamics()
    bias = synapses.bias + (0.0 if feedback is None else feedback.bias)
    sources = [synapses.weight, jnp.expand_dims(bias, 1)] + ([] if feedback is None else [feedback.weight])
    circuit = core(neurons)
    wanted = jnp.concatenate(sources, axis=1) * jnp.expand_dims(amperes(neurons, circuit), 1)
    unit = jnp.maximum(jnp.max(jnp.abs(wanted)) / LARGEST, 1e-14)
    bases = nearest(unit * jnp.exp2(jnp.arange(BITS, dtype=unit.dtype))).current
    unit = jnp.sum(bases) / LARGEST  # what the generator gives, on average over the bases
    codes = jnp.clip(jnp.round(wanted / unit), -LARGEST, LARGEST).astype(jnp.int32)
    report = quantised(layer.path, wanted / unit, codes, largest=LARGEST)
    volts = circuit.Ut / circuit.kappa * jnp.log(circuit.Ispkthr / circuit.Io)
    return Settings(codes, bases, wanted, circuit, _threshold(neurons) / volts, report)


def core(neurons: Dynamics) -> Circuit:
    """The parameters that the neurons of a core share; time constants are rounded to what the bias generator gives."""
    n = {name: jnp.asarray(float(number)) for name, number in NOMINAL.items()}
    dt = 1e-3 if neurons.dt is None else neurons.dt
    thermal = n["Ut"] / ((n["kappa_n"] + n["kappa_p"]) / 2)
    tau_mem, tau_syn = membrane_time(neurons), synapse_time(neurons)
    leaks = {
        "Itau_mem": n["C_mem"] * thermal / tau_mem,
        "Itau_syn": n["C_syn"] * thermal / tau_syn,
        "Itau_ahp": n["C_ahp"] * thermal / n["tau_ahp"],
        "Ipulse": n["Vth"] * n["C_pulse"] / n["pulse"],
        "Ipulse_ahp": n["Vth"] * n["C_pulse_ahp"] / n["pulse"],
        "Iref": n["Vth"] * n["C_ref"] / (max(neurons.refractory, 1) * dt),
    }
    given = {name: nearest(wanted).current for name, wanted in leaks.items()}
    kappa = (n["kappa_n"] + n["kappa_p"]) / 2
    runaway = n["Io"] * (given["Itau_mem"] / n["Io"] + 1) ** (1 + 1 / kappa)  # where feedback alone holds the membrane
    return Circuit(
        **given,
        Idc=n["Io"],
        Igain_mem=n["gain_mem"] * given["Itau_mem"],
        Igain_syn=n["gain_syn"] * given["Itau_syn"],
        Igain_ahp=given["Itau_ahp"],
        Iw_ahp=n["Io"],
        Ispkthr=nearest(n["threshold"] * runaway).current,
        **{name: n[name] for name in Circuit._fields if name in n},
    )


def membrane_time(neurons: Dynamics) -> Float[Array, ""]:
    """Of the layer, in seconds: a core has one."""
    dt = 1e-3 if neurons.dt is None else neurons.dt
    return jnp.mean(-dt / jnp.log(neurons.decay))


def synapse_time(neurons: Dynamics) -> Float[Array, ""]:
    """As `membrane_time`; where spikes reach the membrane at once, one step, the shortest that a step resolves."""
    dt = 1e-3 if neurons.dt is None else neurons.dt
    return jnp.asarray(dt) if neurons.current_decay is None else jnp.mean(-dt / jnp.log(neurons.current_decay))


def amperes(neurons: Dynamics, circuit: Circuit) -> Float[Array, " units"]:
    """The weight, as a current, that a weight of one becomes."""
    dt = 1e-3 if neurons.dt is None else neurons.dt
    tau = circuit.time_constant(circuit.C_syn, circuit.Itau_syn)
    pulse = (1 - jnp.exp(-circuit.pulse(circuit.C_pulse, circuit.Ipulse) / tau)) * circuit.Igain_syn / circuit.Itau_syn
    held = 0.0 if neurons.current_decay is None else neurons.current_decay
    network = neurons.gain / ((1 - held) * (1 - neurons.decay))  # the membrane that an input of one a step holds
    chip = pulse / (1 - jnp.exp(-dt / tau))  # the synaptic current that does, for a weight of one ampere
    return rheobase(circuit) * network / (chip * _threshold(neurons))


def rheobase(circuit: Circuit) -> Float[Array, ""]:
    """The constant synaptic current above which a neuron fires."""
    leak = circuit.Itau_mem + circuit.Io
    currents = circuit.Io * jnp.exp(jnp.linspace(0.0, 1.0, CURVE) * jnp.log(circuit.Ispkthr / circuit.Io))
    exponent = circuit.kappa / (circuit.kappa + 1)
    feedback = circuit.Io * (currents / circuit.Io) ** exponent / leak * (currents + circuit.Igain_mem)
    held_back = jnp.max(currents * (1 + circuit.Io / circuit.Itau_mem) - feedback)
    return held_back * circuit.Itau_mem / circuit.Igain_mem + 2 * leak - circuit.Idc


def _threshold(neurons: Dynamics) -> Float[Array, "..."]:
    return jnp.ones(()) if neurons.threshold is None else neurons.threshold
