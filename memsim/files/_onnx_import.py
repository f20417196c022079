"""Networks from files of ONNX."""

from collections import Counter
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from device_models._files import as_path

from .._checks import checked
from ..nn import convert
from ._onnx_layers import LAYERS, Unsupported, scaled, with_bias
from ._onnx_model import LAYER, OnnxModel, Step
from ._onnx_nodes import OLDEST, settings_of

NOTHING = np.zeros(0, np.float32)  # an optional input that is left out
DOMAINS = ("", "ai.onnx")


@checked()
def from_onnx(path: str | Path) -> OnnxModel:
    """A perceptron or convolutional network from a file of ONNX, as a module that is called on one sample.

    What multiplies by a constant matrix (Gemm, MatMul, Conv, ConvTranspose) is a layer of `memsim.nn`, where there is
    such, and can sit on a crossbar: `memsim.deploy(model, crossbar, t, key=key)`, `jax.vmap(model)` for a batch. Batch
    normalisation becomes part of the layer before it; biases that are added are those of their layer; dropout does
    nothing. The first axis of every input and output is that of the batch, and is taken off. Numbers become those that
    jax computes with, float32 by default.

    Needs the package `onnx`: pip install 'memsim[onnx]'.

    **Arguments:**

    - `path`: The file, of operator set 7 or later.

    **Raises:** `ImportError` without the package; `ValueError` for a file that is no sound ONNX, for operators that are
    not known, all of them by name, and for nodes that mix the samples of a batch.

    >>> import jax.numpy as jnp, numpy as np, memsim as ms
    >>> import onnx
    >>> from onnx import TensorProto, helper, numpy_helper
    >>> weight = numpy_helper.from_array(np.array([[1.0], [2.0]], np.float32), "w")
    >>> shapes = {"x": ["n", 2], "y": ["n", 1]}
    >>> ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    >>> product = helper.make_node("MatMul", ["x", "w"], ["y"])
    >>> graph = helper.make_graph([product], "mine", ends[:1], ends[1:], [weight])
    >>> onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), "mine.onnx")
    >>> print(ms.files.from_onnx("mine.onnx")(jnp.array([3.0, 4.0])))  # 3 + 2 * 4
    [11.]
    """
    onnx = _package()
    path = as_path(path)
    if not path.is_file():
        raise FileNotFoundError(f"A file must be there to be read. Got {path}, which is none.")
    try:
        proto = onnx.load(path)
        onnx.checker.check_model(proto)
    except Exception as error:  # protobuf and onnx raise whatever they meet first
        said = str(error).strip() or type(error).__name__
        raise ValueError(f"A file must be sound ONNX. Got {path}: {said}") from error
    opset = max((each.version for each in proto.opset_import if each.domain in DOMAINS), default=0)
    if opset < OLDEST:
        raise ValueError(f"A file must be of operator set {OLDEST} or later. Got {opset} in {path}. Export it again.")
    model = _Graph(onnx, proto, opset, path).model()
    model = convert(model) if model.layers else model
    _check_shapes(model, proto.graph, path)
    return model


def _package() -> Any:
    try:
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise ImportError(
            "Reading ONNX needs the package `onnx`. It is not installed. Run: pip install 'memsim[onnx]'"
        ) from error
    return onnx


