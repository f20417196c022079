"""Graphs of ONNX give what the reference of the onnx package gives, sample by sample."""

import sys
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

RNG = np.random.default_rng(0)
BATCH = 3
TORCH = Path(__file__).parents[2] / "data" / "torch"
KEY = jr.key(0)


def weights(*shape):
    return (RNG.normal(size=shape) / np.sqrt(max(np.prod(shape[1:]), 1))).astype(np.float32)


def node(operator, inputs, output, **attributes):
    return helper.make_node(operator, inputs.split(), [output], name=f"{operator}_{output}", **attributes)


def saved(path, nodes, shapes, arrays=None, *, outputs=("y",), opset=20, batch="batch"):
    """A file of the graph of `nodes`, whose inputs have `shapes` behind the batch."""
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, *shape]) for name, shape in shapes.items()]
    results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    initial = [numpy_helper.from_array(np.asarray(array), name) for name, array in (arrays or {}).items()]
    graph = helper.make_graph(nodes, "test", inputs, results, initial)
    version = 10 if opset > 20 else 8
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=version)
    onnx.save(onnx.shape_inference.infer_shapes(model), path)
    return path


def judged(path, shapes, tolerance=3e-6, batch=BATCH):
    """The imported model, after it has given what the reference gives for a batch."""
    xs = {name: RNG.normal(size=(batch, *shape)).astype(np.float32) for name, shape in shapes.items()}
    expected = ReferenceEvaluator(str(path)).run(None, xs)
    model = ms.files.from_onnx(path)
    found = jax.vmap(model)(*xs.values())
    found = found if isinstance(found, tuple) else (found,)
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * max(np.abs(other).max(), 1))
    return model


def norm(channels, name):
    arrays = {f"{name}.{kind}": weights(channels) for kind in ("weight", "bias", "mean")}
    return arrays | {f"{name}.var": RNG.uniform(0.5, 2.0, channels).astype(np.float32)}


