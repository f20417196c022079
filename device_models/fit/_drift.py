"""Drift exponents against conductance, by maximum likelihood that knows how well each exponent is known."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._device import pcm, polynomial
from ._goodness import explained, kept, normality, pattern, positive_over
from ._input import Measured, check_settings, enough, finite, in_siemens, powers, span
from ._likelihood import estimates, fitted, log_probability
from ._result import Fit, Goodness, Panel

METHOD = (
    "Each cell's exponent by least squares on log time; their mean and spread over cells by maximum likelihood of a "
    "folded normal that is seen with the error of each exponent; 95 % intervals from the sandwich covariance."
)
# A mean exponent this many standard deviations above zero is never folded, so its residual is a normal.
FREE_OF_FOLDING = 3.0
# Relative scatter that is rounding: such reads have no noise to be tested.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Lines:
    """The least-squares line through each cell's log conductance against log time."""

    log_time: Float[np.ndarray, " times"]
    g_0: Float[np.ndarray, " cells"]
    nu: Float[np.ndarray, " cells"]
    residual: Float[np.ndarray, "cells times"]

    @property
    def leverage(self) -> float:
        """Variance of an exponent, in variances of one log conductance."""
        return float(1 / np.sum((self.log_time - self.log_time.mean()) ** 2))

    @property
    def freedom(self) -> int:
        """Degrees of freedom that are left about each line."""
        return len(self.log_time) - 2

    @property
    def variance(self) -> Float[np.ndarray, " cells"]:
        """Of one log conductance about its line, as each cell shows it."""
        return np.sum(self.residual**2, axis=1) / self.freedom


def fit_drift(
    times: Float[Measured, " times"],
    conductances: Float[Measured, "cells times"],
    *,
    t_0: float,
    targets: Float[Measured, " cells"] | None = None,
    degree: int = 1,
    spread_degree: int = 0,
    noise_degree: int = 0,
    g_min: float | None = None,
    g_max: float | None = None,
) -> Fit:
    r"""Fits $G(t) = G_0\,((t + t_0) / t_0)^{-\nu}$ with $\nu = |\mu_\nu(g) + \sigma_\nu(g)\,\xi|$ drawn once a cell.

    A line through $\ln G$ against $\ln((t + t_0) / t_0)$ gives the exponent of a cell with an error that the scatter
    about the line tells, $\ln G$ being read with a standard deviation $s(g)$. The likelihood of $\mu_\nu$, $\sigma_\nu$
    and $s$, polynomials in $g$, is that of $|\nu|$ plus this error: the spread over cells is not taken for larger than
    it is. The device is a `PCM` whose writes and reads are exact; `read_noise` is reported only.

    **Arguments:**

    - `times`: Since the end of programming, in seconds, at least three.
    - `conductances`: Of every cell at every time, in siemens and positive.
    - `t_0`: Time from the write to the reference read, in seconds.
    - `targets`: Conductances aimed at, in siemens, for $g$ = target / `g_max`; if left out, what the lines give for
      time 0 stands for them.
    - `degree`, `spread_degree`, `noise_degree`: Of $\mu_\nu$, $\sigma_\nu$ and $s$.
    - `g_min`, `g_max`: Range of the device, in siemens; the smallest and the largest target if left out.

    **Returns:** A `Fit` with `nu_mean[i]`, `nu_std[i]` and `read_noise[i]`, coefficients of $g^i$ and pure numbers.

    **Raises:** `ValueError` for data that are not finite, positive and in siemens, or too few, and where $\sigma_\nu$
    is not positive over the range of the device.
    """
    degrees = {"degree": degree, "spread_degree": spread_degree, "noise_degree": noise_degree}
    check_settings(t_0=t_0, g_min=g_min, g_max=g_max, **degrees)
    lines = _lines(times, conductances, t_0)
    aimed = lines.g_0 if targets is None else in_siemens("targets", targets)
    if aimed.shape != lines.g_0.shape:
        raise ValueError(f"`targets` must be one for each cell. Got {aimed.shape} for {len(lines.g_0)} cells.")
    (low, scale), n = span(g_min, g_max, aimed), len(aimed)
    designs = tuple(powers(aimed / scale, degree) for degree in degrees.values())
    enough(
        n, 10 * sum(d.shape[1] for d in designs), of="cells", why=f"for {sum(d.shape[1] for d in designs)} parameters"
    )

    x, covariance, log_likelihood = _maximum(lines, designs)
    mean, spread, noise = np.split(x, np.cumsum([d.shape[1] for d in designs])[:2])
    positive_over(lambda g: powers(g, spread_degree) @ spread, low / scale, 1.0, name="nu_std")
    names = [
        f"{name}[{i}]"
        for name, part in (("nu_mean", mean), ("nu_std", spread), ("read_noise", noise))
        for i in range(len(part))
    ]
    parameters = estimates(names, ["1"] * len(x), x, covariance, n)
    return Fit(
        device=pcm(
            g_min=low,
            g_max=scale,
            nu=(polynomial(mean), polynomial(spread)),
            t_0=t_0,
            parameters=parameters,
            data=f"{n} cells at {len(lines.log_time)} times",
        ),
        parameters=parameters,
        goodness=_goodness(lines, aimed / scale, designs, (mean, spread, noise), log_likelihood),
        method=METHOD,
        covariance=covariance,
        panels=_panels(lines, aimed, scale, designs, (mean, spread, noise)),
    )


