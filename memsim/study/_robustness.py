"""Accuracy of one network on many chips at many times, in one compiled call."""

import logging
from collections.abc import Callable, Sequence
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
from ..nn import AbstractNetwork, analog_layers
from ..nn._mixed_signal import Designs
from ..train import class_scores
from ..train._evaluate import ENOUGH, sequence_scores
from ..train._memory import MEMORY, told
from ..train._task import NETWORK, ONE_SET
from ._chips import DESIGN, TIMES, Workload, aged, present_effects, programmed
from ._not_finite import told_of_nan
from ._provenance import device_numbers, provenance
from ._right import Outcome, judged
from ._spans import marks

if TYPE_CHECKING:
    from xarray import Dataset as Result

WATCHED = 8  # recordings, from the first, that tell what converters clip
WORTH_A_LINE = 0.01  # of what a converter is given; clipping less is not mentioned
KNOBS = "Lower `memory` or `chunk`."


@checked(model=NETWORK, data=ONE_SET, crossbar=DESIGN, times=TIMES, chips=whole(1), chunk=whole(1), memory=ENOUGH)
def robustness(
    model: AbstractNetwork,
    data: Dataset,
    crossbar: Designs,
    *,
    chips: int,
    times: Sequence[float],
    key: Key[Array, ""],
    chunk: int = 1,
    scores: Callable[[Array], Array] = class_scores,
    memory: float = MEMORY,
) -> "Result":
    """Accuracy on `data` of `model` on `chips` chips, each aged to all `times`.

    Chip i is drawn from `key` folded with i, and its moments from the times themselves: no number depends on how many
    chips and times there are, in which order, or on the chunk.

    **Arguments:**

    - `model`: A digital network.
    - `data`: Such as `splits.test`.
    - `crossbar`: A design, or `path, layer -> design | None`.
    - `chips`: Number of virtual chips.
    - `times`: Seconds after programming.
    - `key`: For everything.
    - `chunk`: Chips evaluated side by side. One is fastest on a CPU; a GPU wants more.
    - `scores`: From the outputs of one sequence to one score a class; the largest names the class.
    - `memory`: Bytes for the sequences that run side by side, by an estimate. More than the default helps a GPU.

    Returns an `xarray.Dataset` with `accuracy` over (chip, time), what was `right` of each recording, packed
    (`memsim.study.right`), and provenance in the attributes. Accuracy is NaN where any output is not finite; a warning,
    and the attribute "not_finite", then name chip, time and layer.

    The coordinate `measured` says whether cells of that age were, the attribute "span" within which limits, and
    "assumes" what their history takes for granted. The attribute "clipping" says what the converters of the first chip
    clip at the first time. Ages beyond the span, and clipping of more than 1 %, are a line of `logging` each. Raises
    `ValueError` for what does not fit, before any work.
    """
    import xarray as xr

    workload = Workload.of(data, times, scores, memory)
    workload.check(model, crossbar, by="`memsim.study.robustness`")
    measured, told_of_span = marks(model, crossbar, times)
    watched = WATCHED if "saturation" in present_effects(model, crossbar) else 0
    with told(KNOBS):
        found, clipped = jax.device_get(
            _measured(model, crossbar, workload, jnp.arange(chips), key, chunk=chunk, watched=watched)
        )
    coordinates = {"time": ("time", np.asarray(times, float), {"units": "s"}), "measured": measured}
    result = xr.Dataset(found.variables(("chip", "time"), len(data.labels)), {"chip": np.arange(chips)} | coordinates)
    result = result.assign_attrs(provenance() | device_numbers(crossbar) | told_of_span | {"data": data.citation})
    result = result.assign_attrs(_told_of_clipping(clipped, list(analog_layers(model)), float(workload.times[0])))
    missing = told_of_nan(found.accuracy, model, crossbar, workload.xs, times, key=key, scores=scores, of="Accuracy")
    return result.assign_attrs(missing)


@checked(model=NETWORK, crossbar=DESIGN, times=TIMES, chunk=whole(1), memory=ENOUGH)
def chip_outcomes(
    model: AbstractNetwork,
    crossbar: Designs,
    xs: Num[Array, "batch steps *inputs"],
    labels: Int[Array, " batch"],
    times: Float[Array, " times"],
    chips: Int[Array, " chips"],
    *,
    key: Key[Array, ""],
    chunk: int = 1,
    scores: Callable[[Array], Array] = class_scores,
    memory: float = MEMORY,
) -> Outcome:
    """What the chips with the given numbers have right at each time: the compiled core of `robustness`."""
    workload = Workload(xs, labels, times, scores, memory)
    workload.check(model, crossbar, by="`memsim.study.chip_outcomes`")
    with told(KNOBS):
        return _measured(model, crossbar, workload, chips, key, chunk=chunk, watched=0)[0]


@checked(model=NETWORK, crossbar=DESIGN, times=TIMES, chunk=whole(1), memory=ENOUGH)
def chip_accuracies(
    model: AbstractNetwork,
    crossbar: Designs,
    xs: Num[Array, "batch steps *inputs"],
    labels: Int[Array, " batch"],
    times: Float[Array, " times"],
    chips: Int[Array, " chips"],
    *,
    key: Key[Array, ""],
    chunk: int = 1,
    scores: Callable[[Array], Array] = class_scores,
    memory: float = MEMORY,
) -> Float[Array, "chips times"]:
    """The accuracies of `chip_outcomes`."""
    settings: Any = {"key": key, "chunk": chunk, "scores": scores, "memory": memory}
    return jnp.asarray(chip_outcomes(model, crossbar, xs, labels, times, chips, **settings).accuracy)


@eqx.filter_jit
def _measured(
    model: AbstractNetwork,
    crossbar: Designs,
    workload: Workload,
    chips: Array,
    key: Array,
    *,
    chunk: int,
    watched: int,
) -> tuple[Outcome, Float[Array, "layers 2"]]:
    """Outcomes, and what the first chip clips at the first time with the first `watched` recordings, if any."""

    xs, labels, times, scores, memory = workload

    def one_chip(number: Array) -> Any:
        chip, life_key = programmed(model, crossbar, number, key=key)

        def at_time(moment: Any) -> Any:
            place, t = moment
            now, read_key, layer_key = aged(chip, t, key=life_key)
            found = sequence_scores(now, xs, key=read_key, scores=scores, memory=memory / chunk)
            return judged(found, labels), first_clips((place == 0) & (number == chips[0]), now, layer_key)

        return jax.lax.map(at_time, (jnp.arange(times.shape[0]), times))

    def first_clips(is_first: Array, now: Any, key: Array) -> Array:
        nothing = jnp.zeros((len(analog_layers(model)), 2))
        return jax.lax.cond(is_first, lambda: _clipped(now, xs[:watched], key), lambda: nothing) if watched else nothing

    found, clipped = jax.lax.map(one_chip, chips, batch_size=chunk if chunk > 1 else None)
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
    where = f"On chip 0 at {t:g} s, with the first {WATCHED} recordings"
    words = f"{where}: {'; '.join(lines)}. Find ranges with training data: `memsim.calibrate(model, xs, crossbar)`."
    if clipped.max() > WORTH_A_LINE:
        logging.getLogger("memsim").warning(words)
    return {"clipping": words}
