#!/usr/bin/env bash
# Finding: two transforms of tonic 1.7.0 change what a recording says, by the type of its columns.
# (a) ToVoxelGrid is to add +1 or -1 for each event, by its polarity. Where the polarity is a truth value, as in tonic's own
#     `events_struct`, its DVSGesture and its CIFAR10DVS, -1 is stored in it and becomes True: all events count +1. 20 000 events of
#     both kinds, 5 bins: the smallest voxel is -8.9 with polarities in int64, and 0.0 of the same events with truth values; the
#     sum of all voxels is 1 and 18 001.
# (b) Its interpolation in time loses 1 event in 2 n for n bins, 10 % at 5: what the last bin gives to the next has no place. The
#     first bin holds half of what the others do. Zhu et al. 2019, whom it names, have n - 1 steps between n bins, and lose none.
# (c) SpatialJitter adds a normal number of mean 0 to coordinates, and stores them in whole ones, which cuts the fraction off: events
#     move by -0.50 pixels on the average, in x and in y, at any variance. At a variance of 0.01 half of them move one pixel to the
#     left, and none to the right.
# Nothing is told.
# Seen on 2026-11-30. Python 3.11 or 3.12. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --no-compile --disable-pip-version-check tonic==1.7.0 numpy==2.4.6
venv/bin/python -W ignore - <<'PY'
import numpy as np
import tonic.transforms as transforms
from tonic.io import events_struct, make_structured_array

COUNT, SIZE, BINS = 20_000, (34, 34, 2), 5
draw = np.random.default_rng(0)
x, y, p = (draw.integers(*between, COUNT) for between in ((5, 29), (5, 29), (0, 2)))
t = np.sort(draw.integers(0, 300_000, COUNT))
whole = np.dtype([(name, np.int64) for name in "xytp"])


def voxels(polarity, dtype):
    return transforms.ToVoxelGrid(SIZE, n_time_bins=BINS)(make_structured_array(x, y, t, polarity, dtype=dtype))


signed, truth, ones = voxels(p, whole), voxels(p, events_struct), voxels(np.ones_like(p), whole)
by_bin = ones.sum((1, 2, 3)) / COUNT * BINS
print(f"(a) smallest voxel, sum: {signed.min():.1f}, {signed.sum():.0f} in int64; {truth.min():.1f}, {truth.sum():.0f} as truth values")
print(f"(b) of all events {ones.sum() / COUNT:.3f}; by bin {by_bin.round(2)}")
moved = {}
for variance in (0.01, 1.0):
    np.random.seed(0)
    jittered = transforms.SpatialJitter(SIZE, var_x=variance, var_y=variance)(make_structured_array(x, y, t, p, dtype=whole))
    off = jittered["x"] - x, jittered["y"] - y
    moved[variance] = off[0].mean(), off[1].mean(), (off[0] < 0).mean(), (off[0] > 0).mean()
    print(f"(c) variance {variance}: mean {moved[variance][0]:.2f}, {moved[variance][1]:.2f}; left {moved[variance][2]:.2f}, right {moved[variance][3]:.2f}")
if not (
    signed.min() < -5
    and truth.min() == 0
    and truth.sum() > 0.85 * COUNT
    and abs(ones.sum() / COUNT - 0.9) < 0.01
    and abs(by_bin[0] - 0.5) < 0.03
    and all(abs(np.array(m[:2]) + 0.5).max() < 0.02 for m in moved.values())
    and moved[0.01][3] == 0
):
    raise SystemExit("CHANGED")
print("AS FOUND: darker is brighter, and a jitter is a shift.")
PY
