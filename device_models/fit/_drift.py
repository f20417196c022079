"""Drift exponents against conductance, by maximum likelihood that knows how well each exponent is known."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._checks import judge
from .._span import Span
from ._device import pcm, polynomial
from ._goodness import alternating, explained, kept, normality, pattern, positive_over
from ._input import Measured, check_settings, ends, enough, finite, in_siemens, powers, span
from ._likelihood import estimates, fitted, log_probability
from ._result import Fit, Goodness, Panel

METHOD = (
    "Maximum likelihood of all log conductances: lines in log time whose exponents are folded normals over the cells, "
    "and errors about each line; 95 % intervals from the sandwich covariance."
)
# A mean exponent this many standard deviations above zero is never folded, so its residual is a normal.
FREE_OF_FOLDING = 3.0
# Relative scatter that is rounding: such reads have no noise to be tested.
ROUNDING = 1e-9


class Points(NamedTuple):
    """The log conductance of every cell at every time, and the time's own logarithm."""

    log_time: Float[np.ndarray, " times"]
    log_g: Float[np.ndarray, "cells times"]


@dataclass(frozen=True)
class Lines:
    """The line of generalised least squares through each cell's log conductance against log time."""

    g_0: Float[np.ndarray, " cells"]
    nu: Float[np.ndarray, " cells"]
    residual: Float[np.ndarray, "cells times"]
    whitened: Float[np.ndarray, "cells times"]  # residuals as independent errors of variance one would leave them
    frame: Float[np.ndarray, "2 times"]  # orthonormal, of what a line takes out of the whitened
    error: Float[np.ndarray, " cells"]  # standard deviation of an exponent

    @property
    def freedom(self) -> int:
        """Degrees of freedom that are left about each line."""
        return self.residual.shape[1] - 2

    @property
    def variance(self) -> Float[np.ndarray, " cells"]:
        """Of one whitened log conductance about its line, as each cell shows it."""
        return np.sum(self.whitened**2, axis=1) / self.freedom


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
    """
    degrees = {"degree": degree, "spread_degree": spread_degree, "noise_degree": noise_degree}
    check_settings(t_0=t_0, g_min=g_min, g_max=g_max, **degrees)
    judge("noise", noise, Literal["white", "walk"])
    points = _points(times, conductances, t_0, least=5 if noise == "walk" else 3)
    first = _lines(points, np.ones(len(points.log_g)), 0.0)
    aimed = first.g_0 if targets is None else in_siemens("targets", targets)
    if aimed.shape != first.g_0.shape:
        raise ValueError(f"`targets` must be one for each cell. Got {aimed.shape} for {len(first.g_0)} cells.")
    (low, scale), n = span(g_min, g_max, aimed), len(aimed)
    designs = *(powers(aimed / scale, degree) for degree in degrees.values()), np.ones((n, int(noise == "walk")))
    count = sum(d.shape[1] for d in designs)
    enough(n, 10 * count, of="cells", why=f"for {count} parameters")

    x, covariance, log_likelihood = _maximum(points, first, designs)
    parts = tuple(np.split(x, np.cumsum([d.shape[1] for d in designs])[:-1]))
    positive_over(lambda g: powers(g, spread_degree) @ parts[1], low / scale, 1.0, name="nu_std")
    names = [
        f"{name}[{i}]"
        for name, part in zip(("nu_mean", "nu_std", "read_noise"), parts, strict=False)
        for i in range(len(part))
    ] + ["walk"] * len(parts[3])
    parameters = estimates(names, ["1"] * len(x), x, covariance, n)
    mean, spread, read = (design @ part for design, part in zip(designs[:3], parts, strict=False))
    lines = _lines(points, read, float(parts[3].sum()))
    return Fit(
        device=pcm(
            g_min=low,
            g_max=scale,
            nu=(polynomial(parts[0]), polynomial(parts[1])),
            t_0=t_0,
            parameters=parameters,
            data=f"{n} cells at {len(points.log_time)} times",
            span=Span(time=ends(times), conductance=ends(aimed)),
        ),
        parameters=parameters,
        goodness=_goodness(
            lines, aimed / scale, mean, spread, parts, log_likelihood, noisy=bool(np.all(read > ROUNDING))
        ),
        method=METHOD,
        covariance=covariance,
        panels=_panels(points, lines, aimed, scale, mean, spread, parts[0]),
    )


def _points(
    times: Float[Measured, " times"], conductances: Float[Measured, "cells times"], t_0: float, least: int
) -> Points:
    seconds, g = finite("times", times), in_siemens("conductances", conductances)
    if g.ndim != 2 or g.shape[1:] != seconds.shape:
        raise ValueError(f"`conductances` must be (cells, times). Got {g.shape} for {seconds.shape} times. Transpose?")
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


def _lines(points: Points, read: Float[np.ndarray, " cells"], walk: float) -> Lines:
    """Lines for errors of standard deviation `read`, and for a walk of variance `walk`^2 in a unit of log time."""
    u, size = points.log_time, np.maximum(read, 1e-12)
    covariance = np.eye(len(u)) + (walk / np.mean(size)) ** 2 * np.minimum.outer(u, u)
    white = np.linalg.inv(np.linalg.cholesky(covariance))
    frame, triangle = np.linalg.qr(white @ np.stack([np.ones_like(u), u], axis=1))
    found = np.linalg.solve(triangle, frame.T @ white @ points.log_g.T)
    residual = points.log_g - found[0][:, None] - found[1][:, None] * u
    whitened = residual @ white.T / size[:, None]
    return Lines(np.exp(found[0]), -found[1], residual, whitened, frame.T, size / abs(float(triangle[1, 1])))


def _maximum(
    points: Points, lines: Lines, designs: tuple[np.ndarray, ...]
) -> tuple[Float[np.ndarray, " parameters"], Float[np.ndarray, "parameters parameters"], float]:
    """Coefficients of mean, spread, read noise and walk, each searched for in units of its own size."""
    mean, spread, noise, walk = designs
    start_mean = np.linalg.lstsq(mean, lines.nu, rcond=None)[0]
    pooled = np.sqrt(max(float(lines.variance.mean()), 1e-24))  # exact reads, too, need a scale
    over_cells = float(np.var(lines.nu - mean @ start_mean))
    leverage = float(np.mean(lines.error**2))
    wide = np.sqrt(max(over_cells - pooled**2 * leverage, 0.1 * over_cells, 1e-24))
    units = wide, wide, pooled, pooled
    unit = np.concatenate([np.full(d.shape[1], u) for d, u in zip(designs, units, strict=True)])
    start = np.concatenate(
        [start_mean / wide, *(np.eye(d.shape[1])[0] for d in (spread, noise)), np.full(walk.shape[1], 0.3)]
    )
    walked, apart = np.linalg.eigh(np.minimum.outer(points.log_time, points.log_time))
    rotated = apart.sum(0), points.log_time @ apart, np.maximum(walked, 0.0), points.log_g @ apart / pooled
    data = (*designs, *rotated, np.array(wide / pooled))
    x, covariance, value = fitted(
        _log_likelihood, start, data, remedy="Choose lower degrees, or leave out cells that do not drift."
    )
    sign, end = np.ones_like(x), mean.shape[1]
    for design in (spread, noise, walk):  # only the squares are known
        part = slice(end, end := end + design.shape[1])
        sign[part] = np.sign(np.sum(design @ x[part])) or 1.0
    contrasts = points.log_g.shape[1] - 1  # the level of a cell says nothing
    value -= points.log_g.shape[0] * contrasts * np.log(pooled)
    return x * sign * unit, covariance * np.outer(sign * unit, sign * unit), value


def _log_likelihood(x: Float[Array, " parameters"], data: tuple[Array, ...]) -> Float[Array, " cells"]:
    """Of each cell's log conductances but for their free level, in directions in which a walk has no correlations."""
    *designs, one, u, walked, y, ratio = data
    ends = np.cumsum([design.shape[1] for design in designs])[:-1]
    *coefficients, walk = jnp.split(x, ends)
    mu, sigma, s = (design @ part for design, part in zip(designs, coefficients, strict=False))
    weight, size = jnp.ones_like(u), s**2  # of a cell's errors the variance is size / weight
    if walk.size:
        mean = jnp.mean(s)
        weight, size = 1 / (mean**2 + walk[0] ** 2 * walked), size / mean**2
    total = weight @ one**2
    slope = ratio * (u - (weight @ (one * u) / total) * one)
    known = weight @ slope**2
    nu = -y @ (weight * slope) / known
    residual = y - (y @ (weight * one) / total)[:, None] * one[None] + nu[:, None] * slope[None]
    scatter = residual**2 @ weight / size
    volume = jnp.log(total) + jnp.log(known) - jnp.sum(jnp.log(weight)) + (u.size - 2) * jnp.log(size)
    return _folded(nu, mu, sigma**2, size / known) - 0.5 * (scatter + volume)


