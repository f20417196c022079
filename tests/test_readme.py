"""What README shows, runs."""

import re
from pathlib import Path

import jax.numpy as jnp
import pytest

README = Path(__file__).parent.parent / "README.md"


def test_the_example_runs_as_printed_and_fits_in_20_lines(tmp_path, monkeypatch, capsys):
    example = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL).group(1)
    lines = [line for line in example.splitlines() if line.strip()]
    assert len(lines) <= 20
    monkeypatch.chdir(tmp_path)
    space = {}
    exec(compile(example, "README.md", "exec"), space)
    assert (tmp_path / "drift.pdf").stat().st_size > 1000
    assert space["study"].accuracy.shape == (20, 4)
    assert float(space["study"].accuracy.mean()) > 0.5  # ten classes: chance is 0.1
    assert "time" in capsys.readouterr().out


def test_the_worked_example_of_a_new_device_is_a_device():
    text = (README.parent / "CONTRIBUTING.md").read_text()
    example = re.search(r"```python\n(from \.\._curves.*?)```", text, re.DOTALL).group(1)
    example = example.replace("from ..", "from device_models.").replace("from .", "from device_models._cells.")
    space = {}
    exec(compile(example, "CONTRIBUTING.md", "exec"), space)
    device = space["oxide_example2024"]()
    assert float(1e6 * device.spread(jnp.ones(()), jnp.asarray(3600.0))) == pytest.approx(0.464, abs=5e-4)
    assert device.effects == ("write noise", "drift")
