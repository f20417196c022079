#!/usr/bin/env bash
# Finding: a layer that MemTorch 1.1.6 has patched with max_input_voltage, as its tutorials do, is no function of its
# input. Inputs are scaled to that voltage by the largest magnitude in the batch, only where it is above the voltage, and
# outputs are not scaled back; tune_() learns one factor, for batches between -1 and 1. A Linear(8, 4) on 1 and 100 kilohm, 0.3 V,
# tuned, without converters or any other imperfection:
# (a) outputs less the bias over those of torch, by the largest input of the batch:
#       0.1 and 0.25: 3.33    0.5: 2.0    1: 1.0    3: 0.33    10: 0.10
# (b) a sample whose inputs are within 1 has other outputs beside one of 4: a quarter of them, less the bias.
# So accuracies depend on the batch size, and a layer after a ReLU, whose inputs are not within 1, has weights too small beside
# its bias. Nothing is told. Batches whose largest input is 1, as of images between 0 and 1, are right.
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
from memtorch.map.Parameter import naive_map
from memtorch.mn.Module import patch_model

torch.manual_seed(0)
exact = torch.nn.Sequential(torch.nn.Linear(8, 4))
weight, bias = exact[0].weight.detach().clone(), exact[0].bias.detach().clone()
patched = patch_model(
    exact,
    memristor_model=memtorch.bh.memristor.VTEAM,
    memristor_model_params={"r_on": 1e3, "r_off": 1e5},
    module_parameters_to_patch=[torch.nn.Linear],
    mapping_routine=naive_map,
    transistor=True,
    programming_routine=None,
    scheme=memtorch.bh.Scheme.DoubleColumn,
    max_input_voltage=0.3,
    verbose=False,
)
patched.tune_()


def factor(inputs, row=slice(None)):
    """Outputs less the bias over those of torch, as one factor."""
    with torch.no_grad():
        theirs, right = (patched(inputs) - bias)[row], (inputs @ weight.T)[row]
    fitted = float((theirs * right).sum() / (right * right).sum())
    assert torch.allclose(theirs, fitted * right, atol=1e-3 * float(theirs.abs().max()))  # nothing but a factor
    return fitted


inputs = 2 * torch.rand(5, 8) - 1
inputs /= inputs.abs().max()
by_scale = [factor(scale * inputs) for scale in (0.1, 0.25, 0.5, 1.0, 3.0, 10.0)]
beside = factor(torch.cat([inputs, torch.full((1, 8), 4.0)]), slice(0, 5))
print("by the largest input, 0.1 to 10:", [round(f, 2) for f in by_scale], "; beside an input of 4:", round(beside, 2))
found = [3.33, 3.33, 2.0, 1.0, 0.33, 0.1]
if not (all(abs(f / g - 1) < 0.03 for f, g in zip(by_scale, found)) and abs(beside - 0.25) < 0.01):
    raise SystemExit("CHANGED")
print("AS FOUND: outputs depend on the largest input of the batch.")
PY
