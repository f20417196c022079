"""Xylo's step against a loop over single events, on its rails too, and as batches, whole sequences and single steps."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import memsim as ms
from helpers import slow
from memsim.chips._xylo._golden import layers, network
from memsim.chips._xylo._rule import decay, fire_with_aliases
from memsim.chips._xylo._saturating import add_one_by_one, steps

HIDDEN, INPUTS, OUTPUTS, TIME = 12, 5, 3, 25


def sat(x):
    return max(-32768, min(32767, x))


def wrapped(x):
    return (x + 32768) % 65536 - 32768


def lost(x, dash):
    return 1 if x > 0 and x >> dash == 0 else x >> dash


def delivered(current, counts, weights, shift):
    """One event after the other."""
    for count, weight in zip(counts, weights, strict=True):
        for _ in range(count):
            current = sat(current + wrapped(int(weight) << shift))
    return current


def membrane(v, dash, drive, bias, core):
    if core == "v1":
        return sat(v - lost(v, dash) + drive)
    return sat(v + sat(sat(wrapped(-lost(v, dash)) + drive) + bias))


def by_hand(a, core):
    """Chips_exact 5, event by event and neuron by neuron."""
    shifts = [int(s) for s in a["shift"]]
    biased = core == "v2" and bool(a["has_bias"])
    current, v, spikes = np.zeros((HIDDEN, 2), int), [0] * HIDDEN, [0] * HIDDEN
    current_out, v_out = [0] * OUTPUTS, [0] * OUTPUTS
    found = {name: [] for name in ("spikes", "v", "i", "i2", "out", "v_out", "i_out")}
    for x in a["x"]:
        new, out = [0] * HIDDEN, [0] * OUTPUTS
        for n in range(HIDDEN):
            for s in range(2):
                i = delivered(int(current[n, s]), np.minimum(x, 15), a["w_in"][:, n, s], shifts[0])
                i = delivered(i, spikes, a["w_rec"][:, n, s], shifts[1])
                current[n, s] = i - lost(i, int(a["dash_syn"][n, s]))
            bias = int(a["bias"][n]) if biased else 0
            v[n] = membrane(v[n], int(a["dash_mem"][n]), int(current[n].sum()), bias, core)
            while v[n] >= a["thr"][n] and new[n] < 31:
                v[n], new[n] = v[n] - int(a["thr"][n]), new[n] + 1
            if a["alias"][n] >= 0:
                new[a["alias"][n]] = min(31, new[a["alias"][n]] + new[n])
        for n in range(OUTPUTS):
            i = delivered(current_out[n], spikes, a["w_out"][:, n], shifts[2])
            current_out[n] = i - lost(i, int(a["dash_syn_out"][n]))
            bias = int(a["bias_out"][n]) if biased else 0
            v_out[n] = membrane(v_out[n], int(a["dash_mem_out"][n]), current_out[n], bias, core)
            if v_out[n] >= a["thr_out"][n]:
                v_out[n], out[n] = v_out[n] - int(a["thr_out"][n]), 1
        spikes = new
        now = {"spikes": new, "v": v, "i": current[:, 0], "i2": current[:, 1], "out": out}
        for name, each in (now | {"v_out": v_out, "i_out": current_out}).items():
            found[name].append(np.array(each))
    return {name: np.array(each) for name, each in found.items()}


def drawn(seed, *, rails):
    r = np.random.default_rng(seed)
    weight = (lambda *shape: r.choice([-128, 127], shape)) if rails else (lambda *shape: r.integers(-128, 128, shape))
    of = {"thr": (1, 60) if seed % 3 == 0 else (100, 6000), "dash": (0, 9), "bias": (-60, 60)}
    return {
        "w_in": weight(INPUTS, HIDDEN, 2),
        "w_rec": weight(HIDDEN, HIDDEN, 2) // (1 if rails else 8),
        "w_out": weight(HIDDEN, OUTPUTS),
        "shift": r.integers(*((4, 12) if rails else (0, 4)), 3),
        "thr": r.integers(*of["thr"], HIDDEN),
        "thr_out": r.integers(*of["thr"], OUTPUTS),
        "dash_mem": r.integers(*of["dash"], HIDDEN),
        "dash_syn": r.integers(*of["dash"], (HIDDEN, 2)),
        "dash_mem_out": r.integers(*of["dash"], OUTPUTS),
        "dash_syn_out": r.integers(*of["dash"], OUTPUTS),
        "has_bias": np.asarray(True),
        "bias": r.integers(*of["bias"], HIDDEN),
        "bias_out": r.integers(*of["bias"], OUTPUTS),
        "alias": np.where(r.random(HIDDEN) < 0.5, r.integers(0, HIDDEN, HIDDEN), -1),
        "x": r.integers(0, 24, (TIME, INPUTS)) * (r.random((TIME, INPUTS)) < 0.5),
    }


@pytest.mark.parametrize("core", [slow("v1"), "v2"])
def test_currents_membranes_and_spikes_are_those_of_single_events(core):
    for seed in range(12):
        given = drawn(seed, rails=seed % 2 == 1)
        found, wanted = network(given, {"core": core}), by_hand(given, core)
        for name, each in wanted.items():
            np.testing.assert_array_equal(found[name], each, err_msg=f"{name}, seed {seed}")


def test_a_sum_near_a_rail_is_that_of_single_events():
    r = np.random.default_rng(0)
    for shift in (0, 3, 8, 9, 15):
        current = r.choice([-32768, -32700, 0, 32000, 32767], (3, 7))
        events, weight = r.integers(0, 4, (3, 9)), r.integers(-128, 128, (7, 9))
        arrays = (jnp.asarray(each, jnp.int32) for each in (weight, shift))
        found = add_one_by_one(jnp.asarray(current, jnp.int32), jnp.asarray(events, jnp.int32), steps(*arrays))
        wanted = [[delivered(int(current[b, n]), events[b], weight[n], shift) for n in range(7)] for b in range(3)]
        np.testing.assert_array_equal(found, wanted)


def test_more_currents_than_are_followed_at_once_are_all_followed(monkeypatch):
    monkeypatch.setattr("memsim.chips._xylo._saturating.AT_ONCE", 6)
    r = np.random.default_rng(1)
    current, events = r.choice([32700, 0], (3, 11)), r.integers(0, 3, (3, 9))
    weight = r.integers(-128, 128, (11, 9))
    given = steps(jnp.asarray(weight, jnp.int32), jnp.asarray(4, jnp.int32))
    found = add_one_by_one(jnp.asarray(current, jnp.int32), jnp.asarray(events, jnp.int32), given)
    wanted = [[delivered(int(current[b, n]), events[b], weight[n], 4) for n in range(11)] for b in range(3)]
    np.testing.assert_array_equal(found, wanted)


def test_currents_that_few_sources_reach_are_those_of_a_product():
    r = np.random.default_rng(2)
    weight = jnp.asarray(r.integers(-128, 128, (7, 200)) * (r.random((7, 200)) < 0.02), jnp.int32)
    sparse = steps(weight, jnp.asarray(1, jnp.int32))
    current, events = (jnp.asarray(r.integers(0, 9, (2, 3, n)), jnp.int32) for n in (7, 200))
    assert sparse.few is not None and sparse.few.source.shape[0] < 12
    found = jax.vmap(lambda i, e: add_one_by_one(i, e, sparse))(current, events)
    np.testing.assert_array_equal(found, add_one_by_one(current, events, sparse._replace(few=None)))
    np.testing.assert_array_equal(found, current + 2 * jnp.einsum("bcs,ts->bct", events, weight))


def test_a_batch_is_judged_once_and_computes_no_more_than_a_product_far_from_rails():
    given = steps(jnp.ones((7, 9), jnp.int32), jnp.zeros((), jnp.int32))
    batch = jax.vmap(jax.vmap(lambda i, e: add_one_by_one(i, e, given)))
    made = jax.make_jaxpr(batch)(jnp.zeros((2, 3, 7), jnp.int32), jnp.zeros((2, 3, 9), jnp.int32))
    assert "cond[" in str(made)  # of a batch of conditions, jax would make selections between what it computes both of


@pytest.mark.parametrize("core", ["v1", slow("v2")])
def test_a_batch_of_recordings_and_of_networks_is_each_of_them(core):
    many = [layers(drawn(seed, rails=seed == 5), core)[0] for seed in (4, 5)]
    xs = jnp.asarray(np.stack([drawn(seed, rails=False)["x"] for seed in (4, 5)]), jnp.int32)

    @eqx.filter_jit
    def spikes(layer, x):
        return layer.run(x, layer.initial_state()).stepped.outputs

    alone = np.stack([[spikes(layer, x) for x in xs] for layer in many])
    assert alone.sum() > 100
    batch = [eqx.filter_vmap(spikes, in_axes=(None, 0))(layer, xs) for layer in many]
    np.testing.assert_array_equal(np.stack(batch), alone)
    both = jax.tree.map(lambda *each: jnp.stack(each), *many)
    networks = eqx.filter_vmap(lambda layer: eqx.filter_vmap(spikes, in_axes=(None, 0))(layer, xs))(both)
    np.testing.assert_array_equal(networks, alone)


def test_a_current_decays_as_published_and_comes_to_rest():
    """Xylo's bit-shift decay from 1000 with a dash of 2 and of 4 (spiking.md 11), and its ends."""
    for dash, wanted in ((2, [750, 563, 423, 318, 239, 180]), (4, [938, 880, 825, 774, 726, 681])):
        x, found = jnp.asarray(1000, jnp.int32), []
        for _ in wanted:
            x = x - decay(x, jnp.asarray(dash, jnp.int32))
            found.append(int(x))
        assert found == wanted
    ends = decay(jnp.asarray([3, 1, 0, -1, -3], jnp.int32), jnp.full(5, 4, jnp.int32))
    np.testing.assert_array_equal(ends, [1, 1, 0, -1, -1])


def test_spikes_of_an_alias_take_the_room_of_those_that_come_later():
    v = jnp.asarray([310, 400, 50, 20], jnp.int32)
    alias = jnp.asarray([1, -1, 0, -1], jnp.int32)
    own, spikes = fire_with_aliases(v, jnp.full(4, 10, jnp.int32), alias, most=31)
    np.testing.assert_array_equal(own, [31, 0, 5, 2])  # the second has 31 from the first before its turn
    np.testing.assert_array_equal(spikes, [31, 31, 5, 2])  # what the third gives the first comes too late


def test_cycles_are_those_of_the_vendors_function():
    """Chips_exact 5: 16-63-8 all firing, and 16-1000-8 with a fan-out of about 20."""
    assert ms.chips.xylo_cycles(16, 63, 8, fan_out=0.0) == 9310
    assert ms.chips.xylo_cycles(16, 1000, 8, fan_out=20.202) == pytest.approx(287526)
    assert ms.chips.xylo_clock(9310.0, 10e-3) == pytest.approx(1.2 * 9310 / 10e-3)
