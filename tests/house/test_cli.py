"""The command line finds its scripts, and answers a mistake with one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from memsim._cli import load_script, main, scripts


def test_list_names_every_experiment_and_figure_with_a_summary(capsys):
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for kind in ("experiments", "figures"):
        for name in scripts(kind):
            assert any(line.split()[:1] == [name] and len(line.split()) > 3 for line in lines), name
    assert not any(line.split()[:1] and line.split()[0].startswith("_") for line in lines)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "drfit"], "Did you mean drift"),
        (["draw", "drfit"], "Did you mean drift"),
        (["rum", "drift"], "Did you mean run"),
        (["run"], "needs a NAME"),
        (["data"], "needs `list` or `get NAME`"),
        (["data", "git", "shd"], "Did you mean get"),
        (["--tyro-print-completion", "fsh"], "fish"),
        (["data", "get", "sdh"], "Did you mean shd"),
        (["data", "get", "shd", "--folder", "/dev/null"], "must be writable"),
        (["run", "drift", "--adc-bits", "0", "--quick"], "from 2 to 24"),
        (["run", "drift", "--quick", "--out", "/dev/null/here"], "must be writable"),
        (["draw", "drift", "--result", "nowhere.nc"], "run its experiment first"),
        (["draw", "drift", "--journal", "natur"], "nature"),
    ],
)
def test_a_mistake_gets_one_line_and_exit_status_2(words, message, capsys, monkeypatch, tmp_path):
    if "--journal" in words:
        words = [*words, "--result", str(_small_result(tmp_path))]
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1 and message in error[0]


def test_data_list_tells_what_is_here_and_under_which_licence(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("MEMSIM_DATA", str(tmp_path))
    (tmp_path / "nmnist" / "Train").mkdir(parents=True)
    (tmp_path / "nmnist" / "Test").mkdir()
    assert main(["data", "list"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "here" in lines["nmnist"] and "CC BY-SA 4.0" in lines["nmnist"]
    assert "here" not in lines["shd"] and "Spiking Heidelberg Digits" in lines["shd"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--device", "pcm_joshi2002"], "Did you mean pcm_joshi2020"),
        (["--times", "-1"], "all at least 0"),
        (["--chips", "0"], "must be at least 1"),
        (["--chips", "many"], "many"),
        (["--workers", "0"], "`workers` must be at least 1"),
        (["--workers", "2", "--slurm", "cpu"], "by `workers` or by `slurm`"),
        (["--slurm", ""], "the name of a partition"),
        (["--minutes", "0"], "`minutes` must be at least 1"),
    ],
)
def test_a_bad_option_is_refused_with_its_reason(options, message, capsys):
    try:
        status = main(["run", "drift", *options])
    except SystemExit as stop:
        status = stop.code
    assert status == 2
    assert message in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_help_shows_the_options_of_an_experiment(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["run", "drift", "--help"])
    assert stop.value.code == 0
    options = capsys.readouterr().out
    for option in ("--device", "--adc-bits", "--chips", "--times", "--seeds", "--quick", "--workers", "--slurm"):
        assert option in options


def test_help_names_every_command_and_no_words_are_a_question_for_help(capsys):
    for words in ([], ["--help"]):
        with pytest.raises(SystemExit) as stop:
            main(words)
        assert stop.value.code == 0
        shown = capsys.readouterr().out
        assert all(f" {name} " in shown for name in ("list", "run", "draw", "data", "doctor"))


@pytest.mark.parametrize(
    ("words", "loaded"),
    [
        (["--help"], []),
        (["run", "--help"], []),
        (["run", "noise_kinds", "--help"], [("experiments", "noise_kinds")]),
        (["draw", "drift", "--help"], [("figures", "drift")]),
    ],
)
def test_only_the_script_that_is_named_is_loaded(words, loaded, monkeypatch, capsys):
    asked = []

    def load(kind, name):
        asked.append((kind, name))
        return load_script(kind, name)

    monkeypatch.setattr("memsim._cli._scripts.load_script", load)
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 0 and asked == loaded


def test_a_completion_script_knows_the_options_of_every_command(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--tyro-print-completion", "bash"])
    assert not stop.value.code
    script = capsys.readouterr().out
    for word in ("doctor", "noise_kinds", "--adc-bits", "--journal", "--folder", "--json"):
        assert word in script


def test_an_interruption_says_that_the_run_can_go_on(monkeypatch, capsys):
    def interrupt(kind, name):
        raise KeyboardInterrupt

    monkeypatch.setattr("memsim._cli._scripts.load_script", interrupt)
    assert main(["run", "drift"]) == 130
    assert "goes on where this one stopped" in capsys.readouterr().err


SCRIPT = '''"""Squares."""
import os
from dataclasses import dataclass
from pathlib import Path
import memsim as ms

@dataclass(frozen=True)
class Config:
    """Options."""
    swept: bool = True
    out: Path = Path("results/squares")

def square(n):
    return {"square": n**2, "process": os.getpid()}

def run(config):
    if config.swept:
        ms.study.save_result(ms.study.sweep(square, {"n": [1, 2, 3]}, folder=config.out), config.out / "squares.nc")
'''


@pytest.fixture
def squares(tmp_path, monkeypatch):
    """A script whose experiment is a sweep."""
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "squares.py").write_text(SCRIPT)
    found = {"squares": tmp_path / "experiments" / "squares.py"}
    monkeypatch.setattr("memsim._cli._scripts.scripts", lambda kind: found)
    monkeypatch.setattr("memsim._keeping.keep_compiled", lambda folder: None)
    return tmp_path / "out"


@pytest.mark.parametrize("words", [[], pytest.param(["--workers", "1"], marks=pytest.mark.slow)])
def test_the_points_of_an_experiment_are_computed_where_it_is_said(words, squares):

    from memsim.study import open_result

    assert main(["run", "squares", "--out", str(squares), *words]) == 0
    result = open_result(squares / "squares.nc")
    assert result.square.values.tolist() == [1, 4, 9]
    assert set(result.process.values.tolist()).isdisjoint({os.getpid()}) == bool(words)


def test_an_experiment_without_points_says_that_no_other_process_computed(squares, capsys):
    assert main(["run", "squares", "--no-swept", "--workers", "1"]) == 0
    assert "has no points for others" in capsys.readouterr().err


SBATCH = """#!{python}
# In the place of SLURM: runs each job of the array that a file asks for, as the user would find it there.
import os, re, subprocess, sys
text = open(sys.argv[-1]).read()
assert "#SBATCH --partition=cpu" in text and "#SBATCH --time=7" in text
last = int(re.search(r"--array=0-([0-9]+)", text)[1])
place = {{"SLURM_JOB_NUM_NODES": "1", "SLURM_NTASKS": "1", "SLURM_JOB_NODELIST": "here"}}
place |= dict.fromkeys(("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID"), "0")
for number in range(last + 1):
    job = {{"SLURM_JOB_ID": str(77 + number), "SLURM_ARRAY_JOB_ID": "77", "SLURM_ARRAY_TASK_ID": str(number)}}
    quiet = {{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}}
    subprocess.Popen(["bash", sys.argv[-1]], env=os.environ | place | job, **quiet)
