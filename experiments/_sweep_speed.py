"""What a sweep costs beside its measure, and what a second process brings."""

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr

import memsim as ms
from _clock import Case

POINTS = 100  # of nothing but a sum
EQUAL = 16  # that take some seconds each
STEPS = 6_000_000  # of a recurrent product that one core computes


def quick(a, seed, *, key):
    """A measure of no time."""
    return {"sum": a + seed, "chips": jnp.zeros(100)}


def slow(part, steps, *, key):
    """A measure of some seconds: a recurrence of 64 neurons, which no second core can help with."""
    return {"last": recurrence(jr.normal(key, (64, 64)) / 8.0, steps)}


@jax.jit
def recurrence(w, steps):
    return jax.lax.fori_loop(0, steps, lambda _, x: jnp.tanh(w @ x), jnp.ones(64))


def sweep_points(config: Any) -> Iterator[Case]:
    """The overhead of a point, and a sweep of equal points on two processes against one."""
    key, grid = jr.key(0), {"a": range(POINTS // 10), "seed": range(10)}
    ms.study.sweep(quick, {"a": [0], "seed": [0]}, key=key)
    with tempfile.TemporaryDirectory() as folder:
        for name, given in {"nothing kept": {}, "each point kept in a folder": {"folder": folder}}.items():
            yield Case(f"a point of a sweep, {name}", seconds(quick, grid, key=key, **given) / POINTS, 0.05, "s")
        yield Case("a point of a sweep, read again", seconds(quick, grid, key=key, folder=folder) / POINTS, 0.05, "s")
    equal = {"part": range(EQUAL), "steps": [STEPS]}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        start = seconds(slow, {"part": [0, 1], "steps": [1]}, key=key, executor=pool)
        yield Case("two processes of a sweep, until they have computed something", start, float("inf"), "s")
        with tempfile.TemporaryDirectory() as folder:
            two = seconds(slow, equal, key=key, executor=pool, folder=f"{folder}/two")
            one = seconds(slow, equal, key=key, folder=f"{folder}/one")
    yield Case(f"a sweep of {EQUAL} equal points in one process", one, float("inf"), "s")
    yield Case("the same in two processes, against one", two / one, 1 / 1.7)


def seconds(measure: Any, grid: dict[str, Any], **given: Any) -> float:
    """How long a sweep takes."""
    start = time.perf_counter()
    ms.study.sweep(measure, grid, **given)
    return time.perf_counter() - start
