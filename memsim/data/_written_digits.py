"""Handwritten digits 0-9 as small grey images, split."""

import io
from pathlib import Path

import numpy as np

from .._checks import checked
from ._dataset import Dataset, Splits
from ._form import hold_out
from ._packaged import packaged
from ._spoken_digits import DIGITS

FILE = Path(__file__).with_name("written_digits.npz")
SHA256 = "82393b63ff69dea89fa95eeef924870ebc186df1f35d7c46a617cb6112d8f2bc"
REMEDY = "Reinstall memsim or run memsim/data/build_written_digits.py."
LICENCE = "CC BY 4.0, as recalled of its repository"
CITATION = (
    "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (1998), "
    "the test set, as distributed by scikit-learn 1.9.1."
)


@checked()
def written_digits() -> Splits:
    """Handwritten digits of 8 x 8 pixels, 1797 images: the test set of Optical Recognition of Handwritten Digits.

    A pixel counts the dark ones of a block of 4 x 4: 0 to 16. Nothing is fetched. The classes are those of
    `spoken_digits`, so that both can be two senses of one thing. The split is 60/20/20, stratified by digit and always
    the same. The set does not say who wrote an image, so that each of its 13 writers can be in all three splits:
    accuracy says nothing about unknown hands.

    **Returns:** `Splits` of 1079, 359 and 359 images with inputs `(n, 1, 8, 8)` of bytes, 0 to 16, which a model meets
    as floats.

    Raises `ValueError` for a damaged file, `FileNotFoundError` for a missing one.

    Reference: Alpaydin1998.

    >>> import memsim as ms
    >>> data = ms.data.written_digits()
    >>> data.train.inputs.shape[1:], int(data.train.inputs.max()), data.train.class_names[:2]
    ((1, 8, 8), 16, ('zero', 'one'))
    """
    raw = packaged(FILE, SHA256, holds="The written digits", remedy=REMEDY)
    with np.load(io.BytesIO(raw), allow_pickle=False) as archive:
        images, labels = archive["pixels"][:, None], archive["labels"].astype(np.int32)
    whole = Dataset(images, labels, DIGITS, name="written_digits", licence=LICENCE, citation=CITATION)
    rest, test = hold_out(labels, 0.2)
    train, validation = hold_out(labels[rest], 0.25)
    return Splits(whole.take(rest[train]), whole.take(rest[validation]), whole.take(test))