def resnet():
    """A small residual network as torch exports one: convolutions, norms, pools, a sum, a head."""
    arrays = {"conv1.weight": weights(4, 2, 3, 3), "conv1.bias": weights(4), "conv2.weight": weights(4, 2, 3, 3)}
    arrays |= norm(4, "bn1") | norm(4, "bn2") | {"fc.weight": weights(5, 4), "fc.bias": weights(5)}
    names = " ".join(f"bn1.{kind}" for kind in ("weight", "bias", "mean", "var"))
    nodes = [
        node("Conv", "x conv1.weight conv1.bias", "a", pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        node("BatchNormalization", f"a {names}", "b"),
        node("Relu", "b", "c"),
        node("Conv", "c conv2.weight", "d", pads=[1, 1, 1, 1], group=2),
        node("BatchNormalization", f"d {names.replace('bn1', 'bn2')}", "e", epsilon=1e-3),
        node("Add", "e c", "f"),
        node("Relu", "f", "g"),
        node("MaxPool", "g", "h", kernel_shape=[2, 2], strides=[2, 2]),
        node("GlobalAveragePool", "h", "i"),
        node("Flatten", "i", "j", axis=1),
        node("Gemm", "j fc.weight fc.bias", "k", transB=1),
        node("Softmax", "k", "y", axis=-1),
    ]
    return nodes, {"x": (2, 8, 8)}, arrays


@pytest.mark.slow
def test_a_residual_network_is_layers_with_its_norms_folded(tmp_path):
    nodes, shapes, arrays = resnet()
    model = judged(saved(tmp_path / "net.onnx", nodes, shapes, arrays), shapes)
    assert list(ms.nn.analog_layers(model)) == [f".layers['{name}']" for name in ("conv1", "conv2", "fc")]
    assert not [step for step in model.steps if step.operator == "Scale"]
    chip = ms.deploy(model, ms.Crossbar(dm.Ideal(), compensation=None), 0.0, key=KEY)
    x = jr.normal(KEY, (2, 8, 8))
    np.testing.assert_allclose(eqx.filter_jit(chip)(x), model(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_what_torch_exports_gives_the_outputs_of_torch(name):
    with np.load(TORCH / f"{name}.npz") as found:
        x, y = found["x"], found["y"]
    model = ms.files.from_onnx(TORCH / f"{name}.onnx")
    np.testing.assert_allclose(jax.vmap(model)(x), y, rtol=2e-6, atol=2e-6)
    assert len(ms.nn.analog_layers(model)) == 3


def test_a_network_is_saved_and_loaded(tmp_path):
    nodes, shapes, arrays = resnet()
    model = ms.files.from_onnx(saved(tmp_path / "net.onnx", nodes, shapes, arrays))
    ms.save(tmp_path / "net.memsim", model)
    x = jnp.ones((2, 8, 8))
    np.testing.assert_array_equal(ms.load(tmp_path / "net.memsim")(x), model(x))


@pytest.mark.slow
def test_reads_of_one_layer_differ_by_node(tmp_path):
    """One weight at two nodes is one chip; its two reads draw apart."""
    arrays = {"w": weights(4, 4)}
    path = saved(tmp_path / "tied.onnx", [node("MatMul", "x w", "a"), node("MatMul", "a w", "y")], {"x": (4,)}, arrays)
    model = judged(path, {"x": (4,)})
    assert len(model.layers) == 1
    noisy = ms.deploy(model, ms.Crossbar(dm.pcm_joshi2020(), reads=ms.Reads("per_read")), 1.0, key=KEY)
    x = jnp.ones(4)
    assert not np.array_equal(noisy(x, key=jr.key(1)), noisy(x, key=jr.key(2)))
    with pytest.raises(ValueError, match="needs `key=`"):
        noisy(x)


def test_a_product_and_a_sum_are_a_layer_with_a_bias(tmp_path):
    arrays = {"w": weights(4, 5), "b": weights(5), "v": weights(5, 2)}
    nodes = [node("MatMul", "x w", "a"), node("Add", "b a", "c"), node("Tanh", "c", "d"), node("MatMul", "d v", "y")]
    model = judged(saved(tmp_path / "mlp.onnx", nodes, {"x": (4,)}, arrays), {"x": (4,)})
    assert len(model.steps) == 3 and not model.constants
    biases = [layer.bias is not None for layer in model.layers.values()]
    assert biases == [True, False]


def test_a_bias_stays_apart_where_the_product_is_read_elsewhere(tmp_path):
    arrays = {"w": weights(4, 5), "b": weights(5)}
    nodes = [node("MatMul", "x w", "a"), node("Add", "a b", "c"), node("Mul", "a c", "y")]
    model = judged(saved(tmp_path / "net.onnx", nodes, {"x": (4,)}, arrays), {"x": (4,)})
    assert len(model.steps) == 3


UNARY = ["Relu", "Sigmoid", "Tanh", "Erf", "Exp", "Neg", "Abs", "Softplus", "Softsign", "HardSwish", "Identity"]
UNARY += ["LeakyRelu", "Elu", "Selu", "HardSigmoid", "Gelu", "Softmax", "LogSoftmax", "Flatten", "Dropout"]


def operators():
    """Name, nodes from x to y, shape of a sample, constants and the operator set."""
    for name in UNARY:
        yield name, [node(name, "x", "y")], (3, 4), {}, 20
    yield "gelu tanh", [node("Gelu", "x", "y", approximate="tanh")], (3, 4), {}, 20
    yield "leaky", [node("LeakyRelu", "x", "y", alpha=0.3)], (3, 4), {}, 20
    yield "elu", [node("Elu", "x", "y", alpha=0.3)], (3, 4), {}, 20
    yield "softmax over channels", [node("Softmax", "x", "y", axis=1)], (3, 4), {}, 20
    yield "softmax of old", [node("Softmax", "x", "y", axis=2)], (3, 4), {}, 11
    yield "clip of old", [node("Clip", "x", "y", min=-0.5, max=0.25)], (3, 4), {}, 10
    ends = {"low": np.float32(-0.5), "high": np.float32(0.25)}
    yield "clip", [node("Clip", "x low high", "y")], (3, 4), ends, 20
    yield "clip above", [helper.make_node("Clip", ["x", "", "high"], ["y"])], (3, 4), ends, 20
    yield "prelu", [node("PRelu", "x s", "y")], (3, 4), {"s": weights(3, 1)}, 20
    for name in ("Add", "Sub", "Mul", "Div", "Max", "Min"):
        yield f"{name} of a constant", [node(name, "x c", "y")], (3, 4), {"c": weights(1, 3, 1)}, 20
        yield f"{name} from a number", [node(name, "c x", "y")], (3, 4), {"c": np.float32(0.7)}, 20
    yield "pow", [node("Abs", "x", "a"), node("Pow", "a c", "y")], (3, 4), {"c": np.float32(2.5)}, 20
    yield "square root", [node("Abs", "x", "a"), node("Sqrt", "a", "y")], (3, 4), {}, 20
    yield "residual", [node("Tanh", "x", "a"), node("Sub", "x a", "y")], (3, 4), {}, 20
    yield "reshape", [node("Reshape", "x s", "y")], (3, 4), {"s": np.array([-1, 6, 2])}, 20
    yield "reshape by what it is", [node("Reshape", "x s", "y")], (3, 4), {"s": np.array([0, 0, 2, -1])}, 20
    yield "transpose", [node("Transpose", "x", "y", perm=[0, 2, 3, 1])], (3, 4, 5), {}, 20
    yield "unsqueeze", [node("Unsqueeze", "x a", "y")], (3, 4), {"a": np.array([1, -1])}, 20
    yield "unsqueeze of old", [node("Unsqueeze", "x", "y", axes=[2])], (3, 4), {}, 11
    yield "squeeze", [node("Squeeze", "x a", "y")], (3, 1, 4), {"a": np.array([2])}, 20
    yield "squeeze of old", [node("Squeeze", "x", "y", axes=[-2])], (3, 1, 4), {}, 11
    yield "concat", [node("Tanh", "x", "a"), node("Concat", "x a", "y", axis=2)], (3, 4), {}, 20
    yield "concat last", [node("Tanh", "x", "a"), node("Concat", "a x", "y", axis=-1)], (3, 4), {}, 20
    pads = {"p": np.array([0, 1, 2, 0, 3, 1]), "v": np.float32(1.5)}
    yield "pad", [node("Pad", "x p v", "y")], (3, 4), pads, 20
    yield "pad by reflection", [node("Pad", "x p", "y", mode="reflect")], (4, 5), pads, 20
    yield "pad of old", [node("Pad", "x", "y", pads=[0, 1, 0, 0, 0, 2], value=0.5)], (3, 4), {}, 10
    yield "pad some", [node("Pad", "x q v a", "y")], (3, 4), pads | {"q": np.array([1, 2]), "a": np.array([-1])}, 20
    yield "mean", [node("ReduceMean", "x a", "y")], (3, 4), {"a": np.array([2])}, 20
    yield "mean of old", [node("ReduceMean", "x", "y", axes=[1, -1], keepdims=0)], (3, 4), {}, 13
    yield "largest", [node("ReduceMax", "x a", "y", keepdims=0)], (3, 4), {"a": np.array([1])}, 20
    arrays = {"s": weights(4), "b": weights(4)}
    yield "layer norm", [node("LayerNormalization", "x s b", "y")], (3, 4), arrays, 20
    yield (
        "constants",
        [
            helper.make_node("Constant", [], ["c"], value_floats=[1.0, 2.0, 3.0, 4.0]),
            node("Unsqueeze", "c a", "d"),
            node("Add", "x d", "y"),
        ],
        (3, 4),
        {"a": np.array([0])},
        20,
    )
    yield "norm alone", [node("BatchNormalization", "x n.weight n.bias n.mean n.var", "y")], (3, 4), norm(3, "n"), 20
    yield (
        "tokens",
        [node("MatMul", "x w", "a"), node("Add", "a b", "y")],
        (3, 4),
        {"w": weights(4, 6), "b": weights(6)},
        20,
    )
    yield "attention", [node("Transpose", "x", "t", perm=[0, 2, 1]), node("MatMul", "x t", "y")], (3, 4), {}, 20
    gemm = {"w": weights(4, 6), "c": weights(1, 6)}
    yield "gemm", [node("Gemm", "x w c", "y", alpha=0.5, beta=2.0)], (4,), gemm, 20
    yield "gemm without bias", [node("Gemm", "x w", "y")], (4,), gemm, 13


@pytest.mark.parametrize("nodes, shape, arrays, opset", [pytest.param(*case[1:], id=case[0]) for case in operators()])
def test_an_operator_gives_what_the_reference_gives(nodes, shape, arrays, opset, tmp_path):
    shapes = {"x": shape}
    judged(saved(tmp_path / "one.onnx", nodes, shapes, arrays, opset=opset), shapes)


CONVS = {
    "1d": ((2, 9), (4, 2, 3), {}),
    "strides": ((2, 9, 8), (4, 2, 3, 2), {"strides": [2, 3], "pads": [1, 0, 2, 1]}),
    "dilations": ((2, 9, 9), (4, 2, 3, 3), {"dilations": [2, 1]}),
    "groups": ((4, 7, 7), (6, 2, 3, 3), {"group": 2}),
    "3d": ((2, 5, 5, 5), (4, 2, 3, 3, 3), {}),
}
TRANSPOSED = {
    "1d": ((2, 5), (2, 4, 3), {}),
    "strides": ((2, 5, 4), (2, 4, 3, 2), {"strides": [2, 3], "output_padding": [1, 2]}),
    "pads": ((2, 5, 5), (2, 4, 3, 3), {"strides": [2, 2], "pads": [1, 0, 0, 1]}),
    "dilations": ((4, 5, 5), (4, 3, 3, 3), {"dilations": [2, 1]}),
}


def test_a_softmax_of_old_is_over_all_axes_from_its_own_on(tmp_path):
    """So says operator set 11: "coerced into 2D". The reference takes the rule of set 13 for every set."""
    path = saved(tmp_path / "old.onnx", [node("Softmax", "x", "y")], {"x": (3, 4)}, opset=11)
    x = RNG.normal(size=(3, 4)).astype(np.float32)
    np.testing.assert_allclose(ms.files.from_onnx(path)(x), np.exp(x) / np.exp(x).sum(), rtol=1e-5)


@pytest.mark.parametrize("opset", [8, 9, 13])
def test_a_norm_of_old_takes_the_statistics_of_the_file(opset, tmp_path):
    """The reference fails below set 9, and up to 13 mixes in a tenth of those of the batch."""
    arrays = norm(4, "n")
    gain, bias, mean, var = (array[:, None] for array in arrays.values())
    nodes = [node("BatchNormalization", "x n.weight n.bias n.mean n.var", "y")]
    x = RNG.normal(size=(4, 5)).astype(np.float32)
    found = ms.files.from_onnx(saved(tmp_path / "old.onnx", nodes, {"x": (4, 5)}, arrays, opset=opset))(x)
    np.testing.assert_allclose(found, (x - mean) / np.sqrt(var + 1e-5) * gain + bias, rtol=1e-5, atol=1e-6)


def test_groups_of_a_transposed_convolution_are_transposed_convolutions(tmp_path):
    """Each group judged alone: the reference fails for several of other than as many outputs as inputs."""
    w, x = weights(4, 3, 3, 3), RNG.normal(size=(1, 4, 5, 5)).astype(np.float32)
    parts = []
    for group in (slice(0, 2), slice(2, 4)):
        path = saved(
            tmp_path / "part.onnx",
            [node("ConvTranspose", "x w", "y", strides=[2, 1])],
            {"x": (2, 5, 5)},
            {"w": w[group]},
        )
        parts += ReferenceEvaluator(str(path)).run(None, {"x": x[:, group]})
    whole = saved(
        tmp_path / "whole.onnx",
        [node("ConvTranspose", "x w", "y", strides=[2, 1], group=2)],
        {"x": (4, 5, 5)},
        {"w": w},
    )
    np.testing.assert_allclose(ms.files.from_onnx(whole)(x[0]), np.concatenate(parts, 1)[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CONVS)
def test_convolutions_give_what_the_reference_gives(name, tmp_path):
    shape, kernel, attributes = CONVS[name]
    arrays = {"w": weights(*kernel), "b": weights(kernel[0])}
    nodes = [node("Conv", "x w b", "y", **attributes)]
    judged(saved(tmp_path / "conv.onnx", nodes, {"x": shape}, arrays), {"x": shape})


@pytest.mark.parametrize("auto, pads", [("SAME_UPPER", [0, 0, 1, 1]), ("SAME_LOWER", [1, 1, 0, 0]), ("VALID", [0] * 4)])
def test_padding_by_name_is_that_by_numbers(auto, pads, tmp_path):
    """Of 8 x 8 pixels in strides of 2 by a kernel of 3; the reference of 1.18 takes no names."""
    x, arrays = RNG.normal(size=(1, 2, 8, 8)).astype(np.float32), {"w": weights(4, 2, 3, 3)}
    for name, settings in (("named", {"auto_pad": auto}), ("pads", {"pads": pads})):
        nodes = [node("Conv", "x w", "y", strides=[2, 2], kernel_shape=[3, 3], **settings)]
        saved(tmp_path / name, nodes, {"x": (2, 8, 8)}, arrays)
    (expected,) = ReferenceEvaluator(str(tmp_path / "pads")).run(None, {"x": x})
    np.testing.assert_allclose(ms.files.from_onnx(tmp_path / "named")(x[0]), expected[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", TRANSPOSED)
def test_transposed_convolutions_give_what_the_reference_gives(name, tmp_path):
    shape, kernel, attributes = TRANSPOSED[name]
    outputs = kernel[1] * attributes.get("group", 1)
    arrays = {"w": weights(*kernel), "b": weights(outputs)} | norm(outputs, "n")
    nodes = [
        node("ConvTranspose", "x w b", "a", **attributes),
        node("BatchNormalization", "a n.weight n.bias n.mean n.var", "y"),
    ]
    judged(saved(tmp_path / "conv.onnx", nodes, {"x": shape}, arrays), {"x": shape})


WINDOWS = {
    "plain": {"kernel_shape": [2, 2]},
    "strides": {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]},
    "ceil": {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1},
    "ceil with pads": {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [1, 1, 1, 1], "ceil_mode": 1},
    "same": {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"},
    "dilations": {"kernel_shape": [2, 2], "dilations": [2, 3]},
}


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("operator", ["MaxPool", "AveragePool", "AveragePool with pads"])
def test_pools_give_what_the_reference_gives(operator, name, tmp_path):
    attributes = WINDOWS[name] | ({"count_include_pad": 1} if "with" in operator else {})
    nodes = [node(operator.split()[0], "x", "y", **attributes)]
    judged(saved(tmp_path / "pool.onnx", nodes, {"x": (2, 7, 8)}), {"x": (2, 7, 8)})


def test_several_inputs_and_outputs(tmp_path):
    nodes, shapes = [node("Add", "x z", "y"), node("Mul", "x z", "u")], {"x": (4,), "z": (4,)}
    judged(saved(tmp_path / "two.onnx", nodes, shapes, outputs=("y", "u")), shapes)
    with pytest.raises(ValueError, match=r"must have 2 inputs, x, z\. Got 1"):
        ms.files.from_onnx(tmp_path / "two.onnx")(jnp.ones(4))


@pytest.mark.parametrize("opset", [7, 9, 11, 13, 17, 22])
def test_perceptrons_of_all_operator_sets(opset, tmp_path):
    arrays = {"w": weights(6, 4), "b": weights(6)}
    nodes = [node("Gemm", "x w b", "a", transB=1), node("Relu", "a", "y")]
    judged(saved(tmp_path / "mlp.onnx", nodes, {"x": (4,)}, arrays, opset=opset), {"x": (4,)})


def test_half_precision_becomes_single(tmp_path):
    arrays = {"w": weights(4, 6).astype(np.float16)}
    nodes = [node("Cast", "x", "a", to=TensorProto.FLOAT16), node("MatMul", "a w", "b"), node("Cast", "b", "y", to=1)]
    judged(saved(tmp_path / "half.onnx", nodes, {"x": (4,)}, arrays), {"x": (4,)}, 3e-3)


def test_a_batch_of_declared_size_is_taken_off(tmp_path):
    arrays = {"s": np.array([BATCH, 12])}
    judged(saved(tmp_path / "b.onnx", [node("Reshape", "x s", "y")], {"x": (3, 4)}, arrays, batch=BATCH), {"x": (3, 4)})


def mixing():
    """What mixes samples, and what is said of it."""
    yield "softmax", [node("Softmax", "x", "y", axis=0)], {}, "the batch axis, over which samples are not mixed"
    yield "mean", [node("ReduceMean", "x", "y")], {}, "Got all axes"
    yield "concat", [node("Concat", "x x", "y", axis=0)], {}, "the batch axis"
    yield "transpose", [node("Transpose", "x", "y")], {}, "must leave the batch axis first"
    yield "flatten", [node("Flatten", "x", "y", axis=2)], {}, "must keep the batch apart"
    yield "reshape", [node("Reshape", "x s", "y")], {"s": np.array([-1, 4])}, "must keep the batch axis first"
    yield "pad", [node("Pad", "x p", "y")], {"p": np.array([1, 0, 0, 0, 0, 0])}, "must not pad the batch"
    yield "constant", [node("Add", "x c", "y")], {"c": weights(3, 3, 4)}, "must have constants for one sample"
    yield "unsqueeze", [node("Unsqueeze", "x a", "y")], {"a": np.array([0])}, "the batch axis"


@pytest.mark.parametrize("nodes, arrays, says", [pytest.param(*case[1:], id=case[0]) for case in mixing()])
def test_nodes_that_mix_samples_are_refused_by_name(nodes, arrays, says, tmp_path):
    with pytest.raises(ValueError, match=says) as raised:
        ms.files.from_onnx(saved(tmp_path / "mix.onnx", nodes, {"x": (3, 4)}, arrays))
    assert nodes[0].name in str(raised.value)


def test_all_operators_that_are_not_known_are_named_at_once(tmp_path):
    nodes = [
        node("Einsum", "x", "a", equation="bij->bji"),
        node("Cast", "a", "b", to=TensorProto.INT64),
        node("Cast", "b", "c", to=TensorProto.FLOAT),
        node("Hardmax", "c", "y"),
    ]
    with pytest.raises(ValueError, match=r"Got 3 .*Einsum_a.*Cast_b: a cast to another kind.*Hardmax_y"):
        ms.files.from_onnx(saved(tmp_path / "odd.onnx", nodes, {"x": (3, 4)}))


def test_other_files_are_refused(tmp_path, monkeypatch):
    (tmp_path / "bad.onnx").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="must be sound ONNX"):
        ms.files.from_onnx(tmp_path / "bad.onnx")
    with pytest.raises(FileNotFoundError):
        ms.files.from_onnx(tmp_path / "nothing.onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'memsim\[onnx\]'"):
        ms.files.from_onnx(tmp_path / "bad.onnx")
