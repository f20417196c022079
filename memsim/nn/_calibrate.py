"""Converter ranges found from data, and what the converters clip."""

import dataclasses
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Key, Num

from device_models import Ideal

from .._array import ADC, DAC, AbstractRanges, AnalogMatrix, Clipping, Crossbar, Percentile, PulseWidthDAC, Reads
from .._checks import check_finite_model, checked, described
from .._keeping import progress
from ._calling import evaluating
from ._deploy import CONVERTED, analog_layers, digital_weight
from ._designing import AbstractDesigning
from ._mixed_signal import DESIGNS, Designs, MixedSignal, check_designs, crossbar_of
from ._per_layer import PerLayer
from ._synapses._keyed import KeyedMatrix
from ._synapses._synapse import AbstractAnalog
from ._told import tell_silent
from ._word_lines import SAMPLES, checked_samples, word_lines

COVERING = Percentile()


@checked(xs=SAMPLES, crossbar=DESIGNS)
def calibrate(
    model: Any,
    xs: Num[Array, "batch *sample"] | np.ndarray | list,
    crossbar: Designs,
    *,
    ranges: AbstractRanges = COVERING,
    key: Key[Array, ""] | None = None,
) -> PerLayer | MixedSignal:
    """A design for each layer, with converter ranges that suit what the digital `model` does on `xs`.

    The input range of a DAC is chosen from the layer's inputs; the full scale of an ADC from the currents that the bit
    lines of a tile carry with ideal cells, wires and amplifiers, pulse by pulse, one for each slice of the weights. Use
    training data. The result goes wherever a design goes: `memsim.deploy(model, calibrate(model, xs, crossbar), t,
    key=key)`. Ranges of a `LearnedRanges` are those that it has learned.

    **Arguments:**

    - `model`: A digital network, or any other model that is called on one sample, such as a converted one of Equinox.
      Dropout and norms are in inference mode. Its layers are watched wherever they are called: under `jax.vmap`, in a
      scan, several times.
    - `xs`: A batch of samples, finite; of a network, of sequences.
    - `crossbar`: A design, or a function `path, layer -> design | None`.
    - `ranges`: `Percentile(coverage)`, `LeastSquares()` or `Maximal()`.
    - `key`: For models that draw random numbers.

    Raises `ValueError` for samples that do not fit, and for a layer that none of them reaches.

    >>> import equinox as eqx, jax.random as jr, device_models as dm, memsim as ms
    >>> model = ms.nn.convert(eqx.nn.MLP(4, 2, 8, 1, key=jr.key(0)))
    >>> xs = jr.normal(jr.key(1), (100, 4))
    >>> design = ms.calibrate(model, xs, ms.Crossbar(dm.pcm_joshi2020(), dac=ms.DAC(8), adc=ms.ADC(8)))
    >>> print({path: f"{each.dac.input_range:.1f}" for path, each in design.designs.items()})
    {'.layers[0]': '3.0', '.layers[1]': '2.2'}
    """
    check_designs(crossbar)
    if isinstance(model, AbstractDesigning):
        return model.design(crossbar)
    for path, layer in analog_layers(model).items():
        check_finite_model(layer, f"model{path}")
    layers, designs = analog_layers(model), dict[str, Crossbar | None]()
    if not layers and not isinstance(crossbar, MixedSignal):
        raise ValueError(
            f"`model` must hold a layer that can sit on a crossbar. Got none in {described(model)}. {CONVERTED}"
        )
    with progress("layer", len(layers), words="compiling") as show:
        inputs = word_lines(evaluating(model), checked_samples(model, xs), key)
        for place, (path, layer) in enumerate(layers.items()):
            show(place, f"ranges of {path}")
            design = crossbar_of(crossbar, path, layer)
            if design is not None:
                design = _ranged(design, layer, digital_weight(path, layer), inputs[path], ranges)
            designs[path] = design
    tell_silent([path for path, design in designs.items() if _has_converters(design) and not inputs[path].any()])
    return MixedSignal(PerLayer(designs), crossbar.neurons) if isinstance(crossbar, MixedSignal) else PerLayer(designs)


def _ranged(design: Crossbar, layer: AbstractAnalog, w: Array, x: Array, ranges: AbstractRanges) -> Crossbar:
    if design.dac is not None:
        input_range = ranges.of_inputs(x, design.dac.bits)
        design = eqx.tree_at(lambda d: d.dac.input_range, design, input_range)
    if design.adc is None:
        return design
    ideal = _without_faults(design).deploy(w, 0.0, key=jr.key(0))
    cells = jnp.stack(layer.as_wired(ideal).currents(x)).reshape(-1, ideal.sums.slices, ideal.outputs)
    found = [ranges.of_currents(cells[:, s], design.adc.bits) for s in range(ideal.sums.slices)]
    each = [full_scale for full_scale in found if full_scale is not None]
    full_scale = jnp.stack(each) if len(each) > 1 else found[0]
    return eqx.tree_at(lambda d: d.adc.full_scale, design, full_scale, is_leaf=lambda leaf: leaf is None)


def _has_converters(design: Crossbar | None) -> bool:
    return design is not None and not (design.dac is None and design.adc is None)


def _without_faults(design: Crossbar) -> Crossbar:
    """The mapping and the input coding of `design` on ideal cells, its currents in units of one fully-on cell."""
    off, on = design.cell_range
    device, dac = Ideal(off, on, design.device.iv), design.dac  # pyright: ignore[reportArgumentType]
    if isinstance(dac, DAC | PulseWidthDAC):
        dac = dataclasses.replace(dac, bits=None, errors=None)
    return Crossbar(
        device,
        design.mapping,
        dac,
        ADC(None, 1.0),
        compensation=None,
        tile=design.tile,
        reads=Reads(v_read=design.reads.v_read),
    )


@checked(xs=SAMPLES)
def clipping(
    model: Any, xs: Num[Array, "batch *sample"] | np.ndarray | list, *, key: Key[Array, ""] | None = None
) -> dict[str, Clipping]:
    """What the converters of each layer clip while a deployed `model`, of any kind, runs on the samples `xs`.

    **Arguments:**

    - `model`: Deployed; with read noise it needs `key`.
    - `xs`: A batch of samples, or of sequences.

    **Returns:** By path, the share of inputs that the `dac` clips, and of each row tile's currents that the `adc` does.

    >>> import equinox as eqx, jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> model = ms.nn.convert(eqx.nn.Linear(2, 1, key=jr.key(0)))
    >>> chip = ms.deploy(model, ms.Crossbar(dm.Ideal(), dac=ms.DAC(8, input_range=1.0)), 0.0, key=jr.key(1))
    >>> clipped = ms.nn.clipping(chip, jnp.array([[0.5, 3.0], [-2.0, 0.1]]))
    >>> [float(found.dac) for found in clipped.values()]  # two of four inputs are beyond 1
    [0.5]
    """
    run_key, read_key = (None, None) if key is None else jr.split(key)
    inputs = word_lines(evaluating(model), checked_samples(model, xs), run_key)
    found: dict[str, Clipping] = {}
    for place, (path, layer) in enumerate(analog_layers(model).items()):
        matrix = layer.weight.matrix if isinstance(layer.weight, KeyedMatrix) else layer.weight
        if isinstance(matrix, AnalogMatrix):
            layer_key = None if read_key is None else jr.fold_in(read_key, place)
            found[path] = layer.as_wired(matrix).clipping(inputs[path], key=layer_key)
    return found
