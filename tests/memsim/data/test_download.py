"""Data sets arrive whole or not at all, from servers that break off, lie or have never heard of ranges."""

import gzip
import hashlib
import http.server
import io
import re
import tarfile
import threading
import zipfile

import numpy as np
import pytest

import memsim as ms
import memsim.data._download as downloads
import memsim.data._get as getting
from memsim._cli import main
from memsim.data import Archive, Binning, Source, event_array, get, to_frames, write_events, write_spikes


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `server.files`; obeys ranges and breaks off after `server.cut` bytes, once for each True in `breaks`."""

    def do_GET(self):
        content = self.server.files.get(self.path)
        asked = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        self.server.asked.append((self.path, int(asked[1]) if asked else None))
        if content is None:
            self.send_error(404)
            return
        start = int(asked[1]) if asked and self.server.ranges else 0
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start + self.server.shift}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        broken = self.server.breaks.pop(0) if self.server.breaks else False
        self.wfile.write(content[start : start + self.server.cut] if broken else content[start:])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(downloads, "WAIT", 0.0)
    monkeypatch.setenv("no_proxy", "*")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.files, server.asked, server.breaks, server.cut, server.ranges, server.shift = {}, [], [], 1000, True, 0
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def zipped(files):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return raw.getvalue()


def md5(raw):
    return f"md5:{hashlib.md5(raw).hexdigest()}"


def toy_source(server, raw, *, paths=("/toy.zip",), name="toy.zip", checksum=None, holds="toy"):
    server.files.setdefault(paths[-1], raw)
    archive = Archive(name, tuple(server.url + path for path in paths), checksum or md5(raw), holds)
    return Source("toy", "a toy", (archive,), "CC0", "nobody")


CONTENT = np.random.default_rng(0).bytes(5000)  # random: a zip of it is as long
TOY = zipped({"toy/a.txt": CONTENT, "toy/deep/b.txt": b"b", "other/c.txt": b"c"})


def test_a_data_set_arrives_unpacked_and_a_second_call_asks_for_nothing(server, tmp_path):
    source = toy_source(server, TOY)
    place = get(source, folder=tmp_path)
    assert place == tmp_path / "toy" and [path.name for path in place.iterdir()] == ["toy"]
    assert (place / "toy" / "a.txt").read_bytes() == CONTENT and (place / "toy/deep/b.txt").read_bytes() == b"b"
    assert server.asked == [("/toy.zip", None)]
    get(source, folder=tmp_path)
    assert len(server.asked) == 1


def test_a_broken_transfer_goes_on_where_it_stopped(server, tmp_path):
    server.breaks = [True, True]
    get(toy_source(server, TOY), folder=tmp_path)
    assert server.asked == [("/toy.zip", None), ("/toy.zip", 1000), ("/toy.zip", 2000)]
    assert (tmp_path / "toy/toy/a.txt").read_bytes() == CONTENT


def test_what_arrived_before_all_tries_failed_is_kept_for_the_next_call(server, tmp_path):
    source, server.breaks = toy_source(server, TOY), [True] * 3
    with pytest.raises(ConnectionError, match=r"ended after 3000 of .*The 3000 bytes that arrived are kept"):
        get(source, folder=tmp_path)
    get(source, folder=tmp_path)
    assert server.asked[-1] == ("/toy.zip", 3000)


def test_a_server_without_ranges_sends_everything_again(server, tmp_path):
    server.ranges, server.breaks = False, [True]
    get(toy_source(server, TOY), folder=tmp_path)
    assert server.asked == [("/toy.zip", None), ("/toy.zip", 1000)]
    assert (tmp_path / "toy/toy/a.txt").read_bytes() == CONTENT


def test_a_server_that_goes_on_elsewhere_is_asked_for_everything(server, tmp_path):
    server.shift, server.breaks = 1, [True]
    get(toy_source(server, TOY), folder=tmp_path)
    assert [start for _, start in server.asked] == [None, 1000, None]


def test_a_complete_part_needs_no_byte_more(server, tmp_path):
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy/toy.zip.partial").write_bytes(TOY)
    get(toy_source(server, TOY), folder=tmp_path)
    assert server.asked == [("/toy.zip", len(TOY))]


def test_a_part_of_another_file_is_fetched_once_more_as_a_whole(server, tmp_path):
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy/toy.zip.partial").write_bytes(b"x" * 700)
    get(toy_source(server, TOY), folder=tmp_path)
    assert [start for _, start in server.asked] == [700, None]


def test_the_next_address_is_tried_where_one_fails_or_has_another_file(server, tmp_path):
    server.files["/wrong.zip"] = TOY[:-1]
    get(toy_source(server, TOY, paths=("/missing.zip", "/wrong.zip", "/toy.zip")), folder=tmp_path)
    assert server.asked == [("/missing.zip", None), ("/wrong.zip", None), ("/toy.zip", None)]


def test_a_wrong_checksum_is_an_error_and_leaves_nothing(server, tmp_path):
    source = toy_source(server, TOY, checksum="md5:" + "0" * 32)
    with pytest.raises(
        ValueError, match=rf"must have the checksum md5:000.*{len(TOY)} bytes with md5:.*try again later"
    ):
        get(source, folder=tmp_path)
    assert list((tmp_path / "toy").iterdir()) == [] and len(server.asked) == 1


def test_sha256_proves_a_file_as_well(server, tmp_path):
    get(toy_source(server, TOY, checksum="sha256:" + hashlib.sha256(TOY).hexdigest()), folder=tmp_path)
    assert (tmp_path / "toy/toy/a.txt").is_file()


def test_no_address_that_answers_is_an_error_with_every_reason(server, tmp_path):
    source = toy_source(server, TOY, paths=("/a.zip", "/b.zip"))
    server.files.clear()
    with pytest.raises(ConnectionError, match=r"one of 2 addresses.*/a\.zip gave HTTPError.*404.*/b\.zip gave"):
        get(source, folder=tmp_path)
    assert len(server.asked) == 2 * downloads.ROUNDS


def test_an_archive_put_there_by_hand_is_used_and_a_wrong_one_is_left_to_its_owner(server, tmp_path):
    source = toy_source(server, TOY)
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy/toy.zip").write_bytes(TOY[:-1])
    with pytest.raises(ValueError, match=r"toy\.zip must have the checksum md5:.*Delete it and try again"):
        get(source, folder=tmp_path)
    (tmp_path / "toy/toy.zip").write_bytes(TOY)
    get(source, folder=tmp_path)
    assert server.asked == [] and (tmp_path / "toy/toy/a.txt").is_file()


@pytest.mark.parametrize("name", ["../evil.txt", "toy/../../evil.txt", "/tmp/evil.txt", "..\\evil.txt"])
def test_a_zip_that_reaches_outside_its_folder_is_refused(server, tmp_path, name):
    source = toy_source(server, zipped({"toy/a.txt": b"a", name: b"evil"}))
    with pytest.raises(ValueError, match=r"must write inside its folder only\. Got the name .*evil"):
        get(source, folder=tmp_path)
    assert not list(tmp_path.rglob("evil*")) and not (tmp_path / "toy/toy").exists()


def tarred(entries):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for name, content in entries:
            member = tarfile.TarInfo(name)
            if content is None:
                member.type, member.linkname = tarfile.SYMTYPE, "/etc"
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return raw.getvalue()


def test_links_in_a_tar_are_passed_over_and_ways_out_refused(server, tmp_path):
    good = tarred([("toy/a.txt", b"a"), ("toy/link", None)])
    get(toy_source(server, good, name="toy.tar.gz"), folder=tmp_path)
    assert [path.name for path in (tmp_path / "toy/toy").iterdir()] == ["a.txt"]
    server.files.clear()
    with pytest.raises(ValueError, match="must write inside its folder only"):
        get(toy_source(server, tarred([("../evil.txt", b"")]), name="toy.tar.gz"), folder=tmp_path / "other")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"no zip", "must be a whole archive"),
        (TOY[: len(TOY) // 2], "must be a whole archive"),
        (zipped({"b/a.txt": b"a"}), r"must hold toy. Got \['b'\]"),
    ],
)
def test_an_archive_that_is_damaged_or_holds_something_else_is_refused(server, tmp_path, raw, message):
    with pytest.raises(ValueError, match=message):
        get(toy_source(server, raw), folder=tmp_path)
    assert [path.name for path in (tmp_path / "toy").iterdir()] == ["toy.zip"]


def test_an_unknown_name_gets_the_near_ones():
    with pytest.raises(ValueError, match=r"Got 'nmist'\. Did you mean nmnist"):
        get("nmist")


def test_data_are_kept_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("MEMSIM_DATA", str(tmp_path / "a"))
    assert ms.data.data_folder() == tmp_path / "a" and ms.data.data_folder("b").name == "b"
    monkeypatch.delenv("MEMSIM_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "c"))
    assert ms.data.data_folder() == tmp_path / "c" / "memsim" / "data"


def test_a_folder_that_cannot_be_written_is_named():
    with pytest.raises(OSError, match=r"data folder must be writable\. Got /dev/null/shd"):
        get("shd", folder="/dev/null")


def test_every_source_has_a_reader_and_checksums_of_the_right_length():
    for name, source in ms.data.sources().items():
        assert callable(getattr(ms.data, name)) and source.licence and source.citation
        for archive in source.archives:
            assert re.fullmatch(r"md5:[0-9a-f]{32}", archive.checksum)
            assert all(url.startswith("https://") for url in archive.urls)


@pytest.mark.parametrize("name", ["shd", "ssc", "nmnist", "dvs_gesture", "rram_relaxation"])
def test_a_data_set_that_was_not_fetched_names_the_command(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=rf"Run `memsim data get {name} --folder .*`"):
        getattr(ms.data, name)(folder=tmp_path)


# --- from the server to a training set ---


def serve(server, monkeypatch, name, archives):
    """Replaces the registry by one whose `name` comes from the test's server."""
    served = []
    for index, (holds, raw) in enumerate(archives.items()):
        path = f"/{index}.zip"
        server.files[path] = raw
        served.append(Archive(f"{index}.zip", (server.url + path,), md5(raw), holds))
    monkeypatch.setattr(getting, "SOURCES", (Source(name, "small", tuple(served), "CC BY 4.0", "nobody"),))


