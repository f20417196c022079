"""A sweep has the same numbers, bit for bit, whatever processes compute it, and whichever of them are killed."""

import functools
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import jax.random as jr
import numpy as np
import pytest
import xarray as xr

import device_models as dm
import memsim as ms
from memsim._keeping import claimed
from memsim.study._executors import processes

ROOT = Path(__file__).parents[3]
GRID = {"bits": [4, 8], "seed": [0, 3]}
KEY = jr.key(7)


def read(bits, seed, *, key):
    """What one chip reads."""
    weight_key, chip_key, read_key = jr.split(key, 3)
    design = ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(bits), compensation=None)
    matrix = design.deploy(jr.normal(weight_key, (16, 12)), 3600.0, key=chip_key)
    return {"y": np.asarray(matrix(jr.normal(read_key, (5, 12)), key=read_key))}


def read_once_killed(bits, seed, marker, *, key):
    """As `read`; the first process that comes to one of the points is killed there."""
    if (bits, seed) == (8, 0) and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return read(bits, seed, key=key)


def here(measure=read, **given):
    return ms.study.sweep(measure, GRID, key=KEY, **given)


def same(one, other):
    xr.testing.assert_identical(one.drop_attrs(deep=False), other.drop_attrs(deep=False))


def spawned(workers):
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))


@pytest.mark.slow
def test_two_spawned_processes_have_the_numbers_of_one(tmp_path):
    with spawned(2) as pool:
        with pytest.raises(ValueError, match=r"must reach other processes.*at the top of a file"):
            ms.study.sweep(lambda bits: bits, {"bits": [1]}, executor=pool)
        same(ms.study.sweep(read, GRID, key=KEY, executor=pool), here())
        same(ms.study.sweep(read, GRID, key=KEY, executor=pool, folder=tmp_path), here())
    assert len(list(tmp_path.glob("parts-*/*.nc"))) == 4


@pytest.mark.slow
def test_a_script_loaded_by_path_is_found_by_other_processes(tmp_path):
    (tmp_path / "_shared.py").write_text("def double(x):\n    return 2 * x\n")
    (tmp_path / "mine.py").write_text(
        "from dataclasses import dataclass\nfrom _shared import double\n\n@dataclass(frozen=True)\nclass Config:\n"
        "    gain: int = 3\n\ndef measure(n, *, config):\n    return double(n) * config.gain\n"
    )
    from memsim._keeping import load_file

    script = load_file("somebodys_script", tmp_path / "mine.py")
    measure = functools.partial(script.measure, config=script.Config())
    with processes(1) as pool, ms.study.using(pool):
        assert ms.study.sweep(measure, {"n": [1, 2]})["value"].values.tolist() == [6, 12]


@pytest.mark.slow
def test_a_killed_process_of_a_pool_is_told_and_its_points_are_tried_again(tmp_path):
    killed = functools.partial(read_once_killed, marker=tmp_path / "marker")
    with spawned(1) as pool, pytest.warns(UserWarning, match=r"(?s)bits=\d.*tries it again.*BrokenPr"):
        first = ms.study.sweep(killed, GRID, key=KEY, executor=pool, folder=tmp_path)
    assert "bits=8, seed=0" in first.failed
    same(ms.study.sweep(killed, GRID, key=KEY, folder=tmp_path), here())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # those of dask
@pytest.mark.parametrize("keep", [True, False])
def test_dask_goes_on_when_a_worker_is_killed(tmp_path, keep):
    distributed = pytest.importorskip("distributed")
    killed = functools.partial(read_once_killed, marker=tmp_path / "marker")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50, local_directory=str(tmp_path)
    )
    with cluster, distributed.Client(cluster) as client:
        folder = tmp_path / "parts" if keep else None
        found = ms.study.sweep(killed, GRID, key=KEY, folder=folder, executor=client.get_executor())
    assert (tmp_path / "marker").exists() and "failed" not in found.attrs
    same(found, here())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_submitit_computes_points_as_jobs(tmp_path):
    submitit = pytest.importorskip("submitit")
    executor = submitit.AutoExecutor(folder=tmp_path / "logs", cluster="local")
    executor.update_parameters(timeout_min=5)
    grid = {"bits": [4, 8], "seed": [0]}
    found = ms.study.sweep(read, grid, key=KEY, folder=tmp_path / "parts", executor=executor)
    same(found, ms.study.sweep(read, grid, key=KEY))


SCRIPT = """
import os, sys, time
from pathlib import Path
import memsim as ms

out, seconds = Path(sys.argv[1]), float(sys.argv[2])

def measure(n):
    with open(Path(sys.argv[1]) / "log", "a") as log:
        log.write(f"{os.getpid()} {n}\\n")
    time.sleep(float(sys.argv[2]) if n else 0.0)
    return n**2

print("ready", flush=True)
while not (out / "go").exists():
    time.sleep(0.01)
result = ms.study.sweep(measure, {"n": range(5)}, folder=out)
print(result["value"].values.tolist(), flush=True)
"""


def started(out, seconds):
    (out / "script.py").write_text(SCRIPT)
    return subprocess.Popen(
        [sys.executable, str(out / "script.py"), str(out), str(seconds)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


POOL = """
import signal, sys, time
import memsim as ms
from memsim.study._executors import processes

def measure(n):
    time.sleep(600.0 if n else 0.0)
    return n

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with processes(1) as pool, ms.study.using(pool):
        ms.study.sweep(measure, {"n": [0, 1]}, folder=sys.argv[1])
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_pool_ends_with_its_process_and_what_is_finished_stays(tmp_path, how):
    (tmp_path / "pool.py").write_text(POOL)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(
        [sys.executable, str(tmp_path / "pool.py"), str(tmp_path)], env=environment, stderr=subprocess.DEVNULL
    )
    while not (files := list(tmp_path.glob("parts-*/n1-*.claim"))):
        time.sleep(0.05)
    child.send_signal(how)
    child.wait(60)
    with claimed(files[0], wait="Waiting for the worker to end."):  # for ever, if it did not
        assert len(list(tmp_path.glob("parts-*/n0-*.nc"))) == 1


def log(out):
    return [line.split() for line in (out / "log").read_text().splitlines()] if (out / "log").exists() else []


def ended(child):
    stdout, stderr = child.communicate(timeout=120)
    assert child.returncode == 0, stderr
    return stdout


def test_a_killed_sweep_goes_on_where_it_was(tmp_path):
    (tmp_path / "go").touch()
    first = started(tmp_path, 600.0)
    while len(log(tmp_path)) < 2:  # the first point is finished, the second begun
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=60)
    assert "[0, 1, 4, 9, 16]" in ended(started(tmp_path, 0.0))
    assert [point for _, point in log(tmp_path)] == ["0", "1", "1", "2", "3", "4"]


@pytest.mark.slow
def test_two_processes_with_one_call_share_the_points(tmp_path):
    children = [started(tmp_path, 0.5) for _ in range(2)]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    (tmp_path / "go").touch()
    assert all("[0, 1, 4, 9, 16]" in ended(child) for child in children)
    assert sorted(point for _, point in log(tmp_path)) == list("01234")
    assert len({process for process, _ in log(tmp_path)}) == 2
