"""Every read of a model that carries its keys draws noise of its own, or is refused."""

import copy
import io
import pickle
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
from helpers import slow
from memsim.nn import Conv1d, DelayedLinear, Linear, convert, with_read_keys

KEY = jr.key(1)
PCM = ms.Crossbar(pcm_joshi2020(read_noise_scale=10.0), compensation=None)
CALLS = 2000
CHIP = eqx.filter_jit(ms.deploy)(Linear(4, 3, use_bias=False, key=KEY), PCM, 3600.0, key=KEY)
ONES = jnp.ones(4)


def keyed(model=CHIP, key=KEY):
    return with_read_keys(model, key=key)


def noise(y):
    """What a read of ones deviates by from the mean."""
    return y - ONES @ CHIP.weight.weight


def samples(read):
    """`read(key)` for many keys, less its mean."""
    ys = np.asarray(eqx.filter_jit(jax.vmap(read))(jr.split(jr.key(7), CALLS)), np.float64)
    return ys - ys.mean(axis=0)


def assert_independent(first, second):
    """Uncorrelated to four standard errors, and of the variance that the cells' read noise has."""
    variance = np.asarray(ONES**2 @ CHIP.weight.noise.variance, np.float64)
    for ys in (first, second):
        assert np.abs(ys.var(axis=0) / variance - 1).max() < 4 * (2 / CALLS) ** 0.5
    correlation = (first * second).mean(axis=0) / variance
    assert np.abs(correlation).max() < 4 / CALLS**0.5


class Twice(eqx.Module):
    layer: eqx.Module

    def __call__(self, x):
        return jnp.stack([self.layer(x), self.layer(x)])


def called_in_a_branch(key):
    layer = keyed(key=key)
    return Twice(lambda x: jax.lax.cond(x[0] > 0, lambda x: layer(x), lambda x: 0 * x[:3], x))(ONES)


def in_a_scan_with_keys_of_the_steps(key):
    read = lambda carry, step: (carry, keyed(key=jr.fold_in(key, step))(ONES))  # noqa: E731
    return jax.lax.scan(read, None, jnp.arange(2))[1]


@pytest.mark.parametrize(
    "read",
    [
        lambda key: Twice(keyed(key=key))(ONES),
        lambda key: jax.vmap(keyed(key=key))(jnp.ones((2, 4))),
        lambda key: jax.vmap(keyed(key=key), in_axes=1)(jnp.ones((4, 2))),
        lambda key: jax.vmap(jax.vmap(keyed(key=key)))(jnp.ones((2, 2, 4)))[:, 1],
        lambda key: jax.vmap(jax.vmap(keyed(key=key)))(jnp.ones((2, 2, 4)))[1],
        lambda key: Twice(eqx.filter_checkpoint(keyed(key=key)))(ONES),
        called_in_a_branch,
        in_a_scan_with_keys_of_the_steps,
    ],
)
def test_two_reads_of_equal_inputs_are_independent(read):
    both = samples(read)
    assert_independent(both[:, 0], both[:, 1])


@pytest.mark.slow
def test_equal_tokens_meet_noise_of_their_own():
    attention = eqx.nn.MultiheadAttention(2, 8, key=KEY)
    tokens = jnp.broadcast_to(jr.normal(KEY, (8,)), (6, 8))
    chip = eqx.filter_jit(ms.deploy)(convert(attention), PCM, 3600.0, key=KEY)
    projected = jax.vmap(keyed(chip).query_proj)(tokens)
    assert len(np.unique(np.asarray(projected))) == projected.size
    found = keyed(chip)(tokens, tokens, tokens)
    assert len(np.unique(np.asarray(found), axis=0)) == 6
    np.testing.assert_array_equal(found, keyed(chip)(tokens, tokens, tokens))


@pytest.mark.slow
def test_a_recurrent_cell_called_twice_with_equal_inputs_draws_anew():
    cell = eqx.filter_jit(ms.deploy)(convert(eqx.nn.GRUCell(4, 3, key=KEY)), PCM, 3600.0, key=KEY)
    once, twice = samples(lambda key: Both(keyed(cell, key=key))(ONES, jnp.ones(3))).transpose(1, 0, 2)
    correlation = (once * twice).mean(axis=0) / (once.std(axis=0) * twice.std(axis=0))
    assert np.abs(correlation).max() < 4 / CALLS**0.5


class Both(eqx.Module):
    cell: eqx.Module

    def __call__(self, x, hidden):
        return jnp.stack([self.cell(x, hidden), self.cell(x, hidden)])


@pytest.mark.parametrize("compile", [lambda f: f, eqx.filter_jit])
def test_a_read_in_a_loop_with_a_key_from_outside_is_refused(compile):
    xs, layer = jnp.ones((5, 4)), keyed()
    loops = [
        lambda layer: jax.lax.scan(lambda c, x: (c, layer(x)), None, xs),
        lambda layer: jax.lax.map(layer, xs),
        lambda layer: jax.lax.map(layer, xs, batch_size=2),
        lambda layer: jax.lax.fori_loop(0, 5, lambda i, y: layer(ONES) + y, jnp.zeros(3)),
        lambda layer: jax.lax.while_loop(lambda y: y[0] < 9, lambda y: y + jnp.abs(layer(ONES)), jnp.zeros(3)),
        lambda layer: jax.lax.scan(lambda c, x: (c, jax.vmap(layer)(x[None])), None, xs),
        lambda layer: jax.lax.scan(lambda c, x: (c, eqx.filter_jit(lambda a, x: a(x))(layer, x)), None, xs),
    ]
    for loop in loops:
        with pytest.raises(ValueError, match=re.escape("`with_read_keys(model, key=jax.random.fold_in(key, step))`")):
            compile(loop)(layer)


