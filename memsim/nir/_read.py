"""One node of NIR as one layer of ours."""

from math import prod
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
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
from ._dialect import Dialect
from ._flatten import flatten
from ._step import ROUNDING, Filter, Values, filter_of, kept, parameter_of

KEY = 0  # of initial weights, which are replaced
LONGEST = 2**28  # values that delays keep


class Reader(NamedTuple):
    """What reading a node needs to know besides the node: `following` are the nodes, or outputs' shapes, after it."""

    dt: float
    dialect: Dialect
    firing: Firing | None
    following: tuple[Any, ...] = ()

    def fires(self, *, cuba: bool = False) -> Firing:
        if self.firing is not None:
            return self.firing
        special = self.dialect.firing_cuba if cuba else None
        return self.dialect.firing if special is None else special

    def filter(self, tau: Values, factor: Values, meaning: str) -> Filter:
        """The filter that a time constant and an input factor of the file mean."""
        if (tau <= 0).any():
            raise ValueError(f"must have positive time constants. Got values down to {tau.min()}.")
        tau, step = self.dialect.seconds(tau, self.dt), self.dialect.discretisation
        if step == "euler" and (tau < self.dt).any():
            raise ValueError(
                f"must have time constants of at least one Euler step. Got {tau.min():.3g} s and dt={self.dt}. Pass "
                "the exporter's `dt` and `dialect`; `memsim.nir.guess(graph, dt=dt)` says what the numbers look like."
            )
        if meaning == "equation":
            return filter_of(tau, factor, self.dt, step)
        return Filter(tau, step, "one", np.ones(()) if meaning == "unscaled" else kept(tau, self.dt, step))


def linear(node: Any, shape: Shape | None, r: Reader) -> Linear:
    weight = array(node, "weight")
    if weight.ndim != 2:
        raise ValueError(f"must have a weight of shape (outputs, inputs). Got {weight.shape}.")
    bias = array(node, "bias") if type(node).__name__ == "Affine" else None
    layer = Linear(weight.shape[1], weight.shape[0], use_bias=bias is not None, key=jr.key(KEY))
    return with_weights(layer, weight, bias)


def conv(node: Any, shape: Shape | None, r: Reader) -> Conv1d | Conv2d:
    rank = 1 if type(node).__name__ == "Conv1d" else 2
    kernel, (groups,) = array(node, "weight"), whole(node, "groups", 1)
    if kernel.ndim != rank + 2:
        raise ValueError(f"must have a weight of {rank + 2} axes. Got shape {kernel.shape}.")
    layer = (Conv1d if rank == 1 else Conv2d)(
        kernel.shape[1] * groups,
        kernel.shape[0],
        kernel.shape[2:],
        stride=whole(node, "stride", rank),
        padding=node.padding if isinstance(node.padding, str) else whole(node, "padding", rank, least=0),
        dilation=whole(node, "dilation", rank),
        groups=groups,
        use_bias=node.bias is not None,
        key=jr.key(KEY),
    )
    bias = None if node.bias is None else array(node, "bias")
    return with_weights(layer, kernel.reshape(kernel.shape[0], -1), bias)


def pool(node: Any, shape: Shape | None, r: Reader) -> SumPool2d | AvgPool2d:
    kind = SumPool2d if type(node).__name__ == "SumPool2d" else AvgPool2d
    return kind(whole(node, "kernel_size", 2), whole(node, "stride", 2), whole(node, "padding", 2, least=0))


def flat(node: Any, shape: Shape | None, r: Reader) -> Flatten:
    return flatten(node, shape, r.following)


def scale(node: Any, shape: Shape | None, r: Reader) -> Scale:
    _, p = parameters(node, shape, "scale")
    return Scale(parameter_of(p["scale"]))


def threshold(node: Any, shape: Shape | None, r: Reader) -> Threshold:
    _, p = parameters(node, shape, "threshold")
    fires = r.fires()
    return Threshold(parameter_of(p["threshold"]), fires.surrogate, fires.at_threshold)


def delay(node: Any, shape: Shape | None, r: Reader) -> Delay:
    size, p = parameters(node, shape, "delay")
    steps = r.dialect.seconds(p["delay"], r.dt) / r.dt
    if (abs(steps - np.round(steps)) > 1e-3 * np.maximum(1, steps)).any() or (steps < 0).any():
        raise ValueError(
            f"must have delays of whole time steps of at least 0. Got {steps.min():.6g} to {steps.max():.6g} steps of "
            f"dt={r.dt}; choose another dt."
        )
    if steps.max() * prod(shape_of(size)) > LONGEST:
        raise ValueError(f"must keep at most {LONGEST} values. Got delays up to {steps.max():.6g} steps of {size}.")
    return Delay(size, np.broadcast_to(np.round(steps).astype(int), shape_of(size)))


def li(node: Any, shape: Shape | None, r: Reader) -> LI:
    size, p = parameters(node, shape, "tau", "r", "v_leak")
    return LI(size, v_rest=parameter_of(p["v_leak"]), dt=r.dt, **membrane(p["tau"], p["r"], r))


def lif(node: Any, shape: Shape | None, r: Reader) -> LIF:
    size, p = parameters(node, shape, "tau", "r", "v_leak", "v_threshold", "v_reset")
    rest = parameter_of(p["v_leak"])
    return LIF(size, v_rest=rest, dt=r.dt, **membrane(p["tau"], p["r"], r), **spiking(p, r))


def cuba_li(node: Any, shape: Shape | None, r: Reader) -> CuBaLI:
    size, p = parameters(node, shape, "tau_syn", "tau_mem", "r", "v_leak", "w_in")
    return CuBaLI(size, v_rest=parameter_of(p["v_leak"]), dt=r.dt, **synapse(p, r), **membrane(p["tau_mem"], p["r"], r))


