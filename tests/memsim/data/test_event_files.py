"""Files of event cameras are read by their published layouts, here written word by word.

Layouts: docs.prophesee.ai, "Event encoding formats" and "File formats"; for AEDAT 2.0 jAER's DVS128 and
DavisBaseCamera.
"""

import struct

import numpy as np
import pytest

import memsim.data._formats._evt3 as evt3
from memsim.data import read_events

ROW, SINGLE, BASE, VECTOR_12, VECTOR_8, LOW, HIGH = (code << 12 for code in (0, 2, 3, 4, 5, 6, 8))
TRIGGER, CONTINUED_4, OTHERS, CONTINUED_12 = (code << 12 for code in (10, 7, 14, 15))
ON = 1 << 11


def raw_file(path, version, words, dtype, *, more=""):
    header = f"% date 2026-11-29\n% evt {version}\n{more}% geometry 640x480\n% end\n"
    path.write_bytes(header.encode() + np.array(words, dtype).tobytes())
    return path


def evt3_file(path, words):
    return raw_file(path, "3.0", words, "<u2")


def rows(path):
    return read_events(path).tolist()


def test_evt3_words_set_row_column_polarity_and_time(tmp_path):
    words = [HIGH | 1, LOW | 5, ROW | 300, SINGLE | ON | 600, SINGLE | 7, LOW | 9, SINGLE | 8, ROW | 2, SINGLE | ON | 9]
    assert rows(evt3_file(tmp_path / "a.raw", words)) == [
        (4096 + 5, 600, 300, 1),
        (4096 + 5, 7, 300, 0),
        (4096 + 9, 8, 300, 0),
        (4096 + 9, 9, 2, 1),
    ]


def test_evt3_vectors_set_columns_from_a_base_that_goes_on_behind_them(tmp_path):
    words = [HIGH, LOW | 1, ROW | 4, BASE | ON | 32, VECTOR_12 | 0b100000000001, VECTOR_12 | 0b10, VECTOR_8 | 0xF81]
    found = read_events(evt3_file(tmp_path / "a.raw", [*words, BASE | 5, VECTOR_8 | 1, SINGLE | ON | 1, VECTOR_8 | 1]))
    # 8 bits of a VECTOR_8 count; a single event between vectors leaves their base alone.
    assert found["x"].tolist() == [32, 43, 32 + 12 + 1, 32 + 24, 32 + 24 + 7, 5, 1, 13]
    assert found["p"].tolist() == [1, 1, 1, 1, 1, 0, 1, 0] and set(found["y"].tolist()) == {4}


def test_evt3_words_that_are_no_events_are_passed_over(tmp_path):
    before = [SINGLE | 1, BASE | 1, VECTOR_12 | 1, LOW | 3, ROW | 9, SINGLE | 1, HIGH | 1, LOW | 2]
    others = [TRIGGER | 1, CONTINUED_4 | 5, OTHERS | 0x14, CONTINUED_12 | 0xFFF, CONTINUED_12, CONTINUED_4]
    assert rows(evt3_file(tmp_path / "a.raw", [*before, *others, SINGLE | 3])) == [(4098, 3, 9, 0)]


def test_evt3_low_bits_are_zero_until_they_are_sent_again(tmp_path):
    words = [HIGH, LOW | 4000, ROW, SINGLE | 1, HIGH, SINGLE | 2, HIGH | 1, SINGLE | 3]
    assert read_events(evt3_file(tmp_path / "a.raw", words))["t"].tolist() == [4000, 4000, 4096]


def evt3_words(times, *, repeat):
    """One event at column 3 of row 5 at each time; all high bits, as cameras send them, or changed ones only."""
    sent = -1
    for t in times:
        if repeat:
            yield from (HIGH | high & 0xFFF for high in range(sent + 1, (t >> 12) + 1))
        elif t >> 12 != sent:
            yield HIGH | t >> 12 & 0xFFF
        sent = t >> 12
        yield from (LOW | t & 0xFFF, ROW | 5, SINGLE | ON | 3)


@pytest.mark.parametrize(
    ("times", "repeat"),
    [
        (range(0, 60_000_000, 10_000), False),  # in faery 0.7.1 4322 of these 6000 come out wrong
        (range(0, 60_000_000, 10_000_000), False),
        ([1, 20_000_000, 40_000_000], True),
        ([17_000_000], True),
    ],
)
def test_evt3_clock_that_starts_again_each_16_seconds_is_counted_on(tmp_path, times, repeat):
    found = read_events(evt3_file(tmp_path / "a.raw", list(evt3_words(times, repeat=repeat))))
    assert found["t"].tolist() == list(times)


