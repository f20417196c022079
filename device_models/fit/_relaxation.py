"""How cells relax: mean and spread over conductance and log time, how one cell moves, and tails."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .._cells._gaussian import Gaussian
from .._checks import each, judge, whole
from .._span import Span
from ..ageing._growth import Growth
from ..curves._curves import RELATIVE, Constant, Table
from ._goodness import explained, kept, pattern
from ._input import Measured, aims, check_cells_at_times, check_settings, enough, finite, in_siemens, real, span
from ._jump_fit import JumpFit, fit_jumps
from ._likelihood import estimates
from ._result import Fit, Goodness, Panel, sources_of

METHOD = (
    "Means and variances between knots by weighted least squares; the jumps from correlations, skewness and kurtosis "
    "of the standardised deviations by minimum distance; 95 % intervals from the influence of each cell."
)
FEWEST_AT_A_KNOT, STEPS = 10, 200
KNOTS = each(RELATIVE, RELATIVE.what)


@dataclass(frozen=True)
class Tables:
    """Mean and standard deviation at each age and knot, in siemens, and how each cell moves these estimates."""

    knots: Float[np.ndarray, " knots"]
    shift: Float[np.ndarray, "times knots"]
    spread: Float[np.ndarray, "times knots"]
    mean: Float[np.ndarray, "cells times"]
    std: Float[np.ndarray, "cells times"]
    influence: Float[np.ndarray, "cells parameters"]


def fit_relaxation(
    times: Float[Measured, " times"],
    conductances: Float[Measured, "cells times"],
    *,
    targets: Float[Measured, " cells"] | None = None,
    knots: int | tuple[float, ...] = 8,
    bands: int = 6,
    g_min: float | None = None,
    g_max: float | None = None,
) -> Fit:
    r"""Fits the deviation $D(t) = G(t) - G(0) = \Delta(g, t) + \sigma(g, t)\,Z(t)$ of cells from their first read.

    $\Delta$ and $\sigma^2$ are linear between `knots` of $g$ at each age, and from the write to the first age and
    between ages in log time: `Growth`. $Z$ is that of `Jumps`, one clock for all cells, with rate, own share and
    lean for each of `bands` of conductance. So not only the spread at each age is that of the data but also what
    one cell at one age says of it at another, and how heavy the tails are. The device is a `Gaussian` whose write
    noise is the spread of the first reads about `targets`.

    **Arguments:**

    - `times`: Since the end of programming, in seconds: 0, then at least three.
    - `conductances`: Of every cell at every time, in siemens; NaN where a cell was not read, which may not be at 0.
    - `targets`: Conductances aimed at, in siemens, for $g$ = target / `g_max`; if left out, the first reads stand
      for them, and there is no write noise.
    - `knots`: How many, at least two, evenly among the different targets; or where they are, in units of `g_max`.
    - `bands`: How many, each of as many cells.
    - `g_min`, `g_max`: Range of the device, in siemens; the smallest and the largest target if left out.

    **Returns:** A `Fit` with `shift[i,j]` and `spread[i,j]` at age i and knot j, in siemens, `onset` in seconds,
    and the pure numbers `healing`, `unevenness`, `rate[b]`, `own[b]` and `lean[b]`. Intervals of `unevenness`,
    `rate` and `lean`, which follow the tails, held the truth in 85 to 95 % of simulations. Its likelihood is that
    of normals with these means, spreads and correlations.

    **Raises:** `ValueError` for data that are not finite, not in siemens or too few, and for cells that do not move.

    >>> import jax.numpy as jnp, jax.random as jr, numpy as np, device_models as dm
    >>> device, target, times = dm.rram_relaxing(), np.linspace(1e-6, 39e-6, 200), np.array([0.0, 0.01, 1.0, 1e3])
    >>> cells = device.program(jnp.asarray(target, jnp.float32), key=jr.key(0))
    >>> g = np.stack([device.conductance(cells, jnp.asarray(t, jnp.float32)) for t in times], axis=1)
    >>> dm.fit.fit_relaxation(times, g, targets=target, knots=2, bands=1, g_max=40e-6).parameters["onset"].unit
    's'
    """
    check_settings(g_min=g_min, g_max=g_max)
    judge("knots", knots, int | tuple[float, ...], whole(2) if isinstance(knots, int) else KNOTS)
    judge("bands", bands, int, whole(1))
    seconds, g = _read(times, conductances)
    first = g[:, 0]
    aimed = aims(targets, first)
    low, scale = span(g_min, g_max, aimed)
    relative, deviation = np.clip(aimed / scale, 0.0, 1.0), g[:, 1:] - first[:, None]
    at = _knots(relative, knots)
    enough(len(relative), 50 * bands, of="cells", why=f"for {bands} bands")

    tables = _tables(relative, deviation, seconds, at, scale)
    z = (deviation - tables.mean) / tables.std
    jumps = fit_jumps(seconds, z, relative, bands)
    error = None if targets is None else first - aimed
    names, units, values, influence = _parameters(tables, jumps, error)
    covariance = influence.T @ influence
    parameters = estimates(names, units, values, covariance, len(aimed))
    data = f"{len(aimed)} cells at {len(seconds)} ages"
    return Fit(
        device=_device(seconds, tables, jumps, error, (low, scale), sources_of(parameters, data)),
        parameters=parameters,
        goodness=_goodness(relative, deviation, tables, z, jumps, len(values)),
        method=METHOD,
        covariance=covariance,
        panels=_panels(aimed, scale, deviation, tables, z, jumps),
    )


def _read(
    times: Float[Measured, " times"], conductances: Float[Measured, "cells times"]
) -> tuple[Float[np.ndarray, " ages"], Float[np.ndarray, "cells times"]]:
    """Ages after the first read, and conductances."""
    seconds, given = finite("times", times), real("conductances", conductances).astype(np.float64)
    check_cells_at_times(given, seconds)
    if seconds[0] != 0 or np.any(np.diff(seconds) <= 0):
        raise ValueError(f"`times` must begin at 0 and increase, in seconds since the write. Got {seconds.tolist()}.")
    enough(len(seconds), 4, of="times", why="for how one cell moves, that of the write with them")
    in_siemens("conductances", np.where(np.isnan(given), 0.0, given))
    if missing := int(np.isnan(given[:, 0]).sum()):
        raise ValueError(f"`conductances` must have every cell at time 0. Got {missing} without. Leave them out.")
    return seconds[1:], given


def _knots(g: Float[np.ndarray, " cells"], knots: int | tuple[float, ...]) -> Float[np.ndarray, " knots"]:
    n = knots if isinstance(knots, int) else len(knots)
    enough(len(np.unique(g)), n, of="different targets", why=f"for {n} knots")
    at = np.quantile(np.unique(g), np.linspace(0, 1, n)) if isinstance(knots, int) else np.array(knots, float)
    if len(at) < 2 or np.any(np.diff(at) <= 0):
        raise ValueError(f"`knots` must be at least two and increase, in units of `g_max`. Got {knots}.")
    return at


def _tables(
    g: Float[np.ndarray, " cells"],
    deviation: Float[np.ndarray, "cells times"],
    seconds: Float[np.ndarray, " times"],
    at: Float[np.ndarray, " knots"],
    scale: float,
) -> Tables:
    """Weighted least squares and most likely variances at each age."""
    (n, ages), knots, all_hats = deviation.shape, len(at), _hats(g, at)
    shift, spread = np.zeros((ages, knots)), np.zeros((ages, knots))
    influence = np.zeros((n, 2, ages, knots))
    for i in range(ages):
        read = ~np.isnan(deviation[:, i])
        hats, d = all_hats[read], deviation[read, i] / scale
        _check_covered(hats, seconds[i])
        shift[i], of_mean = _least_squares(hats, d, np.ones_like(d))
        for _ in range(2):  # the second time with the variances that the first found
            square = (d - hats @ shift[i]) ** 2
            spread[i], of_spread = _variances(hats, square, seconds[i])
            shift[i], of_mean = _least_squares(hats, d, 1 / (hats @ spread[i] ** 2))
        influence[read, 0, i], influence[read, 1, i] = of_mean, of_spread
    mean, std = all_hats @ shift.T, np.sqrt(all_hats @ spread.T**2)
    return Tables(at, scale * shift, scale * spread, scale * mean, scale * std, scale * influence.reshape(n, -1))


def _hats(g: Float[np.ndarray, " cells"], at: Float[np.ndarray, " knots"]) -> Float[np.ndarray, "cells knots"]:
    """The weights of the knots in linear interpolation, held at the ends."""
    return np.stack([np.interp(g, at, one) for one in np.eye(len(at))], axis=1)


def _check_covered(hats: Float[np.ndarray, "cells knots"], age: float) -> None:
    if (fewest := float(hats.sum(0).min())) < FEWEST_AT_A_KNOT:
        raise ValueError(
            f"At least {FEWEST_AT_A_KNOT} cells are needed about each knot. Got {fewest:.3g} at {age:g} s. "
            "Measure more or choose fewer knots."
        )


def _least_squares(
    design: Float[np.ndarray, "cells knots"], y: Float[np.ndarray, " cells"], weight: Float[np.ndarray, " cells"]
) -> tuple[Float[np.ndarray, " knots"], Float[np.ndarray, "cells knots"]]:
    """Coefficients, and how each cell moves them."""
    inverse = np.linalg.pinv(design.T @ (weight[:, None] * design), hermitian=True)
    found = inverse @ (design.T @ (weight * y))
    return found, ((weight * (y - design @ found))[:, None] * design) @ inverse


def _variances(
    design: Float[np.ndarray, "cells knots"], square: Float[np.ndarray, " cells"], age: float
) -> tuple[Float[np.ndarray, " knots"], Float[np.ndarray, "cells knots"]]:
    """Standard deviations whose squares at the knots are most likely for normal deviations, and how cells move them.

    Each step multiplies the variances by a ratio that is 1 at the maximum, so they stay positive.
    """
    if not np.mean(square) > 0:
        raise ValueError(f"Cells must move for a spread to be fitted. Got the same reads at 0 and at {age:g} s.")
    variance = np.full(design.shape[1], np.mean(square))
    for _ in range(STEPS):
        now = design @ variance
        variance = variance * (design.T @ (square / now**2)) / np.maximum(design.T @ (1 / now), 1e-300)
    weight = 1 / (design @ variance) ** 2
    inverse = np.linalg.pinv(design.T @ (weight[:, None] * design), hermitian=True)
    influence = ((weight * (square - design @ variance))[:, None] * design) @ inverse
    return np.sqrt(variance), influence / (2 * np.sqrt(np.maximum(variance, 1e-6 * variance.max())))


def _parameters(
    tables: Tables, jumps: JumpFit, error: Float[np.ndarray, " cells"] | None
) -> tuple[list[str], list[str], Float[np.ndarray, " parameters"], Float[np.ndarray, "cells parameters"]]:
    ages, knots = tables.shift.shape
    names = [f"{name}[{i},{j}]" for name in ("shift", "spread") for i in range(ages) for j in range(knots)]
    units = ["S"] * len(names) + ["s"] + ["1"] * (len(jumps.names) - 1)
    values, influence = (
        [*tables.shift.ravel(), *tables.spread.ravel(), *jumps.values],
        [tables.influence, jumps.influence],
    )
    names = [*names, *jumps.names]
    if error is not None:
        std = float(np.std(error))
        names, units, values = ["write_noise", *names], ["S", *units], [std, *values]
        influence = [((error - error.mean()) ** 2 - std**2)[:, None] / (2 * std * len(error) or 1.0), *influence]
    return names, units, np.array(values), np.concatenate(influence, axis=1)


def _device(
    seconds: Float[np.ndarray, " times"],
    tables: Tables,
    jumps: JumpFit,
    error: Float[np.ndarray, " cells"] | None,
    ends: tuple[float, float],
    sources: tuple[str, ...],
) -> Gaussian:
    at, ages = _plain(tables.knots), _plain(seconds)

    def growth(values: Float[np.ndarray, "times knots"], power) -> Growth:
        return Growth(ages, tuple(Table(at, _plain(row)) for row in values), jumps.onset, power)

    low, high = ends
    return Gaussian(
        g_min=max(low, 0.0),
        g_max=high,
        write_noise=None if error is None else Constant(float(np.std(error))),
        shift=growth(tables.shift, 1),
        spread=growth(tables.spread, 2),
        path=jumps.path(),
        span=Span(time=(ages[0], ages[-1]), conductance=(at[0] * high, at[-1] * high)),
        sources=sources,
    )


def _plain(values: Float[np.ndarray, " n"]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _goodness(
    g: Float[np.ndarray, " cells"],
    deviation: Float[np.ndarray, "cells times"],
    tables: Tables,
    z: Float[np.ndarray, "cells times"],
    jumps: JumpFit,
    parameters: int,
) -> Goodness:
    log_likelihood, chi2 = 0.0, 0.0
    for band, correlation in enumerate(jumps.correlations):
        of_band = jumps.band == band
        for pattern_read in np.unique(~np.isnan(z[of_band]), axis=0):
            rows = of_band & np.all(~np.isnan(z) == pattern_read, axis=1)
            part, matrix = z[rows][:, pattern_read], correlation[np.ix_(pattern_read, pattern_read)]
            squares = float(np.sum(part * np.linalg.solve(matrix, part.T).T))
            log_of_det = np.linalg.slogdet(matrix)[1] + matrix.shape[0] * np.log(2 * np.pi)
            log_likelihood -= (
                0.5 * (squares + rows.sum() * log_of_det) + np.log(tables.std[rows][:, pattern_read]).sum()
            )
            chi2 += squares
    knots = len(tables.knots)
    read = ~np.isnan(z)
    tests = kept(
        mean_against_conductance=pattern(np.nanmean(z, axis=1), g, knots),
        spread_against_conductance=pattern(np.nanmean(z**2, axis=1) - 1, g, knots),
        correlations_between_ages=jumps.p_correlation,
        skewness_and_kurtosis=jumps.p_tails,
    )
    r2 = explained(deviation[read], tables.mean[read])
    return Goodness(len(g), float(log_likelihood), chi2, int(read.sum()) - parameters, r2, tests)


def _panels(
    aimed: Float[np.ndarray, " cells"],
    scale: float,
    deviation: Float[np.ndarray, "cells times"],
    tables: Tables,
    z: Float[np.ndarray, "cells times"],
    jumps: JumpFit,
) -> tuple[Panel, ...]:
    last = ~np.isnan(deviation[:, -1])
    line = np.linspace(tables.knots[0], tables.knots[-1], 200)
    x, d, label = 1e6 * aimed[last], deviation[last, -1], "target (µS)"
    mean = np.interp(line, tables.knots, tables.shift[-1])
    std = np.sqrt(np.interp(line, tables.knots, tables.spread[-1] ** 2))
    size = np.abs(d - tables.mean[last, -1]) * np.sqrt(np.pi / 2)  # the mean of |error| of a normal is sqrt(2 / pi)
    identity = np.array([0.0, 1.0])
    ages = Panel(jumps.modelled, jumps.measured, identity, identity, jumps.residual, "correlation, model", "measured")
    return (
        Panel(x, 1e6 * d, 1e6 * scale * line, 1e6 * mean, z[last, -1], label, "deviation at the last age (µS)"),
        Panel(x, 1e6 * size, 1e6 * scale * line, 1e6 * std, z[last, -1], label, "|deviation| · √(π/2), std (µS)"),
        ages,
    )
