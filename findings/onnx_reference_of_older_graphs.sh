#!/usr/bin/env bash
# Finding: onnx 1.23.2's ReferenceEvaluator, which is there to say what an operator is, has other numbers than the
# specification for graphs that its own checker passes, most of them of operator sets below 14:
#     BatchNormalization, sets 9 to 13: mean and variance are to 0.9 those of the file and to 0.1 those of the batch that is
#         evaluated, so the output of a sample depends on the samples beside it. Sets 7 and 8: TypeError.
#     Softmax and LogSoftmax, sets up to 12: over the last axis alone (the rule of 13). They are over all axes from `axis`
#         on, 1 by default: of a batch of (4, 7, 6), a sample sums to 28, not to 1.
#     LRN, any set: samples are counted for channels. Of one sample only the first channel is normed, of two the first two.
#     MaxPool with ceil_mode, pads and stride 1: an output that is larger than the specification's.
#     ConvTranspose with groups of other than one input and one output channel: ValueError.
# onnxruntime 1.32.0 gives the specification's numbers for each.
# Seen on 2026-11-29. Python 3.11 to 3.13. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
install="venv/bin/pip install --quiet --no-compile --disable-pip-version-check"
$install onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6 ml_dtypes==0.6.0 protobuf==7.36.2
venv/bin/python - <<'PY'
import numpy as np, onnx, onnxruntime
from onnx import TensorProto, checker, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

rng = np.random.default_rng(0)
x = rng.normal(size=(2, 4, 7, 6)).astype(np.float32)


def both(op, x, opset, arrays=None, **attributes):
    """Outputs of the reference, or its error's name, and of onnxruntime."""
    arrays = arrays or {}
    node = helper.make_node(op, ["x", *arrays], ["y"], **attributes)
    there = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (("x", x.shape), ("y", [None] * x.ndim))]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:], there)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    try:
        y = ReferenceEvaluator(model).run(None, {"x": x})[0]
    except (TypeError, ValueError) as error:
        y = type(error).__name__
    return y, session.run(None, {"x": x})[0]


def near(a, b):
    return isinstance(a, np.ndarray) and a.shape == b.shape and np.allclose(a, b, atol=1e-5)


found = {}
gain, bias, mean = (rng.normal(size=(4, 1, 1)).astype(np.float32) for _ in range(3))
var = rng.uniform(0.2, 2, (4, 1, 1)).astype(np.float32)
statistics = {name: array.ravel() for name, array in (("gain", gain), ("bias", bias), ("mean", mean), ("var", var))}
right = (x - mean) / np.sqrt(var + 1e-5) * gain + bias
mixed = [0.9 * a + 0.1 * b(x, axis=(0, 2, 3), keepdims=True) for a, b in ((mean, np.mean), (var, np.var))]
mixed = (x - mixed[0]) / np.sqrt(mixed[1] + 1e-5) * gain + bias
for opset in (8, 9, 13, 14):
    y, other = both("BatchNormalization", x, opset, statistics)
    said = y if isinstance(y, str) else "right" if near(y, right) else "a tenth of the batch" if near(y, mixed) else "?"
    found[f"BatchNormalization {opset}"] = (said, near(other, right))

flat = np.exp(x) / np.exp(x).sum((1, 2, 3), keepdims=True)
for opset in (11, 13):
    y, other = both("Softmax", x, opset)
    found[f"Softmax {opset}: sum of a sample"] = (round(float(y[0].sum())), round(float(other[0].sum())))
found["Softmax 11 of onnxruntime"] = near(both("Softmax", x, 11)[1], flat)

squares = np.pad(x**2, ((0, 0), (1, 1), (0, 0), (0, 0)))
normed = x / (1 + 0.5 / 3 * (squares[:, :-2] + squares[:, 1:-1] + squares[:, 2:])) ** 0.75
for n in (1, 2):
    y, other = both("LRN", x[:n], 13, size=3, alpha=0.5, beta=0.75, bias=1.0)
    channels = [c for c in range(4) if near(y[:, c], normed[:n, c])]
    found[f"LRN of {n}: channels that are right"] = (channels, near(other, normed[:n]))

y, other = both("MaxPool", x, 13, kernel_shape=[3, 3], pads=[1] * 4, ceil_mode=1)
found["MaxPool"] = (y.shape[2:], other.shape[2:])
y, other = both("ConvTranspose", x, 13, {"w": rng.normal(size=(4, 3, 2, 2)).astype(np.float32)}, group=2)
found["ConvTranspose"] = (y if isinstance(y, str) else y.shape, other.shape)

for name, what in found.items():
    print(f"{name}: {what}")
expected = {
    "BatchNormalization 8": ("TypeError", True),
    "BatchNormalization 9": ("a tenth of the batch", True),
    "BatchNormalization 13": ("a tenth of the batch", True),
    "BatchNormalization 14": ("right", True),
    "Softmax 11: sum of a sample": (28, 1),
    "Softmax 13: sum of a sample": (28, 28),
    "Softmax 11 of onnxruntime": True,
    "LRN of 1: channels that are right": ([0], True),
    "LRN of 2: channels that are right": ([0, 1], True),
    "MaxPool": ((9, 8), (7, 6)),
    "ConvTranspose": ("ValueError", (2, 6, 8, 7)),
}
if found != expected:
    raise SystemExit("CHANGED")
print("AS FOUND: the reference is not the specification for these.")
PY
