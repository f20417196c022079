"""Weights of torch give torch's outputs: `tests/data/torch` holds both."""

import json
import pickle
import warnings
import zipfile
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms

DATA = Path(__file__).parents[2] / "data" / "torch"
KEY = jr.key(0)
load_weights = ms.files.load_weights


def told(name):
    """The inputs and the outputs of torch."""
    with np.load(DATA / f"{name}.npz") as found:
        return found["x"], found["y"]


def close(found, expected, tolerance=2e-6):
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())


class Perceptron(eqx.Module):
    layers: list

    def __init__(self):
        self.layers = [eqx.nn.Linear(*sizes, key=KEY) for sizes in ((5, 6), (6, 4), (4, 3))]

    def __call__(self, x):
        for layer in self.layers[:-1]:
            x = jax.nn.relu(layer(x))
        return self.layers[-1](x)


class CNN(eqx.Module):
    net: eqx.nn.Sequential

    def __init__(self, nn=eqx.nn, mode="batch"):
        relu, flat = eqx.nn.Lambda(jax.nn.relu), eqx.nn.Lambda(jnp.ravel)
        convs = [
            nn.Conv2d(2, 4, 3, padding=1, key=KEY),
            nn.Conv2d(4, 4, 3, stride=2, groups=2, use_bias=False, key=KEY),
        ]
        norms = [eqx.nn.BatchNorm(4, "batch", mode=mode, inference=True) for _ in range(2)]
        head = nn.Linear(36, 3, key=KEY)
        self.net = eqx.nn.Sequential([convs[0], norms[0], relu, convs[1], norms[1], relu, flat, head])

    def __call__(self, x, state):
        return self.net(x, state)


class Gated(eqx.Module):
    rnn: object
    head: object

    def __call__(self, xs):
        cells = self.rnn if isinstance(self.rnn, list) else [self.rnn]
        for cell in cells:
            zero = jnp.zeros(4)
            start = (zero, zero) if "LSTM" in type(cell).__name__ else zero

            def step(state, x, cell=cell):
                state = cell(x, state)
                return state, state[0] if isinstance(state, tuple) else state

            _, xs = jax.lax.scan(step, start, xs)
        return self.head(xs[-1])


class Attention(eqx.Module):
    embed: eqx.nn.Embedding
    attn: eqx.nn.MultiheadAttention
    norm: eqx.nn.LayerNorm

    def __init__(self):
        biases = dict.fromkeys((f"use_{name}_bias" for name in ("query", "key", "value", "output")), True)
        self.embed = eqx.nn.Embedding(7, 8, key=KEY)
        self.attn = eqx.nn.MultiheadAttention(2, 8, **biases, key=KEY)
        self.norm = eqx.nn.LayerNorm(8)

    def __call__(self, tokens):
        x = jax.vmap(self.embed)(tokens)
        return jax.vmap(self.norm)(x + self.attn(x, x, x))


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
def test_a_perceptron_gives_the_outputs_of_torch(ending):
    x, y = told("mlp")
    close(jax.vmap(load_weights(Perceptron(), DATA / f"mlp.{ending}"))(x), y)


def test_an_mlp_of_equinox_is_a_sequence_of_torch():
    model = eqx.nn.MLP(5, 5, 6, 1, key=KEY)
    weights = {"0.weight": jnp.ones((6, 5)), "0.bias": jnp.ones(6), "2.weight": jnp.ones((5, 6)), "2.bias": jnp.ones(5)}
    np.testing.assert_array_equal(load_weights(model, weights).layers[1].weight, 1.0)


@pytest.mark.parametrize("mode", ["batch", "ema"])
@pytest.mark.parametrize("nn", [eqx.nn, ms.nn], ids=["equinox", "memsim"])
def test_a_convolutional_network_gives_the_outputs_of_torch(nn, mode):
    x, y = told("cnn")
    model, state = load_weights(eqx.nn.make_with_state(CNN)(nn, mode), DATA / "cnn.pt")
    outputs, _ = jax.vmap(model, axis_name="batch", in_axes=(0, None), out_axes=(0, None))(x, state)
    close(outputs, y)


