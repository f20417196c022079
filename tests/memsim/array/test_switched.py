"""Effects that are switched off by numbers leave the same array as those that are taken out of the design."""

import dataclasses
from functools import reduce

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from helpers import slow
from memsim._array import switched

SENSE = ms.SenseAmplifier(series_resistance=50.0, offset=1e-3, saturation=0.2, noise=0.04)
ERRORS = ms.ConverterErrors(gain=0.05, offset=0.5, inl=0.5)
PCM = dm.pcm_joshi2020()
LEVELS = ms.Crossbar(
    dm.StuckCells(PCM, 0.02, 0.02),
    dac=ms.DAC(5, 0.5, ERRORS),
    adc=ms.ADC(5, 2.0, errors=ERRORS),
    compensation=None,
    tile=(8, 8),
    reads=ms.Reads(sense=SENSE),
)
WIRES = ms.Crossbar(
    PCM,
    dac=ms.PulseWidthDAC(4, 0.8),
    adc=ms.SAR(6, 3.0, mismatch=0.1),
    wires=ms.ResistiveWires(20.0, 20.0),
    compensation=None,
    reads=ms.Reads("per_read"),
)
SERIAL = ms.Crossbar(PCM, mapping=ms.OffsetColumn(), dac=ms.BitSerialDAC(4, 0.8), adc=ms.ADC(5, rounding="stochastic"))
REMOVED = [
    *((LEVELS, (effect,)) for effect in ("ADC", "sense amplifier")),
    *(slow(LEVELS, (effect,)) for effect in ("stuck cells", "DAC", "saturation")),
    slow(WIRES, ()),
    slow(WIRES, ("read noise", "DAC")),
    (WIRES, ("ADC", "IR drop")),
    (SERIAL, ("DAC", "saturation")),
]
W = jr.normal(jr.key(0), (6, 12))
X = jr.uniform(jr.key(1), (5, 12), minval=-1.0, maxval=1.0)


@eqx.filter_jit
def read(design: ms.Crossbar):
    matrix = design.deploy(W, 3600.0, key=jr.key(2))
    clipped = matrix.clipping(X, key=jr.key(3))
    return matrix(X, key=jr.key(3)), matrix.effective_weight, clipped.dac, clipped.adc


@pytest.mark.parametrize(("design", "removed"), REMOVED)
def test_an_effect_that_is_switched_off_is_as_if_it_were_not_in_the_design(design, removed):
    plain = reduce(ms.without, removed, design)
    for found, expected in zip(read(switched(design, removed)), read(plain), strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)


def test_designs_that_differ_in_what_is_switched_off_are_of_one_structure():
    every = [switched(WIRES, (effect,)) for effect in ms.effects(WIRES)]
    assert len({jax.tree.structure(one) for one in every}) == 1
    shapes = [[(jnp.shape(leaf), jnp.result_type(leaf)) for leaf in jax.tree.leaves(one)] for one in every]
    assert all(shape == shapes[0] for shape in shapes)
    levelled = dataclasses.replace(WIRES, device=dm.Levels(PCM, 8))
    assert len({jax.tree.structure(switched(levelled, (effect,))) for effect in ms.effects(levelled)}) == 2
