"""Every neuron keeps the promises that all share: shapes, gradients, time, and states."""

import inspect
import re

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from device_models import Ideal
from helpers import EVERY_NEURON, NEURONS, slow
from memsim.nn import ALIF, IF, LI, LIF, AdEx, CuBaLIF, Firing, Izhikevich, Linear, ParallelInTime, Positive, Recurrent
from memsim.nn import ResonateAndFire as RF
from memsim.nn._mixed_signal import deviable
from memsim.nn._neurons._parameters import value

STEPS = 60
every_neuron = pytest.mark.parametrize("name", EVERY_NEURON)
FILTERS = ["LIF_free", "IF_free", "CuBaLIF_free", "ResonateAndFire_free", "LI", "Integrator", "CuBaLI"]


@pytest.fixture
def x64():
    with jax.enable_x64(True):  # so that no spike hangs on the last bit
        yield


def run(neuron, currents):
    return neuron.run(jnp.asarray(currents, jnp.result_type(float)), neuron.initial_state())[0]


def trained(name, shape, seed=0):
    """The neuron with every parameter an array, one a neuron, within 20 % of its nominal value."""
    case, rng = NEURONS[name], np.random.default_rng(seed)
    plain = case(shape)
    sizes = plain.shape
    nominal = {parameter: float(value(getattr(plain, parameter))) for parameter in sorted(deviable(plain))}
    return case(shape, **{p: x * (1 + 0.2 * rng.random(sizes)) + (x == 0) * 0.01 for p, x in nominal.items()})


def loss(neuron, currents):
    """A weighted sum over outputs and membranes, so that every spike and every step counts differently."""
    xs = jnp.asarray(currents, jnp.result_type(float))
    ys, _, found = neuron.run(xs, neuron.initial_state(), record={"membranes"})
    weights = jnp.asarray(np.random.default_rng(1).normal(size=xs.shape), ys.dtype)
    membranes = jnp.clip(found["membranes"][""], -1e3, 1e3)
    return jnp.sum(weights * (ys + 0.01 * membranes))


def test_every_exported_neuron_stands_in_the_table():
    neurons = {x for x in vars(ms.nn).values() if inspect.isclass(x) and issubclass(x, ms.nn.AbstractNeuron)}
    final = {x for x in neurons if not inspect.isabstract(x) and "neuron" not in x.__dataclass_fields__}
    assert final == {case.make for case in NEURONS.values()}


@every_neuron
@pytest.mark.parametrize("shape, dtype", [(4, jnp.float32), ((2, 3), jnp.float64)])
def test_outputs_have_the_shape_and_the_dtype_of_the_inputs(name, shape, dtype):
    with jax.enable_x64(dtype == jnp.float64):
        neuron = NEURONS[name](shape)
        xs = jnp.asarray(NEURONS[name].currents(STEPS, *neuron.shape), dtype)
        before = neuron.initial_state()
        ys, after, found = neuron.run(xs, before, record={"membranes", "spikes", "currents"})
        assert ys.shape == xs.shape and ys.dtype == dtype
        assert jax.tree.map(lambda a: (a.shape, a.dtype), before) == jax.tree.map(lambda a: (a.shape, a.dtype), after)
        assert neuron.output_shape(neuron.shape) == neuron.shape
        assert found["membranes"][""].shape == xs.shape and found["membranes"][""].dtype == dtype
        assert ("spikes" in found) == neuron.spiking
        if neuron.spiking:
            assert 0.01 < float(jnp.mean(ys > 0)) < 0.9
            np.testing.assert_array_equal(ys, np.round(ys))


@every_neuron
def test_an_input_of_another_shape_is_refused(name):
    with pytest.raises(ValueError, match="must take an input of shape"):
        NEURONS[name](4).output_shape((5,))