def cuba_lif(node: Any, shape: Shape | None, r: Reader) -> CuBaLIF:
    size, p = parameters(node, shape, "tau_syn", "tau_mem", "r", "v_leak", "w_in", "v_threshold", "v_reset")
    both = synapse(p, r) | membrane(p["tau_mem"], p["r"], r)
    return CuBaLIF(size, v_rest=parameter_of(p["v_leak"]), dt=r.dt, **both, **spiking(p, r))


def integrator(node: Any, shape: Shape | None, r: Reader) -> Integrator:
    size, p = parameters(node, shape, "r")
    return Integrator(size, dt=r.dt, **rate(p["r"], r))


def integrate_and_fire(node: Any, shape: Shape | None, r: Reader) -> IF:
    size, p = parameters(node, shape, "r", "v_threshold", "v_reset")
    return IF(size, dt=r.dt, **rate(p["r"], r), **spiking(p, r))


def membrane(tau: Values, factor: Values, r: Reader) -> dict[str, Any]:
    f = r.filter(tau, factor, r.dialect.r)
    resistance = parameter_of(f.factor)
    return {"tau_mem": parameter_of(f.tau), "resistance": resistance, "decay": f.decay, "gain": f.gain}


def synapse(p: dict[str, Values], r: Reader) -> dict[str, Any]:
    f = r.filter(p["tau_syn"], p["w_in"], r.dialect.w_in)
    return {"tau_syn": parameter_of(f.tau), "w_in": parameter_of(f.factor), "gain_syn": f.gain}


def rate(factor: Values, r: Reader) -> dict[str, Any]:
    """Input gain of a membrane without leak; an input that enters unscaled is told so."""
    if r.dialect.rate == "per_step":
        return {"gain": "one", "resistance": parameter_of(factor)}
    if np.allclose(factor * r.dt, 1, rtol=0, atol=ROUNDING):
        return {"gain": "one"}
    return {"gain": "dt", "resistance": parameter_of(factor)}


def spiking(p: dict[str, Values], r: Reader) -> dict[str, Any]:
    reset = parameter_of(p["v_reset"])
    return {"threshold": parameter_of(p["v_threshold"]), "v_reset": reset, "firing": r.fires(cuba="tau_syn" in p)}


def parameters(node: Any, shape: Shape | None, *names: str) -> tuple[int | Shape, dict[str, Values]]:
    """The size of a layer and its parameters: single values, or arrays with as many axes as the layer.

    Arrays are spread over the layer's input as NumPy and PyTorch do: one value a channel is an array (channels, 1, 1).
    """
    found = {name: array(node, name) for name in names}
    own = {name: _fitted(x, shape) for name, x in found.items() if x.size > 1}
    try:
        spread = np.broadcast_shapes(*(x.shape for x in own.values()))
        spread = spread if shape is None else np.broadcast_shapes(spread, shape)
    except ValueError:
        spread = None
    if spread is None or (shape is not None and spread != shape):
        if len({x.shape for x in own.values()}) > 1:
            raise ValueError(
                f"must have parameters of one shape, or that spread over its input of shape {shape}. "
                f"Got { ({n: x.shape for n, x in found.items()}) }."
            )
        spread = next(iter(own.values())).shape  # which the layer refuses for this input
    shape = spread or shape or max((x.shape for x in found.values()), key=len)
    if not shape:
        raise ValueError("must have a shape. Got single values and an input of unknown shape; pass `input_shape`.")
    single = {name: x.reshape(()) for name, x in found.items() if x.size == 1}
    arrays = {name: x.reshape((1,) * (len(shape) - x.ndim) + x.shape) for name, x in own.items()}
    return shape[0] if len(shape) == 1 else shape, single | arrays


def _fitted(x: Values, shape: Shape | None) -> Values:
    """`x` without leading axes of one element that its input does not have, such as a batch axis."""
    while shape is not None and x.ndim > len(shape) and x.shape[0] == 1:
        x = x[0]
    return x


def shape_of(size: int | Shape) -> Shape:
    return (size,) if isinstance(size, int) else size


def array(node: Any, name: str) -> Values:
    """A finite array of a node, in double precision."""
    found = np.asarray(getattr(node, name))
    if found.dtype.kind not in "biuf":
        raise ValueError(f"must have real numbers in `{name}`. Got {found.dtype}.")
    found = found.astype(np.float64)
    if not (np.abs(found) <= np.finfo(jnp.result_type(float)).max).all() or found.size == 0:
        came = "NaN, infinity or numbers that are too large" if found.size else "none"
        raise ValueError(f"must have finite numbers in `{name}`. Got {came}.")
    return found


def whole(node: Any, name: str, rank: int, *, least: int = 1) -> tuple[int, ...]:
    """Whole numbers of a node, one a spatial axis."""
    found = array(node, name).reshape(-1)
    if (found != np.round(found)).any() or (found < least).any() or found.size not in (1, rank):
        raise ValueError(
            f"must have whole numbers of at least {least} in `{name}`, {rank} or one for all axes. "
            f"Got {getattr(node, name)}."
        )
    numbers = tuple(int(number) for number in found)
    return numbers * rank if len(numbers) == 1 else numbers


def with_weights(layer: Any, weight: Values, bias: Values | None) -> Any:
    dtype = jnp.result_type(float)
    layer = eqx.tree_at(lambda one: one.weight, layer, jnp.asarray(weight, dtype))
    if bias is None:
        return layer
    if bias.shape != weight.shape[:1]:
        raise ValueError(f"must have one bias an output, shape {weight.shape[:1]}. Got {bias.shape}.")
    return eqx.tree_at(lambda one: one.bias, layer, jnp.asarray(bias, dtype))
