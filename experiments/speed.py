"""What the hardware costs: times as ratios to the digital computation in the same run.

Functions are timed in turn, after a warm-up, and the median of the ratios is given: a noisy machine slows both. Writes
results/speed: speed.nc, speed.csv.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import xarray as xr

import _clock as clock
import device_models as dm
import memsim as ms
from _chip_speed import chips
from _clock import Case
from _compile_speed import attribution, compilation, recurrent_network
from _identify_speed import identification
from _image_speed import image_study
from _spiking_speed import spiking, spiking_convolutional, spiking_correlated, spiking_small
from _sweep_speed import sweep_points
from _target_speed import targets
from _training_speed import image_training, training
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
        *(forward, training, image_training, spiking, spiking_small, spiking_convolutional, spiking_correlated),
        *(bfloat16, sweep, sweep_points, image_study, wires, updates, chips, targets, compilation, attribution),
        identification,
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

    for rows, target in ((512, 1.3), (256, 1.3), (128, 1.3), (64, 1.3), (32, 1.6)):
        found = ratio(config, analog(rows, "off"), plain)
        yield Case(f"forward {n}x{n}, 8-bit DAC and ADC, tiles of {rows}", found, target)
    for rows, target in ((512, 2.2), (256, 2.8), (64, 5.0)):
        name = f"forward with read noise on every output, tiles of {rows}"
        yield Case(name, ratio(config, analog(rows, "per_read"), plain), target)


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


def ratio(config: Config, case: tuple[Callable[..., Any], ...], base: tuple[Callable[..., Any], ...]) -> float:
    """Median over rounds of the time of `case` over that of `base`, each a function with its arguments."""
    return clock.ratio(case, base, config.rounds)
