"""Write noise against target, by maximum likelihood."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from .._span import JUST_WRITTEN, Span
from ._device import pcm, polynomial
from ._goodness import explained, kept, normality, pattern, positive_over
from ._input import Measured, check_settings, ends, enough, in_siemens, powers, span
from ._likelihood import estimates, fitted, log_probability, numbered
from ._result import Fit, Goodness, Panel, sources_of

METHOD = (
    "Maximum likelihood of a normal error clipped at zero conductance; 95 % intervals from the sandwich covariance, "
    "which does not need the error to be normal."
)
# A write this many standard deviations above zero is never clipped, so its residual is a normal.
FREE_OF_CLIPPING = 3.0


@dataclass(frozen=True)
class Writes:
    """Targets and errors in units of `g_max`, with the powers of the target that spread and offset are made of."""

    g: Float[np.ndarray, " writes"]
    error: Float[np.ndarray, " writes"]
    clipped: Bool[np.ndarray, " writes"]
    spread: Float[np.ndarray, "writes p"]
    offset: Float[np.ndarray, "writes q"]


def fit_programming(
    targets: Float[Measured, "..."],
    measured: Float[Measured, "..."],
    *,
    degree: int = 2,
    offset_degree: int | None = None,
    g_min: float | None = None,
    g_max: float | None = None,
) -> Fit:
    r"""Fits the error of writes, $G = \max(0,\ T + b(g) + \sigma(g)\,\xi)$ with $g = T / g_\mathrm{max}$.

    $\sigma$ and $b$ are polynomials in $g$. Each write is an observation of its own. A conductance of zero or below
    says only that the write ended there, and counts with the probability of that. The device is a `PCM` whose drift
    and read noise, which were not measured, are zero; it has no systematic error, so $b$ is reported only.

    **Arguments:**

    - `targets`: Conductances asked for, in siemens: one for each of `measured`, or one for each of its columns.
    - `measured`: Conductances found after the write, in siemens: one a write, or (cells, levels).
    - `degree`: Of the polynomial $\sigma(g)$.
    - `offset_degree`: Of the systematic error $b(g)$; `None` for writes that are right on average.
    - `g_min`, `g_max`: Range of the device, in siemens; the smallest and the largest target if left out.

    **Returns:** A `Fit` with `write_noise[i]` and `offset[i]`, the coefficients of $g^i$ in siemens.

    **Raises:** `ValueError` for data that are not finite, not in siemens or too few, and where $\sigma$ is not positive
    over the range of the device.

    >>> import numpy as np, device_models as dm
    >>> rng, targets = np.random.default_rng(0), np.linspace(2e-6, 20e-6, 500)
    >>> measured = targets + 0.5e-6 * rng.normal(size=500)
    >>> fit = dm.fit.fit_programming(targets, measured, degree=0)
    >>> print(f"{1e6 * fit.parameters['write_noise[0]'].value:.1f} uS")
    0.5 uS
    """
    check_settings(degree=degree, offset_degree=offset_degree, g_min=g_min, g_max=g_max)
    target, found = _checked(targets, measured)
    low, scale = span(g_min, g_max, target)
    writes = _writes(target, found, scale, degree, offset_degree)
    p, n = writes.spread.shape[1], len(target)

    x, covariance, log_likelihood = fitted(
        _log_likelihood,
        _start(writes),
        (writes.spread, writes.offset, writes.g, writes.error, writes.clipped),
        remedy="Where targets are met exactly there is no spread to fit; or `degree` is too high.",
    )
    positive_over(lambda g: powers(g, degree) @ x[:p], low / scale, 1.0, name="write_noise")
    names, units = numbered(write_noise=p, offset=len(x) - p), ["S"] * len(x)
    parameters = estimates(names, units, scale * x, scale**2 * covariance, n)
    return Fit(
        device=pcm(
            limits=(low, scale),
            write_noise=polynomial(x[:p], scale),
            sources=sources_of(parameters, f"{n} writes"),
            span=Span(time=JUST_WRITTEN, conductance=ends(target)),
        ),
        parameters=parameters,
        goodness=_goodness(writes, x, log_likelihood - np.sum(~writes.clipped) * np.log(scale)),
        method=METHOD,
        covariance=scale**2 * covariance,
        panels=_panels(writes, x, scale),
    )


def _checked(
    targets: Float[Measured, "..."], measured: Float[Measured, "..."]
) -> tuple[Float[np.ndarray, " writes"], Float[np.ndarray, " writes"]]:
    """The target of each write, and what it left."""
    asked, found = in_siemens("targets", targets), in_siemens("measured", measured)
    if asked.shape not in (found.shape, found.shape[-1:], ()):
        raise ValueError(
            "`targets` must be one for each of `measured`, or one for each of its columns. "
            f"Got {asked.shape} and {found.shape}. Transpose?"
        )
    return np.broadcast_to(asked, found.shape).ravel(), found.ravel()


def _writes(
    target: Float[np.ndarray, " writes"],
    found: Float[np.ndarray, " writes"],
    g_max: float,
    degree: int,
    offset_degree: int | None,
) -> Writes:
    g = target / g_max
    spread = powers(g, degree)
    offset = spread[:, :0]
    if offset_degree is not None:
        offset = powers(g, offset_degree)
    most, parameters = max(spread.shape[1], offset.shape[1]), spread.shape[1] + offset.shape[1]
    enough(len(np.unique(g)), most, of="different targets", why=f"for a polynomial of {most} coefficients")
    enough(len(g), 10 * parameters, of="writes", why=f"for {parameters} parameters")
    return Writes(g, (found - target) / g_max, found <= 0, spread, offset)


def _start(writes: Writes) -> Float[np.ndarray, " parameters"]:
    """A spread that is the same everywhere, and the mean error by least squares."""
    offset = np.linalg.lstsq(writes.offset, writes.error, rcond=None)[0]
    spread = np.zeros(writes.spread.shape[1])
    spread[0] = np.sqrt(np.mean((writes.error - writes.offset @ offset) ** 2)) or 1e-12
    return np.concatenate([spread, offset])


def _log_likelihood(x: Float[Array, " parameters"], data: tuple[Array, ...]) -> Float[Array, " writes"]:
    spread, offset, g, error, clipped = data
    std, mean = spread @ x[: spread.shape[1]], offset @ x[spread.shape[1] :]
    safe = jnp.where(std > 0, std, 1.0)
    inside = -0.5 * ((error - mean) / safe) ** 2 - jnp.log(safe) - 0.5 * jnp.log(2 * jnp.pi)
    value = jnp.where(clipped, log_probability(-(g + mean) / safe), inside)
    return jnp.where(std > 0, value, -jnp.inf)


def _goodness(writes: Writes, x: Float[np.ndarray, " parameters"], log_likelihood: float) -> Goodness:
    p, n = writes.spread.shape[1], len(writes.g)
    std, mean = writes.spread @ x[:p], writes.offset @ x[p:]
    free = (writes.g + mean > FREE_OF_CLIPPING * std) & ~writes.clipped
    z = _residuals(writes, x)
    tests = kept(
        mean_against_target=pattern(z, writes.g, len(x) - p),
        spread_against_target=pattern(z**2 - 1, writes.g, p),
        normal_errors=normality(z[free]),
    )
    r2 = explained(writes.g + writes.error, writes.g + mean)
    return Goodness(n, log_likelihood, float(np.sum(z**2)), n - len(x), r2, tests)


def _residuals(writes: Writes, x: Float[np.ndarray, " parameters"]) -> Float[np.ndarray, " writes"]:
    """What was found less the mean of a normal that is clipped at zero, in its standard deviations."""
    from scipy.stats import norm

    p = writes.spread.shape[1]
    std, aimed = writes.spread @ x[:p], writes.g + writes.offset @ x[p:]
    pdf, cdf = norm.pdf(aimed / std), norm.cdf(aimed / std)
    mean = aimed * cdf + std * pdf
    square = (aimed**2 + std**2) * cdf + aimed * std * pdf
    return (np.maximum(writes.g + writes.error, 0.0) - mean) / np.sqrt(square - mean**2)


def _panels(writes: Writes, x: Float[np.ndarray, " parameters"], g_max: float) -> tuple[Panel, ...]:
    p = writes.spread.shape[1]
    mean = writes.offset @ x[p:]
    line = np.linspace(writes.g.min(), 1.0, 200)
    micro = 1e6 * g_max
    z = _residuals(writes, x)
    label = "target (µS)"
    offset = powers(line, len(x) - p - 1) @ x[p:] if len(x) > p else np.zeros_like(line)
    # The mean of |error| of a normal is sqrt(2 / pi) standard deviations.
    size = np.abs(writes.error - mean) * np.sqrt(np.pi / 2)
    return (
        Panel(micro * writes.g, micro * writes.error, micro * line, micro * offset, z, label, "error (µS)"),
        Panel(
            micro * writes.g,
            micro * size,
            micro * line,
            micro * powers(line, p - 1) @ x[:p],
            z,
            label,
            "|error| · √(π/2), std (µS)",
        ),
    )
