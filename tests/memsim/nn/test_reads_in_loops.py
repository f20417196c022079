"""`memsim.nn.call` gives every read a key of its own, in whatever loop a model makes it."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from jax.test_util import check_grads

import memsim as ms
from device_models import Ideal, pcm_joshi2020
from helpers import quick_and_slow, slow
from memsim.nn import Linear, call, convert, with_read_keys

KEY = jr.key(1)
PCM = ms.Crossbar(pcm_joshi2020(read_noise_scale=10.0), compensation=None)
deploy = eqx.filter_jit(ms.deploy)
LAYER = deploy(Linear(4, 4, use_bias=False, key=KEY), PCM, 3600.0, key=KEY)
CALLS, ONES = 2000, jnp.ones(4)
VARIANCE = np.asarray(ONES**2 @ LAYER.weight.noise.variance, np.float64)


class Model(eqx.Module):
    """`body(layer, x)` as a model: what `x` is in the test's loops."""

    layer: eqx.Module
    body: object = eqx.field(static=True)

    def __call__(self, x):
        return self.body(self.layer, x)


def scanned(layer, x):
    return jax.lax.scan(lambda c, _: (c, layer(x)), None, jnp.arange(3))[1]


def backwards(layer, x):
    return jax.lax.scan(lambda c, _: (c, layer(x)), None, jnp.arange(3), reverse=True, unroll=2)[1]


def scanned_twice(layer, x):
    step = lambda c, _: (c, layer(x))  # noqa: E731
    return jnp.concatenate([layer(x)[None], *(jax.lax.scan(step, None, jnp.arange(2))[1] for _ in range(2))])


def nested(layer, x):
    def outer(carry, _):
        return carry, jnp.concatenate([layer(x)[None], jax.lax.map(lambda _: layer(x), jnp.arange(2))])

    return jax.lax.scan(outer, None, jnp.arange(2))[1].reshape(-1, 4)


def in_batches(layer, x):
    return jax.lax.map(layer, jnp.stack([x] * 4), batch_size=2)


def over_tokens(layer, x):
    step = lambda c, _: (c, jax.vmap(layer)(jnp.stack([x, x])))  # noqa: E731
    return jax.lax.scan(step, None, jnp.arange(2))[1].reshape(-1, 4)


def mapped_scan(layer, x):
    return jax.vmap(lambda x: scanned(layer, x))(jnp.stack([x, x])).reshape(-1, 4)


def counted(layer, x):
    write = lambda i, ys: ys.at[i].set(layer(x))  # noqa: E731
    return jax.lax.fori_loop(0, 3, write, jnp.zeros((3, 4)))


def while_it_lasts(layer, x):
    def step(state):
        i, ys = state
        return i + 1, ys.at[i].set(layer(x))

    return jax.lax.while_loop(lambda state: state[0] < 3, step, (0, jnp.zeros((3, 4))))[1]


def compiled_apart(layer, x):
    once = eqx.filter_jit(lambda layer, x: layer(x))
    return jnp.stack([layer(x), once(layer, x), once(layer, x), once(layer, x)])


def recomputed(layer, x):
    step = eqx.filter_checkpoint(lambda x: jax.lax.cond(x[0] > 0, lambda x: layer(x), lambda x: 0 * x, x))
    return jax.lax.scan(lambda c, _: (c, step(x)), None, jnp.arange(3))[1]


LOOPS = [scanned, backwards, scanned_twice, nested, in_batches, over_tokens, mapped_scan, counted, while_it_lasts]
LOOPS += [compiled_apart, recomputed]


@pytest.mark.parametrize("body", quick_and_slow((backwards, nested, over_tokens, while_it_lasts, recomputed), LOOPS))
def test_reads_of_equal_inputs_are_independent_and_have_the_variance_of_the_cells(body):
    model = Model(LAYER, body)
    ys = np.asarray(eqx.filter_jit(jax.vmap(lambda key: call(model, ONES, key=key)))(jr.split(KEY, CALLS)), np.float64)
    ys = ys - ys.mean(axis=0)
    ratio = (ys**2).mean(axis=0) / VARIANCE
    assert np.abs(ratio - 1).max() < 4.5 * (2 / CALLS) ** 0.5  # of up to 40 outputs
    steps = ys.reshape(CALLS, -1)
    correlation = np.corrcoef(steps.T) - np.eye(steps.shape[1])
    assert np.abs(correlation).max() < 5 / CALLS**0.5  # of up to 800 pairs