def random_events(number, size, seed):
    draw = np.random.default_rng(seed)
    t = np.sort(draw.integers(0, 300_000, number))
    x, y = draw.integers(0, size[0], number), draw.integers(0, size[1], number)
    return event_array(t, x, y, draw.integers(0, 2, number))


def spike_archive(folder, name, labels, seed):
    recordings = [random_events(60 + k, (700, 1), seed + k) for k in range(len(labels))]
    write_spikes(folder / name, recordings, np.array(labels), ("zero", "eins"))
    return zipped({name: (folder / name).read_bytes()})


def test_shd_comes_from_the_command_line_to_binned_splits(server, tmp_path, monkeypatch, capsys):
    train = spike_archive(tmp_path, "shd_train.h5", [0, 1] * 10, 0)
    test = spike_archive(tmp_path, "shd_test.h5", [1, 0, 1], 100)
    serve(server, monkeypatch, "shd", {"shd_train.h5": train, "shd_test.h5": test})
    assert main(["data", "get", "shd", "--folder", str(tmp_path / "data")]) == 0
    assert "shd is in" in capsys.readouterr().out
    splits = ms.data.shd(Binning(0.01, 25), channels=70, folder=tmp_path / "data")
    assert [part.inputs.shape for part in (splits.train, splits.validation, splits.test)] == [
        (18, 25, 70),
        (2, 25, 70),
        (3, 25, 70),
    ]
    assert np.bincount(splits.validation.labels).tolist() == [1, 1] and splits.test.labels.tolist() == [1, 0, 1]
    assert splits.test.class_names == ("zero", "eins")
    for k, events in enumerate(ms.data.SpikeFile(tmp_path / "data/shd/shd_test.h5").recordings()):
        ones = to_frames(events, (700,), Binning(0.01, 25), polarity="merged")
        assert np.array_equal(splits.test.inputs[k], ones.reshape(25, 70, 10).sum(2))
        assert splits.test.frames[k] == events["t"][-1] // 10_000 + 1


