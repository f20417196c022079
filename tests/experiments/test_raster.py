"""Spikes are paired with the nearest, and the raster experiment and its figure run."""

import numpy as np
import pytest

from memsim._cli import load_script, main
from memsim.study import open_result

pytestmark = pytest.mark.slow  # minutes together


@pytest.fixture(scope="module")
def paired():
    return load_script("experiments", "raster").paired


def trains(*rows):
    """One recording of neurons, each row the steps at which one fires, of 12."""
    found = np.zeros((1, 12, len(rows)))
    for neuron, steps in enumerate(rows):
        found[0, list(steps), neuron] = 1
    return found


def test_spikes_are_paired_one_to_one_the_nearest_first(paired):
    # Neuron 0: 2 stays, 5 moves to 6. Neuron 1: 3 has 2 and 4 at equal distance, and takes one; 9 finds none.
    counts, lost, added = paired(trains([2, 5], [3, 9]), trains([2, 6], [2, 4]), window=2)
    assert counts.tolist() == [0, 1, 1, 1, 0]
    assert (lost, added) == (1, 1)


@pytest.mark.parametrize("shift", [-3, 0, 2])
def test_a_train_that_moves_as_a_whole_has_all_its_spikes_at_that_lag(paired, shift):
    one, other = trains([4]), trains([4 + shift])
    counts, lost, added = paired(one, other, window=3)
    assert counts.sum() == counts[3 + shift] == 1 and lost == added == 0


def test_no_spike_is_paired_across_recordings_or_neurons(paired):
    one = np.concatenate([trains([5], []), trains([], [])])
    other = np.concatenate([trains([], [5]), trains([5], [])])
    counts, lost, added = paired(one, other, window=4)
    assert counts.sum() == 0 and (lost, added) == (1, 2)


def test_every_spike_is_kept_lost_or_added(paired):
    rng = np.random.default_rng(0)
    one, other = (rng.random((3, 40, 5)) < 0.2 for _ in range(2))
    counts, lost, added = paired(one.astype(float), other.astype(float), window=4)
    assert counts.sum() + lost == one.sum() and counts.sum() + added == other.sum()


@pytest.mark.slow
def test_the_experiment_runs_and_its_figure_is_drawn(tmp_path, capsys):
    assert main(["run", "raster", "--quick", "--out", str(tmp_path)]) == 0
    assert "jitter" in capsys.readouterr().out
    result = open_result(tmp_path / "raster.nc")
    assert result.sizes["chip"] == 2 and result.spikes.dims == ("version", "step", "neuron")
    over = result.membranes.sel(version="ideal") > 1
    np.testing.assert_array_equal(over, result.spikes.sel(version="ideal") > 0)
    assert main(["draw", "raster", "--result", str(tmp_path / "raster.nc"), "--out", str(tmp_path / "figure")]) == 0
    assert (tmp_path / "figure.pdf").stat().st_size > 5000 and (tmp_path / "figure.png").exists()
