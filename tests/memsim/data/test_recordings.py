"""Recordings of events keep every event in every format, and damaged ones are refused."""

import struct
import sys

import numpy as np
import pytest

from memsim.data import SpikeFile, event_array, read_events, write_events, write_spikes

SIZE = (34, 28)
OWN = (".bin", ".aedat", ".dat", ".raw", ".npy", ".csv", ".RAW")  # read and written without faery


def random_events(number, *, size=SIZE, seed=0):
    draw = np.random.default_rng(seed)
    t = np.sort(draw.integers(0, 1_000_000, number))
    x, y = draw.integers(0, size[0], number), draw.integers(0, size[1], number)
    return event_array(t, x, y, draw.integers(0, 2, number))


def write(file, events):
    if file.suffix not in OWN:
        pytest.importorskip("faery")
    write_events(file, events, size=SIZE)


@pytest.mark.parametrize("ending", [*OWN, ".aedat4"])
def test_a_recording_is_read_as_it_was_written(tmp_path, ending):
    events = random_events(6000)
    write(tmp_path / f"a{ending}", events)
    assert np.array_equal(read_events(tmp_path / f"a{ending}", size=SIZE), events)


def test_atis_bytes_are_those_of_the_published_layout(tmp_path):
    # As the authors of N-MNIST describe it: x, y, then 1 bit polarity and 23 bits time, highest byte first.
    (tmp_path / "a.bin").write_bytes(bytes([3, 5, 0x81, 0x02, 0x03, 7, 9, 0x01, 0x02, 0x04]))
    assert read_events(tmp_path / "a.bin").tolist() == [(0x010203, 3, 5, 1), (0x010204, 7, 9, 0)]


def test_each_overflow_mark_adds_8192_microseconds_to_what_follows(tmp_path):
    mark, events = bytes([0, 240, 0, 0, 0]), [bytes([i, i, 0, 0, t]) for i, t in ((1, 9), (2, 1), (3, 0))]
    (tmp_path / "a.bin").write_bytes(events[0] + mark + events[1] + mark + events[2])
    assert read_events(tmp_path / "a.bin")["t"].tolist() == [9, 8192 + 1, 2 * 8192]


@pytest.mark.parametrize(
    ("ending", "late"), [(".bin", [2**23 + 8191, 2**23 + 8192, 40_000_000]), (".aedat", [2**31 - 1, 2**31, 2**33 + 5])]
)
def test_times_beyond_the_bits_of_the_format_survive(tmp_path, ending, late):
    events = event_array(np.array([0, 2**23 - 1, 2**23, *late]), np.arange(6))
    write(tmp_path / f"a{ending}", events)
    assert np.array_equal(read_events(tmp_path / f"a{ending}"), events)


def test_a_recording_out_of_order_is_sorted_and_equal_times_keep_their_order(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"".join(bytes([x, 0, 0, 0, t]) for x, t in ((1, 9), (2, 3), (3, 9))))
    assert read_events(tmp_path / "a.bin")[["t", "x"]].tolist() == [(3, 2), (9, 1), (9, 3)]


def aedat3_file(*packets):
    """Of packets (type, time overflow, words), as IBM describes the files of DVS-Gesture."""
    file = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#!END-HEADER\r\n"
    for kind, overflow, words in packets:
        number = len(words) // 2
        file += struct.pack("<hhiiiiii", kind, 0, 8, 4, overflow, number, number, number)
        file += struct.pack(f"<{len(words)}I", *words)
    return file


def test_aedat_3_takes_valid_polarity_events_only(tmp_path):
    # x from bit 17, y from bit 2, polarity bit 1; bit 0 marks a valid event.
    good, taken_back = 5 << 17 | 9 << 2 | 1 << 1 | 1, 6 << 17 | 9 << 2
    packets = (0, 0, [1, 3]), (1, 0, [good, 70, taken_back, 71]), (1, 1, [good, 1])
    (tmp_path / "a.aedat").write_bytes(aedat3_file(*packets))
    assert read_events(tmp_path / "a.aedat").tolist() == [(70, 5, 9, 1), (2**31 + 1, 5, 9, 1)]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.bin", b"", "Got 0 bytes"),
        ("a.bin", b"123456", "Got 6 bytes"),
        ("a.aedat", b"", "must start with #!AER-DAT3.1"),
        ("a.aedat", b"#!AER-DAT4.0\r\n", "AEDAT 4 must end in .aedat4"),
        ("a.aedat", b"#!AER-DAT3.1\r\n#Format: RAW", "Got the end of the file"),
        ("a.aedat", b"#!AER-DAT3.1\r\n\x01\x00", "without # at byte 14"),
        ("a.aedat", aedat3_file((1, 0, [1, 2]))[:-1], "Got 7 of 8 bytes"),
        ("a.aedat", aedat3_file((1, 0, [1, 2])) + b"1234", "Got 4 bytes of a header"),
        ("a.aedat", aedat3_file((1, 0, [])).replace(struct.pack("<i", 8), struct.pack("<i", 6)), "Got size 6"),
    ],
)
def test_damaged_recordings_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"(?s){name} must be a whole.*{message}"):
        read_events(tmp_path / name)


