"""One node of NIR as one layer of ours."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from ..nn import (
    IF,
    LI,
    LIF,
    AbstractLayer,
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
from ._step import ROUNDING, Filter, Values, filter_of, kept, parameter_of

KEY = 0  # of initial weights, which are replaced


class Reader(NamedTuple):
    """What reading a node needs to know besides the node."""

    dt: float
    dialect: Dialect
    firing: Firing | None

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


def layer_of(node: Any, shape: Shape | None, r: Reader) -> AbstractLayer:
    """The layer that `node` is for an input of `shape`, `None` where that is not known yet."""
    kind = type(node).__name__
    if kind not in READERS:
        raise ValueError(f"must be one of {', '.join(sorted(READERS))}, or a graph. Got {kind}.")
    return READERS[kind](node, shape, r)


def linear(node: Any, shape: Shape | None, r: Reader) -> Linear:
    weight = array(node, "weight")
    if weight.ndim != 2:
        raise ValueError(f"must have a weight of shape (outputs, inputs). Got {weight.shape}.")
    bias = array(node, "bias") if type(node).__name__ == "Affine" else None
    layer = Linear(weight.shape[1], weight.shape[0], use_bias=bias is not None, key=jr.key(KEY))
    return with_weights(layer, weight, bias)


def conv(node: Any, shape: Shape | None, r: Reader) -> Conv1d | Conv2d:
    kernel, groups = array(node, "weight"), int(np.asarray(node.groups))
    rank = kernel.ndim - 2
    layer = (Conv1d if rank == 1 else Conv2d)(
        kernel.shape[1] * groups,
        kernel.shape[0],
        kernel.shape[2:],
        stride=whole(node.stride, rank),
        padding=node.padding if isinstance(node.padding, str) else whole(node.padding, rank),
        dilation=whole(node.dilation, rank),
        groups=groups,
        use_bias=node.bias is not None,
        key=jr.key(KEY),
    )
    bias = None if node.bias is None else array(node, "bias")
    return with_weights(layer, kernel.reshape(kernel.shape[0], -1), bias)


def pool(node: Any, shape: Shape | None, r: Reader) -> SumPool2d | AvgPool2d:
    kind = SumPool2d if type(node).__name__ == "SumPool2d" else AvgPool2d
    return kind(whole(node.kernel_size, 2), whole(node.stride, 2), whole(node.padding, 2))


def flatten(node: Any, shape: Shape | None, r: Reader) -> Flatten:
    return Flatten(int(node.start_dim), int(node.end_dim))


def scale(node: Any, shape: Shape | None, r: Reader) -> Scale:
    _, p = parameters(node, shape, "scale")
    return Scale(parameter_of(p["scale"]))


def threshold(node: Any, shape: Shape | None, r: Reader) -> Threshold:
    _, p = parameters(node, shape, "threshold")
    return Threshold(parameter_of(p["threshold"]), r.fires().surrogate)


def delay(node: Any, shape: Shape | None, r: Reader) -> Delay:
    size, p = parameters(node, shape, "delay")
    steps = r.dialect.seconds(p["delay"], r.dt) / r.dt
    if (abs(steps - np.round(steps)) > 1e-3 * np.maximum(1, steps)).any() or (steps < 0).any():
        raise ValueError(
            f"must have delays of whole time steps of at least 0. Got {steps.min():.6g} to {steps.max():.6g} steps of "
            f"dt={r.dt}; choose another dt."
        )
    return Delay(size, np.round(steps).astype(int))


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
    """The size of a layer and its parameters, one value a neuron; single values are those of all neurons."""
    found = {name: array(node, name) for name in names}
    own = {x.shape for x in found.values() if x.size > 1}
    if len(own) > 1:
        raise ValueError(f"must have parameters of one shape. Got { ({n: x.shape for n, x in found.items()}) }.")
    shape = next(iter(own)) if own else shape
    if shape is None:
        shape = max((x.shape for x in found.values()), key=len)
    if not shape:
        raise ValueError("must have a shape. Got single values and an input of unknown shape; pass `input_shape`.")
    full = {name: np.broadcast_to(x.reshape(()) if x.size == 1 else x, shape) for name, x in found.items()}
    return shape[0] if len(shape) == 1 else shape, full


def array(node: Any, name: str) -> Values:
    """A finite array of a node, in double precision."""
    found = np.asarray(getattr(node, name), np.float64)
    if not np.isfinite(found).all() or found.size == 0:
        raise ValueError(
            f"must have finite numbers in `{name}`. Got {'none' if not found.size else 'NaN or infinity'}."
        )
    return found


def whole(x: Any, rank: int) -> tuple[int, ...]:
    """Whole numbers, one a spatial axis."""
    found = tuple(int(number) for number in np.asarray(x).reshape(-1))
    return found * rank if len(found) == 1 else found


def with_weights(layer: Any, weight: Values, bias: Values | None) -> Any:
    dtype = jnp.result_type(float)
    layer = eqx.tree_at(lambda one: one.weight, layer, jnp.asarray(weight, dtype))
    if bias is None:
        return layer
    if bias.shape != weight.shape[:1]:
        raise ValueError(f"must have one bias an output, shape {weight.shape[:1]}. Got {bias.shape}.")
    return eqx.tree_at(lambda one: one.bias, layer, jnp.asarray(bias, dtype))


READERS: dict[str, Callable[..., AbstractLayer]] = {
    "Affine": linear,
    "AvgPool2d": pool,
    "Conv1d": conv,
    "Conv2d": conv,
    "CubaLI": cuba_li,
    "CubaLIF": cuba_lif,
    "Delay": delay,
    "Flatten": flatten,
    "I": integrator,
    "IF": integrate_and_fire,
    "LI": li,
    "LIF": lif,
    "Linear": linear,
    "Scale": scale,
    "SumPool2d": pool,
    "Threshold": threshold,
}