def _folded(nu, mu, sigma_squared, error_squared) -> Float[Array, " cells"]:
    """Log probability of exponents that are folded normals and seen with an error."""
    total = sigma_squared + error_squared
    root = jnp.sqrt(sigma_squared * error_squared * total + 1e-300)

    def branch(mu):  # the exponent came from this side of the fold
        inside = log_probability((nu * sigma_squared + mu * error_squared) / root)
        return inside - 0.5 * (nu - mu) ** 2 / total - 0.5 * jnp.log(2 * jnp.pi * total)

    return jnp.logaddexp(branch(mu), branch(-mu))


def _goodness(
    lines: Lines,
    g: Float[np.ndarray, " cells"],
    mean: Float[np.ndarray, " cells"],
    spread: Float[np.ndarray, " cells"],
    parts: tuple[np.ndarray, ...],
    log_likelihood: float,
    *,
    noisy: bool,
) -> Goodness:
    from scipy.stats import chi2

    z = _residuals(lines, mean, spread)
    free = mean > FREE_OF_FOLDING * spread
    # The mean of n residual vectors of unit variance; each lies in a space of `freedom` dimensions.
    common = np.sum(lines.whitened.mean(0) ** 2) * len(g)
    tests = kept(
        straight_in_log_time=float(chi2.sf(common, lines.freedom)) if noisy else None,
        independent_errors=alternating(lines.whitened, lines.frame) if noisy else None,
        mean_against_conductance=pattern(z, g, len(parts[0])),
        spread_against_conductance=pattern(z**2 - 1, g, len(parts[1])),
        noise_against_conductance=pattern(lines.variance - 1, g, len(parts[2])) if noisy else None,
        normal_exponents=normality(z[free]),
    )
    freedom = len(z) - len(parts[0]) - len(parts[1])
    return Goodness(len(g), log_likelihood, float(np.sum(z**2)), freedom, explained(lines.nu, mean), tests)


