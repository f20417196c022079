"""Where the variance of a mean comes from: a random-effects model, crossed or nested, by the method of moments."""

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Num

Effect = tuple[int, ...]  # axes
Inside = Mapping[int, Effect]  # the axes that an axis is nested in; none where they are crossed
Design = Literal["crossed", "nested"]
CROSSED: Inside = {}


class Spread(NamedTuple):
    """One part of the variance of a mean: all that varies with a factor, and with no rarer one."""

    axis: int
    variance: float
    freedom: int


def mean_squares(y: Num[np.ndarray, "*levels"], inside: Inside = CROSSED) -> dict[Effect, tuple[float, int]]:
    """Mean square and degrees of freedom of every effect of factors, one axis each, and of their interactions.

    The last one, of all axes together, is the residual. Of a nested factor the squares are those of the crossed design,
    pooled: chips in seeds are chips and seeds x chips.
    """
    y = np.asarray(y, float) - np.mean(y)
    axes = range(y.ndim)
    effects = [effect for size in axes for effect in combinations(axes, size + 1)]

    def uncorrected(effect: Effect) -> float:
        means = y.mean(axis=tuple(axis for axis in axes if axis not in effect))
        return float(np.sum(means**2)) * y.size / means.size

    sums = {effect: uncorrected(effect) for effect in effects}
    found = {}
    for effect in effects:
        within = [part for part in effects if set(part) <= set(effect)]
        of_squares = sum((-1) ** (len(effect) - len(part)) * sums[part] for part in within)
        freedom = int(np.prod([y.shape[axis] - 1 for axis in effect]))
        found[effect] = (max(of_squares, 0.0) / freedom, freedom)
    return _pooled(found, inside) if inside else found


def _pooled(crossed: dict[Effect, tuple[float, int]], inside: Inside) -> dict[Effect, tuple[float, int]]:
    found = {}
    for effect in crossed:
        if any(set(inside.get(axis, ())) - set(effect) for axis in effect):
            continue  # a chip that is in no seed
        own = [part for part in crossed if set(innermost(effect, inside)) <= set(part) <= set(effect)]
        freedom = sum(crossed[part][1] for part in own)
        found[effect] = (sum(crossed[part][0] * crossed[part][1] for part in own) / freedom, freedom)
    return found


def innermost(effect: Effect, inside: Inside) -> Effect:
    """The axes of an effect in which none of its others is nested."""
    around = {outer for axis in effect for outer in inside.get(axis, ())}
    return tuple(axis for axis in effect if axis not in around)


def signs(effect: Effect, effects: Collection[Effect], inside: Inside = CROSSED) -> dict[Effect, int]:
    """The mean squares that make the variance of an effect, each with its sign: it and those around it, in turn."""
    found = {}
    for other in effects:
        more = set(other) - set(effect)
        if set(effect) <= set(other) and all(set(inside.get(axis, ())) <= set(effect) for axis in more):
            found[other] = (-1) ** len(more)
    return found


def components(y: Num[np.ndarray, "*levels"], inside: Inside = CROSSED) -> dict[Effect, float]:
    r"""Variance of each effect, unbiased, so that some may be negative.

    With $n_A$ levels of an effect and $n$ values, $\sigma_A^2 = (n_A / n) \sum_{B \supseteq A} (-1)^{|B| - |A|} MS_B$,
    of nested factors over those B whose axes beyond A are nested in none but A's.
    """
    squares = mean_squares(y, inside)
    found = {}
    for effect in squares:
        total = sum(sign * squares[other][0] for other, sign in signs(effect, squares, inside).items())
        found[effect] = total * np.prod([y.shape[axis] for axis in effect]) / y.size
    return found


def spreads(y: Num[np.ndarray, "*levels"]) -> list[Spread]:
    r"""The variance of the mean of `y`, in parts: each $\sigma_A^2 / n_A$ goes to that factor of A with fewest levels.

    Of two factors these are $MS_1 / n$ and $(MS_2 - MS_{12}) / n$, not below zero.
    """
    return spreads_of(components(y), y.shape)


def spreads_of(found: Mapping[Effect, float], levels: Sequence[int]) -> list[Spread]:
    """As `spreads`, of known variances and so many levels of each factor."""
    rarity = sorted(range(len(levels)), key=lambda axis: levels[axis])
    parts = []
    for place, axis in enumerate(rarity):
        own = [effect for effect in found if axis in effect and not set(effect) & set(rarity[:place])]
        variance = sum(found[effect] / np.prod([levels[a] for a in effect]) for effect in own)
        parts.append(Spread(axis, max(float(variance), 0.0), levels[axis] - 1))
    return parts
