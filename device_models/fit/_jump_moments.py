"""What a population of `Jumps` shows: correlations between ages, skewness and kurtosis, in closed form."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

FOURTH = 3 - 6 / 5 / 4  # moment of the sum of four uniform numbers of variance 1


class JumpLaw(NamedTuple):
    """The numbers of `Jumps` at one level of conductance."""

    onset: float
    healing: float
    unevenness: float
    rate: float
    own: float
    lean: float


class Moments(NamedTuple):
    """Of the deviations at some ages: correlation matrix, skewness, and kurtosis (3 for a normal)."""

    correlation: Float[np.ndarray, "times times"]
    skewness: Float[np.ndarray, " times"]
    kurtosis: Float[np.ndarray, " times"]


def moments(law: JumpLaw, times: Float[np.ndarray, " times"]) -> Moments:
    r"""The moments of $Z$ at `times`.

    Given its rate, a cell is a shot noise: the cumulants of the sum of its lasting jumps are $\lambda v\,w\,\mathrm{E}
    [x^k]$ with $w = (1 - e^{-\theta u}) / \theta$. The law of total cumulance adds what cells differ by.
    """
    u = np.log1p(times / law.onset)
    lasting = law.rate * _lasting(u, law.healing)
    between = _cumulants_of_rate(law.unevenness)
    m, s = law.lean, 1 - law.lean**2
    a = [lasting * moment for moment in (m, 1.0, 3 * m * s + m**3, m**4 + 6 * m**2 * s + FOURTH * s**2)]
    variance = a[1] + between[0] * a[0] ** 2
    third = a[2] + 3 * between[0] * a[0] * a[1] + between[1] * a[0] ** 3
    fourth = a[3] + between[0] * (4 * a[0] * a[2] + 3 * a[1] ** 2)
    fourth = fourth + 6 * between[1] * a[0] ** 2 * a[1] + between[2] * a[0] ** 4
    earlier, apart = np.minimum.outer(u, u), np.abs(np.subtract.outer(u, u))
    common = law.rate * _lasting(earlier, law.healing) * np.exp(-law.healing * apart)
    common = common + between[0] * np.outer(a[0], a[0])
    kept = 1 - law.own
    correlation = kept * common / np.sqrt(np.outer(variance, variance))
    np.fill_diagonal(correlation, 1.0)
    return Moments(correlation, kept**1.5 * third / variance**1.5, 3 + kept**2 * fourth / variance**2)


def _lasting(u: Float[np.ndarray, "..."], healing: float) -> Float[np.ndarray, "..."]:
    return -np.expm1(-healing * u) / healing if healing > 1e-6 else u


def _cumulants_of_rate(a: float) -> tuple[float, float, float]:
    """The second to the fourth cumulant of (1 + a) U^a, of mean 1."""
    second, third, fourth = ((1 + a) ** k / (1 + k * a) for k in (2, 3, 4))
    return second - 1, third - 3 * second + 2, fourth - 4 * third - 3 * second**2 + 12 * second - 6
