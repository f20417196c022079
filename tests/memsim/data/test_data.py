"""The data sets are what their descriptions say, and damaged files are refused."""

import dataclasses

import numpy as np
import pytest
import scipy.fft
from jaxtyping import TypeCheckError

import memsim.data._spoken_digits as source
from memsim.data import Dataset, Splits, spoken_digits


@pytest.fixture(scope="module")
def padded():
    return spoken_digits(None)


@pytest.fixture(scope="module")
def raw():
    with np.load(source.FILE) as archive:
        return {name: archive[name] for name in archive.files}


def parts(splits):
    return [splits.train, splits.validation, splits.test]


def frames(dataset):
    """Original frames of each recording, from zero-padded inputs."""
    return [recording[:length] for recording, length in zip(dataset.inputs, dataset.lengths, strict=True)]


def test_the_splits_have_1800_600_and_600_recordings_of_40_steps():
    splits = spoken_digits()
    assert [part.inputs.shape for part in parts(splits)] == [(1800, 40, 13), (600, 40, 13), (600, 40, 13)]
    assert [len(part) for part in parts(splits)] == [1800, 600, 600]


def test_every_split_has_the_same_share_of_each_digit(padded):
    assert [np.bincount(part.labels).tolist() for part in parts(padded)] == [[180] * 10, [60] * 10, [60] * 10]


def test_the_splits_are_disjoint_and_together_all_recordings(padded, raw):
    # No two recordings in the file are equal, so a recording is known by its frames.
    ours = [(int(k), f.shape[0]) for part in parts(padded) for k, f in zip(part.labels, frames(part), strict=True)]
    assert sorted(ours) == sorted(zip(raw["labels"].tolist(), raw["lengths"].tolist(), strict=True))
    assert len({f.tobytes() for part in parts(padded) for f in frames(part)}) == 3000


def test_training_frames_have_mean_zero_and_standard_deviation_one(padded):
    real = np.concatenate(frames(padded.train)).astype(np.float64)
    # float32 rounds each frame to about 1e-7, without preferred sign.
    np.testing.assert_allclose(real.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(real.std(0), 1, atol=1e-6)


def test_all_splits_are_standardised_by_one_line_for_each_coefficient(padded, raw):
    ours = np.concatenate([frame for part in parts(padded) for frame in frames(part)]).astype(np.float64)
    mfcc = raw["mfcc"].astype(np.float64)
    expected = (mfcc - mfcc.mean(0)) / mfcc.std(0) * ours.std(0) + ours.mean(0)
    np.testing.assert_allclose(np.sort(ours, axis=0), np.sort(expected, axis=0), atol=1e-5)


def test_padding_is_zero_and_lengths_tell_where_it_starts(padded):
    for part in parts(padded):
        behind = np.arange(92) >= part.lengths[:, None]
        assert part.inputs.shape[1] == 92 and not part.inputs[behind].any()
        assert part.inputs[~behind].any(-1).all()


def test_levels_of_bands_are_the_inverse_transform_of_the_cepstra():
    recordings = source._read(None)
    cepstra = np.zeros((len(recordings.mfcc), source.MELS))
    cepstra[:, :13] = recordings.mfcc
    levels = scipy.fft.idct(cepstra, norm="ortho", axis=1)
    expected = np.stack([part.mean(axis=1) for part in np.array_split(levels, 13, axis=1)], axis=1)
    found = spoken_digits(None, features="bands")
    levels = np.concatenate([np.concatenate(list(frames(part))) for part in parts(found)])
    np.testing.assert_allclose(np.sort(levels, axis=0), np.sort(expected, axis=0), atol=1e-4)
    behind = np.arange(92) >= found.test.lengths[:, None]
    np.testing.assert_allclose(found.test.inputs[behind], expected.min(), rtol=1e-6)  # silence, not loud


@pytest.mark.parametrize("steps", [2, 17, 40, 200])
def test_resampling_agrees_with_numpy_interpolation(padded, steps):
    resampled = spoken_digits(steps)
    for index in (0, 1, int(padded.test.lengths.argmin()), int(padded.test.lengths.argmax())):
        old = frames(padded.test)[index]
        times = np.linspace(0, len(old) - 1, steps)
        expected = np.stack([np.interp(times, np.arange(len(old)), channel) for channel in old.T], 1)
        np.testing.assert_allclose(resampled.test.inputs[index], expected, atol=1e-5)


def test_frames_and_labels_do_not_depend_on_resampling(padded):
    for one, other in zip(parts(spoken_digits(5)), parts(padded), strict=True):
        assert np.array_equal(one.frames, other.frames) and np.array_equal(one.labels, other.labels)


def test_loading_twice_gives_the_same_numbers():
    for one, other in zip(parts(spoken_digits()), parts(spoken_digits()), strict=True):
        assert all(np.array_equal(getattr(one, k), getattr(other, k)) for k in ("inputs", "labels", "frames"))


def test_the_split_is_the_one_of_version_0_1(padded):
    assert [part.lengths[:6].tolist() for part in parts(padded)] == [
        [13, 12, 15, 20, 12, 16],
        [13, 16, 26, 15, 9, 15],
        [14, 14, 20, 17, 12, 19],
    ]


@pytest.mark.parametrize("steps", [1, 0, -3])
def test_fewer_than_two_steps_are_refused(steps):
    with pytest.raises(ValueError, match=f"`steps` must be at least 2.*Got {steps}"):
        spoken_digits(steps)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none at .*nowhere\.npz.*build_spoken_digits"):
        spoken_digits(file=tmp_path / "nowhere.npz")


def test_a_changed_package_file_is_refused_by_its_checksum(tmp_path, monkeypatch):
    data = bytearray(source.FILE.read_bytes())
    data[len(data) // 2] ^= 1
    changed = tmp_path / "spoken_digits.npz"
    changed.write_bytes(data)
    monkeypatch.setattr(source, "FILE", changed)
    with pytest.raises(ValueError, match=r"must have the sha256.*Reinstall memsim"):
        spoken_digits()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_file_is_refused(tmp_path, share):
    data = source.FILE.read_bytes()
    file = tmp_path / "short.npz"
    file.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ValueError, match=r"short\.npz must be an \.npz"):
        spoken_digits(file=file)


def test_a_file_with_overwritten_bytes_is_refused(tmp_path):
    data = bytearray(source.FILE.read_bytes())
    data[500_000:500_100] = bytes(100)
    file = tmp_path / "scratched.npz"
    file.write_bytes(data)
    with pytest.raises(ValueError, match=r"scratched\.npz must be an \.npz"):
        spoken_digits(file=file)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("mfcc", lambda a: a[:, :12]),
        ("mfcc", lambda a: a[:-1]),
        ("mfcc", lambda a: np.where(np.arange(len(a))[:, None] == 7, np.float16(np.nan), a)),
        ("labels", lambda a: a + np.uint8(1)),
        ("labels", lambda a: a[:-1]),
        ("labels", lambda a: np.zeros_like(a)),
    ],
)
def test_a_file_with_other_arrays_is_refused(tmp_path, raw, name, change):
    file = tmp_path / "other.npz"
    np.savez(file, **{**raw, name: change(raw[name])})
    with pytest.raises(ValueError, match=r"other\.npz must be an \.npz.*found "):
        spoken_digits(file=file)


