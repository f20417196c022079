"""SpiNNaker's neurons are those that its own C code computes, and whole numbers hold what a network needs."""

import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from helpers import slow
from memsim import nn
from memsim.chips._placing._placed import as_network_outputs
from memsim.chips._spinnaker import _quantise
from memsim.chips._spinnaker._ring import RING, Pair, Ring
from memsim.chips._spinnaker._rule import Neurons, State, Synapse, given, run, step
from memsim.chips._spinnaker._target import SpiNNaker1

FILES = sorted((Path(__file__).parents[2] / "data/chips").glob("spinnaker_*.npz"))
TO_VALUE = nn.Firing(reset="zero", at_threshold="fires")


def read(path):
    with np.load(path) as arrays:
        given = dict(arrays)
    return given, json.loads(str(given.pop("meta")))


def kept(number, bits=32):
    return (number + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_decays_are_those_of_the_chips_tools(path):
    _, meta = read(path)
    of_membrane = jnp.exp(jnp.float32(-1 / meta["tau_m"]))
    assert int(_quantise.membrane_decay(of_membrane)) == meta["exp_tc"]
    for kind, name in (("E", "exc"), ("I", "inh")):
        tau = meta[f"tau_syn_{kind}"]
        decay, gain = (int(n) for n in _quantise.synapse_factors(jnp.exp(jnp.float32(-1 / tau))))
        assert abs(decay - meta[f"{name}_decay"]) < 5500  # 5000 by their exponential, 256 by float32
        assert abs(gain - meta[f"{name}_init"]) < 5500 * tau


def python_step(of, membrane, excitation, inhibition, wait, words):
    """The rule in words, with integers that do not end."""

    def product(x, y, shift, half=0):
        return kept((x * y + half) >> shift)

    excitation = kept(excitation + product(words[0], of["gain"][0], 32))
    inhibition = kept(inhibition + product(words[1], of["gain"][1], 32))
    seen = (excitation, inhibition)
    if wait > 0:
        wait -= 1
    else:
        half = 2**14 if of["nearest"] else 0
        target = kept(product(kept(kept(excitation - inhibition) + of["off"]), of["r"], 15, half) + of["rest"])
        membrane = kept(target - product(kept(target - membrane), of["e"], 15, half))
    before, spike = membrane, membrane >= of["theta"]
    if spike:
        membrane, wait = of["reset"], of["ref"]
    after = (product(excitation, of["decay"][0], 32), product(inhibition, of["decay"][1], 32))
    return membrane, *after, wait, before, spike, seen


@pytest.mark.parametrize("nearest", [False, True])
def test_a_step_is_the_rule_in_words_up_to_the_rails(nearest):
    rng = np.random.default_rng(7)
    size = 300

    def words(low=-(2**31)):
        drawn = rng.integers(low, 2**31, size) >> rng.integers(0, 25, size)
        drawn[:4] = (2**31 - 1, max(low, -(2**31)), 0, 1)
        return rng.permutation(drawn)

    factors = rng.integers(0, 2**32, (2, 2, size))
    factors[:, :, 0], factors[:, :, 1] = 0, 2**32 - 1
    e, r, off, rest, reset, theta = words(0) % (2**15 + 1), words(), words(), words(), words(), words()
    ref, wait, membrane, currents, arriving = (
        rng.integers(0, 4, size),
        rng.integers(0, 2, size),
        words(),
        [words(), words()],
        [words(0), words(0)],
    )
    integers = [jnp.asarray(n, jnp.int32) for n in (e, r, rest, reset, theta, off, ref)]
    neurons = Neurons(*integers, Synapse(*(Pair(*jnp.asarray(each, jnp.uint32)) for each in factors)), nearest)
    membrane_in, wait_in, *pairs = (jnp.asarray(n, jnp.int32) for n in (membrane, wait, *currents, *arriving))
    start = State(membrane_in, Pair(*pairs[:2]), wait_in)

    def one(arriving):
        return step(neurons, start, given(neurons, arriving))

    after, seen = jax.tree.map(np.asarray, jax.jit(one)(Pair(*pairs[2:])))
    eager = one(Pair(*pairs[2:]))
    assert jax.tree.all(jax.tree.map(np.array_equal, (after, seen), eager))
    for n in range(size):
        of = {"e": e[n], "r": r[n], "off": off[n], "rest": rest[n], "reset": reset[n], "theta": theta[n], "ref": ref[n]}
        of = {name: int(value) for name, value in of.items()} | {"nearest": nearest}
        of |= {"decay": [int(f) for f in factors[0, :, n]], "gain": [int(f) for f in factors[1, :, n]]}
        numbers = [int(values[n]) for values in (membrane, *currents, wait)]
        expected = python_step(of, *numbers, [int(buffer[n]) for buffer in arriving])
        found = (
            after.membrane[n],
            *(each[n] for each in after.currents),
            after.wait[n],
            seen.membrane[n],
            seen.spikes[n],
        )
        assert tuple(int(value) for value in found) == (*expected[:4], expected[4], int(expected[5]))
        assert tuple(int(current) for current in (each[n] for each in seen.currents)) == expected[6]


def test_buffers_saturate_at_each_addition_and_hear_each_delay():
    rng = np.random.default_rng(1)
    words = rng.integers(-RING, RING + 1, (5, 700))
    words[0] = RING  # far beyond 2^24
    words[1] = -rng.integers(0, 20, 700)
    delays = rng.integers(0, 4, (5, 700))
    xs = rng.random((30, 700)) < 0.3
    ring = Ring(words=jnp.asarray(words, jnp.int32), delays=jnp.asarray(delays, jnp.int32), longest=3, wait=1)
    found, past = ring.sums(jnp.asarray(xs, jnp.int32), ring.initial_state())
    expected = np.zeros((2, 40, 5), np.int64)
    for delay in range(4):
        for sign, part in ((0, np.maximum(words, 0)), (1, np.maximum(-words, 0))):
            expected[sign, delay + 1 : delay + 31] += xs.astype(np.int64) @ np.where(delays == delay, part, 0).T
    np.testing.assert_array_equal(np.stack(found), np.minimum(expected, RING)[:, :30])
    rest, _ = ring.sums(jnp.zeros((4, 700), jnp.int32), past)
    np.testing.assert_array_equal(np.stack(rest), np.minimum(expected, RING)[:, 30:34])


def test_buffers_that_do_not_saturate_may_be_told_by_their_difference():
    rng = np.random.default_rng(3)
    words = jnp.asarray(rng.integers(-200, 200, (5, 600)), jnp.int32)
    delays, xs = (
        jnp.asarray(rng.integers(0, 3, (5, 600)), jnp.int32),
        jnp.asarray(rng.random((20, 600)) < 0.5, jnp.int32),
    )
    apart, once = (Ring(words=words, delays=delays, longest=2, wait=1, apart=apart) for apart in (True, False))
    both = apart.sums(xs, apart.initial_state())[0]
    np.testing.assert_array_equal(once.sums(xs, once.initial_state())[0], both.excitation - both.inhibition)


def neuron(kind, **settings):
    return {"LIF": nn.LIF, "CuBaLIF": nn.CuBaLIF, "IF": nn.IF}[kind](24, firing=TO_VALUE, **settings)


def network(kind, recurrent=False, **settings):
    first, second, third, bias = jr.split(jr.key(3), 4)
    linear = nn.Linear(16, 24, gain=2.0, key=first)
    linear = eqx.tree_at(lambda layer: layer.bias, linear, 0.05 * jr.normal(bias, (24,)))
    middle = neuron(kind, **settings)
    if recurrent:
        middle = nn.Recurrent(middle, nn.Linear(24, 24, key=second))
    return nn.SpikingNetwork((linear, middle, nn.Linear(24, 4, key=third), nn.CuBaLI(4)))


def spikes(steps=100, inputs=16, seed=5, batch=()):
    return jr.bernoulli(jr.key(seed), 0.1, (*batch, steps, inputs)).astype(jnp.float32)


@pytest.mark.parametrize(
    ("kind", "recurrent"), [slow("LIF", False), slow("CuBaLIF", False), ("IF", False), ("LIF", True), ("CuBaLIF", True)]
)
def test_a_deployed_network_gives_what_the_network_gives(kind, recurrent):
    net, x = network(kind, recurrent), spikes()
    expected = net(x)
    found, _ = as_network_outputs(SpiNNaker1().deploy(net), x)
    # Spikes move by a step where a membrane comes within a rounding of its threshold, and the readout with them.
    assert float(jnp.linalg.norm(found - expected)) < 0.05 * float(jnp.linalg.norm(expected))


@pytest.mark.parametrize("recurrent", [slow(False), True])
def test_a_sequence_in_pieces_or_in_a_batch_is_the_same(recurrent):
    placed = SpiNNaker1().deploy(network("CuBaLIF", recurrent))
    xs = spikes(steps=20, batch=(3,)).astype(jnp.int32)
    whole = placed(xs[1])[0]
    batch = eqx.filter_jit(jax.vmap(lambda x: placed(x)[0]))(xs)
    step, state, pieces = eqx.filter_jit(placed.step), placed.initial_state(), []
    for x in xs[1]:
        output, state, _ = step(x, state)
        pieces.append(output)
    for other in (batch[1], jnp.stack(pieces)):
        np.testing.assert_array_equal(other, whole)


@eqx.filter_jit
def run_part(part, xs):
    return part.run(xs, part.initial_state()).stepped


def test_nothing_overflows_whatever_the_spikes():
    part = SpiNNaker1().deploy(network("CuBaLIF")).parts[0]
    for chosen in (1, -1):  # the most excitation, and the most inhibition, of the neuron that has the most
        words = np.asarray(part.synapses.words) * chosen
        strongest = np.argmax(np.maximum(words, 0).sum(axis=1))
        xs = jnp.broadcast_to(jnp.asarray(words[strongest] > 0, jnp.int32), (400, 16))
        membranes = run_part(part, xs).membrane[:, strongest] * chosen
        assert int(membranes.min()) > -(2**26)
        assert int(membranes.max()) < 2**30


def test_a_refractory_membrane_waits_and_its_currents_decay():
    half, one = (jnp.array([n], jnp.uint32) for n in (2**31, 2**32 - 1))
    numbers = [jnp.array([n], jnp.int32) for n in (0, 2**15, 0, -5, 10, 0, 2)]
    neurons = Neurons(*numbers, Synapse(Pair(half, half), Pair(one, one)))
    zero = jnp.zeros((1,), jnp.int32)
    arriving = Pair(jnp.array([[65], [0], [0], [0], [0]], jnp.int32), jnp.zeros((5, 1), jnp.int32))
    _, seen = run(neurons, arriving, State(zero, Pair(zero, zero), zero))
    assert seen.currents.excitation[:, 0].tolist() == [64, 32, 16, 8, 4]
    assert seen.membrane[:, 0].tolist() == [64, -5, -5, 8, 4]
    assert seen.spikes[:, 0].tolist() == [True, False, False, False, False]


def test_a_limit_that_is_broken_is_named():
    long = nn.DelayedLinear(4, 3, 16, key=jr.key(0))
    fit = SpiNNaker1().fits(nn.SpikingNetwork((long, nn.LIF(3, firing=TO_VALUE))))
    assert not fit
    assert "delays of at most 16 steps" in str(fit.problems[0])
    assert SpiNNaker1().fits(network("LIF")).cores == 2
    differing = SpiNNaker1().fits(nn.SpikingNetwork((nn.Linear(4, 3, key=jr.key(0)), nn.LIF(3)))).warnings
    assert [each.came for each in differing] == ["one that fires above its threshold", "subtract"]
