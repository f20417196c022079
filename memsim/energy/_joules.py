"""What a model on chips takes for each of its inputs: the pure function below `of`."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from .._array import Chip
from .._checks import TIME, check_optional_key, checked, write
from ..nn import analog_layers, at, neurons
from ..nn._calling import check_model, evaluating, is_network, measured
from ..nn._word_lines import SAMPLES, checked_samples
from ._bounds import judged
from ._conversions import Resolution
from ._layers import COMPONENTS, Geometry, geometry, read_seconds, square_metres, units
from ._periphery import Periphery
from ._supply import Supply, supply

PLAIN = Periphery()
PERIPHERY = write("Such as `ms.energy.Periphery(node=28e-9)`.")


class Joules(NamedTuple):
    """What each sample takes, by layer, in the order of `layers`.

    `joules` has the components of `COMPONENTS` on its last axis, `reads` counts the reads of the arrays, `pulses` those
    on word lines; `outputs` are those of the model.
    """

    joules: Float[Array, "samples layers components"]
    reads: Float[Array, "samples layers"]
    pulses: Float[Array, "samples layers"]
    seconds: Float[Array, "samples layers stages"]
    outputs: Any


class Arranged(NamedTuple):
    """A model at one moment, with what measures its reads; `digital` are its layers that are not on chips."""

    model: Any
    supplies: dict[str, Supply]
    geometries: dict[str, Geometry]
    neurons: dict[str, int]
    writes: dict[str, Float[Array, ""]]
    digital: tuple[str, ...]

    @property
    def pulsed(self) -> list[str]:
        """Layers without a DAC, whose inputs are taken for spikes."""
        return [path for path, one in self.supplies.items() if one.word_lines.dac is None]


@checked(xs=SAMPLES, t=TIME, periphery=PERIPHERY)
def joules(
    chip: Any, xs: Any, *, t: Any = 0.0, periphery: Periphery = PLAIN, key: Key[Array, ""] | None = None
) -> Float[Array, "samples layers components"]:
    """Joules of each sample, layer and component: the numbers of `of`, to be compiled and differentiated.

    The layers are those on chips, then the neurons, as `of` names them. Gradients pass to the conductances, to inputs
    and weights straight through the codes, and to the numbers of the `periphery`; counts of pulses have none.

    **Arguments:** as of `of`.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> chip = ms.program(ms.nn.Linear(3, 2, key=jr.key(0)), ms.Crossbar(dm.Ideal(), adc=ms.ADC(8)), key=jr.key(1))
    >>> ms.energy.joules(chip, jnp.ones((5, 3))).shape == (5, 1, len(ms.energy.COMPONENTS))
    True
    """
    arranged = arrange(chip, t, periphery, key)
    return measure(arranged, periphery, xs, read_key(key)).joules


def arrange(chip: Any, t: Any, around: Periphery, key: Key[Array, ""] | None) -> Arranged:
    """`chip` at `t`, with the drivers of its word lines."""
    check_model(chip)
    check_optional_key(key)
    layers = analog_layers(chip)
    on_chips = {path: layer for path, layer in layers.items() if isinstance(layer.weight, Chip)}
    if not on_chips:
        raise ValueError(
            "`chip` must be a model whose layers are programmed chips, of which the conductances are known. Got none. "
            "Write `chip = ms.program(model, crossbar, key=key)`, and its age as `t=`; a model from `ms.at` or "
            "`ms.deploy` no longer has them."
        )
    moment_key = None if key is None else jr.split(key)[0]
    return arranged_at(chip, at(chip, t, key=moment_key), t, around, moment_key)


def arranged_at(chip: Any, moment: Any, t: Any, around: Periphery, moment_key: Key[Array, ""] | None) -> Arranged:
    """`chip` at `t`, when it is `moment`, `ms.at(chip, t, key=moment_key)`."""
    layers = analog_layers(chip)
    on_chips = {path: layer for path, layer in layers.items() if isinstance(layer.weight, Chip)}
    model = evaluating(moment)
    moments = analog_layers(model)
    supplies, geometries, writes = {}, {}, {}
    for place, (path, layer) in enumerate(layers.items()):
        if path in on_chips:
            made: Any = layer.weight
            g = made.conductances(t, key=None if moment_key is None else jr.fold_in(moment_key, place))
            matrix: Any = moments[path].weight
            supplies[path] = supply(moments[path], made, matrix, g, around.pulse)
            geometries[path] = geometry(made, matrix, g)
            writes[path] = _programming(made, g, around)
    sizes = {path: int(np.prod(neuron.shape)) for path, neuron in neurons(model).items()}
    return Arranged(model, supplies, geometries, sizes, writes, tuple(sorted(set(layers) - set(on_chips))))


def measure(arranged: Arranged, around: Periphery, xs: Any, key: Key[Array, ""] | None) -> Joules:
    """What the samples `xs` take."""
    xs = checked_samples(arranged.model, xs)
    around = judged(around)
    keys = None if key is None else jr.split(key, xs.shape[0])
    return _measure(arranged, around, xs, keys)


@eqx.filter_jit
def _measure(arranged: Arranged, around: Periphery, xs: Array, keys: Key[Array, " samples"] | None) -> Joules:
    supplies = arranged.supplies

    def one(x: Array, key: Array | None) -> Any:
        y, sums = measured(arranged.model, x, key, supplies)
        none = (jnp.zeros(()),) * 4
        return y, [jnp.stack(sums.get(path, none)) for path in supplies]

    outputs, found = jax.vmap(one)(xs, keys)
    steps = xs.shape[1] if is_network(arranged.model) else 1
    first = xs.size // xs.shape[0]  # numbers of one sample
    parts, times = [], []
    counts = [each[:, 3] for each in found] + [jnp.zeros(xs.shape[0])] * len(arranged.neurons)
    pulses = [each[:, 1] for each in found] + [jnp.zeros(xs.shape[0])] * len(arranged.neurons)
    for place, (path, each) in enumerate(zip(supplies, found, strict=True)):
        of = arranged.geometries[path]
        seconds = jnp.expand_dims(each[:, 3], 1) * jnp.expand_dims(read_seconds(of, around), 0)
        outside = first * of.in_bits if around.off_chip and place == 0 else 0
        parts.append(_of_layer(of, around, each, jnp.sum(seconds, axis=1), outside))
        times.append(seconds)
    for size in arranged.neurons.values():
        parts.append(_of_neurons(size, steps, around, jnp.sum(jnp.stack(times), axis=(0, 2))))
        times.append(jnp.zeros_like(times[0]))
    return Joules(jnp.stack(parts, 1), jnp.stack(counts, 1), jnp.stack(pulses, 1), jnp.stack(times, 1), outputs)


def _of_layer(
    of: Geometry,
    around: Periphery,
    sums: Float[Array, "samples 4"],
    seconds: Float[Array, " samples"],
    outside: Resolution,
) -> Float[Array, "samples components"]:
    """Joules by component, from what its reads were measured to do."""
    array, pulses, volts, reads = sums.T
    unit = units(of, around)
    found = {name: reads * each for name, each in unit.read.items()}
    found |= {"array": array, "drivers": pulses * unit.pulse, "line charging": volts * unit.square_volt}
    found["off-chip memory"] = jnp.full_like(reads, outside * around.outside_bit)
    circuits = sum(area for name, area in square_metres(of, around).items() if name != "array")
    found["leakage"] = seconds * circuits * around.leakage
    none = jnp.zeros_like(reads)
    return jnp.stack([found.get(name, none) for name in COMPONENTS], axis=1)


def _of_neurons(
    size: int, steps: int, around: Periphery, seconds: Float[Array, " samples"]
) -> Float[Array, "samples components"]:
    """Joules of neurons, which are updated in each step, or have a bias current all the while."""
    if around.neuron_bias is None:
        each = jnp.full_like(seconds, size * steps * around.neuron_update)
    else:
        each = seconds * size * around.neuron_bias * around.v_dd
    none = jnp.zeros_like(seconds)
    return jnp.stack([each if name == "neurons" else none for name in COMPONENTS], axis=1)


def _programming(made: Chip, g: Float[Array, "planes rows lines"], around: Periphery) -> Float[Array, ""]:
    """Joules of the pulses that wrote all cells, and of a read of each cell after each of them."""
    each = g * around.write_volts**2 * around.write_seconds + g * made.crossbar.reads.v_read**2 * around.pulse
    return jnp.sum(each * made.pulses)


def read_key(key: Key[Array, ""] | None) -> Key[Array, ""] | None:
    return None if key is None else jr.split(key)[1]
