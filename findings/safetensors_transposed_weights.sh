#!/usr/bin/env bash
# Finding: safetensors 0.8.0 (2026-06) writes a transposed NumPy matrix with its values in the wrong places, silently:
# `save_file({"w": w.T})` stores the memory of w under the shape of w.T. Every export between the (inputs, outputs) of
# JAX and the (outputs, inputs) of torch and NIR that transposes by `.T` is hit; a square matrix comes back as itself
# untransposed. 0.7.0 was right. JAX arrays are not concerned (np.asarray of one is contiguous), and
# np.ascontiguousarray helps. Strided and reversed views are hit, too, and are not tried here.
# Seen on 2026-11-28. Python 3.11 to 3.13. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
install="venv/bin/pip install --quiet --no-compile --disable-pip-version-check"
$install numpy==2.4.6
cat > run.py <<'PY'
import numpy as np, safetensors
from safetensors.numpy import load_file, save_file

w = np.arange(6, dtype=np.float32).reshape(2, 3)
square = np.arange(4, dtype=np.float32).reshape(2, 2)
save_file({"w.T": w.T, "square.T": square.T, "fixed": np.ascontiguousarray(w.T)}, "a.safetensors")
read = load_file("a.safetensors")
print(safetensors.__version__, "saved w.T =", w.T.tolist(), "read", read["w.T"].tolist())
print("right:", np.array_equal(read["w.T"], w.T), " contiguous copy right:", np.array_equal(read["fixed"], w.T),
      " square matrix came back untransposed:", np.array_equal(read["square.T"], square))
PY
for version in 0.7.0 0.8.0; do
    $install --no-deps safetensors==$version
    venv/bin/python run.py | tee $version.txt
done
grep -q "right: True  contiguous copy right: True  square matrix came back untransposed: False" 0.7.0.txt &&
    grep -q "right: False  contiguous copy right: True  square matrix came back untransposed: True" 0.8.0.txt ||
    { echo CHANGED; exit 1; }
echo "AS FOUND: 0.8.0 reads back another matrix than was saved, 0.7.0 the same."
