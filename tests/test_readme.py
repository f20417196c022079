"""What README shows, runs."""

import re
from pathlib import Path

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
