"""Data from elsewhere reach no other file, fill no disk, and come from the web alone. All files here are harmless."""

import http.server
import io
import os
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import memsim.data._download as downloads
from memsim.data import Archive, Source, SpikeFile, event_array, get, read_events, write_spikes
from memsim.data._unpack import remove_left, unpack

ROOT = Path(__file__).parents[3]
EVENTS = np.array([(5, 6, 1, 70), (7, 8, 0, 60)], [("x", "<u2"), ("y", "<u2"), ("p", "<i2"), ("t", "<i8")])


def test_events_in_the_hdf5_of_prophesee_are_read_in_order(tmp_path):
    for name in ("a.hdf5", "a.H5"):
        with h5py.File(tmp_path / name, "w") as file:
            file["CD/events"] = EVENTS
        assert read_events(tmp_path / name, size=(8, 9)).tolist() == [(60, 7, 8, 0), (70, 5, 6, 1)]


def packed(file):
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_chunk((2,))
    creation.set_filter(36559, h5py.h5z.FLAG_OPTIONAL)  # the codec's number; optional, so HDF5 writes without it
    group = file.create_group("CD")
    kind = h5py.h5t.py_create(EVENTS.dtype, logical=True)
    h5py.h5d.create(group.id, b"events", kind, h5py.h5s.create_simple((2,)), creation)


@pytest.mark.parametrize(
    ("fill", "message"),
    [
        (packed, r"packed with Prophesee's ECF codec \(HDF5 filter 36559\), whose plugin is not installed"),
        (lambda file: file.create_group("CD"), "no data set CD/events"),
        (lambda file: file.create_group("CD/events"), "no data set CD/events"),
        (lambda file: file.create_dataset("events/x", data=[1]), r"no data set CD/events.*read with `SpikeFile`"),
        (
            lambda file: file.create_dataset("CD/events", (2**40,), EVENTS.dtype, chunks=(9,)),
            "unpacks to 15393162788864",
        ),
        (lambda file: file.create_dataset("CD/events", data=[1.0]), "one column of t, x, y and p. Got float64"),
        (lambda file: file.create_dataset("CD/events", data=EVENTS[["t", "x"]]), "one column of t, x, y and p"),
    ],
)
def test_hdf5_without_readable_events_says_what_it_lacks(tmp_path, fill, message):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        fill(file)
    with pytest.raises(ValueError, match=rf"a\.h5 must be a whole \.h5 recording.*{message}"):
        read_events(tmp_path / "a.h5")


def external_link(file, name, other):
    file[name] = h5py.ExternalLink(str(other), "secret")


def soft_link(file, name, other):
    file["door"] = h5py.ExternalLink(str(other), "/")
    file[name] = h5py.SoftLink("/door/secret")


def external_storage(file, name, other):
    file.create_dataset(name, (2,), np.uint8, external=[(str(other), 0, 2)])


def virtual_data(file, name, other):
    layout = h5py.VirtualLayout((2,), EVENTS.dtype)
    layout[:] = h5py.VirtualSource(str(other), "secret", (2,))
    file.create_virtual_dataset(name, layout)


@pytest.mark.parametrize("way", [external_link, soft_link, external_storage, virtual_data])
def test_no_hdf5_file_makes_us_read_another_one(tmp_path, way):
    other = tmp_path / "secret.h5"
    with h5py.File(other, "w") as file:
        file["secret"] = EVENTS
    with h5py.File(tmp_path / "a.h5", "w") as file:
        way(file, "CD/events", other)
    with h5py.File(tmp_path / "b.h5", "w") as file:
        way(file, "spikes/times", other)
        file["spikes/units"] = file["labels"] = [0, 0]
    refused = "is a link to another place|lies in another file"
    with pytest.raises(ValueError, match=refused):
        read_events(tmp_path / "a.h5")
    with pytest.raises(ValueError, match=refused):
        list(SpikeFile(tmp_path / "b.h5").recordings())


def test_a_group_on_the_way_is_no_door_to_another_file_either(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["times"] = file["units"] = [0]
    write_spikes(tmp_path / "a.h5", [event_array([0], [0])], np.array([0]), ("one",))
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        del file["spikes"], file["labels"]
        file["spikes"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/")
        file["labels"] = h5py.ExternalLink("/dev/null", "/")
    for read in (lambda: list(SpikeFile(tmp_path / "a.h5").recordings()), SpikeFile(tmp_path / "a.h5").labels):
        with pytest.raises(ValueError, match="is a link to another place, which is not followed"):
            read()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.array([0, 2])}, "`labels` must index the 2 `class_names`"),
        ({"labels": np.array([0, -1])}, "`labels` must index the 2"),
        ({"labels": np.array([0.0, 1.0])}, "`labels` must be one whole number"),
        ({"labels": np.array([0])}, r"`labels` must be .* each of the 2 recordings"),
        ({"class_names": (1, 2)}, "`class_names` must be"),
        ({"recordings": [event_array([0], [0], [1])] * 2}, "Recording 0 must .* without rows"),
        ({"recordings": [event_array([10**11], [0])] * 2}, r"Recording 0 must end by 65504\.0 s"),
    ],
)
def test_spikes_that_would_not_read_back_are_refused_and_the_old_file_stays(tmp_path, unchecked, change, message):
    good = {"recordings": [event_array([0], [0])] * 2, "labels": np.array([0, 1]), "class_names": ("no", "yes")}
    write_spikes(str(tmp_path / "a.h5"), **good)
    before = (tmp_path / "a.h5").read_bytes()
    with pytest.raises(ValueError, match=message):
        write_spikes(tmp_path / "a.h5", **{**good, **change})
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.h5", before)]
    with pytest.raises(ValueError, match="`indices` must be whole numbers from 0 to 1"):
        list(SpikeFile(str(tmp_path / "a.h5")).recordings([2]))


