"""Pulsed devices keep the promises they share, and without noise follow their closed forms."""

import dataclasses
import functools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
from device_models.pulsed._neurosim import curvature
from helpers import quick_and_slow, slow

PLAIN = dm.pulsed.Steps(0.02)
RULES = {  # rules that no published device in PULSED uses
    "soft_bounds": functools.partial(dm.pulsed.SoftBounds, PLAIN),
    "pow_step": functools.partial(dm.pulsed.PowStep, PLAIN, dm.pulsed.Bounds(-0.5, 1.0), 1.5, 0.7),
    "piecewise_step": functools.partial(
        dm.pulsed.PiecewiseStep, PLAIN, dm.pulsed.Bounds(), (1.0, 1.5, 0.2), (0.1, 0.8, 1.0)
    ),
}
MAKERS = {name: entry.make for name, entry in dm.pulsed.PULSED.items()} | RULES
QUICK = (*RULES, "reram_es_gong2018", "pcm_onesided_nandakumar2020")
every_device = pytest.mark.parametrize("name", quick_and_slow(QUICK, MAKERS))
UP_THEN_DOWN = jnp.repeat(jnp.array([1, -1]), 40)


@eqx.filter_jit
def staircase(device, weights, key, directions=UP_THEN_DOWN):
    """The array, and what is read after each pulse."""
    fabricate_key, pulse_key = jr.split(key)
    return dm.pulsed.PulsedArray.fabricate(device, weights, key=fabricate_key).staircase(directions, key=pulse_key)


def quiet(device):
    """The nominal device: no spread, no noise."""
    steps = dm.pulsed.Steps(device.steps.dw_min, device.steps.up_down)
    nominal = dataclasses.replace(device, steps=steps, bounds=dm.pulsed.Bounds(device.w_min, device.w_max))
    spreads = ("gamma_dtod", "reference_std")
    return dataclasses.replace(nominal, **{name: 0.0 for name in spreads if hasattr(device, name)})


def test_no_rule_is_missing_from_the_table():
    rules = {type(make()) for make in MAKERS.values()}
    assert rules == {
        kind for kind in dm.pulsed.AbstractPulsed.__subclasses__() if kind.__module__.startswith("device_models")
    }


@pytest.mark.parametrize("name", dm.pulsed.PULSED)
def test_a_published_device_tells_the_source_of_every_number_and_uses_each(name):
    device, numbers = dm.pulsed.PULSED[name].make(), dm.pulsed.PULSED[name].numbers
    assert device.sources == tuple(dm.describe(numbers))
    if name.startswith("reram_array"):
        device = dm.pulsed.PULSED[name].make(corrupt=True)
    settings = {float(leaf) for leaf in jax.tree.leaves(device)}
    refresh = {"refresh_above", "refresh_below"}  # of the pair, not of the device
    assert {float(number) for key, number in numbers.items() if key not in refresh} <= settings


@functools.cache
def life(name):
    """An array through a staircase, pulses on one cell and a large update; compiled once for all tests."""
    return eqx.filter_jit(lived)(MAKERS[name](), jr.key(0))


def lived(device, key):
    array, shown = staircase(device, jnp.full((30, 20), 0.1), key)
    keys = jr.split(jr.fold_in(key, 1))
    one = jnp.zeros((30, 20), int).at[2, 3].set(3)
    return {
        "array": array,
        "shown": shown,
        "leapt": array.burst(one, most=3, key=keys[0]),
        "updated": array.update(jnp.linspace(-1, 1, 20), jnp.linspace(1, -1, 30), 50.0, key=keys[1]),
    }


@every_device
def test_weights_stay_within_the_bounds_of_their_device(name):
    for state in ("array", "leapt", "updated"):
        array = life(name)[state]
        assert bool(jnp.all((array.hidden >= array.cells.w_min) & (array.hidden <= array.cells.w_max)))
        assert bool(jnp.isfinite(array.shown).all())


@every_device
def test_pulses_up_raise_the_mean_weight_and_pulses_down_lower_it(name):
    mean = np.asarray(life(name)["shown"].mean((1, 2)))
    assert mean[39] > mean[0] and mean[79] < mean[39]


