#!/usr/bin/env bash
# Finding: aihwkit 1.2.0's SoftBoundsPmaxDevice, the class made for fits to measurements, does not run the curve it is
# given. Its documentation: p_max up pulses take a device from range_min to range_max along w(p) = range_min + B (1 -
# exp(-alpha p)), with B = (range_max - range_min) / (1 - exp(-p_max alpha)), and p_max down pulses back along the
# mirror image. Without any noise, range -1 to 1, w after p_max up pulses, and after p_max down pulses more:
#     p_max 1000, alpha 0.0005 (its defaults)   1.36 and -0.13, not 1 and -1
#     p_max  100, alpha 0.02                    1.25 and -0.96
# The first step up is 1.25 and 1.78 times that of the curve; from range_max the first step down is 0.79 and 1.75 times it.
# The reason: the step given to the underlying soft bounds, B alpha, is theirs at zero weight but the curve's at its start, and
# their lower bound is range_min, where the mirror image has range_max - B. A ConstantStepDevice under the same pulses moves by
# a step each, so the count is right.
# Python 3.12 to 3.14 (there is no wheel for 3.11): PYTHON names one. Installs torch with all it brings, some gigabytes.
# Seen on 2026-11-29. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
install="venv/bin/pip install --quiet --no-compile --disable-pip-version-check"
$install --only-binary aihwkit aihwkit==1.2.0 torch==2.14.1 numpy==2.5.5
venv/bin/python -W ignore - <<'PY'
import numpy as np, torch
from aihwkit.simulator.configs import SingleRPUConfig, UpdateParameters
from aihwkit.simulator.configs.devices import ConstantStepDevice, SoftBoundsPmaxDevice
from aihwkit.simulator.parameters.enums import PulseType
from aihwkit.simulator.tiles import AnalogTile

EXACT = {name: 0.0 for name in ("dw_min_dtod", "dw_min_std", "w_min_dtod", "w_max_dtod", "up_down_dtod")}
ONE_PULSE = UpdateParameters(
    desired_bl=1, fixed_bl=True, update_bl_management=False, update_management=False, pulse_type=PulseType.STOCHASTIC_COMPRESSED
)


def pulsed(device, start, directions):
    """Weights of one cell, before and after each pulse."""
    tile = AnalogTile(1, 1, SingleRPUConfig(device=device, update=ONE_PULSE))
    tile.set_weights(torch.full((1, 1), start))
    tile.set_learning_rate(1.0)  # far above one step: a pulse each time, with certainty
    weights = [start]
    for direction in directions:
        tile.update(torch.ones(1, 1), -direction * torch.ones(1, 1))
        weights.append(float(tile.get_weights()[0]))
    return np.array(weights)


constant = pulsed(ConstantStepDevice(dw_min=0.001, **EXACT), 0.0, [1] * 300 + [-1] * 200)
print(f"constant steps of 0.001: {constant[300]:.4f} after 300 up, {constant[-1]:.4f} after 200 down")
found = []
for p_max, alpha in ((1000, 0.0005), (100, 0.02)):
    device = SoftBoundsPmaxDevice(p_max=p_max, alpha=alpha, range_min=-1.0, range_max=1.0, **EXACT)
    there_and_back = pulsed(device, -1.0, [1] * p_max + [-1] * p_max)
    one_down = pulsed(device, 1.0, [-1])
    first = 2 / (1 - np.exp(-p_max * alpha)) * (1 - np.exp(-alpha))  # the curve's first step, up and down
    row = (there_and_back[p_max], there_and_back[-1], (there_and_back[1] + 1) / first, (1 - one_down[1]) / first)
    found.append(np.round(row, 2).tolist())
    print(f"p_max {p_max}, alpha {alpha}: after p_max up {row[0]:.3f}, and down {row[1]:.3f}; first steps {row[2]:.2f}, {row[3]:.2f}")
right_count = np.allclose([constant[300], constant[-1]], [0.3, 0.1], atol=1e-4)
if not (right_count and found == [[1.36, -0.13, 1.25, 0.79], [1.25, -0.96, 1.78, 1.75]]):
    raise SystemExit("CHANGED")
print("AS FOUND: p_max pulses lead from -1 to 1.36 or 1.25.")
PY
