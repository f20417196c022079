"""Remedies find what closed forms and other solvers find, and take what they say."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from memsim.heal._adapters import nearest
from memsim.heal._spent import Known

YEAR = 3.15e7


class Fading(dm.AbstractDevice):
    """Cells that all lose the same share with time: a tenth at a year."""

    g_min: float = 0.0
    g_max: float = 25e-6

    def program(self, target, *, key):
        return target

    def conductance(self, cells, t):
        return cells * (1.0 - 0.1 * t / YEAR)


NOISY = dm.Gaussian(0.0, 25e-6, write_noise=dm.curves.Constant(4e-6))
FADED = ms.Crossbar(Fading(), adc=ms.ADC(None, 1e3), compensation=None, tile=(3, 8))


def linear(inputs=4, outputs=3):
    return ms.nn.SpikingNetwork([ms.nn.Linear(inputs, outputs, key=jr.key(0))])


def two_layers():
    keys = jr.split(jr.key(5))
    layers = [ms.nn.Linear(4, 6, key=keys[0]), eqx.nn.Lambda(jnp.tanh), ms.nn.Linear(6, 3, key=keys[1])]
    return ms.nn.SpikingNetwork(layers)


def classes(n=64, inputs=4, outputs=3):
    """Samples of one step, whose class is that of the largest of some products."""
    rng = np.random.default_rng(0)
    xs = rng.uniform(size=(n, 1, inputs)).astype(np.float32)
    return ms.data.Dataset(xs, np.argmax(xs[:, 0] @ rng.normal(size=(inputs, outputs)), axis=1))


def on_chip(model, crossbar):
    return ms.program(model, crossbar, key=jr.key(1))


def test_gains_bring_back_what_all_cells_have_lost():
    model, data = linear(), classes()
    mended = ms.heal.LineGains(8)(model, on_chip(model, FADED), data, t=YEAR, key=jr.key(2))
    np.testing.assert_allclose(mended.repair.added[".layers[0]"].gain, np.full((2, 3), 1 / 0.9), rtol=1e-4)
    np.testing.assert_allclose(mended.model(data.inputs[0]), model(data.inputs[0]), atol=1e-5)
    assert (mended.spent.reads, mended.spent.parameters, mended.spent.writes) == (8, 6, 0)


def test_a_repair_fits_a_later_moment():
    model, data = linear(), classes()
    found = ms.heal.LineGains(8)(model, on_chip(model, FADED), data, t=YEAR, key=jr.key(2)).repair
    later = found.on(ms.at(found.chip, 2 * YEAR))
    w = 0.8 / 0.9 * np.asarray(model.layers[0].weight, float)
    np.testing.assert_allclose(
        later(data.inputs[0]), data.inputs[0] @ w.T + np.asarray(model.layers[0].bias), atol=1e-5
    )


def test_the_last_layer_comes_to_the_least_squares_of_numpy():
    rng = np.random.default_rng(0)
    xs = rng.normal(size=(96, 1, 4)).astype(np.float32)
    ys = (xs[:, 0] @ rng.normal(size=(4, 3)) + 0.1 * rng.normal(size=(96, 3))).astype(np.float32)
    model = ms.nn.SpikingNetwork([ms.nn.Linear(4, 3, use_bias=False, key=jr.key(0))])
    remedy = ms.heal.LastLayer(updates=400, batch=96, rate=0.1)
    mended = remedy(model, on_chip(model, ms.Crossbar(NOISY)), (xs, ys), t=0.0, key=jr.key(2))
    best, *_ = np.linalg.lstsq(xs[:, 0].astype(float), ys.astype(float), rcond=None)
    found = mended.model.layers[0].weight.effective_weight.T
    # Batches are drawn with replacement: the mean of the last ones is off by some per cent of the residual.
    np.testing.assert_allclose(found, best, atol=0.02)


@pytest.mark.parametrize("backward", ["moment", "model"])
def test_adapters_of_low_rank_lower_the_loss_and_leave_the_chip(backward):
    model, data = two_layers(), classes(128)
    chip = on_chip(model, ms.Crossbar(NOISY, reads=ms.Reads("off")))
    remedy = ms.heal.Adapters(2, lines=True, updates=60, batch=32, rate=2e-2, backward=backward)
    mended = remedy(model, chip, data, t=0.0, key=jr.key(2))
    assert eqx.tree_equal(mended.repair.chip, chip)
    for one in mended.repair.added.values():
        assert np.linalg.matrix_rank(np.asarray(one.factors[0] @ one.factors[1]), tol=1e-5) <= 2
    loss = [
        float(jnp.mean(jax.vmap(ms.train.cross_entropy)(jax.vmap(each)(data.inputs), jnp.asarray(data.labels))))
        for each in (ms.at(chip, 0.0), mended.model)
    ]
    assert loss[1] < 0.8 * loss[0]
    assert mended.spent.parameters == 2 * (4 + 6 + 6 + 3) + 2 * (6 + 3)
    assert mended.spent.parameters == sum(one.parameters for one in mended.repair.added.values())


def test_norms_have_the_statistics_of_the_chip():
    class Normed(eqx.Module):
        layer: ms.nn.Linear
        norm: eqx.nn.BatchNorm

        def __call__(self, x, state):
            return self.norm(self.layer(x), state)

    norm = eqx.nn.make_with_state(lambda: Normed(ms.nn.Linear(4, 3, key=jr.key(0)), batch_norm()))
    made, state = norm()
    model = ms.nn.Stateful(made, state)
    xs = np.random.default_rng(0).normal(size=(32, 4)).astype(np.float32)
    chip = on_chip(model, ms.Crossbar(NOISY, reads=ms.Reads("off")))
    mended = ms.heal.Renormalise(32)(model, chip, (xs, np.arange(32) % 3), t=0.0, key=jr.key(2))
    layer = mended.model.model.layer
    seen = xs.astype(float) @ np.asarray(layer.weight.effective_weight, float).T + np.asarray(layer.bias)
    found = jax.vmap(eqx.nn.inference_mode(mended.model))(xs)
    np.testing.assert_allclose(found, (seen - seen.mean(0)) / np.sqrt(seen.var(0) + 1e-5), atol=2e-3)
    assert mended.spent.parameters == 6


def batch_norm():
    return eqx.nn.BatchNorm(3, "batch", mode="ema", eps=1e-5)


def known(model, crossbar, xs, t=0.0):
    chip = on_chip(model, crossbar)
    return Known.of(chip, ms.at(chip, t, key=jr.key(0)), t, jnp.asarray(xs), ms.energy.Periphery(), jr.key(0))


def test_reads_of_a_sample_are_steps_and_pixels():
    recurrent = ms.nn.Recurrent(ms.nn.LIF(5), ms.nn.Linear(5, 5, use_bias=False, key=jr.key(0)))
    network = ms.nn.SpikingNetwork([ms.nn.Linear(4, 5, key=jr.key(0)), recurrent])
    found = known(network, ms.Crossbar(dm.Ideal()), np.ones((2, 7, 4), np.float32))
    assert [layer.reads for layer in found.layers.values()] == [7, 7]
    conv = ms.nn.convert(eqx.nn.Sequential([eqx.nn.Conv2d(1, 2, 3, key=jr.key(0)), eqx.nn.Lambda(jnp.ravel)]))
    found = known(conv, ms.Crossbar(dm.Ideal()), np.ones((2, 1, 6, 5), np.float32))
    assert [layer.reads for layer in found.layers.values()] == [4 * 3]


def test_joules_are_those_of_the_energy_of_as_many_samples():
    model, data = linear(), classes(4)
    crossbar = ms.Crossbar(dm.Ideal(), dac=ms.DAC(8), adc=ms.ADC(8))
    of = ms.energy.of(on_chip(model, crossbar), jnp.asarray(data.inputs), key=jr.key(0))
    _, spent = ms.heal.LastLayer(10, batch=3).planned(known(model, crossbar, data.inputs), ms.heal.Budget())
    np.testing.assert_allclose(spent.joules, 30 * float(of.joules.sum(["layer", "component"]).mean()), rtol=1e-5)


def test_a_circuit_whose_energy_is_not_known_is_mended_all_the_same():
    model, data = linear(), classes()
    crossbar = ms.Crossbar(Fading(), adc=ms.ADC(None, 1e3), compensation=None)
    mended = ms.heal.LineGains(4)(model, on_chip(model, crossbar), data, t=0.0, key=jr.key(2))
    assert np.isnan(mended.spent.joules)
    assert "must have bits" in known(model, crossbar, data.inputs).unknown


@pytest.mark.parametrize(
    ("remedy", "budget", "message"),
    [
        (ms.heal.LineGains(), {"reads": 3}, r"`budget.reads` must be at least 4 for LineGains"),
        (ms.heal.LineGains(), {"parameters": 5}, r"`budget.parameters` must be at least 6 for LineGains"),
        (ms.heal.Adapters(1, batch=8), {"reads": 79}, r"`budget.reads` must be at least 80 for Adapters: 10 updates"),
        (ms.heal.Adapters(2), {"parameters": 13}, r"`budget.parameters` must be at least 14 for Adapters of rank 2"),
        (ms.heal.LastLayer(), {"parameters": 11}, r"at least 12 for LastLayer"),
        (ms.heal.Rewrite(), {"reads": 3}, r"`budget.reads` must be at least 4 for Rewrite"),
        (ms.heal.Rewrite(0.05), {}, r"must allow at least one of 12 weights"),
        (ms.heal.Renormalise(), {}, r"must have batch norms"),
        (ms.heal.Adapters(1, layers=(".layer[0]",)), {}, r"`layers`.*\.layers\[0\]"),
    ],
)
def test_too_small_a_budget_is_told(remedy, budget, message):
    with pytest.raises(ValueError, match=message):
        remedy.planned(PLAIN, ms.heal.Budget(**budget))


PLAIN = Known({".layers[0]": ms.heal.Layer(4, 3, 2, 1.0, True, 1e-12, 1e-12)}, 1e-12, 64, 0, "")


def test_a_budget_shortens_what_can_be_shorter():
    shorter, spent = ms.heal.Adapters(1, updates=300, batch=8).planned(PLAIN, ms.heal.Budget(reads=100))
    assert (shorter.updates, spent.reads) == (12, 96)
    fewer, spent = ms.heal.Rewrite(0.5, repeats=4).planned(PLAIN, ms.heal.Budget(reads=8, writes=2))
    assert (fewer.repeats, spent.reads, spent.writes) == (2, 8, 2)


def test_a_model_without_chips_and_other_faults_are_told():
    model, data, key = linear(), classes(), jr.key(0)
    chip, remedy = on_chip(model, FADED), ms.heal.LineGains(4)
    with pytest.raises(ValueError, match=r"layers are programmed chips. Got none"):
        remedy(model, model, data, t=0.0, key=key)
    with pytest.raises(ValueError, match=r"must be `model` on chips. Got other sizes"):
        remedy(linear(outputs=5), chip, data, t=0.0, key=key)
    with pytest.raises(ValueError, match="finite"):
        remedy(model, chip, (np.full((2, 1, 4), np.nan, np.float32), np.array([0, 1])), t=0.0, key=key)
    saturated = on_chip(model, ms.Crossbar(dm.Ideal(), adc=ms.ADC(8, 1e-3)))
    with pytest.raises(ValueError, match=r"clip at most 20%.*currents of the ADC of \.layers\[0\].*calibrate"):
        remedy(model, saturated, data, t=0.0, key=key)


def test_adapters_in_closed_form_are_the_best_matrix_of_their_rank():
    """Against numpy: the least squares fit cut to its rank where its outputs are largest (Eckart and Young)."""
    rng = np.random.default_rng(0)
    x, missing = rng.normal(size=(200, 6)), rng.normal(size=(200, 4))
    fit, *_ = np.linalg.lstsq(x, missing, rcond=None)
    u, s, vt = np.linalg.svd(x @ fit, full_matrices=False)
    best = np.linalg.norm(missing - u[:, :2] * s[:2] @ vt[:2])
    a, b = nearest(jnp.asarray(x, jnp.float32), jnp.asarray(missing, jnp.float32), 2)
    assert (a.shape, b.shape) == ((6, 2), (2, 4))
    assert np.linalg.norm(missing - x @ np.asarray(a) @ np.asarray(b)) == pytest.approx(best, rel=1e-4)


def test_adapters_of_full_rank_from_reads_undo_what_cells_have_lost():
    model, data = linear(), classes()
    remedy = ms.heal.Adapters(3, updates=0, start="reads", patterns=64)
    mended = remedy(model, on_chip(model, FADED), data, t=YEAR, key=jr.key(2))
    np.testing.assert_allclose(mended.model(data.inputs[0]), model(data.inputs[0]), atol=2e-3)
    assert (mended.spent.reads, mended.spent.parameters, mended.spent.multiplications) == (64, 21, 21)


@pytest.mark.parametrize("start", ["reads", "random"])
def test_adapters_wider_than_a_layer_keep_what_is_counted_and_no_more_than_full_rank(start):
    model, data = linear(), classes()
    remedy = ms.heal.Adapters(99, updates=10, batch=8, start=start, patterns=64)
    mended = remedy(model, on_chip(model, FADED), data, t=YEAR, key=jr.key(2))
    assert mended.spent.parameters == sum(one.parameters for one in mended.repair.added.values()) == 3 * (4 + 3)
    assert mended.spent.multiplications == 21


def test_biases_are_tuned_beside_layers_without_adapters():
    model, data = two_layers(), classes()
    remedy = ms.heal.Adapters(1, updates=3, batch=4, layers=(".layers[2]",), biases=(".layers[0]",))
    mended = remedy(model, on_chip(model, ms.Crossbar(NOISY)), data, t=0.0, key=jr.key(2))
    added = mended.repair.added
    assert added[".layers[0]"].factors == () and added[".layers[0]"].offset.shape == (6,)
    assert added[".layers[2]"].offset is None
    assert mended.spent.parameters == sum(one.parameters for one in added.values()) == 6 + 6 + 3


def test_adapters_without_updates_must_start_from_reads():
    with pytest.raises(ValueError, match="`updates` must be at least 1"):
        ms.heal.Adapters(updates=0)
    with pytest.raises(ValueError, match="A path in `biases`"):
        remedy = ms.heal.Adapters(biases=(".layers[9]",))
        remedy(linear(), on_chip(linear(), FADED), classes(), t=0.0, key=jr.key(2))