@every_device
def test_a_cell_without_pulses_does_not_change(name):
    before, after = life(name)["array"], life(name)["leapt"]
    changed = np.asarray((after.hidden != before.hidden) | (after.shown != before.shown))
    assert changed.sum() == 1 and changed[2, 3]


def test_pulses_one_by_one_change_only_their_cells():
    array = dm.pulsed.PulsedArray.fabricate(dm.pulsed.reram_sb_gong2018(), (3, 4), key=jr.key(0))
    counts = jnp.zeros((3, 4), int).at[1, 2].set(-3)
    after = eqx.filter_jit(lambda a: a.pulse(counts, key=jr.key(1)))(array)
    np.testing.assert_array_equal((after.hidden != array.hidden) | (after.shown != array.shown), counts != 0)


@pytest.mark.parametrize("name", ["reram_es_gong2018", slow("reram_array_om_gong2022")])
def test_one_key_makes_one_array_alone_compiled_and_in_a_batch(name):
    device, keys = MAKERS[name](), jr.split(jr.key(0), 2)

    def after(key):
        a, b = jr.split(key)
        array = dm.pulsed.PulsedArray.fabricate(device, jnp.full((4, 3), 0.1), key=a)
        return array.update(jnp.linspace(-1, 1, 3), jnp.linspace(1, -1, 4), 0.5, key=b).shown

    compiled = jax.jit(after)
    np.testing.assert_allclose(jax.jit(jax.vmap(after))(keys)[1], compiled(keys[1]), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(compiled(keys[1]), compiled(keys[1]))
    assert not np.allclose(compiled(keys[0]), compiled(keys[1]), atol=1e-6)


@every_device
def test_both_steps_are_equal_at_the_symmetry_point_or_it_is_a_bound(name):
    device, cells = MAKERS[name](), life(name)["array"].cells

    @jax.jit
    def looked():
        at = device.symmetry_point(cells)
        return at, device.step_up(cells, at), device.step_down(cells, at)

    at, up, down = map(np.asarray, looked())
    equal = np.abs(up - down) <= 1e-3 * (cells.up + cells.down)
    bound = np.isclose(at, cells.w_min, atol=1e-6) | np.isclose(at, cells.w_max, atol=1e-6)
    assert np.all(equal | bound) and np.all((at >= cells.w_min) & (at <= cells.w_max))


@pytest.mark.parametrize("name", [slow("reram_es_gong2018"), "ecram_tang2018", slow("soft_bounds"), "pow_step"])
def test_pulses_up_and_down_in_turn_lead_to_the_symmetry_point(name):
    device = quiet(MAKERS[name]())
    device = dataclasses.replace(device, steps=dm.pulsed.Steps(0.01, device.steps.up_down))
    array, _ = staircase(device, jnp.full((1,), 0.3), jr.key(0), jnp.tile(jnp.array([1, -1]), 1500))
    np.testing.assert_allclose(array.hidden, device.symmetry_point(array.cells), atol=0.01)  # within a step


# Each rule against a closed form or plain numpy.


def noise_free(device, start, pulses):
    """Weights after 0, 1, 2 ... pulses up (or down if negative) from `start`."""
    _, shown = staircase(device, jnp.full((1,), start), jr.key(0), jnp.full(abs(pulses), np.sign(pulses)))
    return np.concatenate([[start], np.asarray(shown)[:, 0]])


def loop(step, start, pulses, low, high):
    w = [start]
    for _ in range(pulses):
        w.append(min(max(w[-1] + step(w[-1]), low), high))
    return w


def test_constant_steps_make_a_straight_line_to_the_bound():
    found = noise_free(dm.pulsed.ConstantStep(dm.pulsed.Steps(0.03)), 0.0, 50)
    np.testing.assert_allclose(found, np.minimum(0.03 * np.arange(51), 1.0), atol=1e-5)


def test_soft_bounds_are_approached_geometrically():
    p = np.arange(201)
    device = dm.pulsed.SoftBounds(dm.pulsed.Steps(0.02), dm.pulsed.Bounds(-0.8, 1.25))
    np.testing.assert_allclose(noise_free(device, 0.0, 200), 1.25 * (1 - (1 - 0.02 / 1.25) ** p), atol=1e-5)
    np.testing.assert_allclose(noise_free(device, 0.0, -200), -0.8 * (1 - (1 - 0.02 / 0.8) ** p), atol=1e-5)


def test_linear_steps_head_for_a_weight_beyond_the_bound():
    # w -> w + s (1 - g w / b): towards b / g by the factor 1 - s g / b a pulse, cut off at b.
    device = dm.pulsed.LinearStep(dm.pulsed.Steps(0.02), dm.pulsed.Bounds(-0.9, 1.1), gamma_up=0.4, gamma_down=0.7)
    p = np.arange(121)
    up, down = 1.1 / 0.4 * (1 - (1 - 0.02 * 0.4 / 1.1) ** p), -0.9 / 0.7 * (1 - (1 - 0.02 * 0.7 / 0.9) ** p)
    np.testing.assert_allclose(noise_free(device, 0.0, 120), np.minimum(up, 1.1), atol=1e-5)
    np.testing.assert_allclose(noise_free(device, 0.0, -120), np.maximum(down, -0.9), atol=1e-5)


@pytest.mark.parametrize("r_min, r_max", [slow(-1.0, 1.0), slow(-0.4, 1.0), (-1.0, 0.3)])
def test_soft_bounds_pmax_follows_its_two_curves(r_min, r_max):
    p_max, alpha = 60, 0.03
    p, reach = np.arange(p_max + 1), (r_max - r_min) / (1 - math.exp(-alpha * p_max))
    device = dm.pulsed.soft_bounds_pmax(p_max, alpha, r_min, r_max)
    rise = reach * (1 - np.exp(-alpha * p))
    np.testing.assert_allclose(noise_free(device, r_min, p_max), r_min + rise, atol=1e-5)
    np.testing.assert_allclose(noise_free(device, r_max, -p_max), r_max - rise, atol=1e-5)


@pytest.mark.parametrize("label", [0.01, 1.0, 2.4, 4.88, 8.0])
def test_a_nonlinearity_label_bends_the_curve_of_neurosim_as_far_as_it_says(label):
    # The definition of the label, on a fine grid.
    k, x = curvature(label), np.linspace(0, 1, 100_001)
    height = np.max(np.expm1(-k * x) / np.expm1(-k) - x)
    assert height == pytest.approx(0.07 * math.sqrt(2) * label, rel=1e-5)


def test_neurosim_goes_up_and_down_along_its_two_curves():
    # g = B (1 - e^(-P / A)) from 0 to 1, and its inverse for the way down; w = 2 g - 1.
    device = quiet(dm.pulsed.neurosim())
    p, k_up, k_down = np.arange(98) / 97, curvature(2.4), -curvature(4.88)
    np.testing.assert_allclose(noise_free(device, -1.0, 97), 2 * np.expm1(-k_up * p) / np.expm1(-k_up) - 1, atol=2e-5)
    p = np.arange(100, -1, -1) / 100
    expected = 2 * np.expm1(-k_down * p) / np.expm1(-k_down) - 1
    np.testing.assert_allclose(noise_free(device, 1.0, -100), expected, atol=2e-5)


def test_exponential_steps_are_those_of_a_loop_in_numpy():
    a_up, a_down, g, a, b, low, high, dw = -1.18445, -0.081404, 5.0, -0.5, -0.5, -1.0, 1.0, 0.01
    device = dm.pulsed.ExpStep(dm.pulsed.Steps(dw, 0.26), dm.pulsed.Bounds(low, high), a_up, a_down, g, g, a, b)
    z = lambda w: 2 * a * w / (high - low) + b  # noqa: E731
    up = loop(lambda w: dw * max(0, 1 - a_up * math.exp(g * z(w))), -0.9, 150, low, high)
    down = loop(lambda w: -0.74 * dw * max(0, 1 - a_down * math.exp(-g * z(w))), 0.9, 150, low, high)
    np.testing.assert_allclose(noise_free(device, -0.9, 150), up, atol=1e-5)
    np.testing.assert_allclose(noise_free(device, 0.9, -150), down, atol=1e-5)


def test_small_exponential_steps_integrate_to_a_logarithm():
    # dw/dp = s (1 + A e^{-k w}) for the one-sided device, k = 2.5: e^{k w} + A = (1 + A) e^{k s p}.
    device = quiet(dm.pulsed.pcm_onesided_nandakumar2020())
    device = dataclasses.replace(device, steps=dm.pulsed.Steps(1e-4))
    p, k, a = np.arange(2001), 2.5, 27.235
    expected = np.log((1 + a) * np.exp(k * 1e-4 * p) - a) / k
    np.testing.assert_allclose(noise_free(device, 0.0, 2000), expected, atol=4e-3)  # first order in the step


def test_power_steps_are_those_of_a_loop_in_numpy():
    low, high = -0.5, 1.0
    device = dm.pulsed.PowStep(dm.pulsed.Steps(0.02), dm.pulsed.Bounds(low, high), 1.5, 0.7)
    up = loop(lambda w: 0.02 * ((high - w) / (high - low)) ** 1.5, low, 100, low, high)
    down = loop(lambda w: -0.02 * ((w - low) / (high - low)) ** 0.7, high, 100, low, high)
    np.testing.assert_allclose(noise_free(device, low, 100), up, atol=1e-5)
    np.testing.assert_allclose(noise_free(device, high, -100), down, atol=1e-5)


def test_piecewise_steps_are_interpolated_between_their_nodes():
    up, down = (1.0, 1.5, 0.2, 0.4), (0.1, 0.8, 1.0)
    device = dm.pulsed.PiecewiseStep(dm.pulsed.Steps(0.02), dm.pulsed.Bounds(-1.0, 2.0), up, down)
    w = np.linspace(-1, 2, 61)
    cells = device.fabricate((61,), key=jr.key(0))
    expected = 0.02 * np.interp(w, np.linspace(-1, 2, 4), up), 0.02 * np.interp(w, np.linspace(-1, 2, 3), down)
    np.testing.assert_allclose(device.step_up(cells, jnp.asarray(w, jnp.float32)), expected[0], atol=1e-7)
    np.testing.assert_allclose(device.step_down(cells, jnp.asarray(w, jnp.float32)), expected[1], atol=1e-7)


def test_imbalance_shrinks_one_direction_and_never_enlarges_the_other():
    # aihwkit's code, not its documentation: up_down = 0.26 makes the step down 0.74 of the step up.
    for up_down, up, down in ((0.26, 1.0, 0.74), (-0.26, 0.74, 1.0), (0.0, 1.0, 1.0)):
        cells = dm.pulsed.ConstantStep(dm.pulsed.Steps(0.01, up_down)).fabricate((1,), key=jr.key(0))
        np.testing.assert_allclose([cells.up[0], cells.down[0]], [0.01 * up, 0.01 * down], rtol=1e-6)


def test_the_reference_is_the_symmetry_point_and_is_subtracted_from_what_is_read():
    # w* = (s_up - s_down) / (s_up / b_max - s_down / b_min), by hand: 0.2 / (1 / 1.25 + 0.8 / 0.75) = 0.10714.
    device = dm.pulsed.SoftBoundsReference(dm.pulsed.Steps(0.01, up_down=0.2), dm.pulsed.Bounds(-0.75, 1.25))
    array = dm.pulsed.PulsedArray.fabricate(device, jnp.zeros((2,)), key=jr.key(0))
    np.testing.assert_allclose(array.cells.reference, 0.2 / (1 / 1.25 + 0.8 / 0.75), rtol=1e-5)
    np.testing.assert_allclose(array.hidden, array.cells.reference, rtol=1e-6)
    np.testing.assert_allclose(array.shown, 0.0, atol=1e-7)
