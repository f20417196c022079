"""Published chips as designs: each multiplies as its bits allow."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from memsim import recipes

# Relative error of a product of random matrices that the published bits allow, with cells that are exact.
ERRORS = {
    "rasch2023": (1e-3, 0.06),
    "hermes": (1e-3, 0.03),
    "neurram": (1e-2, 0.16),
    "sonos": (1e-3, 0.05),
    "isaac": (1e-6, 1e-4),
}


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_a_recipe_multiplies_as_its_bits_allow(name):
    w, x = jr.normal(jr.key(0), (16, 100)) / 4, jr.uniform(jr.key(1), (32, 100), minval=-1.0)
    design = recipes.RECIPES[name](dm.Ideal())
    y = design.deploy(w, 0.0, key=jr.key(2))(x, key=jr.key(3))
    error = float(jnp.sqrt(jnp.mean((y - x @ w.T) ** 2) / jnp.mean((x @ w.T) ** 2)))
    low, high = ERRORS[name]
    assert low < error < high


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_a_recipe_takes_a_device_and_has_one(name):
    assert recipes.RECIPES[name](dm.pcm_hermes1()).device == dm.pcm_hermes1()
    assert isinstance(recipes.RECIPES[name]().device, dm.AbstractDevice)


def test_the_amplifier_noise_of_the_standard_point_is_four_hundredths_of_a_cell():
    """20 000 reads of a silent input: standard deviation within 4 standard errors (1/sqrt(2 n)), rounding included."""
    design = ms.Crossbar(
        dm.Ideal(), adc=ms.ADC(None, 10.0), reads=ms.Reads(sense=ms.SenseAmplifier(noise=0.04)), compensation=None
    )
    matrix = design.deploy(jnp.ones((1, 4)), 0.0, key=jr.key(0))
    y = np.asarray(jax.jit(lambda key: matrix(jnp.zeros((20_000, 4)), key=key))(jr.key(1)))
    assert abs(y.std() / 0.04 - 1) < 4 / np.sqrt(2 * 20_000)
    assert abs(y.mean()) < 4 * 0.04 / np.sqrt(20_000)
    with pytest.raises(ValueError, match="A noisy read needs `key=`"):
        matrix(jnp.zeros(4))


def test_bits_beyond_the_chip_are_told():
    with pytest.raises(ValueError, match="`input_bits` must be a whole number from 2 to 8"):
        recipes.neurram(input_bits=9)
