"""What users pass for arrays."""

from typing import Any

import numpy as np


def as_array(name: str, values: Any) -> np.ndarray:
    """An array of lists, and of other libraries' arrays. Raises `ValueError` for lists of several lengths in a list."""
    try:
        found = np.asarray(values)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"`{name}` must be an array or a list of numbers. Got one that is none: {error}.") from error
    return found.astype(np.int64) if found.size == 0 and isinstance(values, list | tuple) else found
