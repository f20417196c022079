#!/usr/bin/env bash
# Finding: four small NIR files, four importers: most of what comes out is another network, mostly without a word.
# nir 1.0.8, nirtorch 2.6, snntorch 1.0.0, norse 1.1.0, sinabs 2.0.3, spikingjelly 2.0.0; dt 1e-4 s, Euler, 3 neurons,
# 400 steps, tau 2 ms, tau_syn 1 ms, inputs enter unscaled (r = tau / dt, w_in = tau_syn / dt). Spikes a neuron:
#                      the equation     snnTorch             norse                sinabs              SpikingJelly
# (a) v_reset 0.3      30, 18, 30       26, 17, 26 (as 0)    0, 0, 0 (warns)      0, 0, 0             refuses
# (b) CubaLIF          245, 191, 244    right                right                37.8, 27.0, 37.8    right
# (c) recurrent LIF    34, 6, 38        15, 0, 5             0, 0, 0 (warns)      0, 0, 0             right
# (d) recurrent CubaLIF 397, 0, 398     393, 0, 393          92.2, -241.0, 189.1  37.8, 27.0, 37.8    right
# sinabs passes over a CubaLIF node: what comes out are the weighted inputs. norse gives real numbers, not spikes, in
# (d).
# (e) The file that snnTorch itself writes of an RLeaky layer is not read back by it: AttributeError in nirtorch.
# (f) snnTorch's import rewrites the graph object that it is given: SpikingJelly, right on the file of (c), makes 15, 0,
#     5 of the same object afterwards.
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
import contextlib, io, logging

logging.disable(logging.WARNING)
import nir, norse.torch, numpy as np, snntorch, torch
from sinabs.nir import from_nir as sinabs_from
from snntorch.export_nir import export_to_nir as snn_to
from snntorch.import_nir import import_from_nir as snn_from
from spikingjelly.activation_based import nir_exchange

DT, N, GAIN = 1e-4, 3, 0.6
generator = np.random.default_rng(0)
inputs = (generator.random((400, N)) < 0.15).astype(np.float32)
recurrent = generator.normal(0, 0.5, (N, N)).astype(np.float32)
np.fill_diagonal(recurrent, 0)


def full(value):
    return np.full(N, value, np.float32)


def lif(v_reset=0.0):
    return nir.LIF(tau=full(2e-3), r=full(20), v_leak=full(0), v_threshold=full(1), v_reset=full(v_reset))


def cuba():
    rest = {"r": full(20), "v_leak": full(0), "v_threshold": full(1), "v_reset": full(0), "w_in": full(10)}
    return nir.CubaLIF(tau_syn=full(1e-3), tau_mem=full(2e-3), **rest)


def written(neuron, back=None):
    nodes = {"input": nir.Input({"input": np.array([N])}), "l": nir.Affine(np.eye(N, dtype=np.float32) * GAIN, full(0)), "n": neuron}
    edges = [("input", "l"), ("l", "n"), ("n", "output")]
    if back is not None:
        nodes["rec"] = nir.Affine(back, full(0))
        edges += [("n", "rec"), ("rec", "n")]
    nir.write("a.nir", nir.NIRGraph(nodes | {"output": nir.Output({"output": np.array([N])})}, edges))
    return nir.read("a.nir")


def equation(graph):
    node = graph.nodes["n"]
    back = graph.nodes["rec"].weight if "rec" in graph.nodes else np.zeros((N, N))
    current, v, spikes, total = np.zeros(N), np.zeros(N), np.zeros(N), np.zeros(N)
    for x in inputs:
        drive = GAIN * x + back @ spikes
        if isinstance(node, nir.CubaLIF):
            current = current + DT / node.tau_syn * (node.w_in * drive - current)
            v = v + DT / node.tau_mem * (node.v_leak - v + node.r * current)
        else:
            v = v + DT / node.tau * (node.v_leak - v + node.r * drive)
        spikes = (v > node.v_threshold).astype(float)
        v, total = np.where(spikes > 0, node.v_reset, v), total + spikes
    return total


def stepped(network):
    network = network[0] if isinstance(network, tuple) else network
    state, total = None, np.zeros(N)
    with torch.no_grad():
        for x in torch.from_numpy(inputs):
            out = network(x[None]) if state is None else network(x[None], state)
            out, state = out if isinstance(out, tuple) else (out, None)
            total += out.numpy().reshape(-1)
    return total


def by_sinabs(graph):
    out = sinabs_from(graph, batch_size=1)(torch.from_numpy(inputs))
    return (out[0] if isinstance(out, tuple) else out).detach().numpy().sum(0)


readers = {
    "equation": equation,
    "snnTorch": lambda graph: stepped(snn_from(graph)),
    "norse": lambda graph: stepped(norse.torch.from_nir(graph, dt=DT)),
    "sinabs": by_sinabs,
    "SpikingJelly": lambda graph: stepped(nir_exchange.import_from_nir(graph, dt=DT)),
}
cases = {
    "(a) v_reset 0.3": (lif(0.3),),
    "(b) CubaLIF": (cuba(),),
    "(c) recurrent LIF": (lif(), recurrent),
    "(d) recurrent CubaLIF": (cuba(), recurrent),
}
found = {}
for case, parts in cases.items():
    written(*parts)
    for name, reader in readers.items():
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                found[case, name] = [round(float(count), 1) for count in reader(nir.read("a.nir"))]
        except ValueError as error:
            found[case, name] = f"ValueError: {error}"
    print(case, {name: found[case, name] for name in readers})
layer = torch.nn.Sequential(torch.nn.Linear(N, N), snntorch.RLeaky(beta=0.95, linear_features=N, init_hidden=True))
try:
    with contextlib.redirect_stdout(io.StringIO()):
        nir.write("b.nir", snn_to(layer, torch.ones(N)))
        snn_from(nir.read("b.nir"))
    own = "read"
except AttributeError as error:
    own = f"AttributeError: {error}"
print("(e) snnTorch on its own file of an RLeaky:", own)
shared = written(lif(), recurrent)
with contextlib.redirect_stdout(io.StringIO()):
    readers["snnTorch"](shared)
    after = readers["SpikingJelly"](shared).tolist()
print("(f) SpikingJelly on the graph of (c) after snnTorch has imported it:", after)
a, b, c, d = cases
right = {a: [30, 18, 30], b: [245, 191, 244], c: [34, 6, 38], d: [397, 0, 398]}
as_found = (
    all(found[case, "equation"] == spikes for case, spikes in right.items())
    and [found[case, "snnTorch"] for case in cases] == [[26, 17, 26], right[b], [15, 0, 5], [393, 0, 393]]
    and [found[case, "norse"] for case in cases] == [[0] * 3, right[b], [0] * 3, [92.2, -241.0, 189.1]]
    and [found[case, "sinabs"] for case in cases] == [[0] * 3, [37.8, 27.0, 37.8], [0] * 3, [37.8, 27.0, 37.8]]
    and "v_leak must equal v_reset" in found[a, "SpikingJelly"]
    and all(found[case, "SpikingJelly"] == right[case] for case in (b, c, d))
    and own.startswith("AttributeError")
    and after == [15, 0, 5]
)
if not as_found:
    raise SystemExit("CHANGED")
print("AS FOUND: of sixteen imports five make the network of the file, one refuses, ten run another one.")
PY
