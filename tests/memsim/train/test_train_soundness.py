"""Training and evaluation refuse what does not fit, keep weights that the clip should keep, and never count a NaN."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import device_models as dm
import memsim as ms
from memsim.train import GaussianNoise, LogUniform, Objective, SampledChip, SpikeRate, accuracy, clip_weights, fit
from memsim.train._memory import told

KEY = jr.key(0)
SGD = optax.sgd(1e-4)


def network(outputs=10):
    keys = jr.split(KEY)
    return ms.nn.SpikingNetwork(
        [ms.nn.Linear(13, 8, key=keys[0]), ms.nn.LIF(8), ms.nn.Linear(8, outputs, key=keys[1]), ms.nn.LI(outputs)]
    )


def with_first(model, w):
    return eqx.tree_at(lambda m: m.layers[0].weight, model, w)


@pytest.fixture(scope="module")
def splits():
    whole = ms.data.spoken_digits(steps=6)
    return ms.data.Splits(*(part.take(np.arange(32)) for part in (whole.train, whole.validation, whole.test)))


# The clip.


def test_a_clip_leaves_weights_alone_whose_mean_is_large_beside_their_spread():
    """Weights of 1 +- 0.1 have a root mean square of 1.005: 2.5 of it is above all of them."""
    w = 1 + 0.1 * jr.normal(KEY, (8, 13))
    np.testing.assert_array_equal(clip_weights(with_first(network(), w), 2.5).layers[0].weight, w)


@pytest.mark.parametrize("kept", [1, 5, 60])
def test_a_clip_repeated_moves_no_weight_of_a_pruned_layer_to_nothing(kept):
    model = with_first(network(), jnp.zeros(104).at[:kept].set(0.5).reshape(8, 13))
    for _ in range(100):
        model = clip_weights(model, 1.5)
    np.testing.assert_allclose(np.asarray(model.layers[0].weight).ravel()[:kept], 0.5, rtol=1e-5)


@pytest.mark.slow
def test_only_hardware_training_clips_unless_asked(splits):
    """One weight ten times the others' size is beyond 2.5 root mean squares: sqrt((103 + 100) / 104) = 1.4."""
    model = with_first(network(), jnp.ones((8, 13)).at[0, 0].set(10.0))
    found = {}
    for name, settings in (("digital", {}), ("asked", {"clip": 2.5}), ("hardware", {"hardware": GaussianNoise(0.0)})):
        trained = fit(model, splits, key=KEY, epochs=1, batch_size=32, optimizer=SGD, **settings)
        found[name] = float(trained.layers[0].weight[0, 0])
    assert abs(found["digital"] - 10.0) < 0.01
    assert found["asked"] < 3.6 and found["hardware"] < 3.6


# NaN.


def test_one_sequence_without_finite_outputs_makes_the_accuracy_nan():
    model, xs, labels = network(), jnp.ones((4, 6, 13)), jnp.arange(4)
    inside = eqx.filter_jit(accuracy)
    assert np.isfinite(inside(model, xs, labels))
    for bad in (jnp.nan, jnp.inf):
        assert np.isnan(inside(model, xs.at[2, 3, 1].set(bad), labels))
        assert np.isnan(inside(with_first(model, model.layers[0].weight.at[0, 0].set(bad)), xs, labels))
    assert np.isnan(inside(model, xs, labels, scores=lambda outputs: outputs[-1] * jnp.nan))


@pytest.mark.slow
def test_infinite_noise_behind_a_converter_makes_the_accuracy_nan():
    """The ADC would clip it to its largest code."""
    chip = ms.deploy(network(), ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8)), 0.0, key=KEY)
    chip = eqx.tree_at(lambda m: m.layers[0].weight.noise.variance, chip, replace_fn=lambda v: v.at[0, 0].set(jnp.inf))
    assert np.isnan(eqx.filter_jit(accuracy)(chip, jnp.ones((2, 6, 13)), jnp.arange(2), key=KEY))


