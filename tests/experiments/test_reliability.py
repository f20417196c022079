"""The study of chips of one design: what it writes agrees with itself, and its four figures are drawn."""

import json

import numpy as np
import pytest

import memsim as ms
from memsim._cli import load_script, main
from memsim.study import open_result

FIGURES = ("reliability", "chip_to_chip", "distributions", "attribution")


def test_too_few_chips_to_draw_are_refused():
    with pytest.raises(ValueError, match="`chips` must be at least 3"):
        load_script("experiments", "reliability").Config(chips=2)


def refuse(*args, **settings):
    raise KeyboardInterrupt


@pytest.mark.slow
def test_the_experiment_goes_on_where_it_was_killed_and_its_figures_are_drawn(tmp_path, capsys, monkeypatch):
    command = ["run", "reliability", "--quick", "--out", str(tmp_path)]
    with monkeypatch.context() as killed:
        killed.setattr(ms.study, "confusion", refuse)
        assert main(command) != 0
    finished = {file.name for file in tmp_path.rglob("*") if file.suffix in (".checkpoint", ".nc")}
    assert len([name for name in finished if name.endswith(".checkpoint")]) == 2
    with monkeypatch.context() as done:
        for name in ("robustness", "attribute"):
            done.setattr(ms.study, name, refuse)
        assert main(command) == 0
    assert {file.name for file in tmp_path.iterdir()} == {f"{name}.nc" for name in FIGURES} | {"reliability.csv"}
    said = capsys.readouterr().out
    assert "with noise: " in said and "confidence is off by" in said and "Accuracy is" in said
    named, chips, spread, effects = (open_result(tmp_path / f"{name}.nc") for name in FIGURES)
    right = [np.trace(each) for each in named["count"].transpose("chip", "true", "named").values]
    np.testing.assert_allclose(chips.accuracy.sel(training="with noise").squeeze(), np.divide(right, 20), atol=1e-6)
    assert named["count"].sum() == 3 * 20 and spread.version.values.tolist() == ["plain", "with noise"]
    assert {"write noise", "drift", "read noise", "ADC"} <= set(effects.effect.values.tolist())
    for result in (named, chips, spread, effects):
        assert json.loads(result.config)["quick"] and "Free Spoken Digit" in result.data
        assert result.time == 86400.0
    for name in FIGURES:
        assert main(["draw", name, "--result", str(tmp_path / f"{name}.nc"), "--out", str(tmp_path / name)]) == 0
        assert "A QUICK RUN" in (tmp_path / f"{name}.txt").read_text()
