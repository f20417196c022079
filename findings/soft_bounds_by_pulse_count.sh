#!/usr/bin/env bash
# Finding: aihwkit 1.2.0's SoftBoundsPmaxDevice, the class made for fits to measurements, does not run the curve it is given.
# Its documentation: p_max up pulses take a device from range_min to range_max along w(p) = range_min + B (1 - exp(-alpha p)),
# with B = (range_max - range_min) / (1 - exp(-p_max alpha)), and p_max down pulses back along the mirror image.
# Without any noise, range -1 to 1, w after p_max up pulses, and after p_max down pulses more:
#     p_max 1000, alpha 0.0005 (its defaults)   1.36 and -0.13, not 1 and -1
#     p_max  100, alpha 0.02                    1.25 and -0.96
# The steps up are 1.24 and 1.76 times those of the curve at once; those of a down curve that begins at range_max 0.92 and
# 1.73 times. The reason: the step is scaled so that it is right at zero weight, B alpha, which belongs to the bound; and
# the lower bound is range_min, where the mirror image has range_max - B. A ConstantStepDevice under the same pulses moves by
# exactly a step each, so the count is right.
# Python 3.12 to 3.14 (there is no wheel for 3.11): PYTHON names one. Installs torch with what it brings, some gigabytes.
# Seen on 2026-11-29. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check --only-binary aihwkit aihwkit==1.2.0 numpy==2.5.5
venv/bin/python -W ignore - <<'PY'
import numpy as np, torch
PY
