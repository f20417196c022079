"""The two quantisers of rockpool, from the floats of a trained network to the whole numbers of Xylo."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Array, Num

WEIGHT, THRESHOLD = 127, 32767  # the largest of 8 and of 16 bits

Numbers = Num[Array | np.ndarray, "..."]


class XyloSpecification(NamedTuple):
    """A network as rockpool specifies it. Arrays are of JAX, or of NumPy for its float64.

    **Arguments:**

    - `weights_in`, `weights_rec`: Of shape (sources, hidden, synapses); `weights_out` (hidden, outputs).
    - `dash_mem` and the like: $\\log_2(\\tau / dt)$.
    - `bias`, `bias_out`: `None` for a core without.

    >>> import jax.numpy as jnp, memsim as ms
    >>> one = jnp.ones((3, 3, 1))
    >>> given = ms.chips.XyloSpecification(one, one, jnp.ones((3, 3)), *[jnp.ones(3)] * 7)
    >>> given.weights_in.shape, given.bias
    ((3, 3, 1), None)
    """

    weights_in: Numbers
    weights_rec: Numbers
    weights_out: Numbers
    threshold: Numbers
    threshold_out: Numbers
    dash_mem: Numbers
    dash_mem_out: Numbers
    dash_syn: Numbers
    dash_syn_2: Numbers
    dash_syn_out: Numbers
    bias: Numbers | None = None
    bias_out: Numbers | None = None


def xylo_global_quantize(given: XyloSpecification) -> XyloSpecification:
    """One scale for all hidden neurons, one for all outputs: the largest weight or bias of each becomes 127.

    Thresholds beyond 16 bits shrink to them, and take weights that are rounded already with them. As in rockpool
    3.1.0, biases of outputs have the scale of the hidden neurons, biases do not shrink with thresholds, and thresholds
    of outputs shrink the recurrent weights, too.

    >>> import jax.numpy as jnp, memsim as ms
    >>> half, ones = jnp.full((3, 3, 1), 0.5), [jnp.ones(3)] * 7
    >>> given = ms.chips.XyloSpecification(half, half, jnp.ones((3, 3)), *ones)
    >>> int(ms.chips.xylo_global_quantize(given).weights_in.max())
    127
    """
    xp = given.weights_in.__array_namespace__()
    hidden = _scale(xp, given.weights_in, given.weights_rec, given.bias)
    out = _scale(xp, given.weights_out, given.bias_out)
    threshold, threshold_out = xp.round(given.threshold * hidden), xp.round(given.threshold_out * out)
    shrink, shrink_out = _shrinking(xp, threshold), _shrinking(xp, threshold_out)
    recurrent = xp.round(xp.round(given.weights_rec * hidden) * shrink)
    return _whole(
        given._replace(
            weights_in=xp.round(given.weights_in * hidden) * shrink,
            weights_rec=recurrent * shrink_out,
            weights_out=xp.round(given.weights_out * out) * shrink_out,
            threshold=threshold * shrink,
            threshold_out=threshold_out * shrink_out,
            bias=None if given.bias is None else given.bias * hidden,
            bias_out=None if given.bias_out is None else given.bias_out * hidden,
        )
    )


def xylo_channel_quantize(given: XyloSpecification) -> XyloSpecification:
    """A scale of its own for each neuron: its largest weight becomes 127, unless its threshold would pass 16 bits.

    As in rockpool 3.1.0, biases do not shrink with thresholds, may pass 8 bits, and are not scaled at all for hidden
    neurons of one synapse. What is given is left alone, there it is not.

    >>> import jax.numpy as jnp, memsim as ms
    >>> half, ones = jnp.full((3, 3, 1), 0.5), [jnp.ones(3)] * 7
    >>> given = ms.chips.XyloSpecification(half, half, jnp.ones((3, 3)), *ones)
    >>> int(ms.chips.xylo_channel_quantize(given).weights_in.max())
    127
    """
    xp = given.weights_in.__array_namespace__()
    weights = xp.concatenate([given.weights_in, given.weights_rec], axis=0)
    scale, factor = _scales(xp, xp.max(xp.abs(weights), axis=(0, 2)), given.threshold)
    scale_out, factor_out = _scales(xp, xp.max(xp.abs(given.weights_out), axis=0), given.threshold_out)
    biases_scale = scale if given.weights_in.shape[2] > 1 else xp.ones_like(scale)
    return _whole(
        given._replace(
            weights_in=given.weights_in * factor[None, :, None],
            weights_rec=given.weights_rec * factor[None, :, None],
            weights_out=given.weights_out * factor_out[None],
            threshold=given.threshold * factor,
            threshold_out=given.threshold_out * factor_out,
            bias=None if given.bias is None else given.bias * biases_scale,
            bias_out=None if given.bias_out is None else given.bias_out * scale_out,
        )
    )


def _scale(xp: Any, *groups: Numbers | None) -> Numbers:
    largest = xp.max(xp.stack([xp.max(xp.abs(each)) for each in groups if each is not None]))
    return xp.where(largest > 0, WEIGHT / xp.where(largest > 0, largest, 1.0), 1.0)


def _shrinking(xp: Any, threshold: Numbers) -> Numbers:
    largest = xp.max(threshold)
    over = largest > THRESHOLD
    return xp.where(over, THRESHOLD / xp.where(over, largest, 1.0), 1.0)


def _scales(xp: Any, largest: Numbers, threshold: Numbers) -> tuple[Numbers, Numbers]:
    """The scale of each neuron by its weights alone, and that with which its threshold fits, too."""
    scale = xp.where(largest > 0, WEIGHT / xp.where(largest > 0, largest, 1.0), 1.0)
    over = (xp.abs(xp.round(threshold * scale)) > THRESHOLD) & (largest > 0)
    return scale, xp.where(over, THRESHOLD / xp.where(over, threshold, 1.0), scale)


def _whole(given: XyloSpecification) -> XyloSpecification:
    """Rounded half to even."""
    found: Any = [None if x is None else x.__array_namespace__().round(x).astype("int32") for x in given]
    return XyloSpecification(*found)
