"""Any model that is called on one sample, and any data, train and are judged as networks over time are."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import device_models as dm
import memsim as ms
from memsim.train import Objective, SampledChip, Stop, evaluate, fit

KEY = jr.key(0)
ADAM = optax.adam(1e-2)
DESIGN = ms.Crossbar(dm.pcm_joshi2020(), tile=(16, 16), compensation=None)


def images(n, seed):
    """8 x 8 images in three classes: a bright bar in another row."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    bars = np.zeros((3, 8, 8))
    bars[np.arange(3), 2 * np.arange(3) + 1] = 1.0
    return ms.data.Dataset(rng.normal(0, 0.4, (n, 1, 8, 8)) + bars[labels][:, None], labels)


TRAIN, HELD = images(96, 0), images(48, 1)


class CNN(eqx.Module):
    conv: eqx.nn.Conv2d
    dropout: eqx.nn.Dropout
    last: eqx.nn.Linear

    def __init__(self, key):
        self.conv = eqx.nn.Conv2d(1, 4, 3, key=key)
        self.dropout = eqx.nn.Dropout(0.2)
        self.last = eqx.nn.Linear(4 * 36, 3, key=key)

    def __call__(self, x, *, key=None):
        x = jax.nn.relu(self.conv(x)).ravel()
        return self.last(self.dropout(x, key=key))


@pytest.mark.slow
def test_a_converted_cnn_learns_for_chips_and_is_judged_on_them():
    seen = []
    model = fit(
        ms.nn.convert(CNN(KEY)), TRAIN, validation=HELD, key=KEY, hardware=SampledChip(DESIGN), optimizer=ADAM,
        epochs=6, batch_size=16, report=seen.append,
    )  # fmt: skip
    assert seen[-1].validation > 0.9 and seen[-1].metric == "accuracy" and seen[-1].loss < seen[0].loss / 3
    found = evaluate(model, HELD, ["accuracy", "balanced_accuracy", "f1", "auroc"])
    outputs = np.asarray(jax.vmap(eqx.nn.inference_mode(model))(jnp.asarray(HELD.inputs)))  # no dropout
    assert float(found["accuracy"]) == np.mean(outputs.argmax(1) == HELD.labels) > 0.9
    chip = ms.deploy(model, DESIGN, 0.0, key=KEY)
    on_chip = evaluate(chip, HELD, key=KEY)
    assert 0.8 < float(on_chip["accuracy"]) <= 1.0
    assert float(evaluate(chip, HELD, key=KEY, memory="20 kB")["accuracy"]) == float(on_chip["accuracy"])


def test_reads_are_independent_samples_have_keys_of_their_own_and_dropout_is_on_only_in_training():
    class Dropped(eqx.Module):
        dropout: eqx.nn.Dropout = eqx.field(default_factory=lambda: eqx.nn.Dropout(0.5))
        scale: jax.Array = eqx.field(default_factory=lambda: jnp.ones(()))

        def __call__(self, x, key=None):
            return self.dropout(self.scale * x, key=key)

    xs = np.ones((64, 30), np.float32)
    assert float(evaluate(Dropped(), (xs, xs))["rmse"]) == 0.0
    losses = []

    def watched(outputs, target):
        jax.debug.callback(lambda y: losses.append(np.asarray(y)), outputs)
        return ms.train.mse(outputs, target)

    fit(Dropped(), (xs, xs), key=KEY, loss=watched, epochs=1, batch_size=64, optimizer=optax.sgd(1e-9))
    jax.effects_barrier()
    (rows,) = losses if losses[0].ndim == 2 else [np.stack(losses)]
    assert len({row.tobytes() for row in rows}) == 64
    assert abs(np.mean(rows == 0) - 0.5) < 4 * 0.5 / (64 * 30) ** 0.5


def test_numbers_are_learned_by_least_squares():
    """Of a linear model the loss has one minimum, that of numpy's least squares."""
    rng = np.random.default_rng(0)
    xs = rng.normal(size=(128, 5))
    ys = xs @ rng.normal(size=5) + 0.3 + rng.normal(0, 0.1, 128)
    model = fit(
        ms.nn.convert(eqx.nn.Linear(5, 1, key=KEY)), (xs, ys), validation=(xs, ys), key=KEY, epochs=60, batch_size=128,
        optimizer=optax.adam(0.1), stop=Stop(),
    )  # fmt: skip
    w, *_ = np.linalg.lstsq(np.c_[xs, np.ones(128)], ys, rcond=None)
    np.testing.assert_allclose(np.r_[model.weight[0], model.bias], w, atol=0.02)
    error = np.asarray(jax.vmap(model)(jnp.asarray(xs, jnp.float32)))[:, 0] - ys
    found = evaluate(model, (xs, ys), ["rmse", "r2", "smape"])
    assert float(found["rmse"]) == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-4)
    assert float(found["r2"]) == pytest.approx(1 - np.sum(error**2) / np.sum((ys - ys.mean()) ** 2), rel=1e-4)


