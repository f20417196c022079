"""Transformations of `memsim.insitu`: what the network reads is what the arrays show, and how they fit into optax."""

import functools
import io

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import device_models as dm
import memsim as ms
from helpers import slow

KEY = jr.key(0)
DEVICE = dm.pulsed.SoftBounds(dm.pulsed.Steps(0.01, noise=dm.pulsed.MultiplicativeNoise(0.3), write_noise=0.5))
ALGORITHMS = {
    "analog_sgd": ms.insitu.analog_sgd,
    "mixed_precision": ms.insitu.mixed_precision,
    "tiki_taka": ms.insitu.tiki_taka,
    "tiki_taka_v2": ms.insitu.tiki_taka_v2,
    "agad": ms.insitu.agad,
    "eapu": ms.insitu.eapu,
}
PLAIN = (ms.insitu.analog_sgd, ms.insitu.mixed_precision, ms.insitu.eapu)
ALL = ms.insitu.Transfer(columns=None)
every_algorithm = pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)


def model():
    keys = jr.split(KEY)
    return ms.nn.SpikingNetwork(
        [ms.nn.Linear(3, 4, key=keys[0]), ms.nn.LIF(4), ms.nn.Linear(4, 2, key=keys[1]), ms.nn.LI(2)]
    )


def parameters():
    return eqx.filter(model(), eqx.is_inexact_array)


def loss(model, xs):
    return jnp.mean((jax.vmap(model)(xs) - 1.0) ** 2)


def trained(make, steps=4):
    """Parameters, state and losses after some steps on one batch with `make(KEY)`."""
    params, static = eqx.partition(model(), eqx.is_inexact_array)
    xs = 3.0 * jr.normal(jr.key(1), (2, 3, 3))  # (batch, steps, inputs)
    optimizer = make(KEY)

    def step(carry, _):
        params, state = carry
        differentiated = ms.insitu.value_and_outer(lambda params, xs: loss(eqx.combine(params, static), xs))
        value, gradients = differentiated(params, xs)
        updates, state = optimizer.update(gradients, state, params)
        return (optax.apply_updates(params, updates), state), value

    return eqx.filter_jit(lambda: jax.lax.scan(step, (params, optimizer.init(params)), length=steps))()


def weights(params):
    return {path: layer.weight for path, layer in ms.nn.analog_layers(params).items()}


WEIGHT = jnp.array([[0.5, -0.25, 0.1], [-0.4, 0.3, 0.0]])
FACTORS = ms.insitu.OuterProduct(jnp.array([[1.0, -0.5, 0.25]]), jnp.array([[0.5, -1.0]]))


def steps_of(make, *keys, gradient=FACTORS, steps=8):
    """The matrix and the state after some steps of `make(key)` against one gradient, for each of `keys`."""

    @eqx.filter_jit
    def run(key):
        optimizer = make(key)

        def step(carry, _):
            weight, state = carry
            updates, state = optimizer.update(gradient, state, weight)
            return (weight + updates, state), None

        return jax.lax.scan(step, (WEIGHT, optimizer.init(WEIGHT)), length=steps)[0]

    return [run(key) for key in keys]


@pytest.mark.parametrize(
    "algorithm",
    [make if name in ("mixed_precision", "tiki_taka_v2") else slow(make) for name, make in ALGORITHMS.items()],
    ids=ALGORITHMS,
)
def test_one_key_gives_one_history_and_another_key_another(algorithm):
    settings = {} if algorithm in PLAIN else {"transfer": ALL}
    settings |= {"chopper": ms.insitu.Chopper(2)} if algorithm is ms.insitu.agad else {}
    found = steps_of(lambda key: algorithm(DEVICE, 0.1, key=key, **settings), KEY, KEY, jr.key(1))
    (first, state), (again, _), (other, _) = found
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert int(state.count) == 8 and set(state.arrays) == {""}
    # Downhill, by the eight steps that were asked for or on the way to them.
    assert float(jnp.sum((WEIGHT - first) * FACTORS.dense)) > 0.05


