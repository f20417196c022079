"""Updates of arrays by pulses, timed against plain gradient descent and against arrays of which every row pulses."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax

import _clock as clock
import device_models as dm
import memsim as ms
from _clock import Call, Case

STEPS = 4  # in one compiled call


def updates(config: Any):
    """A step of in-situ training, the loss a mean (few pulses) or a sum (pulses everywhere), against plain SGD."""
    n = config.width
    steps = dm.pulsed.Steps(1e-3, noise=dm.pulsed.MultiplicativeNoise(0.3), spread=dm.pulsed.NormalSpread(0.3))
    devices = {"constant step": dm.pulsed.ConstantStep(steps), "soft bounds": dm.pulsed.SoftBounds(steps)}
    for batch in (1, 64):
        for name, device in devices.items():
            analog = ms.insitu.analog_sgd(device, 0.1, key=jr.key(3))
            few, many = (descent(analog, n, batch, loss) for loss in (jnp.mean, jnp.sum))
            plain = descent(optax.sgd(0.1), n, batch, jnp.mean)
            case = f"update {n}x{n}, batch {batch}, {name}"
            yield Case(f"{case}, few pulses, against SGD", clock.ratio(few, plain, config.rounds), float("inf"))
            limit = 0.4 if batch > 1 else 1.1
            yield Case(f"{case}, few pulses against many", clock.ratio(few, many, config.rounds), limit)


def descent(optimizer: optax.GradientTransformation, n: int, batch: int, reduced: Any) -> Call:
    """Some steps of linear regression."""
    keys = jr.split(jr.key(0), 3)
    w, x, t = 0.3 * jr.normal(keys[0], (n, n)) / n**0.5, jr.normal(keys[1], (batch, n)), jr.normal(keys[2], (batch, n))
    gradient = ms.insitu.value_and_outer(lambda w, x, t: reduced(0.5 * (x @ w.T - t) ** 2))

    on_array = isinstance(optimizer.init(w), ms.insitu.InSituState)

    @eqx.filter_jit
    def run(w: Any, state: Any, x: Any, t: Any):
        def step(carry: Any, _: Any):
            w, state = carry
            _, found = gradient(w, x, t)
            found = found if on_array else found.dense
            changes, state = optimizer.update(found, state, w)
            return (optax.apply_updates(w, changes), state), None

        return jax.lax.scan(step, (w, state), length=STEPS)[0]

    return run, w, optimizer.init(w), x, t
