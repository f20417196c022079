"""Machines that read one network as values or as spikes, and the networks that they read."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

import memsim as ms
from memsim.energy._break_even import rate_bits

nn = ms.nn
PULSE = 10e-9  # seconds of a spike, and of one step of a pulse width, assumed
BIAS = 10e-9  # amperes of an analog neuron, assumed
DESIGN = ms.recipes.hermes()
ADC = ms.ADC(8, 10.0)  # cells, as of the recipe
READ = {"reads": DESIGN.reads, "tile": DESIGN.tile, "compensation": None}


class Machine(NamedTuple):
    """What reads values, and what reads spikes: digital machines, or designs of arrays with what is around them.

    `spikes_adc` is what converts after each step of spikes; `None` where analog neurons take the current.
    """

    node: float
    digital: ms.energy.AbstractMachine | None
    spikes_adc: ms.ADC | None = None

    def joules_of_values(self, model: Any, xs: Array, steps: int, *, key: Key[Array, ""]) -> Float[Array, " samples"]:
        """Of each sample: on an array with values of as many bits as so many `steps` of spikes stand for, else of 8."""
        if self.digital is not None:
            cost = ms.energy.digital(model, xs, node=self.node, machine=self.digital)
            return jnp.asarray(cost.joules.sum(("layer", "component")).values)
        chip_key, read_key = jr.split(key)
        around = self.around(PULSE * (2 ** rate_bits(steps) - 1))
        chip = ms.program(model, of_values(steps), key=chip_key)
        return jnp.sum(ms.energy.joules(chip, xs, periphery=around, key=read_key), axis=(1, 2))

    def joules_of_spikes(
        self, model: nn.SpikingNetwork, spikes: Array, *, key: Key[Array, ""]
    ) -> Float[Array, " samples"]:
        """Of each sample of (steps, inputs)."""
        if self.digital is not None:
            cost = ms.energy.digital(model, spikes, node=self.node, machine=ms.energy.EventDriven())
            return jnp.asarray(cost.joules.sum(("layer", "component")).values)
        chip_key, read_key = jr.split(key)
        chip = ms.program(model, of_spikes(self.spikes_adc), key=chip_key)
        return jnp.sum(ms.energy.joules(chip, spikes, periphery=self.around(PULSE), key=read_key), axis=(1, 2))

    def around(self, pulse: float) -> ms.energy.Periphery:
        """With analog neurons where nothing converts."""
        bias = BIAS if self.digital is None and self.spikes_adc is None else None
        return ms.energy.Periphery(node=self.node, pulse=pulse, neuron_bias=bias)


def machines(node: float) -> dict[str, Machine]:
    """By name. Spikes meet an event-driven core on the first two, an array without DAC on the others."""
    return {
        "systolic": Machine(node, ms.energy.Systolic()),
        "processor": Machine(node, ms.energy.Processor()),
        "array, ADC each step": Machine(node, None, ADC),
        "array, analog neurons": Machine(node, None),
    }


MACHINES = tuple(machines(28e-9))


def of_values(steps: int) -> ms.Crossbar:
    """The array with pulse widths of values; a bit more is their sign.

    Its ranges are chosen: values lie within 0 and 1, and the full scale is that of the recipe. As arrays they say so.
    """
    adc = ms.ADC(8, jnp.asarray(ADC.full_scale))
    return ms.Crossbar(DESIGN.device, dac=ms.PulseWidthDAC(rate_bits(steps) + 1, jnp.ones(())), adc=adc, **READ)


def of_spikes(adc: ms.ADC | None) -> ms.Crossbar:
    return ms.Crossbar(DESIGN.device, adc=adc, **READ)


def affine(machine: Machine, layer: nn.Linear, steps: int) -> tuple[float, float, float, float]:
    """Joules of one matrix: a read of values, more of it at full input, a silent step, and a spike on each row."""
    columns, rows = weight_of(layer).shape
    levels = 2 ** rate_bits(steps) - 1
    sizes = jnp.asarray([1 / levels, 1.0])
    low, high = machine.joules_of_values(layer, jnp.outer(sizes, jnp.ones(rows)), steps, key=jr.key(2))
    network = nn.SpikingNetwork([layer, integrators(columns)])
    spikes = jnp.zeros((2, steps, rows)).at[1, 0].set(1.0)
    silent, one = machine.joules_of_spikes(network, spikes, key=jr.key(2))
    graded = (high - low) / (1 - 1 / levels)
    return float(high - graded), float(graded), float(silent) / steps, float(one - silent)


def weight_of(layer: Any) -> Float[Array, "columns rows"]:
    """Of a digital layer."""
    return layer.weight


def integrators(size: int) -> nn.IF:
    """A spike a step at most, as often as the threshold was crossed."""
    return nn.IF(size, firing=nn.Firing(at_threshold="fires"))


def as_spikes(xs: Float[Array, "images pixels"], steps: int) -> Float[Array, "images steps pixels"]:
    """Regular spikes, as often as a value of 0 to 1 says."""
    neurons = integrators(xs.shape[1])

    def one(x: Array) -> Array:
        return neurons.run(jnp.broadcast_to(x, (steps, x.shape[0])), neurons.initial_state())[0]

    return jax.jit(jax.vmap(one))(xs)


class Values(eqx.Module):
    """Two matrices and a ReLU between them; with `levels`, inputs and hidden values are rounded and within 0 and 1."""

    first: nn.Linear
    second: nn.Linear
    levels: int | None = eqx.field(static=True, default=None)

    def __call__(self, x: Float[Array, " pixels"]) -> Float[Array, " classes"]:
        return self.second(self._rounded(jax.nn.relu(self.first(self._rounded(x)))))

    def _rounded(self, x: Array) -> Array:
        return x if self.levels is None else jnp.round(jnp.clip(x, 0.0, 1.0) * self.levels) / self.levels


def network(hidden: int, *, key: Key[Array, ""]) -> Values:
    """For images of 784 pixels and ten classes."""
    first, last = jr.split(key)
    layers = (nn.Linear(784, hidden, use_bias=False, key=first), nn.Linear(hidden, 10, use_bias=False, key=last))
    return Values(*layers)


def normed(model: Values, xs: Float[Array, "images pixels"]) -> Values:
    """The same function, with all but a thousandth of the hidden values of `xs` below 1: rates of a spike a step."""
    first, second = (weight_of(each) for each in (model.first, model.second))
    largest = jnp.quantile(jax.nn.relu(xs @ first.T), 0.999)
    weights = (first / largest, second * largest)
    return eqx.tree_at(lambda m: (m.first.weight, m.second.weight), model, weights)


def in_levels(model: Values, steps: int) -> Values:
    return Values(model.first, model.second, 2 ** rate_bits(steps) - 1)


def in_spikes(model: Values) -> nn.SpikingNetwork:
    """Integrators in the place of the ReLU; the outputs of all steps are added."""
    hidden = integrators(weight_of(model.first).shape[0])
    return nn.SpikingNetwork([model.first, hidden, model.second], chunk=None)


def accuracies(
    machine: Machine, model: Values, xs: Array, labels: np.ndarray, steps: int, *, key: Key[Array, ""]
) -> tuple[float, float]:
    """Share of images that are right, as spikes and as values."""
    chip_key, moment_key, read_key = jr.split(key, 3)
    keys = jr.split(read_key, len(xs))
    found = []
    for one, inputs, design in (
        (in_spikes(model), as_spikes(xs, steps), of_spikes(machine.spikes_adc)),
        (in_levels(model, steps), xs, of_values(steps)),
    ):
        placed = (
            one if machine.digital is not None else ms.at(ms.program(one, design, key=chip_key), 0.0, key=moment_key)
        )
        outputs = _outputs(placed, inputs, keys)
        outputs = jnp.sum(outputs, axis=1) if outputs.ndim == 3 else outputs
        found.append(float(np.mean(np.argmax(np.asarray(outputs), axis=1) == labels)))
    return found[0], found[1]


@eqx.filter_jit
def _outputs(model: Any, xs: Array, keys: Key[Array, " images"]) -> Array:
    return jax.vmap(lambda x, key: nn.call(model, x, key=key))(xs, keys)


def spikes_a_synapse(model: Values, spikes: Float[Array, "images steps pixels"]) -> float:
    """Counted on both matrices, the mean over images."""
    network = in_spikes(model)
    _, record = jax.vmap(lambda x: network(x, record="inputs"))(spikes)
    sizes = {path: weight_of(layer).shape for path, layer in nn.analog_layers(network).items()}  # columns, rows
    reached = sum(float(jnp.sum(record["inputs"][path])) * columns for path, (columns, _) in sizes.items())
    return reached / (len(spikes) * sum(columns * rows for columns, rows in sizes.values()))
