"""Builds `fashion_mnist.xz` from the full set: `memsim data get fashion_mnist`, or Debian's dataset-fashion-mnist.

Run it as `python memsim/data/build_fashion_mnist.py`. Images are those that come first of each class, in the order in
which they were published. The output has no time stamps: the same liblzma writes the same bytes.
"""

import hashlib
import lzma

import numpy as np

from memsim.data._fashion_mnist import CLASSES, FILE, SIZES, Images, full_set


def main() -> None:
    train, test = full_set()
    of_train, of_validation, of_test = (size // len(CLASSES) for size in SIZES)
    parts = [
        train.take(ranked(train, 0, of_train)),
        train.take(ranked(train, of_train, of_train + of_validation)),
        test.take(ranked(test, 0, of_test)),
    ]
    raw = b"".join(array.tobytes() for array in [*(part.labels for part in parts), *(part.pixels for part in parts)])
    FILE.write_bytes(lzma.compress(raw, preset=9 | lzma.PRESET_EXTREME))
    print(f"{FILE.name}: {FILE.stat().st_size} bytes, sha256 {hashlib.sha256(FILE.read_bytes()).hexdigest()}")


def ranked(images: Images, first: int, last: int) -> np.ndarray:
    """Places of those that are `first` to before `last` of their class, in order."""
    members = [np.flatnonzero(images.labels == label)[first:last] for label in range(len(CLASSES))]
    return np.sort(np.concatenate(members))


if __name__ == "__main__":
    main()
