"""Converter ranges found from data, and what the converters clip."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Key, Num

from .._crossbar import Crossbar
from .._matrix import AnalogMatrix, Clipping
from ._deploy import analog_layers, digital_weight
from ._mixed_signal import Designs, MixedSignal, crossbar_of
from ._networks._network import AbstractNetwork
from ._synapses._synapse import AbstractAnalog


class PerLayer(eqx.Module):
    """A design for each layer by its path; goes wherever a design goes."""

    designs: dict[str, Crossbar | None]

    def __call__(self, path: str, layer: AbstractAnalog) -> Crossbar | None:
        if path not in self.designs:
            raise ValueError(f"A calibrated layer must be one of {sorted(self.designs)}. Got {path}; calibrate again.")
        return self.designs[path]


def calibrate(
    model: AbstractNetwork,
    xs: Num[Array, "batch steps *inputs"],
    crossbar: Designs,
    *,
    coverage: float = 0.9999,
) -> PerLayer | MixedSignal:
    """A design for each layer, whose converters just cover what the digital `model` does on `xs`.

    The input range of a DAC becomes the `coverage` quantile of the layer's input magnitude, the full scale of an ADC
    that of the current a bit line of one tile carries with ideal cells. Use training data. The result goes wherever a
    design goes: `memsim.deploy(model, calibrate(model, xs, crossbar), t, key=key)`.

    Raises `ValueError` for a coverage outside (0, 1].
    """
    if not 0 < coverage <= 1:
        raise ValueError(f"`coverage` must be in (0, 1]. Got {coverage}. Percent? Divide by 100.")
    inputs = _word_lines(model, xs)
    designs = {}
    for path, layer in analog_layers(model).items():
        design = crossbar_of(crossbar, path, layer)
        if design is not None:
            design = _ranged(design, layer, digital_weight(path, layer).T, inputs[path], coverage)
        designs[path] = design
    return MixedSignal(PerLayer(designs), crossbar.neurons) if isinstance(crossbar, MixedSignal) else PerLayer(designs)


@eqx.filter_jit
def _word_lines(model: AbstractNetwork, xs: Array, keys: Array | None = None) -> dict[str, Array]:
    """What the word lines of each analog layer are driven with: (sequences, steps, reads a step, inputs)."""
    xs = xs.astype(jnp.result_type(float))
    inputs = jax.vmap(lambda x, key: model(x, key=key, record="inputs")[1]["inputs"])(xs, keys)
    found = {}
    for path, layer in analog_layers(model).items():
        if path not in inputs:
            raise ValueError(
                f"A layer must stand in a network itself for its input to be recorded. Got {path}, within a module of "
                "another kind; give it a design with ranges of its own."
            )
        found[path] = jax.vmap(jax.vmap(layer.word_lines))(inputs[path])
    return found


def _ranged(design: Crossbar, layer: AbstractAnalog, w: Array, x: Array, coverage: float) -> Crossbar:
    full_input = 1.0
    if design.dac is not None:
        full_input = _quantile(jnp.abs(x), coverage)
        design = eqx.tree_at(lambda d: d.dac.input_range, design, full_input)
        x = jnp.clip(x, -full_input, full_input)
    if design.adc is None:
        return design
    scales = design.mapping.scales(w, design.tile)
    tiles = layer.as_wired(AnalogMatrix(w, None, jnp.ones_like(scales), None, None, design.tile[0])).partial_sums(x)
    cells = jnp.stack([jnp.abs(part) / scales[k][None] for k, part in enumerate(tiles)])
    return eqx.tree_at(lambda d: d.adc.full_scale, design, _quantile(cells, coverage) / full_input)


def _quantile(magnitude: Array, coverage: float) -> Array:
    value = np.quantile(np.asarray(magnitude), coverage)  # selects; the device would sort tens of millions of values
    return jnp.asarray(value if value > 0 else 1.0, magnitude.dtype)  # a silent layer has no range of its own


def clipping(
    model: AbstractNetwork, xs: Num[Array, "batch steps *inputs"], *, key: Key[Array, ""] | None = None
) -> dict[str, Clipping]:
    """What the converters of each layer clip while a deployed `model` runs on `xs`."""
    run_key, read_key = (None, None) if key is None else jr.split(key)
    keys = None if run_key is None else jr.split(run_key, xs.shape[0])
    inputs = _word_lines(model, xs, keys)
    found: dict[str, Any] = {}
    for place, (path, layer) in enumerate(analog_layers(model).items()):
        if isinstance(layer.weight, AnalogMatrix):
            layer_key = None if read_key is None else jr.fold_in(read_key, place)
            found[path] = layer.as_wired(layer.weight).clipping(inputs[path], key=layer_key)
    return found
