"""Batch norms: folded into layers, and adapted to chips."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from device_models import Ideal, pcm_joshi2020
from helpers import slow
from memsim.nn import Stateful, adapt_batch_norm, analog_layers, call, convert, fold_batch_norm

KEY = jr.key(1)
XS = jr.normal(KEY, (64, 2, 6, 6)) + 0.5


class Network(eqx.Module):
    """Convolutions and a head with norms behind, each in its own way."""

    conv: eqx.nn.Conv2d
    first: eqx.nn.BatchNorm
    up: eqx.nn.ConvTranspose2d
    second: eqx.nn.BatchNorm
    head: eqx.nn.Linear
    third: eqx.nn.BatchNorm
    dropout: eqx.nn.Dropout

    def __init__(self, key, mode="batch", affine=True, bias=True, eps=1e-5):
        k = jr.split(key, 3)
        norm = dict(axis_name="batch", mode=mode, channelwise_affine=affine, eps=eps, momentum=0.9)
        self.conv = eqx.nn.Conv2d(2, 4, 3, padding=1, use_bias=bias, groups=2, key=k[0])
        self.first = eqx.nn.BatchNorm(4, **norm)
        self.up = eqx.nn.ConvTranspose2d(4, 3, 2, stride=2, use_bias=bias, key=k[1])
        self.second = eqx.nn.BatchNorm(3, **norm)
        self.head = eqx.nn.Linear(3, 5, use_bias=bias, key=k[2])
        self.third = eqx.nn.BatchNorm(5, **norm)
        self.dropout = eqx.nn.Dropout(0.5)

    def __call__(self, x, state, *, key=None):
        x, state = self.first(self.conv(x), state)
        x, state = self.second(self.up(jax.nn.relu(x)), state)
        x = self.dropout(jax.nn.relu(x), key=key)
        return self.third(self.head(x.mean(axis=(1, 2))), state)


def trained(steps=5, **settings):
    """A model whose statistics come from some batches, and whose affine parameters are not one and zero."""
    model = Stateful(*eqx.nn.make_with_state(Network)(KEY, **settings))
    model = eqx.nn.inference_mode(model)
    norms = lambda m: [m.model.first, m.model.second, m.model.third]  # noqa: E731
    if settings.get("affine", True):
        for place, name in enumerate(("weight", "bias")):
            values = [1 - place + 0.3 * jr.normal(jr.fold_in(KEY, place), n.weight.shape) for n in norms(model)]
            model = eqx.tree_at(lambda m, name=name: [getattr(n, name) for n in norms(m)], model, values)
    train = eqx.tree_at(lambda m: [n.inference for n in norms(m)], model, [False] * 3)
    step = eqx.filter_jit(lambda m, xs: jax.vmap(m.update, out_axes=(0, None), axis_name="batch")(xs)[1])
    for n in range(steps):
        train = Stateful(train.model, step(train, XS.astype(float) * (1 + 0.1 * n)))
    return Stateful(model.model, train.state)


run = eqx.filter_jit(lambda model, xs: jax.vmap(model)(xs))
deploy = eqx.filter_jit(ms.deploy)


@pytest.mark.parametrize("ours", [slow(False), True])
@pytest.mark.parametrize(
    "settings",
    [
        {"mode": "batch"},
        slow({"mode": "ema"}),
        {"mode": "ema", "affine": False, "bias": False},
        slow({"bias": False, "eps": 0.1}),
    ],
)
def test_folding_keeps_the_outputs_in_inference(settings, ours):
    with jax.enable_x64(True):
        model = trained(**settings)
        model = jax.tree.map(lambda a: a.astype(float) if eqx.is_inexact_array(a) else a, model)
        model = convert(model) if ours else model
        folded, xs = fold_batch_norm(model, XS[0].astype(float)), XS.astype(float)
        left = jax.tree.leaves(folded, is_leaf=lambda node: isinstance(node, eqx.nn.BatchNorm))
        assert not any(isinstance(leaf, eqx.nn.BatchNorm) for leaf in left)
        np.testing.assert_allclose(run(folded, xs), run(model, xs), rtol=1e-9, atol=1e-12)


@pytest.mark.slow
def test_folding_a_sequential_model_and_vmapped_tokens():
    class Tokens(eqx.Module):
        layer: eqx.nn.Linear
        norm: eqx.nn.BatchNorm

        def __init__(self, key):
            self.layer = eqx.nn.Linear(4, 3, key=key)
            self.norm = eqx.nn.BatchNorm(3, ("batch", "token"), mode="batch")

        def __call__(self, x, state):
            y = jax.vmap(self.layer)(x)
            return jax.vmap(self.norm, (0, None), (0, None), axis_name="token")(y, state)

    def row(key):
        layers = [eqx.nn.Linear(4, 3, key=key), eqx.nn.BatchNorm(3, "batch", mode="batch"), eqx.nn.Lambda(jax.nn.relu)]
        return eqx.nn.Sequential(layers)

    for make, xs in ((Tokens, jr.normal(KEY, (8, 5, 4))), (row, jr.normal(KEY, (8, 4)))):
        model = Stateful(*eqx.nn.make_with_state(make)(KEY))
        update = jax.vmap(model.update, out_axes=(0, None), axis_name="batch")
        model = eqx.nn.inference_mode(Stateful(model.model, update(xs)[1]))
        np.testing.assert_allclose(run(fold_batch_norm(model, xs[0]), xs), run(model, xs), rtol=1e-5, atol=1e-6)


class Between(eqx.Module):
    layer: eqx.nn.Linear
    norm: eqx.nn.BatchNorm
    how: str = eqx.field(static=True)

    def __init__(self, how, key=KEY):
        self.layer = eqx.nn.Linear(3, 3, key=key)
        self.norm = eqx.nn.BatchNorm(3, "batch", mode="batch")
        self.how = how

    def __call__(self, x, state):
        if self.how == "relu":
            return self.norm(jax.nn.relu(self.layer(x)), state)
        if self.how == "nothing":
            return self.norm(x, state)
        y = self.layer(x)
        z, state = self.norm(y, state)
        if self.how == "twice":
            return self.norm(self.layer(z), state)
        return z + y, state


@pytest.mark.parametrize(
    "how, says",
    [
        ("relu", "Got .model.norm after `relu`"),
        ("nothing", "after an input of the model"),
        ("skip", "The output of .model.layer must go to .model.norm alone"),
        ("twice", ".model.norm must be called once"),
    ],
)
def test_a_norm_that_cannot_be_folded_is_named_with_what_stands_between(how, says):
    model = Stateful(*eqx.nn.make_with_state(Between)(how))
    with pytest.raises(ValueError, match=re.escape(says)):
        fold_batch_norm(model, jnp.ones(3))


def test_what_is_not_there_is_refused():
    with pytest.raises(ValueError, match="must hold an `equinox"):
        fold_batch_norm(Stateful(*eqx.nn.make_with_state(eqx.nn.MLP)(3, 2, 4, 1, key=KEY)), jnp.ones(3))
    with pytest.raises(ValueError, match="met no batch yet"):
        fold_batch_norm(Stateful(*eqx.nn.make_with_state(Network)(KEY, mode="ema")), XS[0])
    chip = deploy(convert(trained()), ms.Crossbar(Ideal()), 0.0, key=KEY)
    with pytest.raises(ValueError, match="must hold digital weights"):
        fold_batch_norm(chip, XS[0])


@pytest.mark.slow
def test_a_model_with_a_state_is_called_and_trained_as_one():
    model = Stateful(*eqx.nn.make_with_state(Network)(KEY))
    ys, state = jax.vmap(model.update, out_axes=(0, None), axis_name="batch")(XS, key=jr.split(KEY, 64))
    assert ys.shape == (64, 5) and int(state.get(model.model.first.batch_counter)) == 1
    still = eqx.nn.inference_mode(trained())
    gradient = eqx.filter_grad(lambda m: jnp.sum(m(XS[0]) ** 2))(still)
    assert not any(np.any(np.asarray(leaf)) for leaf in jax.tree.leaves(gradient.state))
    assert np.any(np.asarray(gradient.model.conv.weight))
    with pytest.raises(ValueError, match="must give out a pair"):
        Stateful(Silent(), still.state)(XS[0])


class Silent(eqx.Module):
    def __call__(self, x, state):
        return x


@pytest.mark.parametrize("mode", [slow("ema"), "batch"])
def test_adapted_statistics_are_those_of_numpy(mode):
    model = trained(mode=mode)
    chip = deploy(convert(model), ms.Crossbar(Ideal(), tile=(8, 8)), 0.0, key=KEY)
    adapted = adapt_batch_norm(chip, XS)
    x, net = np.asarray(XS), adapted.model
    for layer, norm in ((net.conv, net.first), (net.up, net.second), (net.head, net.third)):
        y = np.asarray(jax.vmap(layer)(jnp.asarray(x)), np.float64)
        axes = (0, *range(2, y.ndim))
        mean, variance = y.mean(axis=axes), y.var(axis=axes)
        still = eqx.nn.inference_mode(norm)
        given = jnp.stack([jnp.zeros(norm.input_size), jnp.ones(norm.input_size)])
        zero, one = np.asarray(jax.vmap(lambda x, still=still: still(x, adapted.state)[0])(given), np.float64)
        np.testing.assert_allclose(one - zero, norm.weight / np.sqrt(variance + norm.eps), rtol=1e-3)
        np.testing.assert_allclose(zero, norm.bias - mean * norm.weight / np.sqrt(variance + norm.eps), atol=1e-3)
        wide = (1, -1, *[1] * (y.ndim - 2))
        z = (
            (y - mean.reshape(wide))
            / np.sqrt(variance + norm.eps).reshape(wide)
            * np.asarray(norm.weight).reshape(wide)
        )
        x = np.maximum(z + np.asarray(norm.bias).reshape(wide), 0.0).astype(np.float32)
        x = x.mean(axis=(2, 3)) if norm is net.second else x


@pytest.mark.slow
def test_a_chip_with_a_gain_error_is_mended():
    model = convert(trained(eps=1e-9))
    base = adapt_batch_norm(model, XS)  # the statistics of exactly these samples, as those on the chip are
    chip = deploy(base, ms.Crossbar(Ideal()), 0.0, key=KEY)
    layers = {path: layer.weight for path, layer in analog_layers(chip).items()}
    gains = {path: eqx.tree_at(lambda m: m.weight, w, 0.6 * w.weight) for path, w in layers.items()}
    off = ms.nn._deploy.replace_weights(chip, gains)
    wanted, wrong = run(base, XS), run(off, XS)
    mended = run(adapt_batch_norm(off, XS), XS)
    # The biases are digital and keep their size, which a norm takes out together with the mean.
    assert np.abs(mended - wanted).max() < 0.02 * np.abs(wrong - wanted).max()


@pytest.mark.slow
def test_adapting_reads_a_noisy_chip_with_keys_of_its_own_for_each_sample():
    model = convert(trained())
    design = ms.calibrate(model, XS, ms.Crossbar(pcm_joshi2020(), adc=ms.ADC(8), dac=ms.DAC(8)))
    noisy = ms.deploy(model, design, 3e7, key=KEY)
    one, again, other = (adapt_batch_norm(noisy, XS, key=jr.key(seed)) for seed in (0, 0, 1))
    assert eqx.tree_equal(one.state, again.state) and not eqx.tree_equal(one.state, other.state)
    assert call(one, XS[0], key=KEY).shape == (5,)
    with pytest.raises(ValueError, match="needs `key=`"):
        adapt_batch_norm(noisy, XS)
