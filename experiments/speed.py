"""What the hardware costs: times as ratios to the digital computation in the same run.

Functions are timed in turn, after a warm-up, and the median of the ratios is given: a noisy machine slows both. Writes
results/speed: speed.nc, speed.csv.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax
import xarray as xr

import _clock as clock
import device_models as dm
import memsim as ms
from _chip_speed import chips
from _clock import Case
from _image_speed import image_study
from _spiking_speed import spiking, spiking_convolutional, spiking_correlated, spiking_small
from _sweep_speed import sweep_points
from _update_speed import updates
from _wire_speed import wires


@dataclass(frozen=True)
class Config:
    """Options of the benchmark."""

    only: str = ""
    """Run the cases whose name contains this."""
    rounds: int = 15
    width: int = 512
    batch: int = 1024
    chips: int = 100
    neurons: int = 512
    """Width of the spiking workload; a GPU wants 4096 or 16384."""
    out: Path = Path("results/speed")

    def __post_init__(self):
        ms.study.check_options(self)


def run(config: Config) -> xr.Dataset:
    """Measures all cases, prints them and writes them."""
    measures = (
        *(forward, training, spiking, spiking_small, spiking_convolutional, spiking_correlated),
        *(bfloat16, sweep, sweep_points),
        *(image_study, wires, updates, chips, compilation),
    )
    chosen = [measure(config) for measure in measures if config.only in measure.__name__]
    if not chosen:
        raise ValueError(f"`only` must be part of the name of a case. Got {config.only!r}.")
    return clock.measured(chosen, config.out / "speed.nc", config)


def forward(config: Config):
    """One read of a batch against a plain product."""
    n = config.width
    w = jr.normal(jr.key(0), (n, n)) / n**0.5
    x = jr.uniform(jr.key(1), (config.batch, n), minval=-1.0)
    plain = jax.jit(lambda x, w: x @ w), x, w.T

    def analog(rows: int, read_noise: str):
        design = ms.Crossbar(
            dm.pcm_joshi2020(), dac=ms.DAC(8), adc=ms.ADC(8), tile=(rows, rows), reads=ms.Reads(read_noise)
        )
        matrix = design.deploy(w, 3600.0, key=jr.key(2))
        return eqx.filter_jit(lambda m, x, key: m(x, key=key)), matrix, x, jr.key(3)

    for rows in (512, 256, 128, 64):
        yield Case(
            f"forward {n}x{n}, 8-bit DAC and ADC, tiles of {rows}", ratio(config, analog(rows, "off"), plain), 1.5
        )
    for rows in (512, 64):
        name = f"forward with read noise on every output, tiles of {rows}"
        yield Case(name, ratio(config, analog(rows, "per_read"), plain), 5.0)


def training(config: Config):
    """A training step, 512-512 recurrent, 100 steps, batch 64, against a digital one."""
    n, steps, batch = config.width, 100, 64
    keys = jr.split(jr.key(0), 3)
    recurrent = ms.nn.Recurrent(ms.nn.LIF(n), ms.nn.Linear(n, n, gain=0.2, key=keys[1]))
    model = ms.nn.SpikingNetwork([ms.nn.Linear(n, n, key=keys[0]), recurrent])
    xs = (jr.uniform(keys[2], (batch, steps, n)) < 0.05).astype(jnp.float32)
    labels = jnp.arange(batch) % n
    optimizer = optax.adam(1e-3)

    def chip(adc: ms.ADC | None, read_noise: str):
        crossbar = ms.Crossbar(dm.pcm_joshi2020(), adc=adc, tile=(512, 512), reads=ms.Reads(read_noise))
        return step(ms.train.SampledChip(crossbar, time=ms.train.LogUniform(1.0, 3.15e7)))

    def step(hardware):
        trainer = ms.train.Trainer(optimizer, ms.train.cross_entropy, hardware, 2.5, batch, ramp_steps=1.0)
        state = model, optimizer.init(eqx.filter(model, eqx.is_inexact_array)), jnp.zeros((), int)
        return eqx.filter_jit(lambda trainer, *a: trainer.step(*a)), trainer, state, (xs, labels), jr.key(0)

    digital = step(None)
    noise = step(ms.train.GaussianNoise(0.06))
    yield Case("training step with GaussianNoise", ratio(config, noise, digital), 1.1)
    rows = (
        ("no ADC, no read noise", None, "off", 1.1),
        ("no read noise", ms.ADC(8), "off", 1.2),
        ("read noise per moment", ms.ADC(8), "per_moment", 1.3),
        ("read noise per read", ms.ADC(8), "per_read", 1.8),
    )
    for name, adc, reads, target in rows:
        yield Case(f"training step with SampledChip, {name}", ratio(config, chip(adc, reads), digital), target)


def bfloat16(config: Config):
    """A product of spikes with weights split in two bfloat16 terms, against float32."""
    n = config.neurons
    spikes = jr.bernoulli(jr.key(1), 0.1, (16 * 500, n)).astype(jnp.float32)
    single, split = (ms.nn.Linear(n, n, product=product, key=jr.key(0)) for product in ("float", "bfloat16"))
    forward = eqx.filter_jit(lambda layer, x: layer(x))
    both = eqx.filter_jit(eqx.filter_value_and_grad(lambda layer, x: jnp.sum(layer(x) ** 2)))
    for name, f in {"forward": forward, "forward and backward": both}.items():
        yield Case(f"spikes in bfloat16, n={n}, {name}", ratio(config, (f, split, spikes), (f, single, spikes)), 0.85)
    exact = forward(single, spikes)
    error = jnp.max(jnp.abs(forward(split, spikes) - exact)) / jnp.max(jnp.abs(exact))
    yield Case("spikes in bfloat16, relative error", float(error), 1e-5, "")


def sweep(config: Config):
    """Chips by times over the test set, against the matrix products alone and against a loop over chips."""
    data = ms.data.spoken_digits().test
    model = recurrent_network(jr.key(0))
    xs, labels = jnp.asarray(data.inputs), jnp.asarray(data.labels)
    times = jnp.asarray([0.0, 3.6e3, 8.64e4, 2.592e6, 3.156e7, 3.156e8])
    design = ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8), reads=ms.Reads("per_moment"))
    numbers, key = jnp.arange(config.chips), jr.key(1)

    def together():
        return ms.study.chip_accuracies(model, design, xs, labels, times, numbers, key=key)

    def loop():
        parts = [ms.study.chip_accuracies(model, design, xs, labels, times, n[None], key=key) for n in numbers]
        return jnp.concatenate(parts)

    weights = [layer.weight.T for layer in ms.nn.analog_layers(model).values()]
    products = jax.jit(products_alone, static_argnums=2), weights, xs, config.chips * len(times)
    few = Config(rounds=min(3, config.rounds))
    size = f"{config.chips} chips x {len(times)} times"
    yield Case(f"sweep of {size} against the products alone", ratio(few, (together,), products), 2.5)
    yield Case(f"sweep of {size} against a loop over chips", ratio(few, (together,), (loop,)), 1.0)
    yield Case("sweep minus loop, largest difference", float(jnp.max(jnp.abs(together() - loop()))), 1e-6, "")


def products_alone(weights: list[jax.Array], xs: jax.Array, repeats: int) -> jax.Array:
    """The products of a sweep at the same shapes: synapses over all steps at once, the recurrent one step by step."""
    first, feedback, last = weights
    hidden = jnp.ones((*xs.shape[:2], feedback.shape[0]), xs.dtype)

    def once(carry, _):
        # Each product depends on the one before, so that none can be left out or taken out of the loop.
        a = (xs + carry) @ first
        h, _ = jax.lax.scan(lambda h, _: (h @ feedback, None), hidden[:, 0] + carry, length=xs.shape[1])
        b = (hidden + carry) @ last
        return 1e-30 * (a[0, 0, 0] + h[0, 0] + b[0, 0, 0]), None

    return jax.lax.scan(once, jnp.zeros(()), length=repeats)[0]


def compilation(config: Config):
    """Compile time of the demo's longest function, a training epoch through a sampled chip, cold and cached on disk."""
    data = ms.data.spoken_digits()
    arrays = [(jnp.asarray(part.inputs), jnp.asarray(part.labels)) for part in (data.train, data.validation)]
    model, optimizer = recurrent_network(jr.key(0)), optax.adam(1e-3)
    design = ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8), reads=ms.Reads("per_moment"))
    hardware = ms.train.SampledChip(design, time=ms.train.LogUniform(1.0, 3.15e7))
    state = model, optimizer.init(eqx.filter(model, eqx.is_inexact_array)), jnp.zeros((), int)

    def compile_seconds() -> float:
        jax.clear_caches()
        trainer = ms.train.Trainer(optimizer, ms.train.cross_entropy, hardware, 2.5, 64, ramp_steps=1.0)
        start = time.perf_counter()
        ms.train.Trainer.epoch.lower(trainer, state, *arrays, jr.key(0)).compile()
        return time.perf_counter() - start

    before = jax.config.jax_compilation_cache_dir
    with tempfile.TemporaryDirectory() as folder:
        jax.config.update("jax_compilation_cache_dir", folder)
        jax.experimental.compilation_cache.compilation_cache.reset_cache()
        yield Case("compilation of an epoch, cold", compile_seconds(), 20.0, "s")
        yield Case("compilation of an epoch, cached", compile_seconds(), 3.0, "s")
    jax.config.update("jax_compilation_cache_dir", before)
    jax.experimental.compilation_cache.compilation_cache.reset_cache()


def recurrent_network(key) -> ms.nn.SpikingNetwork:
    keys = jr.split(key, 3)
    recurrent = ms.nn.Recurrent(ms.nn.LIF(128), ms.nn.Linear(128, 128, gain=0.2, key=keys[1]))
    layers = [ms.nn.Linear(13, 128, key=keys[0]), recurrent, ms.nn.Linear(128, 10, key=keys[2]), ms.nn.LI(10)]
    return ms.nn.SpikingNetwork(layers)


def ratio(config: Config, case: tuple[Callable[..., Any], ...], base: tuple[Callable[..., Any], ...]) -> float:
    """Median over rounds of the time of `case` over that of `base`, each a function with its arguments."""
    return clock.ratio(case, base, config.rounds)
