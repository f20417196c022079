"""Events are those of level crossing one by one, and their staircase stays within a threshold of the signal."""

import re

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from helpers import slow
from memsim.encoding import DeltaModulator, EventCamera

N = 100_000  # samples of each random quantity
STANDARD_ERRORS = 4  # tolerance of each moment
DT = 1e-3


def assert_mean(samples, mean, std):
    """The mean over the first axis is `mean`, for samples of standard deviation `std`."""
    error = STANDARD_ERRORS * np.asarray(std) / np.sqrt(len(samples))
    assert np.all(np.abs(np.mean(samples, axis=0, dtype=float) - mean) <= error)


def naive_events(signal, on, off, most=None, hold=0, leak=0.0):
    """Level crossing sample by sample, one event at a time."""
    events, level, wait = np.zeros((len(signal), 2)), signal[0], 0
    for n, x in enumerate(signal):
        level -= leak
        if wait:
            level, wait = x, wait - 1
            continue
        while x - level >= on and events[n, 0] != most:
            level, events[n, 0] = level + on, events[n, 0] + 1
        while level - x >= off and events[n, 1] != most:
            level, events[n, 1] = level - off, events[n, 1] + 1
        wait = hold if events[n].any() else 0
    return events


def walks(steps=300, channels=6, seed=3):
    return np.cumsum(np.random.default_rng(seed).normal(0, 0.13, (steps, channels)), axis=0)


@pytest.mark.parametrize("most, hold", [(None, 0), (1, 0), (2, 0), (1, 1), (1, 7)])
def test_events_are_those_of_level_crossing_one_by_one(most, hold):
    signal = walks()
    with jax.enable_x64(True):
        modulator = DeltaModulator(0.1, most if hold == 0 else None, hold * DT, DT)
        events = np.asarray(modulator(jnp.asarray(signal)))
    for channel in range(6):
        np.testing.assert_array_equal(events[:, channel], naive_events(signal[:, channel], 0.1, 0.1, most, hold))
    assert events.any() and (most is None) == (events.max() > (most or 1))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("scale", [0.05, 1.0, 30.0])
def test_the_staircase_is_always_within_a_threshold_of_the_signal(scale, seed):
    signal = jnp.asarray(scale * walks(seed=seed), jnp.float32)
    modulator = DeltaModulator(0.1)
    staircase = modulator.decode(modulator(signal), signal[0])
    error = np.abs(staircase - signal)
    assert error.max() <= 0.1 + 2e-6 * np.abs(signal).max()
    assert error.max() > 0.05


def test_a_steep_step_is_several_events_or_as_many_steps():
    signal = jnp.asarray([0.0, 1.05, 1.05, 1.05, 1.05, -1.0])
    np.testing.assert_array_equal(DeltaModulator(0.5)(signal), [[0, 0], [2, 0], [0, 0], [0, 0], [0, 0], [0, 4]])
    one = DeltaModulator(0.5, max_events=1)
    np.testing.assert_array_equal(one(signal), [[0, 0], [1, 0], [1, 0], [0, 0], [0, 0], [0, 1]])


def test_a_constant_signal_has_no_events_and_no_gradient():
    assert not DeltaModulator(0.1)(jnp.full((50, 3), 2.7)).any()
    gradient = jax.grad(lambda x: jnp.sum(DeltaModulator(0.1)(x)))(jnp.asarray(walks(), jnp.float32))
    np.testing.assert_array_equal(gradient, 0)


def video(steps=80):
    """A bright bar that moves over a dark ground, intensities in [0.05, 0.9]."""
    places = np.arange(5)[None, None, :] - np.linspace(-2, 6, steps)[:, None, None]
    return np.broadcast_to(0.05 + 0.85 * np.exp(-(places**2)), (steps, 3, 5))


def test_a_camera_sees_the_level_crossings_of_log_intensity():
    frames = video()
    with jax.enable_x64(True):
        camera = EventCamera(DT, on=0.23, off=0.31, dark=0.02, leak_rate=30.0)
        events = np.asarray(camera(jnp.asarray(frames)))
    logs = np.log(frames + 0.02)
    for row, column in np.ndindex(3, 5):
        naive = naive_events(logs[:, row, column], 0.23, 0.31, leak=30.0 * DT * 0.23)
        np.testing.assert_array_equal(events[:, row, column], naive)
    assert np.all(events.sum(0) > 0)


def test_a_camera_with_mismatch_reconstructs_each_pixel_within_its_own_threshold():
    camera, frames = EventCamera(DT).fabricate(3, 5, std=0.04, key=jr.key(8)), jnp.asarray(video(), jnp.float32)
    decoded = camera.decode(camera(frames), frames[0])
    error = np.abs(np.log(decoded + camera.dark) - np.log(frames + camera.dark))
    assert np.all(error <= np.maximum(camera.on, camera.off) + 1e-4)
    assert len(np.unique(camera.on)) == 15


