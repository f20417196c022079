#!/usr/bin/env bash
# Finding: two presets of aihwkit 1.2.0 for published oxide cells have, as they come, not the noise of their papers.
# ReRamWan2022NoiseModel: its polynomials are errors in uS of cells of 40 uS, the default converter's cells have 25 uS, and
# the errors are not scaled. The error of a half-scale weight right after the write is 8.1 % of the largest weight, 1.6 times
# the published 5.1 %. A `g_converter` of 40 uS gives the latter. The argument that is documented for this case,
# coeff_g_max_reference=40.0, makes programming fail: AttributeError, no attribute 'coeff_g_max_reference'.
# ReRamCMONoiseModel: the default acceptance_range, 2e-2, is no key of its table, {0.2, 2} in percent, and what is no key is
# silently the narrower window. A cell of 80 uS has an error of 0.086 uS, not the 0.92 of the 2 % window, also with
# acceptance_range=0.02.
# Python 3.12 to 3.14 (there is no wheel for 3.11): PYTHON names one. Installs torch with all it brings, some gigabytes.
# Seen on 2026-11-29. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
install="venv/bin/pip install --quiet --no-compile --disable-pip-version-check"
$install --only-binary aihwkit aihwkit==1.2.0 torch==2.14.1 numpy==2.5.5
venv/bin/python -W ignore - <<'PY'
import torch
from aihwkit.inference import ReRamCMONoiseModel, ReRamWan2022NoiseModel
from aihwkit.inference.converter.conductance import SinglePairConductanceConverter

torch.manual_seed(0)


def error(model, target):
    """Standard deviation of what is written to cells of this target, in uS."""
    return float(model.apply_programming_noise_to_conductance(torch.full((200_000,), target)).std())


default, published = ReRamWan2022NoiseModel(), ReRamWan2022NoiseModel(g_converter=SinglePairConductanceConverter(g_max=40.0))
relative = [error(model, model.g_max / 2) / model.g_max for model in (default, published)]
print(f"Wan: g_max {default.g_max} uS, error {relative[0]:.3f} of it; with cells of 40 uS {relative[1]:.3f}")
try:
    refused = f"{error(ReRamWan2022NoiseModel(coeff_g_max_reference=40.0), 12.5):.3f} uS"
except AttributeError as reason:
    refused = str(reason)
print("Wan with coeff_g_max_reference=40.0:", refused)
windows = [error(ReRamCMONoiseModel(**given), 80.0) for given in ({}, {"acceptance_range": 0.02}, {"acceptance_range": 2})]
print("CMO, a cell of 80 uS: error {:.3f} uS by default, {:.3f} for 0.02, {:.3f} for 2".format(*windows))
wan = abs(relative[0] - 0.0809) < 0.002 and abs(relative[1] - 0.0507) < 0.002 and "coeff_g_max_reference" in refused
if not (wan and max(windows[:2]) < 0.1 and 0.85 < windows[2] < 1.0):
    raise SystemExit("CHANGED")
print("AS FOUND: 1.6 times the published error, and a tenth of it.")
PY