@pytest.mark.slow
def test_an_ordinary_gradient_is_taken_too():
    make = functools.partial(ms.insitu.agad, DEVICE, 0.1, transfer=ALL, chopper=ms.insitu.Chopper(2))
    ((found, _),) = steps_of(lambda key: make(key=key), KEY, gradient=FACTORS.dense)
    assert float(jnp.sum((WEIGHT - found) * FACTORS.dense)) > 0.05


def test_the_network_reads_what_the_arrays_show():
    ((weight, state),) = steps_of(lambda key: ms.insitu.tiki_taka(DEVICE, 0.1, fast=ms.insitu.Fast(0.3), key=key), KEY)
    two, scale = state.arrays[""], state.scales[""]
    np.testing.assert_allclose(weight, scale * (0.3 * (two.fast.shown - two.reference) + two.slow.shown), rtol=1e-5)
    (after, state), losses = trained(lambda key: ms.insitu.analog_sgd(DEVICE, 0.5, key=key))
    assert np.isfinite(losses).all()
    for path, weight in weights(after).items():
        shown = state.arrays[f"{path}.weight"].shown
        np.testing.assert_allclose(weight, state.scales[f"{path}.weight"] * shown, rtol=1e-5, atol=1e-6)
        assert not np.array_equal(weight, weights(parameters())[path])


def test_the_largest_initial_weight_stands_at_half_a_unit_or_where_the_scale_puts_it():
    weight = jnp.array([[0.3, -3.0], [0.1, 0.0]])
    state = ms.insitu.analog_sgd(DEVICE, 0.1, key=KEY).init(weight)
    np.testing.assert_allclose(state.scales[""], 6.0)
    np.testing.assert_allclose(state.arrays[""].shown, weight / 6.0, atol=1e-6)
    state = ms.insitu.analog_sgd(DEVICE, 0.1, scale=10.0, key=KEY).init(weight)
    np.testing.assert_allclose(state.arrays[""].shown, weight / 10.0, atol=1e-6)
    np.testing.assert_allclose(ms.insitu.analog_sgd(DEVICE, 0.1, key=KEY).init(jnp.zeros((2, 2))).scales[""], 1.0)


def test_a_weight_beyond_the_bounds_is_clipped_at_the_first_step():
    weight = jnp.array([[3.0, -3.0, 0.5]])
    optimizer = ms.insitu.analog_sgd(dm.pulsed.ConstantStep(dm.pulsed.Steps(0.01)), 0.1, scale=2.0, key=KEY)
    updates, _ = jax.jit(optimizer.update)(jnp.zeros((1, 3)), optimizer.init(weight), weight)
    np.testing.assert_allclose(optax.apply_updates(weight, updates), [[2.0, -2.0, 0.5]])


def test_what_is_no_matrix_follows_the_digital_transformation():
    params = {"matrix": WEIGHT, "bias": jnp.array([1.0, 2.0]), "kernel": jnp.ones((1, 2, 2))}
    gradients = {"matrix": FACTORS, "bias": jnp.array([0.5, -1.0]), "kernel": jnp.ones((1, 2, 2))}
    optimizer = ms.insitu.analog_sgd(DEVICE, 0.1, key=KEY)
    updates, _ = jax.jit(optimizer.update)(gradients, optimizer.init(params), params)
    np.testing.assert_allclose(updates["bias"], [-0.05, 0.1], rtol=1e-6)
    np.testing.assert_allclose(updates["kernel"], jnp.full((1, 2, 2), -0.1), rtol=1e-6)
    optimizer = ms.insitu.analog_sgd(DEVICE, 0.1, digital=optax.set_to_zero(), key=KEY)
    updates, _ = jax.jit(optimizer.update)(gradients, optimizer.init(params), params)
    np.testing.assert_array_equal(updates["bias"], jnp.zeros(2))


