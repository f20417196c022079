r"""The neuron of DYNAP-SE2 in currents, as DynapSim steps it: forward Euler from one step to the next.

A synapse is a low-pass filter, $I \to e^{-dt/\tau_s} I + (1 - e^{-t_p/\tau_s})\,\max(\frac{I_g}{I_\tau} I_w, I_0)$,
with $\tau = C U_T / (\kappa I_\tau)$ and the length $t_p = C V_\mathrm{th} / I$ of a pulse. The membrane is a current
with positive feedback,

$$\dot I_m = \frac{I_m}{\tau_m (I_m + I_g)} \Bigl(\frac{I_g}{I_\tau} (I_\mathrm{in} - I_l) + \frac{I_0}{I_l}
\Bigl(\frac{I_m}{I_0}\Bigr)^{\kappa/(\kappa+1)} (I_m + I_g) - I_m \bigl(1 + \frac{I_a}{I_\tau}\bigr)\Bigr),$$

whose leak $I_l = I_\tau + I_a$ holds the adaptation $I_a$. No current falls below $I_0$. A neuron gives
$\lceil\ln(I_m / I_\theta)\rceil$ spikes where $I_m > I_\theta$, is set to $I_0$, and hears nothing for its refractory
time.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

Values = Float[Array, "..."]
Seconds = float | Float[Array, ""]


class Circuit(NamedTuple):
    """Currents, capacitances and voltages of neurons, one value or one a neuron; names are those of the equations.

    **Arguments:**

    - `Idc`: Constant input, in amperes.
    - `Igain_mem`, `Itau_mem`, `Igain_syn`, `Itau_syn`, `Igain_ahp`, `Itau_ahp`: Gains and leaks of the filters, in
      amperes.
    - `Iw_ahp`: What a spike adds to the adaptation, before its gain, in amperes.
    - `Ipulse`, `Ipulse_ahp`, `Iref`: By which the lengths of pulses and the refractory time are set, in amperes.
    - `Ispkthr`: Membrane current above which a neuron fires, in amperes.
    - `Io`: Leakage of a transistor, in amperes.
    - `C_mem`, `C_syn`, `C_ahp`, `C_pulse`, `C_pulse_ahp`, `C_ref`: In farads.
    - `kappa_n`, `kappa_p`: Slope factors of transistors.
    - `Ut`, `Vth`: Thermal and threshold voltage, in volts.
    """

    Idc: Values
    Igain_mem: Values
    Itau_mem: Values
    Igain_syn: Values
    Itau_syn: Values
    Igain_ahp: Values
    Itau_ahp: Values
    Iw_ahp: Values
    Ipulse: Values
    Ipulse_ahp: Values
    Iref: Values
    Ispkthr: Values
    Io: Values
    C_mem: Values
    C_syn: Values
    C_ahp: Values
    C_pulse: Values
    C_pulse_ahp: Values
    C_ref: Values
    kappa_n: Values
    kappa_p: Values
    Ut: Values
    Vth: Values

    @property
    def kappa(self) -> Values:
        return (self.kappa_n + self.kappa_p) / 2

    def time_constant(self, capacitance: Values, current: Values) -> Values:
        return capacitance * self.Ut / (self.kappa * current)

    def pulse(self, capacitance: Values, current: Values) -> Values:
        return self.Vth * capacitance / current

    @property
    def refractory(self) -> Values:
        return self.pulse(self.C_ref, self.Iref)


class Soma(NamedTuple):
    """Adaptation and membrane currents, the membrane's voltage, last spikes, and the refractory time still to come."""

    adaptation: Float[Array, " units"]
    current: Float[Array, " units"]
    voltage: Float[Array, " units"]
    spikes: Float[Array, " units"]
    wait: Float[Array, " units"]


def at_rest(to: Circuit, units: int) -> Soma:
    """Neurons before the first step."""
    floor, zero = jnp.broadcast_to(to.Io, (units,)), jnp.zeros(units)
    return Soma(floor, floor, zero, zero, zero)


def synapse(to: Circuit, current: Values, weighted: Values, dt: Seconds) -> Values:
    """The synaptic current after a step in which pulses of `weighted` amperes have come."""
    tau = to.time_constant(to.C_syn, to.Itau_syn)
    charge = 1 - jnp.exp(-to.pulse(to.C_pulse, to.Ipulse) / tau)
    return jnp.exp(-dt / tau) * current + charge * jnp.maximum(to.Igain_syn / to.Itau_syn * weighted, to.Io)


def soma(to: Circuit, neurons: Soma, received: Values, dt: Seconds) -> tuple[Soma, Values]:
    """The neurons after a step with the current `received` from their synapses, and the membrane before its reset."""
    tau = to.time_constant(to.C_ahp, to.Itau_ahp)
    charge = 1 - jnp.exp(-to.pulse(to.C_pulse_ahp, to.Ipulse_ahp) / tau)
    jump = charge * to.Igain_ahp / to.Itau_ahp * to.Iw_ahp * neurons.spikes
    adaptation = jnp.maximum(jnp.exp(-dt / tau) * neurons.adaptation + jump, to.Io)
    leak = to.Itau_mem + adaptation
    hears = neurons.wait <= 0
    entered = jnp.maximum(jnp.where(hears, received - leak + to.Idc, 0.0), to.Io)
    rate = _rate(to, neurons, adaptation, leak, entered)
    current = jnp.maximum(neurons.current + dt * rate, to.Io)
    spikes = jnp.maximum(jnp.ceil(jnp.log(current / to.Ispkthr)), 0.0)
    fired = spikes > 0
    wait = jnp.where(fired, to.refractory, jnp.maximum(neurons.wait - dt, 0.0))
    voltage = to.Ut / to.kappa * jnp.log(current / to.Io)
    after = Soma(adaptation, jnp.where(fired, to.Io, current), voltage, spikes, wait)
    return after, current


def _rate(to: Circuit, neurons: Soma, adaptation: Values, leak: Values, entered: Values) -> Values:
    exponent = to.kappa**2 / (to.kappa + 1) * neurons.voltage / to.Ut
    feedback = to.Io * jnp.exp(exponent) / leak * (neurons.current + to.Igain_mem)
    driven = to.Igain_mem / to.Itau_mem * (entered - leak) + feedback
    lost = neurons.current * (1 + adaptation / to.Itau_mem)
    tau = to.time_constant(to.C_mem, leak)
    return neurons.current / (tau * (neurons.current + to.Igain_mem)) * (driven - lost)