@pytest.mark.parametrize("body", quick_and_slow((nested, while_it_lasts, compiled_apart), LOOPS))
def test_one_key_gives_one_output_compiled_or_not_alone_or_in_a_batch(body):
    model, keys, xs = Model(LAYER, body), jr.split(KEY, 3), jr.normal(KEY, (3, 4)) + 2.0
    alone = jnp.stack([call(model, x, key=key) for x, key in zip(xs, keys, strict=True)])
    compiled = eqx.filter_jit(lambda model, x, key: call(model, x, key=key))(model, xs[0], keys[0])
    np.testing.assert_allclose(compiled, alone[0], rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(call(model, xs[0], key=keys[0]), alone[0])
    batch = lambda x, key: call(model, x, key=key)  # noqa: E731
    for run in (jax.vmap(batch), jax.jit(jax.vmap(batch))):
        np.testing.assert_allclose(run(xs, keys), alone, rtol=1e-5, atol=1e-5)
    assert np.any(np.asarray(call(model, xs[0], key=keys[1]) != alone[0]))


@pytest.mark.parametrize("body", [slow(scanned), nested, slow(recomputed), slow(compiled_apart)])
def test_the_derivative_of_a_noisy_loop_is_that_of_finite_differences(body):
    with jax.enable_x64(True):
        layer = jax.tree.map(lambda a: a.astype(float) if eqx.is_inexact_array(a) else a, LAYER)
        loss = lambda x: jnp.sum(call(Model(layer, body), x, key=KEY) ** 2)  # noqa: E731
        check_grads(loss, (jr.uniform(KEY, (4,), float, 0.5, 1.0),), order=1, modes=("fwd", "rev"), rtol=1e-6)


class Recurrent(eqx.Module):
    """As a user of Equinox writes it: a cell in a scan, and no keys anywhere."""

    cell: eqx.nn.GRUCell
    readout: eqx.nn.Linear

    def __init__(self, key):
        self.cell = eqx.nn.GRUCell(4, 6, key=key)
        self.readout = eqx.nn.Linear(6, 2, key=key)

    def __call__(self, xs):
        state, _ = jax.lax.scan(lambda h, x: (self.cell(x, h), None), jnp.zeros(6), xs)
        return self.readout(state)


@pytest.mark.slow
def test_a_recurrent_model_of_equinox_runs_on_a_noisy_chip():
    model, xs = convert(Recurrent(KEY)), jr.normal(KEY, (7, 4))
    ideal = deploy(model, ms.Crossbar(Ideal()), 0.0, key=KEY)
    np.testing.assert_allclose(call(ideal, xs, key=KEY), model(xs), rtol=1e-4, atol=1e-5)
    chip = deploy(model, PCM, 0.0, key=KEY)

    def by_hand(key):  # one key a step, of the same chip
        hidden = jnp.zeros(6)
        for k, x in zip(jr.split(key, 7), xs, strict=True):
            hidden = chip.cell(x, hidden, key=k)
        return chip.readout(hidden, key=jr.fold_in(key, 7))

    keys = jr.split(KEY, CALLS)
    ours = np.asarray(eqx.filter_jit(jax.vmap(lambda key: call(chip, xs, key=key)))(keys), np.float64)
    other = np.asarray(eqx.filter_jit(jax.vmap(by_hand))(keys), np.float64)
    error = (ours.var(axis=0) + other.var(axis=0)) / CALLS
    assert (np.abs(ours.mean(axis=0) - other.mean(axis=0)) < 4 * error**0.5).all()
    assert np.abs(ours.var(axis=0) / other.var(axis=0) - 1).max() < 4 * (4 / CALLS) ** 0.5
    gradient = eqx.filter_jit(eqx.filter_grad(lambda chip: jnp.sum(call(chip, xs, key=KEY) ** 2)))(chip)
    assert all(np.any(np.asarray(layer.weight.weight)) for layer in ms.nn.analog_layers(gradient).values())


@pytest.mark.slow
def test_attention_blocks_scanned_over_their_layers_draw_in_each():
    blocks = eqx.filter_vmap(lambda key: eqx.nn.MultiheadAttention(2, 8, key=key))(jr.split(KEY, 3))
    chips = eqx.filter_vmap(lambda block: ms.deploy(convert(block), PCM, 0.0, key=KEY))(blocks)

    class Transformer(eqx.Module):
        blocks: eqx.Module

        def __call__(self, x):
            arrays, rest = eqx.partition(self.blocks, eqx.is_array)

            def step(x, one):
                y = eqx.combine(one, rest)(x, x, x)
                return x + y, y

            return jax.lax.scan(step, x, arrays)[1]

    tokens = jnp.broadcast_to(jr.normal(KEY, (8,)), (5, 8))
    found = call(Transformer(chips), tokens, key=KEY)
    assert len(np.unique(np.asarray(found))) == found.size


def test_a_model_without_loops_is_traced_once_and_draws_as_with_read_keys():
    traced = []

    def body(layer, x):
        traced.append(0)
        return jnp.stack([layer(x), layer(x)])

    found = eqx.filter_jit(lambda model, key: call(model, ONES, key=key))(Model(LAYER, body), KEY)
    assert len(traced) == 1
    read_key, _ = jr.split(KEY)
    np.testing.assert_allclose(found, with_read_keys(Model(LAYER, body), key=read_key)(ONES), rtol=1e-5)


@pytest.mark.slow
def test_clipping_of_a_scanned_model_counts_every_step_once():
    model, xs = convert(Recurrent(KEY)), jr.normal(KEY, (3, 7, 4))
    design = ms.calibrate(model, xs, ms.Crossbar(pcm_joshi2020(), adc=ms.ADC(8), dac=ms.DAC(8)))
    chip = deploy(model, design, 0.0, key=KEY)
    found = ms.nn.clipping(chip, xs, key=KEY)
    assert set(found) == {".cell.weight_ih", ".cell.weight_hh", ".readout"}
    lines = ms.nn._word_lines.word_lines(chip, xs, KEY)
    assert {path: x.shape[0] for path, x in lines.items()} == {
        ".cell.weight_ih": 21,
        ".cell.weight_hh": 21,
        ".readout": 3,
    }


def differentiated(layer, x):
    def loss(x):
        return jnp.sum(jax.lax.scan(lambda x, _: (layer(x), None), x, jnp.arange(3))[0])

    return x - jax.grad(loss)(x)


def with_a_derivative_of_its_own(layer, x):
    @jax.custom_vjp
    def read(x):
        return layer(x)

    read.defvjp(lambda x: (read(x), None), lambda _, dy: (dy,))
    return read(x)


def test_a_read_that_can_get_no_key_is_refused():
    run = eqx.filter_jit(lambda model, x, key: call(model, x, key=key))
    with pytest.raises(ValueError, match=re.escape("Got one in a `custom_vjp_call`")):
        run(Model(LAYER, with_a_derivative_of_its_own), ONES, KEY)


def test_a_loop_that_the_model_differentiates_is_refused():
    # Its derivative takes what does not change out of the loop: the key, which must.
    with pytest.raises(ValueError, match="a loop that the model differentiates"):
        call(Model(LAYER, differentiated), ONES, key=KEY)


def test_a_loop_outside_of_call_names_it():
    with pytest.raises(ValueError, match=re.escape("`memsim.nn.call(model, x, key=key)`")):
        scanned(with_read_keys(LAYER, key=KEY), ONES)
    with pytest.raises(ValueError, match="must be a model"):
        call(Linear, ONES, key=KEY)