@every_neuron
def test_a_sequence_is_its_steps_one_by_one_and_in_chunks(x64, name):
    neuron = trained(name, 4)
    xs = jnp.asarray(NEURONS[name].currents(STEPS, 4))
    part = jax.jit(lambda xs, state: neuron.run(xs, state)[:2])
    whole, last = part(xs, neuron.initial_state())
    state, outputs = neuron.initial_state(), []
    step = jax.jit(lambda x, state: neuron(x, state, key=None))
    for x in xs:
        y, state = step(x, state)
        outputs.append(y)
    np.testing.assert_allclose(whole, outputs, rtol=1e-9, atol=1e-12)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12), state, last)
    first, state = part(xs[:30], neuron.initial_state())
    second, _ = part(xs[30:], state)
    np.testing.assert_allclose(whole, jnp.concatenate([first, second]), rtol=1e-9, atol=1e-12)


@every_neuron
def test_a_batch_is_its_sequences_and_a_layer_its_neurons_one_by_one(x64, name):
    neuron, xs = trained(name, (2, 3)), NEURONS[name].currents(STEPS, 7, 2, 3).swapaxes(0, 1)
    together = jax.vmap(lambda x: run(neuron, x))(jnp.asarray(xs))
    np.testing.assert_allclose(together[2], run(neuron, xs[2]), rtol=1e-9, atol=1e-12)
    own = {p: value(getattr(neuron, p)).reshape(6)[4:5] for p in deviable(neuron)}
    alone = run(NEURONS[name](1, **own), xs[2, :, 1, 1:2])
    np.testing.assert_allclose(together[2, :, 1, 1:2], alone, rtol=1e-9, atol=1e-12)


@every_neuron
def test_gradient_is_finite_and_reaches_every_parameter(name):
    neuron, currents = trained(name, 4), NEURONS[name].currents(STEPS, 4)
    gradient = eqx.filter_jit(eqx.filter_grad(loss))(neuron, currents)
    for parameter in deviable(neuron):
        (slope,) = jax.tree.leaves(getattr(gradient, parameter))
        assert np.isfinite(slope).all(), parameter
        assert np.any(slope != 0) or parameter in NEURONS[name].idle, parameter


@every_neuron
def test_a_float_is_a_constant(name):
    assert not jax.tree.leaves(eqx.filter(NEURONS[name](4), eqx.is_inexact_array))


@every_neuron
def test_forward_mode_is_reverse_mode(x64, name):
    arrays, rest = eqx.partition(trained(name, 4), eqx.is_inexact_array)
    xs = jnp.asarray(NEURONS[name].currents(STEPS, 4))
    direction = jax.tree.map(lambda a: 0.1 * jr.normal(jr.key(1), a.shape, a.dtype), (arrays, xs))

    @jax.jit
    def both(arrays, xs, direction):
        f = lambda arrays, xs: loss(eqx.combine(arrays, rest), xs)  # noqa: E731
        gradient = jax.grad(f, (0, 1))(arrays, xs)
        return jax.jvp(f, (arrays, xs), direction)[1], gradient

    forward, gradient = both(arrays, xs, direction)
    reverse = sum(jnp.sum(a * b) for a, b in zip(*map(jax.tree.leaves, (gradient, direction)), strict=True))
    assert forward != 0
    np.testing.assert_allclose(forward, reverse, rtol=1e-8)


@pytest.mark.parametrize("name", [slow("LI"), "CuBaLI", slow("CuBaLI_delay")])
def test_gradient_of_a_readout_is_its_finite_difference(x64, name):
    neuron, currents, h = trained(name, 4), NEURONS[name].currents(STEPS, 4), 1e-6
    gradient = eqx.filter_grad(loss)(neuron, currents)
    for where in (lambda n: n.tau_mem.log, lambda n: n.resistance, lambda n: n.v_rest):
        up, down = (loss(eqx.tree_at(where, neuron, where(neuron).at[1].add(s)), currents) for s in (h, -h))
        np.testing.assert_allclose(where(gradient)[1], (up - down) / (2 * h), rtol=1e-6)


@every_neuron
def test_huge_currents_leave_everything_finite_in_float32(name):
    neuron, sizes = trained(name, 4), np.array([1e3, 1e6, 1e12])[:, None, None]
    currents = sizes * np.random.default_rng(2).choice([-1.0, 0.0, 1.0], (STEPS, 4))
    both = eqx.filter_jit(eqx.filter_vmap(eqx.filter_value_and_grad(loss), in_axes=(None, 0)))
    found, gradient = both(neuron, jnp.asarray(currents, jnp.float32))
    assert np.isfinite(found).all()
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


