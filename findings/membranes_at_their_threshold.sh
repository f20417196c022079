#!/usr/bin/env bash
# Finding: what a membrane does exactly at its threshold depends on who reads the NIR file. NIR says that a neuron fires
# where v > v_threshold. With nir 1.0.8, norse 1.1.0 and snnTorch 1.0.0 fire so; SpikingJelly 2.0.0 and sinabs 2.0.3
# fire at equality. Trained float weights hardly ever meet their threshold. Quantised weights, as chips hold them, do so
# all the time:
# (a) one integrator, threshold 1, input 0.5 a step. First spike in step 3 by the equation and norse, in step 2 by
#     SpikingJelly and sinabs.
# (b) 8 neurons, weights in quarters, 4 inputs of 0 and 1, 200 steps; every number is exact in float32. Spikes, and entries of
#     the 1600 that differ from the equation:
#         IF:                 equation 336;  norse 336, 0 differ;     SpikingJelly 385, 207 differ
#         LIF that halves:    equation 255;  snnTorch 255, 0 differ;  SpikingJelly 290, 45 differ
# Not tried in (b), for other reasons: sinabs emits several spikes a step, snnTorch refuses the IF, norse the LIF's time
# unit.
# Seen on 2026-11-29. Python 3.11 or 3.12. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
install="venv/bin/pip install --quiet --no-compile --disable-pip-version-check"
$install numpy==2.4.6 torch==2.13.0 h5py==3.16.0 scipy==1.17.1 tqdm==4.70.1
# Without their other dependencies, which are not used here.
$install --no-deps nir==1.0.8 nirtorch==2.6 snntorch==1.0.0 norse==1.1.0 \
    sinabs==2.0.3 spikingjelly==2.0.0 pbr==7.1.3 loguru==0.7.3
venv/bin/python -W ignore - 2>stderr.txt <<'PY' || { tail -5 stderr.txt; exit 1; }
import contextlib, io, logging

logging.disable(logging.WARNING)
import nir, norse.torch, numpy as np, torch
from sinabs.nir import from_nir as sinabs_from
from snntorch.import_nir import import_from_nir as snn_from
from spikingjelly.activation_based import nir_exchange

DT = 1e-4


def integrator(n):
    return nir.IF(r=np.full(n, 1 / DT, np.float32), v_threshold=np.ones(n, np.float32), v_reset=np.zeros(n, np.float32))


def halving(n):
    """v becomes v / 2 + input: tau of two steps, and r that leaves the input as it is."""
    zeros, ones = np.zeros(n, np.float32), np.ones(n, np.float32)
    return nir.LIF(tau=2 * DT * ones, r=2 * ones, v_leak=zeros, v_threshold=ones, v_reset=zeros)


def write(weight, neuron):
    n, inputs = weight.shape
    ends = {"input": nir.Input({"input": np.array([inputs])}), "output": nir.Output({"output": np.array([n])})}
    nodes = ends | {"l": nir.Affine(weight, np.zeros(n, np.float32)), "n": neuron}
    nir.write("a.nir", nir.NIRGraph(nodes, [("input", "l"), ("l", "n"), ("n", "output")]))


def equation(graph, inputs):
    weight, node = graph.nodes["l"].weight, graph.nodes["n"]
    keep = 0.5 if isinstance(node, nir.LIF) else 1.0
    v, rows = np.zeros(len(weight)), []
    for x in inputs:
        v = keep * v + weight @ x
        rows.append(v > node.v_threshold)
        v = np.where(rows[-1], 0.0, v)
    return np.array(rows, float)


def stepped(network, inputs):
    network = network[0] if isinstance(network, tuple) else network
    state, rows = None, []
    with torch.no_grad():
        for x in torch.from_numpy(inputs):
            out = network(x[None]) if state is None else network(x[None], state)
            out, state = out if isinstance(out, tuple) else (out, None)
            rows.append(out.numpy().reshape(-1))
    return np.array(rows)


def by_sinabs(graph, inputs):
    out = sinabs_from(graph, batch_size=1)(torch.from_numpy(inputs))
    return (out[0] if isinstance(out, tuple) else out).detach().numpy()


readers = {
    "equation": equation,
    "norse": lambda graph, inputs: stepped(norse.torch.from_nir(graph, dt=DT), inputs),
    "snnTorch": lambda graph, inputs: stepped(snn_from(graph), inputs),
    "SpikingJelly": lambda graph, inputs: stepped(nir_exchange.import_from_nir(graph, dt=DT), inputs),
    "sinabs": by_sinabs,
}


def raster(name, inputs):
    with contextlib.redirect_stdout(io.StringIO()):
        return readers[name](nir.read("a.nir"), inputs)


write(np.ones((1, 1), np.float32), integrator(1))
half = np.full((6, 1), 0.5, np.float32)
first = {n: int(np.flatnonzero(raster(n, half))[0]) + 1 for n in ("equation", "norse", "SpikingJelly", "sinabs")}
print("(a) step of the first spike:", first)

generator = np.random.default_rng(0)
quarters = generator.integers(-3, 5, (8, 4)).astype(np.float32) / 4
spikes = (generator.random((200, 4)) < 0.3).astype(np.float32)
found = {}
for label, neuron, names in (("IF", integrator, ("norse", "SpikingJelly")), ("LIF", halving, ("snnTorch", "SpikingJelly"))):
    write(quarters, neuron(8))
    right = raster("equation", spikes)
    found[label] = [int(right.sum())]
    for name in names:
        theirs = raster(name, spikes)
        found[label] += [int(theirs.sum()), int((theirs != right).sum())]
    print("(b)", label, "spikes of the equation, then spikes and differing entries of", *names, found[label])
as_found = (
    first == {"equation": 3, "norse": 3, "SpikingJelly": 2, "sinabs": 2}
    and found == {"IF": [336, 336, 0, 385, 207], "LIF": [255, 255, 0, 290, 45]}
)
if not as_found:
    raise SystemExit("CHANGED")
print("AS FOUND: two readers fire at their threshold, two above it.")
PY
