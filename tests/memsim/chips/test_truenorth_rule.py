"""TrueNorth's neuron is its rule in words, chance has its published moments, and spikes go where they are sent."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from memsim.chips._truenorth._routes import delivered
from memsim.chips._truenorth._rule import Chance, Neurons, drive, random_drive, run, tick

SIZE = 400


def whole(values):
    return jnp.asarray(np.asarray(values), jnp.int32)


def drawn(seed, width):
    """Neurons of all modes near their thresholds and at the ends of `width` bits."""
    rng = np.random.default_rng(seed)
    end = 2 ** (width - 1)
    numbers = {
        "leak": rng.integers(-end // 4, end // 4, SIZE),
        "threshold": rng.integers(0, end, SIZE),
        "floor": rng.integers(-end, 1, SIZE),
        "reset": rng.integers(-end // 2, end // 2, SIZE),
        "mode": rng.integers(0, 3, SIZE),
        "potential": rng.integers(-end, end, SIZE),
    }
    numbers["arriving"] = rng.integers(-end, end, SIZE)
    near = rng.random(SIZE) < 0.3  # at the threshold, or at the floor, exactly
    edge = np.where(rng.random(SIZE) < 0.5, numbers["threshold"], numbers["floor"])
    aimed = edge - numbers["potential"] - numbers["leak"]
    numbers["arriving"] = np.where(near, aimed, numbers["arriving"])
    flags = {name: rng.random(SIZE) < 0.5 for name in ("clamps", "reverses")}
    return {name: values.tolist() for name, values in (numbers | flags).items()}


def wrapped(number, width):
    return number if width is None else (number + 2 ** (width - 1)) % 2**width - 2 ** (width - 1)


def in_words(of, *, at=False, width=None, clip=None, clamps=False, reverses=False):
    """One tick of one neuron, as it is written."""

    def held(number):
        return wrapped(number if clip is None else min(max(number, -clip), clip), width)

    v = of["potential"] + of["arriving"]
    sign = (v > 0) - (v < 0)
    v = held(v + of["leak"] * (sign if reverses and of["reverses"] else 1))
    if v >= of["threshold"]:
        return 1, held({0: of["reset"], 1: v - of["threshold"], 2: v}[of["mode"]])
    if v < of["floor"] or (at and v == of["floor"]):
        if clamps and of["clamps"]:
            return 0, held(of["floor"])
        return 0, held({0: -of["reset"], 1: v - of["floor"], 2: v}[of["mode"]])
    return 0, v


VARIANTS = {
    "ranc": {},
    "ranc at its floor": {"at": True},
    "registers of 9 bits": {"width": 9},
    "published": {"clamps": True, "reverses": True, "clip": 300},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_tick_is_the_rule_in_words(variant):
    how = VARIANTS[variant]
    width = how.get("width")
    given = drawn(1, 9)
    neurons = Neurons(
        weights=jnp.zeros((SIZE, 4), jnp.int32),
        **{name: whole(given[name]) for name in ("leak", "threshold", "floor", "reset", "mode")},
        clamps=jnp.asarray(given["clamps"]) if "clamps" in how else None,
        reverses=jnp.asarray(given["reverses"]) if "reverses" in how else None,
        floor_resets="at" if "at" in how else "below",
        width=width,
        clip=how.get("clip"),
    )
    found = jax.jit(tick)(neurons, whole(given["potential"]), whole(given["arriving"]))
    expected = [in_words({name: values[n] for name, values in given.items()}, **how) for n in range(SIZE)]
    assert found.spikes.astype(int).tolist() == [spike for spike, _ in expected]
    assert found.potential.tolist() == [v for _, v in expected]
    assert 50 < sum(spike for spike, _ in expected) < 350


def test_weights_meet_axons_by_their_types():
    rng = np.random.default_rng(2)
    weights, types = rng.integers(-256, 256, (256, 4)), rng.integers(0, 4, 256)
    crossbar, xs = rng.random((256, 256)) < 0.5, rng.random((20, 256)) < 0.9
    zero = whole(np.zeros(256))
    neurons = Neurons(whole(weights), zero, zero, zero, zero, zero)
    expected = xs.astype(int) @ (crossbar * weights[:, types]).T
    np.testing.assert_array_equal(drive(neurons, jnp.asarray(crossbar), whole(types), jnp.asarray(xs)), expected)


def test_spikes_on_one_axon_in_one_tick_are_one_and_each_waits_its_delay():
    spikes = jnp.zeros((8, 4), bool).at[1, 0].set(True).at[2, 1].set(True).at[2, 2].set(True).at[7, 3].set(True)
    found = delivered(spikes, whole([2, 2, 0, 1]), whole([3, 2, 0, 1]), 3)
    assert np.argwhere(np.asarray(found)).tolist() == [[2, 0], [4, 2]]
    nowhere = delivered(spikes, whole([-1, -1, -1, -1]), whole([0, 0, 0, 0]), 3)
    assert not nowhere.any()


DRAWS = 20_000  # tolerances below are five standard errors of as many draws


def of_chance(chance, **numbers):
    settings = {"leak": 0, "threshold": 2**18, "floor": -(2**18), "reset": 0, "mode": 0} | numbers
    weights = settings.pop("weights", np.zeros((1, 4)))
    return Neurons(whole(weights), **{name: whole([value]) for name, value in settings.items()}, chance=chance)


def chance(synapses=(False,) * 4, leak=False, mask=0):
    return Chance(jnp.array([synapses]), jnp.array([leak]), whole([mask]))


def within(values, mean, deviation):
    assert abs(float(np.mean(np.asarray(values))) - mean) < 5 * deviation / DRAWS**0.5


@pytest.mark.parametrize("weight", [-200, -1, 0, 63, 255])
def test_a_random_synapse_adds_its_sign_as_often_as_its_weight_says(weight):
    neurons = of_chance(chance((False, True, False, False)), weights=[[7, weight, 0, 0]])
    crossbar, types = jnp.ones((1, 3), bool), whole([1, 1, 0])
    keys = jr.split(jr.key(4), DRAWS)
    found = jax.vmap(lambda key: random_drive(neurons, crossbar, types, jnp.ones((3,), bool), key=key))(keys)
    p = 0.0 if weight == 0 else (abs(weight) + 1) / 256
    within(found, 2 * np.sign(weight) * p, (2 * p * (1 - p)) ** 0.5 + 1e-9)
    assert set(np.unique(found).tolist()) <= {0, np.sign(weight), 2 * np.sign(weight)}
    assert drive(neurons, crossbar, types, jnp.ones((3,), bool)).tolist() == [7]


def test_a_random_leak_moves_by_one_as_often_as_it_says():
    neurons = of_chance(chance(leak=True), leak=-63)
    keys = jr.split(jr.key(5), DRAWS)
    found = jax.vmap(lambda key: tick(neurons, whole([100]), whole([0]), key=key).potential)(keys)
    within(found, 99.75, (0.25 * 0.75) ** 0.5)


def test_a_random_threshold_rises_by_the_bits_of_its_mask():
    neurons = of_chance(chance(mask=0b101), threshold=100, mode=1)
    keys = jr.split(jr.key(6), DRAWS)
    found = jax.vmap(lambda key: tick(neurons, whole([101]), whole([0]), key=key))(keys)
    within(found.spikes, 0.5, 0.5)  # thresholds of 100, 101, 104 and 105, each as often
    assert sorted(np.unique(found.potential).tolist()) == [0, 1, 101]  # less 101, less 100, and where none fired


def test_chance_that_is_nowhere_changes_nothing():
    given = drawn(3, 12)
    numbers = {name: whole(given[name]) for name in ("leak", "threshold", "floor", "reset", "mode")}
    none = Chance(jnp.zeros((SIZE, 4), bool), jnp.zeros((SIZE,), bool), whole(np.zeros(SIZE)))
    arriving = whole(np.random.default_rng(0).integers(-300, 300, (30, SIZE)))
    sure, unsure = (Neurons(jnp.zeros((SIZE, 4), jnp.int32), **numbers, chance=each) for each in (None, none))
    start = whole(given["potential"])
    found = run(unsure, arriving, start, keys=jr.split(jr.key(0), 30))
    assert jax.tree.all(jax.tree.map(np.array_equal, run(sure, arriving, start), found))
