"""Which recordings are named rightly: kept for every chip and time, eight to a byte."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key, Num, UInt8

from .._checks import checked, described, did_you_mean, whole
from ..train._evaluate import measured, predictions
from ..train._memory import MEMORY_RULE, Memory, as_bytes
from ..train._metrics import METRICS, Metric
from ..train._objective import Scores, as_scores
from ..train._samples import Samples
from ..train._task import MODEL, check_task

if TYPE_CHECKING:
    import xarray as xr

BYTES = "byte"  # the dimension of packed bits
COUNT = "recordings"  # the attribute that says how many there are


class Outcome(NamedTuple):
    """How a model did on some recordings.

    - `accuracy`: The fraction named rightly; NaN where a score is.
    - `right`: A bit for each recording, the first in the highest bit of the first byte, as `numpy.packbits` has it.

    >>> import numpy as np, memsim as ms
    >>> found = ms.study.packed(np.array([True, False, True, True]))
    >>> float(found.accuracy), np.unpackbits(found.right, count=4).tolist()
    (0.75, [1, 0, 1, 1])
    """

    accuracy: Float[Array | np.ndarray, "*dims"]
    right: UInt8[Array | np.ndarray, "*dims bytes"]

    @checked(recordings=whole(1))
    def variables(self, dims: Sequence[str], recordings: int, names: str = "{}") -> dict[str, Any]:
        """Variables `accuracy` and `right` of an `xarray.Dataset` over `dims`, called as `names` says: "digital_{}".

        Where there are more dimensions than axes, the first have a length of one.
        """
        words = "1 where a recording is named rightly, eight to a byte: memsim.study.right"
        lead = (1,) * (len(dims) - np.ndim(self.accuracy))
        accuracy, right = (np.asarray(each).reshape(lead + np.shape(each)) for each in self)
        share, bits = {"units": "1", "long_name": "test accuracy"}, {"units": "1", "long_name": words}
        return {
            names.format("accuracy"): (tuple(dims), accuracy, share),
            names.format("right"): ((*dims, BYTES), right, bits | {COUNT: int(recordings)}),
        }


@checked(model=MODEL, memory=MEMORY_RULE)
def outcome(
    model: Any,
    xs: Num[Array, "batch *sample"],
    labels: Int[Array, " batch"],
    *,
    key: Key[Array, ""] | None = None,
    scores: Scores | None = None,
    memory: Memory = None,
) -> Outcome:
    """As `memsim.train.accuracy`, and which recordings are named rightly.

    Arguments and errors as of `memsim.train.accuracy`.

    >>> import equinox as eqx, jax.numpy as jnp, jax.random as jr, numpy as np, memsim as ms
    >>> model = ms.nn.convert(eqx.nn.Linear(2, 2, use_bias=False, key=jr.key(0)))
    >>> model = eqx.tree_at(lambda model: model.weight, model, jnp.eye(2))
    >>> found = ms.study.outcome(model, jnp.array([[2.0, 1.0], [0.0, 1.0]]), jnp.array([0, 0]))
    >>> float(found.accuracy), np.unpackbits(np.asarray(found.right), count=2).tolist()
    (0.5, [1, 0])
    """
    samples, scores = Samples(jnp.asarray(xs), jnp.asarray(labels)), as_scores(scores, "classes")
    check_task(model, samples, scores, kinds=("classes",))
    return judged(predictions(model, samples, key=key, scores=scores, memory=as_bytes(memory)), samples)


@checked()
def packed(right: Bool[Array | np.ndarray, "*dims recordings"]) -> Outcome:
    """The outcome of which these are the recordings that are named rightly.

    >>> import numpy as np, memsim as ms
    >>> found = ms.study.packed(np.array([[True, False], [True, True]]))
    >>> np.asarray(found.accuracy).tolist()
    [0.5, 1.0]
    """
    right = jnp.asarray(right)
    return Outcome(jnp.mean(right, axis=-1, dtype=jnp.result_type(float)), jnp.packbits(right, axis=-1))


def judged(found: Float[Array, "batch classes"], samples: Samples) -> Outcome:
    """The outcome of scores. A NaN names no class."""
    named = (jnp.argmax(found, axis=-1) == samples.labels) & ~jnp.isnan(found).any(axis=-1)
    share = measured(found, samples, (METRICS["accuracy"],))["accuracy"]
    return Outcome(share, jnp.packbits(named))


class Judged(NamedTuple):
    """What predictions are worth: each metric by its name, and which are right where labels are classes."""

    metrics: Mapping[str, Float[Array | np.ndarray, "*dims"]]
    right: UInt8[Array | np.ndarray, "*dims bytes"] | None

    @classmethod
    def of(cls, found: Array, samples: Samples, metrics: Sequence[Metric]) -> "Judged":
        """Of one pass over the samples."""
        right = judged(found, samples).right if samples.kind == "classes" else None
        return cls(measured(found, samples, metrics), right)

    @property
    def first(self) -> Any:
        """The first of the metrics."""
        return next(iter(self.metrics.values()))

    def variables(self, dims: Sequence[str], recordings: int, names: str = "{}") -> dict[str, Any]:
        """Variables of an `xarray.Dataset` over `dims`: as those of `Outcome`, and one for each other metric."""
        variables: dict[str, Any] = {}
        for name, values in self.metrics.items():
            attributes = {"units": "1", "long_name": f"test {name.replace('_', ' ')}"}
            variables[names.format(name)] = (tuple(dims), np.asarray(values), attributes)
        if self.right is None:
            return variables
        kept = Outcome(np.zeros(np.shape(self.right)[:-1]), self.right).variables(dims, recordings, names)
        return variables | {names.format("right"): kept[names.format("right")]}


@checked()
def right(result: "xr.Dataset", name: str = "right") -> "xr.DataArray":
    """Whether each recording was named rightly: the packed variable `name` of a result, with a dimension `recording`.

    Booleans. Where some accuracy is NaN, because an output was not finite or nothing was computed, floats instead, NaN
    there.

    >>> import numpy as np, xarray as xr, memsim as ms
    >>> outcome = ms.study.packed(np.array([[True, False, True], [True, True, True]]))
    >>> result = xr.Dataset(outcome.variables(("chip",), 3))
    >>> ms.study.right(result).values.tolist()
    [[True, False, True], [True, True, True]]
    """
    kept = packed_names(result)
    if name not in kept:
        if kept:
            raise ValueError(did_you_mean("A packed variable of `result`", name, kept))
        raise ValueError(f"`result` must have kept what was right of each recording. Got {described(result)} without.")
    bits, accuracy = unpacked(result, name), result.get(name.replace("right", "accuracy"))
    if accuracy is None or not np.isnan(accuracy).any():
        return bits
    return bits.astype(np.float32).where(accuracy.notnull()).transpose(*bits.dims)


def unpacked(result: "xr.Dataset", name: str = "right") -> "xr.DataArray":
    """As `right`, but always booleans."""
    import xarray as xr

    values = result[name].transpose(..., BYTES)
    bits = np.unpackbits(np.asarray(values), axis=-1, count=int(values.attrs[COUNT])).astype(bool)
    coordinates = {at: values.coords[at] for at in values.coords if BYTES not in values.coords[at].dims}
    return xr.DataArray(bits, coordinates, (*values.dims[:-1], "recording"))


def packed_names(result: Any) -> list[str]:
    """The packed variables of a result."""
    variables = getattr(result, "data_vars", {})
    return [str(name) for name in variables if COUNT in variables[name].attrs and BYTES in variables[name].dims]


def best_of(result: "xr.Dataset | xr.DataArray", names: str = "{}") -> "xr.DataArray":
    """What a result has of an accuracy: which recordings are right, or their share; an array is itself."""
    import xarray as xr

    if isinstance(result, xr.DataArray):
        return result
    name, share = names.format("right"), names.format("accuracy")
    if name in packed_names(result):
        return right(result, name)
    if share not in result:
        others = [str(each) for each in result.data_vars]
        one = f", such as `result.{others[0]}`" if others else ""
        came = ", ".join(others) or "nothing"
        raise ValueError(f"A result must have `{share}`; of another, pass one of its measures{one}. Got {came}.")
    return result[share]


@checked()
def difference(first: "xr.DataArray", second: "xr.DataArray") -> "xr.DataArray":
    """`first` less `second`, paired: of each seed, chip and recording that both have.

    Of what is right or wrong, 1 where only `first` is right, and -1 where only `second` is.

    - `first`, `second`: Such as `right(result)` of two methods, of the same dimensions.

    >>> import xarray as xr, memsim as ms
    >>> first, second = xr.DataArray([1, 1, 0], dims="recording"), xr.DataArray([1, 0, 1], dims="recording")
    >>> ms.study.difference(first == 1, second == 1).values.tolist()
    [0, 1, -1]
    """
    import xarray as xr

    for name, values in (("first", first), ("second", second)):
        if not isinstance(values, xr.DataArray):
            raise ValueError(
                f"`{name}` must be an `xarray.DataArray`, such as `right(result)`. Got {described(values)}."
            )
    if first.dtype != bool and second.dtype != bool:
        return first - second
    signed = (values.astype(np.int8) if values.dtype == bool else values for values in (first, second))
    one, other = xr.align(*signed, join="exact")
    return one - other
