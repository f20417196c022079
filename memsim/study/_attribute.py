"""Why did accuracy fall? Every non-ideality alone, and each one left out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Key

from .._array import AnalogMatrix, Chip, switched
from .._checks import checked, whole
from .._keeping import progress
from ..nn import analog_layers
from ..nn._calibrate import PerLayer
from ..nn._calling import evaluating
from ..nn._deploy import digital_weight
from ..nn._mixed_signal import Designs, MixedSignal, crossbar_of
from ..nn._word_lines import word_lines
from ..train._evaluate import predictions
from ..train._memory import MEMORY_RULE, Memory, told
from ..train._metrics import Metrics
from ..train._objective import Scores
from ..train._task import MODEL, SET
from ._chips import DESIGN, TIMES, Workload, aged, check_said_effects, present_effects, programmed
from ._not_finite import told_of_nan
from ._provenance import device_numbers, provenance
from ._right import Judged
from ._robustness import citation
from ._spans import marks

if TYPE_CHECKING:
    from xarray import Dataset as Result

CASES = ("alone", "left out")
MEASURES = {  # name: dimensions of one variant, long name
    "output_error": (("chip", "time"), "error of the network's scores, relative to their root mean square"),
    "layer_error": (("layer", "chip", "time"), "error of a layer's output at the digital network's inputs, relative"),
    "layer_gain": (("layer", "chip", "time"), "size of the presented weights, relative to the digital ones"),
    "dac_clipped": (("layer", "chip", "time"), "fraction of inputs that the DAC clips"),
    "adc_clipped": (("layer", "chip", "time"), "fraction of currents that the ADC clips"),
    "patterns_clipped": (("layer", "chip", "time"), "fraction that it clips of the patterns of drift compensation"),
}


@checked(model=MODEL, data=SET, crossbar=DESIGN, times=TIMES, chips=whole(1), recordings=whole(1), memory=MEMORY_RULE)
def attribute(
    model: Any,
    data: Any,
    crossbar: Designs,
    *,
    key: Key[Array, ""],
    chips: int = 10,
    times: Sequence[float] = (0.0,),
    recordings: int = 64,
    metrics: Metrics | None = None,
    scores: Scores | None = None,
    memory: Memory = None,
) -> "Result":
    """What each non-ideality of `crossbar` costs `model` on `data`: alone, and as what is gained when it is left out.

    Chips are paired: chip i draws the same in every variant, but for what is removed. All variants compile once, but
    for levels, a nonlinear I-V, `Retention` and a `BitSerialDAC`, with and without which they compile by themselves.
    `explain` says it in words, `attribution_table` in numbers, and `memsim.plotting.attribution` draws it.

    **Arguments:**

    - `model`: Digital: a network over time, or any other model that is called on one sample.
    - `data`: As of `memsim.study.robustness`.
    - `crossbar`: A design, or `path, layer -> design | None`. Neurons of a `MixedSignal` are the same in all variants.
    - `key`, `chips`: For everything; number of virtual chips.
    - `times`: Seconds after programming.
    - `recordings`: How many samples, from the first, drive the layers for their errors.
    - `metrics`, `scores`: As of `memsim.study.robustness`.
    - `memory`: Bytes for the samples that run side by side, by an estimate; `recordings` drive the layers at once.

    Returns an `xarray.Dataset` of the measures with all effects (`together`), with none (`ideal`: mapping and tiles
    only), and over (`case`, `effect`), case "alone" or "left out". Layer errors are those at the inputs of the digital
    network; a signal-to-noise ratio in dB at the column is -20 log10(layer_error). What each variant has right of each
    recording is kept for paired intervals (`right`), and what was `measured` is marked as in `robustness`. What is not
    finite makes its measures NaN; a warning, and the attribute "not_finite", then name chip, time and layer. Raises
    `ValueError` for what does not fit, and for a design without any effect.

    >>> import device_models as dm, jax, memsim as ms
    >>> key, design = jax.random.key(0), ms.Crossbar(dm.pcm_joshi2020(), reads=ms.Reads("off"))
    >>> model, data = ms.nn.Linear(8, 2, key=key), (jax.numpy.ones((4, 8)), jax.numpy.zeros(4, int))
    >>> ms.study.attribute(model, data, design, chips=2, key=key).effect.values.tolist()
    ['write noise', 'drift']
    """
    import xarray as xr

    workload = Workload.of(data, times, scores, memory, metrics)
    workload.check(model, crossbar)
    model = evaluating(model)
    check_said_effects(model, crossbar)
    present = present_effects(model, crossbar)
    if not present:
        raise ValueError("`crossbar` must show at least one effect. Got an ideal design: nothing can cost accuracy.")
    measured, told_of_span = marks(model, crossbar, times)
    inputs = word_lines(model, workload.samples.xs[:recordings], None)
    with told("Lower `memory` or `recordings`."):
        digital, found, removals = jax.device_get(_digital(model, workload)), {}, _removals(present)
        with progress("variant", len(removals)) as show:
            for place, (name, removed) in enumerate(removals.items()):
                show(place, " ".join(name) if isinstance(name, tuple) else name)
                variant = _without(model, crossbar, removed)
                found[name] = jax.device_get(measure(model, variant, workload, inputs, jnp.arange(chips), key))
    count = len(workload.samples)
    variables = digital.variables((), count, "digital_{}") | _variables(found, present, count)
    coordinates = {
        "case": list(CASES),
        "effect": list(present),
        "layer": list(analog_layers(model)),
        "chip": np.arange(chips),
        "time": ("time", np.asarray(times, float), {"units": "s"}),
        "measured": measured,
    }
    attributes = provenance() | device_numbers(crossbar) | told_of_span | citation(data)
    together = found["together"][0]
    name = next(iter(together.metrics)).capitalize()
    attributes |= told_of_nan(together.first, model, crossbar, workload, key=key, of=name)
    return xr.Dataset(variables, coordinates).assign_attrs(attributes)


def _removals(present: tuple[str, ...]) -> dict[Any, tuple[str, ...]]:
    """The effects that each variant lacks."""
    removals: dict[Any, tuple[str, ...]] = {"together": (), "ideal": present}
    removals |= {("alone", e): tuple(other for other in present if other != e) for e in present}
    return removals | {("left out", e): (e,) for e in present}


def _variables(found: dict[Any, Any], present: tuple[str, ...], recordings: int) -> dict[str, Any]:
    """Outcomes and measures of all variants, as variables of a data set."""
    variables: dict[str, Any] = {}
    for variant in ("together", "ideal"):
        variables |= found[variant][0].variables(("chip", "time"), recordings, f"{{}}_{variant}")
    flat = [found[case, e][0] for case in CASES for e in present]
    stacked = jax.tree.map(lambda *values: np.stack(values).reshape(len(CASES), len(present), *values[0].shape), *flat)
    variables |= stacked.variables(("case", "effect", "chip", "time"), recordings)
    for name, (dims, long_name) in MEASURES.items():
        attributes = {"units": "1", "long_name": long_name}
        each = [[found[case, e][1][name] for e in present] for case in CASES]
        variables[name] = (("case", "effect", *dims), np.asarray(each), attributes)
        for variant in ("together", "ideal"):
            variables[f"{name}_{variant}"] = (dims, np.asarray(found[variant][1][name]), attributes)
    return variables


@eqx.filter_jit
def measure(
    model: Any,
    crossbar: Designs,
    workload: Workload,
    inputs: dict[str, Array],
    chips: Array,
    key: Key[Array, ""],
) -> tuple[Judged, dict[str, Array]]:
    """What one variant has right, and its `MEASURES`; `inputs` are those of all word lines in the digital network."""
    samples, times, scores, metrics, memory = workload
    ideal = predictions(model, samples, scores=scores, memory=memory)
    outputs = {path: _outputs(layer, inputs[path], None) for path, layer in analog_layers(model).items()}
    weights = {path: digital_weight(path, layer) for path, layer in analog_layers(model).items()}

    def one_chip(number):
        chip, life_key = programmed(model, crossbar, number, key=key)

        def at_time(t):
            now, read_key, layer_key = aged(chip, t, key=life_key)
            found = predictions(now, samples, key=read_key, scores=scores, memory=memory)
            layers = [
                _layer_measures(layer, inputs[path], outputs[path], weights[path], jr.fold_in(layer_key, i))
                | _pattern_measures(chip_layer, t, jr.fold_in(layer_key, i))
                for i, ((path, layer), chip_layer) in enumerate(
                    zip(analog_layers(now).items(), analog_layers(chip).values(), strict=True)
                )
            ]
            measures = {name: jnp.stack([layer[name] for layer in layers]) for name in layers[0]}
            return Judged.of(found, samples, metrics), measures | {"output_error": _relative_error(found, ideal)}

        return jax.lax.map(at_time, times)

    right, measures = jax.lax.map(one_chip, chips)
    return right, {name: jnp.moveaxis(x, 2, 0) if x.ndim == 3 else x for name, x in measures.items()}


def _layer_measures(layer: Any, x: Array, ideal: Array, w: Array, key: Array) -> dict[str, Array]:
    if not isinstance(layer.weight, AnalogMatrix):
        nothing = jnp.zeros(())
        return dict.fromkeys(("layer_error", "dac_clipped", "adc_clipped"), nothing) | {"layer_gain": nothing + 1}
    matrix = layer.as_wired(layer.weight)
    read_key, clip_key = jr.split(key)
    clipped = matrix.clipping(x, key=clip_key)
    error = _relative_error(matrix(x, key=read_key), ideal)
    measures = {
        "layer_error": error,
        "layer_gain": jnp.sum(layer.weight.effective_weight * w) / jnp.maximum(jnp.sum(w**2), 1e-30),
        "dac_clipped": clipped.dac,
        "adc_clipped": jnp.mean(clipped.adc),
    }
    return {name: jnp.where(jnp.isfinite(error), value, jnp.nan) for name, value in measures.items()}  # NaN never clips


def _pattern_measures(layer: Any, t: Array, key: Array) -> dict[str, Array]:
    """What the ADC clips of drift compensation's own measurement."""
    if not isinstance(layer.weight, Chip) or layer.weight.reference is None:
        return {"patterns_clipped": jnp.zeros(())}
    return {"patterns_clipped": jnp.mean(layer.weight.compensation_codes(t, key=key).clipped)}


def _outputs(layer: Any, x: Array, key: Array | None) -> Array:
    return layer.as_wired(AnalogMatrix.exact(layer.weight))(x, key=key)


def _relative_error(found: Array, ideal: Array) -> Array:
    return jnp.sqrt(jnp.mean((found - ideal) ** 2) / jnp.maximum(jnp.mean(ideal**2), 1e-30))


@eqx.filter_jit
def _digital(model: Any, workload: Workload) -> Judged:
    samples, _, scores, metrics, memory = workload
    return Judged.of(predictions(model, samples, scores=scores, memory=memory), samples, metrics)


def _without(model: Any, crossbar: Designs, removed: tuple[str, ...]) -> Designs:
    """The design of each layer without some effects."""
    designs = {}
    for path, layer in analog_layers(model).items():
        design = crossbar_of(crossbar, path, layer)
        if design is not None:
            design = switched(design, removed)
        designs[path] = design
    per_layer = PerLayer(designs)
    return MixedSignal(per_layer, crossbar.neurons) if isinstance(crossbar, MixedSignal) else per_layer
