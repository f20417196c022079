"""Which classes are taken for which, in digital and on chips, and whether confidence can be believed."""

from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, Key

from .._checks import TIME, checked, whole
from ..nn._mixed_signal import Designs
from ..train._evaluate import predictions
from ..train._memory import MEMORY_RULE, Memory, told
from ..train._objective import Scores
from ..train._task import MODEL, SET
from ._chips import DESIGN, Workload, aged, on_chips, programmed
from ._provenance import device_numbers, provenance
from ._reliability import reliability
from ._robustness import citation

if TYPE_CHECKING:
    from xarray import Dataset as Result


@checked(model=MODEL, data=SET, crossbar=DESIGN, time=TIME, chips=whole(1), bins=whole(1), memory=MEMORY_RULE)
def confusion(
    model: Any,
    data: Any,
    crossbar: Designs,
    *,
    key: Key[Array, ""],
    chips: int = 10,
    time: float = 0.0,
    bins: int = 10,
    scores: Scores | None = None,
    memory: Memory = None,
) -> "Result":
    """Of samples of each class, how many are named as each, by the digital `model` and on chips; and how sure it is.

    Chip i is that of `memsim.study.robustness` with the same `key`. Confidence is the softmax of the scores, so it
    means something for models that were trained with a cross-entropy of them.

    **Arguments:**

    - `model`, `data`, `crossbar`, `scores`, `memory`: As of `memsim.study.robustness`; labels are classes.
    - `key`: For everything.
    - `chips`: Number of virtual chips.
    - `time`: Seconds after programming.
    - `bins`: Of the confidence, as of `memsim.study.reliability`.

    Returns an `xarray.Dataset` with `count` over (chip, true, named) and `digital_count` over (true, named); of
    `memsim.study.reliability`, `number`, `confidence` and `right` over (chip, bin) and `calibration_error` over chip,
    and the same with "digital_" in front. A sample with a score that is not finite is named by no class, and counted as
    `not_named`. `memsim.plotting.confusion` draws it.

    **Raises:** `ValueError` for what does not fit.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms, device_models as dm
    >>> network, data = ms.nn.Linear(4, 3, key=jr.key(0)), (jnp.eye(4)[:3], jnp.arange(3))
    >>> found = ms.study.confusion(network, data, ms.Crossbar(dm.pcm_joshi2020()), key=jr.key(1), chips=2)
    >>> found["count"].sum(["true", "named"]).values.tolist()
    [3, 3]
    """
    import xarray as xr

    workload = Workload.of(data, [float(time)], scores, memory, "accuracy")
    workload.check(model, crossbar, kinds=("classes",))
    with told("Lower `memory`."):
        digital, analog = jax.device_get(_scores(model, crossbar, workload, jnp.arange(chips), key))
    labels = np.asarray(workload.samples.labels)
    ideal = _judged(digital, labels, bins)
    found = xr.concat([_judged(each, labels, bins) for each in analog], "chip").assign_coords(chip=np.arange(chips))
    result = found.assign({f"digital_{name}": each for name, each in ideal.data_vars.items()})
    named = getattr(data, "class_names", None) or [str(each) for each in range(digital.shape[1])]
    result = result.assign_coords(true=list(named), named=list(named), time=("time", [float(time)], {"units": "s"}))
    return result.assign_attrs(provenance() | device_numbers(crossbar) | on_chips(model, crossbar) | citation(data))


@eqx.filter_jit
def _scores(
    model: Any, crossbar: Designs, workload: Workload, numbers: Int[Array, " chips"], key: Key[Array, ""]
) -> tuple[Array, Array]:
    """Scores of all samples, digital and on each chip."""
    samples, times, scores, _, memory = workload

    def on_chip(number: Int[Array, ""]) -> Array:
        chip, life_key = programmed(model, crossbar, number, key=key)
        now, read_key, _ = aged(chip, times[0], key=life_key)
        return predictions(now, samples, key=read_key, scores=scores, memory=memory)

    return predictions(model, samples, scores=scores, memory=memory), jax.lax.map(on_chip, numbers)


def _judged(scores: np.ndarray, labels: np.ndarray, bins: int) -> "Result":
    known = np.isfinite(scores).all(1)
    found = reliability(_softmax(scores[known]), labels[known], bins=bins)
    counts = counted(labels[known], scores[known].argmax(1), scores.shape[1])
    units = {"units": "1"}
    return found.assign(
        count=(("true", "named"), counts, units | {"long_name": "samples of a class that are named as another"}),
        not_named=((), int((~known).sum()), units | {"long_name": "samples with a score that is not finite"}),
    )


def counted(labels: Int[np.ndarray, " n"], named: Int[np.ndarray, " n"], classes: int) -> Int[np.ndarray, "true named"]:
    """How many samples of each class, a row, are named as each, a column."""
    return np.bincount(labels * classes + named, minlength=classes**2).reshape(classes, classes)


def _softmax(scores: np.ndarray) -> np.ndarray:
    shifted = np.exp(scores.astype(float) - scores.max(1, keepdims=True))
    return shifted / shifted.sum(1, keepdims=True)
