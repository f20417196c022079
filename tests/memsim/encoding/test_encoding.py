"""Encoders of values have the moments and times that their docstrings state, and their decoders undo them."""

import re

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.stats import norm

import memsim as ms
from memsim.encoding import (
    ChargingLatency,
    LinearLatency,
    Poisson,
    Population,
    Rate,
    exponential_trace,
    first_spike_time,
)

N = 100_000  # samples of each random quantity
STANDARD_ERRORS = 4  # tolerance of each moment
P = np.array([0.0, 0.03, 0.5, 0.9, 1.0])
DT = 1e-3


def assert_mean(samples, mean, std):
    """The mean over the first axis is `mean`, for samples of standard deviation `std`."""
    error = STANDARD_ERRORS * np.asarray(std) / np.sqrt(len(samples))
    assert np.all(np.abs(np.mean(samples, axis=0, dtype=float) - mean) <= error)


# Rates.


@pytest.mark.parametrize("x64", [False, True])
def test_a_rate_spike_has_the_probability_of_its_value_and_no_memory(x64):
    with jax.enable_x64(x64):
        spikes = np.asarray(Rate(N)(jnp.asarray(P, jnp.result_type(float)), key=jr.key(0)))
    assert spikes.shape == (N, 5) and spikes.dtype == (np.float64 if x64 else np.float32)
    assert set(np.unique(spikes)) == {0, 1}
    assert_mean(spikes, P, np.sqrt(P * (1 - P)))  # values of 0 and 1 leave nothing to chance
    # Products of independent spikes: the next step's, and the neighbour's.
    assert_mean(spikes[1:] * spikes[:-1], P**2, np.sqrt(P**2 * (1 - P**2)))
    both = P[1:] * P[:-1]
    assert_mean(spikes[:, 1:] * spikes[:, :-1], both, np.sqrt(both * (1 - both)))


def test_a_decoded_rate_is_the_value_within_its_standard_error():
    rate = Rate(N)
    error = np.abs(rate.decode(rate(jnp.asarray(P, jnp.float32), key=jr.key(1))) - P)
    assert np.all(error <= STANDARD_ERRORS * np.sqrt(P * (1 - P) / N) + 1e-6)


