"""What one model is worth on many chips at many times, in one compiled call."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, Key, Num

from .._array import AnalogMatrix
from .._checks import as_floats, checked, whole
from ..data import Dataset
from ..nn import analog_layers, clipping
from ..nn._calling import is_network
from ..nn._mixed_signal import Designs
from ..train._evaluate import predictions
from ..train._memory import MEMORY_RULE, Memory, as_bytes, told
from ..train._metrics import METRICS, Metrics
from ..train._objective import Scores, as_scores
from ..train._samples import Samples
from ..train._task import MODEL, SET
from ._chips import DESIGN, TIMES, Workload, aged, present_effects, programmed
from ._devices import chunk_of, over_chips
from ._not_finite import told_of_nan
from ._provenance import device_numbers, provenance
from ._right import Judged, Outcome
from ._spans import marks

if TYPE_CHECKING:
    from xarray import Dataset as Result

WATCHED = 8  # samples, from the first, that tell what converters clip
WORTH_A_LINE = 0.01  # of what a converter is given; clipping less is not mentioned
KNOBS = "Lower `memory` or `chunk`."


@checked(model=MODEL, data=SET, crossbar=DESIGN, times=TIMES, chips=whole(1), chunk=whole(1), memory=MEMORY_RULE)
def robustness(
    model: Any,
    data: Any,
    crossbar: Designs,
    *,
    chips: int,
    times: Sequence[float],
    key: Key[Array, ""],
    chunk: int | None = None,
    metrics: Metrics | None = None,
    scores: Scores | None = None,
    memory: Memory = None,
) -> "Result":
    """Accuracy on `data` of `model` on `chips` chips, each aged to all `times`, or any other metrics of it.

    Chip i is drawn from `key` folded with i, and its moments from the times themselves: no number depends on how many
    chips and times there are, in which order, on the chunk, or on the devices, all of which share the chips.

    **Arguments:**

    - `model`: Digital: a network over time, or any other model that is called on one sample, such as a converted one of
      Equinox. Dropout and norms are in inference mode.
    - `data`: A `memsim.data.Dataset` such as `splits.test`, arrays (xs, ys), or an iterable of batches of them.
    - `crossbar`: A design, or `path, layer -> design | None`.
    - `chips`: Number of virtual chips.
    - `times`: Seconds after programming.
    - `key`: For everything.
    - `chunk`: Chips evaluated side by side. By default one on a CPU, where that is fastest, and on other devices as
      many as memory holds.
    - `metrics`: As of `memsim.train.evaluate`: one or several, by name or as functions. By default "accuracy", and
      "rmse" where labels are numbers.
    - `scores`: From the outputs of one sample to one score a class, the largest of which names the class, or to the
      prediction.
    - `memory`: Bytes, or words such as "4 GiB", for the samples that run side by side, by an estimate; by default what
      the device suggests.

    Returns an `xarray.Dataset` with each metric over (chip, time), of classes what was `right` of each sample, packed
    (`memsim.study.right`), and provenance in the attributes. A metric is NaN where any output is not finite; a warning,
    and the attribute "not_finite", then name chip, time and layer.

    The coordinate `measured` says whether cells of that age were, the attribute "span" within which limits, and
    "assumes" what their history takes for granted. The attribute "clipping" says what the converters of the first chip
    clip at the first time. Ages beyond the span, and clipping of more than 1 %, are a line of `logging` each. Raises
    `ValueError` for what does not fit, before any work.
    """
    import xarray as xr

    workload = Workload.of(data, times, scores, memory, metrics)
    workload.check(model, crossbar)
    measured, told_of_span = marks(model, crossbar, times)
    with told(KNOBS):
        found, clipped = _study(model, crossbar, workload, chips, key, chunk)
    coordinates = {"time": ("time", np.asarray(times, float), {"units": "s"}), "measured": measured}
    variables = found.variables(("chip", "time"), len(workload.samples))
    result = xr.Dataset(variables, {"chip": np.arange(chips)} | coordinates)
    result = result.assign_attrs(provenance() | device_numbers(crossbar) | told_of_span | citation(data))
    result = result.assign_attrs(_told_of_clipping(clipped, list(analog_layers(model)), float(workload.times[0])))
    name = next(iter(found.metrics)).capitalize()
    return result.assign_attrs(told_of_nan(found.first, model, crossbar, workload, key=key, of=name))


def citation(data: Any) -> dict[str, str]:
    """The attribute that says whose data a result is of."""
    return {"data": data.citation} if isinstance(data, Dataset) and data.citation else {}


@checked(model=MODEL, crossbar=DESIGN, times=TIMES, chunk=whole(1), memory=MEMORY_RULE)
def chip_outcomes(
    model: Any,
    crossbar: Designs,
    xs: Num[Array, "batch *sample"],
    labels: Int[Array, " batch"],
    times: Float[Array, " times"],
    chips: Int[Array, " chips"],
    *,
    key: Key[Array, ""],
    chunk: int | None = None,
    scores: Scores | None = None,
    memory: Memory = None,
) -> Outcome:
    """What the chips with the given numbers have right at each time: the compiled core of `robustness`."""
    samples, scores = Samples(xs, labels), as_scores(scores, "classes")
    workload = Workload(samples, times, scores, (METRICS["accuracy"],), as_bytes(memory))
    workload.check(model, crossbar, kinds=("classes",))
    chunk = chunk_of(chunk, model, crossbar, workload, chips.shape[0])
    with told(KNOBS):
        found = _measured(model, crossbar, workload, chips, key, chunk=chunk, watched=0)[0]
    assert found.right is not None
    return Outcome(found.metrics["accuracy"], found.right)


@checked(model=MODEL, crossbar=DESIGN, times=TIMES, chunk=whole(1), memory=MEMORY_RULE)
def chip_accuracies(
    model: Any,
    crossbar: Designs,
    xs: Num[Array, "batch *sample"],
    labels: Int[Array, " batch"],
    times: Float[Array, " times"],
    chips: Int[Array, " chips"],
    *,
    key: Key[Array, ""],
    chunk: int | None = None,
    scores: Scores | None = None,
    memory: Memory = None,
) -> Float[Array, "chips times"]:
    """The accuracies of `chip_outcomes`."""
    settings: Any = {"key": key, "chunk": chunk, "scores": scores, "memory": memory}
    return jnp.asarray(chip_outcomes(model, crossbar, xs, labels, times, chips, **settings).accuracy)


def _study(
    model: Any, crossbar: Designs, workload: Workload, chips: int, key: Array, chunk: int | None
) -> tuple[Judged, Float[np.ndarray, "layers 2"]]:
    """All chips at all times, and what the first of them clips at first."""
    has_converters = "saturation" in present_effects(model, crossbar)
    watched = WATCHED if has_converters and is_network(model) else 0
    chunk = chunk_of(chunk, model, crossbar, workload, chips)
    measured = _measured(model, crossbar, workload, jnp.arange(chips), key, chunk=chunk, watched=watched)
    found, clipped = jax.device_get(measured)
    if has_converters and not is_network(model):
        clipped = _clipped_outside(model, crossbar, workload, key)
    return found, clipped


@eqx.filter_jit
def _measured(
    model: Any,
    crossbar: Designs,
    workload: Workload,
    chips: Array,
    key: Array,
    *,
    chunk: int,
    watched: int,
) -> tuple[Judged, Float[Array, "layers 2"]]:
    """What is found, and what the first chip clips at the first time with the first `watched` samples, if any."""

    samples, times, scores, metrics, memory = workload

    def one_chip(number: Array) -> Any:
        chip, life_key = programmed(model, crossbar, number, key=key)

        def at_time(moment: Any) -> Any:
            place, t = moment
            now, read_key, layer_key = aged(chip, t, key=life_key)
            found = predictions(now, samples, key=read_key, scores=scores, memory=memory / chunk)
            clips = first_clips((place == 0) & (number == chips[0]), now, layer_key)
            return Judged.of(found, samples, metrics), clips

        return jax.lax.map(at_time, (jnp.arange(times.shape[0]), times))

    def first_clips(is_first: Array, now: Any, key: Array) -> Array:
        nothing = jnp.zeros((len(analog_layers(model)), 2))
        xs = samples.xs[:watched]
        return jax.lax.cond(is_first, lambda: _clipped(now, xs, key), lambda: nothing) if watched else nothing

    found, clipped = over_chips(one_chip, chips, chunk)
    return found, clipped[0, 0]


def _clipped(model: Any, xs: Array, key: Array) -> Float[Array, "layers 2"]:
    """What the DAC and the ADC of each layer of a deployed network clip while it runs on `xs`, as fractions."""
    run_key, read_key = jr.split(key)
    keys = jr.split(run_key, xs.shape[0])
    inputs = jax.vmap(lambda x, key: model(as_floats(x), key=key, record="inputs")[1]["inputs"])(xs, keys)
    shares = []
    for place, (path, layer) in enumerate(analog_layers(model).items()):
        dac = adc = jnp.zeros(())
        if path in inputs and isinstance(layer.weight, AnalogMatrix):
            lines = jax.vmap(jax.vmap(layer.word_lines))(inputs[path])
            found = layer.as_wired(layer.weight).clipping(lines, key=jr.fold_in(read_key, place))
            dac, adc = found.dac, jnp.mean(found.adc)
        shares.append(jnp.stack([dac, adc]))
    return jnp.stack(shares)


def _clipped_outside(model: Any, crossbar: Designs, workload: Workload, key: Array) -> Float[np.ndarray, "layers 2"]:
    """As `_clipped`, of any model: its layers are watched while it runs, which no compiled loop over chips can do."""
    number = jnp.zeros((), int)
    now, _, layer_key = eqx.filter_jit(_first_moment)(model, crossbar, number, workload.times[0], key)
    found = clipping(now, workload.samples.xs[:WATCHED], key=layer_key)
    paths = list(analog_layers(model))
    shares = [(found[path].dac, found[path].adc.mean()) if path in found else (0.0, 0.0) for path in paths]
    return np.asarray(shares, float)


def _first_moment(model: Any, crossbar: Designs, number: Array, t: Array, key: Array) -> Any:
    chip, life_key = programmed(model, crossbar, number, key=key)
    return aged(chip, t, key=life_key)


def _told_of_clipping(clipped: Float[np.ndarray, "layers 2"], paths: Sequence[str], t: float) -> dict[str, str]:
    """What each layer clips, for the attributes; a line of `logging` where it is worth one."""
    lines = [
        f"{path} clips {share:.1%} of the {what}"
        for path, shares in zip(paths, clipped, strict=True)
        for share, what in zip(shares, ("inputs of its DAC", "currents of its ADC"), strict=True)
        if share > 0
    ]
    if not lines:
        return {}
    where = f"On chip 0 at {t:g} s, with the first {WATCHED} samples"
    words = f"{where}: {'; '.join(lines)}. Find ranges with training data: `memsim.calibrate(model, xs, crossbar)`."
    if clipped.max() > WORTH_A_LINE:
        logging.getLogger("memsim").warning(words)
    return {"clipping": words}
