"""Drawn electrocardiograms have the beats they name; files of the MIT-BIH format are read as they were written."""

import jax.random as jr
import numpy as np
import pytest
import scipy.signal

import memsim as ms

RATE = 360.0


def test_a_peak_finder_finds_the_normal_beats_where_they_are_said_to_be():
    (heart,) = ms.data.synthetic_ecg(1, seconds=60.0, supraventricular=0.0, ventricular=0.0, noise=0.0, key=jr.key(0))
    peaks, _ = scipy.signal.find_peaks(heart.signal[:, 0], height=0.5 * heart.signal[:, 0].max(), distance=72)
    inside = heart.beats[(heart.beats > 40) & (heart.beats < len(heart.signal) - 40)]
    assert set(heart.labels) == {0} and len(inside) > 50
    assert all(np.abs(peaks - beat).min() <= 5 for beat in inside)  # 14 ms: Q and S shift the top of R
    assert all(np.abs(heart.beats - peak).min() <= 5 for peak in peaks)


def test_ectopic_beats_come_early_and_only_ventricular_ones_make_up_for_it():
    hearts = ms.data.synthetic_ecg(12, seconds=60.0, supraventricular=0.1, ventricular=0.1, noise=0.0, key=jr.key(1))
    before, both = {1: [], 2: []}, {1: [], 2: []}
    for heart in hearts:
        usual = np.median(np.diff(heart.beats))
        for place in np.flatnonzero(heart.labels[1:-1]) + 1:
            kind = int(heart.labels[place])
            before[kind].append((heart.beats[place] - heart.beats[place - 1]) / usual)
            both[kind].append((heart.beats[place + 1] - heart.beats[place - 1]) / usual)
    # Some 70 of each. An interval of a patient swings by up to 5 %: of the mean of a class less than 3 %.
    assert max(map(max, before.values())) < 0.95
    np.testing.assert_allclose(np.mean(both[2]), 2.0, atol=0.06)  # the pause is complete
    assert 1.6 < np.mean(both[1]) < 1.9  # the rhythm is reset


def test_shares_of_ectopic_beats_are_those_asked_for():
    hearts = ms.data.synthetic_ecg(60, seconds=30.0, supraventricular=0.02, ventricular=0.05, noise=0.0, key=jr.key(2))
    shares = np.asarray([np.bincount(heart.labels, minlength=3) / len(heart.labels) for heart in hearts])
    # Shares of patients are gamma distributed; four standard errors over 60 of them, and none follows another.
    errors = shares.std(0) / 60**0.5
    assert np.all(np.abs(shares.mean(0)[1:] - (0.02, 0.05)) < 4 * errors[1:] + 0.05 * 0.05)


def test_ventricular_beats_are_wide():
    """Half of the power of a beat's slope, by frequency: an external measure of how steep it is."""
    hearts = ms.data.synthetic_ecg(8, seconds=60.0, ventricular=0.1, noise=0.0, key=jr.key(3))
    data = ms.data.ecg_beats(hearts, before=0.1, after=0.1)
    power = np.abs(np.fft.rfft(np.diff(data.inputs[..., 0], axis=1), axis=1)) ** 2
    centre = (power * np.fft.rfftfreq(71, 1 / RATE)).sum(1) / power.sum(1)
    assert np.median(centre[data.labels == 2]) < 0.7 * np.median(centre[data.labels == 0])


def test_a_recording_without_a_beat_is_refused():
    with pytest.raises(ValueError, match="`seconds` must be from 1 to"):
        ms.data.synthetic_ecg(1, seconds=1e-6, key=jr.key(0))


def test_more_patients_leave_the_first_as_they_are():
    few = ms.data.synthetic_ecg(1, seconds=5.0, key=jr.key(4))
    more = ms.data.synthetic_ecg(2, seconds=5.0, key=jr.key(4))
    np.testing.assert_array_equal(few[0].signal, more[0].signal)
    assert few[0].patient == more[0].patient != more[1].patient


def test_a_sample_of_a_beat_is_the_signal_around_it():
    signal = np.arange(2000.0)[:, None] * 1e-4
    heart = ms.data.Electrocardiogram(signal, 100.0, np.array([50, 300, 900, 1990]), np.array([0, 2, 3, 0]))
    data = ms.data.ecg_beats([heart], before=1.0, after=0.5)
    np.testing.assert_allclose(
        data.inputs[:, :, 0], [signal[200:350, 0]], rtol=1e-6
    )  # the others lack a side or a class
    assert data.class_names[int(data.labels[0])] == "ventricular"


def as_212(codes):
    """Two numbers of 12 bits in three bytes, as the publisher's manual has it; written apart from the reader."""
    found = bytearray()
    flat = [int(code) & 0xFFF for code in codes.ravel()]
    for one, two in zip(flat[::2], flat[1::2], strict=True):
        found += bytes([one & 0xFF, (one >> 8) | ((two >> 8) << 4), two & 0xFF])
    return bytes(found)


