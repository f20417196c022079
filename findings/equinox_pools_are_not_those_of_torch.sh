#!/usr/bin/env bash
# Finding: of equinox 0.13.8's pools, two have the name, the arguments and the shapes of torch's and other numbers, so a
# network of torch whose weights are copied layer by layer is another network, silently:
#     AdaptiveAvgPool and AdaptiveMaxPool, where the size is no multiple of the target: windows side by side, the larger
#         ones first (7 to 3: 0-2, 3-4, 5-6). Torch's overlap instead (0-2, 2-4, 4-6). Means of 0 to 6 are 1, 3.5 and 5.5, of
#         torch 1, 3 and 5.
#     AvgPool with use_ceil=True, where a last window hangs over: the sum is divided by the whole kernel, so zeros that
#         are nowhere declared count. Torch's ceil_mode=True divides by what is there. Of ones, 0.67 at the edge, not 1.
# MaxPool with use_ceil, padded AvgPool, and adaptive pools to a divisor, the common case of 1 among them, agree.
# Seen on 2026-11-29. Python 3.11 to 3.13. Installs torch with all it brings, some gigabytes. Exit 0: as found. Else:
# changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
install="venv/bin/pip install --quiet --no-compile --disable-pip-version-check"
$install equinox==0.13.8 jax==0.10.2 jaxlib==0.10.2 torch==2.14.1 numpy==2.4.6
JAX_PLATFORMS=cpu venv/bin/python - <<'PY'
import equinox as eqx, jax.numpy as jnp, numpy as np, torch

ramp, ones = np.arange(7, dtype=np.float32)[None], np.ones((1, 6), np.float32)
nn, other = eqx.nn, torch.nn
cases = {
    "adaptive average 7 to 3": (nn.AdaptiveAvgPool1d(3), other.AdaptiveAvgPool1d(3), ramp),
    "adaptive maximum 7 to 3": (nn.AdaptiveMaxPool1d(3), other.AdaptiveMaxPool1d(3), 6 - ramp),
    "adaptive average 6 to 4": (nn.AdaptiveAvgPool1d(4), other.AdaptiveAvgPool1d(4), ramp[:, :6]),
    "average of ones, ceil": (nn.AvgPool1d(3, 2, use_ceil=True), other.AvgPool1d(3, 2, ceil_mode=True), ones),
    "maximum, ceil": (nn.MaxPool1d(3, 2, use_ceil=True), other.MaxPool1d(3, 2, ceil_mode=True), ramp[:, :6]),
    "average of ones, padded": (nn.AvgPool1d(3, 2, padding=1), other.AvgPool1d(3, 2, padding=1), ones),
    "adaptive average 6 to 3": (nn.AdaptiveAvgPool1d(3), other.AdaptiveAvgPool1d(3), ramp[:, :6]),
}
found = {}
for name, (layer, of_torch, x) in cases.items():
    found[name] = [[round(float(value), 2) for value in y.ravel()] for y in (layer(jnp.array(x)), of_torch(torch.tensor(x)))]
    print(f"{name}: equinox {found[name][0]}, torch {found[name][1]}")
differ = {
    "adaptive average 7 to 3": [[1.0, 3.5, 5.5], [1.0, 3.0, 5.0]],
    "adaptive maximum 7 to 3": [[6.0, 3.0, 1.0], [6.0, 4.0, 2.0]],
    "adaptive average 6 to 4": [[0.5, 2.5, 4.0, 5.0], [0.5, 1.5, 3.5, 4.5]],
    "average of ones, ceil": [[1.0, 1.0, 0.67], [1.0, 1.0, 1.0]],
}
if any(ours != theirs if name not in differ else [ours, theirs] != differ[name] for name, (ours, theirs) in found.items()):
    raise SystemExit("CHANGED")
print("AS FOUND: adaptive pools and averages with use_ceil are not those of torch.")
PY
