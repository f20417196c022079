"""Initial weights make membranes fluctuate as stated, and neurons fire as often as asked."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from helpers import slow
from memsim.nn import (
    ALIF,
    IF,
    LI,
    LIF,
    Conv2d,
    CuBaLIF,
    Delay,
    DelayedLinear,
    Firing,
    Flatten,
    Linear,
    Recurrent,
    SpikingNetwork,
    SumPool2d,
    fluctuation_driven,
    scaled_to_rate,
)
from memsim.nn._initialise import kernel_sums

KEY = jr.key(1)
FREE = Firing(reset="none")
NEURONS = {
    "lif": lambda n, **s: LIF(n, tau_mem=10e-3, **s),
    "lif with a gain": lambda n, **s: LIF(n, tau_mem=10e-3, gain="leak", resistance=2.0, threshold=0.5, **s),
    "euler": lambda n, **s: LIF(n, tau_mem=10e-3, decay="euler", gain="euler", v_rest=-0.2, **s),
    "cuba": lambda n, **s: CuBaLIF(n, tau_mem=10e-3, tau_syn=4e-3, w_in=0.7, **s),
    "cuba of one time constant": lambda n, **s: CuBaLIF(n, tau_mem=8e-3, tau_syn=8e-3, gain_syn="leak", **s),
}


def spikes(key, *shape, rate=0.1):
    return (jr.uniform(key, shape) < rate).astype(jnp.float32)


@pytest.mark.parametrize("name", NEURONS)
def test_sums_of_the_kernel_are_those_of_the_response_to_one_input(name):
    with jax.enable_x64(True):
        free = NEURONS[name](1, firing=FREE)
        impulse = jnp.zeros((400, 1)).at[0].set(1.0)
        rest, response = (
            np.asarray(SpikingNetwork([free])(x, record="membranes")[1]["membranes"][".layers[0]"])
            for x in (0 * impulse, impulse)
        )
        kernel = response - rest
        total, squares = kernel_sums("here", NEURONS[name](1))  # the reset does not matter
        np.testing.assert_allclose(total, kernel.sum(), rtol=1e-9)
        np.testing.assert_allclose(squares, (kernel**2).sum(), rtol=1e-9)


def membranes(model, xs):
    """Membranes after 100 steps, at least 5 time constants: (sequences, neurons)."""
    run = eqx.filter_jit(lambda model, xs: jax.vmap(lambda x: model(x, record="membranes")[1]["membranes"])(xs))
    (found,) = run(model, xs).values()
    return np.asarray(found, np.float64)[:, -1]


@pytest.mark.parametrize("name", [slow("lif"), slow("euler"), "cuba"])
@pytest.mark.parametrize("mean", [slow(0.0), 0.3])
def test_membranes_fluctuate_as_stated_without_reset(name, mean):
    # 400 sequences of 200 inputs to 400 neurons. Relative standard error of the variance: that of the weights' squares,
    # sqrt(2 / 200 / 400), and of the 400 sequences over some 130 independent directions, sqrt(2 / 400 / 130): 0.8 %.
    neuron = NEURONS[name](400, firing=FREE)
    model = SpikingNetwork([Linear(200, 400, key=KEY), neuron])
    model = fluctuation_driven(model, rate=0.1, xi=2.0, mean=mean, key=jr.key(3))
    u = membranes(model, spikes(jr.key(4), 400, 100, 200))
    rest = neuron.v_rest
    std = (neuron.threshold - rest) * (1 - mean) / 2.0
    assert abs(np.mean(u.var(axis=0)) / std**2 - 1) < 4 * 0.008
    # The mean over neurons varies with the weights (variance over sqrt(400) neurons) and with common inputs.
    total, squares = (np.asarray(s, np.float64) for s in kernel_sums("", neuron))
    quenched = std * np.sqrt(0.1 * total**2 / (0.9 * squares))  # from neuron to neuron, by the mean of the inputs
    assert abs(u.mean() - rest - mean * (neuron.threshold - rest)) < 4 * (quenched / 20 + std / 20)


def test_variance_is_shared_between_the_layer_before_and_recurrence():
    recurrent = Recurrent(LIF(300), Linear(300, 300, key=KEY))
    model = SpikingNetwork([Linear(100, 300, key=KEY), recurrent, Linear(300, 5, key=KEY), LI(5)])
    model = fluctuation_driven(model, rate=0.1, hidden_rate=0.05, xi=2.0, alpha=0.8, key=KEY)
    _, squares = kernel_sums("", LIF(1))
    for layer, inputs, rate, share in (
        (model.layers[0], 100, 0.1, 0.8),
        (model.layers[1].synapse, 300, 0.05, 0.2),
    ):
        expected = share * 0.25 / (inputs * rate * (1 - rate) * squares)  # a variance; xi = 2 makes it a quarter
        w = np.asarray(layer.weight)
        assert abs(w.var() / expected - 1) < 4 * (2 / w.size) ** 0.5
        assert abs(w.mean()) < 4 * (expected / w.size) ** 0.5
        assert not np.any(layer.bias)
    assert np.asarray(model.layers[2].weight).std() > 0


def test_a_layer_of_different_neurons_gets_rows_of_different_weights():
    tau = jnp.asarray([5e-3, 50e-3])
    model = SpikingNetwork([Linear(4000, 2, key=KEY), LIF(2, tau_mem=tau)])
    w = np.asarray(fluctuation_driven(model, rate=0.1, key=KEY).layers[0].weight)
    decay = np.exp(-1e-3 / np.asarray(tau))
    np.testing.assert_allclose(w[0].std() / w[1].std(), np.sqrt((1 - decay[0] ** 2) / (1 - decay[1] ** 2)), rtol=0.08)


def test_convolutions_and_delays_count_the_inputs_of_one_output():
    conv = Conv2d(4, 100, 5, groups=2, key=KEY)
    model = SpikingNetwork(
        [conv, LIF((100, 4, 4)), Flatten(), DelayedLinear(1600, 50, 3, key=KEY), Delay(50, 1), LIF(50)]
    )
    model = fluctuation_driven(model, rate=0.2, hidden_rate=0.1, variance=0.5, xi=1.0, key=KEY)
    _, squares = kernel_sums("", LIF(1))
    for layer, inputs, variance in ((model.layers[0], 50, 0.5), (model.layers[3], 1600, 0.09)):
        w = np.asarray(layer.weight)
        assert abs(w.var() * inputs * variance * squares - 1) < 4 * (2 / w.size) ** 0.5


@pytest.mark.parametrize(
    "layers, settings, says",
    [
        ([LIF(4)], {"rate": 50.0}, "`rate` must be in (0, 1) spikes a step"),
        ([LIF(4)], {"rate": 0.1, "xi": 0.0}, "`xi` must be positive"),
        ([LIF(4)], {"rate": 0.1, "alpha": 90.0}, "Percent? Divide by 100."),
        ([LIF(4)], {"rate": 0.1, "mean": 0.9, "xi": 10.0}, "`mean` must be reachable"),
        ([LIF(4)], {"rate": 0.1, "variance": 0.0}, "`variance` of the inputs"),
        ([ALIF(4)], {"rate": 0.1}, "must be leaky"),
        ([IF(4)], {"rate": 0.1}, "must be leaky"),
        ([eqx.nn.LayerNorm((4,)), LIF(4)], {"rate": 0.1}, "Got Stateless. Use `scaled_to_rate`"),
    ],
)
def test_what_has_no_closed_form_is_refused(unchecked, layers, settings, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        fluctuation_driven(SpikingNetwork([Linear(3, 4, key=KEY), *layers]), key=KEY, **settings)


# By measurement.


def rates(model, xs):
    record = jax.vmap(lambda x: model(x, record="spikes")[1]["spikes"])(xs)
    return {path: float(jnp.mean(s)) for path, s in record.items()}


@pytest.mark.parametrize("rate", [slow(0.02), 0.2])
def test_every_layer_fires_at_the_rate_that_was_asked_for(rate):
    k = jr.split(KEY, 4)
    model = SpikingNetwork(
        [
            Linear(20, 40, gain=0.1, key=k[0]),
            LIF(40),
            Linear(40, 40, gain=30.0, key=k[1]),
            Recurrent(LIF(40), Linear(40, 40, gain=0.2, key=k[2])),
            Linear(40, 30, key=k[3]),
            ALIF(30),
            LI(30),
        ]
    )
    xs = spikes(jr.key(4), 6, 60, 20)
    found = rates(scaled_to_rate(model, xs, rate=rate), xs)
    assert list(found) == [".layers[1]", ".layers[3].neuron", ".layers[5]"]
    for path, measured in found.items():
        np.testing.assert_allclose(measured, rate, rtol=0.02, err_msg=path)


@pytest.mark.slow
def test_only_the_scale_of_a_layer_changes():
    model = SpikingNetwork([Conv2d(1, 3, 3, key=KEY), SumPool2d(2), LIF((3, 2, 2))])
    model = eqx.tree_at(lambda m: m.layers[0].bias, model, jnp.asarray([0.1, -0.2, 0.3]))
    xs = spikes(KEY, 4, 50, 1, 6, 6, rate=0.3)
    scaled = scaled_to_rate(model, xs, rate=0.1, tolerance=0.1)
    factor = np.asarray(scaled.layers[0].weight / model.layers[0].weight)
    np.testing.assert_allclose(factor, factor[0, 0], rtol=1e-5)
    np.testing.assert_allclose(scaled.layers[0].bias, factor[0, 0] * model.layers[0].bias, rtol=1e-5)
    np.testing.assert_allclose(list(rates(scaled, xs).values()), 0.1, rtol=0.1)


@pytest.mark.parametrize(
    "model, rate, says",
    [
        (
            lambda: SpikingNetwork([Linear(3, 4, key=KEY), LIF(4)]),
            0.1,
            "`rate` must be one that the neurons at .layers[1]",
        ),
        (lambda: SpikingNetwork([Linear(3, 4, key=KEY), LIF(4)]), -1.0, "`rate` must be positive"),
        (lambda: SpikingNetwork([Linear(3, 4, key=KEY), LI(4)]), 0.1, "spiking neurons behind a synapse"),
        (lambda: ms.nn.Graph({"a": Linear(3, 4, key=KEY)}, [("input", "a"), ("a", "output")]), 0.1, "SpikingNetwork"),
    ],
)
def test_a_rate_that_cannot_be_reached_is_refused(unchecked, model, rate, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        scaled_to_rate(model(), jnp.zeros((2, 10, 3)), rate=rate)
