"""The studies of what arrays solve measure what they say, run, and are drawn."""

import json

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr

import memsim as ms
from memsim._cli import load_script, main

pytestmark = pytest.mark.slow  # minutes together

NAMES = ("matrix_equations", "mimo", "max_cut", "satisfiability", "equilibrium")


@pytest.mark.parametrize("name", NAMES)
def test_the_experiment_runs_and_its_figure_is_drawn(name, tmp_path):
    options = ["--data", "clouds"] if name == "equilibrium" else []
    assert main(["run", name, "--quick", *options, "--out", str(tmp_path)]) == 0
    result = ms.study.open_result(tmp_path / f"{name}.nc")
    for variable in result.variables.values():
        assert variable.dtype.kind in "TUO" or "units" in variable.attrs
        assert bool(variable.notnull().all())
    assert json.loads(result.config)["quick"] and (tmp_path / f"{name}.csv").stat().st_size > 20
    assert main(["draw", name, "--result", str(tmp_path / f"{name}.nc"), "--out", str(tmp_path / "figure")]) == 0
    pdf = (tmp_path / "figure.pdf").read_bytes()
    assert b"/FontFile2" in pdf and b"/Type3" not in pdf


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("matrix_equations", {"cell_errors": (5.0,)}, "Percent"),
        ("matrix_equations", {"methods": ("guess",)}, "methods"),
        ("mimo", {"snr": (float("nan"),)}, "decibels"),
        ("max_cut", {"runs": 0}, "at least 1"),
        ("satisfiability", {"variables": 40}, "from 3 to 20"),
        ("equilibrium", {"ratios": (0.5,)}, "above 1"),
        ("equilibrium", {"gain": 0.5}, "at least 1"),
    ],
)
def test_settings_that_mean_nothing_are_refused(name, options, words):
    with pytest.raises(ValueError, match=words):
        load_script("experiments", name).Config(**options)


def test_bits_gained_are_those_of_a_geometric_series():
    script = load_script("experiments", "matrix_equations")
    error = xr.DataArray(0.5 * 2.0 ** (-3 * np.arange(8)), dims="step")
    assert float(script.gained(error)) == pytest.approx(3.0)


def test_symbols_that_are_sent_without_noise_are_decided_without_a_wrong_bit():
    script = load_script("experiments", "mimo")
    sent = jnp.arange(4)
    amplitudes = jnp.asarray(script.AMPLITUDES) / jnp.sqrt(script.ENERGY)
    assert script.decided(amplitudes).tolist() == [0, 1, 2, 3]
    assert int(script.wrong_bits(script.decided(1.2 * amplitudes), sent, None)) == 0
    neighbours = [int(script.wrong_bits(sent[k : k + 1], sent[k + 1 : k + 2], None)) for k in range(3)]
    assert neighbours == [1, 1, 1]  # Gray
    channels = np.asarray(script.complex_normal(jr.key(0), (40_000,)))
    # The standard error of the mean of |h|^2, which is exponential, is 1 / sqrt(n).
    assert abs(np.mean(np.abs(channels) ** 2) - 1) < 5 / 200


def test_the_digital_detector_has_the_bit_errors_of_zero_forcing_in_closed_form():
    """After zero forcing the power ratio of a stream is a sum of 13 exponentials: 16 antennas less 3 other users."""
    script = load_script("experiments", "mimo")
    config = script.Config(channels=2000, symbols=8, refinements=1, snr=(0.0,))
    found = script.measure("zero forcing", 0.0, key=jr.key(0), config=config)
    gain = np.random.default_rng(0).gamma(13.0, 1.0, 400_000)  # over noise power, at 0 dB
    from scipy.stats import norm

    # Gray-coded amplitudes 1 and 3 over sqrt(10): of the bit of the sign and of the bit of the size.
    d = np.sqrt(2 * gain / 10)
    q1, q3, q5 = (norm.sf(k * d) for k in (1, 3, 5))
    expected = np.mean((0.5 * (q1 + q3) + 0.5 * (2 * q1 + q3 - q5)) / 2)
    share = float(found.digital_bit_errors) / float(found.bits)
    # Bits of a channel are not independent: its 128 bits count as one trial of the spread of the mean, at the most.
    assert share == pytest.approx(expected, rel=0.05)


def test_the_best_of_all_cuts_of_a_small_graph_is_that_of_a_loop_over_them():
    script = load_script("experiments", "max_cut")
    w = script.random_graph(8, 0)
    spins = (np.arange(256)[:, None] >> np.arange(8) & 1) * 2.0 - 1
    cuts = [0.25 * np.sum(w * (1 - np.outer(s, s))) for s in spins]
    assert script.best_cut(w) == max(cuts) == script.annealed_cut(w, 0, sweeps=100)
