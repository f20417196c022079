"""Spiking networks beside their peers: one layer, wide and small; a convolutional network; noise that remembers."""

from collections.abc import Iterator
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
from _chip_speed import temporary
from _clock import Call, Case

TAU = 20e-3
SMALL, STEPS = 128, 100
LONG, SHORT = 100_000, 1_000  # time steps: those a row is about, and those that are run
NOISY_WIDTH = 64


def spiking(config: Any) -> Iterator[Case]:
    """Linear(n, n) into LIF(n), batch 16, 500 steps, loss the sum of spikes: value and gradient, ours against peers.

    The workload of the open-neuromorphic benchmark, with its 500 steps and with spikes: all networks have the same
    weights, time constant and threshold, and their spike rates are printed. Peers are timed where they are installed.
    """
    n = config.neurons
    model, xs = one_layer(n, batch=16, steps=500)
    base = with_gradient(model, xs)
    others = peers.spiking(model.layers[0].weight, jnp.swapaxes(xs, 0, 1), TAU)
    size = f"n={n}, forward and backward"
    yield from beside(size, base, others, config.rounds, 0.8)
    memory = {name: temporary(*case) / 1e6 for name, case in others.items() if hasattr(case[0], "lower")}
    yield Case(f"{size}, temporary memory", temporary(*base) / 1e6, min(memory.values(), default=np.inf), "MB")
    for name, size_of_peer in memory.items():
        yield Case(f"{name}, temporary memory", size_of_peer, np.inf, "MB")

    def on_chip(read_noise: str) -> Call:
        design = ms.Crossbar(dm.pcm_joshi2020(), tile=(n, n), reads=ms.Reads(read_noise))
        return with_gradient(ms.deploy(model, design, 3600.0, key=jr.key(2)), xs, jr.key(3))

    still, noisy = on_chip("off"), on_chip("per_read")
    yield Case(f"{size}, on a programmed PCM chip", clock.ratio(still, base, config.rounds), 1.15)
    yield Case(f"{size}, with read noise in each step", clock.ratio(noisy, base, config.rounds), 1.7)
    yield Case("the same, against the chip without it", clock.ratio(noisy, still, config.rounds), 1.2)


def spiking_small(config: Any) -> Iterator[Case]:
    """The same of 128 neurons and 100 steps, of a batch and of one sequence."""
    for batch in (32, 1):
        model, xs = one_layer(SMALL, batch=batch, steps=STEPS)
        others = peers.spiking(model.layers[0].weight, jnp.swapaxes(xs, 0, 1), TAU)
        size = f"n={SMALL}, {STEPS} steps, batch {batch}"
        yield from beside(size, with_gradient(model, xs), others, config.rounds, 0.9)


def spiking_convolutional(config: Any) -> Iterator[Case]:
    """Two convolutions and a readout on 2 x 34 x 34 events, batch 8, 100 steps, with the settings by default."""
    keys = jr.split(jr.key(0), 4)
    first = ms.nn.Conv2d(2, 12, 5, use_bias=False, gain=3.0, key=keys[0])
    second = ms.nn.Conv2d(12, 32, 5, use_bias=False, key=keys[1])
    last = ms.nn.Linear(800, 10, use_bias=False, key=keys[2])
    layers = [first, ms.nn.LIF((12, 30, 30), tau_mem=TAU), ms.nn.SumPool2d(2), second]
    layers += [ms.nn.LIF((32, 11, 11), tau_mem=TAU), ms.nn.SumPool2d(2), ms.nn.Flatten(), last]
    model = ms.nn.SpikingNetwork([*layers, ms.nn.LIF(10, tau_mem=TAU)])
    xs = jr.bernoulli(keys[3], 0.05, (8, STEPS, 2, 34, 34)).astype(jnp.float32)
    others = peers.convolutional([first.kernel, second.kernel, last.weight], jnp.swapaxes(xs, 0, 1), TAU)
    yield from beside("conv 2x34x34, 100 steps, batch 8", with_gradient(model, xs), others, config.rounds, 1.0)


def spiking_correlated(config: Any) -> Iterator[Case]:
    """Seconds for 1e5 steps of a chip whose 1/f noise moves on in each, nine numbers for each of 8192 cells."""
    model, xs = one_layer(NOISY_WIDTH, batch=1, steps=SHORT)
    for name, process in {"1/f": dm.noise.Flicker(1.0, 1e4), "telegraph": dm.noise.Telegraph(1e-6, 1.0)}.items():
        design = ms.Crossbar(dm.pcm_joshi2020(), reads=ms.Reads(ms.Correlated(process, 1e-3)))
        chip = ms.deploy(model, design, 3600.0, key=jr.key(2))
        forward = eqx.filter_jit(lambda model, xs, key: ms.train.run_batch(model, xs, key=key))
        times = clock.together([(forward, chip, xs, jr.key(3))], min(config.rounds, 5))
        yield Case(f"{name} noise, 1e5 steps of 64x64", float(np.median(times)) * LONG / SHORT, 30.0, "s")


def beside(name: str, ours: Call, others: dict[str, Call], rounds: int, target: float) -> Iterator[Case]:
    """Our time against that of the fastest peer in each round, and against each."""
    for who, (function, *arguments) in {"ours": ours, **others}.items():
        print(f"{name}, {who:24} {float(function(*arguments)[0]):.0f} spikes")
    if not others:
        return
    times = clock.together([ours, *others.values()], rounds)
    fastest = np.min(times[:, 1:], axis=1)
    yield Case(f"{name}, against the fastest peer", float(np.median(times[:, 0] / fastest)), target)
    for place, who in enumerate(others, 1):
        yield Case(f"{name}, against {who}", float(np.median(times[:, 0] / times[:, place])), np.inf)


def one_layer(n: int, *, batch: int, steps: int) -> tuple[ms.nn.SpikingNetwork, jax.Array]:
    """A layer of neurons behind weights of twice the usual size, and normal inputs."""
    w, xs = 2.0 * jr.normal(jr.key(0), (n, n)) / n**0.5, jr.normal(jr.key(1), (batch, steps, n))
    linear = eqx.tree_at(lambda layer: layer.weight, ms.nn.Linear(n, n, use_bias=False, key=jr.key(0)), w)
    return ms.nn.SpikingNetwork([linear, ms.nn.LIF(n, tau_mem=TAU)]), xs


def with_gradient(model: Any, xs: jax.Array, key: Any = None) -> Call:
    """The sum of spikes, and its gradient by all weights, or by what the chips of a deployed model present.

    Compiled for arrays alone, as the peers are: what sorts a model into arrays and the rest takes as long as a small
    network does.
    """
    arrays, static = eqx.partition(model, eqx.is_array)
    matrices = matrices_of(arrays)
    others, structure = jax.tree.flatten(eqx.tree_at(matrices_of, arrays, replace_fn=lambda _: None))

    def loss(matrices: list[jax.Array], others: list[jax.Array], xs: jax.Array, key: Any) -> jax.Array:
        rest = jax.tree.unflatten(structure, others)
        whole = eqx.tree_at(matrices_of, rest, matrices, is_leaf=lambda leaf: leaf is None)
        return jnp.sum(ms.train.run_batch(eqx.combine(whole, static), xs, key=key))

    return jax.jit(jax.value_and_grad(loss)), matrices, others, xs, key


def matrices_of(model: Any) -> list[jax.Array]:
    weights = [layer.weight for layer in ms.nn.analog_layers(model).values()]
    return [weight.weight if isinstance(weight, ms.AnalogMatrix) else weight for weight in weights]
