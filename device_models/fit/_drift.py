"""Drift exponents against conductance, by maximum likelihood that knows how well each exponent is known."""

from typing import Literal

import numpy as np
from jaxtyping import Float

from .._checks import judge
from .._span import Span
from ._device import pcm, polynomial
from ._drift_model import Curves, FittedCells, Points, fitted_cells, lines_of, most_likely
from ._goodness import alternating, explained, kept, normality, pattern, positive_over
from ._input import (
    Measured,
    aims,
    check_cells_at_times,
    check_settings,
    ends,
    enough,
    finite,
    in_siemens,
    powers,
    span,
)
from ._likelihood import estimates
from ._result import Fit, Goodness, Panel, sources_of

METHOD = (
    "Maximum likelihood of all log conductances: lines in log time whose exponents are folded normals over the cells, "
    "and errors about each line; 95 % intervals from the sandwich covariance."
)
# A mean exponent this many standard deviations above zero is never folded, so its residual is a normal.
FREE_OF_FOLDING = 3.0
# Relative scatter that is rounding: such reads have no noise to be tested.
ROUNDING = 1e-9


def fit_drift(
    times: Float[Measured, " times"],
    conductances: Float[Measured, "cells times"],
    *,
    t_0: float,
    targets: Float[Measured, " cells"] | None = None,
    degree: int = 1,
    spread_degree: int = 0,
    noise_degree: int = 0,
    noise: Literal["white", "walk"] = "white",
    g_min: float | None = None,
    g_max: float | None = None,
) -> Fit:
    r"""Fits $G(t) = G_0\,((t + t_0) / t_0)^{-\nu}$ with $\nu = |\mu_\nu(g) + \sigma_\nu(g)\,\xi|$ drawn once a cell.

    A line through $\ln G$ against $u = \ln((t + t_0) / t_0)$ gives the exponent of a cell with an error that the
    scatter about the line tells, $\ln G$ being read with a standard deviation $s(g)$. The likelihood of $\mu_\nu$,
    $\sigma_\nu$ and $s$, polynomials in $g$, is that of $|\nu|$ plus this error: the spread over cells is not taken for
    larger than it is. The device is a `PCM` whose writes and reads are exact; `read_noise` is reported only.

    That holds for errors that are independent from read to read. Noise that is slow against the record tilts a cell's
    line and looks like spread: a walk of 1 % from each of 25 reads to the next, beside reads of 2 %, makes
    $\sigma_\nu$ = 0.015 look 4.6 % larger. The test "independent errors" tells, and `noise="walk"` adds to each cell's
    $\ln G$ a walk of variance $w^2 u$, where $s(g)$ changes with $g$ in proportion to it. So relax oxide cells, and
    nearly so does 1/f noise look at reads that are evenly spaced in log time.

    **Arguments:**

    - `times`: Since the end of programming, in seconds, at least three; for a walk five.
    - `conductances`: Of every cell at every time, in siemens and positive.
    - `t_0`: Time from the write to the reference read, in seconds.
    - `targets`: Conductances aimed at, in siemens, for $g$ = target / `g_max`; if left out, what the lines give for
      time 0 stands for them.
    - `degree`, `spread_degree`, `noise_degree`: Of $\mu_\nu$, $\sigma_\nu$ and $s$.
    - `noise`: "white", or "walk" for a random walk in log time beside it.
    - `g_min`, `g_max`: Range of the device, in siemens; the smallest and the largest target if left out.

    **Returns:** A `Fit` with `nu_mean[i]`, `nu_std[i]` and `read_noise[i]`, coefficients of $g^i$ and pure numbers, and
    with `noise="walk"` $w$ as `walk`, at the mean $s$.

    **Raises:** `ValueError` for data that are not finite, positive and in siemens, or too few, and where $\sigma_\nu$
    is not positive over the range of the device.

    >>> import numpy as np, device_models as dm
    >>> rng, times = np.random.default_rng(0), np.geomspace(1.0, 1e4, 8)
    >>> nu = 0.05 + 0.01 * rng.normal(size=(100, 1))
    >>> g = 10e-6 * ((times + 20.0) / 20.0) ** -nu * (1 + 0.005 * rng.normal(size=(100, 8)))
    >>> fit = dm.fit.fit_drift(times, g, t_0=20.0, degree=0, targets=np.linspace(9e-6, 11e-6, 100))
    >>> print(f"{fit.parameters['nu_mean[0]'].value:.2f} +- {fit.parameters['nu_std[0]'].value:.2f}")
    0.05 +- 0.01
    """
    degrees = {"degree": degree, "spread_degree": spread_degree, "noise_degree": noise_degree}
    check_settings(t_0=t_0, g_min=g_min, g_max=g_max, **degrees)
    judge("noise", noise, Literal["white", "walk"])
    points = _points(times, conductances, t_0, least=5 if noise == "walk" else 3)
    first = lines_of(points, np.ones(len(points.log_g)), 0.0)
    aimed = aims(targets, first.g_0)
    (low, scale), n = span(g_min, g_max, aimed), len(aimed)
    designs = _designs(aimed / scale, *degrees.values(), walks=noise == "walk")
    x, covariance, log_likelihood = most_likely(points, first, designs)
    coefficients = designs.split(x)
    positive_over(lambda g: powers(g, spread_degree) @ coefficients.spread, low / scale, 1.0, name="nu_std")
    parameters = estimates(designs.names, ["1"] * len(x), x, covariance, n)
    found = fitted_cells(points, designs, coefficients)
    return Fit(
        device=pcm(
            limits=(low, scale),
            nu=(polynomial(coefficients.mean), polynomial(coefficients.spread)),
            t_0=t_0,
            sources=sources_of(parameters, f"{n} cells at {len(points.log_time)} times"),
            span=Span(time=ends(times), conductance=ends(aimed)),
        ),
        parameters=parameters,
        goodness=_goodness(found, aimed / scale, log_likelihood),
        method=METHOD,
        covariance=covariance,
        panels=_panels(points, found, aimed, scale),
    )