def test_another_file_with_the_same_arrays_gives_the_same_data(tmp_path, raw):
    file = tmp_path / "copy.npz"
    np.savez(file, **raw)
    assert np.array_equal(spoken_digits(file=file).test.inputs, spoken_digits().test.inputs)


def test_taking_recordings_keeps_their_labels_and_lengths(padded):
    some = padded.train.take(np.array([5, 2]))
    assert len(some) == 2 and np.array_equal(some.labels, padded.train.labels[[5, 2]])
    assert np.array_equal(some.inputs[1], padded.train.inputs[2]) and some.lengths[0] == padded.train.lengths[5]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": np.full((2, 3, 4), np.nan, np.float32)}, "finite"),
        ({"labels": np.zeros(3, np.int32)}, "2 recordings|n=2"),
        ({"labels": np.array([0, 2], np.int32)}, "0 to 1"),
        ({"lengths": np.zeros(2, np.int32)}, "at least 1"),
    ],
)
def test_a_dataset_that_contradicts_itself_is_refused(change, message):
    ones = np.ones(2, np.int32)
    good = Dataset(np.zeros((2, 3, 4), np.float32), ones, ("no", "yes"), lengths=ones)
    # Where annotations are checked at run time, jaxtyping refuses a wrong type or shape first.
    with pytest.raises((ValueError, TypeCheckError), match=message):
        dataclasses.replace(good, **change)


