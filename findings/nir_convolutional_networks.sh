#!/usr/bin/env bash
# Finding: convolutional spiking networks hardly pass through NIR files with the released packages, though NIR has the nodes.
# nir 1.0.8, snntorch 1.0.0, norse 1.1.0, sinabs 2.0.3, spikingjelly 2.0.0, nirtorch 2.6, h5py 3.16.0:
# (a) Writing Conv2d + neuron: SpikingJelly writes it. sinabs and norse build a graph that nir.write cannot store (TypeError:
#     the convolution has no input shape). snnTorch raises unless threshold and beta of the convolutional neurons are tensors
#     of their full shape and the sample has no batch axis.
# (b) Reading: a grouped (depthwise) convolution is read by none of the five: ValueError, or NotImplementedError by name.
#     AvgPool2d is unknown to norse and sinabs (ValueError: "empty graph"). Flatten written as in NIR's convention (no batch
#     axis, 0 to -1) swallows the batch axis in nirtorch's own map, snnTorch and norse: (1, 2, 9, 8) becomes (144,).
# Seen on 2026-11-28. Python 3.11 or 3.12. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
install="venv/bin/pip install --quiet --no-compile --disable-pip-version-check"
$install numpy==2.4.6 torch==2.13.0 h5py==3.16.0 scipy==1.17.1 tqdm==4.70.1
# Without their other dependencies, which are not used here.
$install --no-deps nir==1.0.8 nirtorch==2.6 snntorch==1.0.0 norse==1.1.0 \
    sinabs==2.0.3 spikingjelly==2.0.0 pbr==7.1.3 loguru==0.7.3
venv/bin/python -W ignore - 2>stderr.txt <<'PY' || { tail -5 stderr.txt; exit 1; }
import contextlib, io, logging, warnings

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)
import nir, nirtorch, norse.torch, numpy as np, sinabs.layers, snntorch, torch
from sinabs.nir import from_nir as sinabs_from, to_nir as sinabs_to
from snntorch.export_nir import export_to_nir as snn_to
from snntorch.import_nir import import_from_nir as snn_from
from spikingjelly.activation_based import neuron, nir_exchange

torch.manual_seed(0)
x = torch.randn(1, 2, 9, 8)


def outcome(action):
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return action()
    except Exception as error:  # whatever the libraries raise is the result
        return type(error).__name__


def conv(neurons):
    return torch.nn.Sequential(torch.nn.Conv2d(2, 4, 3, padding=1), neurons)


def stored(export):
    def action():
        nir.write("a.nir", export())
        return "written"

    return outcome(action)


def snn(full):
    shape = (4, 9, 8)
    tensors = {"beta": torch.full(shape, 0.8), "threshold": torch.ones(shape)} if full else {"beta": 0.8}
    return conv(snntorch.Leaky(init_hidden=True, **tensors))


writers = {
    "spikingjelly": stored(lambda: nir_exchange.export_to_nir(conv(neuron.IFNode()), x, dt=1e-3)),
    "sinabs": stored(lambda: sinabs_to(conv(sinabs.layers.IAFSqueeze(batch_size=1)), x)),
    "norse": stored(lambda: norse.torch.to_nir(norse.torch.SequentialState(*conv(norse.torch.LIFBoxCell())), x)),
    "snntorch, scalars": stored(lambda: snn_to(snn(False), x)),
    "snntorch, tensors, no batch axis": stored(lambda: snn_to(snn(True), x[0])),
}
print("(a)", writers)

weight, bias = np.random.default_rng(0).normal(size=(4, 1, 3, 2)).astype(np.float32), np.zeros(4, np.float32)
F = torch.nn.functional
nodes = {
    "grouped": (
        nir.Conv2d(input_shape=(9, 8), weight=weight, stride=1, padding=0, dilation=1, groups=2, bias=bias),
        F.conv2d(x, torch.from_numpy(weight), torch.from_numpy(bias), groups=2),
    ),
    "AvgPool2d": (nir.AvgPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])), F.avg_pool2d(x, 2)),
    "Flatten": (nir.Flatten(input_type={"input": np.array([2, 9, 8])}, start_dim=0, end_dim=-1), x.flatten(1)),
}
readers = {
    "nirtorch": lambda graph: nirtorch.nir_to_torch(graph, node_map={}),
    "snntorch": snn_from,
    "norse": norse.torch.from_nir,
    "sinabs": lambda graph: sinabs_from(graph, batch_size=1),
    "spikingjelly": lambda graph: nir_exchange.import_from_nir(graph, dt=1e-3),
}
read = {}
for node_name, (node, expected) in nodes.items():
    ends = {"input": nir.Input({"input": np.array([2, 9, 8])}), "output": nir.Output({"output": np.array(expected.shape[1:])})}
    nir.write("b.nir", nir.NIRGraph(ends | {"n": node}, [("input", "n"), ("n", "output")], type_check=False))
    for reader_name, reader in readers.items():

        def action():
            module = reader(nir.read("b.nir", type_check=False))
            y = (module[0] if isinstance(module, tuple) else module)(x)
            y = y[0] if isinstance(y, tuple) else y
            same = y.shape == expected.shape and torch.allclose(y, expected, atol=1e-5)
            return "right" if same else f"shape {tuple(y.shape)}"

        read[node_name, reader_name] = outcome(action)
    print("(b)", node_name, {name: read[node_name, name] for name in readers})
as_found = (
    list(writers.values()) == ["written", "TypeError", "TypeError", "IndexError", "written"]
    and [read["grouped", name] for name in readers] == ["ValueError"] * 4 + ["NotImplementedError"]
    and [read["AvgPool2d", name] for name in readers] == ["right", "right", "ValueError", "ValueError", "right"]
    and [read["Flatten", name] for name in readers] == ["shape (144,)"] * 3 + ["right"] * 2
)
if not as_found:
    raise SystemExit("CHANGED")
print("AS FOUND: one of four exporters writes a convolution as it is, and no importer reads a grouped one.")
PY