def test_evt3_decoded_in_short_blocks_is_the_same(tmp_path, monkeypatch):
    draw = np.random.default_rng(0)
    kinds = draw.choice([ROW, SINGLE, BASE, VECTOR_12, VECTOR_8, LOW, HIGH, TRIGGER], 4000)
    # Bases that leave room, so that vectors stay in 11 bits; high bits that rise and start again.
    values = np.where(kinds == BASE, draw.integers(0, 256, 4000) | draw.integers(0, 2, 4000) << 11, 0)
    values = np.where(kinds == HIGH, np.cumsum(kinds == HIGH) * 1500 % 4096, values)
    rest = ~np.isin(kinds, [BASE, HIGH])
    values[rest] = draw.integers(0, 4096, rest.sum())
    file = evt3_file(tmp_path / "a.raw", kinds | values)
    whole = read_events(file)
    for block in (13, 1000):
        monkeypatch.setattr(evt3, "BLOCK", block)
        assert np.array_equal(read_events(file), whole)
    assert len(whole) > 4000 and whole["t"][-1] > 100_000_000


def evt2_word(kind, t, x, y):
    return kind << 28 | (t & 63) << 22 | x << 11 | y


def test_evt2_words_hold_polarity_six_bits_of_time_and_the_place(tmp_path):
    time, trigger = 8 << 28 | 2, 10 << 28 | 1
    words = [evt2_word(0, 1, 1, 1), time, evt2_word(1, 3, 639, 479), trigger, evt2_word(0, 4, 2, 0)]
    file = raw_file(tmp_path / "a.raw", "2.0", words, "<u4")
    assert rows(file) == [(2 * 64 + 3, 639, 479, 1), (2 * 64 + 4, 2, 0, 0)]


def test_evt2_clock_that_starts_again_after_4_8_hours_is_counted_on(tmp_path):
    highs = [2**28 - 1, 0, 1]
    words = [word for high in highs for word in (8 << 28 | high, evt2_word(1, 5, 3, 5))]
    found = read_events(raw_file(tmp_path / "a.raw", "2.0", words, "<u4"))
    assert found["t"].tolist() == [2**34 - 64 + 5, 2**34 + 5, 2**34 + 64 + 5]


@pytest.mark.parametrize("header", ["", "% format EVT21;height=480;width=640;endianness={}\n", "% endianness {}\n"])
@pytest.mark.parametrize("order", ["little", "legacy"])
def test_evt21_words_hold_up_to_32_columns_in_either_order_of_their_halves(tmp_path, header, order):
    heads = [8 << 28 | 7, evt2_word(1, 2, 32, 9), evt2_word(0, 3, 64, 9)]
    valid = [0, 0b1 | 1 << 31, 0b10]
    pairs = [pair if order == "legacy" else pair[::-1] for pair in zip(heads, valid, strict=True)]
    file = raw_file(tmp_path / "a.raw", "2.1", np.ravel(pairs), "<u4", more=header.format(order))
    assert rows(file) == [(450, 32, 9, 1), (450, 63, 9, 1), (451, 65, 9, 0)]


def dat_file(path, kind, events, *, header=b"% Data file containing Event2D events.\n% Version 2\n% Width 304\n"):
    body = b"".join(struct.pack("<II", t, p << 28 | y << 14 | x) for t, x, y, p in events)
    path.write_bytes(header + bytes([kind, 8]) + body)
    return path


@pytest.mark.parametrize("kind", [0, 12])
@pytest.mark.parametrize("header", [b"", b"% Height 240\r\n% Width 304\r\n"])
def test_dat_events_of_both_types_have_one_layout(tmp_path, kind, header):
    events = [(10, 303, 239, 1), (2**32 - 1, 2**14 - 1, 0, 0)]
    assert rows(dat_file(tmp_path / "a.DAT", kind, events, header=header)) == events


def test_dat_clock_that_starts_again_after_71_minutes_is_counted_on(tmp_path):
    file = dat_file(tmp_path / "a.dat", 12, [(2**32 - 2, 1, 1, 1), (3, 1, 1, 1), (1, 1, 1, 1)])
    assert read_events(file)["t"].tolist() == [2**32 - 2, 2**32 + 1, 2**32 + 3]  # the last two were in disorder