def test_fabricated_thresholds_are_gaussian_and_one_camera_is_one_camera():
    design = EventCamera(DT, on=0.2, off=0.4)
    camera = design.fabricate(400, 250, std=0.03, key=jr.key(9))
    for thresholds, nominal in ((camera.on, 0.2), (camera.off, 0.4)):
        samples = np.asarray(thresholds, float).ravel()
        assert_mean(samples, nominal, 0.03)  # the bound at a tenth is at least 6 sigma away
        assert_mean((samples - nominal) ** 2, 0.03**2, np.sqrt(2) * 0.03**2)
    assert abs(np.corrcoef(np.ravel(camera.on), np.ravel(camera.off))[0, 1]) < STANDARD_ERRORS / np.sqrt(N)
    np.testing.assert_array_equal(camera.on, design.fabricate(400, 250, std=0.03, key=jr.key(9)).on)
    assert np.min(design.fabricate(40, 25, std=1.0, key=jr.key(9)).on) == np.float32(0.02)


def test_a_leaking_pixel_fires_on_events_at_the_leak_rate():
    frames = jnp.full((1001, 2, 2), 0.5)
    events = np.asarray(EventCamera(DT, leak_rate=20.5)(frames)).sum(0)
    np.testing.assert_array_equal(events[..., 0], 20)  # in 1.001 s
    np.testing.assert_array_equal(events[..., 1], 0)


def test_noise_events_have_their_rate_in_both_polarities():
    frames = jnp.full((1000, 10, 10), 0.5)
    events = np.asarray(EventCamera(DT, noise_rate=40.0)(frames, key=jr.key(10))).reshape(N, 2)
    p = 1 - np.exp(-20.0 * DT)
    assert_mean(events, p, np.sqrt(p * (1 - p)))


def test_a_held_pixel_is_blind():
    logs = np.log(video()[:, 0, 2] + 0.01)
    camera = EventCamera(DT, refractory=5 * DT)
    with jax.enable_x64(True):
        events = np.asarray(camera(jnp.asarray(video())))[:, 0, 2]
    np.testing.assert_array_equal(events, naive_events(logs, 0.2, 0.2, most=1, hold=5))
    assert np.diff(np.flatnonzero(events.any(-1))).min() > 5


def test_a_compiled_batch_is_its_members_one_by_one():
    camera, videos, keys = (
        EventCamera(DT, noise_rate=300.0),
        jr.uniform(jr.key(11), (3, 4, 3, 2)),
        jr.split(jr.key(12), 3),
    )
    see = lambda video, key: (camera(video, key=key), DeltaModulator(0.1)(video))  # noqa: E731
    batch, alone = jax.jit(jax.vmap(see))(videos, keys), jax.jit(see)
    for place in range(3):
        one = alone(videos[place], keys[place])
        jax.tree.map(lambda many, one, place=place: np.testing.assert_array_equal(many[place], one), batch, one)
    assert all(events.dtype == videos.dtype and np.any(events) for events in batch)


@pytest.mark.parametrize(
    "make, says",
    [
        (
            lambda: DeltaModulator(0.0),
            "`threshold` must be positive and finite, in the unit of the signal. Got threshold=0.0",
        ),
        (
            lambda: DeltaModulator(0.1, 0),
            "`max_events` must be a whole number of at least 1, or None. Got max_events=0",
        ),
        (lambda: DeltaModulator(0.1, refractory=DT), "`refractory` must come with `dt`, in seconds. Got 0.001"),
        (lambda: DeltaModulator(0.1, refractory=1.5 * DT, dt=DT), "Got 0.0015 with dt=0.001, which is 1.5 steps"),
        (lambda: DeltaModulator(0.1)(jnp.full(3, jnp.inf)), "`signal` must be finite"),
        (lambda: EventCamera(0.0), "`dt` must be positive"),
        (lambda: EventCamera(DT, on=-0.2), "`on` must be positive and finite, a change of log intensity. Got on=-0.2"),
        (lambda: EventCamera(DT, dark=0.0), "`dark` must be positive"),
        (lambda: EventCamera(33.0, noise_rate=0.1), "`noise_rate` must be at least 0, and at most one event a frame"),
        (lambda: EventCamera(DT).fabricate(2, 2, std=-1.0, key=jr.key(0)), "`std` must be finite and at least 0"),
        (lambda: EventCamera(DT)(-jnp.ones((2, 2, 2))), "They are intensities, not their logarithm"),
        (lambda: EventCamera(DT, noise_rate=1.0)(jnp.ones((2, 2, 2))), "Got no key. Pass one"),
    ],
)
def test_what_has_no_events_is_refused(make, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()


@pytest.mark.parametrize("frequency", [slow(5.0), 20.0, slow(80.0)])
def test_a_bandwidth_takes_off_what_a_low_pass_filter_of_first_order_does(frequency):
    """Events count how far the log intensity goes: by 1 / sqrt(1 + (f / f_c)^2) less."""
    dt, cutoff = 1e-4, 20.0
    t = dt * np.arange(8000)  # whole periods, the first half of them to settle
    frames = jnp.asarray(np.exp(2.0 * np.sin(2 * np.pi * frequency * t)), jnp.float32).reshape(-1, 1, 1)
    cameras = (EventCamera(dt, on=0.01, off=0.01, dark=1e-6, bandwidth=each) for each in (cutoff, None))
    slow, fast = (np.asarray(camera(frames))[4000:].sum() for camera in cameras)
    assert slow / fast == pytest.approx(1 / np.hypot(1, frequency / cutoff), rel=0.02)