def test_ssc_keeps_its_published_validation_set(server, tmp_path, monkeypatch):
    parts = {"train": [0, 1], "valid": [1], "test": [0, 0, 1]}
    archives = {f"ssc_{p}.h5": spike_archive(tmp_path, f"ssc_{p}.h5", labels, 0) for p, labels in parts.items()}
    serve(server, monkeypatch, "ssc", archives)
    get("ssc", folder=tmp_path)
    splits = ms.data.ssc(folder=tmp_path, dtype=np.uint8)
    assert [part.labels.tolist() for part in (splits.train, splits.validation, splits.test)] == list(parts.values())
    assert splits.train.inputs.dtype == np.uint8 and splits.train.inputs.shape == (2, 100, 128)


def test_nmnist_comes_as_images_of_both_polarities(server, tmp_path, monkeypatch):
    archives, last = {}, None
    for part, number in (("Train", 4), ("Test", 1)):
        files = {}
        for digit in range(10):
            for index in range(number):
                last = random_events(50, (34, 34), 10 * digit + index)
                write_events(tmp_path / "one.bin", last, size=(34, 34))
                files[f"{part}/{digit}/{index:05}.bin"] = (tmp_path / "one.bin").read_bytes()
        archives[part] = zipped(files)
    serve(server, monkeypatch, "nmnist", archives)
    get("nmnist", folder=tmp_path)
    splits = ms.data.nmnist(folder=tmp_path)
    assert splits.train.inputs.shape == (30, 10, 2, 34, 34) and splits.validation.labels.tolist() == list(range(10))
    assert np.array_equal(splits.test.inputs[9], to_frames(last, (34, 34), Binning(31e-3, 10)))
    assert splits.flattened().test.inputs.shape == (10, 10, 2 * 34 * 34)