def test_a_schedule_sets_the_step():
    def step(count):
        optimizer = ms.insitu.analog_sgd(
            dm.pulsed.ConstantStep(dm.pulsed.Steps(1e-4)),
            lambda n: 0.1 / (1.0 + n.astype(float)),
            scale=1.0,
            trains=ms.insitu.Trains(4000),
            key=KEY,
        )
        state = optimizer.init(jnp.zeros((1, 1)))._replace(count=jnp.asarray(count))
        return jax.jit(optimizer.update)(jnp.ones((1, 1)), state, jnp.zeros((1, 1)))[0]

    # Within two steps of the device: one of rounding, one of the sum.
    np.testing.assert_allclose(step(0), -0.1, atol=2e-4)
    np.testing.assert_allclose(step(3), -0.025, atol=2e-4)


@pytest.mark.slow
def test_each_layer_can_have_its_own_device():
    labels = jax.tree_util.tree_map_with_path(
        lambda path, _: "last" if "layers[2]" in jax.tree_util.keystr(path) else "first", parameters()
    )
    fine = dm.pulsed.ConstantStep(dm.pulsed.Steps(1e-4))
    optimizer = optax.partition(
        {
            "first": ms.insitu.analog_sgd(fine, 0.1, key=jr.key(1)),
            "last": ms.insitu.mixed_precision(DEVICE, 0.1, key=KEY),
        },
        lambda _: labels,
    )
    (after, state), _ = trained(lambda key: optimizer)
    assert set(state.inner_states["last"].inner_state.arrays) == {".layers[2].weight"}
    assert not eqx.tree_equal(after, parameters())


def test_a_leaking_device_leaks_once_a_step():
    leaking = dm.pulsed.ConstantStep(dm.pulsed.Steps(0.01), upkeep=dm.pulsed.Upkeep(leak=dm.pulsed.Leak(10.0)))
    weight, zero = jnp.full((1, 2), 0.5), jnp.zeros((1, 2))
    for algorithm in (ms.insitu.analog_sgd, ms.insitu.mixed_precision, ms.insitu.agad):
        optimizer = algorithm(leaking, 0.1, scale=1.0, key=KEY)
        updates, _ = jax.jit(optimizer.update)(zero, optimizer.init(weight), weight)
        np.testing.assert_allclose(weight + updates, 0.9 * weight, rtol=1e-5)


@pytest.mark.parametrize("name", [slow("analog_sgd"), slow("tiki_taka")])
def test_a_device_that_goes_one_way_stands_twice_for_each_weight(name):
    settings = {"transfer": ALL} if name == "tiki_taka" else {}
    device = dm.pulsed.ConstantStep(dm.pulsed.Steps(0.01), dm.pulsed.Bounds(0.0, 1.0))
    ((found, state),) = steps_of(lambda key: ALGORITHMS[name](device, 0.1, key=key, **settings), KEY, steps=4)
    pair = state.arrays[""] if name == "analog_sgd" else state.arrays[""].slow
    assert isinstance(pair, dm.pulsed.OneSidedPair)
    np.testing.assert_allclose(found, state.scales[""] * (pair.plus.shown - pair.minus.shown), rtol=1e-5, atol=1e-6)
    assert float(jnp.sum((WEIGHT - found) * FACTORS.dense)) > 0.02


@pytest.mark.slow
def test_the_training_loop_takes_a_transformation():
    data = ms.data.spoken_digits(steps=2)
    few = ms.data.Splits(data.train.take(np.arange(8)), data.validation.take(np.arange(4)), data.test)
    net = ms.nn.SpikingNetwork([ms.nn.Linear(13, 10, key=KEY), ms.nn.LI(10)])
    optimizer = ms.insitu.mixed_precision(DEVICE, 1.0, key=KEY)
    after = ms.train.fit(net, few, optimizer=optimizer, epochs=2, batch_size=4, clip=None, key=KEY)
    assert not np.array_equal(after.layers[0].weight, net.layers[0].weight)