@pytest.mark.slow
def test_bytes_are_the_same_recordings_as_floats():
    xs, labels = np.random.default_rng(0).poisson(1.0, (30, 6, 13)).astype(np.uint8), jnp.arange(30) % 10
    model = network()
    assert accuracy(model, jnp.asarray(xs), labels) == accuracy(model, jnp.asarray(xs, jnp.float32), labels)
    assert accuracy(model, jnp.asarray(xs), labels, memory=1.0) == accuracy(model, jnp.asarray(xs), labels)


class Broken(ms.train.AbstractHardware):
    """Whose chips have a readout without finite weights when they are validated, at full strength."""

    ramp: float = 1.0

    def sample(self, model, *, strength, key):
        bad = jnp.where(strength < 1, 0.0, jnp.nan)
        return eqx.tree_at(lambda m: m.layers[2].weight, model, replace_fn=lambda w: w + bad)


def test_a_validation_that_is_not_finite_stops_the_training_and_names_the_layer(splits):
    with pytest.raises(FloatingPointError, match=r"after epoch 1: a weight in layer .layers\[2\] is not finite"):
        fit(network(), splits, key=KEY, hardware=Broken(), epochs=2, batch_size=32, optimizer=SGD)


# What does not fit.


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model": network(9)}, "a score for each class, 10 of them by the labels. Got 9"),
        ({"hardware": ms.Crossbar(dm.Ideal())}, "`memsim.train.SampledChip(crossbar)`"),
        ({"optimizer": optax.adam}, "`optimizer` must be a GradientTransformation"),
        ({"loss": "mse"}, "`loss` must be a function"),
        ({"loss": lambda outputs, label: outputs}, "`loss` must make one float"),
        ({"loss": lambda outputs: 0.0}, "`loss` must take the outputs of one sample"),
        ({"loss": Objective(ms.train.cross_entropy, scores=lambda outputs: outputs)}, "`scores` must make one score"),
        ({"epochs": 1.5}, "`epochs` must be a whole number"),
        ({"batch_size": np.float64(8)}, "`batch_size` must be a whole number"),
        ({"batch_size": 33}, "from 1 to the 32 training samples"),
        ({"clip": np.float32(0.5)}, "`clip` must be finite and at least 1"),
        ({"clip": "off"}, "`clip` must be"),
        ({"memory": -1}, "`memory` must be positive"),
        ({"report": 3}, "`report` must be a function"),
        ({"key": 0}, "`key` must be a key of jax.random"),
    ],
)
def test_a_training_that_does_not_fit_is_refused_before_any_work(splits, change, says, unchecked):
    arguments = {"model": network(), "key": KEY, "epochs": 1, "batch_size": 8} | change
    with pytest.raises(ValueError) as refused:
        fit(arguments.pop("model"), splits, **arguments)
    assert says in str(refused.value)


BAD = (
    np.float32(-1),
    jnp.asarray(-1.0),
    np.asarray(-1.0),
    float("nan"),
    jnp.asarray(jnp.nan),
    float("inf"),
    "0.1",
    None,
)


