#!/usr/bin/env bash
# Finding: rockpool 3.1.0 turns a network for the Xylo chips into whole numbers by `global_quantize` or `channel_quantize`.
# The first gives the biases of the output neurons the scale of the hidden ones, where weights and thresholds of outputs
# have their own: a bias of a tenth of the threshold becomes 0 beside a threshold of 89. The second writes the biases
# that it finds into the arrays that it was given: quantising a network twice, or comparing with the floats afterwards,
# meets other numbers. Nothing is told.
# Seen on 2026-11-30. Python 3.11. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --no-compile --disable-pip-version-check "rockpool==3.1.0"
cat > run.py <<'PY'
import numpy as np
from rockpool.transform.quantize_methods import channel_quantize, global_quantize

draw = np.random.default_rng(0)


def network():
    hidden, outputs = 6, 3
    return {
        "weights_in": draw.normal(size=(4, hidden, 2)),
        "weights_rec": draw.normal(size=(hidden, hidden, 2)),
        "weights_out": 0.01 * draw.normal(size=(hidden, outputs)),
        "threshold": np.ones(hidden),
        "threshold_out": np.full(outputs, 0.01),
        "dash_mem": np.full(hidden, 4.0),
        "dash_mem_out": np.full(outputs, 4.0),
        "dash_syn": np.full(hidden, 3.0),
        "dash_syn_2": np.full(hidden, 3.0),
        "dash_syn_out": np.full(outputs, 3.0),
        "bias": np.full(hidden, 0.1),
        "bias_out": np.full(outputs, 0.001),
    }


floats = network()
found = global_quantize(**floats)
scale = np.max(np.abs(found["weights_out"])) / np.max(np.abs(floats["weights_out"]))
threshold, bias = int(found["threshold_out"][0]), int(found["bias_out"][0])
print(f"outputs: threshold 0.01 -> {threshold}, bias 0.001 -> {bias}; their scale would make it {scale * 0.001:.1f}")

given = network()
before = {name: array.copy() for name, array in given.items()}
channel_quantize(**given)
changed = sorted(name for name in given if not np.array_equal(given[name], before[name]))
print(f"arrays that channel_quantize changed: {', '.join(changed)}")
assert bias == 0 and scale * 0.001 > 5 and threshold > 50
assert {"bias", "bias_out"} <= set(changed)
PY
venv/bin/python run.py