@every_algorithm
def test_bad_arguments_are_told(algorithm):
    weight = jnp.ones((2, 3))
    with pytest.raises(ValueError, match="`learning_rate` must be positive"):
        algorithm(DEVICE, 0.0, key=KEY)
    with pytest.raises(ValueError, match="`scale` must be positive"):
        algorithm(DEVICE, 0.1, scale=-1.0, key=KEY)
    with pytest.raises(ValueError, match="must reach zero and weights above it"):
        algorithm(dm.pulsed.ConstantStep(dm.pulsed.Steps(0.01), dm.pulsed.Bounds(0.5, 1.0)), 0.1, key=KEY)
    optimizer = algorithm(DEVICE, 0.1, key=KEY)
    with pytest.raises(ValueError, match="must hold a matrix"):
        optimizer.init({"bias": jnp.ones(3)})
    state = optimizer.init(weight)
    with pytest.raises(ValueError, match="must know what the network reads"):
        optimizer.update(weight, state)
    with pytest.raises(ValueError, match=r"must have the shape \(2, 3\)"):
        optimizer.update(ms.insitu.OuterProduct(jnp.ones((1, 2)), jnp.ones((1, 3))), state, weight)


@pytest.mark.parametrize(
    "algorithm",
    [make if name in ("analog_sgd", "agad") else slow(make) for name, make in ALGORITHMS.items()],
    ids=ALGORITHMS,
)
def test_a_state_comes_back_from_a_file(algorithm):
    states = [algorithm(DEVICE, 0.1, key=jr.key(seed)).init(parameters()) for seed in (1, 2)]
    file = io.BytesIO()
    eqx.tree_serialise_leaves(file, states[0])
    file.seek(0)
    read = eqx.tree_deserialise_leaves(file, states[1])
    assert eqx.tree_equal(read, states[0]) and not eqx.tree_equal(states[1], states[0])
    assert read.key == jr.key(1)


def test_bad_settings_of_a_transfer_are_told():
    for name, value in (("every", 0), ("columns", 0), ("rate", 0.0), ("length", 0)):
        with pytest.raises(ValueError, match=f"`{name}` must be"):
            ms.insitu.Transfer(**{name: value})
    for name, value in (("threshold", 0.0), ("momentum", 1.5), ("crossing", 0.0)):
        with pytest.raises(ValueError, match=f"`{name}` must be"):
            ms.insitu.Buffer(**{name: value})
    for name, value in (("gamma", -1.0), ("reference_std", -1.0), ("period", 0)):
        with pytest.raises(ValueError, match=f"`{name}` must be"):
            ms.insitu.Fast(**{name: value})
    for name, value in (("period", 0), ("smoothing", 1.5)):
        with pytest.raises(ValueError, match=f"`{name}` must be"):
            ms.insitu.Chopper(**{name: value})


@pytest.mark.parametrize("make", [ms.insitu.Trains, *PLAIN[1:]], ids=lambda make: make.__name__)
def test_trains_and_steps_have_a_pulse_at_least(make):
    settings = {} if make is ms.insitu.Trains else {"device": DEVICE, "learning_rate": 0.1, "key": KEY}
    with pytest.raises(ValueError, match="`length` must be a whole number"):
        make(length=0, **settings)


def test_only_algorithms_with_a_buffer_take_one():
    transfer = ms.insitu.Transfer(buffer=ms.insitu.Buffer(2.0))
    with pytest.raises(ValueError, match="`transfer` must have no buffer"):
        ms.insitu.tiki_taka(DEVICE, 0.1, transfer=transfer, key=KEY)
    ms.insitu.tiki_taka_v2(DEVICE, 0.1, transfer=transfer, key=KEY)
