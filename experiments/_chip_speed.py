"""What programming an array costs beside the random numbers that its cells need, and how much memory it takes."""

from collections.abc import Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr

import device_models as dm
import memsim as ms
from _clock import Case, ratio

CELLS = 10_000_000
NORMALS = 4  # of a weight: a pair of cells, each with one for its write and one for its drift


def chips(config: Any) -> Iterator[Case]:
    """PCM: many cells, and a matrix twice as wide as the arrays of other cases, against normals of JAX alone."""
    device, n = dm.pcm_joshi2020(), 2 * config.width
    aim = device.g_max * jr.uniform(jr.key(0), (CELLS,))
    program = jax.jit(lambda aim, key: device.program(aim, key=key))
    draw = jax.jit(lambda key, shape: jr.normal(key, shape), static_argnums=1)
    few = min(config.rounds, 5)
    found = ratio((program, aim, jr.key(1)), (draw, jr.key(2), (2, CELLS)), few)
    work = f"programming {CELLS:.0e} PCM cells"
    yield Case(f"{work} / their normals", found, 0.4)
    yield Case(f"{work}, temporary memory", temporary(program, aim, jr.key(1)) / CELLS, 1.0, "B/cell")
    w = jr.normal(jr.key(3), (n, n)) / n**0.5
    size = f"{n}x{n}"
    for noise in ("off", "per_moment", "per_read"):
        design = ms.Crossbar(device, adc=ms.ADC(8), reads=ms.Reads(noise))
        deploy = eqx.filter_jit(lambda w, key, design=design: design.deploy(w, jnp.asarray(3600.0), key=key))
        found = ratio((deploy, w, jr.key(4)), (draw, jr.key(5), (NORMALS, n, n)), config.rounds)
        work = f"deploy {size}, read noise {noise}"
        yield Case(f"{work} / normals of programming", found, 1.0)
        yield Case(f"{work}, temporary memory", temporary(deploy, w, jr.key(4)) / n**2, 32.0, "B/weight")
    chip = ms.Crossbar(device).program(w, key=jr.key(6))
    held = sum(leaf.nbytes for leaf in jax.tree.leaves(chip) if eqx.is_array(leaf))
    yield Case(f"a programmed chip of {size}", held / n**2, 16.0, "B/weight")


def temporary(function: Any, *arguments: Any) -> float:
    """Bytes that a compiled function needs beside its arguments and results."""
    compiled = function.lower(*arguments).compile()
    return getattr(compiled, "compiled", compiled).memory_analysis().temp_size_in_bytes