@pytest.mark.slow
def test_batches_that_come_are_trained_on_as_arrays_are():
    """One batch an epoch: the same steps as with the arrays, but for the order of the samples in their mean."""
    rng = np.random.default_rng(1)
    xs, ys = rng.normal(size=(32, 4)).astype(np.float32), rng.integers(0, 3, 32)
    model = ms.nn.convert(eqx.nn.MLP(4, 3, 8, 1, key=KEY))
    settings = {"key": KEY, "epochs": 3, "batch_size": 32, "optimizer": optax.sgd(0.1), "validation": (xs, ys)}
    arrays = fit(model, (xs, ys), **settings)
    seen = []
    loader = [(xs, ys)]
    batches = fit(model, loader, report=seen.append, **settings)
    for a, b in zip(jax.tree.leaves(arrays), jax.tree.leaves(batches), strict=True):
        if eqx.is_array(a):
            np.testing.assert_allclose(a, b, atol=1e-6)
    assert len(seen) == 3
    halves = [(xs[:16], ys[:16]), (xs[16:], ys[16:])]
    whole, parts = (evaluate(model, data)["accuracy"] for data in ((xs, ys), halves))
    assert float(whole) == float(parts)
    with pytest.raises(ValueError, match="batches anew in every epoch"):
        fit(model, iter(loader), **settings)


@pytest.mark.slow
def test_the_best_epoch_is_kept_and_training_ends_when_none_is_better():
    seen, models = [], []
    model = ms.nn.convert(eqx.nn.MLP(64, 3, 8, 1, key=KEY))
    flat = [ms.data.Dataset(part.inputs.reshape(len(part), -1), part.labels) for part in (TRAIN, HELD)]
    settings = {"key": KEY, "validation": flat[1], "batch_size": 16, "optimizer": optax.adam(0.05)}
    best = fit(model, flat[0], epochs=40, stop=Stop(patience=3), report=seen.append, **settings)
    values = [epoch.validation for epoch in seen]
    first = int(np.argmax(values))
    assert len(seen) == first + 4 < 40  # three epochs without a better one
    assert float(evaluate(best, flat[1])["accuracy"]) == values[first]
    models.append(fit(model, flat[0], epochs=first + 1, **settings))
    assert float(evaluate(models[0], flat[1])["accuracy"]) == values[first]


