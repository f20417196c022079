"""One layer of ours as one node of NIR, or two in a row."""

from typing import Any, NamedTuple

import jax
import numpy as np

from ..nn import (
    IF,
    LI,
    LIF,
    AvgPool2d,
    Conv1d,
    Conv2d,
    CuBaLI,
    CuBaLIF,
    Delay,
    Firing,
    Flatten,
    Integrator,
    Linear,
    Scale,
    SumPool2d,
    Threshold,
)
from ..nn._layer import Shape
from ..nn._synapses._window import paddings, pads, sizes
from ._step import Discretisation, Filter, Values, equation, numbers

Nodes = dict[str, Any]  # by what is appended to the layer's name


class Writer(NamedTuple):
    """What writing a layer needs to know besides the layer."""

    nir: Any
    dt: float
    discretisation: Discretisation
    allow_reset_change: bool

    def equation(self, *settings: Any) -> tuple[Values, Values]:
        return equation(Filter(*settings), self.dt, self.discretisation)


def linear(layer: Linear, shape: Shape, w: Writer) -> Nodes:
    if "scalar" in (layer.in_features, layer.out_features):
        raise ValueError('must have numbers of inputs and outputs to be written as NIR. Got "scalar"; use 1.')
    weight = array(layer.weight)
    return {"": w.nir.Linear(weight) if layer.bias is None else w.nir.Affine(weight, array(layer.bias))}


def conv1d(layer: Conv1d, shape: Shape, w: Writer) -> Nodes:
    check_zeros(layer)
    (stride,), (dilation,) = layer.stride, layer.dilation
    padding = layer.padding
    if padding != "same" or stride > 1:
        ((padding,),) = (symmetric(layer.padding, shape, layer.kernel_size, layer.stride, layer.dilation),)
    kernel, bias = array(layer.kernel), conv_bias(layer)
    return {"": w.nir.Conv1d(shape[1], kernel, stride, padding, dilation, layer.groups, bias)}


def conv2d(layer: Conv2d, shape: Shape, w: Writer) -> Nodes:
    check_zeros(layer)
    padding = layer.padding
    if padding != "same" or max(layer.stride) > 1:
        padding = symmetric(layer.padding, shape, layer.kernel_size, layer.stride, layer.dilation)
    kernel, bias = array(layer.kernel), conv_bias(layer)
    return {"": w.nir.Conv2d(shape[1:], kernel, layer.stride, padding, layer.dilation, layer.groups, bias)}


def pool(layer: SumPool2d | AvgPool2d, shape: Shape, w: Writer) -> Nodes:
    kernel = sizes("kernel_size", layer.kernel_size, 2)
    stride = kernel if layer.stride is None else sizes("stride", layer.stride, 2)
    padding = symmetric(paddings(layer.padding, 2), shape, kernel, stride, (1, 1))
    kind = w.nir.SumPool2d if isinstance(layer, SumPool2d) else w.nir.AvgPool2d
    return {"": kind(kernel_size=np.array(kernel), stride=np.array(stride), padding=np.array(padding))}


def flatten(layer: Flatten, shape: Shape, w: Writer) -> Nodes:
    start, end = (dim + len(shape) if dim < 0 else dim for dim in (layer.start_dim, layer.end_dim))
    return {"": w.nir.Flatten({"input": np.array(shape)}, start, end)}


def scale(layer: Scale, shape: Shape, w: Writer) -> Nodes:
    return {"": w.nir.Scale(full(layer.scale, shape))}


def threshold(layer: Threshold, shape: Shape, w: Writer) -> Nodes:
    check_silent(layer.at_threshold)
    return {"": w.nir.Threshold(full(layer.threshold, shape))}


def delay(layer: Delay, shape: Shape, w: Writer) -> Nodes:
    return {"": w.nir.Delay(full(np.asarray(layer.steps) * w.dt, shape))}


def li(layer: LI | LIF, shape: Shape, w: Writer) -> Nodes:
    tau, r = w.equation(layer.tau_mem, layer.decay, layer.gain, layer.resistance)
    return {"": w.nir.LI(**filled(shape, tau=tau, r=r, v_leak=layer.v_rest))}


def lif(layer: LIF, shape: Shape, w: Writer) -> Nodes:
    tau, r = w.equation(layer.tau_mem, layer.decay, layer.gain, layer.resistance)
    if not resets(layer.firing, w):
        return li(layer, shape, w) | after(layer, shape, w)
    return {"": w.nir.LIF(**filled(shape, tau=tau, r=r, v_leak=layer.v_rest, **reset(layer)))}


def cuba_li(layer: CuBaLI | CuBaLIF, shape: Shape, w: Writer) -> Nodes:
    return {"": w.nir.CubaLI(**filled(shape, **cuba(layer, w)))}


def cuba_lif(layer: CuBaLIF, shape: Shape, w: Writer) -> Nodes:
    if not resets(layer.firing, w):
        return cuba_li(layer, shape, w) | after(layer, shape, w)
    return {"": w.nir.CubaLIF(**filled(shape, **cuba(layer, w), **reset(layer)))}


