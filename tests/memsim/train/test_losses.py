"""Losses and penalties are the closed forms of their docstrings, and their gradients those of finite differences."""

import re
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest
from scipy.special import log_softmax

import memsim as ms
from memsim.encoding import first_spike_time
from memsim.train import (
    SpikeRate,
    count_cross_entropy,
    cross_entropy,
    latency_cross_entropy,
    max_cross_entropy,
    rate_mse,
    van_rossum,
)

DT = 1e-3
LABEL = jnp.asarray(2)
LATENCY = partial(latency_cross_entropy, tau=5e-3, dt=DT)


def trains(steps=40, units=4, p=0.1, seed=0):
    return (np.random.default_rng(seed).random((steps, units)) < p).astype(float)


def naive_latency(spikes, label):
    times = np.array([next((n for n, s in enumerate(train) if s), len(train)) for train in spikes.T])
    return -log_softmax(-times * DT / 5e-3)[label]


NAIVE = {
    "mean": (cross_entropy, lambda y, label: -log_softmax(y.mean(0))[label]),
    "count": (count_cross_entropy, lambda y, label: -log_softmax(y.sum(0))[label]),
    "max": (max_cross_entropy, lambda y, label: -log_softmax(y.max(0))[label]),
    "latency": (LATENCY, naive_latency),
    "rate": (rate_mse, lambda y, label: np.mean((y.mean(0) - np.where(np.arange(4) == label, 0.8, 0.2)) ** 2)),
}
every_loss = pytest.mark.parametrize("loss, naive", NAIVE.values(), ids=NAIVE)


def finite_difference(f, x, h=1e-6):
    """The gradient of a scalar function of an array, by central differences."""
    gradient = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[place] = h
        gradient[place] = (f(jnp.asarray(x + step)) - f(jnp.asarray(x - step))) / (2 * h)
    return gradient


# Losses of one sequence.


@every_loss
@pytest.mark.parametrize("x64", [False, True])
def test_a_loss_is_its_formula(loss, naive, x64):
    with jax.enable_x64(x64):
        for label in range(4):
            spikes = trains(seed=label)
            found = loss(jnp.asarray(spikes, jnp.result_type(float)), jnp.asarray(label))
            assert found.shape == () and found.dtype == (np.float64 if x64 else np.float32)
            np.testing.assert_allclose(found, naive(spikes, label), rtol=1e-5)


@every_loss
def test_the_gradient_of_a_loss_is_the_finite_difference(loss, naive):
    outputs = np.random.default_rng(1).uniform(0.05, 0.95, (7, 4))  # no ties, and no clipped count of spikes
    with jax.enable_x64(True):
        gradient = jax.grad(loss)(jnp.asarray(outputs), LABEL)
        difference = finite_difference(jax.jit(lambda y: loss(y, LABEL)), outputs)
        np.testing.assert_allclose(gradient, difference, rtol=1e-5, atol=1e-9)
        assert np.abs(gradient).max() > 1e-3


@every_loss
def test_a_compiled_batch_of_losses_is_its_members_one_by_one(loss, naive):
    outputs, labels = jr.uniform(jr.key(0), (3, 9, 4)), jnp.asarray([0, 3, 1])
    batch = jax.jit(jax.vmap(loss))(outputs, labels)
    np.testing.assert_allclose(batch, [loss(y, label) for y, label in zip(outputs, labels, strict=True)], rtol=1e-5)


@every_loss
def test_the_loss_and_its_gradient_are_finite_for_silent_and_for_saturated_outputs(loss, naive):
    for outputs in (jnp.zeros((50, 4)), jnp.ones((50, 4)), 3 * jnp.ones((50, 4))):
        value, gradient = jax.value_and_grad(loss)(outputs, LABEL)
        assert np.isfinite(value) and np.isfinite(gradient).all()


def test_a_silent_class_is_pulled_up_at_every_step_the_most_at_the_first():
    gradient = jax.grad(LATENCY)(jnp.zeros((50, 4)), LABEL)
    # All four are equally likely, and a spike at step m would come 50 - m steps before the end.
    lead = np.arange(50, 0, -1) * DT / 5e-3
    np.testing.assert_allclose(gradient[:, 2], -(1 - 1 / 4) * lead, rtol=1e-5)
    np.testing.assert_allclose(gradient[:, 0], lead / 4, rtol=1e-5)


def test_leading_by_tau_is_a_factor_e_of_odds():
    spikes = np.zeros((30, 2), np.float32)
    spikes[4, 0] = spikes[9, 1] = 1  # 5 ms apart
    spikes[20:] = 1  # later spikes change nothing
    first, second = (LATENCY(jnp.asarray(spikes), jnp.asarray(label)) for label in (0, 1))
    np.testing.assert_allclose(second - first, 1.0, rtol=1e-5)