@every_neuron
def test_what_is_positive_stays_so_after_a_large_gradient_step(name):
    neuron = trained(name, 4)
    found = [p for p in deviable(neuron) if isinstance(getattr(neuron, p), Positive)]
    assert {"tau_mem", "threshold"} & vars(neuron).keys() <= {*found} or name == "AdEx"  # its threshold has any sign
    for sign in (1, -1):
        stepped = jax.tree.map(lambda a, sign=sign: a + 20 * sign if eqx.is_inexact_array(a) else a, neuron)
        assert all(np.all(getattr(stepped, p).value > 0) for p in found)
        assert all(np.isfinite(getattr(stepped, p).value).all() for p in found)


@every_neuron
def test_recurrent_neurons_hear_their_last_output(x64, name):
    neuron, synapse = trained(name, 4), Linear(4, 4, use_bias=False, gain=3.0, key=jr.key(1))
    synapse = eqx.tree_at(lambda s: s.weight, synapse, synapse.weight * NEURONS[name].std)
    xs = jnp.asarray(NEURONS[name].currents(STEPS, 4))
    layer = Recurrent(neuron, synapse)
    found, _, _ = layer.run(xs, layer.initial_state())
    step, state, last, expected = jax.jit(lambda x, s: neuron(x, s)), neuron.initial_state(), np.zeros(4), []
    for x in np.asarray(xs):
        last, state = step(jnp.asarray(x + np.asarray(synapse.weight) @ np.asarray(last)), state)
        expected.append(last)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    assert np.any(np.asarray(found) != np.asarray(run(neuron, xs)))
    one, _ = layer.step(xs[0], layer.initial_state())
    np.testing.assert_allclose(one, found[0], rtol=1e-9, atol=1e-12)


# Over time at once.


@pytest.mark.parametrize("name", FILTERS)
def test_a_neuron_without_reset_is_solved_over_time_as_step_by_step(x64, name):
    neuron = trained(name, (2, 3))
    xs = jnp.asarray(NEURONS[name].currents(STEPS, 2, 3))
    state = neuron.run(xs, neuron.initial_state())[1]  # a state that is not at rest
    ys, last, found = neuron.run(xs, state, record={"membranes"})
    parallel, parallel_last, recorded = ParallelInTime(neuron).run(xs, state, record={"membranes"})
    np.testing.assert_allclose(parallel, ys, rtol=1e-9, atol=1e-12)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12), parallel_last, last)
    np.testing.assert_allclose(recorded["membranes"][".neuron"], found["membranes"][""], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in NEURONS if name not in FILTERS])
def test_a_neuron_that_is_no_filter_is_not_solved_over_time(name):
    with pytest.raises(ValueError, match="neither a reset nor a synaptic delay"):
        ParallelInTime(NEURONS[name](3))


# What is refused.


