"""What the study of images measures beside accuracy on chips: noise of one kind, adapted norms, and single effects."""

import dataclasses
from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

import device_models as dm
import memsim as ms

KINDS = ("weight", "input", "output")
NORMS = ("as trained", "re-estimated")
ONE_TILE = (1024, 1024)
FAR = 1e3  # in cells: inputs of the layers here are below 10


def noisy_accuracies(
    model: Callable,
    profile: Array,
    test: tuple[Array, Array],
    stds: Sequence[float],
    chips: Array,
    *,
    key: Key[Array, ""],
) -> Float[np.ndarray, "kinds stds chips"]:
    """Accuracy on `test` with noise of each of the `KINDS` alone, of each size."""
    noise, start = Noise(model, profile), jnp.zeros(1)

    def on_chips(kind: str, std: float) -> Array:
        return ms.study.chip_accuracies(*noise.of(kind, jnp.asarray(std)), *test, start, chips, key=key)[:, 0]

    return np.asarray([[on_chips(kind, std) for std in stds] for kind in KINDS])


def costs_alone(
    model: Callable, test: ms.data.Dataset, crossbar: ms.nn.PerLayer, time: float, chips: int, *, key: Key[Array, ""]
) -> Float[np.ndarray, " effects"]:
    """Accuracy that each of `memsim.EFFECTS` costs alone, NaN for those that there are not."""
    found = ms.study.attribute(model, test, crossbar, chips=chips, times=(time,), key=key)
    table = ms.study.attribution_table(found).set_index("effect").cost_alone
    return table.reindex(ms.EFFECTS).to_numpy() / 100


class Preceded(eqx.Module):
    """A layer behind another, which leaves its input as it is but for noise."""

    before: ms.nn.Linear | ms.nn.Conv2d
    layer: Callable

    def __call__(self, x: Array, *, key: Key[Array, ""] | None = None) -> Array:
        keys = (None, None) if key is None else jr.split(key)
        return self.layer(self.before(x, key=keys[0]), key=keys[1])


class Noise:
    """Noise of one kind in every layer of a model, otherwise exact, in fractions of the range that this kind has.

    Of a weight: of the largest of its bit line, drawn with the chip. Of an input: of the layer's input range, drawn for
    each value and read. Of an output: of the full scale of the layer's ADC, drawn for each read. Ranges are those of
    `memsim.calibrate` on a `profile`.
    """

    def __init__(self, model: Callable, profile: Array):
        design = ms.Crossbar(dm.Ideal(), dac=ms.DAC(8), adc=ms.ADC(8), compensation=None, tile=ONE_TILE)
        found = ms.calibrate(model, profile, design)
        assert isinstance(found, ms.nn.PerLayer)
        self.model, self.designs = model, {path: one for path, one in found.designs.items() if one is not None}

    def of(self, kind: str, std: Float[Array, ""]) -> tuple[Callable, ms.nn.PerLayer]:
        """The model, and the design of each of its layers."""
        if kind == "weight":
            return self.model, ms.nn.PerLayer(dict.fromkeys(self.designs, weights_with(std)))
        if kind == "output":
            return self.model, ms.nn.PerLayer({path: outputs_with(std, one) for path, one in self.designs.items()})
        chosen: dict[str, ms.Crossbar | None] = {}
        for path, one in self.designs.items():
            chosen |= {f"{path}.before": reads_with(std * one.dac.input_range), f"{path}.layer": None}
        return preceded(self.model), ms.nn.PerLayer(chosen)


def weights_with(std: Float[Array, ""]) -> ms.Crossbar:
    """Each cell of a pair has half of the variance, and none is near zero."""
    size = 25e-6
    noise = dm.curves.Constant(size / 2**0.5)
    cell = dm.Gaussian(size, 2 * size, write_noise=noise, write_noise_scale=std)
    return ms.Crossbar(cell, compensation=None, tile=ONE_TILE)


def outputs_with(std: Float[Array, ""], ranged: ms.Crossbar) -> ms.Crossbar:
    sense = ms.SenseAmplifier(noise=std * ranged.adc.full_scale)
    dac = dataclasses.replace(ranged.dac, bits=None)
    adc = dataclasses.replace(ranged.adc, bits=None)
    return dataclasses.replace(ranged, dac=dac, adc=adc, reads=ms.Reads(sense=sense))


def reads_with(std: Float[Array, ""]) -> ms.Crossbar:
    """Outputs with this noise, in the units of the weights' products, far from the full scale of the ADC."""
    reads = ms.Reads(sense=ms.SenseAmplifier(noise=std))
    return ms.Crossbar(dm.Ideal(), adc=ms.ADC(None, FAR), compensation=None, tile=ONE_TILE, reads=reads)


def preceded(model: Callable) -> Callable:
    """`model` with an identity before each layer."""
    layers = ms.nn.analog_layers(model)

    def swap(path, node):
        layer = layers.get(jax.tree_util.keystr(path))
        return node if layer is None else Preceded(identity(layer), layer)

    kinds = tuple({type(layer) for layer in layers.values()})
    return jax.tree_util.tree_map_with_path(swap, model, is_leaf=lambda node: isinstance(node, kinds))


def identity(layer: Callable) -> ms.nn.Linear | ms.nn.Conv2d:
    if isinstance(layer, ms.nn.Conv2d):
        size = layer.in_channels
        made = ms.nn.Conv2d(size, size, 1, use_bias=False, key=jr.key(0))
    else:
        size = layer.weight.shape[1]
        made = ms.nn.Linear(size, size, use_bias=False, key=jr.key(0))
    return eqx.tree_at(lambda one: one.weight, made, jnp.eye(size))


@eqx.filter_jit
def adapted_or_not(
    model: ms.nn.Stateful,
    crossbar: ms.nn.PerLayer,
    profile: Array,
    test: tuple[Array, Array],
    times: Float[Array, " times"],
    chips: Array,
    *,
    key: Key[Array, ""],
) -> Float[Array, "2 chips times"]:
    """Accuracy on `test` of chips as they are, and with norms adapted there and then on a `profile` without labels."""

    def one_chip(number):
        program_key, life_key = jr.split(jr.fold_in(key, number))
        chip = ms.program(model, crossbar, key=program_key)

        def at_time(moment):
            place, t = moment
            moment_key, read_key, adapt_key = jr.split(jr.fold_in(life_key, place), 3)
            now = eqx.nn.inference_mode(ms.at(chip, t, key=moment_key))
            both = now, ms.nn.adapt_batch_norm(now, profile, key=adapt_key)
            return jnp.stack([ms.study.outcome(one, *test, key=read_key).accuracy for one in both])

        return jax.lax.map(at_time, (jnp.arange(times.shape[0]), times))

    return jnp.moveaxis(jax.lax.map(one_chip, chips), -1, 0)
