"""A file is written whole or not at all: through errors, kills, full disks, and other processes that write it, too."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

import device_models as dm
from device_models._files import as_path, is_running, probe, written_whole
from device_models.fit import load_device, save_device

ROOT = Path(__file__).parents[3]


def process(code, *arguments, **settings):
    """A Python process that runs `code`."""
    words = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, **settings)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_is_there_and_nothing_else(tmp_path):
    with written_whole(str(tmp_path / "deep" / "x.txt")) as partial:
        partial.write_text("new")
        assert not (tmp_path / "deep" / "x.txt").exists()
    assert (tmp_path / "deep" / "x.txt").read_text() == "new" and names(tmp_path / "deep") == ["x.txt"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError])
def test_an_error_leaves_the_old_file(tmp_path, error):
    path = tmp_path / "x.txt"
    path.write_text("old")
    with pytest.raises(error, match="by hand"), written_whole(path) as partial:
        partial.write_text("half")
        raise error("by hand")
    assert path.read_text() == "old" and names(tmp_path) == ["x.txt"]


def test_a_link_stays_a_link_and_a_file_keeps_its_mode(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "real.txt").chmod(0o640)
    (tmp_path / "link.txt").symlink_to("real.txt")
    with written_whole(tmp_path / "link.txt") as partial:
        partial.write_text("new")
    assert (tmp_path / "link.txt").is_symlink() and (tmp_path / "real.txt").read_text() == "new"
    assert (tmp_path / "real.txt").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("write", [lambda path: written_whole(path).__enter__(), probe])
def test_a_place_that_cannot_be_written_is_named(tmp_path, write):
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "below" / "x", Path("/proc/nowhere/x")):
        with pytest.raises(OSError, match="to write to must be"):
            write(path)
    assert names(tmp_path) == ["file"]


def test_a_path_is_text_or_a_path(unchecked):
    assert as_path("a/b") == Path("a/b")
    with pytest.raises(TypeError, match="must be text or a `Path`"):
        as_path(3)


LIMITED = """
import resource, sys
from pathlib import Path
sys.path.insert(0, ".")
from device_models._files import probe, written_whole
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
path = Path(sys.argv[1])
for write in (lambda: probe(path, b"x" * 2000), lambda: written_whole(path).__enter__().write_bytes(b"x" * 999)):
    try:
        write()
    except OSError as error:
        print(error)
try:
    with written_whole(path) as partial:
        partial.write_bytes(b"x" * 2000)
except OSError as error:
    print(error)
"""


def test_a_full_disk_leaves_the_old_file_and_says_so(tmp_path):
    (tmp_path / "x").write_text("old")
    out, error = process(LIMITED, tmp_path / "x").communicate(timeout=120)
    assert error == "" and len(out.splitlines()) == 2
    assert "space for 2000 bytes" in out and "File too large" in out and "as it was before" in out
    assert (tmp_path / "x").read_text() == "old"


def test_a_kill_leaves_the_old_file_and_what_it_left_goes_with_the_next_write(tmp_path):
    path = tmp_path / "x"
    path.write_text("old")
    code = """
    import sys, time
    from device_models._files import written_whole
    with written_whole(sys.argv[1]) as partial:
        partial.write_text("half")
        print("writing", flush=True)
        time.sleep(600)
    """
    child = process(code, path)
    assert child.stdout.readline() == "writing\n"
    with written_whole(path) as partial:  # what a live process writes stays
        partial.write_text("mine")
    assert len(names(tmp_path)) == 2
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=60)
    assert path.read_text() == "mine" and not is_running(child.pid)
    (left,) = (file for file in tmp_path.iterdir() if file != path)
    os.utime(left, (time.time() - 3600,) * 2)
    with written_whole(path) as partial:
        partial.write_text("new")
    assert path.read_text() == "new" and names(tmp_path) == ["x"]


def test_many_writers_of_one_file_leave_one_whole_version(tmp_path):
    path, seen = tmp_path / "x", set()
    versions = [bytes([65 + i]) * 200_000 for i in range(6)]

    def write(version):
        for _ in range(10):
            with written_whole(path) as partial:
                partial.write_bytes(version)

    writers = [threading.Thread(target=write, args=(version,)) for version in versions]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        if path.exists():
            seen.add(path.read_bytes())
    assert seen <= set(versions) and path.read_bytes() in versions and names(tmp_path) == ["x"]


def test_a_device_file_survives_a_write_that_fails(tmp_path, monkeypatch):
    path = tmp_path / "device.json"
    save_device(path, dm.Ideal(), provenance={})

    def full(self, text, **settings):
        with open(self, "w") as file:
            file.write(text[: len(text) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        save_device(path, dm.pcm_joshi2020(), provenance={})
    assert load_device(path) == dm.Ideal() and names(tmp_path) == ["device.json"]
