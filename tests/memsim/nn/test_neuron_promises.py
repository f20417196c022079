"""Every neuron keeps what `memsim check-neuron` asks, and one that breaks a promise is caught at it."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

import memsim as ms
from helpers import NEURONS, QUICK_NEURONS, slow
from memsim import nn
from memsim._cli import main
from memsim.nn._promises import NEURON_PROMISES


@pytest.mark.parametrize("name", [name if name in QUICK_NEURONS[:3] else slow(name) for name in NEURONS])
def test_every_neuron_keeps_every_promise(name):
    case = NEURONS[name]
    report = ms.extend.check_neuron(case, mean=case.mean, std=case.std)
    assert report, str(report)


class State(NamedTuple):
    membrane: jax.Array
    spikes: jax.Array


class Right(nn.AbstractNeuron):
    """A leaky neuron, of which the broken ones below break one part."""

    size: int | tuple[int, ...] = eqx.field(static=True)

    def initial_state(self):
        return State(jnp.zeros(self.shape), jnp.zeros(self.shape))

    def update(self, coefficients, current, state, *, key=None):
        membrane = 0.9 * (state.membrane - state.spikes) + current
        return State(membrane, nn.SuperSpike()(membrane - 1.0))


class Single(Right):
    def initial_state(self):
        return State(jnp.zeros(self.shape, jnp.float32), jnp.zeros(self.shape))


class Any(Right):
    def output_shape(self, shape):
        return shape


class Half(Right):
    def output(self, coefficients, before, after):
        return 0.5 * after.spikes

    spiking = property(lambda self: True)


class Quiet(Right):
    def update(self, coefficients, current, state, *, key=None):
        return Right.update(self, coefficients, 0.01 * current, state)


class Looks(Right):
    """Looks at the others of its layer."""

    def update(self, coefficients, current, state, *, key=None):
        return Right.update(self, coefficients, current - 0.5 * jnp.mean(current), state)


class Hard(Right):
    """Fires by a comparison: no gradient passes, and NaN is no spike."""

    def update(self, coefficients, current, state, *, key=None):
        membrane = 0.9 * (state.membrane - state.spikes) + current
        return State(membrane, jnp.where(membrane > 1.0, jnp.ones_like(membrane), jnp.zeros_like(membrane)))


class Explodes(Right):
    def update(self, coefficients, current, state, *, key=None):
        return Right.update(self, coefficients, jnp.exp(current) - 1.0, state)


class Counting(Right):
    """Has a memory beside its state."""

    def run(self, xs, state, *, keys=None, record=frozenset()):
        return Right.run(self, xs * jnp.linspace(1.0, 2.0, len(xs), dtype=xs.dtype)[:, None], state, record=record)


BROKEN = {
    (Single, "shapes"): "float64",
    (Any, "another shape"): "of 4 neurons for 5 currents",
    (Half, "spikes"): "no whole numbers of spikes",
    (Quiet, "spikes"): "spikes in 0% of the steps",
    (Looks, "alone"): "another neuron where it is in a layer",
    (Hard, "gradient"): "slopes that are all zero",
    (Hard, "not a number"): "after a current that is NaN",
    (Explodes, "huge"): "not finite for currents of 1000",
    (Counting, "steps"): "other outputs where the steps are taken one by one",
}


@pytest.mark.parametrize("kind, promise", BROKEN)
def test_a_neuron_that_breaks_a_promise_is_caught_at_it(kind, promise):
    report = ms.extend.check_neuron(kind, promises=[promise])
    assert report.broken == (promise,) and BROKEN[kind, promise] in str(report), str(report)


def test_every_promise_is_broken_by_some_neuron_and_the_right_one_keeps_all():
    assert set(NEURON_PROMISES) == {promise for _, promise in BROKEN}
    report = ms.extend.check_neuron(Right)
    assert report, str(report)


@pytest.mark.parametrize(
    "words, status, says",
    [
        (["LIF"], 0, "LIF keeps 1 of 1"),
        (["memsim.nn:ALIF"], 0, "ALIF keeps 1 of 1"),
        (["LIFF"], 2, "Did you mean LIF"),
        (["AbstractNeuron"], 2, "must be one of `memsim.nn`"),
        (["LIF", "--std", "0"], 2, "`std` must be positive"),
    ],
)
def test_the_command_takes_a_name_or_a_class(words, status, says, capsys):
    assert main(["check-neuron", *words, "--promises", "another shape"]) == status
    told = capsys.readouterr()
    assert says in told.out + told.err
