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
    known = {"Spyx": spyx, "jaxpike": jaxpike, "jaxpike checkpointed": jaxpike_checkpointed}
    found = {name: make(w, xs, tau) for name, make in known.items() if is_installed(name.split()[0].lower())}
    if not found:
        print("Peers are not installed; `pip install spyx==1.0.0 jaxpike==0.1.4` adds them.")
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