def spiking_classifier(key):
    keys = jr.split(key)
    return ms.nn.SpikingNetwork(
        [ms.nn.Linear(6, 16, key=keys[0]), ms.nn.LIF(16), ms.nn.Linear(16, 3, key=keys[1]), ms.nn.LIF(3)]
    )


@pytest.mark.slow
def test_a_network_with_silent_outputs_learns_to_spike_first_for_the_class():
    labels = jnp.arange(30) % 3
    xs = jnp.repeat(jax.nn.one_hot(labels, 3), 2, axis=-1)[:, None] + 0.3 * jr.normal(jr.key(1), (30, 25, 6))
    network = spiking_classifier(jr.key(2))
    network = eqx.tree_at(lambda n: n.layers[2].weight, network, 0.01 * network.layers[2].weight)
    run = eqx.filter_jit(lambda n: jax.vmap(n)(xs))
    assert not run(network).any()
    optimizer = optax.adam(1e-2)

    @eqx.filter_jit
    def step(network, moments):
        batch_loss = lambda n: jnp.mean(jax.vmap(LATENCY)(run(n), labels))  # noqa: E731
        gradient = eqx.filter_grad(batch_loss)(network)
        with jax.numpy_dtype_promotion("standard"):
            updates, moments = optimizer.update(gradient, moments)
        return eqx.apply_updates(network, updates), moments

    moments = optimizer.init(eqx.filter(network, eqx.is_inexact_array))
    for _ in range(60):
        network, moments = step(network, moments)
    first = jax.vmap(first_spike_time)(run(network))
    assert np.mean(np.argmin(first, axis=-1) == labels) > 0.9


def test_rates_on_target_cost_nothing():
    spikes = np.zeros((10, 3), np.float32)
    spikes[:2], spikes[2:8, 2] = 1, 1
    np.testing.assert_allclose(rate_mse(jnp.asarray(spikes), LABEL), 0, atol=1e-12)
    np.testing.assert_allclose(rate_mse(jnp.asarray(spikes), LABEL, right=1.0, wrong=0.0), 3 * 0.04 / 3, rtol=1e-6)


# Distances of spike trains.


@pytest.mark.parametrize("place", [0, 17, 39])
def test_one_spike_against_none_is_one_half_wherever_it_is(place):
    one = np.zeros((40, 1), np.float32)
    one[place] = 1
    for a, b in ((one, 0 * one), (0 * one, one)):
        np.testing.assert_allclose(van_rossum(jnp.asarray(a), jnp.asarray(b), tau=10e-3, dt=DT), 0.5, rtol=1e-6)


@pytest.mark.parametrize("apart", [0, 1, 2, 25])
@pytest.mark.parametrize("tau", [1e-3, 10e-3, 1.0])
def test_two_spikes_are_one_minus_the_exponential_of_their_distance_apart(apart, tau):
    a, b = np.zeros((40, 1)), np.zeros((40, 1))
    a[7] = b[7 + apart] = 1
    with jax.enable_x64(True):
        found = van_rossum(jnp.asarray(a), jnp.asarray(b), tau=tau, dt=DT)
    np.testing.assert_allclose(found, 1 - np.exp(-apart * DT / tau), rtol=1e-9, atol=1e-15)


def test_the_distance_is_the_integral_of_the_squared_difference_of_traces():
    a, b = trains(seed=2), trains(seed=3)
    t = (np.arange(400_000) + 0.5) * 1e-6  # midpoints of 1 us, over 40 steps and 36 tau after them
    f = sum(np.where(t >= n * DT, (a - b)[n, :, None] * np.exp(-(t - n * DT) / 10e-3), 0.0) for n in range(40))
    found = van_rossum(jnp.asarray(a, jnp.float32), jnp.asarray(b, jnp.float32), tau=10e-3, dt=DT)
    np.testing.assert_allclose(found, np.sum(f**2) * 1e-6 / 10e-3, rtol=1e-4)


def test_the_gradient_of_the_distance_is_the_finite_difference():
    a, b = trains(12, 3, 0.3, seed=4), trains(12, 3, 0.3, seed=5)
    with jax.enable_x64(True):
        distance = jax.jit(lambda a: van_rossum(a, jnp.asarray(b), tau=4e-3, dt=DT))
        gradient = jax.grad(distance)(jnp.asarray(a))
        np.testing.assert_allclose(gradient, finite_difference(distance, a), rtol=1e-6, atol=1e-9)


# Penalties on rates.


def spikes_of(*rates, steps=20):
    """Units that spike at these multiples of 1/20."""
    return jnp.stack([(jnp.arange(steps) < round(rate * steps)).astype(jnp.float32) for rate in rates], axis=1)


RECORDS = {".layers[1]": spikes_of(0.0, 0.1, 0.5, 1.0), ".layers[3]": spikes_of(0.25, 0.3)}


