"""The study of weight noise runs on the data that are there, says which, and is drawn beside the published curve."""

import csv
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import memsim as ms
from memsim._cli import load_script, main
from memsim.data import event_array, write_spikes

pytestmark = pytest.mark.slow  # minutes together


@pytest.fixture(scope="module")
def study():
    return load_script("experiments", "shd_noise")


def one_run(out, folder, *options):
    """The result, and what was printed, of a quick run with data sets kept in `folder`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEMSIM_DATA", str(folder))
        assert main(["run", "shd_noise", "--quick", "--out", str(out), *options]) == 0
    return ms.study.open_result(out / "shd_noise.nc")


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    out = tmp_path_factory.mktemp("digits")
    return out, one_run(out, out / "no data")


@pytest.fixture(scope="module")
def shd(tmp_path_factory):
    """SHD of 40 recordings: the first class in the lower channels, the second in the upper ones."""
    out = tmp_path_factory.mktemp("shd")
    (out / "shd").mkdir()
    generator = np.random.default_rng(0)
    for part in ("train", "test"):
        labels = np.arange(40) % 2
        recordings = []
        for label in labels:
            t, x = np.sort(generator.integers(0, 700_000, 300)), generator.integers(0, 350, 300) + 350 * label
            recordings.append(event_array(t, x, size=(700,)))
        write_spikes(out / "shd" / f"shd_{part}.h5", recordings, labels, ("zero", "one"))
    return out, one_run(out, out, "--batch-size", "4", "--learning-rate", "0.05")


def test_without_shd_the_task_is_the_spoken_digits_and_nothing_published_is_shown(digits):
    _, result = digits
    assert result.task == "spoken_digits" and result.channels == 13 and "Free Spoken Digit" in result.data
    assert json.loads(result.config)["task"] == "spoken_digits"
    assert "published" not in result
    drawing = load_script("figures", "shd_noise").figure(result)
    assert drawing.axes[0].get_title(loc="left") == "embedded spoken digits, not SHD"
    assert [text.get_text() for text in drawing.legends[0].get_texts()] == [
        "trained without noise",
        "trained with the noise of the test",
    ]
    assert "2 training seeds, 2 draws" in ms.plotting.caption(drawing, result)


def test_the_table_is_the_result(digits):
    out, result = digits
    assert result.accuracy.dims == ("seed", "training_noise", "noise", "draw")
    assert result.accuracy.shape == (2, 2, 2, 2)
    with open(out / "shd_noise.csv") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    for row in rows:
        cell = result.accuracy.sel(training_noise=float(row["training_noise"]), noise=float(row["noise"]))
        assert float(row["mean"]) == pytest.approx(float(cell.mean()), abs=1e-6)
        assert row["interval_over"] == "seed, chip; for this test set"
    # Without noise in the test all draws are one network.
    assert float(result.accuracy.sel(noise=0).std("draw").max()) == 0


def test_with_shd_it_is_learnt_and_drawn_beside_the_published_curve(shd, tmp_path):
    out, result = shd
    assert result.task == "shd" and result.channels == 700 and "Heidelberg" in result.data
    assert float(result.accuracy.sel(noise=0).min()) > 0.9
    # As printed in the authors' table, the mean of three seeds: 0.9027, 0.896, 0.9045 and 0.7888, 0.7714, 0.7924.
    table = [np.mean([0.9027, 0.896, 0.9045]), np.mean([0.7888, 0.7714, 0.7924])]
    np.testing.assert_allclose(result.published.sel(published_noise=[0.0, 0.2]), table, atol=5e-4)
    assert "expected_results_fig4d.csv" in result.published.source
    read = ["--result", str(out / "shd_noise.nc"), "--out", str(tmp_path / "figure")]
    assert main(["draw", "shd_noise", *read, "--journal", "nature"]) == 0
    assert b"/FontFile2" in (tmp_path / "figure.pdf").read_bytes()
    drawing = load_script("figures", "shd_noise").figure(result, "nature")
    assert drawing.get_figwidth() * 25.4 == pytest.approx(89)
    lines = {line.get_label(): line for line in drawing.axes[0].lines}
    without, as_tested = lines["trained without noise"], lines["trained with the noise of the test"]
    published = lines["published, trained with it"]
    mean = 100 * result.accuracy.mean(["seed", "draw"])
    np.testing.assert_allclose(without.get_ydata(), mean.sel(training_noise=0), rtol=1e-6)
    np.testing.assert_allclose(as_tested.get_ydata(), np.diag(mean), rtol=1e-6)
    np.testing.assert_allclose(published.get_ydata(), 100 * result.published)
    assert "D'Agostino" in drawing.get_label() and drawing.get_label() in (tmp_path / "figure.txt").read_text()
    assert drawing.axes[0].get_title(loc="left") == "Spiking Heidelberg Digits"


def test_the_layer_is_the_sum_over_synapses_of_late_inputs(study):
    network = study.network(4, 2, dendrites=3, dt=75e-3, tau_mem=20e-3, key=jax.random.key(0))
    layer = network.layers[0]
    x = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    found, _, _ = layer.run(jnp.asarray(x), layer.initial_state())
    weight, delays = np.asarray(layer.synapse.weight), np.asarray(layer.synapse.delays)
    expected = np.zeros((20, 2))
    for line, channel in np.ndindex(weight.shape):
        late = np.concatenate([np.zeros(delays[line, channel]), x[:, channel]])[:20]
        expected[:, line // 3] += weight[line, channel] * late
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_delays_have_the_published_distribution(study):
    dt = study.Config().dt
    network = study.network(700, 20, dendrites=16, dt=dt, tau_mem=20e-3, key=jax.random.key(0))
    delays = dt * np.asarray(network.layers[0].synapse.delays)
    # Log-normal of mean 0.5 s and spread 0.4 of the logarithm, so a median of 0.5 exp(-0.08) s; clipped at 1 s, which
    # leaves the quantiles below alone. 224000 draws: the standard error of the median is 4e-4 s, a step is 15e-3 s.
    low, median, high = np.quantile(delays, [0.1587, 0.5, 0.8413])
    assert median == pytest.approx(0.5 * np.exp(-0.08), abs=8e-3)
    assert [low, high] == pytest.approx([median * np.exp(-0.4), median * np.exp(0.4)], abs=15e-3)
    assert float(delays.max()) == pytest.approx(1.0, abs=dt)


@pytest.mark.parametrize(
    "settings, words", [({"noise": (0.0, 5.0)}, "Percent"), ({"noise": (0.1,)}, "first 0"), ({"dt": 0.5}, "0.375")]
)
def test_settings_that_mean_nothing_are_refused(study, settings, words):
    with pytest.raises(ValueError, match=words):
        study.Config(**settings)
