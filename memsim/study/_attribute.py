"""Why did accuracy fall? Every non-ideality alone, and each one left out."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key, Num

from device_models import AbstractDevice

from .._effects import EFFECTS, effects, without
from .._matrix import AnalogMatrix
from ..data import Dataset
from ..nn import AbstractNetwork, analog_layers, at, program
from ..nn._calibrate import PerLayer
from ..nn._deploy import digital_weight
from ..nn._mixed_signal import Designs, MixedSignal, crossbar_of
from ..nn._word_lines import word_lines
from ..train import class_scores, run_batch
from ._provenance import device_numbers, provenance
from ._robustness import check_times

if TYPE_CHECKING:
    from xarray import Dataset as Result

MEASURES = {  # name: dimensions of one variant, long name
    "accuracy": (("chip", "time"), "test accuracy"),
    "output_error": (("chip", "time"), "error of the network's scores, relative to their root mean square"),
    "layer_error": (("layer", "chip", "time"), "error of a layer's output at the digital network's inputs, relative"),
    "layer_gain": (("layer", "chip", "time"), "size of the presented weights, relative to the digital ones"),
    "dac_clipped": (("layer", "chip", "time"), "fraction of inputs that the DAC clips"),
    "adc_clipped": (("layer", "chip", "time"), "fraction of currents that the ADC clips"),
}


def attribute(
    model: AbstractNetwork,
    data: Dataset,
    crossbar: Designs,
    *,
    key: Key[Array, ""],
    chips: int = 10,
    times: Sequence[float] = (0.0,),
    recordings: int = 64,
    scores: Callable[[Array], Array] = class_scores,
) -> "Result":
    """What each non-ideality of `crossbar` costs `model` on `data`: alone, and as what is gained when it is left out.

    Chips are paired: chip i draws the same in every variant, but for what is removed. Variants that differ in more than
    numbers compile by themselves: some seconds each, and more behind wires that are solved exactly.
    `memsim.study.explain` says in words what `memsim.study.attribution_table` says in numbers and
    `memsim.plotting.attribution` draws.

    **Arguments:**

    - `model`: A digital network.
    - `data`: Such as `splits.test`.
    - `crossbar`: A design, or `path, layer -> design | None`. Neurons of a `MixedSignal` are the same in all variants.
    - `key`: For everything.
    - `chips`: Number of virtual chips.
    - `times`: Seconds after programming.
    - `recordings`: How many sequences, from the first, drive the layers for their errors.
    - `scores`: From the outputs of one sequence to one score a class.

    Returns an `xarray.Dataset` of the measures with all effects (`together`), with none (`ideal`: mapping and tiles
    only), and over (`case`, `effect`), case "alone" or "left out". Layer errors are those at the inputs of the digital
    network, so that no layer answers for another; a signal-to-noise ratio in dB at the column is
    -20 log10(layer_error). Raises `ValueError` for a design without any effect, no chips, or bad times.
    """
    import xarray as xr

    check_times(times)
    if chips < 1 or recordings < 1:
        raise ValueError(f"`chips` and `recordings` must be at least 1. Got chips={chips}, recordings={recordings}.")
    present = present_effects(model, crossbar)
    if not present:
        raise ValueError("`crossbar` must show at least one effect. Got an ideal design: nothing can cost accuracy.")
    xs, labels = jnp.asarray(data.inputs), jnp.asarray(data.labels)
    workload = Workload(xs, labels, word_lines(model, xs[:recordings], None), jnp.asarray(times, jnp.result_type(float)))
    removals: dict[Any, tuple[str, ...]] = {"together": (), "ideal": present}
    removals |= {("alone", e): tuple(other for other in present if other != e) for e in present}
    removals |= {("left out", e): (e,) for e in present}
    found = {
        name: measure(model, _without(model, crossbar, removed), workload, jnp.arange(chips), scores, key)
        for name, removed in removals.items()
    }
    variables: dict[str, Any] = {"digital_accuracy": ((), np.asarray(_digital_accuracy(model, workload, scores)))}
    for name, (dims, long_name) in MEASURES.items():
        attributes = {"units": "1", "long_name": long_name}
        each = [[found[case, e][name] for e in present] for case in ("alone", "left out")]
        variables[name] = (("case", "effect", *dims), np.asarray(each), attributes)
        for whole in ("together", "ideal"):
            variables[f"{name}_{whole}"] = (dims, np.asarray(found[whole][name]), attributes)
    coordinates = {
        "case": ["alone", "left out"],
        "effect": list(present),
        "layer": list(analog_layers(model)),
        "chip": np.arange(chips),
        "time": ("time", np.asarray(times, float), {"units": "s"}),
    }
    attributes = provenance() | device_numbers(crossbar) | {"data": data.citation}
    return xr.Dataset(variables, coordinates).assign_attrs(attributes)


def present_effects(model: AbstractNetwork, crossbar: Designs) -> tuple[str, ...]:
    """Those of `memsim.EFFECTS` that the design of at least one layer shows."""
    designs = [crossbar_of(crossbar, path, layer) for path, layer in analog_layers(model).items()]
    shown = {effect for design in designs if design is not None for effect in effects(design)}
    return tuple(effect for effect in EFFECTS if effect in shown)


class Workload(NamedTuple):
    """What every variant is measured on; `inputs` are those of each layer's word lines in the digital network."""

    xs: Num[Array, "batch steps *inputs"]
    labels: Array
    inputs: dict[str, Array]
    times: Float[Array, " times"]


