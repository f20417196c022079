"""DYNAP-SE2: what its simulator does, and what the chip does otherwise: inhibition that lasts, four base currents."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from helpers import slow
from memsim import nn
from memsim.chips._dynapse2._biases import current, nearest, table
from memsim.chips._dynapse2._quantise import core, rheobase
from memsim.chips._dynapse2._rule import at_rest, soma
from memsim.chips._dynapse2._target import as_currents, deviating
from memsim.chips._network._stages import stages

KEYS = jr.split(jr.key(9), 6)
ZERO = nn.Firing(reset="zero")
SPIKES = (jr.uniform(KEYS[5], (200, 40)) < 0.1).astype(jnp.float32)
DECAYS = np.exp(-1 / 20), np.exp(-1 / 5)  # of a membrane of 20 ms and a synapse of 5 ms, in steps of 1 ms


def network(**settings):
    return nn.SpikingNetwork(
        [
            nn.Linear(40, 30, gain=2.0, use_bias=False, key=KEYS[0]),
            nn.CuBaLIF(30, firing=ZERO, gain="leak", **settings),
            nn.Linear(30, 4, key=KEYS[1]),
            nn.LI(4),
        ]
    )


def one_neuron(weights, mode="chip"):
    firing = nn.Firing(reset="zero", max_spikes=127 if mode == "dynapsim" else 1)
    net = nn.SpikingNetwork([nn.Linear(len(weights), 1, use_bias=False, key=KEYS[0]), nn.CuBaLIF(1, firing=firing)])
    scale = (1 - DECAYS[0]) * (1 - DECAYS[1])  # so that a constant input of one a step holds the membrane at the weight
    return eqx.tree_at(lambda n: n.layers[0].weight, net, scale * jnp.array([weights], jnp.float32))


@pytest.mark.parametrize("mode", ["chip", slow("dynapsim")])
def test_a_neuron_begins_to_fire_where_the_networks_does(mode):
    chip, constant = ms.chips.dynapse2(mode, mismatch=0.0), jnp.ones((1500, 1))
    fired = [int(chip.deploy(one_neuron([drive], mode))(constant)[0].sum()) for drive in (0.97, 1.03, 2.0)]
    assert fired[0] == 0 and 0 < fired[1] < fired[2]
    assert 0.4 < fired[2] / float(one_neuron([2.0], mode)(constant).sum()) < 1.0


def test_the_rheobase_is_where_the_equations_begin_to_fire():
    to = core(stages(one_neuron([1.0]))[0].dynamics())

    @jax.jit
    def spikes(received):
        def one(state, _):
            state, _ = soma(to, state, jnp.full(1, received), 1e-3)
            return state, state.spikes

        return jax.lax.scan(one, at_rest(to, 1), None, length=3000)[1].sum()

    assert spikes(0.99 * rheobase(to)) == 0 and spikes(1.01 * rheobase(to)) > 0


@pytest.mark.slow
def test_inhibition_lasts_on_the_chip_and_only_cancels_in_the_simulator():
    # Excitation in every fourth step; inhibition, twice as strong, two steps after it.
    xs = jnp.zeros((800, 2)).at[::4, 0].set(1.0)
    inhibited = xs.at[2::4, 1].set(1.0)

    def fired(mode, x):
        return int(ms.chips.dynapse2(mode, mismatch=0.0).deploy(one_neuron([12.0, -24.0], mode))(x)[0].sum())

    assert fired("dynapsim", inhibited) == fired("dynapsim", xs) > 5
    assert fired("chip", xs) > 5 and fired("chip", inhibited) == 0


def test_a_weight_is_the_sum_of_the_base_currents_of_its_mask():
    bases = jnp.array([[1.0, 2.0, 4.0, 8.5], [1.0, 2.5, 4.0, 8.0]])
    codes = jnp.array([[0, 5, -15], [1, -2, 8]], jnp.int32)
    np.testing.assert_allclose(as_currents(codes, bases), [[0, 5, -15.5], [1, -2.5, 8]])


@pytest.mark.slow
def test_weights_take_four_bits_and_say_what_that_costs():
    placed = ms.chips.dynapse2(mismatch=0.0).deploy(network())
    part, report = placed.parts[0], placed.quantised[0]
    assert int(jnp.max(jnp.abs(part.codes))) == 15 and len(np.unique(np.abs(part.weight))) <= 16
    assert 0.02 < float(report.error) < 0.15 and 0 < float(report.to_zero) < 0.2
    assert part.cores == 1 and placed.parts[1].cores == 0  # the readout is left to the host


def test_a_whole_recording_is_its_steps_one_by_one_and_a_batch_its_recordings():
    placed = ms.chips.dynapse2().deploy(network(), key=KEYS[2])
    whole, counts = placed(SPIKES)
    assert int(counts.spikes.sum()) > 10 and counts.spikes.shape == (200, 1)
    state, step, steps = placed.initial_state(), eqx.filter_jit(placed.step), []
    for x in SPIKES[:40]:
        y, state, _ = step(x, state)
        steps.append(y)
    np.testing.assert_allclose(whole[:40], np.stack(steps), rtol=1e-4, atol=1e-6)
    both, _ = jax.vmap(placed)(jnp.stack([SPIKES, SPIKES[::-1]]))
    np.testing.assert_allclose(both[0], whole, rtol=1e-4, atol=1e-6)


def test_deviations_have_the_spread_that_is_asked_for():
    # 20 000 neurons: a standard deviation of 10 % is known to 0.5 %, a mean to 0.07 %.
    number, sigma, nominal = 20_000, 0.1, core(stages(one_neuron([1.0]))[0].dynamics())
    made = deviating(nominal, number, sigma, key=KEYS[0])
    for name in ("Itau_mem", "C_mem", "Vth", "Ispkthr"):
        ratio = np.asarray(getattr(made, name) / getattr(nominal, name))
        assert abs(ratio.mean() - 1) < 4 * sigma / np.sqrt(number)
        assert abs(ratio.std() / sigma - 1) < 4 / np.sqrt(2 * number)
    assert np.ptp(made.Ut) == 0 and np.ptp(made.Io) == 0
    assert abs(np.corrcoef(made.Itau_mem, made.C_mem)[0, 1]) < 4 / np.sqrt(number)


def test_the_bias_generator_has_six_ranges_about_eight_apart():
    assert table().shape == (2, 6, 256)
    middle = [current("N", coarse, 128) for coarse in range(6)]
    np.testing.assert_allclose(middle, [35e-12, 0.28e-9, 2.2e-9, 17.7e-9, 141e-9, 1.14e-6], rtol=0.02)
    found = nearest(jnp.array([3e-12, 1e-9, 1e-7]))
    np.testing.assert_allclose(found.current, [3e-12, 1e-9, 1e-7], rtol=0.06)
    for place in range(3):
        again = current("N", int(found.coarse[place]), int(found.fine[place]))
        assert again == pytest.approx(float(found.current[place]))


def test_limits_are_named_with_what_repairs_them():
    chip = ms.chips.dynapse2()
    wide = nn.SpikingNetwork([nn.Linear(65, 1100, use_bias=False, key=KEYS[0]), nn.LIF(1100, firing=ZERO)])
    said = str(chip.fits(wide))
    assert "at most 64 synapses a neuron. Got 65. Prune" in said and "at most 4 cores. Got 5" in said
    biased = nn.SpikingNetwork([nn.Linear(64, 3, key=KEYS[0]), nn.LIF(3, firing=ZERO)])
    assert chip.fits(biased)
    biased = eqx.tree_at(lambda n: n.layers[0].bias, biased, jnp.ones(3))
    assert "at most 63 synapses" in str(chip.fits(biased))  # one is the bias
    assert "one `tau_mem` for all" in str(chip.fits(network(tau_mem=jnp.linspace(0.01, 0.02, 30))))
    assert "`tau_mem` of at most 0.15 s. Got 0.3 s" in str(chip.fits(network(tau_mem=0.3))).replace("0.3000", "0.3")
    early = nn.SpikingNetwork([nn.Linear(3, 4, key=KEYS[0]), nn.LI(4), nn.LIF(4, firing=ZERO)])
    assert "Got LI. Train with `LIF`" in str(chip.fits(early))
    with pytest.raises(ValueError, match="`key` must be given"):
        chip.deploy(network())
