"""The likelihood of cells that drift: lines in log time whose exponents are folded normals over the cells."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._likelihood import fitted, log_probability, numbered, positive_signs


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


class Curves(NamedTuple):
    """Mean and spread of the exponents, the noise of a read, and a walk beside it.

    Of each the powers of conductance, its coefficients, or its value for each cell. Without a walk there is none of it.
    """

    mean: Any
    spread: Any
    read: Any
    walk: Any

    @property
    def names(self) -> list[str]:
        """Of all coefficients, where these are the powers."""
        mean, spread, read, walk = (design.shape[1] for design in self)
        return [*numbered(nu_mean=mean, nu_std=spread, read_noise=read), *["walk"] * walk]

    def split(self, x: Float[np.ndarray, " parameters"]) -> "Curves":
        """All coefficients `x` by the curve that they are of, where these are the powers."""
        return Curves(*np.split(x, np.cumsum([design.shape[1] for design in self])[:-1]))


@dataclass(frozen=True)
class FittedCells:
    """The coefficients of all curves, what these are for each cell, and its line with errors of that noise."""

    coefficients: Curves
    curves: Curves
    lines: Lines


def fitted_cells(points: Points, designs: Curves, coefficients: Curves) -> FittedCells:
    """What the `coefficients` say of each cell."""
    curves = Curves(*(design @ part for design, part in zip(designs, coefficients, strict=True)))
    lines = lines_of(points, curves.read, float(coefficients.walk.sum()))
    return FittedCells(coefficients, curves, lines)


def lines_of(points: Points, read: Float[np.ndarray, " cells"], walk: float) -> Lines:
    """Lines for errors of standard deviation `read`, and for a walk of variance `walk`^2 in a unit of log time."""
    u, size = points.log_time, np.maximum(read, 1e-12)
    covariance = np.eye(len(u)) + (walk / np.mean(size)) ** 2 * np.minimum.outer(u, u)
    white = np.linalg.inv(np.linalg.cholesky(covariance))
    frame, triangle = np.linalg.qr(white @ np.stack([np.ones_like(u), u], axis=1))
    found = np.linalg.solve(triangle, frame.T @ white @ points.log_g.T)
    residual = points.log_g - found[0][:, None] - found[1][:, None] * u
    whitened = residual @ white.T / size[:, None]
    return Lines(np.exp(found[0]), -found[1], residual, whitened, frame.T, size / abs(float(triangle[1, 1])))


def most_likely(
    points: Points, lines: Lines, designs: Curves
) -> tuple[Float[np.ndarray, " parameters"], Float[np.ndarray, "parameters parameters"], float]:
    """All coefficients in the order of `designs`, each searched for in units of its own size."""
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
    sign = positive_signs(x, (spread, noise, walk), first=mean.shape[1])
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
