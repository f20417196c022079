"""Read noise that moves from step to step: its variance, its memory in a network, chunks, and what is refused."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from memsim.nn._synapses._synapse import presented

pytestmark = pytest.mark.slow  # minutes together

DT = 1e-3
FLICKER = dm.noise.Flicker(f_low=1.0, f_high=1e3)
PROCESSES = {"flicker": FLICKER, "telegraph": dm.noise.Telegraph(tau_low=1e-4, tau_high=1.0)}
every_process = pytest.mark.parametrize("process", PROCESSES.values(), ids=PROCESSES.keys())
CIRCUITS = {
    "pair": (ms.DifferentialPair(), None),
    "offset": (ms.OffsetColumn(), None),
    "sliced": (ms.BitSliced(ms.DifferentialPair(), bits_per_cell=2, slices=3), ms.ADC(None, 4.0)),
}
CHIPS, STANDARD_ERRORS = 2000, 4


def design(read_noise, **settings):
    return ms.Crossbar(dm.pcm_joshi2020(), reads=ms.Reads(read_noise), compensation=None, tile=(8, 8), **settings)


def reads(crossbar, steps, key):
    """What a layer gives out for a constant input, for CHIPS moments of one chip: (moments, steps, outputs)."""
    layer = ms.nn.Linear(12, 3, use_bias=False, key=jr.key(0))
    x = jnp.broadcast_to(jnp.linspace(0.0, 1.0, 12), (steps, 12))
    chip = crossbar.program(layer.weight, key=jr.key(1))

    @eqx.filter_jit
    def one(key):
        moment, read = jr.split(key)
        read_layer = eqx.tree_at(lambda layer: layer.weight, layer, chip.at(3600.0, key=moment))
        return read_layer.run(x, read_layer.initial_state(), keys=jr.split(read, steps))[0]

    return np.asarray(jax.lax.map(one, jr.split(key, CHIPS), batch_size=500), np.float64)


@pytest.mark.parametrize("mapping, adc", CIRCUITS.values(), ids=CIRCUITS.keys())
def test_variance_of_a_read_is_the_same_in_all_three_settings(mapping, adc):
    variances, errors = [], []
    for read_noise in ("per_read", "per_moment", ms.Correlated(FLICKER, DT)):
        y = reads(design(read_noise, mapping=mapping, adc=adc), 1, jr.key(2))[:, 0]
        fourth = np.mean((y - y.mean(0)) ** 4, axis=0)
        variances.append(y.var(axis=0))
        errors.append(np.sqrt((fourth - y.var(axis=0) ** 2) / CHIPS))
    for variance, error in zip(variances[1:], errors[1:], strict=True):
        assert np.all(np.abs(variance - variances[0]) < STANDARD_ERRORS * np.hypot(error, errors[0]))


@every_process
def test_outputs_of_later_steps_remember_as_the_process_does(process):
    y = reads(design(ms.Correlated(process, DT)), 6, jr.key(3))
    y = y - y.mean(0)
    for later in (1, 5):
        products = y[:, 0] * y[:, later] / y[:, 0].var(axis=0)
        expected = float(process.correlation(jnp.asarray(later * DT)))
        error = products.std(axis=0) / math.sqrt(CHIPS)
        assert np.all(np.abs(products.mean(0) - expected) < STANDARD_ERRORS * error + 0.02)


def test_white_noise_forgets_and_a_slow_trap_stays():
    forgets = reads(design(ms.Correlated(dm.noise.White(), DT)), 2, jr.key(4))
    correlation = [np.corrcoef(forgets[:, 0, j], forgets[:, 1, j])[0, 1] for j in range(3)]
    assert np.max(np.abs(correlation)) < STANDARD_ERRORS / math.sqrt(CHIPS)
    stays = reads(design(ms.Correlated(dm.noise.Telegraph(1e6, 1e7), DT)), 2, jr.key(4))
    np.testing.assert_array_equal(stays[:, 0], stays[:, 1])


def network(chunk=None):
    keys = jr.split(jr.key(0), 4)
    recurrent = ms.nn.Recurrent(ms.nn.LIF(6), ms.nn.Linear(6, 6, key=keys[1]))
    delayed = ms.nn.DelayedLinear(6, 3, delays=jnp.arange(18).reshape(3, 6) % 3, key=keys[2])
    return ms.nn.SpikingNetwork(
        [ms.nn.Linear(5, 6, key=keys[0], gain=4.0), recurrent, delayed, ms.nn.LI(3)], chunk=chunk
    )


def test_a_sequence_in_chunks_and_step_by_step_is_the_sequence_in_one_piece():
    xs = jr.uniform(jr.key(2), (7, 5))

    @eqx.filter_jit
    def run(net):
        return net(xs, key=jr.key(3))

    mixture = dm.noise.Mixture((FLICKER, PROCESSES["telegraph"]), (0.5, 0.5))
    net, chunked = (
        ms.deploy(network(chunk), design(ms.Correlated(mixture, DT)), 1.0, key=jr.key(1)) for chunk in (None, 3)
    )
    whole = run(net)
    np.testing.assert_allclose(run(chunked), whole, rtol=1e-5, atol=1e-6)

    @eqx.filter_jit
    def one(state, t):
        y, state = net.step(xs[t], state, key=jr.fold_in(jr.key(3), t))
        return state, y

    state, ys = net.initial_state(), []
    for t in range(7):
        state, y = one(state, jnp.asarray(t))
        ys.append(y)
    np.testing.assert_allclose(np.stack(ys), whole, rtol=1e-5, atol=1e-6)


def test_training_through_moving_noise_has_gradients_in_every_weight():
    crossbar, xs = design(ms.Correlated(FLICKER, DT)), jr.uniform(jr.key(2), (6, 5))

    @eqx.filter_jit
    @eqx.filter_grad
    def gradient(net):
        return jnp.sum(ms.deploy(net, crossbar, 1.0, key=jr.key(1))(xs, key=jr.key(3)) ** 2)

    for layer in ms.nn.analog_layers(gradient(network())).values():
        assert np.isfinite(layer.weight).all() and np.any(np.asarray(layer.weight) != 0)


class Residual(eqx.Module):
    """A module that a network knows nothing of, with a layer on a crossbar in it."""

    inner: ms.nn.Linear

    def __call__(self, x, *, key=None):
        return x + self.inner(x, key=key)


def test_noise_moves_in_layers_within_other_modules():
    net = ms.nn.SpikingNetwork([Residual(ms.nn.Linear(4, 4, use_bias=False, key=jr.key(0)))])
    net = ms.deploy(net, design(ms.Correlated(dm.noise.White(), DT)), 1.0, key=jr.key(1))
    y = np.asarray(net(jnp.ones((CHIPS, 4)), key=jr.key(2)))
    for j in range(4):
        assert y[:, j].std() > 0
        assert abs(np.corrcoef(y[1:, j], y[:-1, j])[0, 1]) < STANDARD_ERRORS / math.sqrt(CHIPS)


@pytest.mark.parametrize("dac", [ms.DAC(None), ms.PulseWidthDAC(None)], ids=["levels", "durations"])
def test_moving_noise_of_nonlinear_cells_is_that_of_frozen_ones(dac):
    """To first order in noise of a thousandth of the cells."""
    cell = dm.Gaussian(
        g_min=20e-6,
        g_max=110e-6,
        write_noise=dm.curves.Constant(0.0),
        noise=dm.ageing.Steady(dm.curves.Constant(5e-8)),
        iv=dm.iv.Sinh(4.0),
    )
    w, x, spread = jr.normal(jr.key(0), (3, 6)), jnp.linspace(-1.0, 1.0, 6), []
    for read_noise in ("per_moment", ms.Correlated(FLICKER, DT)):
        chip = ms.Crossbar(cell, dac=dac, reads=ms.Reads(read_noise), compensation=None).program(w, key=jr.key(1))
        keys = jr.split(jr.key(2), CHIPS)
        y = jax.jit(lambda keys, chip=chip: jax.lax.map(lambda k: chip.at(0.0, key=k)(x), keys, batch_size=500))(keys)
        spread.append(np.asarray(y).std(0))
    np.testing.assert_allclose(spread[0], spread[1], rtol=STANDARD_ERRORS / math.sqrt(CHIPS))


def test_a_read_outside_a_network_finds_the_noise_of_the_moment():
    chip = design(ms.Correlated(FLICKER, DT)).program(jnp.eye(4), key=jr.key(0))
    matrix = chip.at(1.0, key=jr.key(1))
    x = jnp.ones(4)
    np.testing.assert_array_equal(matrix(x), matrix(x))
    assert np.any(np.asarray(matrix(x)) != np.asarray(chip.at(1.0, key=jr.key(2))(x)))


def test_the_weight_presented_on_average_is_without_the_noise_of_the_moment():
    chip = design(ms.Correlated(FLICKER, DT)).program(jnp.eye(4), key=jr.key(0))
    one, other = (presented(chip.at(1.0, key=jr.key(i))) for i in (1, 2))
    np.testing.assert_array_equal(one, other)
    assert np.any(np.asarray(one) != np.asarray(presented(chip.at(1.0, key=jr.key(1)).now)))


def test_bad_input_is_refused_with_its_remedy():
    with pytest.raises(ValueError, match="positive and at most 1, in seconds"):
        ms.Correlated(FLICKER, 0.0)
    net = ms.deploy(network(), design(ms.Correlated(FLICKER, DT)), 1.0, key=jr.key(1))
    with pytest.raises(ValueError, match="needs `key=`"):
        net(jnp.ones((3, 5)))
    with pytest.raises(ValueError, match="must have time steps: those of a network"):
        ms.nn.with_read_keys(net.layers[0], key=jr.key(0))
    with pytest.raises(ValueError, match="needs `at"):
        design(ms.Correlated(FLICKER, DT)).program(jnp.eye(4), key=jr.key(0)).at(1.0)
