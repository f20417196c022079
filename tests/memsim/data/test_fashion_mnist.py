"""Fashion-MNIST is what its publisher's table says, and damaged files are refused."""

import gzip
import hashlib

import numpy as np
import pytest

import memsim as ms
import memsim.data._fashion_mnist as source

PARTS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def subset():
    return ms.data.fashion_mnist()


def idx(values):
    """Bytes behind their header: two zeros, 8 for bytes, the number of axes, and the length of each."""
    return bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes() + values.tobytes()


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A folder with a small set as it is published, whose files are the right ones."""
    draw = np.random.default_rng(0)
    files = {}
    for name, each in (("train", 20), ("t10k", 3)):
        labels = draw.permutation(np.repeat(np.arange(10), each)).astype(np.uint8)
        files[f"{name}-images-idx3-ubyte"] = draw.integers(0, 256, (len(labels), 28, 28), np.uint8)
        files[f"{name}-labels-idx1-ubyte"] = labels
    (tmp_path / "fashion_mnist").mkdir()
    for name, values in files.items():
        (tmp_path / "fashion_mnist" / name).write_bytes(idx(values))
    monkeypatch.setattr(source, "CONTENTS", {name: hashlib.sha256(idx(files[name])).hexdigest() for name in files})
    return tmp_path, files


@pytest.mark.parametrize("part, images", [("train", 4000), ("validation", 1000), ("test", 1000)])
def test_the_subset_has_bytes_of_28_by_28_and_equal_classes(subset, part, images):
    found = getattr(subset, part)
    assert found.inputs.shape == (images, 1, 28, 28) and found.inputs.dtype == np.uint8
    assert np.bincount(found.labels).tolist() == [images // 10] * 10 and found.licence == "MIT"


def test_no_image_is_in_two_splits(subset):
    images = [{image.tobytes() for image in getattr(subset, part).inputs} for part in PARTS]
    assert not (images[0] & images[1] or images[0] & images[2] or images[1] & images[2])


def test_the_first_images_are_the_published_ones(subset):
    # The training set begins with an ankle boot, two T-shirts and two dresses; the test set with an ankle boot.
    assert subset.train.labels[:5].tolist() == [9, 0, 0, 3, 0] and subset.test.labels[:5].tolist() == [9, 2, 1, 1, 6]
    assert subset.train.class_names[9] == "ankle boot" and len(subset.train.class_names) == 10


def test_pixels_have_the_mean_and_deviation_of_the_whole_set(subset):
    # Of the 60000 training images 0.2860 and 0.3530, by which they are commonly normalised. Three standard errors of
    # the mean of 4000 images, whose own means have a deviation of 0.13, are 0.006.
    pixels = subset.train.inputs / np.float32(255)
    assert pixels.mean((1, 2, 3)).std() < 0.13
    assert pixels.mean() == pytest.approx(0.2860, abs=0.006) and pixels.std() == pytest.approx(0.3530, abs=0.006)


def test_the_full_set_holds_out_a_tenth_of_each_class_and_keeps_the_test_set(published):
    folder, files = published
    found = ms.data.fashion_mnist("full", folder=folder)
    assert [len(getattr(found, part)) for part in PARTS] == [180, 20, 30]
    assert np.bincount(found.validation.labels).tolist() == [2] * 10
    np.testing.assert_array_equal(found.test.inputs[:, 0], files["t10k-images-idx3-ubyte"])
    np.testing.assert_array_equal(found.test.labels, files["t10k-labels-idx1-ubyte"])
    pooled = {
        (image.tobytes(), int(label))
        for part in (found.train, found.validation)
        for image, label in zip(part.inputs, part.labels, strict=True)
    }
    train = zip(files["train-images-idx3-ubyte"], files["train-labels-idx1-ubyte"], strict=True)
    assert pooled == {(image.tobytes(), int(label)) for image, label in train}


def test_debians_package_is_read_where_nothing_was_fetched(published, tmp_path, monkeypatch):
    folder, files = published
    debian = tmp_path / "debian"
    debian.mkdir()
    for name, values in files.items():
        (debian / f"{name}.gz").write_bytes(gzip.compress(idx(values)))
    monkeypatch.setattr(source, "DEBIAN", debian)
    monkeypatch.setenv("MEMSIM_DATA", str(tmp_path / "empty"))
    found, fetched = ms.data.fashion_mnist("full"), ms.data.fashion_mnist("full", folder=folder)
    np.testing.assert_array_equal(found.train.inputs, fetched.train.inputs)
    with pytest.raises(FileNotFoundError, match="memsim data get fashion_mnist --folder"):
        ms.data.fashion_mnist("full", folder=tmp_path / "empty")


@pytest.mark.skipif(not source.DEBIAN.is_dir(), reason="needs Debian's package dataset-fashion-mnist")
def test_the_subset_is_that_of_debians_package(subset, monkeypatch, tmp_path):
    monkeypatch.setenv("MEMSIM_DATA", str(tmp_path))
    full = ms.data.fashion_mnist("full")
    for part in ("train", "test"):
        known = {image.tobytes() for image in getattr(full, part).inputs}
        known |= {image.tobytes() for image in full.validation.inputs} if part == "train" else set()
        assert all(image.tobytes() in known for image in getattr(subset, part).inputs)


def test_a_damaged_file_is_named(published, monkeypatch, tmp_path):
    folder, _ = published
    path = folder / "fashion_mnist" / "train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"train-labels-idx1-ubyte must be the published.* gave: 207 bytes"):
        ms.data.fashion_mnist("full", folder=folder)
    monkeypatch.setattr(source, "FILE", tmp_path / "fashion_mnist.xz")
    with pytest.raises(FileNotFoundError, match=r"none at .*build_fashion_mnist\.py"):
        ms.data.fashion_mnist()
    source.FILE.write_bytes(b"other")
    with pytest.raises(ValueError, match=r"must have the sha256 .* over 5 bytes"):
        ms.data.fashion_mnist()


def test_a_folder_of_the_subset_and_another_size_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r'`folder` must go with `which="full"`'):
        ms.data.fashion_mnist(folder=tmp_path)
    with pytest.raises(ValueError, match="which"):
        ms.data.fashion_mnist("half")