def test_values_over_time_are_drawn_once_a_step():
    values = jnp.asarray([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    np.testing.assert_array_equal(Rate(None)(values, key=jr.key(0)), values)
    with pytest.raises(ValueError, match=r"first axis of the values must be time\. Got a scalar"):
        Rate(None)(jnp.asarray(0.5), key=jr.key(0))


def test_the_gradient_of_a_rate_spike_in_its_value_is_one():
    weights = jr.normal(jr.key(2), (20, 5))
    p = jnp.asarray(P, jnp.float32)
    gradient = jax.grad(lambda p: jnp.sum(weights * Rate(20)(p, key=jr.key(0))))(p)
    np.testing.assert_allclose(gradient, weights.sum(0), rtol=1e-5)
    _, forward = jax.jvp(lambda p: Rate(20)(p, key=jr.key(0)), (p,), (p,))
    np.testing.assert_array_equal(forward, np.broadcast_to(p, (20, 5)))


def test_a_poisson_step_has_a_spike_as_often_as_it_has_an_event():
    rates = np.array([0.0, 20.0, 300.0, 1000.0])
    encoder = Poisson(N, DT)
    spikes = np.asarray(encoder(jnp.asarray(rates, jnp.float32), key=jr.key(3)))
    p = 1 - np.exp(-rates * DT)
    assert set(np.unique(spikes)) == {0, 1}
    assert_mean(spikes, p, np.sqrt(p * (1 - p)))
    # The rate's error is that of p over dp/dr.
    error = np.sqrt(p * (1 - p) / N) / (DT * (1 - p))
    assert np.all(np.abs(encoder.decode(jnp.asarray(spikes)) - rates) <= STANDARD_ERRORS * error + 1e-3)


def test_intervals_of_a_poisson_train_are_those_of_a_process_without_memory():
    spikes = np.asarray(Poisson(N, DT)(jnp.asarray(50.0), key=jr.key(4)))
    intervals = np.diff(np.flatnonzero(spikes))
    p = 1 - np.exp(-50.0 * DT)
    assert len(intervals) > 4000
    assert_mean(intervals, 1 / p, np.sqrt(1 - p) / p)
    assert_mean(intervals > 40, (1 - p) ** 40, np.sqrt((1 - p) ** 40 * (1 - (1 - p) ** 40)))


@pytest.mark.slow
def test_poisson_counts_have_the_poisson_mean_and_variance():
    rates, dt = np.array([0.0, 10.0, 300.0, 5000.0]), 2e-3
    encoder = Poisson(N, dt, counts=True)
    counts = np.asarray(encoder(jnp.asarray(rates, jnp.float32), key=jr.key(5)), float)
    mean = rates * dt
    np.testing.assert_array_equal(counts, np.round(counts))
    assert_mean(counts, mean, np.sqrt(mean))
    # The fourth central moment is mean + 3 mean^2.
    assert_mean((counts - mean) ** 2, mean, np.sqrt(mean + 2 * mean**2))
    decoded = encoder.decode(jnp.asarray(counts, jnp.float32))
    assert np.all(np.abs(decoded - rates) <= STANDARD_ERRORS * np.sqrt(mean / N) / dt + 1e-2)


@pytest.mark.parametrize("counts", [False, True])
def test_the_gradient_of_a_poisson_spike_is_that_of_its_mean(counts):
    rates = np.array([5.0, 200.0, 900.0])
    gradient = jax.grad(lambda r: jnp.sum(Poisson(7, DT, counts=counts)(r, key=jr.key(0))))
    slope = DT if counts else DT * np.exp(-rates * DT)
    np.testing.assert_allclose(gradient(jnp.asarray(rates, jnp.float32)), 7 * np.broadcast_to(slope, 3), rtol=1e-5)


# Latencies.


def test_a_linear_latency_is_the_rounded_line_and_decodes_to_half_a_step():
    encoder, x = LinearLatency(11, threshold=0.2), np.linspace(0, 1, 397)
    spikes = np.asarray(encoder(jnp.asarray(x, jnp.float32)))
    times = np.full(397, 11)
    for i, value in enumerate(x):
        if value > 0.2:
            times[i] = round((1 - value) / 0.8 * 10)
    np.testing.assert_array_equal(spikes.sum(0), x > 0.2)
    np.testing.assert_array_equal(np.where(x > 0.2, spikes.argmax(0), 11), times)
    assert spikes[0, -1] == 1 and spikes[10, x > 0.2][0] == 1  # the largest first, the smallest last
    decoded = np.asarray(encoder.decode(jnp.asarray(spikes)))
    np.testing.assert_array_equal(decoded[x <= 0.2], 0)
    assert np.abs(decoded - x)[x > 0.2].max() <= 0.8 / 10 / 2 + 1e-6


def test_a_charging_latency_is_the_first_crossing_of_a_capacitor_stepped_exactly():
    tau, threshold, x = 20e-3, 0.4, np.linspace(0, 3, 301)
    voltage, first = np.zeros(301), np.full(301, 60)
    for n in range(60):
        voltage = voltage * np.exp(-DT / tau) + (1 - np.exp(-DT / tau)) * x
        first = np.where((voltage > threshold) & (first == 60), n, first)
    with jax.enable_x64(True):
        encoder = ChargingLatency(60, tau, DT, threshold)
        spikes = np.asarray(encoder(jnp.asarray(x)))
        decoded = np.asarray(encoder.decode(jnp.asarray(spikes)))
    np.testing.assert_array_equal(spikes.sum(0), first < 60)
    np.testing.assert_array_equal(np.where(first < 60, spikes.argmax(0), 60), first)
    # The value lies between those that cross at the ends of the step.
    spiked = first < 60
    with np.errstate(divide="ignore"):
        ends = [threshold / (1 - np.exp(-(first + end) * DT / tau)) for end in (0, 1)]
    for y in (decoded, x):
        assert np.all((y <= ends[0] * (1 + 1e-9)) & (y >= ends[1] * (1 - 1e-9)) | ~spiked)
    np.testing.assert_array_equal(decoded[~spiked], 0)


def test_a_charging_latency_is_the_first_spike_of_the_leaky_neuron():
    x = jnp.linspace(0.0, 3.0, 200)
    neuron = ms.nn.SpikingNetwork([ms.nn.LIF(200, tau_mem=20e-3, dt=DT, threshold=0.4, gain="leak")])
    found = first_spike_time(neuron(jnp.broadcast_to(x, (60, 200))))
    spikes = ChargingLatency(60, 20e-3, DT, 0.4)(x)
    np.testing.assert_array_equal(found, np.where(spikes.any(0), spikes.argmax(0), 60))


@pytest.mark.parametrize("encoder", [LinearLatency(50, 0.1), ChargingLatency(50, 20e-3, DT, 0.1)], ids=repr)
def test_spike_times_have_the_gradient_of_finite_differences_and_the_spikes_none(encoder):
    with jax.enable_x64(True):
        x, h = jnp.asarray([0.15, 0.3, 0.77, 0.95]), 1e-6
        gradient = jax.vmap(jax.grad(encoder.times))(x)
        difference = (encoder.times(x + h) - encoder.times(x - h)) / (2 * h)
        np.testing.assert_allclose(gradient, difference, rtol=1e-6)
        assert np.all(gradient < 0)
        np.testing.assert_array_equal(jax.jacobian(encoder)(jnp.asarray([0.0, 0.1, 0.5])), 0)
        np.testing.assert_array_equal(jax.vmap(jax.grad(encoder.times))(jnp.asarray([0.0, 0.1])), 0)


def test_the_first_spike_is_the_first_nonzero_step_or_the_end():
    spikes = (np.random.default_rng(0).random((12, 500)) < 0.15) * np.random.default_rng(1).integers(1, 4, (12, 500))
    naive = [next((n for n in range(12) if train[n]), 12) for train in spikes.T]
    np.testing.assert_array_equal(first_spike_time(jnp.asarray(spikes, jnp.float32)), naive)
    assert 12 in naive and 0 in naive


def test_the_derivative_of_the_first_spike_time_is_the_change_when_a_spike_is_flipped():
    trains = np.random.default_rng(2).random((30, 8)) < 0.25
    trains[0] = False
    for train in trains.astype(np.float32):
        gradient = jax.grad(first_spike_time)(jnp.asarray(train))
        for m in range(8):
            with_spike, without = train.copy(), train.copy()
            with_spike[m], without[m] = 1, 0
            change = first_spike_time(jnp.asarray(with_spike)) - first_spike_time(jnp.asarray(without))
            assert gradient[m] == change
    np.testing.assert_array_equal(jax.grad(first_spike_time)(jnp.zeros(8)), -np.arange(8.0, 0, -1))


# Populations.


def test_activities_are_gaussian_densities_over_their_peak():
    x = np.linspace(-2, 4, 50)
    for width, sigma in ((None, 6 / 8), (0.4, 0.4)):
        activity = Population(9, -2.0, 4.0, width)(jnp.asarray(x, jnp.float32))
        naive = norm.pdf(x[:, None], np.linspace(-2, 4, 9), sigma) / norm.pdf(0, 0, sigma)
        np.testing.assert_allclose(activity, naive, rtol=1e-4, atol=1e-7)


def test_the_centre_of_mass_is_the_value_away_from_the_ends():
    population, x = Population(21, 0.0, 1.0), jnp.linspace(0.25, 0.75, 101)
    np.testing.assert_allclose(population.decode(population(x)), x, atol=2e-5)
    assert population.decode(population(jnp.asarray(0.0))) > 0.02  # drawn inwards, as the docstring says
    np.testing.assert_array_equal(population.decode(jnp.zeros((3, 21))), 0.5)


def test_the_most_likely_value_is_the_value_up_to_the_ends():
    population, x = Population(7, -1.0, 1.0), jnp.linspace(-1.0, 1.0, 333)
    error = np.abs(population.most_likely(population(x), points=201) - x)
    assert error.max() <= 0.005 + 1e-5


@pytest.mark.slow
def test_spikes_of_a_population_decode_with_the_spread_of_fisher_information():
    # A Poisson count of mean T a_i(x) carries the information T sum a_i'(x)^2 / a_i(x); 1000 draws of T = 400 steps.
    population, x, steps, draws = Population(9, 0.0, 1.0), 0.43, 400, 1000
    counts = jr.poisson(jr.key(6), steps * population(jnp.asarray(x)), (draws, 9)).astype(jnp.float32)
    decoded = np.asarray(population.most_likely(counts / steps, points=4001), float)
    distance = (x - np.linspace(0, 1, 9)) / (1 / 8)
    information = steps * np.sum(np.exp(-(distance**2) / 2) * (distance * 8) ** 2)
    std = 1 / np.sqrt(information)
    assert_mean(decoded, x, std)
    assert abs(decoded.std() / std - 1) < STANDARD_ERRORS / np.sqrt(2 * draws)


@pytest.mark.slow
def test_a_population_composes_with_rates_and_latencies():
    population, x = Population(5, 0.0, 1.0), jnp.asarray([0.5, 0.25])
    spikes = Rate(2000)(population(x), key=jr.key(7))
    assert spikes.shape == (2000, 2, 5)
    np.testing.assert_allclose(population.most_likely(Rate(2000).decode(spikes)), x, atol=0.02)
    np.testing.assert_array_equal(LinearLatency(9)(population(x))[0].argmax(-1), [2, 1])  # the nearest centre is first


# Traces.


def test_a_trace_is_the_sum_of_the_kernels_of_its_spikes():
    spikes = (np.random.default_rng(4).random((60, 3)) < 0.2).astype(float)
    naive = np.zeros((60, 3))
    for n, unit in np.argwhere(spikes):
        naive[n:, unit] += np.exp(-np.arange(60 - n) * DT / 7e-3)
    np.testing.assert_allclose(
        exponential_trace(jnp.asarray(spikes, jnp.float32), 7e-3, DT), naive, rtol=1e-5, atol=1e-7
    )
    gradient = jax.grad(lambda s: jnp.sum(exponential_trace(s, 7e-3, DT)))(jnp.zeros(60))
    np.testing.assert_allclose(gradient, [sum(np.exp(-np.arange(60 - n) * DT / 7e-3)) for n in range(60)], rtol=1e-5)


# All of them.


@pytest.mark.parametrize(
    "encode",
    [
        lambda x, key: Rate(6)(x, key=key),
        lambda x, key: Poisson(6, 1.0)(x, key=key),
        lambda x, key: Poisson(6, 1.0, counts=True)(x, key=key),
        lambda x, key: LinearLatency(6)(x),
        lambda x, key: ChargingLatency(6, 2e-3, DT, 0.3)(x),
        lambda x, key: Population(4, 0.0, 1.0)(x),
    ],
    ids=["rate", "poisson", "counts", "linear", "charging", "population"],
)
def test_a_compiled_batch_is_its_members_one_by_one(encode):
    xs, keys = jr.uniform(jr.key(11), (3, 4, 3)), jr.split(jr.key(12), 3)
    batch, alone = jax.jit(jax.vmap(encode))(xs, keys), jax.jit(encode)
    for x, key, found in zip(xs, keys, batch, strict=True):
        np.testing.assert_allclose(found, alone(x, key), rtol=1e-5)
    assert batch.dtype == xs.dtype and np.any(batch)


KEY, HALF = jr.key(0), jnp.asarray([0.5])


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: Rate(0), "`steps` must be a whole number of at least 1, or None. Got steps=0"),
        (lambda: Rate(5)(2 * HALF + 0.5, key=KEY), "`values` must be finite and in [0, 1]. Got 1 of 1"),
        (lambda: Rate(5)(HALF * jnp.nan, key=KEY), "such as nan. Scale them first; for rates in Hz use `Poisson`"),
        (lambda: Poisson(5, 0.0), "`dt` must be positive and finite, in seconds. Got dt=0.0"),
        (lambda: Poisson(5, DT)(-HALF, key=KEY), "`rates` must be finite and in [0, 1000]. Got 1 of 1"),
        (lambda: Poisson(5, 1.0)(100 * HALF, key=KEY), "such as 50.0. They are in Hz, with `dt` in seconds"),
        (lambda: Poisson(5, DT, counts=True)(-HALF, key=KEY), "`rates` must be finite and in [0, inf]"),
        (lambda: LinearLatency(1), "`steps` must be a whole number of at least 2"),
        (lambda: LinearLatency(5, 1.0), "`threshold` must be in [0, 1), as the values are. Got threshold=1.0"),
        (lambda: LinearLatency(5)(-HALF), "`values` must be finite and in [0, 1]"),
        (lambda: LinearLatency(5).decode(jnp.zeros((4, 2))), "`spikes` must have the 5 steps of the encoder"),
        (lambda: ChargingLatency(5, 20.0, 0.0, 0.5), "`dt` must be positive"),
        (lambda: ChargingLatency(5, 0.02, 1.0, 0.5), "Got dt=1.0 and tau=0.02. Milliseconds? Multiply by 1e-3"),
        (lambda: ChargingLatency(5, 0.02, DT, 0.0), "`threshold` must be positive and finite"),
        (lambda: ChargingLatency(5, 0.02, DT, 0.5)(-HALF), "`values` must be finite and in [0, inf]"),
        (lambda: Population(1, 0.0, 1.0), "`neurons` must be a whole number of at least 2"),
        (lambda: Population(4, 1.0, 1.0), "`low` and `high` must be finite, with low < high. Got 1.0 and 1.0"),
        (lambda: Population(4, 0.0, 1.0, -1.0), "`width` must be positive"),
        (lambda: Population(4, 0.0, 1.0)(4 * HALF), "`values` must be finite and in [0, 1]. Got 1 of 1"),
        (lambda: exponential_trace(jnp.zeros(3), 0.02, 1.0), "`dt` must be no longer than `tau`"),
    ],
)
def test_what_cannot_be_encoded_is_refused(make, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()


def test_a_random_encoder_without_a_key_is_an_error():
    for encoder in (Rate(5), Poisson(5, DT)):
        with pytest.raises(TypeError, match="key"):
            encoder(HALF)  # pyright: ignore[reportCallIssue]