def _points(
    times: Float[Measured, " times"], conductances: Float[Measured, "cells times"], t_0: float, least: int
) -> Points:
    seconds, g = finite("times", times), in_siemens("conductances", conductances)
    check_cells_at_times(g, seconds)
    if seconds.min() < 0:
        raise ValueError(f"`times` must be at least 0, in seconds since the write. Got times from {seconds.min()} on.")
    if g.min() <= 0:
        raise ValueError(
            f"`conductances` must be positive: a cell at zero shows no exponent. Got {np.sum(g <= 0)} that are not, "
            f"in cells {np.flatnonzero((g <= 0).any(1))[:5].tolist()}. Leave these cells out."
        )
    enough(len(np.unique(seconds)), least, of="different times", why="for a line and the scatter about it")
    order = np.argsort(seconds, kind="stable")  # neighbours in time are neighbours in a row
    return Points(np.log1p(seconds[order] / t_0), np.log(g)[:, order])


def _designs(g: Float[np.ndarray, " cells"], mean: int, spread: int, read: int, *, walks: bool) -> Curves:
    """The powers of conductance in curves of these degrees."""
    designs = Curves(powers(g, mean), powers(g, spread), powers(g, read), np.ones((len(g), int(walks))))
    count = sum(design.shape[1] for design in designs)
    enough(len(g), 10 * count, of="cells", why=f"for {count} parameters")
    return designs


def _goodness(found: FittedCells, g: Float[np.ndarray, " cells"], log_likelihood: float) -> Goodness:
    from scipy.stats import chi2

    z, lines, curves = _residuals(found), found.lines, found.curves
    parameters = Curves(*(len(part) for part in found.coefficients))
    noisy, free = bool(np.all(curves.read > ROUNDING)), curves.mean > FREE_OF_FOLDING * curves.spread
    # The mean of n residual vectors of unit variance; each lies in a space of `freedom` dimensions.
    common = np.sum(lines.whitened.mean(0) ** 2) * len(g)
    tests = kept(
        straight_in_log_time=float(chi2.sf(common, lines.freedom)) if noisy else None,
        independent_errors=alternating(lines.whitened, lines.frame) if noisy else None,
        mean_against_conductance=pattern(z, g, parameters.mean),
        spread_against_conductance=pattern(z**2 - 1, g, parameters.spread),
        noise_against_conductance=pattern(lines.variance - 1, g, parameters.read) if noisy else None,
        normal_exponents=normality(z[free]),
    )
    freedom = len(z) - parameters.mean - parameters.spread
    return Goodness(len(g), log_likelihood, float(np.sum(z**2)), freedom, explained(lines.nu, curves.mean), tests)


def _residuals(found: FittedCells) -> Float[np.ndarray, " cells"]:
    """Exponents less the mean of a folded normal, in standard deviations of one that is seen with an error."""
    from scipy.stats import norm

    mean, spread = found.curves.mean, found.curves.spread
    ratio = mean / spread
    folded = 2 * spread * norm.pdf(ratio) + mean * (1 - 2 * norm.cdf(-ratio))
    return (found.lines.nu - folded) / np.sqrt(mean**2 + spread**2 - folded**2 + found.lines.error**2)


def _panels(points: Points, found: FittedCells, aimed: Float[np.ndarray, " cells"], scale: float) -> tuple[Panel, ...]:
    line, coefficients = np.linspace(aimed.min() / scale, aimed.max() / scale, 200), found.coefficients.mean
    exponents = Panel(
        1e6 * aimed,
        found.lines.nu,
        1e6 * scale * line,
        powers(line, len(coefficients) - 1) @ coefficients,
        _residuals(found),
        "conductance (µS)",
        "drift exponent",
    )
    fallen = found.lines.residual - found.lines.nu[:, None] * points.log_time
    time = np.exp(points.log_time)
    curve = Panel(
        np.tile(time, len(aimed)),
        np.exp(fallen).ravel(),
        time,
        np.exp(-np.mean(found.curves.mean) * points.log_time),
        found.lines.whitened.ravel(),
        "(t + t₀) / t₀",
        "G / G₀",
        "log",
    )
    return exponents, curve
