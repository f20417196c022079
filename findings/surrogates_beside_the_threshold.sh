#!/usr/bin/env bash
# Finding: two surrogate gradients of snnTorch 1.0.0 are not what their formulas say, at the membranes that a neuron has. A
# neuron hands them its membrane less its threshold.
# (a) spike_rate_escape, k exp(-beta |U - 1|) of the membrane U, takes 1 off once more: of a Leaky of threshold 1 it is largest at a
#     membrane of 2, of one of threshold 0.5 at 1.5, and e times smaller where the neuron fires.
# (b) sigmoid, as it comes (slope 25), is NaN for a membrane 3.5 or more below the threshold, where the formula gives 1e-37: one
#     inhibited sample of a batch makes the gradients of all weights before the neuron NaN, and an optimiser's step the weights.
# fast_sigmoid and atan are largest at the threshold, and finite.
# Seen on 2026-11-30. Python 3.11 or 3.12. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
install="venv/bin/pip install --quiet --no-compile --disable-pip-version-check"
$install numpy==2.4.6 torch==2.13.0 h5py==3.16.0 tqdm==4.70.1
# Without their other dependencies, which are not used here.
$install --no-deps nir==1.0.8 nirtorch==2.6 snntorch==1.0.0
venv/bin/python -W ignore - <<'PY'
import math

import snntorch as snn
import torch
from snntorch import surrogate


def slopes(gradient, threshold, membranes):
    """Derivative of a neuron's first spike by its membrane: beta 0, so that the membrane is the input."""
    inputs = torch.tensor(membranes, requires_grad=True)
    neuron = snn.Leaky(beta=0.0, threshold=threshold, spike_grad=gradient)
    spikes, _ = neuron(inputs, torch.zeros(len(membranes)))
    spikes.sum().backward()
    return inputs.grad


grid = torch.arange(0.0, 3.0, 0.01).tolist()
peaks = {}
for name, gradient in {
    "spike_rate_escape": surrogate.spike_rate_escape(),
    "fast_sigmoid": surrogate.fast_sigmoid(),
    "atan": surrogate.atan(),
}.items():
    found = [slopes(gradient, threshold, grid) for threshold in (0.5, 1.0)]
    peaks[name] = [round(grid[int(slope.argmax())], 2) for slope in found]
    at = float(found[1].max() / found[1][100])
    print(f"(a) {name}: largest at {peaks[name]} for thresholds 0.5 and 1; at its largest {at:.2f} times what it is at 1")
escape = slopes(surrogate.spike_rate_escape(), 1.0, [1.0, 2.0])
below = [-3.4, -3.5, -4.0]
sigmoid = slopes(surrogate.sigmoid(), 1.0, [1 + b for b in below])
print("(b) sigmoid at", below, "from the threshold:", sigmoid.tolist(), "; formula:", [25 * math.exp(25 * b) for b in below])

layer, neuron = torch.nn.Linear(3, 2, bias=False), snn.Leaky(beta=0.9, spike_grad=surrogate.sigmoid())
layer.weight.data.fill_(1.0)
optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
spikes, _ = neuron(layer(torch.tensor([[0.5, 0.5, 0.5], [-4.0, 0.0, 0.0]])), torch.zeros(2, 2))
spikes.sum().backward()
optimizer.step()
lost = int(layer.weight.isnan().sum())
print(f"weights that are NaN after one step with two samples, one of them inhibited: {lost} of {layer.weight.numel()}")
if not (
    peaks["spike_rate_escape"] == [1.5, 2.0]
    and peaks["fast_sigmoid"] == peaks["atan"] == [0.5, 1.0]
    and abs(float(escape[1] / escape[0]) / math.e - 1) < 1e-4
    and sigmoid[0].isfinite()
    and sigmoid[1:].isnan().all()
    and lost == layer.weight.numel()
):
    raise SystemExit("CHANGED")
print("AS FOUND: a gradient at twice the threshold, and one that is no number.")
PY
