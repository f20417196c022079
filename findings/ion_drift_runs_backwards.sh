#!/usr/bin/env bash
# Finding: the linear ion drift model of MemTorch 1.1.6 (LinearIonDrift, of HP's memristor) does not have the published
# equations.
# (a) Its window of Joglekar and Wolf, 1 - (2 x - 1)^(2 p), is (1 - (2 x - 1))^(2 p): at p = 1 and x = 0, 0.1, 0.5, 0.9 it is 4.00,
#     3.24, 1.00, 0.04, not 0, 0.36, 1, 0.36. It does not vanish at x = 0, where it is to hold the state. That of Prodromakis,
#     1 - ((x - 0.5)^2 + 0.75)^p, is 1.50, 1.59, 1.75 at 0, 0.1 and 0.5, p = 1, not 0, 0.09, 0.25.
# (b) set_conductance sets the state of the opposite one: after 10 mS, the largest there is (100 ohm), 0.1 V give 6.25 uA, those of
#     16 kilohm, not 1 mA. `g` reads 10 mS until the first read, then 62.5 uS.
# Biolek's window and VTEAM are as published.
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
import numpy as np
from memtorch.bh.memristor import VTEAM, LinearIonDrift
from memtorch.bh.memristor.window import Biolek, Jogelkar, Prodromakis

X = (0.0, 0.1, 0.5, 0.9)
joglekar = [Jogelkar(x, 1) for x in X]
prodromakis = [Prodromakis(x, 1) for x in X[:3]]
biolek = [Biolek(1.0, x, 1) for x in X]
print("Joglekar", np.round(joglekar, 2), "published", np.round([1 - (2 * x - 1) ** 2 for x in X], 2))
print("Prodromakis", np.round(prodromakis, 2), "published", np.round([1 - ((x - 0.5) ** 2 + 0.75) for x in X[:3]], 2))
read = {}
for name, cell in {"LinearIonDrift": LinearIonDrift(), "VTEAM": VTEAM()}.items():
    conductance = 1 / cell.r_on
    cell.set_conductance(conductance)
    shown = cell.g
    current = cell.simulate([0.01], return_current=True)[0]
    read[name] = (current / 0.01 / conductance, shown / conductance, cell.g / conductance)
    print(f"{name} set to {1e3 * conductance:.0f} mS: {1e5 * current:.4f} mS read; g {1e3 * shown:.4f}, then {1e3 * cell.g:.4f} mS")
if not (
    np.allclose(joglekar, [4.0, 3.24, 1.0, 0.04])
    and np.allclose(prodromakis, [1.5, 1.59, 1.75])
    and np.allclose(biolek, [1 - x**2 for x in X])
    and np.allclose(read["LinearIonDrift"], [1 / 160, 1, 1 / 160])
    and np.allclose(read["VTEAM"], 1)
):
    raise SystemExit("CHANGED")
print("AS FOUND: a cell set to its largest conductance has its smallest.")
PY
