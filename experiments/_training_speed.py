"""A step of training for chips, timed against one for digital hardware."""

from collections.abc import Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax

import device_models as dm
import memsim as ms
from _clock import Call, Case, ratio
from _images import LeNet5

OPTIMIZER = optax.adam(1e-3)
AGES = ms.train.LogUniform(1.0, 3.15e7)


def training(config: Any) -> Iterator[Case]:
    """A training step, 512-512 recurrent, 100 steps, batch 64, against a digital one."""
    n, steps, batch = config.width, 100, 64
    keys = jr.split(jr.key(0), 3)
    recurrent = ms.nn.Recurrent(ms.nn.LIF(n), ms.nn.Linear(n, n, gain=0.2, key=keys[1]))
    model = ms.nn.SpikingNetwork([ms.nn.Linear(n, n, key=keys[0]), recurrent])
    xs = (jr.uniform(keys[2], (batch, steps, n)) < 0.05).astype(jnp.float32)
    data = xs, jnp.arange(batch) % n

    def chip(adc: ms.ADC | None, reads: Any) -> Call:
        crossbar = ms.Crossbar(dm.pcm_joshi2020(), adc=adc, tile=(512, 512), reads=ms.Reads(reads))
        return step(model, data, ms.train.SampledChip(crossbar, time=AGES))

    digital = step(model, data, None)
    noise = step(model, data, ms.train.GaussianNoise(0.06))
    yield Case("training step with GaussianNoise", ratio(noise, digital, config.rounds), 1.1)
    rows = (
        ("no ADC, no read noise", None, "off", 1.1),
        ("no read noise", ms.ADC(8), "off", 1.2),
        ("read noise per moment", ms.ADC(8), "per_moment", 1.3),
        ("read noise per read", ms.ADC(8), "per_read", 1.8),
    )
    for name, adc, reads, target in rows:
        found = ratio(chip(adc, reads), digital, config.rounds)
        yield Case(f"training step with SampledChip, {name}", found, target)


def image_training(config: Any) -> Iterator[Case]:
    """A training step of LeNet-5, batch 64, against one of the same network by Equinox and optax alone."""
    plain, batch = LeNet5(key=jr.key(0)), 64
    data = ms.data.fashion_mnist().train
    images, labels = jnp.asarray(data.inputs[:batch]), jnp.asarray(np.asarray(data.labels[:batch]))
    model = ms.nn.convert(plain)

    @eqx.filter_jit
    def plain_step(model: LeNet5, state: Any, images: Any, labels: Any):
        def loss(model: LeNet5):
            scores = jax.vmap(model)(images.astype(jnp.float32))
            return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(scores, labels))

        found, gradient = eqx.filter_value_and_grad(loss)(model)
        changes, state = OPTIMIZER.update(gradient, state)
        return eqx.apply_updates(model, changes), state, found

    base = plain_step, plain, OPTIMIZER.init(eqx.filter(plain, eqx.is_inexact_array)), images, labels
    noise = step(model, (images, labels), ms.train.GaussianNoise(0.06))
    yield Case("LeNet-5 training step with GaussianNoise", ratio(noise, base, config.rounds), 0.85)
    for reads, target in (("per_moment", 1.4), ("per_read", 2.0)):
        design = ms.Crossbar(dm.pcm_joshi2020(), dac=ms.DAC(8), adc=ms.ADC(8), reads=ms.Reads(reads))
        sampled = step(model, (images, labels), ms.train.SampledChip(design, time=AGES))
        found = ratio(sampled, base, config.rounds)
        yield Case(f"LeNet-5 training step with SampledChip, read noise {reads}", found, target)


def step(model: Any, data: tuple[Any, Any], hardware: Any) -> Call:
    """One step of a trainer for `hardware`."""
    trainer = ms.train.Trainer(OPTIMIZER, ms.train.cross_entropy, hardware, 2.5, len(data[0]), ramp_steps=1.0)
    state = model, OPTIMIZER.init(eqx.filter(model, eqx.is_inexact_array)), jnp.zeros((), int)
    return eqx.filter_jit(lambda trainer, *a: trainer.step(*a)), trainer, state, data, jr.key(0)
