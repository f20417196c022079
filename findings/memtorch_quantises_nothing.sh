#!/usr/bin/env bash
# Finding: two settings of MemTorch 1.1.6 for coarse cells and converters do not do what they say, and say nothing.
# (a) FiniteConductanceStates, whatever the number of states, leaves every conductance as it was: the call that would round them
#     raises inside (limits by cell, where the compiled function takes one number), and a bare `except` puts the old matrix
#     back. A layer of 4 x 8 weights keeps 33 different conductances with 2 states as with 256, and its outputs. An accuracy "with
#     n states" is that without.
# (b) quantize(x, bits, quant_method="log") has 2 values with any number of bits, for x between -1 and 1 those of its sign.
#     "linear" has 2 ** bits.
# Python 3.8, for which alone there is a wheel: PYTHON names one. Installs torch 1.10.2 with all it brings, some gigabytes.
# Seen on 2026-11-30. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3.8}" -m venv venv
install="venv/bin/pip install --quiet --no-compile --disable-pip-version-check"
$install numpy==1.23.5 torch==1.10.2 torchvision==0.11.3 scipy==1.10.1 pandas==2.0.3 matplotlib==3.7.5 seaborn==0.13.2 \
    lmfit==1.3.2 ipython==8.12.3 scikit-learn==1.3.2 importlib_resources==6.4.5
$install --no-deps memtorch-cpu==1.1.6 # asks for "sklearn", which is no package any more
venv/bin/python -W ignore - <<'PY'
import torch
import memtorch
from memtorch.bh.nonideality.NonIdeality import NonIdeality, apply_nonidealities
from memtorch.bh.Quantize import quantize
from memtorch.map.Parameter import naive_map
from memtorch.mn.Module import patch_model

torch.manual_seed(0)
weights, inputs = torch.nn.Linear(8, 4), 2 * torch.rand(5, 8) - 1


def conductances(model):
    return torch.cat([crossbar.conductance_matrix.flatten() for crossbar in model[0].crossbars]).clone()


changed = []
for states in (2, 16, 256):
    patched = patch_model(
        torch.nn.Sequential(weights),
        memristor_model=memtorch.bh.memristor.VTEAM,
        memristor_model_params={"r_on": 1e3, "r_off": 1e5},
        module_parameters_to_patch=[torch.nn.Linear],
        mapping_routine=naive_map,
        transistor=True,
        programming_routine=None,
        scheme=memtorch.bh.Scheme.DoubleColumn,
        verbose=False,
    )
    patched.tune_()
    before, outputs = conductances(patched), patched(inputs)
    coarse = apply_nonidealities(patched, non_idealities=[NonIdeality.FiniteConductanceStates], conductance_states=states)
    after = conductances(coarse)
    changed.append(not (torch.equal(before, after) and torch.allclose(outputs, coarse(inputs), atol=1e-6)))
    print(f"{states} states: {len(after.unique())} different conductances before and after, changed: {changed[-1]}")

ramp = torch.linspace(-1, 1, 2001)
levels = {method: [len(quantize(ramp, bits, quant_method=method).unique()) for bits in (2, 4, 8)] for method in ("linear", "log")}
print("values of 2, 4 and 8 bits:", levels)
if any(changed) or len(after.unique()) != 33 or levels != {"linear": [4, 16, 256], "log": [2, 2, 2]}:
    raise SystemExit("CHANGED")
print("AS FOUND: finite states change nothing, logarithmic converters have two values.")
PY
