"""The hysteresis experiment measures what it says, and it and its figure run."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from memsim._cli import load_script, main
from memsim.study import open_result


def test_the_experiment_runs_and_its_figure_is_drawn(tmp_path, capsys):
    assert main(["run", "hysteresis", "--quick", "--out", str(tmp_path)]) == 0
    assert "Area of the loop" in capsys.readouterr().out
    result = open_result(tmp_path / "hysteresis.nc")
    assert result.current.dims == ("model", "factor", "sample") and result.current.shape == (2, 3, 41)
    for variable in result.variables.values():
        assert variable.dtype.kind in "TUO" or "units" in variable.attrs
    assert json.loads(result.config)["quick"] and "Molter2016" in result.device_numbers
    assert bool((result.area > 0).all()) and bool(result.current.notnull().all())
    assert main(["draw", "hysteresis", "--result", str(tmp_path / "hysteresis.nc"), "--out", str(tmp_path / "f")]) == 0
    pdf = (tmp_path / "f.pdf").read_bytes()
    assert b"/FontFile2" in pdf and b"/Type3" not in pdf and (tmp_path / "f.png").exists()


def test_the_area_is_that_of_a_loop_drawn_by_hand():
    """Two triangles, each a quarter of the box around its half; and a line, which has none."""
    script = load_script("experiments", "hysteresis")
    voltage = np.array([[0.0, 0.5, 1.0, 0.5, 0.0, -0.5, -1.0, -0.5, 0.0]])
    current = np.array([[0.0, 0.0, 1.0, 0.5, 0.0, 0.0, -1.0, -0.5, 0.0]])
    loop, line = (SimpleNamespace(voltage=voltage, current=i) for i in (current, 2 * voltage))
    assert script.area(loop) == pytest.approx([0.25]) and script.area(line) == pytest.approx([0.0])


def test_a_setting_that_cannot_be_is_refused():
    config = load_script("experiments", "hysteresis").Config
    for options, message in (
        ({"samples": 41}, "even number"),
        ({"factors": (0.0,)}, "positive"),
        ({"models": ("mms",)}, "Did you mean"),
    ):
        with pytest.raises(ValueError, match=message):
            config(**options)
