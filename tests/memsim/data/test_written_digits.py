"""Handwritten digits: what the publisher says of them holds, and a changed file is refused."""

import numpy as np
import pytest

import memsim as ms
import memsim.data._written_digits as source

PUBLISHED = [
    178,
    182,
    177,
    183,
    181,
    182,
    181,
    179,
    174,
    180,
]  # of each digit in the test set, by the repository's page


@pytest.fixture(scope="module")
def digits():
    return ms.data.written_digits()


def test_each_digit_is_there_as_often_as_is_published(digits):
    parts = digits.train, digits.validation, digits.test
    assert np.bincount(np.concatenate([part.labels for part in parts])).tolist() == PUBLISHED
    assert [len(part) for part in parts] == [1079, 359, 359]
    for part in parts:
        assert part.inputs.dtype == np.uint8 and part.inputs.shape[1:] == (1, 8, 8)
        assert part.inputs.max() == 16 and np.bincount(part.labels).min() >= 34


def test_no_image_is_in_two_splits_and_twice_is_the_same(digits):
    again = ms.data.written_digits()
    np.testing.assert_array_equal(again.test.inputs, digits.test.inputs)
    images = [{image.tobytes() for image in part.inputs} for part in (digits.train, digits.validation, digits.test)]
    assert sum(map(len, images)) == len(set.union(*images)) == sum(PUBLISHED)


def test_a_linear_map_tells_nine_in_ten_apart(digits):
    def seen(part):
        return np.concatenate([part.inputs.reshape(len(part), -1) / 16, np.ones((len(part), 1))], axis=1)

    weights = np.linalg.lstsq(seen(digits.train), np.eye(10)[digits.train.labels])[0]
    assert np.mean(np.argmax(seen(digits.test) @ weights, axis=1) == digits.test.labels) > 0.9


def test_spoken_and_written_digits_are_the_same_classes(digits):
    assert digits.train.class_names == ms.data.spoken_digits(2).train.class_names


def test_a_missing_and_a_changed_file_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(source, "FILE", tmp_path / "written_digits.npz")
    with pytest.raises(FileNotFoundError, match=r"none at .*build_written_digits\.py"):
        ms.data.written_digits()
    source.FILE.write_bytes(b"other")
    with pytest.raises(ValueError, match=r"must have the sha256 .* over 5 bytes"):
        ms.data.written_digits()
