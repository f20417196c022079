"""How long it takes until results begin to come: compilation, cold and from a cache on disk."""

import contextlib
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jax.experimental.compilation_cache import compilation_cache

import device_models as dm
import memsim as ms
from _clock import Case


def compilation(config: Any) -> Iterator[Case]:
    """Of the demo's longest function, a training epoch through a sampled chip, and of a matrix of many row tiles."""
    data = ms.data.spoken_digits()
    arrays = [(jnp.asarray(part.inputs), jnp.asarray(part.labels)) for part in (data.train, data.validation)]
    model, optimizer = recurrent_network(jr.key(0)), optax.adam(1e-3)
    design = ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8), reads=ms.Reads("per_moment"))
    hardware = ms.train.SampledChip(design, time=ms.train.LogUniform(1.0, 3.15e7))
    state = model, optimizer.init(eqx.filter(model, eqx.is_inexact_array)), jnp.zeros((), int)

    def epoch() -> float:
        trainer = ms.train.Trainer(optimizer, ms.train.cross_entropy, hardware, 2.5, 64, ramp_steps=1.0)
        return compile_seconds(ms.train.Trainer.epoch, trainer, state, *arrays, jr.key(0))

    with own_cache():
        yield Case("compilation of an epoch, cold", epoch(), 20.0, "s")
        yield Case("compilation of an epoch, cached", epoch(), 3.0, "s")
        n = 2 * config.width
        w, x = jr.normal(jr.key(3), (n, n)) / n**0.5, jr.uniform(jr.key(4), (64, n))
        for rows in (n, 32):
            crossbar = ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8), tile=(rows, rows), reads=ms.Reads("per_read"))
            deploy = eqx.filter_jit(lambda w, key, crossbar=crossbar: crossbar.deploy(w, jnp.asarray(3600.0), key=key))
            matrix = deploy(w, jr.key(5))
            read = eqx.filter_jit(lambda matrix, x, key: matrix(x, key=key))
            work = f"compilation, {n}x{n}, read noise per read, {n // rows} row tiles"
            yield Case(f"{work}, deploy", compile_seconds(deploy, w, jr.key(5)), 2.0, "s")
            yield Case(f"{work}, read", compile_seconds(read, matrix, x, jr.key(6)), 2.0, "s")


def attribution(config: Any) -> Iterator[Case]:
    """What a first call of `attribute` takes for two layers, one chip and two times: nearly all is compilation."""
    keys = jr.split(jr.key(0), 2)
    layers = [ms.nn.Linear(13, 64, key=keys[0]), ms.nn.LIF(64), ms.nn.Linear(64, 10, key=keys[1]), ms.nn.LI(10)]
    model, data = ms.nn.SpikingNetwork(layers), ms.data.spoken_digits().test
    for name, wires, target in (("", ms.IdealWires(), 10.0), (" behind wires", ms.ResistiveWires(1.0, 1.0), 20.0)):
        design = ms.Crossbar(dm.pcm_joshi2020(), dac=ms.DAC(8), adc=ms.ADC(8), wires=wires, tile=(64, 64))
        with own_cache():
            start = time.perf_counter()
            ms.study.attribute(model, data, design, chips=1, times=(0.0, 86400.0), key=jr.key(1))
            yield Case(f"attribute, two layers, one chip{name}", time.perf_counter() - start, target, "s")


def compile_seconds(function: Any, *arguments: Any) -> float:
    """How long it takes to trace and compile a compiled function anew."""
    jax.clear_caches()
    start = time.perf_counter()
    function.lower(*arguments).compile()
    return time.perf_counter() - start


@contextlib.contextmanager
def own_cache() -> Iterator[None]:
    """With an empty folder as JAX's cache of what is compiled."""
    before = jax.config.jax_compilation_cache_dir  # pyright: ignore[reportAttributeAccessIssue]
    with tempfile.TemporaryDirectory() as folder:
        use_cache(folder)
        try:
            yield
        finally:
            use_cache(before)


def use_cache(folder: str | None) -> None:
    jax.config.update("jax_compilation_cache_dir", folder)
    compilation_cache.reset_cache()
    jax.clear_caches()


def recurrent_network(key: Any) -> ms.nn.SpikingNetwork:
    """The network of the demo."""
    keys = jr.split(key, 3)
    recurrent = ms.nn.Recurrent(ms.nn.LIF(128), ms.nn.Linear(128, 128, gain=0.2, key=keys[1]))
    layers = [ms.nn.Linear(13, 128, key=keys[0]), recurrent, ms.nn.Linear(128, 10, key=keys[2]), ms.nn.LI(10)]
    return ms.nn.SpikingNetwork(layers)