def _residuals(
    lines: Lines, mean: Float[np.ndarray, " cells"], spread: Float[np.ndarray, " cells"]
) -> Float[np.ndarray, " cells"]:
    """Exponents less the mean of a folded normal, in standard deviations of one that is seen with an error."""
    from scipy.stats import norm

    ratio = mean / spread
    folded = 2 * spread * norm.pdf(ratio) + mean * (1 - 2 * norm.cdf(-ratio))
    return (lines.nu - folded) / np.sqrt(mean**2 + spread**2 - folded**2 + lines.error**2)


def _panels(
    points: Points,
    lines: Lines,
    aimed: Float[np.ndarray, " cells"],
    scale: float,
    mean: Float[np.ndarray, " cells"],
    spread: Float[np.ndarray, " cells"],
    coefficients: Float[np.ndarray, " powers"],
) -> tuple[Panel, ...]:
    line = np.linspace(aimed.min() / scale, aimed.max() / scale, 200)
    exponents = Panel(
        1e6 * aimed,
        lines.nu,
        1e6 * scale * line,
        powers(line, len(coefficients) - 1) @ coefficients,
        _residuals(lines, mean, spread),
        "conductance (µS)",
        "drift exponent",
    )
    fallen = lines.residual - lines.nu[:, None] * points.log_time
    time = np.exp(points.log_time)
    curve = Panel(
        np.tile(time, len(aimed)),
        np.exp(fallen).ravel(),
        time,
        np.exp(-np.mean(mean) * points.log_time),
        lines.whitened.ravel(),
        "(t + t₀) / t₀",
        "G / G₀",
        "log",
    )
    return exponents, curve
