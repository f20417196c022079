"""Inputs that are whole numbers, truths or lists count as the same floats; what does not fit is refused by name."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from helpers import slow
from memsim import encoding
from memsim.nn import LI, LIF, Linear, SpikingNetwork

pytestmark = pytest.mark.usefixtures("unchecked")  # as users run
KEY = jr.key(0)
IMAGE = np.random.default_rng(0).integers(0, 200, (2, 6, 6))
LAYERS = {
    "Conv1d": (ms.nn.Conv1d(2, 3, 3, key=KEY), IMAGE[:, 0]),
    "Conv2d": (ms.nn.Conv2d(2, 4, 3, groups=2, key=KEY), IMAGE),
    "SumPool1d": (ms.nn.SumPool1d(2), IMAGE[:, 0]),
    "SumPool2d": (ms.nn.SumPool2d(6), IMAGE),
    "AvgPool1d": (ms.nn.AvgPool1d(3), IMAGE[:, 0]),
    "AvgPool2d": (ms.nn.AvgPool2d(6), IMAGE),
    "Flatten": (ms.nn.Flatten(), IMAGE),
    "Linear": (Linear(6, 3, key=KEY), IMAGE[0, 0]),
    "bfloat16": (Linear(6, 3, product="bfloat16", key=KEY), IMAGE[0, 0]),
    "Scale": (ms.nn.Scale(0.5), IMAGE[0]),
    "Threshold": (ms.nn.Threshold(50.0), IMAGE[0]),
    "GRUCell": (lambda x: ms.nn.GRUCell(6, 6, key=KEY)(x, x), IMAGE[0, 0]),
    "LSTMCell": (lambda x: ms.nn.LSTMCell(6, 6, key=KEY)(x, (x, x))[0], IMAGE[0, 0]),
    "of Equinox": (SpikingNetwork([eqx.nn.Conv2d(2, 3, 3, key=KEY)]), IMAGE[None]),
    "Delay": (SpikingNetwork([ms.nn.Delay(6, 2)]), IMAGE[0]),
    "DelayedLinear": (SpikingNetwork([ms.nn.DelayedLinear(6, 3, 2, key=KEY)]), IMAGE[0]),
    "neurons": (SpikingNetwork([LIF(6)]), IMAGE[0]),
    "Recurrent": (SpikingNetwork([ms.nn.Recurrent(LIF(6), Linear(6, 6, key=KEY))]), IMAGE[0]),
    "Graph": (ms.nn.Graph({"a": Linear(6, 3, key=KEY)}, [("input", "a"), ("a", "output")]), IMAGE[0]),
}
ENCODERS = {
    "Rate": lambda x: encoding.Rate(5)(x, key=KEY),
    "Poisson": lambda x: encoding.Poisson(5, 1e-3)(x, key=KEY),
    "LinearLatency": encoding.LinearLatency(5),
    "ChargingLatency": encoding.ChargingLatency(5, 0.02, 1e-3, 0.1),
    "Population": encoding.Population(4, 0.0, 1.0),
    "decode": encoding.Population(2, 0.0, 1.0).decode,
    "DeltaModulator": encoding.DeltaModulator(0.1),
    "first_spike_time": encoding.first_spike_time,
    "exponential_trace": lambda x: encoding.exponential_trace(x, 0.02, 1e-3),
    "EventCamera": lambda x: encoding.EventCamera(1e-3)(x[None, None]),
}


@pytest.mark.parametrize("dtype", [np.uint8, slow(np.int32), bool, slow(jnp.uint8)])
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_takes_whole_numbers_for_the_floats_they_are(name, dtype):
    layer, x = LAYERS[name]
    x = x.astype(dtype) if dtype is not jnp.uint8 else jnp.asarray(x, jnp.uint8)
    expected = layer(jnp.asarray(x, jnp.float32))
    assert expected.dtype == jnp.float32
    np.testing.assert_array_equal(layer(x), expected)


def test_sums_of_bytes_do_not_wrap():
    x = np.full((3, 1, 6, 6), 200, np.uint8)
    assert (SpikingNetwork([ms.nn.SumPool2d(6)])(x) == 7200).all()  # 36 times 200
    assert (SpikingNetwork([ms.nn.AvgPool2d(6)])(x) == 200).all()


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_takes_truths_and_whole_numbers(name):
    x, encode = np.array([0, 1]), ENCODERS[name]
    expected = encode(jnp.asarray(x, jnp.float32))
    for dtype in (int, bool, np.uint8):
        np.testing.assert_array_equal(encode(x.astype(dtype)), expected)


def test_diagnose_takes_events_as_bytes():
    model = SpikingNetwork([ms.nn.Conv2d(2, 3, 3, key=KEY), LIF((3, 4, 4)), ms.nn.Flatten(), Linear(48, 2, key=KEY)])
    xs = np.random.default_rng(0).integers(0, 2, (2, 5, 2, 6, 6), np.uint8)
    assert ms.nn.diagnose(model, xs) == ms.nn.diagnose(model, jnp.asarray(xs, jnp.float32))


def test_an_embedding_in_a_network_still_looks_up_whole_numbers():
    table = eqx.nn.Embedding(5, 4, key=KEY)
    np.testing.assert_array_equal(SpikingNetwork([table])(np.array([0, 3])), table.weight[jnp.array([0, 3])])


NET = SpikingNetwork([Linear(3, 4, key=KEY), LIF(4), Linear(4, 2, key=KEY), LI(2)])
FLAT = SpikingNetwork([Linear(3, 4, key=KEY), LIF(4)])


@pytest.mark.parametrize(
    "run, says",
    [
        (lambda: NET(jnp.ones((8, 20, 3))), "`jax.vmap(network)(xs)`"),
        (lambda: FLAT(np.ones((8, 20, 3), np.uint8)), "`jax.vmap(network)(xs)`"),
        (lambda: NET(jnp.ones((20, 5))), "`xs` must be one sequence (steps, ...) that fits the network. Got shape (20"),
        (lambda: NET(jnp.ones((20, 5))), "Layer 0 (Linear) must take an input of shape (3,). Got (5,)"),
        (lambda: NET(jnp.ones(3)), "`xs` must be one sequence"),
        (lambda: NET(jnp.ones((0, 3))), "at least one step"),
        (lambda: NET(jnp.full((20, 3), jnp.nan)), "`xs` must be an array of finite"),
        (lambda: NET("text"), "`xs` must be"),
        (lambda: NET([[1.0, 2.0, 3.0]]), "`xs` must be"),
        (lambda: NET(jnp.ones((20, 3)), key=0), "`key` must be a key of jax.random"),
        (lambda: Linear(3, 4, key=KEY)(jnp.ones((2, 5))), "The last axis of `x` must have 3 entries"),
        (lambda: Linear(3, 4, key=KEY)(np.array([1.0, np.nan, 2.0])), "`x` must be an array of finite"),
        (lambda: Linear(3, 4, key=KEY)(["a", "b", "c"]), "`x` must be an array"),
        (lambda: ms.nn.SumPool2d(2)(jnp.ones((5, 3, 8, 8))), "must take an input of shape (channels, and 2 spatial"),
        (lambda: ms.nn.GRUCell(3, 4, key=KEY)(jnp.ones((2, 3)), jnp.ones(4)), "`input` must be"),
        (lambda: encoding.Rate(5)(np.array(["a"]), key=KEY), "`values` must be an array of numbers"),
        (lambda: encoding.Rate(5)(HALF, key=3), "`key` must be a key of jax.random"),
        (lambda: Linear(2.5, 3, key=KEY), "`in_features` must be a whole number of at least 1"),
        (lambda: Linear(3, 4, gain=float("nan"), key=KEY), "`gain` must be"),
        (lambda: ms.nn.Conv2d(1, 2, np.array(2.5), key=KEY), "`kernel_size` must be"),
        (lambda: ms.nn.SumPool2d(True), "`kernel_size` must be"),
        (lambda: ms.nn.NeuronCircuit({"tau_mem": np.float32(np.nan)}), "`spread` must be relative"),
        (lambda: ms.nn.NeuronCircuit(noise=jnp.asarray(-1.0)), "`noise` must be"),
        (lambda: ms.nn.MixedSignal({"a": 1}), "`synapses` must be a Crossbar"),
        (lambda: ms.nn.MixedSignal(neurons=ms.nn.NeuronCircuit), "Make one of it: `NeuronCircuit(...)`"),
        (lambda: ms.nn.convert(NET, paths=".layers[0]"), "Write ['.layers[0]']"),
        (lambda: ms.nn.scaled_to_rate(NET, jnp.full((2, 5, 3), jnp.nan), rate=0.1), "`xs` must be a batch of samples"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(run, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        run()


HALF = jnp.asarray([0.5])


@pytest.mark.parametrize("written", [np.int64, np.uint8, np.asarray, jnp.asarray])
def test_sizes_are_judged_by_value_however_they_are_written(written):
    x = jnp.ones((2, 8, 8))
    conv = ms.nn.Conv2d(written(2), written(4), written(3), stride=written(2), padding=written(1), key=KEY)
    np.testing.assert_array_equal(conv(x), ms.nn.Conv2d(2, 4, 3, stride=2, padding=1, key=KEY)(x))
    pooled = eqx.filter_jit(ms.nn.SumPool2d(written(2)))(x)
    np.testing.assert_array_equal(pooled, ms.nn.SumPool2d(2)(x))
    assert SpikingNetwork([LIF(4)], chunk=written(3)).output_shape((4,)) == (4,)
    assert hash(ms.nn.SumPool2d([2, 2]).kernel_size) == hash((2, 2))


# NaN is passed on by what is compiled, where nobody can look.


@pytest.mark.parametrize("name", [name for name in LAYERS if name not in ("Flatten",)])
def test_a_layer_passes_on_nan(name):
    layer, x = LAYERS[name]
    x = jnp.asarray(x, jnp.float32).at[(0,) * x.ndim].set(jnp.nan)
    assert np.isnan(jax.jit(lambda x: layer(x))(x)).any()


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_passes_on_nan(name):
    found = jax.jit(ENCODERS[name])(jnp.asarray([jnp.nan, 1.0]))
    assert np.isnan(found).any()


@pytest.mark.parametrize(
    "decode",
    [
        encoding.LinearLatency(3).decode,
        encoding.ChargingLatency(3, 0.02, 1e-3, 0.1).decode,
        encoding.Rate(3).decode,
        encoding.Poisson(3, 1e-3).decode,
        encoding.Population(3, 0.0, 1.0).most_likely,
    ],
)
def test_decoding_passes_on_nan(decode):
    assert np.isnan(jax.jit(decode)(jnp.asarray([jnp.nan, 0.0, 0.0])))
