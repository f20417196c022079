"""Up to how many spikes a spiking network takes less than one of rates, here and in published studies."""

import math

import jax.numpy as jnp

from device_models import Sourced

from .._checks import at_least, checked, positive, whole
from ._periphery import Number


@checked(
    product=positive("in joules"),
    spike=positive("in joules"),
    step=at_least(0.0, "in joules"),
    steps=whole(1),
)
def break_even(product: Number, spike: Number, *, step: Number = 0.0, steps: int = 1) -> Number:
    r"""Spikes a synapse and inference up to which a spiking network takes less than the same one of rates.

    $s^* = (E_\mathrm{product} - T E_\mathrm{step}) / E_\mathrm{spike}$: of one synapse, what its product takes in the
    network of rates, less what it takes in each of $T$ steps without any spike, over what a spike takes. A share
    $s^* / T$ of the steps may then hold a spike. Zero where even a silent network takes more.

    **Arguments:**

    - `product`: A multiplication with its sum, its weight and its share of all else, in joules; all joules are of one
      synapse.
    - `spike`: One spike: its sum, and the weight that it fetches. Where the product takes more the larger its
      input is, less what it takes for the input that one spike stands for.
    - `step`: A step: states of neurons that are read and written, conversions, a clock.
    - `steps`: $T$, of an inference.

    >>> import memsim as ms
    >>> round(ms.energy.break_even(12.0, 7.0).item(), 2)  # of Davidson2021, in 32-bit sums
    1.71
    """
    return jnp.maximum((product - steps * step) / spike, 0.0)


FURBER = "Davidson2021, at 22 nm, in units of a 32-bit sum of 60 fJ, second-hand"
SPYX = "Heckel2026, from Yan2024"
BREAK_EVEN = {
    "davidson_product": Sourced(12.0, "1", f"{FURBER}: all that a product takes in the network of rates"),
    "davidson_spike": Sourced(7.0, "1", f"{FURBER}: a sum, a read and a write of memory"),
    "davidson": Sourced(1.72, "1", "Davidson2021: spikes a synapse, second-hand"),
    "dampfhoffer": Sourced((0.15, 1.38), "1", "Dampfhoffer2022, abstract: spikes a synapse, by the implementation"),
    "yan": Sourced(0.064, "1", "Yan2024, abstract of its second version: spikes a step, for 5 to 10 steps"),
    "yan_later": Sourced(0.057, "1", "Yan2024, abstract of its fourth version: spikes a step, for 5 steps"),
    "yan_ratio": Sourced(0.78, "1", "Yan2024: energy of a spiking network over that of rates, second-hand"),
    "yan_ratio_rate": Sourced(0.0581, "1", "Yan2024: spikes a step of that network, in 6 steps, second-hand"),
    "spyx": Sourced((0.0750, 0.0625, 0.0536, 0.0625, 0.0556, 0.0500), "1", "Heckel2026: spikes a step, for 5 to 10"),
    "spyx_sum": Sourced(0.05448e-12, "J", f"{SPYX}: a sum, a comparison, or a subtraction"),
    "spyx_multiply_32": Sourced(3.7e-12, "J", "Heckel2026, from Horowitz2014: 32-bit floats"),
    "spyx_add_32": Sourced(0.9e-12, "J", "Heckel2026, from Horowitz2014: 32-bit floats"),
    "spyx_outside": Sourced(20e-12, "J", f"{SPYX}: a bit of a weight, from a memory outside"),
    "spyx_inside": Sourced(0.25e-12, "J", f"{SPYX}: a bit of a membrane or an input"),
    "spyx_layers": Sourced((256.0, 128.0, 10.0), "1", "Heckel2026: its network"),
}
SPIKING_BITS = 8  # of weights and membranes of the spiking network of Heckel2026


def rate_bits(steps: int) -> int:
    """Bits of the values that so many steps of at most a spike stand for."""
    return math.ceil(math.log2(steps + 1))


def davidson() -> float:
    """Spikes a synapse of Davidson2021, from the two energies."""
    return float(break_even(float(BREAK_EVEN["davidson_product"]), float(BREAK_EVEN["davidson_spike"])))


def spyx(steps: int) -> float:
    """Spikes a step of Heckel2026, from its energies: weights come from outside, and each step moves all membranes."""
    n = {
        name: float(number) for name, number in BREAK_EVEN.items() if name.startswith("spyx_") and "layers" not in name
    }
    inputs, hidden, outputs = BREAK_EVEN["spyx_layers"].coefficients
    synapses, neurons, bits = inputs * hidden + hidden * outputs, hidden + outputs, rate_bits(steps)
    multiply = n["spyx_multiply_32"] * (bits / 32) ** 2 + n["spyx_add_32"] * bits / 32
    moved = (inputs + neurons) * bits * n["spyx_inside"] + 2 * neurons * n["spyx_sum"]
    spike = n["spyx_sum"] * (1 + hidden / synapses) + SPIKING_BITS * n["spyx_outside"]
    step = hidden * n["spyx_sum"] + neurons * 2 * SPIKING_BITS * n["spyx_inside"]
    found = break_even(multiply + bits * n["spyx_outside"] + moved / synapses, spike, step=step / synapses, steps=steps)
    return float(found) / steps