def test_a_model_with_its_state_in_it_is_filled_and_goes_on_chips():
    x, y = told("cnn")
    model = ms.nn.Stateful(*eqx.nn.make_with_state(CNN)(ms.nn))
    model = load_weights(model, DATA / "cnn.pt")
    close(jax.vmap(model, axis_name="batch")(x), y)
    chip = ms.deploy(model, ms.Crossbar(dm.Ideal(), compensation=None), 0.0, key=KEY)
    close(jax.vmap(chip, axis_name="batch")(x), y, 1e-4)


@pytest.mark.parametrize("mode", ["batch", "ema"])
def test_statistics_go_on_from_where_torch_left_them(mode):
    """Torch: new = 0.9 old + 0.1 of the batch, with `momentum=0.9` in Equinox's words."""
    layer, state = eqx.nn.make_with_state(eqx.nn.BatchNorm)(4, "batch", mode=mode, momentum=0.9)
    arrays = ms.files.read_arrays(DATA / "cnn.pt")
    weights = {name: arrays[f"1.{name}"] for name in ("weight", "bias", "running_mean", "running_var")}
    layer, state = load_weights((layer, state), weights)
    xs = jr.normal(KEY, (8, 4))
    _, state = jax.vmap(layer, axis_name="batch", in_axes=(0, None), out_axes=(0, None))(xs, state)
    trained = eqx.nn.inference_mode(layer)
    probe = jnp.zeros((1, 4))
    y, _ = jax.vmap(trained, axis_name="batch", in_axes=(0, None), out_axes=(0, None))(probe, state)
    mean = 0.9 * weights["running_mean"] + 0.1 * np.mean(xs, 0)
    var = 0.9 * weights["running_var"] + 0.1 * np.var(xs, 0)
    close(y[0], -mean / np.sqrt(var + 1e-5) * weights["weight"] + weights["bias"], 1e-5)


@pytest.mark.parametrize("nn", [eqx.nn, ms.nn], ids=["equinox", "memsim"])
@pytest.mark.parametrize("name, cell", [("gru", "GRUCell"), ("lstm", "LSTMCell")])
def test_gates_are_in_the_order_of_torch(nn, name, cell):
    x, y = told(name)
    model = Gated(getattr(nn, cell)(3, 4, key=KEY), eqx.nn.Linear(4, 2, key=KEY))
    close(load_weights(model, DATA / f"{name}.pt")(x), y)


def test_layers_of_a_recurrent_network_are_cells():
    x, y = told("gru_deep")
    cells = [eqx.nn.GRUCell(3, 4, key=KEY), eqx.nn.GRUCell(4, 4, key=KEY)]
    close(load_weights(Gated(cells, eqx.nn.Linear(4, 2, key=KEY)), DATA / "gru_deep.pt")(x), y)


@pytest.mark.parametrize("onto", [lambda model: model, lambda model: ms.nn.convert(model, embeddings=True)])
def test_attention_gives_the_outputs_of_torch(onto):
    x, y = told("attention")
    close(load_weights(onto(Attention()), DATA / "attention.pt")(x), y)


@pytest.mark.parametrize("nn", [eqx.nn, ms.nn], ids=["equinox", "memsim"])
def test_a_transposed_convolution_gives_the_outputs_of_torch(nn):
    x, y = told("transposed")
    layer = nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2, key=KEY)
    close(load_weights(layer, DATA / "transposed.pt")(x), y)


def test_the_names_of_equinox_itself_fit():
    model, other = Attention(), Attention()
    leaves = jax.tree_util.tree_leaves_with_path(eqx.filter(model, eqx.is_array))
    weights = {jax.tree_util.keystr(path): leaf for path, leaf in leaves}
    assert eqx.tree_equal(load_weights(other, weights), model)


