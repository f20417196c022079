"""Weights keep their precision where JAX's floats are of 64 bits, whatever the cells and the design."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from helpers import DEVICES, EVERY_DEVICE
from memsim.train._sloped import with_sloped_cells

PCM, MILO = dm.pcm_joshi2020(), dm.rram_milo2021()
CONVERTERS = {"dac": ms.DAC(8), "adc": ms.ADC(8)}
DESIGNS = {
    "converters": ms.Crossbar(PCM, **CONVERTERS),
    "pulse by pulse": ms.Crossbar(PCM, dac=ms.BitSerialDAC(4), adc=ms.ADC(8)),
    "offset column": ms.Crossbar(PCM, mapping=ms.OffsetColumn(), **CONVERTERS),
    "nonlinear": ms.Crossbar(MILO, mapping=ms.OffsetColumn(), **CONVERTERS),
    "amplifiers": ms.Crossbar(PCM, reads=ms.Reads(sense=ms.SenseAmplifier(offset=1e-3, noise=0.04)), adc=ms.ADC(8)),
    "nonlinear, amplifiers": ms.Crossbar(MILO, reads=ms.Reads(sense=ms.SenseAmplifier(noise=0.04)), adc=ms.ADC(8)),
    "wires": ms.Crossbar(PCM, wires=ms.ResistiveWires(2.0, 2.0)),
    "correlated reads": ms.Crossbar(PCM, reads=ms.Reads(ms.Correlated(dm.noise.White(), 1e-3))),
    "white reads": ms.Crossbar(PCM, reads=ms.Reads("per_read")),
    "no compensation": ms.Crossbar(PCM, compensation=None),
}


def read(design, w, x, t):
    return jnp.sum(design.deploy(w, t, key=jr.key(1))(x, key=jr.key(2)))


def dtypes_of_value_and_gradient(design, dtype, t=3600.0):
    """Traced only: widths that do not fit together are an error there, as promotion is strict."""
    w, x = jax.ShapeDtypeStruct((3, 4), dtype), jax.ShapeDtypeStruct((4,), dtype)
    value, slope = jax.eval_shape(jax.value_and_grad(lambda w, x: read(design, w, x, t)), w, x)
    return value.dtype, slope.dtype


@pytest.mark.parametrize("dtype", (jnp.float32, jnp.float64))
@pytest.mark.parametrize("name", EVERY_DEVICE)
def test_weights_on_cells_keep_their_precision_in_reads_and_gradients(name, dtype):
    design = ms.Crossbar(DEVICES[name])
    with jax.enable_x64(True):
        assert dtypes_of_value_and_gradient(design, dtype) == (dtype, dtype)
        assert dtypes_of_value_and_gradient(with_sloped_cells(design), dtype) == (dtype, dtype)


@pytest.mark.parametrize("name", DESIGNS)
def test_weights_keep_their_precision_in_every_design(name):
    with jax.enable_x64(True):
        assert dtypes_of_value_and_gradient(DESIGNS[name], jnp.float32) == (jnp.float32, jnp.float32)


@pytest.mark.parametrize("how", ("keep", "redraw", "walk"))
def test_cells_of_32_bits_take_an_age_of_64(how):
    device = PCM.remembering(how)
    cells = device.program(jnp.full(5, 1e-5), key=jr.key(0))
    one_width = device.conductance(cells, jnp.asarray(3600.0))
    with jax.enable_x64(True):
        age = jnp.asarray(3600.0)
        assert age.dtype == jnp.float64
        two_widths = device.conductance(cells, age)
    assert two_widths.dtype == jnp.float32
    np.testing.assert_allclose(two_widths, one_width, rtol=1e-5)


def test_a_read_of_32_bits_is_the_same_where_floats_have_64():
    w, x = jr.normal(jr.key(0), (3, 4)), jnp.ones(4)
    design = ms.Crossbar(PCM, **CONVERTERS, reads=ms.Reads("off"))
    before = design.deploy(w, 3600.0, key=jr.key(1))(x)
    with jax.enable_x64(True):
        after = design.deploy(w, 3600.0, key=jr.key(1))(x)
    assert after.dtype == jnp.float32
    np.testing.assert_allclose(after, before, rtol=1e-4)


@pytest.mark.parametrize("name", ("converters", "no compensation", "amplifiers"))
def test_a_chip_that_was_programmed_in_32_bits_is_read_where_floats_have_64(name):
    """Traced only: whole numbers of its memory, such as how many lines a pattern drives, are of 32 bits there."""
    chip = DESIGNS[name].program(jr.normal(jr.key(0), (3, 4)), key=jr.key(1))
    with jax.enable_x64(True):
        x = jax.ShapeDtypeStruct((4,), jnp.float32)
        found = jax.eval_shape(lambda x: chip.at(3600.0, key=jr.key(2))(x, key=jr.key(3)), x)
    assert found.dtype == jnp.float32