def test_the_time_at_which_a_file_says_that_its_clock_began_is_added(tmp_path):
    file = dat_file(tmp_path / "a.dat", 12, [(3, 1, 1, 1)], header=b"% Version 2\n% T0 57\n")
    assert read_events(file)["t"].tolist() == [60]
    words = [HIGH, LOW | 3, ROW, SINGLE]
    assert read_events(raw_file(tmp_path / "a.raw", "3.0", words, "<u2", more="% t0 57\n"))["t"].tolist() == [60]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.raw", b"", "not with a header line"),
        ("a.raw", b"% evt 4.0\n% end\n", "must say evt 2.0, evt 2.1 or evt 3.0. Got evt 4.0"),
        ("a.raw", b"% date today\n% end\n", "Got none of them"),
        ("a.raw", b"% evt 3.0\n% end\nabc", "ends 1 bytes into a word of 2"),
        ("a.raw", b"% evt 2.1\n% end\nabcd", "ends 4 bytes into a word of 8"),
        ("a.raw", b"% evt 3.0\n% end\n", "no events whose time is known, in 0 words"),
        ("a.raw", b"% evt 2.0\n% end\n\x00\x00\x00\x00", "no events whose time is known, in 1 words"),
        ("a.dat", b"", r"Got \(\)"),
        ("a.dat", b"% Version 2\n\x0c", r"Got \(12,\)"),
        ("a.dat", b"% Version 2\n\x01\x08" + bytes(8), r"type 0 .* or 12 .*Got \(1, 8\)"),
        ("a.dat", b"% Version 2\n\x0c\x08", "Got 0 bytes"),
        ("a.dat", b"% Version 2\n\x0c\x08" + bytes(7), "Got 7 bytes"),
        ("a.dat", b"% Version 2\n\x0c\x08" + struct.pack("<II", 1, 2 << 28), "polarities must be 0 or 1. Got 2"),
    ],
)
def test_damaged_files_of_prophesee_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{name} must be a whole.*{message}"):
        read_events(tmp_path / name)


def aedat2_file(path, chip, records, *, lines=()):
    named = [f"# AEChip: {chip}"] if chip else []
    header = "\r\n".join(["#!AER-DAT2.0", "# Timestamps tick is 1 us", *named, *lines, ""])
    path.write_bytes(header.encode() + b"".join(struct.pack(">II", *record) for record in records))
    return path


def test_aedat2_of_a_dvs128_has_the_bit_set_for_darker(tmp_path):
    # jAER: e.type = 1 - addr & 1, 0 for Off; x in bits 1 to 7, y in 8 to 14, bit 15 marks a signal from outside.
    records = [(100 << 8 | 20 << 1 | 1, 7), (3 << 8 | 127 << 1, 8), (1 << 15, 9), (1 << 8 | 2 << 1, 2**32 - 1), (0, 0)]
    file = aedat2_file(tmp_path / "a.aedat", "ch.unizh.ini.jaer.chip.retina.DVS128", records)
    assert rows(file) == [(7, 20, 100, 0), (8, 127, 3, 1), (2**32 - 1, 2, 1, 1), (2**32, 0, 0, 1)]


@pytest.mark.parametrize("chip", ["eu.seebetter.ini.chips.davis.Davis346blue", "DAVIS240C"])
def test_aedat2_of_a_davis_has_the_bit_set_for_brighter(tmp_path, chip):
    # The first byte of the first record is "#", as that of a line of the header.
    first = 0x23 << 24 | 5 << 12 | 1 << 11
    records = [(first, 7), (259 << 22 | 345 << 12, 8), (1 << 31 | 9 << 12, 9), (1 << 10, 9)]
    assert rows(aedat2_file(tmp_path / "a.aedat", chip, records)) == [(7, 5, first >> 22, 1), (8, 345, 259, 0)]


def test_aedat2_of_an_unknown_or_unnamed_chip_is_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match=r"must be a DVS128 or a DAVIS. Got ch\.unizh\.ini\.jaer\.chip\.Cochlea"):
        read_events(aedat2_file(tmp_path / "a.aedat", "ch.unizh.ini.jaer.chip.Cochlea", []))
    with pytest.raises(ValueError, match=r"must name the chip.*write a line such as `# AEChip: DVS128`"):
        read_events(aedat2_file(tmp_path / "b.aedat", "", [(0, 0)]))
    file = aedat2_file(tmp_path / "c.aedat", "DVS128", [(0, 0)], lines=["# a", "#End Of ASCII Header"])
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(ValueError, match="ends 5 bytes into a record of 8"):
        read_events(file)
