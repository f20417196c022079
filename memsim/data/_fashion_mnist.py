"""Fashion-MNIST: images of clothes, a part of them in this package and the rest fetched."""

import gzip
import hashlib
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import UInt8

from .._checks import checked
from ._dataset import Dataset, Splits
from ._form import hold_out
from ._get import fetched, find_source, is_complete
from ._packaged import packaged

FILE = Path(__file__).with_name("fashion_mnist.xz")
SHA256 = "e6baae1a4458c8946aad91fc48fe99551eea61bc0bd6e9a7d7143dc053d52198"
REMEDY = "Reinstall memsim or run memsim/data/build_fashion_mnist.py."
DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # of the package dataset-fashion-mnist
SIDE = 28  # pixels
CLASSES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
SIZES = (4000, 1000, 1000)  # of the splits in `FILE`
HELD_OUT = 0.1
CONTENTS = {  # sha256 of the unpacked files, those of the publisher and of Debian alike
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}


@checked()
def fashion_mnist(which: Literal["subset", "full"] = "subset", *, folder: Path | str | None = None) -> Splits:
    """Fashion-MNIST: 28 x 28 grey images of ten kinds of clothes, in the place of handwritten digits.

    "subset" comes with the package: of each class the first 400 of the training set, the next 100 for validation, and
    the first 100 of the test set. "full" is fetched by `memsim data get fashion_mnist`, or is that of Debian's package
    dataset-fashion-mnist where it is installed and no `folder` is given: of the 60000 training images a tenth of each
    class is for validation, always the same, and the test set is the published one.

    **Arguments:**

    - `which`: "subset", 4000, 1000 and 1000 images, or "full", 54000, 6000 and 10000.
    - `folder`: As for `memsim.data.get`.

    **Returns:** `Splits` with inputs `(n, 1, 28, 28)` of bytes, 0 to 255, which a model meets as floats.

    Raises `FileNotFoundError` where the full set has not been fetched, and `ValueError` for a damaged file and for a
    `folder` of the subset.

    Licence: MIT. Reference: Xiao2017.

    >>> import memsim as ms
    >>> data = ms.data.fashion_mnist()
    >>> data.train.inputs.shape, data.train.class_names[:2]
    ((4000, 1, 28, 28), ('T-shirt/top', 'trouser'))
    """
    if which == "subset" and folder is not None:
        raise ValueError(f'`folder` must go with `which="full"`: the subset is in the package. Got {folder}.')
    if which == "subset":
        return Splits(*map(_dataset, packed_splits(_unpacked())))
    train, test = full_set(folder)
    kept, held = hold_out(train.labels.astype(np.int32), HELD_OUT)
    return Splits(*map(_dataset, (train.take(kept), train.take(held), test)))


class Images(NamedTuple):
    """Images with the number of the class of each."""

    pixels: UInt8[np.ndarray, "n 28 28"]
    labels: UInt8[np.ndarray, " n"]

    def take(self, indices: np.ndarray) -> "Images":
        return Images(self.pixels[indices], self.labels[indices])


def full_set(folder: Path | str | None = None) -> tuple[Images, Images]:
    """The published training set and test set."""
    own = folder is not None or is_complete("fashion_mnist") or not DEBIAN.is_dir()
    place = fetched("fashion_mnist", folder) if own else DEBIAN
    train, train_labels, test, test_labels = (_idx(place, name) for name in CONTENTS)
    return Images(train, train_labels), Images(test, test_labels)


def packed_splits(raw: bytes) -> list[Images]:
    """The splits of the subset from the bytes of all labels and, after them, of all pixels."""
    total = sum(SIZES)
    labels, pixels = np.split(np.frombuffer(raw, np.uint8), [total])
    everything, cuts = Images(pixels.reshape(total, SIDE, SIDE), labels), np.cumsum(SIZES)[:-1]
    return [everything.take(part) for part in np.split(np.arange(total), cuts)]


def _dataset(images: Images) -> Dataset:
    source = find_source("fashion_mnist")
    origin = {"name": source.name, "licence": source.licence, "citation": source.citation}
    return Dataset(images.pixels[:, None], images.labels, CLASSES, **origin)


def _unpacked() -> bytes:
    import lzma

    raw = packaged(FILE, SHA256, holds="The images", remedy=REMEDY)
    return lzma.decompress(raw)


def _idx(place: Path, name: str) -> UInt8[np.ndarray, "..."]:
    """One file of bytes behind its header, as it is or in a .gz."""
    path = place / name
    try:
        raw = path.read_bytes() if path.is_file() else gzip.decompress(path.with_name(f"{name}.gz").read_bytes())
        digest = hashlib.sha256(raw).hexdigest()
        if digest != CONTENTS[name]:
            raise ValueError(f"{len(raw)} bytes with the sha256 {digest}")
    except (OSError, EOFError, ValueError) as error:
        raise ValueError(
            f"{path} must be the published file, with the sha256 {CONTENTS[name]}. Reading it gave: {error}. Delete "
            "its folder and run `memsim data get fashion_mnist` again."
        ) from error
    axes = raw[3]
    sizes = np.frombuffer(raw, ">u4", axes, 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * axes).reshape(sizes)
