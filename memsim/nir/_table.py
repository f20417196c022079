"""Which node of NIR is which layer of ours, and how each is read and written."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import nn
from ..nn._layer import Shape
from . import _read as read
from . import _write as write


class Pair(NamedTuple):
    """A kind of node, the layer that it is, and the way from one to the other and back."""

    node: str
    layer: type[nn.AbstractLayer]
    read: Callable[..., nn.AbstractLayer]
    write: Callable[..., write.Nodes]


PAIRS = (
    Pair("Affine", nn.Linear, read.linear, write.linear),
    Pair("AvgPool2d", nn.AvgPool2d, read.pool, write.pool),
    Pair("Conv1d", nn.Conv1d, read.conv, write.conv1d),
    Pair("Conv2d", nn.Conv2d, read.conv, write.conv2d),
    Pair("CubaLI", nn.CuBaLI, read.cuba_li, write.cuba_li),
    Pair("CubaLIF", nn.CuBaLIF, read.cuba_lif, write.cuba_lif),
    Pair("Delay", nn.Delay, read.delay, write.delay),
    Pair("Flatten", nn.Flatten, read.flat, write.flatten),
    Pair("I", nn.Integrator, read.integrator, write.integrator),
    Pair("IF", nn.IF, read.integrate_and_fire, write.integrate_and_fire),
    Pair("LI", nn.LI, read.li, write.li),
    Pair("LIF", nn.LIF, read.lif, write.lif),
    Pair("Linear", nn.Linear, read.linear, write.linear),
    Pair("Scale", nn.Scale, read.scale, write.scale),
    Pair("SumPool2d", nn.SumPool2d, read.pool, write.pool),
    Pair("Threshold", nn.Threshold, read.threshold, write.threshold),
)
READERS = {pair.node: pair.read for pair in PAIRS}
WRITERS = {pair.layer: pair.write for pair in PAIRS}


def layer_of(node: Any, shape: Shape | None, r: read.Reader) -> nn.AbstractLayer:
    """The layer that `node` is for an input of `shape`, `None` where that is not known yet."""
    kind = type(node).__name__
    if kind not in READERS:
        raise ValueError(f"must be one of {', '.join(sorted(READERS))}, or a graph. Got {kind}.")
    return READERS[kind](node, shape, r)


def nodes_of(layer: nn.AbstractLayer, shape: Shape, w: write.Writer) -> write.Nodes:
    """The nodes that `layer` is; raises `ValueError` for a layer without any."""
    if isinstance(layer, nn.ParallelInTime):
        layer = layer.neuron
    if type(layer) not in WRITERS:
        inner = getattr(layer, "layer", getattr(layer, "neuron", None))
        of = "" if inner is None else f", around {type(inner).__name__}"
        known = ", ".join(sorted(kind.__name__ for kind in WRITERS))
        raise ValueError(
            f"must have a counterpart in NIR. Got {type(layer).__name__}{of}. Leave it out, or use {known}."
        )
    dt = getattr(layer, "dt", w.dt)
    if not np.isclose(dt, w.dt, rtol=1e-9, atol=0):
        raise ValueError(f"must have the time step of the export, in seconds. Got {dt} and dt={w.dt}.")
    return WRITERS[type(layer)](layer, shape, w)
