"""Layers of a network in the numbers of Speck."""

from collections.abc import Iterator
from math import prod
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..._checks import is_known
from ...nn import IF, SumPool2d
from ...nn._synapses._window import sizes
from .._network._fit import Problem
from .._network._stages import Stage
from .._sums._connection import AbstractConnection, Dense
from .._sums._convolution import Convolution, reached
from .._sums._quantised import Quantised, quantised
from ._memory import Row, row
from ._part import Layer, Rule
from ._pooled import Pooled
from ._quantise import WEIGHT_BITS, Discrete, Levels, discretise

LARGEST = 1 << (WEIGHT_BITS - 1)


class Settings(NamedTuple):
    """A layer in whole numbers, and what its weights would be in the same units."""

    row: Row
    discrete: Discrete
    wanted: Float[Array, "rows inputs"]


def settings(layer: Stage, floor: float | None) -> Settings:
    """Gains go into weights and biases; so does the mean of a pool, of which the chip has only the sum."""
    found, neurons = row(layer), layer.dynamics()
    synapses = found.then.synapses()
    weight = synapses.weight * synapses.per_row(neurons.gain)
    if found.pool is not None and found.pool.mean:
        weight = weight / _window(found)
    assert neurons.threshold is not None
    threshold = neurons.threshold[0]
    lowest = None if floor is None else jnp.asarray(floor, weight.dtype)
    discrete = discretise(weight, synapses.bias * neurons.gain, threshold, lowest)
    return Settings(found, discrete, weight * discrete.scale)


def placed(layer: Stage, rule: Rule, floor: float | None, most: int) -> tuple[Layer, Quantised]:
    """The layer on its core, and what became of its weights."""
    found, discrete, wanted = settings(layer, floor)
    synapses, matrix = _connection(layer, found, discrete), None
    if rule == "asynchronous":
        each = jnp.eye(layer.inputs, dtype=jnp.int32)
        matrix = synapses.sums(each, synapses.initial_state(), most=1)[0].T
    part = Layer(
        synapses=synapses,
        matrix=matrix,
        to=Levels(discrete.threshold, discrete.floor, discrete.bias),
        unit=1 / discrete.scale,
        rest=layer.dynamics().rest,
        rule=rule,
        most=most,
        path=layer.path,
    )
    return part, quantised(layer.path, wanted, discrete.weight, largest=LARGEST - 1, smallest=-LARGEST)


def problems_of_numbers(layer: Stage, floor: float | None) -> Iterator[Problem]:
    """What keeps a layer whose shape fits from being one of Speck."""
    synapses, path = row(layer).then.synapses(), layer.path
    if layer.recurrent is not None:
        yield Problem(path, "no recurrent synapses", "some", "Leave `Recurrent` out.")
    if not isinstance(layer.neuron, IF):
        came, remedy = type(layer.neuron).__name__, "Train with `IF`; the last layer spikes, too."
        yield Problem(path, "spiking neurons that do not leak", came, remedy)
        return
    kernel = row(layer).then.convolution
    if kernel is not None and (kernel.groups > 1 or any(each > 1 for each in kernel.dilation)):
        yield Problem(path, "a convolution without groups and dilation", "one with some", "Take a plain `Conv2d`.")
    threshold = layer.dynamics().threshold
    if is_known(threshold) and np.ptp(np.asarray(threshold)) > 0:
        yield Problem(path, "one threshold for all its neurons", "several", "Scale weights instead.")
    if not is_known(synapses.weight):
        return
    discrete = settings(layer, floor).discrete
    if bool(jnp.any(synapses.weight != 0)) and not bool(jnp.any(discrete.weight != 0)):
        came = f"a scale of {float(discrete.scale):.3g}, with which all round to zero"
        remedy = "Raise the `floor` of the target, or lower thresholds or biases."
        yield Problem(path, "weights that are not all zero", came, remedy)
    if int(discrete.threshold) < 1:
        yield Problem(path, "thresholds above zero", "one that rounds to zero", "Raise it, or shrink weights.")


def _connection(whole: Stage, found: Row, discrete: Discrete) -> AbstractConnection:
    layer = found.then
    kernel = layer.convolution
    if kernel is None:
        synapses: AbstractConnection = Dense(weight=discrete.weight, largest=LARGEST)
    else:
        of_input, of_core = reached(kernel, layer.input_shape, np.zeros(layer.size, np.int32))
        synapses = Convolution(
            weight=discrete.weight,
            layer=kernel,
            reached_input=jnp.asarray(of_input),
            reached_core=jnp.asarray(of_core),
            largest=LARGEST,
            input_shape=layer.input_shape,
        )
    pool = found.pool
    if pool is None:
        return synapses
    of = SumPool2d(pool.kernel_size, pool.stride, pool.padding)
    return Pooled(pool=of, then=synapses, input_shape=whole.input_shape, window=_window(found))


def _window(found: Row) -> int:
    assert found.pool is not None
    return prod(sizes("kernel_size", found.pool.kernel_size, 2))