def test_a_stopped_run_goes_on_from_its_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr("memsim.train._fit.SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    model = ms.nn.convert(eqx.nn.Linear(64, 3, key=KEY))
    flat = [ms.data.Dataset(part.inputs.reshape(len(part), -1), part.labels) for part in (TRAIN, HELD)]
    settings = {"key": KEY, "validation": flat[1], "batch_size": 16, "optimizer": ADAM, "epochs": 4, "stop": Stop()}
    whole = fit(model, flat[0], **settings)

    def killed(epoch):
        if epoch.number == 3:
            raise KeyboardInterrupt

    file = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        fit(model, flat[0], checkpoint=file, report=killed, **settings)
    seen = []
    again = fit(model, flat[0], checkpoint=file, report=seen.append, **settings)
    assert [epoch.number for epoch in seen] == [3, 4]
    np.testing.assert_array_equal(whole.weight, again.weight)


@pytest.mark.slow
def test_what_is_beyond_a_recordings_length_changes_nothing():
    rng = np.random.default_rng(2)
    xs, ys, lengths = rng.normal(size=(24, 9, 5)).astype(np.float32), rng.integers(0, 3, 24), rng.integers(2, 10, 24)
    behind = np.arange(9) >= lengths[:, None]
    keys = jr.split(KEY)
    net = ms.nn.SpikingNetwork(
        [ms.nn.Linear(5, 8, key=keys[0]), ms.nn.LIF(8), ms.nn.Linear(8, 3, key=keys[1]), ms.nn.LI(3)]
    )
    trained, scores = [], []
    for beyond in (0.0, 7.0):
        data = ms.data.Dataset(np.where(behind[..., None], beyond, xs), ys, lengths=lengths)
        trained.append(fit(net, data, key=KEY, epochs=2, batch_size=8, optimizer=ADAM))
        scores.append(float(evaluate(net, data, "auroc")["auroc"]))
    np.testing.assert_array_equal(trained[0].layers[0].weight, trained[1].layers[0].weight)
    each = [np.asarray(net(jnp.asarray(x)))[:n].mean(0) for x, n in zip(xs, lengths, strict=True)]
    expected = ms.train.METRICS["auroc"](jnp.asarray(each), jnp.asarray(ys), None)
    np.testing.assert_allclose(scores, float(expected), atol=1e-5)
    with pytest.raises(ValueError, match="`loss` must take `mask=`"):
        fit(net, data, key=KEY, batch_size=8, loss=lambda outputs, label: ms.train.cross_entropy(outputs, label))
    bad = ms.data.Dataset(xs, ys, lengths=lengths)
    with pytest.raises(ValueError, match="`scores` must take `mask=`"):
        evaluate(net, bad, scores=lambda outputs: outputs.mean(0))


@pytest.mark.parametrize(
    ("model", "data", "settings", "says"),
    [
        (eqx.nn.Linear(4, 2, key=KEY), (np.zeros((6, 4)), np.zeros((6, 3))), {}, "must have the shape of its target"),
        (eqx.nn.Linear(4, 2, key=KEY), (np.zeros((6, 5)), np.arange(6) % 2), {}, "must take a sample of shape"),
        (eqx.nn.Linear(4, 2, key=KEY), (np.zeros((6, 4)), np.arange(6)), {}, "a score for each class, 6 of them"),
        (eqx.nn.Linear(4, 2, key=KEY), np.zeros((6, 4)), {}, "`data` must be a `memsim.data.Dataset`"),
        (eqx.nn.Linear(4, 2, key=KEY), [], {}, "at least one batch"),
        (eqx.nn.Linear(4, 2, key=KEY), [np.zeros((6, 4))], {}, r"must be \(xs, ys\)"),
        (
            lambda x: jnp.stack([x, x]),
            (np.zeros((6, 4)), np.arange(6) % 2),
            {"scores": lambda y: y},
            "one score a class",
        ),
        (eqx.nn.Linear(4, 2, key=KEY), (np.full((6, 4), np.nan), np.arange(6) % 2), {}, "all of them finite"),
    ],
)
def test_what_does_not_fit_is_said_before_any_work(unchecked, model, data, settings, says):
    with pytest.raises(ValueError, match=says):
        evaluate(model, data, **settings)


def test_a_penalty_of_spikes_wants_a_network_and_a_stop_a_validation():
    model, data = ms.nn.convert(eqx.nn.Linear(4, 2, key=KEY)), (np.zeros((8, 4)), np.arange(8) % 2)
    penalty = Objective(ms.train.cross_entropy, penalty=ms.train.SpikeRate(upper=0.1))
    with pytest.raises(ValueError, match="of a network over time"):
        fit(model, data, key=KEY, loss=penalty, batch_size=4)
    with pytest.raises(ValueError, match="`stop` must have a `validation`"):
        fit(model, data, key=KEY, stop=Stop(), batch_size=4)


class Normed(eqx.Module):
    conv: eqx.nn.Conv2d
    norm: eqx.nn.BatchNorm
    last: eqx.nn.Linear

    def __init__(self, key):
        self.conv = eqx.nn.Conv2d(1, 4, 3, key=key)
        self.norm = eqx.nn.BatchNorm(4, axis_name="mine", mode="ema")
        self.last = eqx.nn.Linear(4 * 36, 3, key=key)

    def __call__(self, x, state):
        x, state = self.norm(self.conv(x), state)
        return self.last(jax.nn.relu(x).ravel()), state


@pytest.mark.slow
def test_a_model_with_batch_norms_trains_with_those_of_the_batch_and_keeps_their_state():
    model, state = eqx.nn.make_with_state(Normed)(KEY)
    model = ms.nn.Stateful(ms.nn.convert(model), state)
    sgd = {"key": KEY, "optimizer": optax.sgd(1e-12), "epochs": 1, "batch_size": len(TRAIN)}
    after = fit(model, TRAIN, **sgd)  # one batch, and weights as they were
    ys = np.asarray(jax.vmap(model.model.conv)(jnp.asarray(TRAIN.inputs)))
    mean, variance = after.state.get(after.model.norm.ema_state_index)
    np.testing.assert_allclose(mean, ys.mean((0, 2, 3)), atol=1e-5)
    np.testing.assert_allclose(variance, ys.var((0, 2, 3)), rtol=1e-4)
    seen = []
    trained = fit(
        model, TRAIN, validation=HELD, key=KEY, hardware=SampledChip(DESIGN), optimizer=optax.adamw(1e-2),
        epochs=6, batch_size=16, report=seen.append,
    )  # fmt: skip
    assert seen[-1].validation > 0.9
    assert isinstance(trained, ms.nn.Stateful)
    folded = ms.nn.fold_batch_norm(trained, TRAIN.inputs[0])
    for one in (trained, folded):
        found = evaluate(ms.deploy(one, ms.Crossbar(dm.Ideal()), 0.0, key=KEY), HELD, key=KEY)
        assert float(found["accuracy"]) == seen[-1].validation or float(found["accuracy"]) > 0.9


@pytest.mark.slow
def test_in_array_training_takes_any_model():
    model = ms.nn.convert(eqx.nn.MLP(64, 3, 16, 1, key=KEY))
    flat = [ms.data.Dataset(part.inputs.reshape(len(part), -1), part.labels) for part in (TRAIN, HELD)]
    optimizer = ms.insitu.analog_sgd(dm.pulsed.ecram_tang2018(), 0.05, key=KEY)
    seen = []
    fit(model, flat[0], validation=flat[1], key=KEY, optimizer=optimizer, epochs=5, batch_size=8, report=seen.append)
    assert seen[-1].validation > 0.8


class LastStep(eqx.Module):
    layer: eqx.nn.Linear

    def __call__(self, x, *, mask):
        last = jnp.sum(jnp.where((jnp.cumsum(mask) == mask.sum()) & mask, 1.0, 0.0)[:, None] * x, 0)
        return self.layer(last)


def test_numbers_of_a_recording_are_not_taken_for_steps():
    """One vector of targets a recording: all of it counts, however long the recording is."""
    rng = np.random.default_rng(0)
    xs, ys, lengths = rng.normal(size=(8, 6, 4)), rng.normal(size=(8, 3)), rng.integers(1, 7, 8)
    model = LastStep(eqx.nn.Linear(4, 3, key=KEY))
    found = evaluate(model, ms.data.Dataset(xs, ys, lengths=lengths))["rmse"]
    last = jax.vmap(model.layer)(jnp.asarray(xs[np.arange(8), lengths - 1], jnp.float32))
    assert float(found) == pytest.approx(np.sqrt(np.mean((np.asarray(last) - ys) ** 2)), rel=1e-5)


class EachStep(eqx.Module):
    layer: eqx.nn.Linear

    def __call__(self, x):
        return jax.vmap(self.layer)(x)


def test_a_target_for_each_step_counts_where_its_step_does():
    rng = np.random.default_rng(1)
    xs, ys, lengths = rng.normal(size=(8, 6, 4)), rng.normal(size=(8, 6, 3)), rng.integers(1, 7, 8)
    model, there = EachStep(eqx.nn.Linear(4, 3, key=KEY)), np.arange(6) < lengths[:, None]
    found = evaluate(model, ms.data.Dataset(xs, ys, lengths=lengths), ["rmse", "smape"])
    outputs = jax.vmap(model)(jnp.asarray(xs, jnp.float32))
    errors = np.asarray(outputs) - ys
    assert float(found["rmse"]) == pytest.approx(np.sqrt(np.mean(errors[there] ** 2)), rel=1e-5)
    of_one = jax.vmap(lambda o, y, m: ms.train.mse(o, y, mask=m))
    losses = of_one(outputs, jnp.asarray(ys, jnp.float32), jnp.asarray(there))
    np.testing.assert_allclose(losses, [np.mean(e[m] ** 2) for e, m in zip(errors, there, strict=True)], rtol=1e-5)


XS, CLASSES = np.zeros((8, 4), np.float32), np.arange(8) % 2
PLAIN = eqx.nn.Linear(4, 2, key=KEY)
LINEAR = ms.nn.convert(PLAIN)


@pytest.mark.parametrize(
    ("model", "data", "settings", "says"),
    [
        (LINEAR, (XS, CLASSES.astype(float)), {}, "if labels are classes, make them whole numbers"),
        (LINEAR, ((XS, CLASSES), (XS, CLASSES)), {}, r"Write `fit\(model, train, validation=validation\)`"),
        (
            eqx.nn.Linear(4, 2, key=KEY),
            (XS, CLASSES),
            {"hardware": ms.train.GaussianNoise(0.1)},
            "`hardware` can perturb",
        ),
        (LINEAR, [(XS, CLASSES), (XS, CLASSES + 3)], {}, "Got 2 scores, and in batch 1 of `data` the label 4"),
        (LINEAR, [(XS, CLASSES), (XS, CLASSES.astype(float))], {}, "must be alike. Got .* in batch 1 .* numbers"),
        (
            LINEAR,
            (XS, CLASSES),
            {"loss": Objective(ms.train.cross_entropy, metric=lambda p, y: p.mean()), "stop": Stop()},
            'better="smaller"',
        ),
    ],
)
def test_what_might_be_meant_otherwise_is_refused(model, data, settings, says):
    with pytest.raises(ValueError, match=says):
        fit(model, data, key=KEY, batch_size=4, epochs=1, **({"validation": (XS, CLASSES)} | settings))


def test_a_metric_of_ones_own_says_which_way_is_better():
    def error(predictions, labels):
        return 1.0 - jnp.mean(jnp.argmax(predictions, -1) == labels, dtype=predictions.dtype)

    flat = [ms.data.Dataset(part.inputs.reshape(len(part), -1), part.labels) for part in (TRAIN, HELD)]
    seen = []
    loss = Objective(ms.train.cross_entropy, metric=error, better="smaller")
    model = ms.nn.convert(eqx.nn.Linear(64, 3, key=KEY))
    best = fit(
        model, flat[0], validation=flat[1], key=KEY, loss=loss, stop=Stop(), epochs=4, batch_size=16, report=seen.append
    )
    least = min(epoch.validation for epoch in seen)
    assert float(evaluate(best, flat[1], error)["error"]) == least < seen[0].validation


def test_lengths_that_nothing_would_heed_are_refused():
    data = ms.data.Dataset(np.zeros((8, 6, 4)), CLASSES, lengths=np.full(8, 3))
    with pytest.raises(ValueError, match="must give out each step, or take `mask=`"):
        evaluate(lambda x: x[-1, :2], data)
    mixed = [(XS[:, None], CLASSES), (XS[:, None], CLASSES, np.ones(8, int))]
    with pytest.raises(ValueError, match=r"no lengths, and in batch 1 .* with lengths"):
        evaluate(lambda x: x[:, :2], mixed)


def test_batch_norms_without_their_state_around_all_are_told():
    class Around(eqx.Module):
        inner: ms.nn.Stateful

        def __call__(self, x):
            return self.inner(x)

    model, state = eqx.nn.make_with_state(Normed)(KEY)
    with pytest.raises(ValueError, match="the outermost module"):
        fit(Around(ms.nn.Stateful(model, state)), TRAIN, key=KEY, batch_size=16)


@pytest.mark.slow
def test_a_network_over_time_is_evaluated_without_dropout_too():
    net = ms.nn.SpikingNetwork([ms.nn.Linear(4, 6, key=KEY), eqx.nn.Dropout(0.5), ms.nn.Linear(6, 3, key=KEY)])
    xs = np.random.default_rng(0).normal(size=(16, 5, 4)).astype(np.float32)
    off = eqx.nn.inference_mode(net)
    labels = np.asarray(jax.vmap(off)(jnp.asarray(xs))).mean(1).argmax(1)
    assert float(evaluate(net, (xs, labels))["accuracy"]) == 1.0  # and wants no key


def test_one_hot_labels_are_no_numbers_to_predict_unless_it_is_said():
    model, xs, hot = eqx.nn.Linear(4, 3, key=KEY), np.ones((6, 4)), np.eye(3)[np.arange(6) % 3]
    for ask in (
        lambda **how: fit(model, (xs, hot), key=KEY, epochs=1, batch_size=3, optimizer=ADAM, **how),
        lambda **how: evaluate(model, (xs, hot), **how),
    ):
        with pytest.raises(ValueError, match=r"Got one-hot rows, \(6, 3\), of floats. Write `labels.argmax\(1\)`"):
            ask()
    assert "rmse" in evaluate(model, (xs, hot), "rmse") and "rmse" in evaluate(model, (xs, 2 * hot))
    fit(model, (xs, hot), key=KEY, epochs=1, batch_size=3, optimizer=ADAM, loss=ms.train.mse)
