"""A file of somebody else's is looked through before it is unpacked, and one of ours is written whole or not at all."""

from pathlib import Path

import h5py
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from memsim.nir import _safety, from_nir, to_nir
from memsim.nn import LIF, Firing, Linear, SpikingNetwork

nir = pytest.importorskip("nir")

DT = 1e-3
DATA = Path(__file__).parents[2] / "data" / "nir"
MODEL = SpikingNetwork([Linear(4, 3, key=jr.key(0)), LIF(3, firing=Firing(reset="zero"))])
WEIGHT = "node/nodes/0/weight"


@pytest.fixture
def file(tmp_path):
    ms.nir.write(tmp_path / "net.nir", to_nir(MODEL, dt=DT, input_shape=4))
    return tmp_path / "net.nir"


def test_a_written_file_reads_back(file):
    xs = 3 * jr.normal(jr.key(1), (30, 4))
    np.testing.assert_array_equal(from_nir(file, dt=DT)(xs), MODEL(xs))
    np.testing.assert_array_equal(from_nir(str(file), dt=DT)(xs), MODEL(xs))
    assert ms.nir.guess(file, dt=DT).name == "nir"
    assert [f.name for f in file.parent.iterdir()] == ["net.nir"]


def test_a_write_that_fails_leaves_the_old_file_as_it_was(file):
    before = file.read_bytes()
    graph = to_nir(MODEL, dt=DT, input_shape=4)
    graph.nodes["1"].metadata = {"what": object()}  # which cannot be stored
    with pytest.raises(TypeError):
        ms.nir.write(file, graph)
    assert file.read_bytes() == before and [f.name for f in file.parent.iterdir()] == ["net.nir"]


@pytest.mark.parametrize("graph", [MODEL, "net.nir", None])
def test_only_a_graph_is_written(unchecked, graph, tmp_path):
    with pytest.raises(ValueError, match=r"`graph` must be a nir\.NIRGraph"):
        ms.nir.write(tmp_path / "a.nir", graph)


# Files that are more than they seem. All of them are ours, and harmless.


def replaced(file, make):
    """The file with its weight replaced by what `make(group, name)` puts there."""
    with h5py.File(file, "r+") as f:
        group = f["node/nodes/0"]
        del group["weight"]
        make(group, "weight")


def elsewhere(file):
    with h5py.File(file.with_name("other.h5"), "w") as other:
        other["secret"] = np.ones((3, 4), np.float32)
    file.with_name("other.bin").write_bytes(np.ones((3, 4), np.float32).tobytes())


def virtual(group, name):
    layout = h5py.VirtualLayout((3, 4), np.float32)
    layout[:] = h5py.VirtualSource("other.h5", "secret", (3, 4))
    group.create_virtual_dataset(name, layout)


REFERRING = {
    "an external link": lambda group, name: group.__setitem__(name, h5py.ExternalLink("other.h5", "/secret")),
    "a soft link": lambda group, name: group.__setitem__(name, h5py.SoftLink("/node/nodes/0/bias")),
    "a second hard link": lambda group, name: group.__setitem__(name, group["bias"]),
    "external storage": lambda group, name: group.create_dataset(
        name, (3, 4), np.float32, external=[("other.bin", 0, 48)]
    ),
    "a virtual dataset": virtual,
    "references": lambda group, name: group.create_dataset(name, data=group["bias"].ref, dtype=h5py.ref_dtype),
    "nothing": lambda group, name: group.create_dataset(name, data=h5py.Empty(np.float32)),
    "records": lambda group, name: group.create_dataset(name, data=np.zeros(3, [("a", float), ("b", int)])),
}


@pytest.mark.parametrize("how", REFERRING)
def test_a_file_that_refers_to_something_else_is_refused_by_the_place(how, file):
    elsewhere(file)
    replaced(file, REFERRING[how])
    with pytest.raises(ValueError, match=r"that `nir\.write` wrote.*/node/nodes/0/weight"):
        from_nir(file, dt=DT)


def test_a_group_within_itself_is_refused(file):
    with h5py.File(file, "r+") as f:
        f["node/nodes/0/metadata"] = f["node"]
    with pytest.raises(ValueError, match="once more"):
        from_nir(file, dt=DT)