def _lines(times: Float[Measured, " times"], conductances: Float[Measured, "cells times"], t_0: float) -> Lines:
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
    enough(len(np.unique(seconds)), 3, of="different times", why="for a line and the scatter about it")
    log_time = np.log1p(seconds / t_0)
    centred = log_time - log_time.mean()
    slope = np.log(g) @ centred / np.sum(centred**2)
    at_0 = np.log(g).mean(1) - slope * log_time.mean()
    return Lines(log_time, np.exp(at_0), -slope, np.log(g) - at_0[:, None] - slope[:, None] * log_time)


def _maximum(
    lines: Lines, designs: tuple[np.ndarray, ...]
) -> tuple[Float[np.ndarray, " parameters"], Float[np.ndarray, "parameters parameters"], float]:
    """Coefficients of mean, spread and read noise, each searched for in units of its own size."""
    mean, spread, noise = designs
    start_mean = np.linalg.lstsq(mean, lines.nu, rcond=None)[0]
    pooled = max(float(lines.variance.mean()), 1e-24)  # exact reads, too, need a scale
    over_cells = float(np.var(lines.nu - mean @ start_mean))
    wide = np.sqrt(max(over_cells - pooled * lines.leverage, 0.1 * over_cells, 1e-24))
    unit = np.concatenate([np.full(d.shape[1], u) for d, u in zip(designs, (wide, wide, pooled**0.5), strict=True)])
    start = np.concatenate([start_mean / wide, *(np.eye(d.shape[1])[0] for d in (spread, noise))])
    data = (
        *designs,
        lines.nu / wide,
        lines.variance / pooled,
        np.array(lines.leverage * pooled / wide**2),
        np.array(float(lines.freedom)),
    )
    x, covariance, value = fitted(
        _log_likelihood, start, data, remedy="Choose lower degrees, or leave out cells that do not drift."
    )
    # Only the squares of spread and read noise are known.
    sign = np.ones_like(x)
    for part in (slice(mean.shape[1], mean.shape[1] + spread.shape[1]), slice(len(x) - noise.shape[1], None)):
        design = spread if part.stop else noise
        sign[part] = np.sign(np.sum(design @ x[part])) or 1.0
    value -= len(lines.nu) * (np.log(wide) + 0.5 * lines.freedom * np.log(pooled))  # back to exponents as they are
    return x * sign * unit, covariance * np.outer(sign * unit, sign * unit), value


