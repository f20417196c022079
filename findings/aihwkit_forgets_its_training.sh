#!/usr/bin/env bash
# Finding: a model of aihwkit 1.2.0 that was programmed once keeps the weights of that time as its reference. Training changes the
# weights, not the reference: the next drift_analog_weights(t) or program_analog_weights(), as of an evaluation after each epoch,
# puts the weights of before the training back into the model. With no noise and no drift, a layer of 10 inputs that learns another
# from random weights, its mean squared error after each step of
#     program: 0.41    train: below 1e-6    drift to 1 h: 0.41    program: 0.41
# with InferenceRPUConfig and TorchInferenceRPUConfig alike; the weights are the old ones to 1e-6. The same without the first
# `program`: 1e-6 to the end. Nothing is told. What helps is `set_weights(get_weights())` after the training, and then
# program_analog_weights(): a drift right after set_weights still brings the old ones back.
# Python 3.12 to 3.14 (there is no wheel for 3.11): PYTHON names one. Installs torch with all it brings, some gigabytes.
# Seen on 2026-11-30. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
install="venv/bin/pip install --quiet --no-compile --disable-pip-version-check"
$install --only-binary aihwkit aihwkit==1.2.0 torch==2.14.1 numpy==2.5.5
venv/bin/python -W ignore - <<'PY'
import torch
from aihwkit.inference import PCMLikeNoiseModel
from aihwkit.nn import AnalogLinear
from aihwkit.optim import AnalogSGD
from aihwkit.simulator.configs import InferenceRPUConfig, TorchInferenceRPUConfig
from aihwkit.simulator.parameters import IOParameters

EXACT = PCMLikeNoiseModel(prog_noise_scale=0.0, read_noise_scale=0.0, drift_scale=0.0)


def history(config, order):
    """Mean squared error after each step of a layer that learns another."""
    torch.manual_seed(0)
    inputs, goal = 2 * torch.rand(256, 10) - 1, torch.rand(3, 10) - 0.5
    layer = AnalogLinear(
        10, 3, bias=False, rpu_config=config(noise_model=EXACT, drift_compensation=None, forward=IOParameters(is_perfect=True))
    )
    optimizer = AnalogSGD(layer.parameters(), lr=0.5)

    def error():
        return torch.mean((layer(inputs) - inputs @ goal.T) ** 2)

    def train():
        layer.train()
        for _ in range(100):
            optimizer.zero_grad()
            error().backward()
            optimizer.step()
        layer.eval()

    steps = {
        "program": layer.program_analog_weights,
        "train": train,
        "drift": lambda: layer.drift_analog_weights(3600.0),
        "set": lambda: layer.set_weights(layer.get_weights()[0]),
    }
    layer.eval()
    errors, weights = [], []
    for step in order:
        steps[step]()
        errors.append(float(error()))
        weights.append(layer.get_weights()[0].clone())
    return errors, float((weights[-1] - weights[0]).abs().max())


for config in (InferenceRPUConfig, TorchInferenceRPUConfig):
    lost, back = history(config, ("program", "train", "drift", "program"))
    kept, _ = history(config, ("train", "drift", "program"))
    helped, _ = history(config, ("program", "train", "set", "program", "drift"))
    too_early, _ = history(config, ("program", "train", "set", "drift"))
    print(config.__name__, "program, train, drift, program:", [f"{e:.1e}" for e in lost], f"; weights off the first by {back:.0e}")
    print("    train, drift, program:", [f"{e:.1e}" for e in kept], "; set, program, drift:", [f"{e:.1e}" for e in helped[2:]])
    small = max(lost[1], *kept, *helped[1:])
    if not (lost[0] > 0.1 and abs(lost[2] / lost[0] - 1) < 1e-3 and abs(lost[3] / lost[0] - 1) < 1e-3 and back < 1e-6):
        raise SystemExit("CHANGED")
    if not (small < 1e-6 and abs(too_early[-1] / lost[0] - 1) < 1e-3):
        raise SystemExit("CHANGED")
print("AS FOUND: drift and program bring the weights back that were there before the training.")
PY
