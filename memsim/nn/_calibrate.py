"""Converter ranges found from data, and what the converters clip."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Key, Num

from device_models import Ideal

from .._converters._adc import ADC
from .._converters._dac import DAC, PulseWidthDAC
from .._crossbar import Crossbar
from .._matrix import AnalogMatrix, Clipping
from .._ranges import AbstractRanges, Percentile
from ._deploy import analog_layers, digital_weight
from ._mixed_signal import Designs, MixedSignal, crossbar_of
from ._networks._network import AbstractNetwork
from ._synapses._synapse import AbstractAnalog

COVERING = Percentile()


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
    ranges: AbstractRanges = COVERING,
) -> PerLayer | MixedSignal:
    """A design for each layer, with converter ranges that suit what the digital `model` does on `xs`.

    The input range of a DAC is chosen from the layer's inputs; the full scale of an ADC from the currents that the bit
    lines of a tile carry with ideal cells, wires and amplifiers, pulse by pulse, one for each slice of the weights. Use
    training data. The result goes wherever a design goes: `memsim.deploy(model, calibrate(model, xs, crossbar), t,
    key=key)`.

    **Arguments:**

    - `model`: A digital network.
    - `xs`: A batch of sequences.
    - `crossbar`: A design, or a function `path, layer -> design | None`.
    - `ranges`: `Percentile(coverage)`, `LeastSquares()` or `Maximal()`.
    """
    inputs = _word_lines(model, xs)
    designs = {}
    for path, layer in analog_layers(model).items():
        design = crossbar_of(crossbar, path, layer)
        if design is not None:
            design = _ranged(design, layer, digital_weight(path, layer), inputs[path], ranges)
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


def _ranged(design: Crossbar, layer: AbstractAnalog, w: Array, x: Array, ranges: AbstractRanges) -> Crossbar:
    if design.dac is not None:
        input_range = ranges.of_inputs(x, design.dac.bits)
        design = eqx.tree_at(lambda d: d.dac.input_range, design, input_range)
    if design.adc is None:
        return design
    ideal = _without_faults(design).deploy(w, 0.0, key=jr.key(0))
    cells = jnp.stack(layer.as_wired(ideal).currents(x)).reshape(-1, ideal.slices, ideal.outputs)
    found = [ranges.of_currents(cells[:, s], design.adc.bits) for s in range(ideal.slices)]
    each = [full_scale for full_scale in found if full_scale is not None]
    full_scale = jnp.stack(each) if len(each) > 1 else found[0]
    return eqx.tree_at(lambda d: d.adc.full_scale, design, full_scale, is_leaf=lambda leaf: leaf is None)


def _without_faults(design: Crossbar) -> Crossbar:
    """The mapping and the input coding of `design` on ideal cells, its currents in units of one fully-on cell."""
    device, dac = Ideal(design.device.g_min, design.device.g_max, design.device.iv), design.dac
    if isinstance(dac, DAC | PulseWidthDAC):
        dac = dataclasses.replace(dac, bits=None, errors=None)
    return Crossbar(
        device, design.mapping, dac, ADC(None, 1.0), compensation=None, tile=design.tile, v_read=design.v_read
    )


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