def test_gestures_count_their_time_from_the_first_event(server, tmp_path, monkeypatch):
    archives = {}
    for part in ("ibmGestureTrain", "ibmGestureTest"):
        files = {}
        for user in ("user01_led", "user02_lab"):
            raw = io.BytesIO()
            np.save(raw, np.array([[127, 0, 1, 7000.25], [0, 127, 0, 7100.0]]))  # x, y, p, milliseconds
            files[f"{part}/{user}/3.npy"] = raw.getvalue()
        archives[part] = zipped(files)
    serve(server, monkeypatch, "dvs_gesture", archives)
    get("dvs_gesture", folder=tmp_path)
    splits = ms.data.dvs_gesture(folder=tmp_path)
    assert splits.train.inputs.shape == (1, 60, 2, 32, 32) and len(splits.test) == 2
    assert splits.test.class_names[splits.test.labels[0]] == "right arm clockwise"
    # 99.75 ms is before the second step of 100 ms.
    assert np.argwhere(splits.test.inputs[0]).tolist() == [[0, 0, 31, 0], [0, 1, 0, 31]]
    (tmp_path / "dvs_gesture/ibmGestureTest/user01_led/3.npy").write_bytes(b"")
    with pytest.raises(ValueError, match=r"3\.npy must be a whole \.npy file"):
        ms.data.dvs_gesture(folder=tmp_path)


def test_relaxation_comes_as_one_row_a_cell(server, tmp_path, monkeypatch):
    relaxed = [
        (cell, t, 1e5, (10 + cell + k) * 1e-6, (10 + cell) * 1e-6, 8, t)
        for k, t in enumerate((0.0, 1.0, 4.0))
        for cell in (7, 2)
    ]
    baked = [
        (cell, t, 1e5, (100 + cell + t) * 1e-6, celsius) for celsius in (100, 140) for t in (0, 50) for cell in (1, 2)
    ]
    tables = {
        "C_relaxdata.min": relaxed[:-1],
        "B_relaxdata_10k.min": [(1, 0.0, 1e5, 1e-5, 1e-5, 40, 0.0)],
        "A_bake": baked,
    }
    served = []
    for name, rows in tables.items():
        packed = gzip.compress("\n".join("\t".join(map(repr, map(float, row))) for row in rows).encode())
        server.files[f"/{name}.tsv.gz"] = packed
        served.append(Archive(f"tech{name}.tsv.gz", (f"{server.url}/{name}.tsv.gz",), md5(packed), f"tech{name}.tsv"))
    monkeypatch.setattr(getting, "SOURCES", (Source("rram_relaxation", "small", tuple(served), "MIT", "nobody"),))
    get("rram_relaxation", folder=tmp_path)
    found = ms.data.rram_relaxation("C", folder=tmp_path)
    np.testing.assert_allclose(found.conductances, 1e-6 * np.array([[12, 13, np.nan], [17, 18, 19]]), rtol=1e-12)
    np.testing.assert_allclose(found.targets, 8.5 * 40e-6 / 32)
    assert found.times.tolist() == [0, 1, 4] and len(found.complete().targets) == 1
    assert len(ms.data.rram_relaxation("B", folder=tmp_path).targets) == 0  # beyond the highest of 32 levels
    bake = ms.data.rram_relaxation("A", temperature=413.15, folder=tmp_path)
    np.testing.assert_allclose(bake.conductances, 1e-6 * np.array([[101, 151], [102, 152]]), rtol=1e-12)
    with pytest.raises(ValueError, match="Degrees Celsius"):
        ms.data.rram_relaxation("A", temperature=140.0, folder=tmp_path)
    (tmp_path / "rram_relaxation" / "techC_relaxdata.min.tsv").write_text("1\t2\n")
    with pytest.raises(ValueError, match="must be the published table"):
        ms.data.rram_relaxation("C", folder=tmp_path)
