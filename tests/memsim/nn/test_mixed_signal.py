"""Neurons differ from device to device as stated, once for each chip, and are as noisy as stated."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from device_models import Ideal, pcm_joshi2020
from memsim.nn import LI, LIF, Firing, Linear, MixedSignal, NeuronCircuit, NoisyNeuron, Positive, SpikingNetwork

pytestmark = pytest.mark.slow  # minutes together

COUNT, ERRORS = 20_000, 4  # neurons drawn, and standard errors allowed


def network(size=6):
    k = jr.split(jr.key(0), 2)
    return SpikingNetwork([Linear(4, size, key=k[0], gain=2.0), LIF(size), Linear(size, 3, key=k[1]), LI(3)])


@pytest.mark.parametrize("sigma", [0.05, 0.3])
@pytest.mark.parametrize("nominal", [20e-3, jnp.asarray(20e-3)], ids=["constant", "trained"])
def test_a_positive_parameter_has_the_stated_mean_and_spread_and_stays_positive(sigma, nominal):
    circuit = NeuronCircuit({"tau_mem": sigma})
    neuron = circuit.fabricate(LIF(COUNT, tau_mem=nominal), key=jr.key(1))
    relative = np.asarray(neuron.tau_mem.value, np.float64) / 20e-3
    assert np.all(relative > 0)
    assert abs(relative.mean() - 1) < ERRORS * sigma / COUNT**0.5
    # A log-normal's fourth moment widens the error of its standard deviation: kurtosis by its closed form.
    w = 1 + sigma**2
    kurtosis = w**4 + 2 * w**3 + 3 * w**2 - 3
    assert abs(relative.std() / sigma - 1) < ERRORS * ((kurtosis - 1) / (4 * COUNT)) ** 0.5


def test_a_parameter_of_any_sign_deviates_in_proportion():
    neuron = NeuronCircuit({"v_reset": 0.2}).fabricate(LIF(COUNT, v_reset=-0.5), key=jr.key(1))
    v_reset = np.asarray(neuron.v_reset, np.float64)
    assert abs(v_reset.mean() + 0.5) < ERRORS * 0.1 / COUNT**0.5
    assert abs(v_reset.std() / 0.1 - 1) < ERRORS / (2 * COUNT) ** 0.5


def test_a_chip_keeps_its_neurons_for_life_and_another_chip_has_others():
    design = MixedSignal(ms.Crossbar(pcm_joshi2020()), NeuronCircuit({"tau_mem": 0.2, "threshold": 0.1}))
    chip = ms.program(network(), design, key=jr.key(1))
    other = ms.program(network(), design, key=jr.key(2))
    now, later = (ms.at(chip, t, key=jr.key(3)).layers[1] for t in (0.0, 3e7))
    assert eqx.tree_equal(now, later) and eqx.tree_equal(now, chip.layers[1])
    assert np.all(np.asarray(chip.layers[1].threshold.log) != np.asarray(other.layers[1].threshold.log))


def test_parameters_of_one_neuron_deviate_independently():
    neuron = NeuronCircuit({"tau_mem": 0.2, "threshold": 0.2}).fabricate(LIF(COUNT), key=jr.key(1))
    correlation = np.corrcoef(neuron.tau_mem.log, neuron.threshold.log)[0, 1]
    assert abs(correlation) < ERRORS / COUNT**0.5


def test_one_parameter_deviates_alike_whichever_others_do():
    alone, together = (
        NeuronCircuit(spread).fabricate(LIF(5), key=jr.key(1)).threshold.log
        for spread in ({"threshold": 0.2}, {"threshold": 0.2, "tau_mem": 0.1, "resistance": 0.3})
    )
    np.testing.assert_array_equal(alone, together)


def test_designing_the_neurons_leaves_the_synapses_chips_as_they_are():
    crossbar = ms.Crossbar(pcm_joshi2020())
    plain = ms.program(network(), crossbar, key=jr.key(1))
    mixed = ms.program(network(), MixedSignal(crossbar, NeuronCircuit({"tau_mem": 0.2}, noise=0.1)), key=jr.key(1))
    assert eqx.tree_equal(plain.layers[0], mixed.layers[0])
    assert isinstance(mixed.layers[1], NoisyNeuron) and isinstance(plain.layers[1], LIF)


def test_digital_synapses_may_feed_analog_neurons():
    model = ms.program(network(), MixedSignal(neurons=NeuronCircuit({"threshold": 0.1})), key=jr.key(1))
    assert eqx.tree_equal(model.layers[0], network().layers[0])
    assert model.layers[1].threshold.value.shape == (6,)


def test_a_circuit_may_depend_on_the_layer():
    def circuit(path, neuron):
        return NeuronCircuit({"tau_mem": 0.2}) if isinstance(neuron, LIF) else None

    model = ms.program(network(), MixedSignal(neurons=circuit), key=jr.key(1))
    assert isinstance(model.layers[1].tau_mem, Positive) and model.layers[3].tau_mem == 20e-3


def test_membrane_noise_has_the_variance_of_a_leaky_sum_of_its_draws():
    # Stationary variance of v' = a v + n: sigma^2 / (1 - a^2), reached within exp(-2 T / tau).
    noisy = NeuronCircuit(noise=0.1).fabricate(LI(COUNT, tau_mem=5e-3), key=jr.key(0))
    model = SpikingNetwork([noisy])
    v = np.asarray(model(jnp.zeros((60, COUNT)), key=jr.key(1))[-1], np.float64)
    variance = 0.1**2 / (1 - np.exp(-2 * 1e-3 / 5e-3))
    assert abs(v.mean()) < ERRORS * (variance / COUNT) ** 0.5
    assert abs(v.var() / variance - 1) < ERRORS * (2 / COUNT) ** 0.5


def test_noisy_neurons_need_a_key_and_follow_it():
    model = ms.deploy(network(), MixedSignal(ms.Crossbar(Ideal()), NeuronCircuit(noise=0.5)), 0.0, key=jr.key(0))
    xs = jnp.ones((30, 4))
    with pytest.raises(ValueError, match="noisy neuron needs `key=`"):
        model(xs)
    one, same, other = (model(xs, key=jr.key(i)) for i in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.any(one != other)


@pytest.mark.slow
def test_training_and_studies_take_a_mixed_signal_design_where_they_take_a_crossbar():
    data = ms.data.spoken_digits(steps=10)
    small = ms.data.Splits(*(part.take(np.arange(64)) for part in (data.train, data.validation, data.test)))
    k = jr.split(jr.key(0), 4)
    model = SpikingNetwork([Linear(13, 8, key=k[0]), LIF(8), Linear(8, 10, key=k[1]), LI(10)])
    circuit = NeuronCircuit({"tau_mem": 0.1, "threshold": 0.1}, noise=0.01)
    design = MixedSignal(ms.Crossbar(pcm_joshi2020(), adc=ms.ADC(8)), circuit)
    trained = ms.train.fit(model, small, hardware=ms.train.SampledChip(design), epochs=1, key=k[2])
    assert isinstance(trained.layers[1], LIF)  # the clean model comes back
    calibrated = ms.calibrate(trained, jnp.asarray(small.train.inputs), design)
    assert isinstance(calibrated, MixedSignal) and calibrated.neurons is circuit
    study = ms.study.robustness(trained, small.test, calibrated, chips=2, times=[0.0], key=k[3])
    assert np.isfinite(study.accuracy).all()
    assert "tau_mem" in study.attrs["design"] and "full_scale" in study.attrs["design"]
    assert "10.1109/ICECS46596.2019.8964852" in ms.study.device_numbers(design)["device_numbers"]


def test_an_ensemble_of_mixed_signal_chips_is_its_chips_one_by_one():
    design = MixedSignal(ms.Crossbar(pcm_joshi2020(), compensation=None), NeuronCircuit({"threshold": 0.2}))
    model, xs, keys = network(), jr.normal(jr.key(5), (20, 4)), jr.split(jr.key(1), 3)

    def membranes(key):
        chip = ms.deploy(model, design, 0.0, key=key)
        return chip(xs, key=jr.key(2), record="currents")[1]["currents"][".layers[1]"], chip.layers[1].threshold.value

    together = eqx.filter_vmap(membranes)(keys)
    for place, key in enumerate(keys):
        for a, b in zip(together, membranes(key), strict=True):
            np.testing.assert_allclose(a[place], b, rtol=1e-4, atol=1e-5)


def test_gradients_pass_through_deviated_parameters_to_the_nominal_ones():
    with jax.enable_x64(True):
        neuron = LI(5, tau_mem=jnp.asarray(20e-3))
        xs = jr.normal(jr.key(3), (50, 5))

        def loss(log):
            nominal = eqx.tree_at(lambda n: n.tau_mem.log, neuron, log)
            actual = NeuronCircuit({"tau_mem": 0.3}).fabricate(nominal, key=jr.key(1))
            return jnp.sum(actual.run(xs, actual.initial_state())[0] ** 2)

        log, h = neuron.tau_mem.log, 1e-6
        difference = (loss(log + h) - loss(log - h)) / (2 * h)
        np.testing.assert_allclose(jax.grad(loss)(log), difference, rtol=1e-6)


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: NeuronCircuit({"tau_mem": 20.0}), "Percent? Divide by 100"),
        (lambda: NeuronCircuit({"tau_mem": -0.1}), "relative, in [0, 2)"),
        (lambda: NeuronCircuit(noise=float("nan")), "`noise` must be finite and at least 0"),
        (
            lambda: ms.program(network(), MixedSignal(neurons=NeuronCircuit({"tau_memm": 0.1})), key=jr.key(0)),
            "Did you mean tau_mem",
        ),
        (
            lambda: ms.program(network(), MixedSignal(neurons=lambda path, neuron: 3), key=jr.key(0)),
            "must give a NeuronCircuit or None for each layer. Got 3 for .layers[1]",
        ),
        (lambda: MixedSignal(neurons=lambda path: None), "`neurons` must be a design, or a function that takes"),
    ],
)
def test_a_bad_circuit_is_refused(make, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()


def test_a_recurrent_network_is_fabricated_by_path():
    hidden = ms.nn.Recurrent(LIF(4, firing=Firing(reset="zero")), Linear(4, 4, key=jr.key(0)))
    model = ms.program(SpikingNetwork([hidden]), MixedSignal(neurons=NeuronCircuit({"threshold": 0.1})), key=jr.key(1))
    assert list(ms.nn.neurons(model)) == [".layers[0].neuron"]
    assert model.layers[0].neuron.threshold.value.shape == (4,)
