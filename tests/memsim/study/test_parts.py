"""Parts of an experiment are computed once by any number of processes, and never taken over from other code."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import xarray as xr

import memsim as ms
from memsim._keeping import claimed

ROOT = Path(__file__).parents[3]
SCRIPT = """
import os, sys, time
from pathlib import Path
import xarray as xr
import memsim as ms

out, seconds = Path(sys.argv[1]), float(sys.argv[2])

def compute(part):
    with open(out / "log", "a") as log:
        log.write(f"{os.getpid()} {part}\\n")
    time.sleep(seconds)
    return xr.Dataset({"square": ("part", [part**2])}, {"part": [part]})

folder = out / "parts"
print("ready", flush=True)
while not (out / "go").exists():
    time.sleep(0.01)
whole = ms.study.run_parts({f"part{n}": n for n in range(6)}, compute, folder)
ms.study.save_result(whole, out / "whole.nc")
ms.study.remove_parts(folder)
print(whole.square.values.tolist(), flush=True)
"""


def started(script, out, seconds):
    script = script if isinstance(script, Path) else _written(out, script)
    child = subprocess.Popen(
        [sys.executable, str(script), str(out), str(seconds)],
        env=os.environ | {"JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return child


def _written(out, script):
    (out / "script.py").write_text(script)
    return out / "script.py"


def log(out):
    return [line.split() for line in (out / "log").read_text().splitlines()] if (out / "log").exists() else []


def ended(child):
    stdout, stderr = child.communicate(timeout=300)
    assert child.returncode == 0, stderr
    return stdout


SQUARES = "[0.0, 1.0, 4.0, 9.0, 16.0, 25.0]"


@pytest.mark.slow
def test_two_processes_share_the_parts_and_each_returns_the_whole(tmp_path):
    children = [started(SCRIPT, tmp_path, 0.5) for _ in range(2)]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    (tmp_path / "go").touch()
    said = [ended(child) for child in children]
    assert all(SQUARES in words for words in said)
    computed = log(tmp_path)
    assert sorted(part for _, part in computed) == list("012345")
    assert len({process for process, _ in computed}) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["go", "log", "script.py", "whole.nc"]
    assert ms.study.open_result(tmp_path / "whole.nc").square.values.tolist() == [0, 1, 4, 9, 16, 25]


@pytest.mark.slow
def test_the_part_of_a_killed_process_is_taken_over(tmp_path):
    (tmp_path / "go").touch()
    first = started(SCRIPT, tmp_path, 600.0)
    while not log(tmp_path):
        time.sleep(0.05)
    second = started(tmp_path / "script.py", tmp_path, 0.0)
    while len(log(tmp_path)) < 6:  # the other five, of a process that lives beside the first
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=60)
    assert SQUARES in ended(second)
    assert [part for _, part in log(tmp_path)] == ["0", "1", "2", "3", "4", "5", "0"]


def part_of(n):
    return xr.Dataset({"value": ("part", [n])}, {"part": [n]})


def test_a_claim_excludes_others_and_ends_with_its_block(tmp_path):
    with claimed(tmp_path / "deep" / "x") as mine:
        with claimed(tmp_path / "deep" / "x") as other, claimed(tmp_path / "deep" / "y") as free:
            assert mine and free and not other
        with claimed(tmp_path / "deep" / "x", shared=True) as reader:
            assert not reader
    with claimed(tmp_path / "deep" / "x") as mine:
        assert mine
    readers = claimed(tmp_path / "z", shared=True), claimed(tmp_path / "z", shared=True)
    with readers[0] as one, readers[1] as two, claimed(tmp_path / "z") as alone:
        assert one and two and not alone
    assert list((tmp_path / "deep").iterdir()) == []


def test_a_damaged_part_is_computed_again_and_others_are_not(tmp_path, capsys):
    done = []

    def compute(n):
        done.append(n)
        return part_of(n)

    parts = {"a": 1, "b": 2}
    ms.study.run_parts(parts, compute, str(tmp_path))
    (file,) = tmp_path.glob("b-*.nc")
    file.write_bytes(file.read_bytes()[:-300] + bytes(300))
    whole = ms.study.run_parts(parts, compute, tmp_path)
    assert done == [1, 2, 2] and whole.value.values.tolist() == [1, 2]
    assert "cannot be read and is computed again" in capsys.readouterr().out


def test_parts_of_another_measure_are_not_taken_over(tmp_path):
    def compute_in(name, factor):
        space = {"__name__": name, "xr": xr}
        exec(f"def compute(n):\n    return xr.Dataset({{'v': ('p', [{factor} * n])}}, {{'p': [n]}})", space)
        return space["compute"]

    found = [ms.study.run_parts({"a": 3}, compute_in("m", factor), tmp_path).v.item() for factor in (1, 1, 10)]
    assert found == [3, 3, 30]
    assert len(list(tmp_path.glob("a-*.nc"))) == 2


def test_parts_stay_as_long_as_another_process_reads_them(tmp_path):
    folder = tmp_path / "parts"
    ms.study.run_parts({"a": 1}, part_of, folder)
    with claimed(folder / "in-use", shared=True):
        ms.study.remove_parts(folder)
        assert len(list(folder.glob("*.nc"))) == 1
    ms.study.remove_parts(folder)
    ms.study.remove_parts(folder)
    assert not folder.exists()


def test_a_run_that_fails_at_its_first_part_leaves_nothing(tmp_path):
    def compute(n):
        raise ValueError("too large")

    with pytest.raises(ValueError, match="too large"):
        ms.study.run_parts({"a": 1}, compute, tmp_path / "parts")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_no_file_name_is_refused(tmp_path):
    with pytest.raises(ValueError, match="name of a part"):
        ms.study.run_parts({"a/b": 1}, part_of, tmp_path)


def test_settings_that_cannot_be_known_are_told(tmp_path):
    import numpy as np

    with pytest.warns(UserWarning, match=r"Generator, of which only the class is known"):
        ms.study.parts_folder(tmp_path, {"generator": np.random.default_rng(0)})