def test_groups_nested_without_end_are_refused(file):
    with h5py.File(file, "r+") as f:
        f.create_group("node/nodes/0/metadata" + "/deeper" * 200)
    with pytest.raises(ValueError, match="nested more than"):
        from_nir(file, dt=DT)


def huge(group, name):
    group.create_dataset(name, (2**20, 2**20), np.float32, chunks=(1024, 1024), compression="gzip")


def test_a_small_file_that_unpacks_to_much_is_refused_before_it_is_unpacked(file):
    replaced(file, huge)
    assert file.stat().st_size < 2**20
    with pytest.raises(ValueError, match=r"unpacks to more than 4294967296 bytes, at /node/nodes/0/weight"):
        from_nir(file, dt=DT)


def test_arrays_that_are_too_much_together_are_refused(file, monkeypatch):
    monkeypatch.setattr(_safety, "LARGEST", 100)  # the weight alone has 48 bytes
    with pytest.raises(ValueError, match="unpacks to more than 100 bytes"):
        from_nir(file, dt=DT)


def test_texts_count_with_their_length(file, monkeypatch):
    monkeypatch.setattr(_safety, "LARGEST", 10_000)
    from_nir(file, dt=DT)
    with h5py.File(file, "r+") as f:
        f["node/nodes/0/metadata/note"] = "x" * 20_000
    with pytest.raises(ValueError, match=r"more than 10000 bytes, at /node/nodes/0/metadata/note"):
        from_nir(file, dt=DT)


@pytest.mark.parametrize("shape", [(2, 3), (2, 2, 2)])
def test_texts_that_are_no_pairs_are_refused(file, shape):
    with h5py.File(file, "r+") as f:
        f["node/nodes/0/metadata/notes"] = np.full(shape, "a", object)
    with pytest.raises(ValueError, match="must be pairs of texts"):
        from_nir(file, dt=DT)