class _Graph:
    """A graph on its way into a module: constants, steps and layers that have been found so far."""

    def __init__(self, onnx: Any, proto: Any, opset: int, path: Path):
        self.onnx, self.proto, self.opset, self.path = onnx, proto, opset, path
        graph = proto.graph
        self.constants = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
        self.inputs = [each for each in graph.input if each.name not in self.constants]
        self.outputs = [each.name for each in graph.output]
        self.uses = Counter(name for node in graph.node for name in node.input) + Counter(self.outputs)
        self.layers: dict[str, Any] = {}
        self.made: dict[Any, str] = {}  # layers by what they are made of, since one may stand at several nodes
        self.steps: list[Step] = []
        self.batch = self._batch()

    def model(self) -> OnnxModel:
        """The module; raises `ValueError` with all nodes that there is nothing for."""
        refused = []
        for place, node in enumerate(self.proto.graph.node):
            name = node.name or f"{node.op_type}_{place}"
            try:
                self._add(node, name)
            except Unsupported as error:
                refused.append(f"{node.op_type} ({name}: {error})")
        if refused:
            raise ValueError(
                f"A file must be of operators that are known here. Got {len(refused)} that are not in {self.path}: "
                f"{', '.join(refused)}. Export the network without them, or simplify the graph (onnxsim)."
            )
        used = {name for step in self.steps for name in step.inputs}
        weights = {name: jnp.asarray(_floats(value)) for name, value in self.constants.items() if name in used}
        if lost := [name for name in self.outputs if name in self.constants]:
            raise ValueError(f"The outputs of a network must follow its inputs. Got {', '.join(lost)}, which do not.")
        return OnnxModel(
            self.layers, weights, tuple(self.steps), tuple(each.name for each in self.inputs), tuple(self.outputs)
        )

    def _add(self, node: Any, name: str) -> None:
        inputs = list(node.input)
        attributes = {each.name: _plain(self.onnx.helper.get_attribute_value(each)) for each in node.attribute}
        if node.domain not in DOMAINS:
            raise Unsupported(f"an operator of {node.domain}")
        if all(not each or each in self.constants for each in inputs):
            self._fold(node)
            return
        if any(each in self.uses for each in list(node.output)[1:] if each):
            raise Unsupported("its further outputs")
        constants = [NOTHING if not each else self.constants.get(each) for each in inputs]
        if node.op_type in LAYERS and (node.op_type != "MatMul" or _is_matrix(constants)):
            self._layer(node, name, inputs, constants, attributes)
        elif node.op_type == "BatchNormalization":
            self._normalise(node, name, constants, attributes)
        elif not (node.op_type == "Add" and self._bias(node, constants)):
            attributes["batch"] = self.batch
            operator, settings, count = settings_of(node.op_type, attributes, constants, self.opset)
            self._step(operator, name, [each for each in inputs[:count] if each], node.output[0], settings)

    def _step(self, operator: str, name: str, inputs: list[str], output: str, settings: dict[str, Any]) -> None:
        self.steps.append(Step(operator, name, tuple(inputs), output, tuple(settings.items())))

    def _fold(self, node: Any) -> None:
        """A node of constants only is computed once, by the reference of the package."""
        from onnx.reference import ReferenceEvaluator

        helper = self.onnx.helper
        outputs = [helper.make_value_info(name, self.onnx.TypeProto()) for name in node.output]
        inputs = [helper.make_value_info(name, self.onnx.TypeProto()) for name in dict.fromkeys(node.input) if name]
        graph = helper.make_graph([node], "one", inputs, outputs)
        one = helper.make_model(graph, opset_imports=self.proto.opset_import, ir_version=self.proto.ir_version)
        found = ReferenceEvaluator(one).run(None, {name: self.constants[name] for name in node.input if name})
        self.constants |= dict(zip(node.output, map(np.asarray, found), strict=True))

    def _layer(self, node: Any, name: str, inputs: list[str], constants: list[Any], attributes: dict[str, Any]) -> None:
        parts = (node.op_type, tuple(inputs[1:]), repr(sorted(attributes.items())))
        if parts not in self.made:
            given = [one for one in constants if one is not NOTHING]
            given = [None if one is None else _floats(one) for one in given]
            layer = LAYERS[node.op_type](attributes, given)
            self.made[parts] = self._named(inputs[1], name)
            self.layers[self.made[parts]] = layer
        self._step(LAYER, name, inputs[:1], node.output[0], {"layer": self.made[parts]})

    def _named(self, weight: str, name: str) -> str:
        """What a layer is called: after its weight, "fc1.weight", as torch exports it, or after its node."""
        stem = weight.removesuffix(".weight") if weight.endswith(".weight") else name
        free, number = stem, 2
        while free in self.layers:
            free, number = f"{stem}_{number}", number + 1
        return free

    def _before(self, output: str) -> Step | None:
        """The layer that makes `output`, if nothing else reads that and no other node has the layer."""
        found = next((step for step in self.steps if step.output == output), None)
        if found is None or found.operator != LAYER or self.uses[output] != 1:
            return None
        return found if sum(step.settings == found.settings for step in self.steps) == 1 else None

    def _change(self, before: Step, output: str, layer: Any) -> None:
        """Puts `layer` in the place of that of a step, whose output is now another."""
        self.layers[dict(before.settings)["layer"]] = layer
        self.made = {parts: name for parts, name in self.made.items() if name != dict(before.settings)["layer"]}
        self.steps[self.steps.index(before)] = before._replace(output=output)

    def _bias(self, node: Any, constants: list[Any]) -> bool:
        """Whether an addition is the bias of a product of matrices before it, which then has it."""
        source = [name for name, one in zip(node.input, constants, strict=True) if one is None]
        before = self._before(source[0]) if len(source) == 1 else None
        layer = None if before is None else self.layers[dict(before.settings)["layer"]]
        bias = next((one for one in constants if one is not None), NOTHING)
        if before is None or not isinstance(layer, eqx.nn.Linear) or layer.bias is not None or bias.ndim != 1:
            return False
        if bias.size not in (1, layer.weight.shape[0]):
            return False
        self._change(before, node.output[0], with_bias(layer, np.broadcast_to(_floats(bias), layer.weight.shape[:1])))
        return True

    def _normalise(self, node: Any, name: str, constants: list[Any], attributes: dict[str, Any]) -> None:
        """One factor and one summand for each channel, in the layer before where that is alone."""
        if any(one is None for one in constants[1:]) or attributes.get("training_mode", 0):
            raise Unsupported("statistics that are not constant")
        scale, shift, mean, var = (_floats(one).astype(np.float64) for one in constants[1:5])
        factor = scale / np.sqrt(var + attributes.get("epsilon", 1e-5))
        summand = shift - mean * factor
        before = self._before(node.input[0])
        layer = None if before is None else self.layers[dict(before.settings)["layer"]]
        if before is not None:
            self._change(before, node.output[0], scaled(layer, factor, summand))
            return
        self.constants |= {f"{name}.scale": _floats(factor), f"{name}.shift": _floats(summand)}
        self._step("Scale", name, [node.input[0], f"{name}.scale", f"{name}.shift"], node.output[0], {})

    def _batch(self) -> int | None:
        """The size of the batch that the file declares for its first input, `None` where it is free."""
        if not self.inputs:
            raise ValueError(f"A network must have an input. Got none in {self.path}.")
        shapes = [_shape(each) for each in self.inputs]
        if short := [each.name for each, shape in zip(self.inputs, shapes, strict=True) if shape == ()]:
            raise ValueError(
                f"The inputs of a network must have the batch as their first axis. Got {short[0]!r} of none."
            )
        return shapes[0][0] if shapes[0] else None


