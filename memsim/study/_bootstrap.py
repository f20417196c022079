"""Means of values whose seeds, chips and recordings are drawn anew: crossed, or chips within their seeds."""

import numpy as np
from jaxtyping import Float

DRAWS = 2000
AT_ONCE = 2**22  # numbers of a step


def resampled(y: Float[np.ndarray, "*levels"], draws: int = DRAWS, seed: int = 0) -> Float[np.ndarray, " draws"]:
    """Means of `y` with the levels of each axis drawn anew, with replacement."""
    rng = np.random.default_rng(seed)
    counts = [rng.multinomial(n, np.full(n, 1 / n), draws).astype(float) / n for n in y.shape]
    means = []
    step = max(1, AT_ONCE * y.shape[0] // y.size)
    for start in range(0, draws, step):
        chosen = [count[start : start + step] for count in counts]
        found = np.tensordot(chosen[0], y, axes=1)  # draws, and the axes that are left
        for count in chosen[1:]:
            found = np.einsum("bn,bn...->b...", count, found)
        means.append(found)
    return np.concatenate(means)


def resampled_within(
    y: Float[np.ndarray, "*levels"], nested: int, draws: int = DRAWS, seed: int = 0
) -> Float[np.ndarray, " draws"]:
    """Means of `y` with the first axis drawn anew, then the second within each that was drawn, for `nested` axes.

    Those that are left are crossed with them, and drawn once for all.
    """
    rng = np.random.default_rng(seed)
    each = y.reshape(int(np.prod(y.shape[:nested])), -1)
    step = max(1, AT_ONCE // max(each.shape))
    means = []
    for start in range(0, draws, step):
        now = min(step, draws - start)
        places = np.arange(now)  # the draw, and what was drawn in it, as one number
        for n in y.shape[:nested]:
            places = n * places[..., None] + rng.integers(n, size=(*places.shape, n))
        counts = np.bincount(places.ravel(), minlength=now * len(each)).reshape(now, len(each))
        found = (counts / len(each) @ each).reshape(now, *y.shape[nested:])
        for n in y.shape[nested:]:
            found = np.einsum("bn,bn...->b...", rng.multinomial(n, np.full(n, 1 / n), now) / n, found)
        means.append(found)
    return np.concatenate(means)