@pytest.mark.parametrize("value", BAD, ids=repr)
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda x: GaussianNoise(x), "std"),
        (lambda x: GaussianNoise(0.1, ramp=x), "ramp"),
        (lambda x: SampledChip(ms.Crossbar(dm.Ideal()), x), "time"),
        (lambda x: LogUniform(x, 10.0), "low"),
        (lambda x: LogUniform(1.0, x), "high"),
        (lambda x: SpikeRate(x, upper=0.1), "weight"),
        (
            lambda x: SpikeRate(lower=x, upper=0.1) if x is not None else SpikeRate("a", upper=1.0),
            "lower|weight|Bounds",
        ),
        (lambda x: ms.train.rate_mse(jnp.zeros((3, 2)), jnp.asarray(0), right=x), "right"),
        (lambda x: ms.train.van_rossum(jnp.zeros(3), jnp.zeros(3), tau=x, dt=1e-3), "tau"),
        (lambda x: clip_weights(network(), x), "sigmas"),
        (lambda x: ms.insitu.analog_sgd(dm.pulsed.ecram_tang2018(), x, key=KEY), "learning_rate"),
        (lambda x: ms.insitu.Fast(gamma=x), "gamma"),
        (lambda x: ms.insitu.Buffer(threshold=x), "threshold"),
        (lambda x: ms.insitu.Chopper(smoothing=x), "smoothing"),
        (lambda x: ms.insitu.mixed_precision(dm.pulsed.ecram_tang2018(), 0.1, length=x, key=KEY), "length"),
    ],
)
def test_a_number_is_judged_by_its_value_however_it_is_written(make, name, value, unchecked):
    with pytest.raises(ValueError, match=f"`?({name})`? must"):
        make(value)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: SampledChip(dm.pcm_joshi2020()), "`memsim.Crossbar(device)`"),
        (lambda: SampledChip("pcm"), "`crossbar` must be"),
        (lambda: Objective("mse"), "`loss` must be a function"),
        (lambda: Objective(ms.train.cross_entropy, penalty=0.1), "`penalty` must be a function"),
        (lambda: ms.train.count_cross_entropy(jnp.zeros(3), jnp.asarray(0)), "`outputs` must be an array"),
        (lambda: ms.insitu.analog_sgd(dm.pcm_joshi2020(), 0.1, key=KEY), "`device` must be an AbstractPulsed"),
        (lambda: ms.insitu.analog_sgd(dm.pulsed.ecram_tang2018(), 0.1, digital=0.1, key=KEY), "`digital` must be"),
        (lambda: ms.insitu.analog_sgd(dm.pulsed.ecram_tang2018(), 0.1, key=0), "`key` must be a key"),
        (lambda: ms.insitu.value_and_outer("loss"), "`loss` must be a function"),
    ],
)
def test_an_object_of_another_kind_is_named(make, says, unchecked):
    with pytest.raises(ValueError) as refused:
        make()
    assert says in str(refused.value)


def test_weights_that_are_not_finite_are_not_written_to_an_array():
    optimizer = ms.insitu.analog_sgd(dm.pulsed.ecram_tang2018(), 0.1, key=KEY)
    with pytest.raises(ValueError, match=r"`\['w'\]` must be finite"):
        optimizer.init({"w": jnp.ones((2, 3)).at[0, 1].set(jnp.nan)})


def test_other_errors_than_of_memory_pass():
    with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL"), told("Lower it."):
        raise jax.errors.JaxRuntimeError("INTERNAL: something else")


@pytest.mark.slow
def test_training_on_chips_tells_once_of_one_array_in_two_layers(splits):
    layer = ms.nn.Linear(13, 13, key=KEY)
    twice = ms.nn.SpikingNetwork([layer, ms.nn.LIF(13), layer, ms.nn.LI(13)])
    chip = SampledChip(ms.Crossbar(dm.Ideal()))
    with pytest.warns(UserWarning, match=r"weight of .layers\[0\], .layers\[2\], which become 2 chips") as found:
        fit(twice, splits, key=KEY, epochs=1, batch_size=32, optimizer=SGD, hardware=chip)
    assert len(found) == 1


def test_training_refuses_what_is_on_chips_already_and_designs_for_no_layer(splits):
    deployed = ms.deploy(network(), ms.Crossbar(dm.Ideal()), 0.0, key=KEY)
    with pytest.raises(ValueError, match="`model` is on chips already"):
        fit(deployed, splits, key=KEY)
    with pytest.raises(ValueError, match=r"`crossbar` must .* no layer a design"):
        fit(network(), splits, key=KEY, batch_size=32, hardware=SampledChip(lambda path, layer: None))
