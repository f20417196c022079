"""Neurogrid: its neuron against its closed form, its mismatch by moments, and values through populations."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from helpers import slow
from memsim import nn
from memsim.chips import Population
from memsim.chips._neurogrid._population import encoders, fabricated, log_normal
from memsim.chips._neurogrid._rule import Membranes, Soma, rate, step

SOMA = Soma(tau=10e-3, refractory=2e-3, reset=0.0)
CURRENTS = jnp.concatenate([jnp.linspace(-2.0, 0.45, 10), jnp.linspace(0.55, 6.0, 30)])
VALUES = jnp.linspace(-0.9, 0.9, 8)


def channel_errors(neurons, chips):
    """Of constant values through a population: by chip, all of it, and what fluctuates. Filters are taken out."""
    xs = jnp.broadcast_to(VALUES[:, None, None], (8, 1500, 1))

    @eqx.filter_jit
    def of(key):
        placed = ms.chips.neurogrid().deploy(Population(neurons), key=key)
        wanted = jax.vmap(lambda x: placed.filtered(placed.filtered(x)))(xs)
        away = (jax.vmap(placed)(xs)[0] - wanted)[:, 500:]
        return jnp.sqrt(jnp.stack([jnp.mean(away**2), jnp.mean(jnp.var(away, axis=1))]))

    return np.array([of(key) for key in jr.split(jr.key(neurons), chips)]).T


@pytest.mark.parametrize("dt", [slow(2e-3), 1e-4])
def test_a_constant_input_gives_the_rate_of_the_closed_form_whatever_the_step(dt):
    start = Membranes(jnp.zeros(40), jnp.zeros(40))
    steps = round(10 / dt)
    _, fired = jax.lax.scan(lambda state, _: step(SOMA, state, CURRENTS, dt), start, None, length=steps)
    np.testing.assert_allclose(fired.sum(0) / 10, rate(SOMA, CURRENTS), atol=0.15)  # one spike in 10 s is 0.1 Hz


def test_the_closed_form_is_the_time_that_an_integral_takes():
    # T = integral of tau du / (u^2 / 2 - u + I) from 0, by u = tan(s) and the trapezium rule.
    s = np.linspace(0, np.pi / 2, 200_001)[:-1]
    for current in (0.6, 1.0, 4.0):
        integrand = SOMA.tau / (np.sin(s) ** 2 / 2 - np.sin(s) * np.cos(s) + current * np.cos(s) ** 2)
        period = SOMA.refractory + np.trapezoid(integrand, s)
        assert float(rate(SOMA, jnp.array(current))) == pytest.approx(1 / period, rel=1e-4)


def test_mismatch_is_log_normal_with_the_spread_that_is_asked_for():
    # 40 000 neurons: a mean of 15 % is known to 0.075 %, a standard deviation to 0.4 %; a logarithm has no skew.
    factors, number = np.asarray(log_normal(0.15, 40_000, key=jr.key(0))), 40_000
    assert abs(factors.mean() - 1) < 4 * 0.15 / np.sqrt(number)
    assert abs(factors.std() / 0.15 - 1) < 5 / np.sqrt(2 * number)
    logs = np.log(factors)
    skew = np.mean(((logs - logs.mean()) / logs.std()) ** 3)
    assert factors.min() > 0 and abs(skew) < 4 * np.sqrt(6 / number)


def test_constant_currents_and_rheobases_deviate_apart():
    # The bias of a neuron is a ratio of two log-normal factors, so that its logarithm has twice the variance.
    made = fabricated(Population(20_000), spread=0.15, arbor=2.0, gain=1.0, bias=1.0, key=jr.key(1))
    assert np.log(made.bias).std() == pytest.approx(np.sqrt(2 * np.log1p(0.15**2)), rel=4 / np.sqrt(40_000))


def test_an_arbor_spreads_one_input_exponentially():
    e = np.asarray(encoders(4096, 1, 2.0, key=jr.key(0))).reshape(64, 64)
    assert np.sqrt((e**2).mean()) == pytest.approx(1.0)
    near = np.corrcoef(e[:, :-1].ravel(), e[:, 1:].ravel())[0, 1]
    far = np.corrcoef(e[:, :-12].ravel(), e[:, 12:].ravel())[0, 1]
    # (1 + |d| / lambda) exp(-|d| / lambda) is the correlation of a signal that exp(-|d| / lambda) has smoothed.
    assert near == pytest.approx(1.5 * np.exp(-0.5), abs=0.06) and abs(far) < 0.15


@pytest.mark.slow
def test_a_channel_of_more_neurons_errs_less():
    few, many = channel_errors(64, 3)[0], channel_errors(1024, 3)[0]
    assert many.max() < few.min() and 2.5 < few.mean() / many.mean() < 8  # 4 by 1 / sqrt(neurons)


@pytest.mark.slow
def test_the_error_of_a_channel_falls_as_one_over_the_root_of_its_neurons():
    # Six chips of each of five sizes: what fluctuates falls by the root, what decoders distort a little faster.
    sizes = [64, 128, 256, 512, 1024]
    found = np.log([channel_errors(neurons, 6) for neurons in sizes])  # (sizes, kinds, chips)
    logs = np.log(sizes) - np.mean(np.log(sizes))
    slopes = np.einsum("s,skc->kc", logs, found) / np.sum(logs**2)  # one a chip
    errors = slopes.std(axis=1, ddof=1) / np.sqrt(slopes.shape[1])
    total, fluctuation = slopes.mean(axis=1)
    assert abs(fluctuation + 0.5) < 0.05 + 3 * errors[1]
    assert -0.65 < total < -0.45 and errors[0] < 0.05


def test_functions_are_decoded_and_populations_follow_each_other():
    square = Population(1000, function=lambda value: value**2)
    placed = ms.chips.neurogrid().deploy([Population(1000), square], key=jr.key(0))
    xs = jnp.broadcast_to(VALUES[:, None, None], (8, 1500, 1))
    found, counts = jax.vmap(placed)(xs)
    np.testing.assert_allclose(found[:, 1000:].mean(axis=(1, 2)), VALUES**2, atol=0.06)
    assert counts.spikes.shape == (8, 1500, 2) and int(counts.spikes.sum()) > 10_000


@pytest.mark.slow
def test_two_dimensions_are_multiplied():
    product = Population(2000, dimensions=2, function=lambda value: value[:1] * value[1:])
    placed = ms.chips.neurogrid().deploy(product, key=jr.key(0))
    pairs = jnp.array([[0.6, 0.6], [0.6, -0.6], [-0.7, 0.2], [0.0, 0.0]])
    found, _ = jax.vmap(placed)(jnp.broadcast_to(pairs[:, None], (4, 1500, 2)))
    np.testing.assert_allclose(found[:, 1000:].mean(axis=(1, 2)), pairs[:, 0] * pairs[:, 1], atol=0.06)


@pytest.mark.slow
def test_a_whole_recording_is_its_steps_one_by_one():
    part = ms.chips.neurogrid().deploy(Population(64), key=jr.key(0)).parts[0]
    xs = 0.5 * jnp.sin(jnp.linspace(0.0, 10.0, 50))[:, None]
    whole, _, _ = part.run(xs, part.initial_state())
    state, rows = part.initial_state(), []
    run = eqx.filter_jit(part.run)
    for x in xs:
        y, state, _ = run(x[None], state)
        rows.append(y[0])
    np.testing.assert_allclose(whole, np.stack(rows), rtol=1e-4, atol=1e-5)


def test_layers_are_refused_with_the_reason_and_limits_are_named():
    chip = ms.chips.neurogrid()
    layers = str(chip.fits(nn.SpikingNetwork([nn.Linear(3, 4, key=jr.key(0)), nn.LIF(4)])))
    assert "SpikingNetwork, whose layers have a weight for each synapse" in layers and "Population" in layers
    assert "at most 2 dimensions. Got 3" in str(chip.fits(Population(10, dimensions=3)))
    assert "2 inputs. Got 1 from the one before" in str(chip.fits([Population(10), Population(10, dimensions=2)]))
    assert "at most 16 cores. Got 17" in str(chip.fits([Population(65536)] * 16 + [Population(1)]))
    with pytest.raises(ValueError, match="`key` must be given"):
        chip.deploy(Population(10))


@pytest.mark.usefixtures("unchecked")
def test_a_recording_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"one recording \(steps, 1\)"):
        ms.chips.neurogrid().deploy(Population(10), key=jr.key(0))(jnp.zeros(5))
