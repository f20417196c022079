"""What every fit returns: a device, its parameters with intervals, how well it fits, a figure and a table."""

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import equinox as eqx
import numpy as np
from jaxtyping import Float

from .._style import COLOURS, journal_of, letter_panels, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# A fit is doubted when a correct model would look this bad once in a hundred times.
SIGNIFICANCE = 0.01
MANY = 2000  # points, that a vector figure would be too large for
WITHIN = 1.96  # standard deviations, of 95 % of normal residuals


@dataclass(frozen=True)
class Estimate:
    """A fitted number and its 95 % confidence interval, all in `unit`.

    - `value`: The most likely one.
    - `low`, `high`: Ends of the interval.

    >>> import device_models as dm
    >>> estimate = dm.fit.Estimate(value=10e-6, low=9e-6, high=11e-6, unit="S")
    >>> estimate.holds(9.5e-6)
    True
    """

    value: float
    low: float
    high: float
    unit: str

    def holds(self, true: float) -> bool:
        """Whether `true` lies in the interval."""
        return self.low <= true <= self.high


def sources_of(parameters: Mapping[str, Estimate], data: str) -> tuple[str, ...]:
    """One line for each fitted number, as `describe` writes them of published ones."""
    return tuple(
        f"{name} = {e.value} {e.unit} (fitted by us to {data}; 95 % interval {e.low} to {e.high})"
        for name, e in parameters.items()
    )


@dataclass(frozen=True)
class Goodness:
    """How well a model describes the data.

    **Arguments:**

    - `n`: Number of independent observations.
    - `log_likelihood`: At the fitted parameters; comparable between models of the same data.
    - `chi2`, `degrees_of_freedom`: Sum of the squared standardised residuals, and what it should be about.
    - `r2`: Fraction of the variance of the data that the model's mean explains.
    - `tests`: For each residual test the probability of residuals as bad as these if the model were right.

    >>> import numpy as np, device_models as dm
    >>> rng, targets = np.random.default_rng(0), np.linspace(2e-6, 20e-6, 500)
    >>> fit = dm.fit.fit_programming(targets, targets + 0.5e-6 * rng.normal(size=500), degree=0)
    >>> fit.goodness.adequate, fit.goodness.degrees_of_freedom
    (True, 499)
    """

    n: int
    log_likelihood: float
    chi2: float
    degrees_of_freedom: int
    r2: float
    tests: Mapping[str, float]

    @property
    def adequate(self) -> bool:
        """Whether no residual test rejects the model at 1 %, the tests taken together (Bonferroni)."""
        return all(p * len(self.tests) >= SIGNIFICANCE for p in self.tests.values())


@dataclass(frozen=True)
class Panel:
    """One axis of a figure: points, the model's line, and the residuals below them in standard deviations."""

    x: Float[np.ndarray, " points"]
    y: Float[np.ndarray, " points"]
    line_x: Float[np.ndarray, " line"]
    line_y: Float[np.ndarray, " line"]
    residual: Float[np.ndarray, " points"]
    x_label: str
    y_label: str
    scale: str = "linear"


