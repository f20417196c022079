"""What every neuron promises, each as a question that can be asked of any neuron."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from device_models._promises import Promise, Report, Unasked, ask_all

from .._checks import checked, finite, positive
from ._neurons._neuron import AbstractNeuron

STEPS, BAD_STEP, BAD = 60, 20, 1
RELATIVE, ABSOLUTE = 1e-9, 1e-12  # in float64, so that no spike hangs on the last bit


class Probed:
    """Neurons that `make` makes of a size, and currents under which they fire now and then."""

    def __init__(self, make: Callable[..., AbstractNeuron], mean: float, std: float):
        self.make, self.mean, self.std = make, mean, std

    def currents(self, *shape: int, steps: int = STEPS) -> jax.Array:
        drawn = np.random.default_rng(0).normal(self.mean, self.std, (steps, *shape))
        return jnp.asarray(drawn, jnp.result_type(float))


def run(neuron: AbstractNeuron, xs: jax.Array, state: Any = None) -> tuple[jax.Array, Any]:
    """Outputs and last state, compiled."""
    start = neuron.initial_state() if state is None else state
    return jax.jit(lambda xs, state: neuron.run(xs, state)[:2])(xs, start)


def _shapes(probed: Probed) -> str | None:
    for size, x64 in ((4, False), ((2, 3), True)):
        with jax.enable_x64(x64):
            neuron = probed.make(size)
            xs, before = probed.currents(*neuron.shape), neuron.initial_state()
            ys, after = jax.eval_shape(lambda xs, state, n=neuron: n.run(xs, state)[:2], xs, before)
            if ys.shape != xs.shape or ys.dtype != xs.dtype:
                return f"outputs {ys.dtype}{list(ys.shape)} for currents {xs.dtype}{list(xs.shape)}"
            kinds = [[(part.shape, part.dtype) for part in jax.tree.leaves(state)] for state in (before, after)]
            if kinds[0] != kinds[1]:
                return f"a state {kinds[1]} after a step, {kinds[0]} before"
            if neuron.output_shape(neuron.shape) != neuron.shape:
                return f"`output_shape` {neuron.output_shape(neuron.shape)} for {neuron.shape}"
    return None


def _other_shape(probed: Probed) -> str | None:
    try:
        return f"`output_shape` {probed.make(4).output_shape((5,))} of 4 neurons for 5 currents"
    except ValueError:
        return None


def _spikes(probed: Probed) -> str | None:
    neuron = probed.make(4)
    if not neuron.spiking:
        raise Unasked("It is a readout, which does not spike.")
    ys = np.asarray(run(neuron, probed.currents(4))[0])
    if not np.array_equal(ys, np.round(ys)) or ys.min() < 0:
        return f"outputs from {ys.min():.3g} to {ys.max():.3g} that are no whole numbers of spikes"
    rate = np.mean(ys > 0)
    return None if 0.01 < rate < 0.9 else f"spikes in {rate:.0%} of the steps"


def _steps(probed: Probed) -> str | None:
    with jax.enable_x64(True):
        neuron, xs = probed.make(4), probed.currents(4)
        whole, last = run(neuron, xs)
        state, outputs, step = neuron.initial_state(), [], jax.jit(lambda x, state: neuron(x, state))
        for x in xs:
            y, state = step(x, state)
            outputs.append(y)
        first, between = run(neuron, xs[:30])
        second, _ = run(neuron, xs[30:], between)
        if not _near(whole, jnp.stack(outputs)) or not _near(last, state):
            return "other outputs where the steps are taken one by one"
        return (
            None if _near(whole, jnp.concatenate([first, second])) else "other outputs where a sequence is cut in two"
        )


def _alone(probed: Probed) -> str | None:
    with jax.enable_x64(True):
        neuron, xs = probed.make((2, 3)), jnp.moveaxis(probed.currents(5, 2, 3), 1, 0)
        together = jax.vmap(lambda x: neuron.run(x, neuron.initial_state())[0])(xs)
        if not _near(together[2], run(neuron, xs[2])[0]):
            return "another sequence where it is in a batch"
        one, _ = run(probed.make(1), xs[2, :, 1, 1:2])
        return None if _near(together[2, :, 1, 1:2], one) else "another neuron where it is in a layer"


def _gradient(probed: Probed) -> str | None:
    neuron, xs = probed.make(4), probed.currents(4)
    weights = jnp.asarray(np.random.default_rng(1).normal(size=xs.shape), xs.dtype)
    slopes = np.asarray(jax.jit(jax.grad(lambda xs: jnp.sum(weights * run(neuron, xs)[0])))(xs))
    if not np.isfinite(slopes).all():
        return f"{slopes[~np.isfinite(slopes)][0]} as a slope"
    return None if np.any(slopes != 0) else "slopes that are all zero"


def _huge(probed: Probed) -> str | None:
    neuron, signs = probed.make(4), np.random.default_rng(2).choice([-1.0, 0.0, 1.0], (STEPS, 4))
    for size in (1e3, 1e6, 1e12):
        found = jax.tree.leaves(run(neuron, jnp.asarray(size * signs, jnp.float32)))
        if not all(np.isfinite(part).all() for part in found):
            return f"numbers that are not finite for currents of {size:g}"
    return None


def _not_a_number(probed: Probed) -> str | None:
    neuron, xs = probed.make(3), probed.currents(3)
    right, _ = run(neuron, xs)
    found = np.asarray(run(neuron, xs.at[BAD_STEP, BAD].set(jnp.nan))[0])
    others = [place for place in range(3) if place != BAD]
    if not np.array_equal(found[:, others], np.asarray(right)[:, others]):
        return "other outputs of the neurons beside"
    return None if np.isnan(found[-1, BAD]) else f"an output of {found[-1, BAD]:g} after a current that is NaN"


def _near(found: Any, wanted: Any) -> bool:
    pairs = zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True)
    return all(np.allclose(a, b, rtol=RELATIVE, atol=ABSOLUTE) for a, b in pairs)


NEURON_PROMISES = {
    "shapes": Promise(
        "Outputs have the shape and dtype of the currents, and a state keeps those it has.",
        _shapes,
        "Make states of `self.shape` with the default dtype of floats.",
    ),
    "another shape": Promise(
        "Currents of another shape are refused.",
        _other_shape,
        "Leave `output_shape` as it is, or raise `ValueError` in it.",
    ),
    "spikes": Promise(
        "Spikes are whole numbers, and a neuron fires now and then.",
        _spikes,
        "Give out 0 and 1 by a surrogate such as `nn.SuperSpike`; pass `mean` and `std` of currents at which it fires.",
    ),
    "steps": Promise(
        "A sequence is its steps one by one, and in chunks.",
        _steps,
        "Keep all memory in the state, and nothing else.",
    ),
    "alone": Promise(
        "A batch is its sequences one by one, and a layer its neurons.",
        _alone,
        "Let no neuron look at another one: that is a synapse's work.",
    ),
    "gradient": Promise(
        "Gradients in the currents are finite, and not all zero.",
        _gradient,
        "Compare with a threshold by a surrogate; keep roots, logarithms and quotients away from zero.",
    ),
    "huge": Promise(
        "Huge currents leave everything finite in float32.",
        _huge,
        "Clip what an exponential or a square is taken of.",
    ),
    "not a number": Promise(
        "A current that is NaN stays so in the outputs of its neuron, and in no other.",
        _not_a_number,
        "Compare so that NaN is kept: `nn.SuperSpike()(x)` does; `jnp.where(x > 0, 1.0, 0.0)` makes it 0.",
    ),
}


@checked(mean=finite(), std=positive())
def check_neuron(
    make: Callable[..., AbstractNeuron], *, mean: float = 0.2, std: float = 0.5, promises: Sequence[str] | None = None
) -> Report:
    """Asks of a neuron what every neuron of the package keeps, and reports what it breaks, and what to do.

    **Arguments:**

    - `make`: Its class, or a function: called with a size, it makes that many neurons.
    - `mean`, `std`: Of normal currents under which it fires now and then.
    - `promises`: Names of those that are asked; all by default.

    **Raises:** `ValueError` for an unknown promise. A neuron that breaks one raises nothing.

    >>> import memsim as ms
    >>> print(ms.extend.check_neuron(ms.nn.LIF, promises=["another shape"]))
    kept    another shape: Currents of another shape are refused.
    LIF keeps 1 of 1 promises
    """
    name = getattr(make, "__name__", type(make).__name__)
    return ask_all(name, Probed(make, mean, std), NEURON_PROMISES, promises)