def test_tensors_of_every_kind_are_read():
    arrays = ms.files.read_arrays(DATA / "tensors.pt")
    with np.load(DATA / "tensors.npz") as expected:
        assert set(arrays) == {*expected.files, "complex64"}
        for name in expected.files:
            np.testing.assert_array_equal(arrays[name].astype(np.float32), expected[name], err_msg=name)
    assert arrays["bfloat16"].dtype == jnp.bfloat16 and arrays["int16"].dtype == np.int16


def test_sixteen_bits_are_taken_exactly_and_rounding_is_told():
    x, y = told("mlp")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = load_weights(Perceptron(), DATA / "mlp_bfloat16.safetensors")
        again = load_weights(Perceptron(), DATA / "mlp_checkpoint.pt")
    assert eqx.tree_equal(model, again)
    close(jax.vmap(model)(x), y, 0.02)
    weights = {name: np.asarray(value, np.float64) / 3 for name, value in ms.files.read_arrays(DATA / "mlp.pt").items()}
    with pytest.warns(UserWarning, match=r"\.layers\[0\]\.weight from float64 to float32"):
        load_weights(Perceptron(), weights)


def test_a_map_or_a_function_renames():
    weights = ms.files.read_arrays(DATA / "mlp.pt")
    odd = {name.replace("0.", "stem.").replace("2.", "body.").replace("4.", "head."): v for name, v in weights.items()}
    expected = load_weights(Perceptron(), weights)
    by_map = load_weights(Perceptron(), odd, {"stem": ".layers[0]", "body": ".layers[1]", "head": ".layers[2]"})
    assert eqx.tree_equal(by_map, expected)
    order = {"stem": "0", "body": "1", "head": "2"}
    by_function = load_weights(Perceptron(), odd, lambda name: order[name.split(".")[0]] + "." + name.split(".")[1])
    assert eqx.tree_equal(by_function, expected)
    prefixed = {f"module.backbone.{name}": value for name, value in weights.items()}
    assert eqx.tree_equal(load_weights(Perceptron(), prefixed), expected)


def test_what_is_kept_stays_and_what_is_left_out_is_said():
    weights = ms.files.read_arrays(DATA / "mlp.pt")
    model = Perceptron()
    found = load_weights(model, weights, {"4": None}, keep=[".layers[2]"])
    assert eqx.tree_equal(found.layers[2], model.layers[2])
    np.testing.assert_array_equal(found.layers[0].weight, weights["0.weight"])


def spoiled(**changes):
    weights = ms.files.read_arrays(DATA / "mlp.pt") | changes
    return {name: value for name, value in weights.items() if value is not None}


def refusals():
    bad = np.full((6, 5), np.nan, np.float32)
    yield "missing", spoiled(**{"2.bias": None}), {}, r"\.layers\[1\]\.bias.* found no array"
    yield "left", spoiled(**{"6.bias": np.ones(3)}), {}, r"6\.bias found no place"
    yield "named otherwise", spoiled(**{"4.bias": None, "4.biass": np.ones(3)}), {}, r"is it 4\.biass\?"
    yield "shape", spoiled(**{"0.weight": np.ones((5, 6))}), {}, r"of shape \(6, 5\), which has \(5, 6\)"
    yield "nan", spoiled(**{"0.weight": bad}), {}, "must be finite"
    yield "quantised", spoiled(**{"0.weight": np.ones((6, 5), np.int8)}), {}, "must be of floats. Got int8"
    yield "no such name", spoiled(), {"names": {"9": ".layers[0]"}}, "Got '9'. Did you mean"
    yield "twice", spoiled(), {"names": {"0": ".layers[0]", "2": ".layers[0]"}}, "name of its own"
    yield "no such path", spoiled(), {"keep": [".head"]}, r"Did you mean \.layers"


@pytest.mark.parametrize("weights, settings, says", [pytest.param(*case[1:], id=case[0]) for case in refusals()])
def test_what_does_not_fit_is_named(weights, settings, says):
    with pytest.raises(ValueError, match=says):
        load_weights(Perceptron(), weights, **settings)