@pytest.mark.parametrize("ending", [".aedat4", ".dat", ".raw"])
@pytest.mark.parametrize("damage", ["empty", "nonsense", "cut"])
def test_damaged_recordings_of_other_cameras_are_refused(tmp_path, ending, damage):
    file = tmp_path / f"a{ending}"
    write(file, random_events(500))
    raw = file.read_bytes()
    # Within an event; at the end of an AEDAT 4 file is a table that nobody needs.
    cut = raw[: len(raw) // 2] if ending == ".aedat4" else raw[:-3]
    file.write_bytes({"empty": b"", "nonsense": b"nonsense" * 9, "cut": cut}[damage])
    with pytest.raises(ValueError, match=f"must be a whole {ending} recording"):
        read_events(file)


def test_an_unknown_ending_a_missing_file_and_a_foreign_pixel_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"must end in one of \.bin, .*Got a\.txt"):
        read_events(tmp_path / "a.txt")
    with pytest.raises(FileNotFoundError, match=r"none at .*nowhere\.bin"):
        read_events(tmp_path / "nowhere.bin")
    write(tmp_path / "a.bin", random_events(9))
    with pytest.raises(ValueError, match=r"a\.bin must be a whole.*`x` must hold whole numbers from 0 to 1"):
        read_events(tmp_path / "a.bin", size=(2, 2))


@pytest.mark.parametrize("size", [(300, 10), (10, 300), (10, 241)])
def test_events_that_do_not_fit_the_format_are_refused(tmp_path, size):
    last = event_array(np.array([0]), np.array([size[0] - 1]), np.array([size[1] - 1]))
    with pytest.raises(ValueError, match=r"at most 255.*Choose another format"):
        write_events(tmp_path / "a.bin", last, size=size)


def test_a_missing_reader_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "faery", None)
    (tmp_path / "a.aedat4").write_bytes(b"#!AER-DAT4.0")
    with pytest.raises(ImportError, match=r"pip install 'memsim\[events\]'"):
        read_events(tmp_path / "a.aedat4")


def test_a_spike_file_gives_back_what_was_written(tmp_path):
    recordings = [random_events(n, size=(700, 1), seed=n) for n in (40, 1, 0, 500)]
    write_spikes(tmp_path / "a.h5", recordings, np.array([1, 0, 1, 1]), ("null", "eins"))
    file = SpikeFile(tmp_path / "a.h5")
    assert file.labels().tolist() == [1, 0, 1, 1] and file.class_names() == ("null", "eins")
    for read, written in zip(file.recordings(), recordings, strict=True):
        assert np.array_equal(read["x"], written["x"])
        float16_seconds = (written["t"] * 1e-6).astype(np.float16)
        assert np.array_equal(read["t"], np.round(float16_seconds.astype(float) * 1e6))
    assert [len(events) for events in file.recordings([3, 0])] == [500, 40]
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]


@pytest.mark.parametrize("damage", [lambda raw: b"", lambda raw: b"no HDF5", lambda raw: raw[: len(raw) // 2]])
def test_a_damaged_spike_file_is_refused(tmp_path, damage):
    path = tmp_path / "a.h5"
    write_spikes(path, [random_events(99, size=(700, 1))], np.array([0]), ("one",))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"a\.h5 must be a whole HDF5 file"):
        list(SpikeFile(path).recordings())


def test_another_hdf5_file_and_a_missing_one_are_named(tmp_path):
    import h5py

    h5py.File(tmp_path / "other.h5", "w").close()
    with pytest.raises(ValueError, match=r"other\.h5 must be a whole HDF5 file with spikes/times"):
        list(SpikeFile(tmp_path / "other.h5").recordings())
    with pytest.raises(FileNotFoundError, match=r"none at .*nowhere\.h5"):
        SpikeFile(tmp_path / "nowhere.h5")


def test_a_spike_file_with_a_channel_too_many_names_the_recording(tmp_path):
    recordings = [random_events(9, size=(700, 1)), event_array(np.array([0]), np.array([700]))]
    write_spikes(tmp_path / "a.h5", recordings, np.array([0, 0]), ("one",))
    with pytest.raises(ValueError, match="in recording 1: `x` must hold whole numbers from 0 to 699"):
        list(SpikeFile(tmp_path / "a.h5").recordings())
