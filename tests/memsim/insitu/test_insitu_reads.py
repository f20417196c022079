"""Reads in training through converters and noise, and weights some time after training."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from memsim.insitu import Periphery

W = 0.3 * jr.normal(jr.key(0), (5, 7))
X = jr.normal(jr.key(1), (400, 7))
TARGET = jr.normal(jr.key(2), (400, 5))


def loss(weight, x):
    return jnp.sum((jnp.tanh(x) @ weight.T - TARGET) ** 2) / 2


def outer(periphery, **settings):
    return ms.insitu.value_and_outer(loss, periphery=periphery)(W, X, **settings)[1]


def test_ideal_converters_change_nothing():
    exact, ideal = outer(None), outer(Periphery(dac=ms.DAC(None), adc=ms.ADC(None, full_scale=100.0)))
    np.testing.assert_allclose(ideal.errors, exact.errors, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(ideal.inputs, exact.inputs)


def test_a_read_has_the_noise_and_the_codes_that_it_was_given():
    exact = outer(None)
    noisy = outer(Periphery(noise=0.06, unit=1.0), read_key=jr.key(3))
    # Noise of 0.06 units, scaled back by the largest input of each read.
    scale = np.abs(np.tanh(np.asarray(X, np.float64))).max(axis=1, keepdims=True)
    z = (np.asarray(noisy.errors, np.float64) - np.asarray(exact.errors)) / scale
    assert z.std() == pytest.approx(0.06, rel=4 / np.sqrt(2 * z.size))
    assert abs(z.mean()) < 4 * 0.06 / np.sqrt(z.size)
    # Codes in plain numpy: 7 bits in, 9 bits out of a full scale of 4.
    x = np.tanh(np.asarray(X, np.float64))
    driven = np.round(x / scale * 63) / 63
    y = np.round(driven @ np.asarray(W, np.float64).T / (4 / 255)) * (4 / 255) * scale
    found = outer(Periphery(ms.DAC(7), ms.ADC(9, full_scale=4.0), unit=1.0)).errors
    off = np.abs(np.asarray(found) - (y - np.asarray(TARGET)))
    assert np.median(off) < 1e-5 and (off > 1e-3).mean() < 2e-3  # a code away only at ties


def test_errors_go_back_through_the_same_converters():
    def through(params, x):
        first, second = params
        return jnp.sum(((x @ first.T) @ second.T) ** 2) / 2

    second = 0.3 * jr.normal(jr.key(4), (3, 5))
    exact = ms.insitu.value_and_outer(through)((W, second), X)[1][0]
    periphery = Periphery(noise=0.05, unit=1.0)
    noisy = ms.insitu.value_and_outer(through, periphery=periphery)((W, second), X, read_key=jr.key(5))[1][0]
    difference = np.asarray(noisy.errors - exact.errors, np.float64)
    # The noise of three reads: of both layers forward, passed back, and of the errors' own read. That one alone has
    # 0.05 of the largest error of each read.
    own = 0.05 * np.abs(np.asarray(X @ W.T @ second.T, np.float64)).max(axis=1)
    assert difference.std() > 0.9 * np.sqrt(np.mean(own**2))
    assert difference.std() < 3.0 * np.sqrt(np.mean(own**2)) + 0.05
    with pytest.raises(ValueError, match="Noisy reads need a key"):
        ms.insitu.value_and_outer(through, periphery=periphery)((W, second), X)


def test_a_transfer_reads_with_noise():
    device = dm.pulsed.ConstantStep(dm.pulsed.Steps(1e-4), dm.pulsed.Bounds(-10.0, 10.0))
    transfer = ms.insitu.Transfer(1.0, columns=None, read=Periphery(noise=0.01), length=4000)
    optimizer = ms.insitu.tiki_taka(device, 0.1, transfer=transfer, scale=1.0, key=jr.key(0))
    weight = jnp.zeros((40, 50))
    found, _ = jax.jit(optimizer.update)(jnp.zeros((40, 50)), optimizer.init(weight), weight)
    assert float(found.std()) == pytest.approx(0.01, rel=4 / np.sqrt(2 * found.size))


@pytest.mark.slow
def test_weights_age_as_the_cells_that_lend_their_retention():
    # Drift alone: w(t) = w ((t + t_0) / t_0)^-nu for each cell of a pair, with the same key the same exponents.
    params = {"weight": jnp.linspace(-0.5, 0.5, 400).reshape(20, 20)}
    optimizer = ms.insitu.analog_sgd(dm.pulsed.ecram_tang2018(), 0.1, scale=1.0, key=jr.key(0))
    state, device = optimizer.init(params), dm.pcm_joshi2020()
    now = ms.insitu.aged(params, state, device, 0.0, key=jr.key(1))["weight"]
    np.testing.assert_allclose(now, params["weight"], atol=2e-3)
    day, year = (ms.insitu.aged(params, state, device, t, key=jr.key(1))["weight"] for t in (86400.0, 3.15576e7))
    again = ms.insitu.aged(params, state, device, 86400.0, key=jr.key(1))["weight"]
    np.testing.assert_array_equal(day, again)
    slope = [float(jnp.sum(w * params["weight"]) / jnp.sum(params["weight"] ** 2)) for w in (day, year)]
    # Joshi2020: exponents near 0.05 to 0.06, from 20 s; 0.61 and 0.44 at 0.058, within the spread over conductances.
    assert 0.5 < slope[0] < 0.8 and 0.3 < slope[1] < 0.75 * slope[0] + 0.1
    with pytest.raises(ValueError, match="`state` must be of the training of `params`"):
        ms.insitu.aged({"other": params["weight"]}, state, device, 0.0, key=jr.key(1))
