"""The settings of nodes of ONNX, which opsets write as attributes or as constant inputs."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ._onnx_layers import Unsupported
from ._onnx_ops import OPERATORS

OLDEST = 7  # of the opsets: since then shapes are aligned from the last axis on
Attributes = Mapping[str, Any]
Constants = list[np.ndarray | None]
# What is read here, by operator: the settings, and how many of the inputs are arrays.
Reader = Callable[[Attributes, Constants, int], tuple[dict[str, Any], int]]
PLAIN = {
    "LeakyRelu": {"alpha": 0.01},
    "Elu": {"alpha": 1.0},
    "Selu": {"alpha": 1.67326319217681884765625, "gamma": 1.05070102214813232421875},
    "HardSigmoid": {"alpha": 0.2, "beta": 0.5},
    "Flatten": {"axis": 1},
}


def settings_of(
    operator: str, attributes: Attributes, constants: Constants, opset: int
) -> tuple[str, dict[str, Any], int]:
    """The operator that runs the node, its settings, and how many of the inputs it takes."""
    if operator in PLAIN:
        return operator, {name: attributes.get(name, default) for name, default in PLAIN[operator].items()}, 1
    if operator in ("Softmax", "LogSoftmax"):
        axis = attributes.get("axis", 1 if opset < 13 else -1)
        return "Softmax", {"axis": axis, "joint": opset < 13, "log": operator == "LogSoftmax"}, 1
    if operator in ("Dropout", "Cast"):
        _check_idle(operator, attributes, constants)
        return "Identity", {}, 1
    if operator in READERS:
        return operator, *READERS[operator](attributes, constants, opset)
    if operator not in OPERATORS:
        raise Unsupported("an operator that is not known here")
    return operator, {}, len(constants)


def _check_idle(operator: str, attributes: Attributes, constants: Constants) -> None:
    """Raises `Unsupported` for a dropout that trains, or one by an input, and a cast to whole numbers."""
    if operator == "Cast" and attributes["to"] not in (1, 10, 11, 16):
        raise Unsupported("a cast to another kind than floats")
    if operator == "Dropout" and len(constants) > 2 and (constants[2] is None or constants[2].any()):
        raise Unsupported("a dropout that is training")


def _numbers(attributes: Attributes, name: str, constants: Constants, place: int) -> tuple[int, ...] | None:
    """Whole numbers that are an attribute, or an input of later opsets; `None` where there are none."""
    if name in attributes:
        return tuple(attributes[name])
    if place >= len(constants):
        return None
    found = constants[place]
    if found is None:
        raise Unsupported(f"`{name}` that is not constant")
    return tuple(int(number) for number in found.reshape(-1)) or None


def _number(attributes: Attributes, name: str, constants: Constants, place: int, default: float) -> float:
    if name in attributes:
        return float(attributes[name])
    if place >= len(constants):
        return default
    found = constants[place]
    if found is None:
        raise Unsupported(f"`{name}` that is not constant")
    return float(found.reshape(())) if found.size else default


def _clip(attributes: Attributes, constants: Constants, opset: int) -> tuple[dict[str, Any], int]:
    low = _number(attributes, "min", constants, 1, -float("inf"))
    return {"low": low, "high": _number(attributes, "max", constants, 2, float("inf"))}, 1


def _axes(attributes: Attributes, constants: Constants, opset: int) -> tuple[dict[str, Any], int]:
    return {"axes": _numbers(attributes, "axes", constants, 1)}, 1


def _reduce(attributes: Attributes, constants: Constants, opset: int) -> tuple[dict[str, Any], int]:
    nothing = bool(attributes.get("noop_with_empty_axes", 0))
    axes = _numbers(attributes, "axes", constants, 1)
    return {"axes": axes, "keepdims": bool(attributes.get("keepdims", 1)), "nothing": nothing}, 1


def _reshape(attributes: Attributes, constants: Constants, opset: int) -> tuple[dict[str, Any], int]:
    shape = _numbers(attributes, "shape", constants, 1)
    return {"shape": shape, "zero": bool(attributes.get("allowzero", 0)), "batch": attributes["batch"]}, 1


def _transpose(attributes: Attributes, constants: Constants, opset: int) -> tuple[dict[str, Any], int]:
    perm = attributes.get("perm")
    return {"perm": None if perm is None else tuple(perm)}, 1


def _concat(attributes: Attributes, constants: Constants, opset: int) -> tuple[dict[str, Any], int]:
    return {"axis": attributes["axis"]}, len(constants)


def _gelu(attributes: Attributes, constants: Constants, opset: int) -> tuple[dict[str, Any], int]:
    return {"approximate": attributes.get("approximate", "none") == "tanh"}, 1


def _norm(attributes: Attributes, constants: Constants, opset: int) -> tuple[dict[str, Any], int]:
    return {"axis": attributes.get("axis", -1), "epsilon": attributes.get("epsilon", 1e-5)}, len(constants)


def _pad(attributes: Attributes, constants: Constants, opset: int) -> tuple[dict[str, Any], int]:
    axes = _numbers({}, "axes", constants, 3) if len(constants) > 3 else None
    pads = _numbers(attributes, "pads", constants, 1)
    mode = attributes.get("mode", "constant")
    if mode not in ("constant", "reflect", "edge", "wrap") or (pads and min(pads) < 0 and mode != "constant"):
        raise Unsupported(f"padding by mode {mode!r}")
    value = _number(attributes, "value", constants if len(constants) > 2 and mode == "constant" else [], 2, 0.0)
    return {"pads": pads, "axes": axes, "mode": mode, "value": value}, 1


def _pool(attributes: Attributes, constants: Constants, opset: int) -> tuple[dict[str, Any], int]:
    kernel = tuple(attributes["kernel_shape"])
    rank = len(kernel)
    pads = attributes.get("pads", [0] * (2 * rank))
    window = {
        "kernel": kernel,
        "strides": tuple(attributes.get("strides", [1] * rank)),
        "dilations": tuple(attributes.get("dilations", [1] * rank)),
        "pads": tuple(zip(pads[:rank], pads[rank:], strict=True)),
        "auto": attributes.get("auto_pad", "NOTSET"),
        "ceil": bool(attributes.get("ceil_mode", 0)),
    }
    return window, 1


def _average(attributes: Attributes, constants: Constants, opset: int) -> tuple[dict[str, Any], int]:
    window, count = _pool(attributes, constants, opset)
    return window | {"count_pads": bool(attributes.get("count_include_pad", 0))}, count


READERS: dict[str, Reader] = {
    "Clip": _clip,
    "Squeeze": _axes,
    "Unsqueeze": _axes,
    **dict.fromkeys(("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"), _reduce),
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Concat": _concat,
    "Gelu": _gelu,
    "LayerNormalization": _norm,
    "Pad": _pad,
    "MaxPool": _pool,
    "AveragePool": _average,
}
