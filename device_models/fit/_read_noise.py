"""Read noise against conductance: what is white and what is 1/f, by a Whittle likelihood of the periodogram."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._checks import check
from ..curves._curves import ABOVE_ZERO, AbstractCurve, check_coefficients
from ._device import pcm, polynomial
from ._goodness import alike, explained, exponential, kept, pattern, positive_over
from ._input import Measured, check_settings, enough, in_siemens, powers, span
from ._likelihood import estimates, fitted, numbered, positive_signs
from ._result import Fit, Goodness, Panel, sources_of

METHOD = (
    "Whittle likelihood of each cell's periodogram, whose expectation is exact for the length and the interval of the "
    "record; 95 % intervals from the sandwich covariance, one observation a frequency and cell."
)


class PerConductance(AbstractCurve):
    r"""$\sum_i c_i g^i / \max(g, low)$: a relative noise whose standard deviation is a polynomial in $g$.

    **Arguments:**

    - `coefficients`: $c_i$, pure numbers.
    - `low`: A relative conductance, below which the denominator is held.

    >>> import jax.numpy as jnp, numpy as np, device_models as dm
    >>> curve = dm.fit.PerConductance((0.01, 0.02), low=0.1)
    >>> print(np.asarray(curve(jnp.array([0.0, 0.5, 1.0]))).round(3))
    [0.1  0.04 0.03]
    """

    coefficients: tuple[float, ...]
    low: float

    def __check_init__(self):
        check(self, low=ABOVE_ZERO)
        check_coefficients(self, self.coefficients, 1)

    def __call__(self, g: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        total = jnp.full_like(g, self.coefficients[-1])
        for coefficient in reversed(self.coefficients[:-1]):
            total = total * g + coefficient
        return total / jnp.maximum(g, self.low)


@dataclass(frozen=True)
class Spectra:
    """Periodograms in units of `g_max`, as the variance of the white noise that would have them."""

    g: Float[np.ndarray, " cells"]
    frequency: Float[np.ndarray, " frequencies"]  # in cycles a read
    power: Float[np.ndarray, "cells frequencies"]
    weight: Float[np.ndarray, " frequencies"]
    flicker: Float[np.ndarray, " frequencies"]  # expected of relative 1/f noise with Q_s = 1
    relative: Float[np.ndarray, "cells p"]
    white: Float[np.ndarray, "cells q"]


def fit_read_noise(
    reads: Float[Measured, "cells reads"],
    *,
    t_0: float,
    t_read: float,
    interval: float | None = None,
    age: float = 0.0,
    degree: int = 0,
    white_degree: int = 0,
    g_min: float | None = None,
    g_max: float | None = None,
) -> Fit:
    r"""Fits repeated reads of cells that are not written in between; $g$ is a cell's mean over `g_max`.

    With `interval`, the one-sided spectrum of a cell is $G^2 Q_s(g)^2 / f + 2 \Delta t\, \sigma_w(g)^2$: 1/f noise up
    to $1 / (2 t_\mathrm{read})$, aliased as reads at an interval $\Delta t$ alias it, and white noise. The integral of
    the first part from $1 / (t + t_0 + t_\mathrm{read})$ up is the read noise of `PCM`, so $Q_s$ goes into the device.
    The white part is that of the reader; it is reported, and no part of the device.

    Without `interval` all noise is taken for white, and the device has the $Q_s(g)$ that gives a `PCM` of this `age`
    the standard deviation $\sigma_w(g)$, that over $G \sqrt{\ln((t + t_0 + t_\mathrm{read}) / (2 t_\mathrm{read}))}$.

    A drift during the record is low-frequency noise to this fit: take it out before.

    **Arguments:**

    - `reads`: Conductances in the order of time, in siemens.
    - `t_0`, `t_read`: Time from write to reference read and duration of a read, in seconds.
    - `interval`: From one read to the next, in seconds, at least `t_read`; `None` for white noise only.
    - `age`: When the reads were made, in seconds after programming; matters without `interval` only.
    - `degree`: Of $Q_s(g)$; counts with `interval` only.
    - `white_degree`: Of $\sigma_w(g)$.
    - `g_min`, `g_max`: Range of the device, in siemens; the smallest and the largest mean if left out.

    **Returns:** A `Fit` with `white_noise[i]` in siemens, the coefficients of $g^i$, and where `interval` is given
    `relative_read_noise[i]`, pure numbers.

    **Raises:** `ValueError` for data that are not finite, not in siemens or too few, and where $Q_s$ is not positive
    over the range of the device.

    >>> import numpy as np, device_models as dm
    >>> rng = np.random.default_rng(0)
    >>> reads = np.linspace(5e-6, 20e-6, 50)[:, None] + 0.1e-6 * rng.normal(size=(50, 40))
    >>> fit = dm.fit.fit_read_noise(reads, t_0=1.0, t_read=1e-6)
    >>> print(f"{1e6 * fit.parameters['white_noise[0]'].value:.1f} uS")
    0.1 uS
    """
    check_settings(t_0=t_0, t_read=t_read, interval=interval, age=age, g_min=g_min, g_max=g_max)
    check_settings(degree=degree, white_degree=white_degree)
    data = _checked(reads, t_0, t_read, interval)
    mean = data.mean(axis=1)
    low, scale = span(g_min, g_max, mean)
    spectra = _spectra(data / scale, None if interval is None else 2 * t_read / interval, degree, white_degree)
    p = spectra.relative.shape[1]
    x, covariance, log_likelihood = _maximum(spectra)

    unit = np.concatenate([np.ones(p), np.full(len(x) - p, scale)])
    names, units = numbered(relative_read_noise=p, white_noise=len(x) - p), ["1"] * p + ["S"] * (len(x) - p)
    n = int(np.sum(spectra.weight) * len(mean))
    parameters = estimates(names, units, x * unit, covariance * np.outer(unit, unit), n)
    growth = None if interval is not None else float(np.sqrt(np.log((age + t_0 + t_read) / (2 * t_read))))
    return Fit(
        device=pcm(
            limits=(low, scale),
            relative_read_noise=_relative_noise(x[:p] if growth is None else x, low / scale, growth),
            t_0=t_0,
            t_read=t_read,
            sources=sources_of(parameters, f"{data.shape[1]} reads of {len(mean)} cells"),
        ),
        parameters=parameters,
        goodness=_goodness(spectra, x, log_likelihood),
        method=METHOD,
        covariance=covariance * np.outer(unit, unit),
        panels=_panels(spectra, x, scale, interval),
    )


def expected_flicker(n: int, aliased: float) -> Float[np.ndarray, " frequencies"]:
    r"""Expected periodogram, at 1 to n // 2 cycles a record, of noise with one-sided spectrum $1/f$, sampled $n$ times.

    Its autocovariance at lag $\tau$ is $-\mathrm{Cin}(2 \pi f_\mathrm{high} \tau)$ but for a constant, which the
    periodogram does not see. `aliased` is the interval's $1 / f_\mathrm{high}$ over the interval. In units of the
    variance of white noise.
    """
    from scipy.special import sici

    lag = np.arange(1, n)
    z = 2 * np.pi * lag / aliased
    covariance = np.concatenate([[0.0], sici(z)[1] - np.log(z) - np.euler_gamma])
    tapered = (1 - np.arange(n) / n) * covariance
    return (2 * np.fft.rfft(tapered).real - tapered[0])[1:]


def _checked(
    reads: Float[Measured, "cells reads"], t_0: float, t_read: float, interval: float | None
) -> Float[np.ndarray, "cells reads"]:
    data = in_siemens("reads", reads)
    if data.ndim != 2:
        raise ValueError(f"`reads` must be (cells, reads). Got {data.shape}. One cell? Write reads[None].")
    enough(data.shape[1], 8 if interval is None else 32, of="reads of each cell", why="for a spectrum")
    if t_read > t_0:
        raise ValueError(f"`t_read` must be at most `t_0`, in seconds. Got t_read={t_read}, t_0={t_0}. Swapped?")
    if interval is not None and not interval >= t_read:
        raise ValueError(f"`interval` must be at least `t_read`, in seconds. Got {interval} and {t_read}. Swapped?")
    if data.mean(1).min() <= 0:
        raise ValueError("`reads` must have positive means. Leave out the cells that are at zero.")
    if data.std(1).min() == 0:
        still = np.flatnonzero(data.std(1) == 0)[:5].tolist()
        raise ValueError(f"`reads` must vary. Cells {still} read the same always. Is the resolution too coarse?")
    return data


def _relative_noise(x: Float[np.ndarray, " p"], low: float, growth: float | None) -> AbstractCurve:
    """That of the device: as it was fitted, or where `growth` is known white noise over this and the conductance."""
    name = "relative_read_noise" if growth is None else "white_noise"
    positive_over(lambda g: powers(g, len(x) - 1) @ x, low, 1.0, name=name)
    if growth is None:
        return polynomial(x)
    return PerConductance(tuple(float(c / growth) for c in x), max(low, 1e-6))


def _spectra(reads: Float[np.ndarray, "cells reads"], aliased: float | None, degree: int, white_degree: int) -> Spectra:
    n, g = reads.shape[1], reads.mean(1)
    power = np.abs(np.fft.rfft(reads - g[:, None], axis=1)[:, 1:]) ** 2 / n
    weight = np.ones(n // 2)
    if n % 2 == 0:
        weight[-1] = 0.5  # at half the sampling frequency there is a cosine, but no sine
    flicker = np.zeros(n // 2) if aliased is None else expected_flicker(n, aliased)
    relative = powers(g, degree)
    if aliased is None:
        relative = relative[:, :0]
    return Spectra(g, np.arange(1, n // 2 + 1) / n, power, weight, flicker, relative, powers(g, white_degree))


def _maximum(spectra: Spectra) -> tuple[np.ndarray, np.ndarray, float]:
    """Coefficients of both parts, each searched for in units of its own size."""
    p, cells = spectra.relative.shape[1], len(spectra.g)
    count = p + spectra.white.shape[1]
    enough(spectra.power.size, 10 * count, of="frequencies in all cells", why=f"for {count} parameters")
    enough(
        len(np.unique(spectra.g)), max(p, count - p), of="different cells", why=f"for {max(p, count - p)} powers of g"
    )
    quarter = max(1, len(spectra.frequency) // 4)
    white = np.sqrt(spectra.power[:, -quarter:].mean())
    excess = (spectra.power / spectra.g[:, None] ** 2)[:, :quarter].mean() / max(
        spectra.flicker[:quarter].mean(), 1e-300
    )
    unit = np.concatenate([np.full(p, np.sqrt(excess)), np.full(count - p, white)])
    start = np.zeros(count)
    start[p] = 0.7 if p else 1.0
    start[:p][:1] = 0.7
    rows = np.repeat(np.arange(cells), len(spectra.frequency))
    data = (
        (spectra.relative * unit[:p] * spectra.g[:, None])[rows],
        (spectra.white * unit[p:])[rows],
        np.tile(spectra.flicker, cells),
        np.tile(spectra.weight, cells),
        spectra.power.ravel(),
    )
    x, covariance, value = fitted(_log_likelihood, start, data, remedy="Choose lower degrees, or leave `interval` out.")
    sign = positive_signs(x, (spectra.relative, spectra.white))
    return x * sign * unit, covariance * np.outer(sign * unit, sign * unit), value


def _log_likelihood(x: Float[Array, " parameters"], data: tuple[Array, ...]) -> Float[Array, " values"]:
    relative, white, flicker, weight, power = data
    p = relative.shape[1]
    expected = (relative @ x[:p]) ** 2 * flicker + (white @ x[p:]) ** 2
    return -weight * (jnp.log(expected) + power / expected)


def _expected(spectra: Spectra, x: Float[np.ndarray, " parameters"]) -> Float[np.ndarray, "cells frequencies"]:
    p = spectra.relative.shape[1]
    relative, white = spectra.g * (spectra.relative @ x[:p]), spectra.white @ x[p:]
    return relative[:, None] ** 2 * spectra.flicker + white[:, None] ** 2


def _goodness(spectra: Spectra, x: Float[np.ndarray, " parameters"], log_likelihood: float) -> Goodness:
    whole = spectra.weight == 1
    expected = _expected(spectra, x)
    ratio = (spectra.power / expected)[:, whole]
    frequency = np.broadcast_to(spectra.frequency[whole], ratio.shape)
    g = np.broadcast_to(spectra.g[:, None], ratio.shape)
    tests = kept(
        spectrum_against_frequency=pattern((ratio - 1).ravel(), frequency.ravel(), 2 if spectra.flicker.any() else 1),
        noise_against_conductance=pattern((ratio - 1).ravel(), g.ravel(), spectra.white.shape[1]),
        cells_alike=alike(ratio, len(x)),
        normal_noise=exponential(ratio.ravel()),
    )
    # Twice the ratio is a chi-square of two degrees of freedom.
    # The logarithm of an exponential of mean 1 has mean -Euler's gamma.
    r2 = explained(np.log(spectra.power[:, whole]), np.log(expected[:, whole]) - np.euler_gamma)
    n = int(np.sum(spectra.weight) * len(spectra.g))
    return Goodness(n, log_likelihood, float(2 * ratio.sum()), 2 * ratio.size - len(x), r2, tests)


def _panels(
    spectra: Spectra, x: Float[np.ndarray, " parameters"], scale: float, interval: float | None
) -> tuple[Panel, ...]:
    expected, cells = _expected(spectra, x), len(spectra.g)
    frequency = spectra.frequency / (interval or 1.0)
    density = 2 * (interval or 1.0) * scale**2
    ratio = (spectra.power / expected).mean(0)
    mean_power = density * spectra.power.mean(0), density * expected.mean(0)
    spectrum = Panel(
        frequency,
        mean_power[0],
        frequency,
        mean_power[1],
        (ratio - 1) * np.sqrt(cells),
        *(("frequency (Hz)", "spectrum (S²/Hz)") if interval else ("cycles a read", "spectrum (S² a cycle)")),
        "log",
    )
    order = np.argsort(spectra.g)
    share = spectra.weight / spectra.weight.sum()
    total = np.sqrt(np.stack([spectra.power @ share, expected @ share]))[:, order]
    micro = 1e6 * scale
    each = (spectra.power / expected)[order]
    noise = Panel(
        micro * spectra.g[order],
        micro * total[0],
        micro * spectra.g[order],
        micro * total[1],
        (each.mean(1) - 1) * np.sqrt(each.shape[1]),
        "conductance (µS)",
        "std (µS)",
    )
    return spectrum, noise
