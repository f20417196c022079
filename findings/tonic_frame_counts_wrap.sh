#!/usr/bin/env bash
# Finding: tonic 1.7.0's ToFrame counts events in int16 and wraps: 70000 events of one pixel in one bin read 4463, 40000
# read -25536. A hot pixel, a whole recording in one frame, or a sensor gathered on few channels (Downsample, a cochlea)
# reaches 32768 easily; the sum over frames is then wrong, and may be negative, without a word.
# Beside it, for orientation: whole bins only, so of 109 events at 0..108 us in 10 bins 100 are in the frames.
# Seen on 2026-11-28. Python 3.11 or 3.12. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
install="venv/bin/pip install --quiet --no-compile --disable-pip-version-check"
$install numpy==2.4.6 scipy==1.17.1 h5py==3.16.0 tqdm==4.70.1 requests==2.34.2 typing_extensions==4.16.0
# tonic without its other dependencies, which are not used here.
$install --no-deps tonic==1.7.0 pbr==7.1.3 importRosbag==1.0.4
venv/bin/python - <<'PY'
import numpy as np
from tonic.transforms import ToFrame


def at(times):
    events = np.zeros(len(times), [("x", "<i2"), ("y", "<i2"), ("t", "<i8"), ("p", "?")])
    events["t"], events["p"] = times, True
    return events


def frames(n, bins):
    return ToFrame(sensor_size=(1, 1, 2), n_time_bins=bins)(at(np.arange(n)))


one, two, whole = frames(70_000, 1), frames(80_001, 2), frames(109, 10)
print(f"70000 events of one pixel in one bin: {one.max()} ({one.dtype}); 40000 a bin: {two[:, 1].ravel().tolist()}")
print("of 109 events in 10 bins are counted:", int(whole.sum()))
if not (one.max() == 4463 and two[:, 1].ravel().tolist() == [-25536, -25536] and whole.sum() == 100):
    raise SystemExit("CHANGED")
print("AS FOUND: counts are taken modulo 65536 and read as signed.")
PY
