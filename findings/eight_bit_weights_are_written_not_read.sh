#!/usr/bin/env bash
# Finding: weights of 8 or 4 bits are written by equinox 0.13.8's tree_serialise_leaves and by jax 0.10.2's jnp.save, without
# a word, into files that neither reads again:
#     float8_e4m3fn, int4: jnp.load gives bare bytes (dtype V1), tree_deserialise_leaves raises; which of these types it
#         was is not in the file
#     float8_e5m2: its entry in the file is "<f1", which is no type: both raise, numpy.load too
# bfloat16 comes back from both, so that a test with it says nothing; numpy.load gives bare bytes (V2) of that as well.
# What helps is writing the bytes under a type that NumPy knows (`.view("uint8")`) and the name of theirs beside it.
# Seen on 2026-11-29. Python 3.11 to 3.13. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
install="venv/bin/pip install --quiet --no-compile --disable-pip-version-check"
$install equinox==0.13.8 jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6 ml_dtypes==0.6.0
JAX_PLATFORMS=cpu venv/bin/python - <<'PY'
import equinox as eqx, jax.numpy as jnp, numpy as np


def read(how):
    """The type that comes back, or "raises"."""
    try:
        return str(how().dtype)
    except Exception:
        return "raises"


found = {}
for name in ("bfloat16", "float8_e4m3fn", "float8_e5m2", "int4"):
    weights = jnp.arange(4).astype(name)
    jnp.save("weights.npy", weights)
    eqx.tree_serialise_leaves("weights.eqx", weights)
    like = jnp.zeros_like(weights)
    ways = (
        lambda: eqx.tree_deserialise_leaves("weights.eqx", like),
        lambda: jnp.load("weights.npy"),
        lambda: np.load("weights.npy"),
    )
    found[name] = [read(way) for way in ways]
    print(f"{name}: equinox {found[name][0]}, jnp.load {found[name][1]}, numpy.load {found[name][2]}")
expected = {
    "bfloat16": ["bfloat16", "bfloat16", "|V2"],
    "float8_e4m3fn": ["raises", "|V1", "|V1"],
    "float8_e5m2": ["raises", "raises", "raises"],
    "int4": ["raises", "|V1", "|V1"],
}
if found != expected:
    raise SystemExit("CHANGED")
print("AS FOUND: written without a word, not read again.")
PY