def test_without_noise_a_loop_needs_no_keys():
    chip = ms.deploy(Linear(4, 3, key=KEY), ms.Crossbar(Ideal()), 0.0, key=KEY)
    np.testing.assert_allclose(jax.lax.map(keyed(chip), jnp.ones((2, 4))), jnp.stack([chip(ONES)] * 2), rtol=1e-5)


def test_one_key_gives_one_result_compiled_or_not():
    model = lambda layer, x: jnp.stack([layer(x), layer(x), *jax.vmap(layer)(jnp.stack([x, x]))])  # noqa: E731
    found = model(keyed(), ONES)
    np.testing.assert_array_equal(found, model(keyed(), ONES))
    layer = keyed()
    layer(ONES)  # a read before does not count in a function compiled later
    for compiled in (eqx.filter_jit(model)(layer, ONES), jax.jit(lambda x: model(layer, x))(ONES)):
        np.testing.assert_allclose(compiled, found, rtol=1e-5)
    np.testing.assert_array_equal(copy.deepcopy(keyed())(ONES), keyed()(ONES))
    tally = keyed().weight.tally
    assert pickle.loads(pickle.dumps(tally)) == tally


def test_a_compiled_function_is_compiled_once_for_all_keys():
    traced = []

    @eqx.filter_jit
    def run(layer, x):
        traced.append(0)
        return layer(x)

    ys = [run(keyed(key=jr.key(i)), ONES) for i in range(3)]
    assert len(traced) == 1 and len(np.unique(np.asarray(ys))) == 9


def test_mapping_over_keys_is_a_loop_over_keys():
    keys, xs = jr.split(KEY, 5), jr.normal(KEY, (5, 4))
    mapped = jax.vmap(lambda key, x: keyed(key=key)(x))(keys, xs)
    np.testing.assert_allclose(mapped, [keyed(key=k)(x) for k, x in zip(keys, xs, strict=True)], rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_chips_mapped_with_one_key_do_not_share_noise():
    chips = eqx.filter_vmap(lambda key: ms.deploy(Linear(4, 3, use_bias=False, key=KEY), PCM, 0.0, key=key))(
        jr.split(KEY, 2)
    )

    def read(key):
        return eqx.filter_vmap(lambda chip: keyed(chip, key=key)(ONES))(chips)

    both = samples(read)
    correlation = (both[:, 0] * both[:, 1]).mean(axis=0) / (both[:, 0].std(axis=0) * both[:, 1].std(axis=0))
    assert np.abs(correlation).max() < 4 / CALLS**0.5


@pytest.mark.slow
def test_the_noise_of_a_mapped_read_has_the_right_derivative():
    # Against finite differences: the draw is held, the standard deviation of the noise depends on the input.
    xs = jr.uniform(KEY, (3, 4), minval=0.5, maxval=1.0)
    loss = lambda xs: jnp.sum(jax.vmap(keyed())(xs) ** 2)  # noqa: E731
    with jax.enable_x64(True):
        layer = jax.tree.map(lambda a: a.astype(float) if eqx.is_inexact_array(a) else a, CHIP)
        loss = lambda xs: jnp.sum(jax.vmap(keyed(layer))(xs) ** 2)  # noqa: E731
        check_grads(loss, (xs.astype(float),), order=1, modes=("fwd", "rev"), rtol=1e-6)


@pytest.mark.parametrize("layer", [slow(Conv1d(1, 2, 3, key=KEY)), Conv1d(2, 2, 3, groups=2, key=KEY)])
def test_a_keyed_convolution_draws_anew_for_each_signal(layer):
    chip = ms.deploy(layer, PCM, 0.0, key=KEY)
    ys = jax.vmap(keyed(chip))(jnp.ones((4, layer.in_channels, 8)))
    assert len(np.unique(np.asarray(ys))) == ys.size


def test_a_keyed_delay_line_draws_anew_in_each_step():
    chip = ms.deploy(DelayedLinear(3, 2, np.array([[0, 1, 2]] * 2), key=KEY), PCM, 0.0, key=KEY)
    ys = keyed([chip])[0].run(jnp.ones((20, 3)), chip.initial_state())[0][2:]
    assert len(np.unique(np.asarray(ys))) == ys.size


@pytest.mark.parametrize("make", [jr.key, lambda seed: jr.key(seed, impl="rbg")])
def test_a_model_with_its_keys_comes_back_from_a_file(make):
    written, empty = keyed(key=make(5)), keyed(key=make(6))
    file = io.BytesIO()
    eqx.tree_serialise_leaves(file, written)
    file.seek(0)
    read = eqx.tree_deserialise_leaves(file, empty)
    expected = jr.fold_in(make(5), 0)
    assert read.weight.key.dtype == expected.dtype
    np.testing.assert_array_equal(jr.key_data(read.weight.key), jr.key_data(expected))
    np.testing.assert_array_equal(read(ONES), keyed(key=make(5))(ONES))


def test_every_implementation_of_keys_works():
    ys = jax.vmap(keyed(key=jr.key(0, impl="rbg")))(jnp.ones((3, 4)))
    assert len(np.unique(np.asarray(ys))) == ys.size