# --- archives ---


def zip_file(path, size, *, files=1):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(files):
            archive.writestr(f"toy/{index}.bin", bytes(size))
    return path


def tar_file(path, size, *, files=1):
    with tarfile.open(path, "w:gz") as archive:
        for index in range(files):
            member = tarfile.TarInfo(f"toy/{index}.bin")
            member.size = size
            archive.addfile(member, io.BytesIO(bytes(size)))
    return path


@pytest.mark.parametrize(("make", "name"), [(zip_file, "toy.zip"), (tar_file, "toy.tar.gz")])
def test_an_archive_unpacks_up_to_its_limit_and_no_byte_further(tmp_path, make, name):
    archive = make(tmp_path / name, 1000, files=3)
    unpack(archive, tmp_path, "toy", largest=3000)
    assert len(list((tmp_path / "toy").iterdir())) == 3
    with pytest.raises(ValueError, match=rf"{name} must unpack to no more bytes than its limit.*at 2\.bin.*`largest`"):
        unpack(archive, tmp_path, "toy", largest=2999)
    assert {path.name for path in tmp_path.iterdir()} == {"toy", name}


def test_by_default_an_archive_may_unpack_to_a_hundred_times_its_size(tmp_path, monkeypatch):
    import memsim.data._unpack as unpacking

    monkeypatch.setattr(unpacking, "LARGEST_LEAST", 1000)
    archive = zip_file(tmp_path / "toy.zip", 10_000_000)
    assert 100 * archive.stat().st_size < 10_000_000  # zeros shrink a thousandfold
    with pytest.raises(ValueError, match="no more bytes than its limit"):
        unpack(archive, tmp_path, "toy")


def test_what_a_killed_process_was_unpacking_is_removed_and_what_a_living_one_unpacks_is_not(tmp_path):
    kill = (
        "import os, signal, memsim.data._unpack as u\n"
        "u._write = lambda *a: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"u.unpack(u.Path({str(zip_file(tmp_path / 'toy.zip', 9))!r}), u.Path({str(tmp_path)!r}), 'toy')"
    )
    killed = subprocess.run([sys.executable, "-c", kill], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    left = [path for path in tmp_path.iterdir() if path.name.startswith(".unpacking-")]
    assert len(left) == 1
    (tmp_path / ".unpacking-abc123").mkdir()  # as versions without a process number in the name left them
    host = socket.gethostname()[:40].replace("-", "_")
    kept = {f".unpacking-{host}-{os.getpid()}-x", ".unpacking-elsewhere-1-x"}
    for name in kept:
        (tmp_path / name).mkdir()
    remove_left(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept | {"toy.zip"}


# --- addresses ---


def source(url, **change):
    parts = {"name": "toy.zip", "urls": (url,), "checksum": "md5:" + "0" * 32, "holds": "toy"}
    return Source("toy", "a toy", (Archive(**{**parts, **change}),), "CC0", "nobody")


@pytest.mark.parametrize(
    "url", ["file:///etc/hostname", "FILE:///etc/hostname", "ftp://127.0.0.1/a", "data:,x", "/a.zip"]
)
def test_an_address_outside_the_web_is_refused_before_anything_is_done(tmp_path, url):
    with pytest.raises(ValueError, match=r"must begin with http:// or https://\. Got "):
        get(source(url), folder=tmp_path / "data")
    assert not (tmp_path / "data").exists()


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """Sends whoever asks to the address that is its path, without the first stroke."""

    def do_GET(self):
        self.send_response(302)
        self.send_header("Location", self.path[1:])
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.mark.parametrize("place", ["file:///etc/hostname", "ftp://127.0.0.1:9/a.zip"])
def test_a_server_cannot_send_us_outside_the_web(tmp_path, monkeypatch, place):
    monkeypatch.setattr(downloads, "WAIT", 0.0)
    monkeypatch.setenv("no_proxy", "*")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            with pytest.raises(ConnectionError, match=r"sent us elsewhere.*http:// or https://|not allowed"):
                get(source(f"http://127.0.0.1:{server.server_port}/{place}"), folder=tmp_path)
        finally:
            server.shutdown()
            thread.join()
    assert list((tmp_path / "toy").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "../toy.zip"}, "plain names"),
        ({"holds": "/etc"}, "plain names"),
        ({"holds": ".."}, "plain names"),
        ({"checksum": "0" * 32}, "checksum must be written as"),
        ({"checksum": "crc:00"}, "checksum must be written as"),
    ],
)
def test_a_source_that_cannot_be_fetched_safely_is_refused(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        get(source("http://127.0.0.1:9/toy.zip", **change), folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_two_processes_that_fetch_one_data_set_take_turns(tmp_path, monkeypatch):
    import memsim.data._get as getting

    running, most = [], []

    def fetch(archive, place):
        running.append(archive.name)
        most.append(len(running))
        time.sleep(0.1)
        (place / archive.holds).mkdir()
        running.pop()

    monkeypatch.setattr(getting, "_get_archive", fetch)
    wanted = {"args": (source("http://127.0.0.1:9/"),), "kwargs": {"folder": tmp_path}}
    threads = [threading.Thread(target=get, **wanted) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]  # the others found it there