@dataclass(frozen=True)
class Fit:
    """A device fitted to measurements.

    **Arguments:**

    - `device`: The device model with the fitted parameters.
    - `parameters`: Each fitted number with its 95 % interval.
    - `goodness`: How well the model describes the data.
    - `method`: How parameters and intervals were found, in one sentence.
    - `covariance`: Of the parameters, in their order and in the units they have in `parameters`.
    - `panels`: What `figure` draws.

    >>> import numpy as np, device_models as dm
    >>> rng, targets = np.random.default_rng(0), np.linspace(2e-6, 20e-6, 500)
    >>> fit = dm.fit.fit_programming(targets, targets + 0.5e-6 * rng.normal(size=500), degree=0)
    >>> list(fit.parameters), fit.goodness.n, type(fit.device).__name__
    (['write_noise[0]'], 500, 'PCM')
    """

    device: eqx.Module
    parameters: Mapping[str, Estimate]
    goodness: Goodness
    method: str
    covariance: Float[np.ndarray, "parameters parameters"] = field(repr=False)
    panels: tuple[Panel, ...] = field(repr=False)

    def figure(self, journal: str = "neutral") -> "Figure":
        """Data against model, with the residuals below, in grey where 95 % of them should be.

        One column wide for one panel, two for more. `journal` is "neutral", "nature", "ieee", "science" or "pnas".
        Raises `ValueError` for another one.

            >>> import device_models as dm, numpy as np
            >>> targets = np.linspace(5e-6, 25e-6, 60)
            >>> measured = targets * (1 + 0.1 * np.sin(np.arange(60)))
            >>> figure = dm.fit.fit_programming(targets=targets, measured=measured).figure("nature")
            >>> round(25.4 * figure.get_figwidth())
            183
        """
        from matplotlib.figure import Figure

        n, widths = len(self.panels), journal_of(journal).widths
        wide = widths[1 if n == 1 else 2]
        with style(journal):
            figure = Figure(figsize=(wide, (1.0 if n == 1 else 0.52 if n < 4 else 0.4) * wide))
            axes = np.reshape(figure.subplots(2, n, sharex="col", height_ratios=[3, 1]), (2, n))
            for panel, (above, below) in zip(self.panels, axes.T, strict=True):
                _draw(panel, above, below)
            if n > 1:
                letter_panels(axes[0])
        return figure

    def report(self) -> str:
        """Parameters, intervals, goodness and method as a table in plain text."""
        width = max(len(name) for name in self.parameters)
        rows = [f"{'parameter':<{max(width, 9)}}  {'value':>12}  {'95 % interval':>27}  unit"]
        for name, e in self.parameters.items():
            interval = f"[{e.low:.5g}, {e.high:.5g}]"
            rows.append(f"{name:<{max(width, 9)}}  {e.value:>12.5g}  {interval:>27}  {e.unit}")
        g = self.goodness
        rows.append(
            f"n = {g.n}, log-likelihood = {g.log_likelihood:.6g}, "
            f"chi2 = {g.chi2:.4g} for {g.degrees_of_freedom} degrees of freedom, R2 = {g.r2:.5f}"
        )
        rows += [f"residual test {name}: p = {p:.3g}" for name, p in g.tests.items()]
        rows.append("The model describes the data." if g.adequate else "The residuals reject the model.")
        return "\n".join([*rows, self.method])

    def provenance(self, data: str | Path | None = None) -> dict[str, Any]:
        """What `save_device` is to tell of this fit: date, parameters with intervals, goodness, and the file of `data`.

        The file is named with its SHA-256, so that it can be told whether a copy is the one that was fitted.
        """
        content = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "method": self.method,
            "parameters": {name: dataclasses.asdict(estimate) for name, estimate in self.parameters.items()},
            "goodness": {**dataclasses.asdict(self.goodness), "adequate": self.goodness.adequate},
        }
        if data is not None:
            digest = hashlib.sha256(Path(data).read_bytes()).hexdigest()
            content["data"] = {"file": Path(data).name, "sha256": digest}
        return content


def _draw(panel: Panel, above: Any, below: Any) -> None:
    many = len(panel.x) > MANY
    above.plot(panel.x, panel.y, ".", color="0.55", label="measured", rasterized=many)
    above.plot(panel.line_x, panel.line_y, color=COLOURS[4], label="model")
    above.set(ylabel=_sentence(panel.y_label), xscale=panel.scale, yscale=panel.scale)
    above.legend()
    below.axhspan(-WITHIN, WITHIN, color="0.9", linewidth=0)
    below.axhline(0.0, color="0.3", linewidth=0.6)
    below.plot(panel.x, panel.residual, ".", color=COLOURS[4], rasterized=many)
    below.set(xlabel=_sentence(panel.x_label), ylabel="Residual / std")


def _sentence(label: str) -> str:
    """A label that begins with a capital letter, unless with a symbol."""
    return label[0].upper() + label[1:] if label[:3].isalpha() else label
