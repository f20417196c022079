"""Drift compensation of a whole layer, and against what ideal cells would give."""

import itertools

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
from helpers import slow
from memsim import ADC, DAC, BitSliced, Crossbar, DifferentialPair, GlobalDriftCompensation, Reads, ResistiveWires

HOUR, T_0 = 3600.0, 20.0
MEASURES = ["patterns", "identity", "summed current"]
w = np.asarray(jr.normal(jr.key(0), (5, 6)))


class Short(dm.AbstractDevice):
    """Cells that are written to a share of their target, and drift by a law of their conductance."""

    g_min: float = 0.0
    g_max: float = 25e-6
    share: float = 0.7
    nu: float = 0.08

    def program(self, target, *, key):
        return self.share * target

    def conductance(self, cells, t):
        return cells * (1 + t / T_0) ** -(self.nu * (1 - 0.7 * cells / self.g_max))


def size(measure):
    """What each cell of a pair counts in its level: in currents, those of the bit line's own scale."""
    return np.abs(w) if measure == "identity" else np.abs(w) / np.abs(w).max(1, keepdims=True)


def decay(share):
    return (1 + HOUR / T_0) ** -(0.08 * (1 - 0.7 * share * np.abs(w) / np.abs(w).max(1, keepdims=True)))


def effective(measure, t, *, tile=(9, 9), device=None, **settings):
    compensation = GlobalDriftCompensation(measure=measure, **settings)
    design = Crossbar(device or Short(), compensation=compensation, tile=tile, reads=Reads("off"))
    return np.asarray(design.program(w, key=jr.key(0)).at(t).effective_weight)


@pytest.mark.parametrize("measure", ["identity", "summed current"])
def test_a_layer_has_one_factor_by_numpy(measure):
    rows = [slice(0, 4), slice(4, 6)]
    scale = np.stack([np.abs(w[:, r]).max(1) for r in rows])  # of each row tile and bit line
    share = np.concatenate([np.abs(w[:, r]) / scale[k][:, None] for k, r in enumerate(rows)], axis=1)
    left = (1 + HOUR / T_0) ** -(0.08 * (1 - 0.7 * share))
    cells = np.abs(w) if measure == "identity" else share
    reduce = np.mean if measure == "identity" else np.sum

    def level(cells):
        return np.mean([reduce(cells[:, r], axis=1) for r in rows])

    found = effective(measure, HOUR, tile=(4, 3), device=Short(share=1.0), per="layer")
    np.testing.assert_allclose(found, w * left * level(cells) / level(cells * left), rtol=1e-4)


@pytest.mark.slow
def test_a_layer_of_one_bit_line_is_one_tile():
    for measure in MEASURES:
        design = [
            Crossbar(Short(), compensation=GlobalDriftCompensation(measure=measure, per=per), reads=Reads("off"))
            for per in ("layer", "bit line", "tile")
        ]
        found = [np.asarray(d.program(w[:1], key=jr.key(0)).at(HOUR).effective_weight) for d in design]
        np.testing.assert_allclose(found[0], found[1], rtol=1e-6)
        np.testing.assert_allclose(found[0], found[2], rtol=1e-6)


QUICK = (("patterns", "tile"), ("identity", "layer"), ("summed current", "bit line"))  # each of both once


@pytest.mark.parametrize(
    "measure, per",
    [
        (measure, per) if (measure, per) in QUICK else slow(measure, per)
        for measure, per in itertools.product(MEASURES, ("tile", "bit line", "layer"))
    ],
)
def test_an_ideal_reference_takes_out_a_gain_of_the_write(measure, per):
    flat = Short(nu=0.0)
    np.testing.assert_allclose(effective(measure, 0.0, device=flat, per=per), 0.7 * w, rtol=1e-5)
    for tile in ((9, 9), (4, 3)):
        found = effective(measure, 0.0, device=flat, per=per, reference="ideal", tile=tile)
        np.testing.assert_allclose(found, w, rtol=1e-4)


@pytest.mark.parametrize("measure", ["identity", "summed current"])
def test_an_ideal_reference_after_drift_by_numpy(measure):
    for per, axis in (("tile", None), ("layer", None), ("bit line", 1)):
        found = effective(measure, HOUR, per=per, reference="ideal")
        now = 0.7 * decay(0.7)
        factor = size(measure).sum(axis, keepdims=True) / (size(measure) * now).sum(axis, keepdims=True)
        np.testing.assert_allclose(found, w * now * factor, rtol=1e-4, err_msg=per)


@pytest.mark.parametrize("mapping", [slow(DifferentialPair()), BitSliced(DifferentialPair(), 2, 4)])
def test_an_ideal_reference_is_read_through_converters(mapping):
    weights = np.asarray(jr.normal(jr.key(1), (32, 64)))
    compensation = GlobalDriftCompensation(reference="ideal")
    design = Crossbar(
        Short(nu=0.0), mapping, DAC(8), ADC(10, 8.0), compensation=compensation, tile=(32, 16), reads=Reads("off")
    )
    found = np.asarray(design.deploy(weights, 0.0, key=jr.key(0)).effective_weight)
    gain = (found * weights).sum() / (weights**2).sum()
    np.testing.assert_allclose(gain, 1.0, atol=0.01)  # of codes of a thousandth


@pytest.mark.slow
def test_an_ideal_reference_takes_out_the_mean_loss_of_wires():
    weights = np.asarray(jr.normal(jr.key(1), (16, 64)))
    gains = {}
    for reference in ("written", "ideal"):
        compensation = GlobalDriftCompensation(reference=reference, measure="identity")
        design = Crossbar(dm.Ideal(), wires=ResistiveWires(20.0, 20.0), compensation=compensation)
        found = np.asarray(design.deploy(weights, 0.0, key=jr.key(0)).effective_weight)
        gains[reference] = np.abs(found).sum() / np.abs(weights).sum()
    assert gains["written"] < 0.99
    np.testing.assert_allclose(gains["ideal"], 1.0, atol=1e-3)


def test_lines_of_zeros_keep_their_factor():
    zeros = jnp.zeros((5, 6)).at[0, :3].set(0.3)
    for per in ("tile", "bit line", "layer"):
        compensation = GlobalDriftCompensation(per=per, reference="ideal")
        design = Crossbar(Short(nu=0.0), compensation=compensation, tile=(4, 3), reads=Reads("off"))
        found = np.asarray(design.deploy(zeros, 0.0, key=jr.key(0)).effective_weight)
        np.testing.assert_allclose(found, zeros, atol=1e-5)