def integrator(layer: Integrator | IF, shape: Shape, w: Writer) -> Nodes:
    return {"": w.nir.I(r=full(rate(layer), shape))}


def integrate_and_fire(layer: IF, shape: Shape, w: Writer) -> Nodes:
    if not resets(layer.firing, w):
        return integrator(layer, shape, w) | after(layer, shape, w)
    return {"": w.nir.IF(**filled(shape, r=rate(layer), **reset(layer)))}


def cuba(layer: CuBaLI | CuBaLIF, w: Writer) -> dict[str, Any]:
    if layer.synaptic_delay:
        raise ValueError(
            "must have a membrane that takes the current of the same step to be written as NIR. "
            f"Got synaptic_delay={layer.synaptic_delay}; put `Delay` of one step before it instead."
        )
    tau_syn, w_in = w.equation(layer.tau_syn, layer.decay, layer.gain_syn, layer.w_in)
    tau_mem, r = w.equation(layer.tau_mem, layer.decay, layer.gain, layer.resistance)
    return {"tau_syn": tau_syn, "w_in": w_in, "tau_mem": tau_mem, "r": r, "v_leak": layer.v_rest}


def rate(layer: Integrator | IF) -> Values:
    return np.asarray(numbers(layer.resistance) / (layer.dt if layer.gain == "one" else 1.0))


def reset(layer: Any) -> dict[str, Any]:
    return {"v_threshold": layer.threshold, "v_reset": layer.v_reset}


def after(layer: Any, shape: Shape, w: Writer) -> Nodes:
    """What a neuron without reset is after its membrane."""
    return {".threshold": w.nir.Threshold(full(layer.threshold, shape))}


def resets(firing: Firing, w: Writer) -> bool:
    """Whether a neuron is reset; raises `ValueError` for a way of firing that NIR cannot say."""
    if firing.reset == "subtract" and not w.allow_reset_change:
        raise ValueError(
            'must reset to a value to be written as NIR. Got reset="subtract". Train with `Firing(reset="zero")`, or '
            "pass `allow_reset_change=True` to write a reset to `v_reset`: the spikes will differ."
        )
    if firing.max_spikes > 1:
        raise ValueError(
            "must fire at most once a step to be written as NIR. "
            f"Got max_spikes={firing.max_spikes}; use 1, and a shorter time step."
        )
    if firing.refractory > 0:
        raise ValueError(
            f"must have no refractory period to be written as NIR. Got refractory={firing.refractory} s; use 0."
        )
    check_silent(firing.at_threshold)
    if firing.emit == "old":
        raise ValueError(
            'must give out the spikes of its own step to be written as NIR. Got emit="old"; use emit="new" with '
            "`Delay` of one step after it."
        )
    return firing.reset != "none"


def check_silent(at_threshold: str) -> None:
    if at_threshold == "fires":
        raise ValueError(
            "must be silent at exactly its threshold to be written as NIR, whose neurons fire above it. Got "
            'at_threshold="fires"; use "silent" and a threshold that is one rounding lower (`numpy.nextafter`).'
        )


def check_zeros(layer: Conv1d | Conv2d) -> None:
    if layer.padding_mode != "zeros":
        raise ValueError(
            f'must be padded with zeros to be written as NIR. Got padding_mode={layer.padding_mode!r}; use "zeros".'
        )


def symmetric(padding: Any, shape: Shape, kernel: Shape, stride: Shape, dilation: Shape) -> tuple[int, ...]:
    """Zeros on both sides of each spatial axis."""
    around = pads(shape[1:], kernel, stride, dilation, padding)
    if any(before != behind for before, behind in around):
        raise ValueError(
            "must have as many zeros before as behind each axis to be written as NIR. "
            f"Got padding {padding!r}, which is {around} here; use another kernel or stride."
        )
    return tuple(before for before, _ in around)


def conv_bias(layer: Conv1d | Conv2d) -> np.ndarray:
    kernel = array(layer.kernel)
    return np.zeros(kernel.shape[0], kernel.dtype) if layer.bias is None else array(layer.bias)


def filled(shape: Shape, **parameters: Any) -> dict[str, np.ndarray]:
    """Parameters as NIR wants them: one value a neuron, in one dtype."""
    arrays = {name: full(x, shape) for name, x in parameters.items()}
    return {name: x.astype(np.result_type(*arrays.values())) for name, x in arrays.items()}


def full(x: Any, shape: Shape) -> np.ndarray:
    return np.broadcast_to(array(getattr(x, "value", x)), shape).copy()


def array(x: Any) -> np.ndarray:
    """A finite array; raises `ValueError` for any other."""
    found = np.asarray(jax.device_get(x))
    if not np.isfinite(found).all():
        raise ValueError("must be finite to be written. Got NaN or infinity. Did the training diverge?")
    return found
