"""Arrays behind resistive wires, timed and compared with another solver."""

import dataclasses
import time
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

import _clock as clock
import _peers as peers
import device_models as dm
import memsim as ms
from _clock import Case


def wires(config: Any):
    """The effective matrix of an array behind resistive wires, against badcrossbar where it is installed.

    Conductances uniform from 10 to 100 uS, 1 ohm a segment, 100 inputs: 256 x 256 loses two thirds of its current.
    """
    few = dataclasses.replace(config, rounds=min(5, config.rounds))
    with jax.enable_x64(True):
        for n in (128, 256):
            yield from array_of(few, n)
        g = random_conductances(1024)
        start = time.perf_counter()
        jax.block_until_ready(ms.ResistiveWires(1.0, 1.0).effective(g))
        yield Case("effective matrix, 1024x1024, compilation included", time.perf_counter() - start, 60.0, "s")
    yield from noise_behind_wires(few)
    yield arrays_together(few)


def noise_behind_wires(config: Any):
    """A moment of a chip, and a read of it, with read noise of every cell by its own voltage, against no noise."""
    n, device = 128, dm.pcm_joshi2020()
    w, x = jr.normal(jr.key(0), (n, n)), jr.uniform(jr.key(1), (config.batch, n))

    def made(read_noise: Any):
        design = ms.Crossbar(device, wires=ms.ResistiveWires(2.0, 2.0), tile=(n, n), reads=ms.Reads(read_noise))
        chip = design.program(w, key=jr.key(2))
        return eqx.filter_jit(lambda chip, key: chip.at(3600.0, key=key)), chip, jr.key(3)

    def read(read_noise: Any):
        moment, chip, key = made(read_noise)
        return eqx.filter_jit(lambda m, x, key: m(x, key=key)), moment(chip, key), x, key

    yield Case(
        f"moment behind wires with read noise, {n}x{n}", clock.ratio(made("per_read"), made("off"), config.rounds), 8.0
    )
    yield Case(
        f"read behind wires with read noise, {n}x{n}", clock.ratio(read("per_read"), read("off"), config.rounds), 25.0
    )


def arrays_together(config: Any) -> Case:
    """A chip of 64 arrays with its wires, against as many arrays one after the other."""
    n, tiles, wires = 128, 8, ms.ResistiveWires(2.0, 2.0)
    w = jr.normal(jr.key(0), (tiles * n, tiles * n))
    chip = ms.Crossbar(dm.Ideal(), wires=wires, mapping=ms.OffsetColumn(), tile=(n, n)).program(w, key=jr.key(2))
    g = jr.uniform(jr.key(1), (n, n), minval=1e-6, maxval=25e-6)
    one = jax.jit(lambda g: jax.lax.map(wires.effective, jnp.broadcast_to(g, (tiles**2, n, n))))
    together = eqx.filter_jit(lambda chip: chip.at(0.0))
    found = clock.ratio((together, chip), (one, g), config.rounds)
    return Case("a chip of 64 arrays of 128x128 behind wires, against one by one", found, 1.2)


def array_of(config: Any, n: int):
    g, v = random_conductances(n), jr.uniform(jr.key(1), (100, n), maxval=0.2)
    model = ms.ResistiveWires(1.0, 1.0)

    @jax.jit
    def first(g, v):
        return v @ model.effective(g)

    @jax.jit
    def value_and_gradient(g):
        return jax.value_and_grad(lambda g: jnp.sum(jnp.sin(1e4 * model.effective(g))))(g)

    start = time.perf_counter()
    first.lower(g, v).compile()
    yield Case(f"effective matrix, {n}x{n}, compilation", time.perf_counter() - start, 10.0, "s")
    value = jax.jit(lambda g: jnp.sum(jnp.sin(1e4 * model.effective(g))))
    yield Case(
        f"effective matrix, {n}x{n}, value and gradient against value",
        clock.ratio((value_and_gradient, g), (value, g), config.rounds),
        3.0,
    )
    peer = peers.badcrossbar(g, v)
    if peer is None:
        return
    found = clock.ratio((first, g, v), (peer,), config.rounds)
    yield Case(f"{n}x{n}, 100 inputs, against badcrossbar", found, 0.1)
    later, matrix = jax.jit(lambda v, matrix: v @ matrix), model.effective(g)
    yield Case(
        f"{n}x{n}, 100 further inputs, against badcrossbar",
        clock.ratio((later, v, matrix), (peer,), config.rounds),
        1 / 500,
    )
    exact = peer()
    for dtype, target in ((jnp.float64, 1e-9), (jnp.float32, 2e-5)):
        error = np.abs(np.asarray(first(g.astype(dtype), v.astype(dtype)), float) - exact).max() / np.abs(exact).max()
        yield Case(f"{n}x{n}, largest error against badcrossbar, {np.dtype(dtype)}", float(error), target, "")


def random_conductances(n: int) -> jax.Array:
    return jr.uniform(jr.key(0), (n, n), minval=1e-5, maxval=1e-4)
