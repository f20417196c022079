"""A chip that is there: its outputs, the gradient of its model, and nothing lost where it fails."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms


class Lab:
    """A chip that counts its reads, and fails once at one of them."""

    def __init__(self, fails_at=None):
        self.reads, self.fails_at = 0, fails_at

    def __call__(self, x):
        self.reads += 1
        if self.reads == self.fails_at:
            raise OSError("cable out")
        return np.tanh(x) + 0.25


def test_outputs_are_those_of_the_hardware_and_the_gradient_that_of_the_model():
    loop, x = ms.heal.in_the_loop(Lab(), jnp.sin), jnp.linspace(-1.0, 1.0, 4)
    np.testing.assert_allclose(loop(x), np.tanh(x) + 0.25, atol=1e-6)
    found = jax.jit(jax.grad(lambda x: jnp.sum(loop(x) ** 2)))(x)
    np.testing.assert_allclose(found, 2 * (np.tanh(x) + 0.25) * np.cos(x), rtol=1e-5)


def test_what_fails_half_way_goes_on_from_there():
    lab = Lab(fails_at=4)
    loop, xs = ms.heal.in_the_loop(lab, jnp.sin), jnp.arange(6.0)
    read = jax.jit(jax.vmap(loop))
    with pytest.raises(Exception, match=r"`hardware` must answer every read. It raised OSError at read 3: cable out"):
        jax.block_until_ready(read(xs))
    assert len(loop.answers.kept) == 3
    np.testing.assert_allclose(read(xs), np.tanh(np.arange(6.0)) + 0.25, atol=1e-6)
    assert lab.reads == 4 + 3 and len(loop.answers.kept) == 6
    loop.answers.rewind()
    np.testing.assert_allclose(read(xs), np.tanh(np.arange(6.0)) + 0.25, atol=1e-6)
    assert lab.reads == 7


def test_outside_of_compiled_code_the_error_is_ours():
    loop = ms.heal.in_the_loop(Lab(fails_at=2), jnp.sin)
    loop(jnp.ones(()))
    with pytest.raises(RuntimeError, match=r"at read 1: cable out. The 1 reads before it are kept"):
        loop(jnp.ones(()))
    with pytest.raises(ValueError, match=r"in the order in which they were kept. Got another input at read 0"):
        loop(jnp.zeros(()))


@pytest.mark.parametrize(
    ("hardware", "message"),
    [
        (lambda x: np.ones(3), r"shape of the model's outputs, \(2,\). Got float64 of shape \(3,\)"),
        (lambda x: np.array([1.0, np.nan]), "not all finite at read 0"),
        (lambda x: "no", "finite numbers"),
    ],
)
def test_answers_that_cannot_be_are_told(hardware, message):
    with pytest.raises(RuntimeError, match=message):
        ms.heal.in_the_loop(hardware, lambda x: x)(jnp.ones(2))
    with pytest.raises(ValueError, match="`hardware`"):
        ms.heal.in_the_loop("chip", lambda x: x)  # pyright: ignore


def test_a_layer_behind_the_hardware_is_trained_on_what_it_gives_out():
    """Least squares on what the hardware gives out, by numpy."""
    rng = np.random.default_rng(0)
    xs = rng.uniform(-1, 1, (64, 3)).astype(np.float32)
    ys = rng.normal(size=(64, 1)).astype(np.float32)
    loop = ms.heal.in_the_loop(Lab(), jnp.sin)
    features = jax.vmap(loop)(jnp.asarray(xs))
    best, *_ = np.linalg.lstsq(np.tanh(xs) + 0.25, ys, rcond=None)
    found, *_ = np.linalg.lstsq(np.asarray(features, float), ys, rcond=None)
    np.testing.assert_allclose(found, best, rtol=1e-4, atol=1e-5)
    slopes = jax.grad(lambda w: jnp.mean((jax.vmap(loop)(jnp.asarray(xs)) @ w - ys) ** 2))(
        jnp.asarray(best, jnp.float32)
    )
    np.testing.assert_allclose(slopes, 0.0, atol=1e-5)


def test_noise_of_the_model_takes_no_part():
    layer = ms.nn.Linear(3, 2, key=jr.key(0))
    loop = ms.heal.in_the_loop(lambda x: np.ones(2), layer)
    weights = jax.grad(lambda layer: jnp.sum(loop.__class__(layer, loop.answers)(jnp.ones(3))))(layer).weight
    np.testing.assert_array_equal(weights, 0.0)


def test_a_run_that_a_person_stops_goes_on_where_it_was():
    asked = []

    def hardware(x):
        if len(asked) == 1 and not stopped:
            stopped.append(True)
            raise KeyboardInterrupt
        asked.append(float(x))
        return x**2

    stopped, loop = [], ms.heal.in_the_loop(hardware, lambda x: x**2)
    with pytest.raises(KeyboardInterrupt):
        [loop(jnp.asarray(x)) for x in (1.0, 2.0)]
    assert [float(loop(jnp.asarray(x))) for x in (1.0, 2.0)] == [1.0, 4.0] and asked == [1.0, 2.0]