@eqx.filter_jit
def measure(
    model: AbstractNetwork,
    crossbar: Designs,
    workload: Workload,
    chips: Array,
    scores: Callable[[Array], Array],
    key: Key[Array, ""],
) -> dict[str, Array]:
    """The `MEASURES` of one variant."""
    ideal = _class_scores(model, workload.xs, scores, None)
    outputs = {path: _outputs(layer, workload.inputs[path], None) for path, layer in analog_layers(model).items()}
    weights = {path: digital_weight(path, layer) for path, layer in analog_layers(model).items()}

    def one_chip(number):
        program_key, life_key = jr.split(jr.fold_in(key, number))
        chip = program(model, crossbar, key=program_key)

        def at_time(moment):
            place, t = moment
            moment_key, read_key, layer_key = jr.split(jr.fold_in(life_key, place), 3)
            aged = at(chip, t, key=moment_key)
            found = _class_scores(aged, workload.xs, scores, read_key)
            layers = [
                _layer_measures(layer, workload.inputs[path], outputs[path], weights[path], jr.fold_in(layer_key, i))
                for i, (path, layer) in enumerate(analog_layers(aged).items())
            ]
            right = jnp.argmax(found, -1) == workload.labels
            return {
                "accuracy": jnp.mean(right, dtype=found.dtype),
                "output_error": _relative_error(found, ideal),
                **{name: jnp.stack([layer[name] for layer in layers]) for name in layers[0]},
            }

        return jax.lax.map(at_time, (jnp.arange(workload.times.shape[0]), workload.times))

    found = jax.lax.map(one_chip, chips)
    return {name: jnp.moveaxis(values, 2, 0) if values.ndim == 3 else values for name, values in found.items()}


def _layer_measures(layer: Any, x: Array, ideal: Array, w: Array, key: Array) -> dict[str, Array]:
    if not isinstance(layer.weight, AnalogMatrix):
        nothing = jnp.zeros(())
        return dict.fromkeys(("layer_error", "dac_clipped", "adc_clipped"), nothing) | {"layer_gain": nothing + 1}
    matrix = layer.as_wired(layer.weight)
    read_key, clip_key = jr.split(key)
    clipped = matrix.clipping(x, key=clip_key)
    return {
        "layer_error": _relative_error(matrix(x, key=read_key), ideal),
        "layer_gain": jnp.sum(layer.weight.effective_weight * w) / jnp.maximum(jnp.sum(w**2), 1e-30),
        "dac_clipped": clipped.dac,
        "adc_clipped": jnp.mean(clipped.adc),
    }


def _outputs(layer: Any, x: Array, key: Array | None) -> Array:
    digital = AnalogMatrix(layer.weight.T, None, None, None, None, rows=layer.weight.shape[1])
    return layer.as_wired(digital)(x, key=key)


def _relative_error(found: Array, ideal: Array) -> Array:
    return jnp.sqrt(jnp.mean((found - ideal) ** 2) / jnp.maximum(jnp.mean(ideal**2), 1e-30))


def _class_scores(model: Any, xs: Array, scores: Callable[[Array], Array], key: Array | None) -> Array:
    return jax.vmap(scores)(run_batch(model, xs, key=key))


@eqx.filter_jit
def _digital_accuracy(model: Any, workload: Workload, scores: Callable[[Array], Array]) -> Array:
    found = _class_scores(model, workload.xs, scores, None)
    return jnp.mean(jnp.argmax(found, -1) == workload.labels, dtype=found.dtype)


def _without(model: AbstractNetwork, crossbar: Designs, removed: tuple[str, ...]) -> Designs:
    """The design of each layer without some effects."""
    designs = {}
    for path, layer in analog_layers(model).items():
        design = crossbar_of(crossbar, path, layer)
        if design is not None:
            design = reduce(without, removed, design)
            design = eqx.tree_at(lambda d: d.device, design, _traced(design.device))
        designs[path] = design
    per_layer = PerLayer(designs)
    return MixedSignal(per_layer, crossbar.neurons) if isinstance(crossbar, MixedSignal) else per_layer


def _traced(device: AbstractDevice) -> AbstractDevice:
    """With arrays for numbers but the range, so that devices which differ in such numbers only compile once."""

    def traced(path, leaf):
        fixed = not isinstance(leaf, float) or getattr(path[-1], "name", "") in ("g_min", "g_max")
        return leaf if fixed else jnp.asarray(leaf)

    return jax.tree_util.tree_map_with_path(traced, device)