print("Submitted batch job 77")
"""
SRUN = """#!/bin/bash
while [[ "$1" == --* ]]; do if [[ "$1" == --unbuffered ]]; then shift; else shift 2; fi; done
exec "$@"
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # those of submitit
def test_the_points_of_an_experiment_are_jobs_of_slurm(squares, monkeypatch):

    from memsim.study import open_result

    pytest.importorskip("submitit")
    commands = squares.parent / "bin"
    commands.mkdir()
    running = "#!/bin/bash\necho 'JobID|State|NodeList'\n"
    for name, text in {"sbatch": SBATCH.format(python=sys.executable), "srun": SRUN, "sacct": running}.items():
        (commands / name).write_text(text)
        (commands / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}:{os.environ['PATH']}")
    assert main(["run", "squares", "--slurm", "cpu", "--minutes", "7", "--out", str(squares)]) == 0
    result = open_result(squares / "squares.nc")
    assert result.square.values.tolist() == [1, 4, 9]
    assert len({*result.process.values.tolist(), os.getpid()}) == 4


def test_jobs_need_slurm(squares, capsys, monkeypatch):
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", "/nowhere")
    assert main(["run", "squares", "--slurm", "cpu", "--out", str(squares)]) == 2
    assert "Jobs of SLURM need its commands" in capsys.readouterr().err


def test_a_users_log_goes_on_beside_jobs_of_slurm(tmp_path):
    pytest.importorskip("submitit")
    code = f"""if True:
        import logging
        logging.basicConfig(filename={str(tmp_path / "user.log")!r}, filemode="w", level="INFO")
        from memsim.study._executors import slurm
        try:
            slurm("cpu", 1, {str(tmp_path / "slurm")!r})
        except ValueError:
            pass  # no SLURM here
        logging.info("still there")
    """
    environment = {name: value for name, value in os.environ.items() if name != "SUBMITIT_LOG_LEVEL"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=Path(__file__).parents[2])
    assert "still there" in (tmp_path / "user.log").read_text()


def _small_result(folder):
    import numpy as np
    import xarray as xr

    from memsim.study import save_result

    sizes = {"seed": 1, "training": 1, "write_noise": 1, "compensation": 1, "chip": 2, "time": 2}
    result = xr.Dataset(
        {"accuracy": (list(sizes), np.ones(list(sizes.values())))},
        {"time": [0.0, 1.0], "write_noise": [1.0], "compensation": ["none"], "training": ["digital"]},
    )
    save_result(result, folder / "small.nc")
    return folder / "small.nc"