def toy(**change):
    ones = np.ones(2, np.int32)
    good = {"inputs": np.zeros((2, 3, 4), np.float32), "labels": ones, "lengths": ones, "class_names": ("no", "yes")}
    return Dataset(**{"name": "toy", "licence": "CC0", "citation": "nobody", **good, **change})


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.int16, ">u4", list])
def test_labels_of_any_whole_dtype_are_kept_as_int32(unchecked, dtype):
    whole = [1, 0] if dtype is list else np.array([1, 0], dtype)
    assert toy(labels=whole).labels.tolist() == [1, 0] and toy(labels=whole).labels.dtype == np.int32


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": np.zeros((0, 3, 4), np.float32)}, "`inputs` must hold at least one sample"),
        ({"inputs": np.zeros((2, 0, 4), np.float32)}, "at least one sample, and one number in each"),
        ({"inputs": np.array(["a", "b"])}, "`inputs` must be numbers, one sample a row"),
        ({"inputs": np.full((2, 3), 1e300)}, "`inputs` must be finite"),
        ({"inputs": np.full((2, 3), 2**40)}, "must fit int32"),
        ({"inputs": [[1.0], [1.0, 2.0]]}, "`inputs` must be an array or a list of numbers"),
        ({"labels": np.array([0.0, 1.0])}, "`labels` must be whole numbers where there are `class_names`"),
        ({"labels": np.zeros(3), "class_names": None}, r"`labels` must have one entry for each of the 2 .*\(3,\)"),
        ({"labels": np.full(2, np.nan), "class_names": None}, "`labels` must be finite"),
        ({"labels": np.array([True, False])}, "`labels` must hold one whole number"),
        ({"labels": np.zeros((2, 1), int)}, r"`labels` must hold one whole number.*Take the only column: `\[:, 0\]`"),
        (
            {"labels": np.eye(2, dtype=int)},
            r"`labels` must hold one whole number.*One-hot\? Write `labels.argmax\(1\)`",
        ),
        ({"labels": np.array(["cat", "dog"])}, r"`labels` must hold one whole number.*np.unique"),
        ({"labels": np.array([0, 2**32])}, "`labels` must be .*from 0 to 1. Got 0 to 4294967296"),
        ({"labels": np.array([0, -1])}, "`labels` must be .*from 0 to 1"),
        ({"labels": "ab"}, "`labels` must hold one whole number"),
        ({"lengths": np.array([1, 2**40])}, "`lengths` must be at least 1"),
        ({"lengths": np.array([1, 4])}, "`lengths` must be at least 1, from 1 to 3. Got 1 to 4"),
        ({"class_names": (0, 1)}, "`class_names` must be"),
        ({"class_names": ()}, "`labels` must be"),
        ({"name": None}, "`name` must be"),
    ],
)
def test_a_dataset_names_what_does_not_fit(unchecked, change, message):
    with pytest.raises(ValueError, match=message):
        toy(**change)


@pytest.mark.parametrize(
    ("inputs", "dtype"),
    [
        (np.zeros((2, 1, 8, 8)), np.float32),
        (np.zeros((2, 5), np.float16), np.float32),
        ([[1.0], [2.0]], np.float32),
        (np.ones((2, 3), bool), np.uint8),
        (np.ones((2, 8, 8), np.uint8), np.uint8),
        (np.ones((2, 3), np.int64), np.int32),
    ],
)
def test_two_lines_are_enough_for_data_of_ones_own(inputs, dtype):
    data = Dataset(inputs, np.array([0, 2]))
    assert data.inputs.dtype == dtype and data.class_names == ("0", "1", "2") and data.of == "classes"
    assert data.lengths is None and data.take([1]).labels.tolist() == [2]
    numbers = Dataset(inputs, np.array([0.5, 2]))
    assert numbers.labels.dtype == np.float32 and numbers.of == "numbers" and numbers.take([1]).labels.tolist() == [2]


@pytest.mark.parametrize("indices", [[], [2], [-3], [0.5], 1, "a", [[0]]])
def test_recordings_that_are_not_there_cannot_be_taken(unchecked, indices):
    with pytest.raises(ValueError, match=r"`indices` must be|`inputs` must hold at least one"):
        toy().take(indices)


def test_recordings_can_be_taken_by_a_list_and_by_a_mask(unchecked):
    labels = np.array([1, 0])
    assert toy(labels=labels).take([1, 0, -1]).labels.tolist() == [0, 1, 0]
    assert toy(labels=labels).take(labels == 1).labels.tolist() == [1]


@pytest.mark.parametrize("wrong", [None, "train", np.zeros(3)])
def test_splits_consist_of_data_sets(unchecked, wrong):
    with pytest.raises(ValueError, match="`validation` must be a Dataset"):
        Splits(toy(), wrong, toy())


@pytest.mark.parametrize("steps", [2.5, "40", float("nan"), 10**9])
def test_steps_that_cannot_be_are_named(unchecked, steps):
    with pytest.raises(ValueError, match="`steps` must be"):
        spoken_digits(steps)
