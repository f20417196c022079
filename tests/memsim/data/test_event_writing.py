"""Event recordings that memsim writes read back unchanged, or are refused before the old file is touched."""

import os
from pathlib import Path

import numpy as np
import pytest

from helpers import slow
from memsim.data import event_array, read_events, write_events

GOLDEN = Path(__file__).parents[2] / "data" / "events"
ENCODINGS = [("a.raw", "evt3"), ("a.raw", "evt2"), ("a.raw", "evt2.1"), ("a.dat", "evt3"), ("a.es", "evt3")]


@pytest.mark.parametrize(
    ("name", "encoding"),
    [*ENCODINGS[:4], slow(*ENCODINGS[4]), ("a.aedat", "evt3"), ("a.npy", "evt3"), ("a.csv", "evt3")],
)
def test_times_of_more_than_a_turn_read_back(tmp_path, name, encoding):
    t = np.array([1, 20_000_000, 40_000_000])
    for times in (t, np.array([17_000_000]), t + 2**24 - 2, np.array([0, 0, 4095, 4096, 2**24 - 1, 2**24, 2**32 - 1])):
        events = event_array(times, np.arange(len(times)), np.arange(len(times)))
        write_events(tmp_path / name, events, size=(128, 96), encoding=encoding)
        assert np.array_equal(read_events(tmp_path / name, size=(128, 96)), events)


@pytest.mark.parametrize(("name", "encoding"), [*ENCODINGS, ("a.bin", "evt3")])
@pytest.mark.parametrize("seconds", [60, 7200])
def test_recordings_of_a_minute_and_of_two_hours_read_back_or_are_refused(tmp_path, name, encoding, seconds):
    share = 1 / 60 if name == "a.es" else 1.0  # a byte for each 127 microseconds, and no turn of a clock
    t = np.linspace(0, share * seconds * 1e6, 4000).astype(np.int64)
    events = event_array(t, np.arange(4000) % 200, np.arange(4000) % 90, np.arange(4000) % 2)
    if name == "a.dat" and seconds > 4295:
        with pytest.raises(ValueError, match=r"t below 2\*\*32"):
            write_events(tmp_path / name, events, size=(200, 90))
        return
    write_events(tmp_path / name, events, size=(200, 90), encoding=encoding)
    assert np.array_equal(read_events(tmp_path / name, size=(200, 90)), events)


@pytest.mark.parametrize("ending", ["evt2.raw", "evt3.raw", "dat", "es"])
def test_files_that_others_wrote_hold_what_they_put_in(ending):
    """3000 events written by expelliarmus 1.1.12, faery 0.7.1 and event-stream 1.6.3, as tests/data/events says."""
    with np.load(GOLDEN / "events_0.npz") as truth:
        wanted = {name: truth[name] for name in "txyp"}
    found = read_events(GOLDEN / f"events_0.{ending}", size=(640, 480))
    for name, values in wanted.items():
        assert np.array_equal(found[name].astype(int), values.astype(int))


@pytest.mark.parametrize("seed", [0, slow(1), slow(2)])
@pytest.mark.parametrize(
    ("name", "encoding", "size", "end"),
    [
        ("a.raw", "evt3", (2048, 2048), 2**26),
        ("a.raw", "evt2", (2048, 2048), 2**34),
        ("a.RAW", "evt2.1", (2048, 2048), 2**34),
        ("a.dat", "evt3", (2**14, 2**14), 2**32),
        ("a.bin", "evt3", (256, 240), 2**26),
        ("a.es", "evt3", (2**16 - 1, 2**16 - 1), 2**30),
        ("a.aedat", "evt3", (2**15, 2**15), 2**45),
        ("a.npy", "evt3", (2**16, 2**16), 2**63),
        ("a.csv", "evt3", (2**16, 2**16), 2**63),
    ],
)
def test_any_events_within_the_limits_of_a_format_read_back(tmp_path, name, encoding, size, end, seed):
    draw = np.random.default_rng(seed)
    t = np.sort(draw.integers(0, end, 300))
    t[100:200] = t[100]  # many at one time, in their order
    t[-1] = end - 1
    x, y = (draw.integers(0, extent, 300) for extent in size)
    x[-1], y[-1] = size[0] - 1, size[1] - 1
    events = event_array(np.sort(t), x, y, draw.integers(0, 2, 300), size=size)
    write_events(tmp_path / name, events, size=size, encoding=encoding)
    assert np.array_equal(read_events(tmp_path / name, size=size), events)