def as_annotations(entries):
    """(samples since the last, code) each; a pause of more than 1023 samples is a skip."""
    found = bytearray()
    for since, code in entries:
        if since > 1023:
            found += (59 << 10).to_bytes(2, "little") + (since >> 16).to_bytes(2, "little")
            found += (since & 0xFFFF).to_bytes(2, "little")
            since = 0
        found += ((code << 10) | since).to_bytes(2, "little")
        if code == 28:  # a change of rhythm, with its name
            found += ((63 << 10) | 3).to_bytes(2, "little") + b"(N\0\0"
    return bytes(found) + b"\0\0"


def write_record(folder, name="100"):
    codes = np.random.default_rng(0).integers(-2048, 2048, (100_000, 2))
    first, second = "200 11 1024 995 -22131 0 MLII", "100(10)/mV 11 0 0 0 0 V5"
    lines = [f"{name} 2 360 100000", f"{name}.dat 212 {first}", f"{name}.dat 212 {second}", "# age"]
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n")
    (folder / f"{name}.dat").write_bytes(as_212(codes))
    annotations = [(18, 28), (59, 1), (293, 8), (70_000, 5), (20, 14), (300, 6), (5, 12)]
    (folder / f"{name}.atr").write_bytes(as_annotations(annotations))
    return codes


def test_a_record_is_read_as_it_was_written(tmp_path):
    codes = write_record(tmp_path)
    for column in codes.T:
        for place in np.flatnonzero(column == -2048):  # missing: as before
            column[place] = column[place - 1]
    (heart,) = ms.data.mitbih(tmp_path, records=["100"])
    np.testing.assert_allclose(heart.signal, (codes - [1024, 10]) / [200, 100] * 1e-3, rtol=1e-12)
    np.testing.assert_array_equal(heart.beats, [77, 370, 70370, 70690, 70695])
    np.testing.assert_array_equal(heart.labels, [0, 1, 2, 3, 4])
    assert heart.rate == 360.0 and heart.patient == "100"


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # wfdb 4.3.1 with pandas 3.1
def test_a_record_is_read_as_wfdb_reads_it(tmp_path):
    wfdb = pytest.importorskip("wfdb")
    write_record(tmp_path)
    (heart,) = ms.data.mitbih(tmp_path, records=["100"])
    record, said = wfdb.rdrecord(str(tmp_path / "100")), wfdb.rdann(str(tmp_path / "100"), "atr")
    there = ~np.isnan(record.p_signal)
    assert 0.999 < there.mean() < 1.0  # one number in 4096 means that there is none
    np.testing.assert_allclose(heart.signal[there], record.p_signal[there] * 1e-3, atol=1e-12)
    beats = [place for place, symbol in zip(said.sample, said.symbol, strict=True) if symbol in "NAVF/"]
    np.testing.assert_array_equal(heart.beats, beats)


@pytest.mark.parametrize("end", ["hea", "dat", "atr"])
def test_damaged_and_missing_files_are_refused(end, tmp_path):
    write_record(tmp_path)
    file = tmp_path / f"100.{end}"
    file.write_bytes(file.read_bytes()[:9])
    with pytest.raises(ValueError, match="Fetch its three files again"):
        ms.data.mitbih(tmp_path, records=["100"])
    file.unlink()
    with pytest.raises(FileNotFoundError, match=f"100.{end}"):
        ms.data.mitbih(tmp_path, records=["100"])


def test_samples_that_are_missing_at_the_start_are_the_first_that_is_there(tmp_path):
    codes = write_record(tmp_path)
    codes[:3] = -2048
    (tmp_path / "100.dat").write_bytes(as_212(codes))
    (heart,) = ms.data.mitbih(tmp_path, records=["100"])
    first = (codes[3] - [1024, 10]) / [200, 100] * 1e-3
    np.testing.assert_allclose(heart.signal[:4], np.tile(first, (4, 1)), rtol=1e-12)


@pytest.mark.parametrize("records", [[], ["100", "100"]])
def test_records_are_named_once(records, tmp_path):
    write_record(tmp_path)
    with pytest.raises(ValueError, match="`records` must name one record or more, none twice"):
        ms.data.mitbih(tmp_path, records=records)


def test_classes_of_beats_are_named_once():
    heart = ms.data.Electrocardiogram(np.zeros((2000, 1)), 100.0, np.array([300]), np.array([0]))
    with pytest.raises(ValueError, match=r"none twice\. Got normal, normal"):
        ms.data.ecg_beats([heart], classes=("normal", "normal"))


def test_a_header_that_is_empty_or_short_is_told_in_words(tmp_path):
    write_record(tmp_path)
    for header in ("", "100 2 360\n"):
        (tmp_path / "100.hea").write_text(header)
        with pytest.raises(ValueError, match="begin with a name, and the numbers of signals, hertz and samples"):
            ms.data.mitbih(tmp_path, records=["100"])


def test_annotations_that_are_cut_between_two_beats_are_refused(tmp_path):
    write_record(tmp_path)
    file = tmp_path / "100.atr"
    file.write_bytes(file.read_bytes()[:-4])
    with pytest.raises(ValueError, match="do not end with a zero"):
        ms.data.mitbih(tmp_path, records=["100"])


def test_no_patient_is_in_both_halves():
    from memsim.data._mitbih import DS1, DS2

    assert len(set(DS1)) == len(set(DS2)) == 22 and not set(DS1) & set(DS2)
    assert not {"102", "104", "107", "217"} & {*DS1, *DS2}  # those with pacemakers
