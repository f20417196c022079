"""What one model is worth on many chips at many times."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, Num

from .._checks import checked, whole
from ..data import Dataset
from ..nn import analog_layers
from ..nn._mixed_signal import Designs
from ..nn._per_layer import PerLayer
from ..train._memory import MEMORY_RULE, Memory, as_bytes, told
from ..train._metrics import METRICS, Metrics
from ..train._objective import Scores, as_scores
from ..train._samples import Samples
from ..train._task import MODEL, SET
from ._chips import DESIGN, TIMES, Workload, on_chips, present_effects
from ._devices import chunk_of
from ._not_finite import told_of_nan
from ._on_chips import WATCHED, first_clips, measured, worth
from ._provenance import device_numbers, provenance
from ._right import Judged, Outcome
from ._spans import marks
from ._until import IntervalWidth

if TYPE_CHECKING:
    from xarray import Dataset as Result

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
    until: IntervalWidth | None = None,
    metrics: Metrics | None = None,
    scores: Scores | None = None,
    chunk: int | None = None,
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
    - `chips`: Number of virtual chips; with `until`, of those that come at a time.
    - `times`: Seconds after programming.
    - `key`: For everything.
    - `until`: How narrow the interval of the first of the metrics must be at each time, `IntervalWidth(0.002)`: chips
      come until it is, and the attribute "until" says with which interval it ended, and why.
    - `metrics`: As of `memsim.train.evaluate`: one or several, by name or as functions. By default "accuracy", and
      "rmse" where labels are numbers.
    - `scores`: From the outputs of one sample to one score a class, the largest of which names the class, or to the
      prediction.
    - `chunk`: Chips evaluated side by side. By default one on a CPU, where that is fastest, and on other devices as
      many as memory holds.
    - `memory`: Bytes, or words such as "4 GiB", for the samples that run side by side, by an estimate; by default what
      the device suggests.

    Returns an `xarray.Dataset` with each metric over (chip, time), of classes what was `right` of each sample, packed
    (`memsim.study.right`), and provenance in the attributes. A metric is NaN where any output is not finite; a warning,
    and the attribute "not_finite", then name chip, time and layer.

    The coordinate `measured` says whether cells of that age were, the attribute "span" within which limits, "assumes"
    what their history takes for granted, and "on_chips" which layers are on chips. The attribute "clipping" says what
    the converters of the first chip clip at the first time. Ages beyond the span, and clipping of more than 1 %, are a
    line of `logging` each. Raises `ValueError` for what does not fit, before any work.

    >>> import equinox as eqx, jax, jax.random as jr, device_models as dm, memsim as ms
    >>> model = ms.nn.convert(eqx.nn.Linear(8, 2, key=jr.key(0)))
    >>> xs = jr.normal(jr.key(1), (16, 8))
    >>> labels = jax.vmap(model)(xs).argmax(1)
    >>> design = ms.Crossbar(dm.pcm_joshi2020(), reads=ms.Reads("off"))
    >>> result = ms.study.robustness(model, (xs, labels), design, chips=2, times=[0.0, 3600.0], key=jr.key(2))
    >>> dict(result["accuracy"].sizes), bool((result["accuracy"] > 0.8).all())
    ({'chip': 2, 'time': 2}, True)
    """
    workload = Workload.of(data, times, scores, memory, metrics)
    workload.check(model, crossbar)
    moments = _Moments(workload, times, *marks(model, crossbar, times))
    size = chunk_of(chunk, model, crossbar, workload, chips)
    parts: list[Judged] = []
    with told(KNOBS):
        while True:
            numbers = range(len(parts) * chips, (len(parts) + 1) * chips)
            parts.append(worth(model, crossbar, workload, numbers, key=key, chunk=size))
            result = moments.result(parts)
            look = None if until is None else until.look(result if "right" in result else result[moments.metric])
            if look is None or not look.go_on:
                break
        if "saturation" in present_effects(model, crossbar):
            clipped = first_clips(model, crossbar, workload, key=key)
            result = result.assign_attrs(
                _told_of_clipping(clipped, list(analog_layers(model)), float(times[0]), crossbar)
            )
    result = result.assign_attrs(provenance() | device_numbers(crossbar) | on_chips(model, crossbar) | citation(data))
    if look is not None:
        result = result.assign_attrs(until=f"{look.reason}: {moments.metric} {look.interval}")
    name = moments.metric.capitalize()
    return result.assign_attrs(told_of_nan(result[moments.metric].values, model, crossbar, workload, key=key, of=name))


