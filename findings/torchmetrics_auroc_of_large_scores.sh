#!/usr/bin/env bash
# Finding: torchmetrics 1.9.0's AUROC, a measure of ranks alone, changes with the size of the scores. Scores of which one is
# outside of [0, 1] go through a sigmoid first (documented), in float32, where it is 1 from 17 on and all ranks are ties:
#     60 scores with an area of 0.738, and 20 added to each: 0.500. Times 100: 0.675.
# Spike counts, or logits summed over time steps, are of that size. And the sigmoid is decided batch by batch: one whose
# scores happen to lie in [0, 1] is left as it is among the others. Of scores in perfect order 1.00 at once, 0.75 in two
# batches. scikit-learn 1.9.1 gives the area of the ranks each time. Nothing is told.
# Seen on 2026-11-29. Python 3.11 to 3.13. Installs torch with all it brings, some gigabytes. Exit 0: as found. Else:
# changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
install="venv/bin/pip install --quiet --no-compile --disable-pip-version-check"
$install torchmetrics==1.9.0 torch==2.14.1 numpy==2.4.6 scikit-learn==1.9.1
venv/bin/python - <<'PY'
import numpy as np, torch
from sklearn.metrics import roc_auc_score
from torchmetrics.classification import BinaryAUROC


def area(*batches):
    metric = BinaryAUROC()
    for scores, labels in batches:
        metric.update(torch.tensor(scores), torch.tensor(labels))
    return round(float(metric.compute()), 3)


labels = np.tile([0, 0, 0, 1, 1, 1], 10)
scores = (labels + np.random.default_rng(0).normal(size=60)).astype(np.float32)
found = {}
for name, values in {"scores": scores, "scores + 20": scores + 20, "scores - 110": scores - 110, "100 scores": 100 * scores}.items():
    found[name] = area((values, labels)), round(roc_auc_score(labels, values), 3)
    print(f"{name}: {found[name][0]}, by ranks {found[name][1]}")
first, second = ([0.2, 0.4], [0, 1]), ([0.3, 1.5], [0, 1])
whole = ([*first[0], *second[0]], [*first[1], *second[1]])
split = area(whole), area(first, second), round(roc_auc_score(whole[1], whole[0]), 3)
print(f"scores in order: at once {split[0]}, in two batches {split[1]}, by ranks {split[2]}")
expected = {"scores": 0.738, "scores + 20": 0.5, "scores - 110": 0.5, "100 scores": 0.675}
if found != {name: (value, 0.738) for name, value in expected.items()} or split != (1.0, 0.75, 1.0):
    raise SystemExit("CHANGED")
print("AS FOUND: large scores are ties, and batches are not ranked alike.")
PY
