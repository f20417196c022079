"""The libraries that the benchmark compares with, where they are installed, on its workloads."""

import importlib.util
import logging
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np


def spiking(w: jax.Array, xs: jax.Array, tau: float) -> dict[str, tuple[Callable[..., Any], ...]]:
    """Functions with their arguments that give the sum of spikes and its gradient; `xs` has the steps first."""
    known = {"Spyx": spyx, "jaxpike": jaxpike, "jaxpike checkpointed": jaxpike_checkpointed, "snnTorch": snntorch}
    return _installed(known, w, xs, tau)


def convolutional(weights: list[jax.Array], xs: jax.Array, tau: float) -> dict[str, tuple[Callable[..., Any], ...]]:
    """The same of a network of two convolutions, each with sums over 2 x 2 neurons behind it, and a readout.

    `weights` are two kernels, outputs first, and a matrix; `xs` has the shape (steps, batch, channels, height, width).
    """
    return _installed({"Spyx": spyx_convolutional, "snnTorch": snntorch_convolutional}, weights, xs, tau)


def _installed(known: dict[str, Callable[..., Any]], *arguments: Any) -> dict[str, tuple[Callable[..., Any], ...]]:
    found = {name: make(*arguments) for name, make in known.items() if is_installed(name.split()[0].lower())}
    if not found:
        print("Peers are not installed; `pip install spyx==1.0.0 jaxpike==0.1.4 snntorch==1.0.0` adds them.")
    return found


def badcrossbar(g: jax.Array, v: jax.Array) -> Callable[[], np.ndarray] | None:
    """A function that solves the array of conductances `g`, 1 ohm a segment, for inputs of shape (inputs, rows)."""
    if not is_installed("badcrossbar"):
        print("badcrossbar is not installed; `pip install badcrossbar==1.1.0` adds it (it needs libcairo2-dev).")
        return None
    import badcrossbar

    logging.getLogger("badcrossbar").setLevel(logging.ERROR)

    def solved():
        found = badcrossbar.compute(np.asarray(v).T, 1 / np.asarray(g), r_i_word_line=1.0, r_i_bit_line=1.0)
        return found.currents.output

    return solved


def is_installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def spyx(w: jax.Array, xs: jax.Array, tau: float):
    """The workload in Spyx: its LIF fires one step late."""
    import spyx.nn as snn
    from flax import nnx

    n, rngs = w.shape[0], nnx.Rngs(0)
    neurons = snn.LIF((n,), beta=float(np.exp(-1e-3 / tau)), rngs=rngs)
    model = snn.Sequential(nnx.Linear(n, n, use_bias=False, rngs=rngs), neurons)
    model.layers[0].kernel.value = w.T
    graph, parameters = nnx.split(model)
    state = model.initial_state(xs.shape[1])

    def loss(parameters, xs):
        return jnp.sum(snn.run(nnx.merge(graph, parameters), xs, state=state)[0])

    return jax.jit(jax.value_and_grad(loss)), parameters, xs


def jaxpike(w: jax.Array, xs: jax.Array, tau: float, unroll: str = "unroll"):
    """The workload in jaxpike: its LIF scales the input by one minus the decay."""
    import jaxpike
    from jaxpike import execution

    n = w.shape[0]
    dense = jaxpike.Dense(n, n, use_bias=False, key=jr.key(0))
    dense = eqx.tree_at(lambda layer: layer.weight, dense, w / (1 - np.exp(-1e-3 / tau)))
    model = jaxpike.Sequential(dense, jaxpike.LIF(tau=1e3 * tau))

    def loss(model, xs):
        return jnp.sum(getattr(execution, unroll)(model, xs)[0])

    return eqx.filter_jit(eqx.filter_value_and_grad(loss)), model, xs


def jaxpike_checkpointed(w: jax.Array, xs: jax.Array, tau: float):
    return jaxpike(w, xs, tau, "unroll_checkpointed")


def spyx_convolutional(weights: list[jax.Array], xs: jax.Array, tau: float):
    """The convolutional workload in Spyx, channels last."""
    import spyx.nn as snn
    from flax import nnx

    rngs, beta = nnx.Rngs(0), float(np.exp(-1e-3 / tau))
    first, second, last = weights

    def part(inputs: int, outputs: int, size: int) -> list[Any]:
        convolution = nnx.Conv(inputs, outputs, (5, 5), padding="VALID", use_bias=False, rngs=rngs)
        neurons = snn.LIF((size, size, outputs), beta=beta, rngs=rngs)
        return [convolution, neurons, snn.SumPool(2, 2, "VALID")]

    def flat(x: jax.Array) -> jax.Array:
        return jnp.moveaxis(x, -1, 1).reshape(x.shape[0], -1)

    readout = nnx.Linear(800, 10, use_bias=False, rngs=rngs), snn.LIF((10,), beta=beta, rngs=rngs)
    model = snn.Sequential(*part(2, 12, 30), *part(12, 32, 11), flat, *readout)
    model.layers[0].kernel.value = jnp.transpose(first, (2, 3, 1, 0))
    model.layers[3].kernel.value = jnp.transpose(second, (2, 3, 1, 0))
    model.layers[7].kernel.value = last.T
    graph, parameters = nnx.split(model)
    state = model.initial_state(xs.shape[1])

    def loss(parameters, xs):
        return jnp.sum(snn.run(nnx.merge(graph, parameters), xs, state=state)[0])

    return jax.jit(jax.value_and_grad(loss)), parameters, jnp.moveaxis(xs, 2, -1)


def snntorch(w: jax.Array, xs: jax.Array, tau: float):
    """The workload in snnTorch, step by step as its users write it; its LIF is reset one step late."""
    import torch

    linear = torch.nn.Linear(w.shape[1], w.shape[0], bias=False)
    return _in_snntorch([[linear]], [w], xs, tau)


def snntorch_convolutional(weights: list[jax.Array], xs: jax.Array, tau: float):
    import torch

    def pool() -> Any:
        return torch.nn.AvgPool2d(2, divisor_override=1)

    parts = [
        [torch.nn.Conv2d(2, 12, 5, bias=False)],
        [pool(), torch.nn.Conv2d(12, 32, 5, bias=False)],
        [pool(), torch.nn.Flatten(), torch.nn.Linear(800, 10, bias=False)],
    ]
    return _in_snntorch(parts, weights, xs, tau)


def _in_snntorch(parts: list[list[Any]], weights: list[jax.Array], xs: jax.Array, tau: float):
    """Layers that end in a weight, each with neurons behind it."""
    import snntorch
    import torch
    from snntorch.surrogate import fast_sigmoid

    def tensor(values: jax.Array) -> Any:
        return torch.tensor(np.asarray(values))

    parameters = [layers[-1].weight for layers in parts]
    with torch.no_grad():
        for own, values in zip(parameters, weights, strict=True):
            own.copy_(tensor(values))
    beta = float(np.exp(-1e-3 / tau))
    neurons = [snntorch.Leaky(beta=beta, spike_grad=fast_sigmoid(slope=25)) for _ in parts]

    def with_gradient(xs: Any) -> tuple[Any, Any]:
        membranes, total = [one.reset_mem() for one in neurons], torch.zeros(())
        for x in xs:
            for place, layers in enumerate(parts):
                for layer in layers:
                    x = layer(x)
                x, membranes[place] = neurons[place](x, membranes[place])
            total = total + x.sum()
        return total.detach(), torch.autograd.grad(total, parameters)

    return with_gradient, tensor(xs)