class _Moments(NamedTuple):
    """When chips are looked at, and which of these ages were measured."""

    workload: Workload
    times: Sequence[float]
    measured: Any
    attributes: dict[str, str]

    @property
    def metric(self) -> str:
        """The first of the metrics."""
        return self.workload.metrics[0].name

    def result(self, parts: Sequence[Judged]) -> "Result":
        """What is known of the chips of all parts."""
        import xarray as xr

        found = jax.tree.map(lambda *values: np.concatenate(values), *parts)
        times = ("time", np.asarray(self.times, float), {"units": "s"})
        coordinates = {"time": times, "measured": self.measured}
        variables = found.variables(("chip", "time"), len(self.workload.samples))
        return xr.Dataset(variables, {"chip": np.arange(len(found.first))} | coordinates, self.attributes)


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
    """What the chips with the given numbers have right at each time: the compiled core of `robustness`.

    **Arguments:** as of `robustness`, and

    - `xs`, `labels`: The data set taken apart: samples, shape (batch, *sample), and their classes, (batch,).
    - `times`, `chips`: Ages in seconds, and numbers of chips.

    >>> import equinox as eqx, jax, jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> model = ms.nn.convert(eqx.nn.Linear(8, 2, key=jr.key(0)))
    >>> xs = jr.normal(jr.key(1), (16, 8))
    >>> labels = jax.vmap(model)(xs).argmax(1)
    >>> design = ms.Crossbar(dm.pcm_joshi2020(), reads=ms.Reads("off"))
    >>> times, chips = jnp.array([0.0, 3600.0]), jnp.arange(3)
    >>> found = ms.study.chip_outcomes(model, design, xs, labels, times, chips, key=jr.key(2))
    >>> found.accuracy.shape, found.right.shape  # bits of 16 samples in two bytes
    ((3, 2), (3, 2, 2))
    """
    samples, scores = Samples(xs, labels), as_scores(scores, "classes")
    workload = Workload(samples, times, scores, (METRICS["accuracy"],), as_bytes(memory))
    workload.check(model, crossbar, kinds=("classes",))
    chunk = chunk_of(chunk, model, crossbar, workload, chips.shape[0])
    with told(KNOBS):
        found = measured(model, crossbar, workload, chips, key, chunk=chunk)
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
    """The accuracies of `chip_outcomes`.

    Arguments and errors as of `chip_outcomes`; shape (chips, times).

    >>> import equinox as eqx, jax, jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> model = ms.nn.convert(eqx.nn.Linear(8, 2, key=jr.key(0)))
    >>> xs = jr.normal(jr.key(1), (16, 8))
    >>> labels = jax.vmap(model)(xs).argmax(1)
    >>> design = ms.Crossbar(dm.pcm_joshi2020(), reads=ms.Reads("off"))
    >>> times, chips = jnp.array([0.0, 3600.0]), jnp.arange(3)
    >>> ms.study.chip_accuracies(model, design, xs, labels, times, chips, key=jr.key(2)).shape
    (3, 2)
    """
    settings: Any = {"key": key, "chunk": chunk, "scores": scores, "memory": memory}
    return jnp.asarray(chip_outcomes(model, crossbar, xs, labels, times, chips, **settings).accuracy)


def _told_of_clipping(
    clipped: Float[np.ndarray, "layers 2"], paths: Sequence[str], t: float, crossbar: Any
) -> dict[str, str]:
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
    words = f"{where}: {'; '.join(lines)}."
    if not isinstance(crossbar, PerLayer):  # whose ranges were found
        words += " Find ranges with training data: `memsim.calibrate(model, xs, crossbar)`."
    if clipped.max() > WORTH_A_LINE:
        logging.getLogger("memsim").warning(words)
    return {"clipping": words}