def test_statistics_without_a_state_and_weights_on_chips_are_refused():
    layer, state = eqx.nn.make_with_state(eqx.nn.BatchNorm)(4, "batch", mode="batch")
    weights = {"weight": np.ones(4), "bias": np.ones(4), "running_mean": np.ones(4), "running_var": np.ones(4)}
    with pytest.raises(ValueError, match=r"Pass `\(model, state\)`"):
        load_weights(layer, weights)
    assert load_weights((layer, state), weights)[0].weight[0] == 1.0
    layer = ms.nn.Linear(3, 2, key=KEY)
    weights = {"weight": np.ones((2, 3)), "bias": np.zeros(2)}
    assert load_weights(layer, weights).weight[0, 0] == 1.0
    with pytest.raises(ValueError, match=r"must hold digital weights\. Got a AnalogMatrix"):
        load_weights(ms.deploy(layer, ms.Crossbar(dm.Ideal()), 0.0, key=KEY), weights)


@pytest.mark.parametrize(
    "file, says",
    [
        ("mlp_legacy.pt", r"of the format before.*weights_only=True"),
        ("whole_module.pt", r"torch\.nn\.modules\.linear\.Linear .*nothing of it was run"),
    ],
)
def test_files_of_torch_that_are_no_state_dict_say_so(file, says):
    with pytest.raises(ValueError, match=f"(?s){says}"):
        ms.files.read_arrays(DATA / file)


class Trap:
    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        import os

        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("protocol", range(6))
def test_no_program_of_a_file_is_run(tmp_path, protocol):
    with zipfile.ZipFile(tmp_path / "trap.pt", "w") as archive:
        archive.writestr("trap/data.pkl", pickle.dumps({"w": Trap(tmp_path / "trapped")}, protocol=protocol))
    with pytest.raises(ValueError, match="nothing of it was run"):
        ms.files.read_arrays(tmp_path / "trap.pt")
    assert not (tmp_path / "trapped").exists()


@pytest.mark.parametrize("file", ["mlp.pt", "mlp.safetensors", "mlp.npz"])
def test_files_that_are_cut_say_so(tmp_path, file):
    path = tmp_path / file
    for size in (0, 5, 300, -1):
        data = (DATA / file).read_bytes()
        path.write_bytes(data[:size])
        with pytest.raises(ValueError, match=r"must be whole"):
            ms.files.read_arrays(path)


def test_bytes_beyond_a_tensors_are_refused(tmp_path):
    source = DATA / "mlp.pt"
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(tmp_path / "short.pt", "w") as short:
        for name in archive.namelist():
            data = archive.read(name)
            short.writestr(name, data[:-4] if "/data/0" in name else data)
    with pytest.raises(ValueError, match="goes beyond its bytes"):
        ms.files.read_arrays(tmp_path / "short.pt")


def test_headers_of_safetensors_are_judged(tmp_path):
    def written(header, body=b"\0" * 4):
        text = json.dumps(header).encode()
        (tmp_path / "bad.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + body)
        return tmp_path / "bad.safetensors"

    entry = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    assert ms.files.read_arrays(written({"a": entry, "__metadata__": {"b": "c"}}))["a"].shape == (1,)
    bad = [entry | change for change in ({"dtype": "F33"}, {"shape": [2]}, {"data_offsets": [0, 3]}, {"shape": [-1]})]
    for header in ({"a": {}}, [], {"a": entry, "b": entry}, *({"a": each} for each in bad)):
        with pytest.raises(ValueError, match="must be whole"):
            ms.files.read_arrays(written(header))


def test_a_file_of_another_kind_says_so(tmp_path):
    (tmp_path / "weights.h5").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"must end in \.safetensors"):
        ms.files.read_arrays(tmp_path / "weights.h5")
    with pytest.raises(FileNotFoundError):
        ms.files.read_arrays(tmp_path / "nothing.pt")