@pytest.mark.parametrize("make", [LIF, LI, CuBaLIF, ALIF, AdEx, RF])
@pytest.mark.parametrize(
    "settings, says",
    [
        ({"size": 0}, "at least 1 neuron"),
        ({"size": 3, "dt": 0.0}, "`dt` must be positive"),
        ({"size": 3, "tau_mem": -20e-3}, "must be positive and finite, in SI units"),
        ({"size": 3, "tau_mem": float("nan")}, "must be positive and finite, in SI units"),
        ({"size": 3, "tau_mem": np.full(4, 20e-3)}, "must be one value, or one a neuron of shape (3,)"),
        ({"size": 3, "tau_mem": np.array([1e-3, 0.0, 1e-3])}, "must be positive, in SI units"),
    ],
)
def test_bad_settings_are_refused(make, settings, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make(**settings)


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: Firing(reset="hard"), "`reset` must be one of"),
        (lambda: Firing(delay=2), "`delay` must be one of"),
        (lambda: Firing(emit="both"), "`emit` must be one of"),
        (lambda: Firing(max_spikes=0), "`max_spikes` must be at least 1"),
        (lambda: Firing(refractory=-1e-3), "at least 0 seconds"),
        (lambda: Firing(reset="none", refractory=2e-3), 'must be 0 with reset="none". Got 0.002'),
        (lambda: LIF(3, firing=Firing(refractory=1.5e-3)), "which is 1.5 steps"),
        (lambda: LIF(3, decay="linear"), "`decay` must be"),
        (lambda: LIF(3, gain="half"), "`gain` must be"),
        (lambda: LIF(3, tau_mem=0.5e-3, decay="euler"), "no longer than the time constant"),
        (lambda: IF(3, gain="leak"), '`gain` must be "one" or "dt"'),
        (lambda: CuBaLIF(3, synaptic_delay=2), "`synaptic_delay` must be 0 or 1"),
        (lambda: ALIF(3, gain_adapt="euler"), "`gain_adapt` must be"),
        (lambda: AdEx(3, firing=Firing()), "AdEx must fire once a step and be set to a value"),
        (lambda: AdEx(3, tau_adapt=0.1e-3), "no longer than the time constant"),
        (lambda: Izhikevich(3, firing=Firing(reset="none")), "Izhikevich must fire once a step"),
        (lambda: Izhikevich(3, dt=1.0), "Milliseconds? Multiply by 1e-3"),
        (lambda: Izhikevich(3, substeps=0), "`substeps` must be at least 1"),
        (lambda: Izhikevich(3, recovery="late"), '`recovery` must be "new" or "old"'),
        (lambda: RF(3, frequency=600.0), "at most half of 1/dt"),
        (lambda: ms.nn.izhikevich_2003("fast_spikin", 3), "Did you mean fast_spiking"),
    ],
)
def test_an_unknown_setting_is_refused(unchecked, make, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()


@pytest.mark.parametrize("shape", [(4, 5), (5, 4), (4, 4)])
def test_a_recurrent_synapse_must_be_from_all_neurons_to_all(shape):
    with pytest.raises(ValueError, match="A recurrent synapse must"):
        Recurrent(LIF(5), Linear(*shape, key=jr.key(0)))


# Linear layers.


@pytest.mark.parametrize("leading", [(), (7,), (2, 3)])
@pytest.mark.parametrize("use_bias", [True, False])
def test_a_digital_layer_is_a_product_and_a_bias(leading, use_bias):
    layer = Linear(4, 3, use_bias=use_bias, key=jr.key(0))
    if use_bias:
        layer = eqx.tree_at(lambda linear: linear.bias, layer, jnp.asarray([1.0, -2.0, 3.0]))
    x = jr.normal(jr.key(1), (*leading, 4))
    expected = np.einsum("oi,...i->...o", layer.weight, x) + (np.array([1.0, -2.0, 3.0]) if use_bias else 0)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-6)


def test_initial_weights_have_the_stated_spread():
    n = 100_000
    w = np.asarray(Linear(100, n // 100, gain=2.0, key=jr.key(0)).weight)
    assert w.shape == (n // 100, 100)
    assert abs(w.mean()) < 4 * 0.2 / n**0.5  # 4 standard errors; 0.2 is the gain over the root of 100 inputs
    assert abs(w.std() - 0.2) < 4 * 0.2 / (2 * n) ** 0.5


def test_an_input_of_the_wrong_width_is_refused():
    with pytest.raises(ValueError, match="must have 4 entries"):
        Linear(4, 3, key=jr.key(0))(jnp.zeros(5))


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_an_empty_layer_is_refused(shape):
    with pytest.raises(ValueError, match="features` must be a whole number of at least 1"):
        Linear(*shape, key=jr.key(0))


def test_a_layer_on_a_chip_must_be_read_at_a_time():
    layer = ms.program(Linear(4, 3, key=jr.key(0)), ms.Crossbar(Ideal()), key=jr.key(1))
    with pytest.raises(ValueError, match=re.escape("memsim.at")):
        layer(jnp.zeros(4))
    np.testing.assert_array_equal(ms.at(layer, 0.0)(jnp.zeros(4)), layer.bias)