ONE = {"t": [0], "x": [1], "y": [2]}


@pytest.mark.parametrize(
    ("name", "change", "size", "settings", "message"),
    [
        ("a.raw", {}, (5000, 10), {}, "at most 2048"),
        ("a.raw", {}, (10, 2049), {"encoding": "evt2"}, "at most 2048"),
        ("a.raw", {"t": [2**36]}, (10, 10), {}, r"t below 2\*\*36"),
        ("a.raw", {"t": [2**34]}, (10, 10), {"encoding": "evt2"}, r"t below 2\*\*34"),
        ("a.raw", {"t": [2**34]}, (10, 10), {"encoding": "evt2.1"}, r"t below 2\*\*34"),
        ("a.raw", {name: [] for name in "txy"}, (10, 10), {}, "at least one event.*Got 0"),
        ("a.dat", {"t": [5_000_000_000]}, (640, 480), {}, r"t below 2\*\*32.*5000000000"),
        ("a.dat", {}, (16385, 10), {}, "at most 16384"),
        ("a.bin", {"t": [2**36]}, (10, 10), {}, r"t must be below 2\*\*36"),
        ("a.aedat", {"t": [2**62]}, (10, 10), {}, r"t below 2\*\*62"),
        ("a.aedat", {"x": [2**15]}, (2**16, 10), {}, r"x and y must be below 2\*\*15"),
        ("a.dat", {name: [] for name in "txy"}, (10, 10), {}, "no events"),
        ("a.raw", {"x": [10]}, (10, 10), {}, "`x` must hold whole numbers from 0 to 9"),
        ("a.raw", {}, (10, 10), {"encoding": "EVT3"}, "`encoding` must be"),
        ("a.dat", {}, (10, 10), {"encoding": "evt2"}, r"with an `encoding` as \.raw"),
        ("a.h5", {}, (10, 10), {}, r"can be written with the endings \.bin, .*Got a\.h5"),
        ("a.raw", {}, (10.0, 10), {}, "`size` must be a tuple"),
        ("a.raw", {}, None, {}, "`size` must be a tuple"),
        ("a.raw", {}, (10, 10, 2), {}, r"`size` must be \(width, height\)"),
        ("a.raw", {}, (0, 10), {}, r"`size` must be \(width, height\)"),
    ],
)
def test_events_that_a_format_cannot_hold_are_refused_and_the_old_file_stays(
    tmp_path, unchecked, name, change, size, settings, message
):
    (tmp_path / name).write_bytes(b"old")
    with pytest.raises(ValueError, match=message):
        write_events(tmp_path / name, event_array(**{**ONE, **change}), size=size, **settings)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(name, b"old")]


@pytest.mark.parametrize("ending", [".raw", ".dat", ".npy", ".csv", ".aedat", ".bin"])
def test_a_recording_is_written_whole_or_not_at_all(tmp_path, monkeypatch, ending):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    file = tmp_path / f"a{ending}"
    file.write_bytes(b"old")
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_events(str(file), event_array(**ONE), size=(10, 10))
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(file.name, b"old")]


@pytest.mark.parametrize("events", [[1], [(0, 1, 2, 1)], np.zeros(3)])
def test_what_is_no_events_is_to_be_built_as_events(tmp_path, unchecked, events):
    with pytest.raises(ValueError, match="`event_array\\(t, x, y, p\\)`") as error:
        write_events(tmp_path / "a.raw", events, size=(10, 10))
    assert "asarray" not in str(error.value) and not list(tmp_path.iterdir())


def test_a_path_is_text_or_a_path_and_nothing_else(tmp_path, unchecked):
    write_events(str(tmp_path / "a.raw"), event_array(**ONE), size=(10, 10))
    assert read_events(str(tmp_path / "a.raw")).tolist() == [(0, 1, 2, 1)]
    for wrong in (3, None, b"a.raw"):
        with pytest.raises(ValueError, match="`file` must be a Path or text"):
            read_events(wrong)
