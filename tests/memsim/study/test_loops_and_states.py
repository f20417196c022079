"""Models of Equinox with loops, attention, norms and tables of words: trained, studied and calibrated as they are."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from device_models import pcm_joshi2020
from memsim.nn import LearnedRanges, Stateful, adapt_batch_norm, convert, fold_batch_norm

KEY = jr.key(1)
CROSSBAR = ms.Crossbar(pcm_joshi2020(), dac=ms.DAC(8), adc=ms.ADC(8))
pytestmark = pytest.mark.slow


class Recurrent(eqx.Module):
    cell: eqx.nn.GRUCell
    readout: eqx.nn.Linear

    def __init__(self, key):
        self.cell = eqx.nn.GRUCell(4, 8, key=key)
        self.readout = eqx.nn.Linear(8, 3, key=key)

    def __call__(self, xs):
        state, _ = jax.lax.scan(lambda h, x: (self.cell(x, h), None), jnp.zeros(8), xs)
        return self.readout(state)


class Attentive(eqx.Module):
    """One block, applied three times by a scan."""

    attention: eqx.nn.MultiheadAttention
    norm: eqx.nn.LayerNorm
    readout: eqx.nn.Linear

    def __init__(self, key):
        self.attention = eqx.nn.MultiheadAttention(2, 4, key=key)
        self.norm = eqx.nn.LayerNorm(4)
        self.readout = eqx.nn.Linear(4, 3, key=key)

    def __call__(self, xs):
        def block(x, _):
            y = jax.vmap(self.norm)(x)
            return x + self.attention(y, y, y), None

        x, _ = jax.lax.scan(block, xs, None, length=3)
        return self.readout(x.mean(axis=0))


class Normed(eqx.Module):
    conv: eqx.nn.Conv1d
    norm: eqx.nn.BatchNorm
    readout: eqx.nn.Linear
    dropout: eqx.nn.Dropout

    def __init__(self, key):
        self.conv = eqx.nn.Conv1d(4, 6, 3, padding=1, key=key)
        self.norm = eqx.nn.BatchNorm(6, "batch", mode="batch")
        self.readout = eqx.nn.Linear(6, 3, key=key)
        self.dropout = eqx.nn.Dropout(0.1)

    def __call__(self, xs, state, *, key=None):
        x, state = self.norm(self.conv(xs.T), state)
        return self.readout(self.dropout(jax.nn.relu(x).mean(axis=1), key=key)), state


def data():
    rng = np.random.default_rng(0)
    xs = rng.normal(size=(48, 6, 4)).astype(np.float32)
    labels = np.arange(48) % 3
    xs[np.arange(48), :, labels] += 1.5
    return xs, labels


def stateful():
    model = Stateful(*eqx.nn.make_with_state(Normed)(KEY))
    keys, xs = jr.split(KEY, 48), jnp.asarray(data()[0])
    for _ in range(3):
        _, state = jax.vmap(model.update, out_axes=(0, None), axis_name="batch")(xs, key=keys)
        model = Stateful(model.model, state)
    still = eqx.nn.inference_mode(adapt_batch_norm(model, xs))
    return eqx.tree_at(lambda m: m.model.dropout.inference, still, False)


@pytest.mark.parametrize("make", [lambda: Recurrent(KEY), lambda: Attentive(KEY), stateful])
def test_a_model_is_trained_and_studied_as_it_is(make):
    model, sets = convert(make()), ms.data.Dataset(*data())
    design = ms.calibrate(model, sets.inputs, CROSSBAR)
    start, splits = LearnedRanges(model, design), ms.data.Splits(sets, sets, sets)
    found = ms.train.fit(
        start,
        splits,
        key=KEY,
        hardware=ms.train.SampledChip(design),
        epochs=1,
        batch_size=16,
        loss=ms.train.cross_entropy,
    )
    assert all(full != start.full_scales[path] for path, full in found.full_scales.items())
    result = ms.study.robustness(found, sets, CROSSBAR, chips=1, times=[0.0], key=KEY)
    assert 0.0 <= float(result.accuracy.mean()) <= 1.0


def test_errors_of_a_recurrent_model_are_attributed_within_its_loop():
    sets = ms.data.Dataset(*data())
    effects = ms.study.attribute(
        convert(Recurrent(KEY)), sets, ms.Crossbar(pcm_joshi2020()), chips=1, recordings=8, key=KEY
    )
    assert set(effects.layer.values) == {".cell.weight_ih", ".cell.weight_hh", ".readout"}
    assert np.isfinite(effects.output_error.values).all()


def test_a_folded_and_an_adapted_model_are_studied_as_any_other():
    sets = ms.data.Dataset(*data())
    model = convert(stateful())
    folded = fold_batch_norm(model, sets.inputs[0])
    assert len(ms.nn.analog_layers(folded)) == 2
    design = ms.calibrate(folded, sets.inputs, CROSSBAR)
    ms.study.robustness(folded, sets, design, chips=1, times=[0.0], key=KEY)
    drifting = eqx.tree_at(lambda c: c.compensation, CROSSBAR, None)
    chip = ms.deploy(model, ms.calibrate(model, sets.inputs, drifting), 1e7, key=KEY)
    adapted = adapt_batch_norm(chip, sets.inputs, key=KEY)
    wanted = jax.vmap(eqx.nn.inference_mode(model))(jnp.asarray(sets.inputs))

    def error(chip):
        still = eqx.nn.inference_mode(chip)
        found = jax.vmap(lambda x, k: ms.nn.call(still, x, key=k))(jnp.asarray(sets.inputs), jr.split(KEY, 48))
        return float(jnp.mean((found - wanted) ** 2))

    assert error(adapted) < 0.8 * error(chip)  # that of the layer after the last norm is left