def test_a_file_cut_anywhere_or_with_a_wrong_byte_gives_one_clear_error_or_reads(file, tmp_path):
    whole, rng = file.read_bytes(), np.random.default_rng(0)
    spoiled = [whole[:length] for length in rng.integers(0, len(whole), 20)]
    for place in rng.integers(0, len(whole), 40):
        spoiled.append(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
    refused = 0
    for content in spoiled:
        (tmp_path / "spoiled.nir").write_bytes(content)
        try:
            from_nir(tmp_path / "spoiled.nir", dt=DT)
        except ValueError as error:
            refused += 1
            assert "must" in str(error)
    assert refused >= 20  # those that are cut


# What is in it.


def with_value(file, name, value):
    with h5py.File(file, "r+") as f:
        del f[name]
        f[name] = value


@pytest.mark.parametrize(
    "name, value, message",
    [
        (WEIGHT, np.full((3, 4), np.nan), r"Node '0' \(Affine\) must have finite numbers in `weight`"),
        (WEIGHT, np.full((3, 4), 1e39), r"Node '0' .* numbers that are too large"),
        (WEIGHT, np.full((3, 4), 1j), r"/node/nodes/0/weight must be numbers or text. Got complex128"),
        (WEIGHT, "much", r"Node '0' must have numbers in `weight`. Got text"),
        ("node/nodes/1/tau", np.array([b"a", b"b", b"c"]), r"Node '1' must have numbers in `tau`. Got text"),
        ("node/nodes/input/shape", "four", r"Node 'input' must have numbers in `shape`. Got text"),
        ("node/nodes/0/bias", np.zeros(2), r"Node '0' .* one bias an output"),
        ("node/nodes/1/tau", np.full(3, np.inf), r"Node '1' \(LIF\) must have finite numbers in `tau`"),
        ("node/nodes/1/tau", np.full(3, 1e9), r"Node '1' .*`tau_mem` must be at most 1 s"),
        ("node/nodes/1/tau", np.full(3, 20.0), r"Node '1' .*Milliseconds\?"),
        ("node/nodes/1/v_threshold", np.array([1.0, 0.0, 1.0]), r"Node '1' .*`threshold` must be positive"),
        ("node/nodes/1/v_reset", np.full(3, np.nan), r"Node '1' .*`v_reset`"),
        ("node/nodes/input/shape", np.array([10**12]), r"Node 'input' must have a shape of whole numbers"),
        ("node/nodes/input/shape", np.array([-4]), r"Node 'input' must have a shape of whole numbers"),
        ("node/nodes/input/shape", np.array([4.5]), r"Node 'input' must have a shape of whole numbers"),
    ],
)
def test_numbers_that_mean_nothing_are_refused_by_node(file, name, value, message):
    with_value(file, name, value)
    with pytest.raises(ValueError, match=message):
        from_nir(file, dt=DT)


def chain(node, inputs, outputs):
    nodes = {"input": nir.Input(np.array(inputs)), "n": node, "output": nir.Output(np.array(outputs))}
    return nir.NIRGraph(nodes, [("input", "n"), ("n", "output")], metadata={}, type_check=False)


KERNEL, ZEROS = np.ones((4, 2, 3, 3), np.float32), np.zeros(4, np.float32)


def conv(**changes):
    """A convolution whose numbers `nir` has not looked at, as from a file."""
    node = nir.Conv2d((6, 6), KERNEL, 1, 0, 1, 1, ZEROS)
    vars(node).update(changes)
    return node


@pytest.mark.parametrize(
    "node, message",
    [
        (lambda: conv(stride=0), "at least 1 in `stride`"),
        (lambda: conv(stride=1.5), "whole numbers of at least 1 in `stride`"),
        (lambda: conv(padding=-1), "at least 0 in `padding`"),
        (lambda: conv(groups=0), "at least 1 in `groups`"),
        (lambda: conv(dilation=np.array([1, 1, 1])), "in `dilation`, 2 or one"),
        (lambda: conv(weight=KERNEL * 1j), "real numbers in `weight`"),
        (lambda: conv(weight=KERNEL[0]), "a weight of 4 axes"),
        (lambda: nir.AvgPool2d(np.array([2, 2]), np.array([0, 2]), np.array([0, 0])), "at least 1 in `stride`"),
        (lambda: nir.Flatten({"input": None}, 0.5, -1), "whole number in `start_dim`"),
        (lambda: nir.Delay(np.full((2, 6, 6), 1e5)), "must keep at most"),
        (lambda: nir.Delay(np.full((2, 6, 6), -1e-3)), "whole time steps of at least 0"),
    ],
)
def test_settings_that_mean_nothing_are_refused_by_node(node, message):
    made = node()
    with pytest.raises(ValueError, match=f"Node 'n'.*{message}"):
        from_nir(chain(made, [2, 6, 6], [2, 6, 6]), dt=DT)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"second": 0.0}, "`second` must be positive"),
        ({"second": np.float32(-1)}, "`second` must be positive"),
        ({"step": float("nan")}, "`step` must be positive"),
        ({"r": "unknown"}, "`r` must be"),
        ({"firing": "zero"}, "`firing` must be a Firing"),
    ],
)
def test_a_dialect_of_your_own_is_checked(unchecked, changes, message):
    with pytest.raises(ValueError, match=message):
        from_nir(DATA / "lif_norse.nir", dt=1e-4, dialect=ms.nir.DIALECTS["nir"]._replace(**changes))


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"dt": 1e-3, "firing": "zero"}, "`firing` must be a Firing"),
        ({"dt": 1e-3, "firing": Firing}, r"Call it: `Firing\(\.\.\.\)`"),
        ({"dt": 1e-3, "input_shape": 2.5}, "`input_shape` must be a whole number"),
        ({"dt": 1e-3, "input_shape": (0,)}, "`input_shape` must be a whole number"),
        ({"dt": 2.0}, "Milliseconds"),
        ({"dt": np.float32("nan")}, "`dt` must be positive"),
        ({"dt": jnp.asarray(-1e-3)}, "`dt` must be positive"),
        ({"dt": "1 ms"}, "`dt` must be positive"),
        ({"dt": 1e-3, "dialect": 3}, "`dialect` must be"),
    ],
)
def test_settings_are_judged_by_what_they_are(unchecked, settings, message):
    with pytest.raises(ValueError, match=message):
        from_nir(DATA / "lif_norse.nir", **settings)


@pytest.mark.parametrize("metadata", [{"memsim_dt": "soon"}, {"memsim_dt": None}, {"memsim_dt": np.zeros(3)}])
def test_a_hint_that_is_no_number_is_passed_over(metadata):
    graph = to_nir(MODEL, dt=DT, input_shape=4)
    graph.metadata = metadata
    assert from_nir(graph, dt=DT).layers
