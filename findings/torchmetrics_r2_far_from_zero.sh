#!/usr/bin/env bash
# Finding: torchmetrics 1.9.0's R2Score takes the variance of the targets as a difference of sums of squares in the type of
# the input. In float32, of 10000 targets whose mean is some thousand times their spread, nothing of it is left:
#     targets 100 +- 0.01, errors of 0.02: 0.75, in batches of 100 0.51; the right one is -2.97
#     targets 300 +- 0.1 (kelvin), errors of 0.05: 1.20, above what R2 can be, in batches 0.60; the right one is 0.74
# ExplainedVariance reads 0.80 and 1.17. Which wrong number comes is that of the order in which the processor adds, so only
# that it is far off is checked. scikit-learn 1.9.1 is right to four digits from the same float32 arrays, and so is
# torchmetrics from float64, or with a constant taken off targets and predictions. Nothing is told.
# Seen on 2026-11-29. Python 3.11 to 3.13. Installs torch with all it brings, some gigabytes. Exit 0: as found. Else:
# changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
install="venv/bin/pip install --quiet --no-compile --disable-pip-version-check"
$install torchmetrics==1.9.0 torch==2.14.1 numpy==2.4.6 scikit-learn==1.9.1
venv/bin/python - <<'PY'
import numpy as np, torch
from sklearn.metrics import r2_score
from torchmetrics.regression import ExplainedVariance, R2Score

rng = np.random.default_rng(0)


def measured(metric, y, p, size=10_000):
    for start in range(0, len(y), size):
        metric.update(torch.tensor(p[start : start + size]), torch.tensor(y[start : start + size]))
    return float(metric.compute())


as_found = True
for offset, spread, error, far in ((100, 0.01, 0.02, 1.0), (300, 0.1, 0.05, 0.03)):
    y = (offset + spread * rng.normal(size=10_000)).astype(np.float32)
    p = (y + error * rng.normal(size=10_000)).astype(np.float32)
    right = float(1 - np.sum((p - y.astype(float)) ** 2) / np.sum((y - y.mean(dtype=float)) ** 2))
    wrong = [measured(R2Score(), y, p), measured(R2Score(), y, p, 100), measured(ExplainedVariance(), y, p)]
    centred = measured(R2Score(), y - np.float32(offset), p - np.float32(offset))
    good = [measured(R2Score(), y.astype(float), p.astype(float)), centred, r2_score(y, p)]
    print(f"{offset} +- {spread}: right {right:.4f}; R2Score, in batches, ExplainedVariance:", np.round(wrong, 3).tolist())
    print("    R2Score of float64, centred, and scikit-learn of float32:", np.round(good, 4).tolist())
    as_found &= all(abs(value - right) > far for value in wrong) and np.allclose(good, right, rtol=1e-3)
if not as_found:
    raise SystemExit("CHANGED")
print("AS FOUND: R2 of float32 targets far from zero is noise.")
PY
