"""Accuracy of one network on many chips at many times, in one compiled call."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key, Num

from ..data import Dataset
from ..nn import AbstractNetwork, at, program
from ..nn._mixed_signal import Designs
from ..train import accuracy, class_scores
from ._provenance import device_numbers, provenance

if TYPE_CHECKING:
    from xarray import Dataset as Result


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
) -> "Result":
    """Accuracy on `data` of `model` on `chips` chips, each aged to all `times`.

    Chip i is drawn from `key` folded with i, whatever the number of chips and the chunk.

    **Arguments:**

    - `model`: A digital network.
    - `data`: Such as `splits.test`.
    - `crossbar`: A design, or `path, layer -> design | None`.
    - `chips`: Number of virtual chips.
    - `times`: Seconds after programming.
    - `key`: For everything.
    - `chunk`: Chips evaluated side by side. One is fastest on a CPU; a GPU wants more.
    - `scores`: From the outputs of one sequence to one score a class; the largest names the class.

    Returns an `xarray.Dataset` with `accuracy` over (chip, time), and provenance in the attributes. Raises `ValueError`
    for no chips, no times or a negative time.
    """
    import xarray as xr

    check_times(times)
    if chips < 1 or chunk < 1:
        raise ValueError(f"`chips` and `chunk` must be at least 1. Got chips={chips}, chunk={chunk}.")
    found = chip_accuracies(
        model,
        crossbar,
        jnp.asarray(data.inputs),
        jnp.asarray(data.labels),
        jnp.asarray(times, jnp.result_type(float)),
        jnp.arange(chips),
        key=key,
        chunk=chunk,
        scores=scores,
    )
    result = xr.Dataset(
        {"accuracy": (("chip", "time"), np.asarray(found), {"units": "1", "long_name": "test accuracy"})},
        {"chip": np.arange(chips), "time": ("time", np.asarray(times, float), {"units": "s"})},
    )
    return result.assign_attrs(provenance() | device_numbers(crossbar) | {"data": data.citation})


@eqx.filter_jit
def chip_accuracies(
    model: AbstractNetwork,
    crossbar: Designs,
    xs: Num[Array, "batch steps *inputs"],
    labels: Array,
    times: Float[Array, " times"],
    chips: Array,
    *,
    key: Key[Array, ""],
    chunk: int = 1,
    scores: Callable[[Array], Array] = class_scores,
) -> Float[Array, "chips times"]:
    """Accuracy of the chips with the given numbers at each time: the compiled core of a study."""

    def one_chip(number):
        program_key, life_key = jr.split(jr.fold_in(key, number))
        chip = program(model, crossbar, key=program_key)

        def at_time(moment):
            place, t = moment
            moment_key, read_key = jr.split(jr.fold_in(life_key, place))
            return accuracy(at(chip, t, key=moment_key), xs, labels, key=read_key, scores=scores)

        return jax.lax.map(at_time, (jnp.arange(times.shape[0]), times))

    return jax.lax.map(one_chip, chips, batch_size=chunk if chunk > 1 else None)


def check_times(times: Any) -> None:
    """Raises `ValueError` unless `times` is a sequence of finite times of at least 0 s."""
    values = np.asarray(times, float)
    if values.ndim != 1 or values.size == 0 or not (np.isfinite(values) & (values >= 0)).all():
        raise ValueError(f"`times` must be one or more seconds after programming, all at least 0. Got {times}.")
