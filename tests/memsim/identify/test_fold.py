"""Many reads are turned into as many sums as there are inputs, which tell as much."""

import numpy as np

import device_models as dm
import memsim as ms
from memsim.identify._fold import Reads, folded


def test_turned_reads_leave_the_squares_of_every_array_as_they_are():
    rng = np.random.default_rng(0)
    x, y, weight = rng.normal(size=(50, 4)), rng.normal(size=(50, 3)), np.tile(rng.uniform(1, 9, 3), (50, 1))
    few = folded(Reads(x, np.ones(50), y, weight))
    assert few.x.shape == (5, 4) and few.y.shape == (5, 3)
    for _ in range(5):
        matrix, offset = rng.normal(size=(4, 3)), rng.normal(size=3)
        plain = np.sum(weight * (y - x @ matrix - offset) ** 2)
        turned = np.sum(few.weight * (few.y - few.x @ matrix - few.level[:, None] * offset) ** 2) + few.rest
        np.testing.assert_allclose(turned, plain, rtol=1e-12)


def test_reads_of_different_weight_and_few_ones_stay():
    x, y, weight = np.eye(8, 3), np.ones((8, 2)), np.ones((8, 2))
    for reads in (Reads(x[:4], np.ones(4), y[:4], weight[:4]), Reads(x, np.ones(8), y, weight * (1 + x[:, :2]))):
        assert folded(reads) is reads


def test_many_reads_tell_what_those_told_that_are_not_turned(monkeypatch):
    rng = np.random.default_rng(1)
    device, wires = dm.Ideal(1e-6, 100e-6), ms.ResistiveWires(1.0, 1.0)
    g, x = rng.uniform(1e-6, 100e-6, (6, 4)), 0.2 * rng.choice([-1.0, 1.0], (40, 6))
    y = x @ g + 1e-7 * rng.normal(size=(40, 4))
    design, known = ms.identify.Circuit(device, 6, 4, wires), ms.identify.Known(noise=1e-7)
    turned = ms.identify.infer(x, y, design, known)
    monkeypatch.setattr("memsim.identify._infer.folded", lambda reads: reads)
    plain = ms.identify.infer(x, y, design, known)
    width = plain.conductances.std
    np.testing.assert_allclose(turned.conductances.mean, plain.conductances.mean, atol=1e-2 * width.min())
    np.testing.assert_allclose(turned.conductances.std, width, rtol=1e-3)
    np.testing.assert_allclose(turned.fit.of_reads, plain.fit.of_reads, rtol=1e-3)
    np.testing.assert_allclose(
        [turned.fit.degrees, turned.fit.squared], [plain.fit.degrees, plain.fit.squared], rtol=1e-3
    )