def _log_likelihood(x: Float[Array, " parameters"], data: tuple[Array, ...]) -> Float[Array, " cells"]:
    mean, spread, noise, nu, variance, leverage, freedom = data
    p, q = mean.shape[1], spread.shape[1]
    mu, sigma_squared, s_squared = mean @ x[:p], (spread @ x[p : p + q]) ** 2, (noise @ x[p + q :]) ** 2
    error_squared = leverage * s_squared
    total = sigma_squared + error_squared
    root = jnp.sqrt(sigma_squared * error_squared * total + 1e-300)

    def branch(mu):  # the exponent came from this side of the fold
        inside = log_probability((nu * sigma_squared + mu * error_squared) / root)
        return inside - 0.5 * (nu - mu) ** 2 / total - 0.5 * jnp.log(2 * jnp.pi * total)

    scatter = -0.5 * freedom * (jnp.log(s_squared) + variance / s_squared)
    return jnp.logaddexp(branch(mu), branch(-mu)) + scatter


def _goodness(
    lines: Lines,
    g: Float[np.ndarray, " cells"],
    designs: tuple[np.ndarray, ...],
    x: tuple[np.ndarray, ...],
    log_likelihood: float,
) -> Goodness:
    from scipy.stats import chi2

    mean, spread, noise = (design @ part for design, part in zip(designs, x, strict=True))
    z = _residuals(lines, mean, spread, noise)
    free = mean > FREE_OF_FOLDING * spread
    noisy = np.all(noise > ROUNDING)
    # The mean of n residual vectors of unit variance; each lies in a space of `freedom` dimensions.
    common = np.sum((lines.residual / noise[:, None]).mean(0) ** 2) * len(g)
    tests = kept(
        straight_in_log_time=float(chi2.sf(common, lines.freedom)) if noisy else None,
        mean_against_conductance=pattern(z, g, len(x[0])),
        spread_against_conductance=pattern(z**2 - 1, g, len(x[1])),
        noise_against_conductance=pattern(lines.variance / noise**2 - 1, g, len(x[2])) if noisy else None,
        normal_exponents=normality(z[free]),
    )
    freedom = len(z) - len(x[0]) - len(x[1])
    return Goodness(len(g), log_likelihood, float(np.sum(z**2)), freedom, explained(lines.nu, mean), tests)


def _residuals(
    lines: Lines,
    mean: Float[np.ndarray, " cells"],
    spread: Float[np.ndarray, " cells"],
    noise: Float[np.ndarray, " cells"],
) -> Float[np.ndarray, " cells"]:
    """Exponents less the mean of a folded normal, in standard deviations of one that is seen with an error."""
    from scipy.stats import norm

    ratio = mean / spread
    folded = 2 * spread * norm.pdf(ratio) + mean * (1 - 2 * norm.cdf(-ratio))
    return (lines.nu - folded) / np.sqrt(mean**2 + spread**2 - folded**2 + lines.leverage * noise**2)


def _panels(
    lines: Lines,
    aimed: Float[np.ndarray, " cells"],
    scale: float,
    designs: tuple[np.ndarray, ...],
    x: tuple[np.ndarray, ...],
) -> tuple[Panel, ...]:
    mean, spread, noise = (design @ part for design, part in zip(designs, x, strict=True))
    z = _residuals(lines, mean, spread, noise)
    line = np.linspace(aimed.min() / scale, aimed.max() / scale, 200)
    exponents = Panel(
        1e6 * aimed,
        lines.nu,
        1e6 * scale * line,
        powers(line, len(x[0]) - 1) @ x[0],
        z,
        "conductance (µS)",
        "drift exponent",
    )
    fallen = lines.residual - lines.nu[:, None] * lines.log_time
    time = np.exp(lines.log_time)
    curve = Panel(
        np.tile(time, len(aimed)),
        np.exp(fallen).ravel(),
        np.sort(time),
        np.exp(-np.mean(mean) * np.sort(lines.log_time)),
        (lines.residual / noise[:, None]).ravel(),
        "(t + t₀) / t₀",
        "G / G₀",
        "log",
    )
    return exponents, curve
