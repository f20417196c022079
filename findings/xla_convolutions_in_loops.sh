#!/usr/bin/env bash
# Finding: on a CPU, jax 0.10.2 brings a convolution into the form of its fast kernels (channels last) in the outermost
# computation only. Within a `lax.scan` one with channels first, which is JAX's default and Equinox's, stays as
# written and runs through a plain loop: the same 16 to 32 channels, 3 x 3, of 64 images take 5 to 60 times as long a
# step as outside. The gradient is slow there with channels last too: the derivatives that JAX writes have other layouts.
# So a training epoch in a scan, steps of a spiking network, or a `lax.map` over chips cost many times what their parts
# do. Nothing is told. Patches and a product are fast in both places.
# Seen on 2026-11-29. Python 3.11 to 3.13. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --no-compile --disable-pip-version-check "jax[cpu]==0.10.2"
cat > run.py <<'PY'
import re
import time

import jax
import jax.numpy as jnp
import jax.random as jr
from jax import lax

STEPS = 8
x, kernel = jr.normal(jr.key(0), (64, 16, 14, 14)), jr.normal(jr.key(1), (32, 16, 3, 3))


def first(x):
    return lax.conv_general_dilated(x, kernel, (1, 1), "SAME")


def last(x):
    numbers = ("NHWC", "HWIO", "NHWC")
    moved = jnp.transpose(kernel, (2, 3, 1, 0))
    return lax.conv_general_dilated(jnp.moveaxis(x, 1, -1), moved, (1, 1), "SAME", dimension_numbers=numbers)


def in_scan(f):
    def body(x, _):
        return x * (1 + 1e-9 * jnp.sum(f(x))), None

    return jax.jit(lambda x: lax.scan(body, x, length=STEPS)[0])


def layouts(f):
    return set(re.findall(r"convolution\(.*dim_labels=(\w+->\w+)", f.lower(x).compile().as_text()))


def seconds(f):
    f(x).block_until_ready()
    times = []
    for _ in range(5):
        start = time.perf_counter()
        f(x).block_until_ready()
        times.append(time.perf_counter() - start)
    return min(times)


def slope(f):
    return jax.grad(lambda x: jnp.sum(jnp.sin(f(x))))


print("jax", jax.__version__)
found = {
    "outside": layouts(jax.jit(first)),
    "in a scan": layouts(in_scan(first)),
    "in a scan, channels last": layouts(in_scan(last)),
}
times = {"outside": seconds(jax.jit(first)), "in a scan": seconds(in_scan(first)) / STEPS}
times["in a scan, channels last"] = seconds(in_scan(last)) / STEPS
times["gradient, channels last"] = seconds(jax.jit(slope(last)))
times["gradient in a scan, channels last"] = seconds(in_scan(slope(last))) / STEPS
for name, each in times.items():
    print(f"{name:35} {1e3 * each:8.2f} ms  {sorted(found.get(name, ()))}")
canonical = {"b01f_01io->b01f"}
as_found = (
    found["outside"] == canonical
    and found["in a scan"] == {"bf01_oi01->bf01"}
    and found["in a scan, channels last"] == canonical
    and times["in a scan"] > 3 * times["outside"]
    and times["in a scan"] > 3 * times["in a scan, channels last"]
    and times["gradient in a scan, channels last"] > 3 * times["gradient, channels last"]
)
if not as_found:
    raise SystemExit("CHANGED")
PY
venv/bin/python run.py
echo "AS FOUND: a convolution within a loop keeps its layout, and is slow."
