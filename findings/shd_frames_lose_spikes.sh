#!/usr/bin/env bash
# Finding: SpikingJelly 2.0.0 makes frames of the Spiking Heidelberg Digits that hold other spikes than the recordings.
# The published files keep times as float16 seconds; the borders of the frames are computed in the same float16, so each
# frame's end and the next one's begin differ by a rounding: spikes between them are lost, or counted twice, and no
# error is raised. 20 recordings of 8000 spikes in 1 s in the published layout,
# SpikingHeidelbergDigits(data_type="frame", split_by="time"):
#     10 frames: 7999 to 8008 spikes in all;  20 frames: 7982 to 7995;  100 frames: 7889 to 7924
# Frames "by number" hold every spike. Times in float64 in a file of the same layout give 8000 each.
# Python 3.11 or 3.12. Installs torch with all it brings, some gigabytes. Seen on 2026-11-29.
# Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
install="venv/bin/pip install --quiet --no-compile --disable-pip-version-check"
$install numpy==2.4.6 torch==2.14.1 torchvision==0.29.1 h5py==3.16.0 \
    matplotlib==3.11.2 scipy==1.17.1 requests==2.34.2 tqdm==4.70.1 loguru==0.7.3
# Without their other dependencies, which are not used here.
$install --no-deps spikingjelly==2.0.0 torchaudio==2.11.1
venv/bin/python -W ignore - 2>stderr.txt <<'PY' || { tail -5 stderr.txt; exit 1; }
import pathlib

import h5py, numpy as np
from spikingjelly.datasets.shd import SpikingHeidelbergDigits

SPIKES = 8000


def recordings(folder, dtype):
    """The two files of the data set, with 20 recordings of one word each."""
    generator, place = np.random.default_rng(0), pathlib.Path(folder, "events_h5")
    place.mkdir(parents=True)
    for name in ("shd_train.h5", "shd_test.h5"):
        with h5py.File(place / name, "w") as file:
            times = file.create_dataset("spikes/times", (20,), h5py.vlen_dtype(dtype))
            units = file.create_dataset("spikes/units", (20,), h5py.vlen_dtype(np.uint16))
            for word in range(20):
                times[word] = np.sort(generator.random(SPIKES)).astype(np.float16).astype(dtype)
                units[word] = generator.integers(0, 700, SPIKES)
            file["labels"] = np.arange(20, dtype=np.uint16)
    return folder


def counts(folder, frames, split_by="time"):
    data = SpikingHeidelbergDigits(folder, train=True, data_type="frame", frames_number=frames, split_by=split_by)
    return [int(data[word][0].sum()) for word in range(20)]


published, exact = recordings("float16", np.float16), recordings("float64", np.float64)
found = {}
for frames in (10, 20, 100):
    spikes = counts(published, frames)
    found[frames] = min(spikes), max(spikes)
    print(f"{frames} frames by time: {min(spikes)} to {max(spikes)} of {SPIKES} spikes")
right = {*counts(published, 20, "number"), *counts(exact, 100)}
print("by number, and by time from float64:", right)
if not (found == {10: (7999, 8008), 20: (7982, 7995), 100: (7889, 7924)} and right == {SPIKES}):
    raise SystemExit("CHANGED")
print("AS FOUND: frames by time lose spikes and count others twice.")
PY
