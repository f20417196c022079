"""A script of one's own is run, drawn and asked for help by its path; a mistake gets one line."""

import subprocess
import sys
from pathlib import Path

import pytest

from memsim._cli import load_script, main

ROOT = Path(__file__).parents[2]
SHARED = "def squared(n, *, offset):\n    return {'square': n**2 + offset}\n"
SCRIPT = '''"""Squares of numbers. Writes results/squares."""
from dataclasses import dataclass
from functools import partial
from pathlib import Path
import memsim as ms
from _shared import squared

QUICK = {"numbers": (1, 2)}

@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options."""
    numbers: tuple[int, ...] = (1, 2, 3)
    """What is squared."""
    offset: int = 0
    out: Path = Path("results/squares")
    quick: bool = False

def run(config):
    measure = partial(squared, offset=config.offset)
    result = ms.study.sweep(measure, {"n": list(config.numbers)}, folder=config.out)
    ms.study.save_result(result, config.out / "squares.nc")
'''
FIGURE = '''"""Squares, printed."""
from pathlib import Path
import memsim as ms

def draw(result: Path = Path("results/squares/squares.nc")) -> None:
    """Prints them."""
    print("squares", *ms.study.open_result(result).square.values.tolist())
'''


@pytest.fixture(autouse=True)
def mine(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(SCRIPT)
    (tmp_path / "fig.py").write_text(FIGURE)
    (tmp_path / "_shared.py").write_text(SHARED)
    (tmp_path / "half.py").write_text('"""Half."""\ndef run(config): pass\n')
    (tmp_path / "placeless.py").write_text(SCRIPT.replace('    out: Path = Path("results/squares")\n', ""))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("memsim._keeping.keep_compiled", lambda folder: None)
    return tmp_path


def squares(folder):
    from memsim.study import open_result

    return open_result(folder / "squares.nc").square.values.tolist()


@pytest.mark.parametrize(
    "words, found",
    [
        (["./mine.py"], [1, 4, 9]),
        (["mine.py", "--quick"], [1, 4]),
        (["./mine.py", "--quick", "--numbers", "5", "--offset", "1"], [26]),
        pytest.param(["./mine.py", "--workers", "1"], [1, 4, 9], marks=pytest.mark.slow),
    ],
)
def test_a_script_runs_with_its_options_and_its_result_is_drawn(words, found, mine, capsys):
    assert main(["run", *words, "--out", "out"]) == 0
    assert squares(mine / "out") == found
    assert main(["draw", "./fig.py", "--result", "out/squares.nc"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == ["squares", *map(str, found)]


def test_a_script_in_another_folder_goes_by_its_whole_path(mine, monkeypatch, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    assert main(["run", str(mine / "mine.py"), "--quick"]) == 0
    assert squares(elsewhere / "results" / "squares") == [1, 4]


def test_help_shows_the_options_of_a_script(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["run", "./mine.py", "--help"])
    shown = capsys.readouterr().out
    assert stop.value.code == 0
    assert all(word in shown for word in ("Squares of numbers", "--numbers", "--offset", "--quick", "--workers"))


@pytest.mark.parametrize(
    "words, says",
    [
        (["run", "./main.py"], "A script must be there. Got ./main.py"),
        (["draw", "drift.py"], "names are without `.py`"),
        (["run", "./half.py"], "must have `Config` and `run`. Got ./half.py without Config"),
        (["draw", "./mine.py"], "must have `draw`. Got ./mine.py without draw"),
        (["run", "./placeless.py"], "must be a dataclass with `out: Path`"),
        (["run", "mine"], "A name in experiments must be a known"),
        (["run", "./mine.py", "--numbers", "few"], "few"),
        (["chek-device", "ideal"], "Did you mean check-device"),
        (["shema"], "Did you mean schema"),
        (["run"], "which `memsim list` shows, or a FILE.py"),
    ],
)
def test_a_mistake_gets_one_line_and_exit_status_2(words, says, capsys):
    try:
        status = main(words)
    except SystemExit as stop:
        status = stop.code
    assert status == 2
    error = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert says in error


def test_a_script_that_fails_shows_where(mine):
    (mine / "wrong.py").write_text('"""Wrong."""\nimport not_there\n')
    with pytest.raises(ModuleNotFoundError, match="not_there"):
        load_script("experiments", "./wrong.py")


def test_the_package_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "memsim", "list"], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert "  drift " in done.stdout
    done = subprocess.run([sys.executable, "-m", "memsim", "lst"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2 and "Did you mean list" in done.stderr
