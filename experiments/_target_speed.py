"""Digital and mixed-signal chips in their own arithmetic, timed against the same network as floats."""

import warnings
from collections.abc import Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr

import memsim as ms
from _clock import Call, Case, ratio
from _compile_speed import compile_seconds, own_cache

STEPS, BATCH = 500, 16
SYNAPSES = {"brainscales2": 128, "dynapse2": 64}  # of a neuron, at most
TARGETS = {
    "loihi1": ms.nn.CuBaLIF,
    "spinnaker1": ms.nn.LIF,
    "spinnaker1, current-based": ms.nn.CuBaLIF,
    "spinnaker2": ms.nn.CuBaLIF,
    "brainscales2": ms.nn.CuBaLIF,
    "dynapse2": ms.nn.CuBaLIF,
}


def targets(config: Any) -> Iterator[Case]:
    """As many neurons as inputs, 500 steps, batch 16, counts included, against LIF neurons as floats."""
    n = config.width
    xs = (jr.uniform(jr.key(0), (BATCH, STEPS, n)) < 0.05).astype(jnp.float32)
    plain = network(n, ms.nn.LIF)
    base = eqx.filter_jit(lambda model, xs: jax.vmap(model)(xs)), plain, xs
    for name, kind in TARGETS.items():
        chip = ms.chips.target(name.split(",")[0])
        case = on_chip(chip, network(n, kind, SYNAPSES.get(chip.name)), xs)
        size = f"{name}, {n} to {n}, {STEPS} steps"
        with own_cache():
            yield Case(f"{size}, compilation", compile_seconds(*case), 5.0, "s")
        yield Case(f"{size}, against float LIF", ratio(case, base, config.rounds), 1.5)


def on_chip(chip: Any, model: Any, xs: jax.Array) -> Call:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the network was not made by the conventions of each chip
        placed = chip.deploy(model, key=jr.key(2))
    return eqx.filter_jit(lambda placed, xs: jax.vmap(placed)(xs)), placed, xs


def network(n: int, kind: Any, fan_in: int | None = None) -> ms.nn.SpikingNetwork:
    """One layer that resets to zero, each neuron with `fan_in` inputs, or all."""
    linear = ms.nn.Linear(n, n, use_bias=False, key=jr.key(1))
    if fan_in is not None and fan_in < n:
        first = jnp.broadcast_to(jnp.arange(n)[None] < fan_in, (n, n))
        kept = jr.permutation(jr.key(3), first, axis=1, independent=True)
        linear = eqx.tree_at(lambda layer: layer.weight, linear, jnp.where(kept, linear.weight, 0.0))
    return ms.nn.SpikingNetwork([linear, kind(n, firing=ms.nn.Firing(reset="zero"))], chunk=None)
