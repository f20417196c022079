"""Experiments label what they write, go on after an interruption, measure what they say, and are drawn to width."""

import csv
import inspect
import json

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr

import memsim as ms
from memsim._cli import load_script

pytestmark = pytest.mark.slow  # minutes together

DIMENSIONS = {
    "noise_kinds": ("accuracy", ("seed", "setting", "steps", "chip", "kind", "noise_scale"), (1, 2, 1, 2, 2, 1)),
    "mismatch": ("accuracy", ("seed", "training", "place", "mismatch", "chip"), (1, 2, 3, 2, 3)),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Quick results by name, each computed once."""
    found = {}

    def quick(name):
        if name not in found:
            out = tmp_path_factory.mktemp(name)
            script = load_script("experiments", name)
            script.run(script.Config(quick=True, out=out))
            found[name] = out
        return found[name]

    return quick


@pytest.mark.parametrize("name", DIMENSIONS)
def test_a_result_is_labelled_with_units_configuration_and_sources(name, results):
    result = ms.study.open_result(results(name) / f"{name}.nc")
    variable, dimensions, shape = DIMENSIONS[name]
    assert result[variable].dims == dimensions and result[variable].shape == shape
    for coordinate in result.variables.values():
        assert coordinate.dtype.kind in "TUO" or "units" in coordinate.attrs
    assert bool(result[variable].notnull().all())
    assert json.loads(result.config)["quick"] and "jax" in json.loads(result.versions)
    assert "Free Spoken Digit" in result.data
    with open(results(name) / f"{name}.csv") as file:
        assert len(list(csv.DictReader(file))) > 0
    assert [path for path in results(name).iterdir() if path.is_dir()] == []


@pytest.mark.parametrize("name", DIMENSIONS)
def test_a_figure_has_journal_width_and_embedded_truetype(name, results, tmp_path):
    module = load_script("figures", name)
    result = results(name) / f"{name}.nc"
    figure = module.figure(ms.study.open_result(result), "nature")
    assert figure.get_figwidth() * 25.4 == pytest.approx(183)
    module.draw(result, tmp_path / name)
    pdf = (tmp_path / f"{name}.pdf").read_bytes()
    assert b"/FontFile2" in pdf and b"/Type3" not in pdf
    assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("noise_kinds", {"device": "ideal"}, "published one"),
        ("noise_kinds", {"noise_scales": (0.0,)}, "positive multiples"),
        ("noise_kinds", {"duration": 0.0}, "in seconds"),
        ("mismatch", {"mismatch": (5.0,)}, "Percent"),
        ("mismatch", {"chips": 0}, "at least 1"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(name, options, message):
    with pytest.raises(ValueError, match=message):
        load_script("experiments", name).Config(**options)


def test_frozen_noise_has_the_variance_of_a_read():
    script = load_script("experiments", "noise_kinds")
    frozen_noise = inspect.getmodule(script.with_differences).frozen
    config = script.Config(noise_scales=(4.0,))
    w = jr.normal(jr.key(0), (6, 5))
    matrix = script.design(config).deploy(w, 0.0, key=jr.key(1))
    draws = 4000
    x = jnp.ones(5)
    white = np.asarray(jax.vmap(lambda key: matrix(x, key=key))(jr.split(jr.key(2), draws)))
    frozen = np.asarray(jax.vmap(lambda key: frozen_noise(matrix, key=key).weight)(jr.split(jr.key(3), draws)))
    variance = np.asarray(matrix.noise.variance)
    # The standard error of a variance of n normal draws is sqrt(2 / n) of it; five of them.
    np.testing.assert_allclose(frozen.var(0), variance, rtol=5 * (2 / draws) ** 0.5)
    np.testing.assert_allclose(white.var(0), variance.sum(0), rtol=5 * (2 / draws) ** 0.5)


def test_growth_is_that_of_the_last_third_over_the_middle_one():
    growth = inspect.getmodule(load_script("experiments", "noise_kinds").with_differences).growth
    steps = xr.DataArray([4, 7], dims="steps", coords={"steps": [4, 7]})
    deviation = xr.DataArray(np.full((2, 7), np.nan), dims=("steps", "step"), coords={"step": np.arange(7)})
    deviation[0, :4] = [9.0, 2.0, 2.0, 3.0]
    deviation[1, :] = [9.0, 9.0, 1.0, 1.0, 1.0, 2.0, 2.0]
    np.testing.assert_allclose(growth(deviation, steps), [0.5, 1.0])


def test_synapse_mismatch_is_a_relative_deviation_of_every_weight():
    design = load_script("experiments", "mismatch").design(jnp.asarray(0.2), jnp.asarray(0.1))
    w = jr.normal(jr.key(0), (100, 100))
    found = np.asarray(design.synapses.deploy(w, 0.0, key=jr.key(1)).effective_weight)
    relative = found / np.asarray(w) - 1
    # 10 000 weights: standard errors 0.001 of the mean and 0.0007 of the deviation; five of them.
    assert abs(relative.mean()) < 0.005 and abs(relative.std() - 0.1) < 0.0035
    lif = design.neurons.fabricate(ms.nn.LIF(10_000, tau_mem=10e-3), key=jr.key(2))
    tau = np.exp(np.asarray(lif.tau_mem.log))
    assert abs(tau.mean() / 10e-3 - 1) < 0.01 and abs(tau.std() / 10e-3 - 0.2) < 0.01


def test_noise_relative_to_the_layer_has_one_size_everywhere_and_leaves_the_gradient_alone():
    w = jnp.array([[0.1, -0.2], [0.5, -2.0]])
    layer = ms.nn.Linear(2, 2, key=jr.key(0))
    noise = ms.train.GaussianNoise(0.1, relative_to="layer")
    draws = 4000

    def changed(w, key):
        model = ms.nn.SpikingNetwork([eqx.tree_at(lambda made: made.weight, layer, w)])
        return noise.sample(model, strength=jnp.ones(()), key=key).layers[0].weight

    found = np.asarray(jax.vmap(lambda key: changed(w, key))(jr.split(jr.key(2), draws)))
    # 0.1 of the largest weight, 2; the standard error of a deviation is 1 / sqrt(2 n) of it; five of them.
    np.testing.assert_allclose(found.std(0), 0.2, rtol=5 / (2 * draws) ** 0.5)
    gradient = jax.grad(lambda w: jnp.sum(jnp.arange(4.0).reshape(2, 2) * changed(w, jr.key(1))))(w)
    np.testing.assert_allclose(gradient, np.arange(4.0).reshape(2, 2))


def test_noise_is_relative_to_the_bit_line_or_the_layer_and_nothing_else(unchecked):
    with pytest.raises(ValueError, match="bit line"):
        ms.train.GaussianNoise(0.1, relative_to="column")