def _check_shapes(model: OnnxModel, graph: Any, path: Path) -> None:
    """Runs the shapes of one sample through the model where the file says them; raises `ValueError` as a run would."""
    inputs = [each for each in graph.input if each.name in model.inputs]
    shapes = [_shape(each) for each in inputs]
    if any(shape is None or None in shape[1:] for shape in shapes):
        return
    samples = [jax.ShapeDtypeStruct(shape[1:], jnp.result_type(float)) for shape in shapes if shape is not None]
    try:
        eqx.filter_eval_shape(lambda model, xs: model(*xs), model, samples)
    except ValueError as error:
        raise ValueError(
            f"A file must be a network of single samples, whose batch is axis 0. In {path}: {error}"
        ) from error


def _shape(value: Any) -> tuple[int | None, ...] | None:
    """The declared shape of an input, with `None` for what is free; `None` where it declares none."""
    kind = value.type.tensor_type
    if not kind.HasField("shape"):
        return None
    return tuple(dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None for dim in kind.shape.dim)


def _is_matrix(constants: list[Any]) -> bool:
    return constants[0] is None and constants[1] is not None and constants[1].ndim == 2


def _floats(value: np.ndarray) -> np.ndarray:
    array = np.asarray(value)
    return array.astype(jnp.result_type(float)) if jnp.issubdtype(array.dtype, jnp.floating) else array


def _plain(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value
