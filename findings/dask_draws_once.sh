#!/usr/bin/env bash
# Finding: `distributed.Client(...).get_executor()` of distributed 2026.8.0 has the interface of concurrent.futures, but
# takes calls with equal arguments for one call: three `submit(draw)` return the same random number, `map(noisy, [0.0] *
# 4)` four times the same, and five `submit(append, path)` write one line. Means over repetitions have then no spread.
# Nothing is told; ThreadPoolExecutor and ProcessPoolExecutor call each time. What helps is get_executor(pure=False), or
# an argument that counts. (Client.submit documents `pure`; get_executor, which passes it on, does not say the default.)
# Seen on 2026-11-29. Python 3.11 to 3.13. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
install="venv/bin/pip install --quiet --no-compile --disable-pip-version-check"
$install distributed==2026.8.0 dask==2026.8.0
cat > run.py <<'PY'
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import distributed


def draw():
    return random.random()


def noisy(mean):
    return random.gauss(mean, 1.0)


def append(path):
    with open(path, "a") as file:
        file.write("x\n")


def tried(executor, name):
    """How many different numbers come of three and of four calls, and how many lines of five."""
    drawn = [future.result() for future in [executor.submit(draw) for _ in range(3)]]
    mapped = list(executor.map(noisy, [0.0] * 4))
    for future in [executor.submit(append, name) for _ in range(5)]:
        future.result()
    counts = len(set(drawn)), len(set(mapped)), len(Path(name).read_text().split())
    print(name, "drew", [round(number, 3) for number in drawn], "different numbers and lines:", counts)
    return counts


with distributed.Client(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as client:
    found = [
        tried(client.get_executor(), "distributed"),
        tried(client.get_executor(pure=False), "distributed, pure=False"),
        tried(ThreadPoolExecutor(1), "threads"),
    ]
if found != [(1, 1, 1), (3, 4, 5), (3, 4, 5)]:
    raise SystemExit("CHANGED")
print("AS FOUND: equal calls are called once.")
PY
venv/bin/python run.py