@pytest.mark.parametrize(
    "penalty, expected",
    [
        (SpikeRate(upper=0.0, order=1), 1.6 / 4 + 0.55 / 2),
        (SpikeRate(upper=0.0), (0.01 + 0.25 + 1) / 4 + (0.0625 + 0.09) / 2),
        (SpikeRate(upper=0.3, order=1), (0.2 + 0.7) / 4),
        (SpikeRate(lower=0.2), (0.04 + 0.01) / 4),
        (SpikeRate(3.0, lower=0.2, upper=0.45, order=1), 3 * (0.2 + 0.1 + 0.05 + 0.55) / 4),
        (SpikeRate(lower=0.3, per="population", order=1), 0.025),  # means 0.4 and 0.275
        (SpikeRate(upper=0.3, per="population"), 0.01),
        (SpikeRate(lower=0.2, upper=0.5, per="population"), 0.0),
    ],
    ids=repr,
)
def test_a_penalty_is_the_sum_over_layers_of_what_mean_rates_exceed(penalty, expected):
    np.testing.assert_allclose(penalty(RECORDS), expected, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(jax.jit(penalty)(RECORDS), expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("per", ["neuron", "population"])
@pytest.mark.parametrize("order", [1, 2])
def test_the_gradient_of_a_penalty_is_the_finite_difference(order, per):
    x = np.random.default_rng(6).uniform(0, 1, (5, 4)) * np.array([0.1, 0.1, 1.7, 0.9])
    with jax.enable_x64(True):
        penalty = SpikeRate(0.7, lower=0.2, upper=0.3, order=order, per=per)
        f = jax.jit(lambda x: penalty({"a": x, "b": 0.5 * x}))
        gradient = jax.grad(f)(jnp.asarray(x))
        np.testing.assert_allclose(gradient, finite_difference(f, x), rtol=1e-5, atol=1e-10)
        assert np.any(gradient)


def test_a_lower_bound_wakes_every_silent_neuron_of_a_network():
    xs = jr.uniform(jr.key(3), (40, 6))
    network = spiking_classifier(jr.key(4))
    network = eqx.tree_at(lambda n: [n.layers[0].weight, n.layers[2].weight], network, replace_fn=lambda w: 0.05 * w)
    penalty, optimizer = SpikeRate(lower=0.1), optax.adam(2e-2)

    spikes = eqx.filter_jit(lambda n: n(xs, record="spikes")[1]["spikes"])

    def rates(network):
        return {path: np.mean(s, axis=0) for path, s in spikes(network).items()}

    assert not any(r.any() for r in rates(network).values())

    @eqx.filter_jit
    def step(network, moments):
        gradient = eqx.filter_grad(lambda n: penalty(spikes(n)))(network)
        with jax.numpy_dtype_promotion("standard"):
            updates, moments = optimizer.update(gradient, moments)
        return eqx.apply_updates(network, updates), moments

    moments = optimizer.init(eqx.filter(network, eqx.is_inexact_array))
    for _ in range(150):
        network, moments = step(network, moments)
    assert sorted(rates(network)) == [".layers[1]", ".layers[3]"]
    assert all((r > 0).all() for r in rates(network).values())


# What cannot be asked.


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: SpikeRate(), "A `SpikeRate` must have a bound. Got neither"),
        (lambda: SpikeRate(lower=10.0), "Got lower=10.0, upper=None. From Hz? Multiply by dt."),
        (lambda: SpikeRate(lower=0.4, upper=0.3), "Bounds must satisfy 0 <= lower <= upper"),
        (lambda: SpikeRate(upper=-0.1), "Bounds must satisfy 0 <= lower"),
        (lambda: SpikeRate(upper=float("nan")), "Bounds must satisfy 0 <= lower"),
        (lambda: SpikeRate(upper=0.1, order=3), "`order` must be 1 or 2. Got 3"),
        (lambda: SpikeRate(upper=0.1, per="layer"), '`per` must be "neuron" or "population". Got \'layer\''),
        (lambda: SpikeRate(upper=0.1)({}), "`records` must be the spikes of at least one layer by its path. Got []"),
        (lambda: SpikeRate(upper=0.1)({"spikes": RECORDS}), "Got ['spikes']. Of what a network records, pass"),
        (lambda: rate_mse(jnp.zeros((5, 4)), LABEL, right=0.2, wrong=0.2), "Got right=0.2, wrong=0.2"),
        (lambda: latency_cross_entropy(jnp.zeros((5, 4)), LABEL, tau=5e-3, dt=1.0), "Milliseconds? Multiply by 1e-3"),
        (lambda: van_rossum(jnp.zeros(5), jnp.zeros(5), tau=0.0, dt=DT), "`tau` must be positive and finite"),
    ],
)
def test_a_loss_or_penalty_that_means_nothing_is_refused(make, says, unchecked):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()
