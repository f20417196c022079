"""A checkpoint knows its run to the last bit, keeps any state, and costs nobody the model."""

import functools
import re
import warnings

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
from memsim._keeping import _identity
from memsim.nn import LI, LIF, Linear, SpikingNetwork
from memsim.train import _checkpoint, fit

KEY = jr.key(1)
ADAM = optax.adam(2e-2)
RNG = np.random.default_rng(0)


def dataset(n):
    labels = RNG.integers(0, 3, n).astype(np.int32)
    inputs = (RNG.normal(0, 0.3, (n, 5, 4)) + np.eye(4)[labels][:, None]).astype(np.float32)
    return ms.data.Dataset(inputs, labels, ("a", "b", "c"))


DATA = ms.data.Splits(dataset(32), dataset(8), dataset(8))


def network():
    k = jr.split(jr.key(0))
    return SpikingNetwork([Linear(4, 6, key=k[0]), LIF(6), Linear(6, 3, key=k[1]), LI(3)])


def train(model=None, **settings):
    settings = {"key": KEY, "optimizer": ADAM, "epochs": 4, "batch_size": 16} | settings
    return fit(network() if model is None else model, DATA, **settings)


@pytest.fixture(autouse=True)
def every_epoch_is_saved(monkeypatch):
    monkeypatch.setattr(ms.train._fit, "SECONDS_BETWEEN_CHECKPOINTS", -1.0)


def killed(path, after=2, **settings):
    """Leaves what a run has saved that was killed in the epoch after some."""

    def kill(epoch):
        if epoch.number == after + 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(checkpoint=path, report=kill, **settings)
    return path


def leaves(model):
    return [
        np.asarray(jr.key_data(leaf) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf)
        for leaf in jax.tree.leaves(eqx.filter(model, eqx.is_array))
    ]


def assert_equal(one, other):
    for a, b in zip(leaves(one), leaves(other), strict=True):
        np.testing.assert_array_equal(a, b)


ALGORITHMS = {
    "analog_sgd": ms.insitu.analog_sgd,
    "mixed_precision": ms.insitu.mixed_precision,
    "tiki_taka": ms.insitu.tiki_taka,
    "tiki_taka_v2": ms.insitu.tiki_taka_v2,
    "agad": ms.insitu.agad,
}


@pytest.mark.parametrize("name", [slow(name) for name in ALGORITHMS])
def test_a_killed_run_in_the_array_resumes_to_the_weights_of_a_whole_one(name, tmp_path):
    device = dm.pulsed.SoftBounds(dm.pulsed.Steps(0.01, noise=dm.pulsed.MultiplicativeNoise(0.3)))
    settings = {"optimizer": ALGORITHMS[name](device, learning_rate=0.1, key=jr.key(7)), "clip": None}
    whole = train(**settings)
    path = killed(tmp_path / "run.ckpt", **settings)
    epochs = []
    assert_equal(train(checkpoint=path, report=epochs.append, **settings), whole)
    assert [epoch.number for epoch in epochs] == [3, 4]


@pytest.mark.parametrize("implementation", ["threefry2x32", "rbg"])
def test_keys_anywhere_in_a_state_come_back_exactly(implementation, tmp_path):
    keys = jr.split(jr.key(3, impl=implementation), 3)
    state = {"key": keys[0], "several": keys, "weights": jnp.arange(3.0), "count": 3, "numpy": np.arange(2), "no": None}
    for epoch in (0, 5):
        with _checkpoint.opened(tmp_path / "x", state, run=state) as file:
            assert file.epoch == epoch
            assert_equal(file.state, state)
            assert jr.key_impl(file.state["key"]) == jr.key_impl(keys[0]) and file.state["count"] == 3
            file.save(state, 5)


# Which run a file belongs to.


def scaled(outputs, label, *, scale):
    return scale * ms.train.cross_entropy(outputs, label)


def closed(scale):
    return lambda outputs, label: scale * ms.train.cross_entropy(outputs, label)


LOSSES = {
    "partial": (functools.partial(scaled, scale=2.0), functools.partial(scaled, scale=3.0)),
    "closure": (closed(2.0), closed(3.0)),
    "objective": (ms.train.Objective(closed(2.0)), ms.train.Objective(closed(2.0), scores=lambda out: out[-1])),
}


@pytest.mark.parametrize("first, other", [v if n == "partial" else slow(*v) for n, v in LOSSES.items()], ids=LOSSES)
def test_another_loss_is_another_run(first, other, tmp_path):
    path = killed(tmp_path / "x", loss=first)
    with pytest.raises(ValueError, match="optimizer, loss"):
        train(checkpoint=path, loss=other)
    train(checkpoint=path, loss=first)


