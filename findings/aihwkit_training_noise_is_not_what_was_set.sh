#!/usr/bin/env bash
# Finding: three of the weight modifiers by which aihwkit 1.2.0 trains for hardware are weaker on its default tile than their
# documentation says, and two of them weaker than the torch tile makes them of the same configuration.
# (a) MULT_NORMAL, std_dev 0.1, weights from -0.5 to 0.5. Standard deviation of the weight 0.5: 0.025 with InferenceRPUConfig (times
#     the largest weight a second time), 0.050 with TorchInferenceRPUConfig.
# (b) DISCRETIZE, res 1/7, of which the inverse "gives the number of equal sized steps" from -max to max. 14 steps (15 values)
#     with InferenceRPUConfig; with TorchInferenceRPUConfig steps of that size, 7 values. A network trained "with 3 bits" had 4.
# (c) PROG_NOISE, "same as POLY, except that weights are ensured to keep the sign". Standard deviation of the weight 0.8, far from
#     zero: 0.042 with POLY, 0.0017 with PROG_NOISE, 1/25, with the same default coefficients: g_max, 25, divides a second time.
#     With g_max = 1 it is that of POLY.
# So a noise of 10 % is one of 5 % or less, and a network trained for programming noise was trained for almost none.
# Python 3.12 to 3.14 (there is no wheel for 3.11): PYTHON names one. Installs torch with all it brings, some gigabytes.
# Seen on 2026-11-30. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
install="venv/bin/pip install --quiet --no-compile --disable-pip-version-check"
$install --only-binary aihwkit aihwkit==1.2.0 torch==2.14.1 numpy==2.5.5
venv/bin/python -W ignore - <<'PY'
import torch
from aihwkit.nn import AnalogLinear
from aihwkit.simulator.configs import InferenceRPUConfig, TorchInferenceRPUConfig
from aihwkit.simulator.parameters import IOParameters, WeightModifierParameter
from aihwkit.simulator.parameters.enums import WeightModifierType


def modified(config, weights, repeats, kind, **settings):
    """The weights as a forward pass in training has them, [repeats, weights], by the unit vectors as inputs."""
    torch.manual_seed(0)
    modifier = WeightModifierParameter(type=WeightModifierType[kind], **settings)
    layer = AnalogLinear(
        len(weights), 1, bias=False, rpu_config=config(modifier=modifier, forward=IOParameters(is_perfect=True))
    )
    layer.set_weights(weights[None])
    layer.train()
    seen = []
    for _ in range(repeats + 1):  # the first pass comes before the first modification
        seen.append(layer(torch.eye(len(weights))).detach()[:, 0])
        for tile in layer.analog_tiles():
            tile.post_update_step()
    return torch.stack(seen[1:])


ramp = torch.linspace(-0.5, 0.5, 201)
tiles = (InferenceRPUConfig, TorchInferenceRPUConfig)
many = ramp[-1].repeat(400)
spread = [float(modified(tile, many, 30, "MULT_NORMAL", std_dev=0.1).std()) for tile in tiles]
print("(a) MULT_NORMAL 0.1 of a weight of 0.5:", [round(s, 4) for s in spread])
values = [modified(tile, ramp, 1, "DISCRETIZE", res=1 / 7)[0].round(decimals=4).unique() for tile in tiles]
steps = [float(v.diff().mean()) for v in values]
print("(b) DISCRETIZE 1/7:", [len(v) for v in values], "values, steps of", [round(s, 4) for s in steps])
high = torch.cat([torch.ones(1), torch.full((400,), 0.8)])
noise = {
    name: float(modified(InferenceRPUConfig, high, 30, kind, std_dev=1.0, **more)[:, 1:].std())
    for name, kind, more in (("POLY", "POLY", {}), ("PROG_NOISE", "PROG_NOISE", {}), ("g_max 1", "PROG_NOISE", {"g_max": 1.0}))
}
print("(c) of a weight of 0.8:", {name: round(s, 5) for name, s in noise.items()})
if not (
    abs(spread[0] / 0.025 - 1) < 0.05
    and abs(spread[1] / 0.05 - 1) < 0.05
    and [len(v) for v in values] == [15, 7]
    and abs(steps[0] * 2 / steps[1] - 1) < 1e-2
    and abs(noise["POLY"] / noise["PROG_NOISE"] / 25 - 1) < 0.1
    and abs(noise["POLY"] / noise["g_max 1"] - 1) < 0.1
):
    raise SystemExit("CHANGED")
print("AS FOUND: half the noise, twice the steps, a twenty-fifth of the noise.")
PY
