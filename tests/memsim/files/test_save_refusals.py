"""A file that is not what was saved is refused, and so is what cannot be saved."""

import hashlib
import io
import json
import os
import pickle
import zipfile

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms

DESIGN = ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8))


def linear():
    return eqx.nn.Linear(3, 3, key=jr.key(0))


def rewritten(path, change):
    """The file at `path` with its text changed, and all checksums right: by somebody who means it."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    content = json.loads(files.pop("memsim.json"))
    change(content)
    text = json.dumps(content).encode()
    with zipfile.ZipFile(path, "w") as archive:
        archive.comment = f"memsim file, layout 1, sha256 {hashlib.sha256(text).hexdigest()}".encode()
        for name, data in (files | {"memsim.json": text}).items():
            archive.writestr(name, data)


@pytest.mark.parametrize(
    "name",
    [
        "os:system",
        "builtins:eval",
        "memsim.files._save:save",
        "memsim:save",
        "memsim.train:fit",
        "equinox:tree_serialise_leaves",
        "equinox.nn:jax",
        "memsim._cli:main",
        "memsim.study._results:save_result",
        "device_models._files:written_whole",
        "equinox._serialisation:tree_serialise_leaves",
        "jax.numpy:save",
        "jax.numpy:load",
        "jax.numpy:np.save",
        "jax._src.profiler:start_trace",
        "memsim.files._container:written_whole",
        "memsim.files._container:Path.unlink",
        "device_models._cells._pcm:jr.key",
        "memsim.no_such_room:f",
        "nonsense",
        7,
    ],
)
def test_a_file_cannot_name_what_does_more_than_compute(tmp_path, name):
    ms.save(tmp_path / "bad", {"f": jnp.tanh})
    rewritten(tmp_path / "bad", lambda content: content["thing"]["dict"][0].__setitem__(1, {"named": name}))
    with pytest.raises(ValueError, match="must be of a class or function"):
        ms.load(tmp_path / "bad")


def test_what_a_class_refuses_is_refused_when_it_is_loaded(tmp_path):
    ms.save(tmp_path / "adc", ms.ADC(8))
    rewritten(tmp_path / "adc", lambda content: content["thing"]["fields"].__setitem__("bits", -3))
    with pytest.raises(ValueError, match=r"must be what ADC accepts. `bits` must be a whole number"):
        ms.load(tmp_path / "adc")


@pytest.mark.parametrize(
    "spoil, says",
    [
        (lambda data: b"", "it is empty"),
        (lambda data: data[: len(data) // 2], "it is cut or damaged"),
        (lambda data: data[:-1], "it is cut or damaged|another zip archive"),
        (lambda data: data[:300] + bytes([data[300] ^ 1]) + data[301:], "damaged"),
        (lambda data: data.replace(b'"in_features": 3', b'"in_features": 4'), "damaged"),
        (lambda data: data.replace(b"layout 1,", b"layout 2,"), "layout 2"),
        (lambda data: b"\x80\x04K\x01.", "it is of another kind"),
        (lambda data: b"{}", "device file"),
    ],
)
def test_a_file_that_is_not_whole_says_so(tmp_path, spoil, says):
    path = tmp_path / "spoiled"
    ms.save(path, [linear()])
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ValueError, match=says):
        ms.load(path)


def test_no_single_bit_can_turn_unseen(tmp_path):
    path = tmp_path / "bit"
    thing = [linear()]
    ms.save(path, thing)
    data = path.read_bytes()
    for place in np.random.default_rng(0).integers(0, len(data), 60):
        path.write_bytes(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
        try:
            found = ms.load(path)
        except ValueError:
            continue
        assert eqx.tree_equal(thing, found)  # a date or an attribute of the archive, which says nothing


def test_other_archives_are_told_apart(tmp_path):
    np.savez(tmp_path / "weights.npz", a=np.ones(3))
    with pytest.raises(ValueError, match="another zip archive"):
        ms.load(tmp_path / "weights.npz")
    (tmp_path / "pickled").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(ValueError, match="it is of another kind"):
        ms.load(tmp_path / "pickled")
    with pytest.raises(FileNotFoundError):
        ms.load(tmp_path / "nothing")
    ms.save(tmp_path / "design", DESIGN)
    with pytest.raises(ValueError, match=r"Got Chip; .* holds a Crossbar"):
        ms.load(tmp_path / "design", kind=ms.Chip)


def test_an_array_of_objects_is_never_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "trapped"),)

    file = io.BytesIO()
    np.lib.format.write_array(file, np.array([Trap()]), allow_pickle=True)
    ms.save(tmp_path / "bad", [jnp.ones(1)])
    with zipfile.ZipFile(tmp_path / "bad") as archive:
        text, comment = json.loads(archive.read("memsim.json")), archive.comment
    text["sha256"]["0.npy"] = hashlib.sha256(file.getvalue()).hexdigest()
    content = json.dumps(text).encode()
    with zipfile.ZipFile(tmp_path / "bad", "w") as archive:
        archive.comment = comment[:-64] + hashlib.sha256(content).hexdigest().encode()
        archive.writestr("0.npy", file.getvalue())
        archive.writestr("memsim.json", content)
    with pytest.raises(ValueError, match="Object arrays"):
        ms.load(tmp_path / "bad")
    assert not (tmp_path / "trapped").exists()


@pytest.mark.parametrize(
    "thing, says",
    [
        (lambda: {"f": lambda x: x}, r"must have a name.*\['f'\]"),
        (lambda: 3, "`thing` must be a model"),
        (lambda: eqx.nn.Linear, "`thing` must be a model"),
        (lambda: [np.array([None])], "Python objects"),
        (lambda: [io.BytesIO()], "must be of arrays, numbers"),
        (lambda: [ms.save], "functions that compute"),
        (lambda: [jax.profiler.start_trace], "functions that compute"),
    ],
)
def test_what_cannot_be_saved_is_named(tmp_path, thing, says):
    with pytest.raises(ValueError, match=says):
        ms.save(tmp_path / "thing", thing())
    assert not list(tmp_path.iterdir())


def test_what_holds_itself_or_is_traced_is_refused(tmp_path):
    ring: list = []
    ring.append(ring)
    with pytest.raises(ValueError, match="must not hold itself"):
        ms.save(tmp_path / "ring", ring)
    with pytest.raises(ValueError, match="outside of compiled functions"):
        jax.jit(lambda x: ms.save(tmp_path / "traced", [x]))(jnp.ones(2))


def test_doubles_are_never_halved(tmp_path):
    with jax.enable_x64(True):
        ms.save(tmp_path / "doubles", [jnp.ones(2, jnp.float64)])
        assert ms.load(tmp_path / "doubles")[0].dtype == jnp.float64
    with pytest.raises(ValueError, match="jax_enable_x64"):
        ms.load(tmp_path / "doubles")


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    ms.save(tmp_path / "thing", [linear()])
    before = (tmp_path / "thing").read_bytes()
    with pytest.raises(ValueError):
        ms.save(tmp_path / "thing", [linear(), lambda x: x])
    assert (tmp_path / "thing").read_bytes() == before
