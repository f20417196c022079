"""The study of pulse responses: its path, its numbers, and its figure."""

import json

import numpy as np
import pytest

import device_models as dm
from memsim._cli import load_script, main
from memsim.study import open_result

pytestmark = pytest.mark.slow  # minutes together


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Of a quick run."""
    out = tmp_path_factory.mktemp("pulse_response")
    assert main(["run", "pulse_response", "--quick", "--out", str(out)]) == 0
    return out


def test_a_result_has_units_and_the_source_of_every_number(folder):
    result = open_result(folder / "pulse_response.nc")
    assert result.weight.dims == ("device", "read", "cell") and result.weight.shape == (3, 9, 10)
    assert bool(result.weight.notnull().all()) and "jax" in json.loads(result.versions)
    for name in result.device.values:
        assert json.loads(result.device_numbers)[name] == list(dm.pulsed.PULSED[name].make().sources)
    assert len((folder / "pulse_response.csv").read_text().splitlines()) == 4


def test_pulses_rise_and_fall_along_the_closed_form(folder):
    # Linear steps, without noise: towards b / gamma by 1 - s gamma / b a pulse, in each direction.
    one = open_result(folder / "pulse_response.nc").sel(device="ecram_tang2018")
    s, low, high, up, down = 0.002, -0.8276, 1.1724, 0.1153, 0.5085
    p = one.pulses.values[:5]
    rise = high / up + (low - high / up) * (1 - s * up / high) ** p
    fall = np.maximum(low / down + (rise[-1] - low / down) * (1 + s * down / low) ** p, low)
    np.testing.assert_allclose(one.nominal, [*rise, *fall[1:]], atol=1e-5)


def test_the_one_sided_device_is_reset_and_rises_again(folder):
    weight = open_result(folder / "pulse_response.nc").weight.sel(device="pcm_onesided_nandakumar2020").mean("cell")
    assert weight[4] > weight[0] and weight[8] > weight[5] and weight[5] < weight[4]


def test_the_figure_has_a_panel_for_each_device(folder, tmp_path):
    script = load_script("figures", "pulse_response")
    figure = script.figure(open_result(folder / "pulse_response.nc"), "nature")
    assert figure.get_figwidth() * 25.4 == pytest.approx(183)
    assert figure.axes[0].get_title(loc="left") == "ECRAM\n(Tang 2018)"
    script.draw(folder / "pulse_response.nc", tmp_path / "figure")
    assert (tmp_path / "figure.pdf").stat().st_size > 5000 and (tmp_path / "figure.png").exists()


@pytest.mark.parametrize(
    "options, message", [({"devices": ("pcm",)}, "must be one or more of"), ({"sweeps": 0.0}, "must be positive")]
)
def test_settings_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        load_script("experiments", "pulse_response").Config(**options)