OPTIMIZERS = {
    "rate": optax.adam(1e-2),
    "schedule": optax.adam(optax.cosine_decay_schedule(2e-2, 100)),
    "decay": optax.adam(2e-2, b1=0.8),
}


@pytest.mark.parametrize("other", [v if n == "rate" else slow(v) for n, v in OPTIMIZERS.items()], ids=OPTIMIZERS)
def test_another_optimizer_is_another_run_and_an_equal_one_is_not(other, tmp_path):
    path = killed(tmp_path / "x")
    with pytest.raises(ValueError, match="from another run"):
        train(checkpoint=path, optimizer=other)
    assert_equal(train(checkpoint=path, optimizer=optax.adam(2e-2)), train())


@pytest.mark.slow
def test_a_run_with_a_schedule_resumes_in_the_process_that_began_it(tmp_path):
    optimizer = optax.adam(optax.cosine_decay_schedule(2e-2, 8))
    path = killed(tmp_path / "x", optimizer=optimizer)
    assert_equal(train(checkpoint=path, optimizer=optimizer), train(optimizer=optimizer))


def test_other_code_is_another_run(tmp_path, monkeypatch):
    path = killed(tmp_path / "x")
    monkeypatch.setattr(_identity, "source_hash", lambda: "edited")
    with pytest.raises(ValueError, match="same code of memsim"):
        train(checkpoint=path)


def test_what_a_checkpoint_cannot_know_is_said(tmp_path):
    generator = np.random.default_rng(0)

    def loss(outputs, label):
        return ms.train.cross_entropy(outputs, label) + 0.0 * generator.bit_generator.state["state"]["inc"] % 1

    with pytest.warns(UserWarning, match=r"_generator\.Generator, known by class alone"):
        train(checkpoint=tmp_path / "x", loss=loss, epochs=1)


# Files that are not what was written.


def test_no_flipped_bit_of_a_checkpoint_passes(tmp_path):
    path, state = tmp_path / "x", {"weights": jnp.arange(8.0), "key": jr.key(0)}
    with _checkpoint.opened(path, state, run="one") as file:
        file.save(state, 3)
    whole = path.read_bytes()
    for place in range(len(whole)):
        for bit in (0, 6):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << bit)]) + whole[place + 1 :])
            with pytest.raises(ValueError, match="complete file of layout 1"):
                _checkpoint._unsealed(path)
    path.write_bytes(whole)
    assert _checkpoint._load(path, state, _checkpoint._identity("one"))[0] == 3


@pytest.mark.parametrize(
    "content, says",
    [
        (b'{"epoch": 1, "fingerprint": "0"}\n...', "of another release"),
        (b"memsim checkpoint, layout 2, sha256 " + b"0" * 64 + b"\n{}", "its layout is 2"),
        (b"", "is missing"),
    ],
)
def test_another_layout_is_said_with_what_to_do(content, says, tmp_path):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ValueError, match=f"{says}.*Delete it"):
        train(checkpoint=tmp_path / "x")


# Places that cannot be written.


def test_a_place_that_cannot_be_written_is_refused_before_the_first_step(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "below"):
        with pytest.raises(OSError, match="`checkpoint` must be a file"):
            train(checkpoint=path, report=lambda epoch: pytest.fail("an epoch has run"))
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_save_that_fails_later_warns_once_and_returns_the_model(tmp_path, monkeypatch):
    from contextlib import contextmanager

    @contextmanager
    def full(path):
        raise OSError(28, "No space left on device")
        yield

    monkeypatch.setattr(_checkpoint, "written_whole", full)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        model = train(checkpoint=tmp_path / "x")
    assert_equal(model, train())
    (warning,) = (w for w in seen if "checkpoint" in str(w.message))
    assert re.search(r"after epoch 1\..*No space left.*goes on", str(warning.message))


def test_a_second_process_waits_for_the_checkpoint_of_the_first(tmp_path):
    import threading

    from memsim._keeping import claimed

    path, done = tmp_path / "x", []
    with claimed(tmp_path / "x.claim") as mine:
        assert mine
        waiting = threading.Thread(target=lambda: done.append(train(checkpoint=path)))
        waiting.start()
        waiting.join(timeout=3.0)
        assert waiting.is_alive() and not path.exists()
    waiting.join(timeout=120)
    assert len(done) == 1 and [file.name for file in tmp_path.iterdir()] == ["x"]
