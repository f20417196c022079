"""What reads told of an array, with intervals and words for what they did not tell."""

from statistics import NormalDist
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float, Int

from .._checks import Checked, between, checked
from ._problem import RESISTANCES

TOLD = 0.75  # of the variance of the prior: less, and more than half of its standard deviation is left
UNITS = {**dict.fromkeys(RESISTANCES, "ohm"), "scale": "", "age": "s"}
LEVEL = between(0.0, 1.0, "a probability", hint="Percent? Divide by 100.")


class Estimate(Checked):
    """Numbers and their standard deviations, in the same units: a normal law for each.

    >>> import numpy as np, device_models as dm, memsim as ms
    >>> g = np.array([[1e-5, 4e-5], [2e-5, 3e-5]])
    >>> found = ms.identify.infer(np.eye(2) * 0.2, 0.2 * g, ms.identify.Circuit(dm.Ideal(1e-6, 5e-5), 2, 2))
    >>> isinstance(found.conductances, ms.identify.Estimate), found.conductances.std.shape
    (True, (1, 2, 2))
    """

    mean: Float[np.ndarray, "..."]
    std: Float[np.ndarray, "..."]

    @checked(level=LEVEL)
    def interval(self, level: float = 0.95) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
        """The ends of the interval that holds each number with probability `level`."""
        width = _normal_width(level) * self.std
        return np.asarray(self.mean - width), np.asarray(self.mean + width)


class Factor(Checked):
    """A positive number whose logarithm is normal: its `median`, and the `spread` of its natural logarithm.

    `told` is the share of the prior's variance that is gone.

    >>> import numpy as np, memsim as ms
    >>> factor = ms.identify.Factor(median=np.array(1.2), spread=np.array(0.1), told=np.array(0.99))
    >>> float(factor.median)
    1.2
    """

    median: Float[np.ndarray, "..."]
    spread: Float[np.ndarray, "..."]
    told: Float[np.ndarray, "..."]

    @checked(level=LEVEL)
    def interval(self, level: float = 0.95) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
        """The ends of the interval that holds the number with probability `level`."""
        factor = np.exp(_normal_width(level) * np.asarray(self.spread))
        return np.asarray(self.median / factor), np.asarray(self.median * factor)


class Fit(Checked):
    """How well the reads fit: squares of what they are off by in units of their noise, summed, and what is expected.

    `of_reads` is to be near `degrees`, the reads less what they told, and scatters about it as a sum of squares of
    which each counts by the share that its read did not tell: `squared` are the squares of these shares, summed. Where
    reads told as many numbers as they are, `degrees` is near zero, nothing is left to test, and `p_value` is NaN.
    `of_all` counts what the unknowns are off by from the prior, too, and is to be near `outputs`: cells that are not as
    the device promises make it large.

    >>> import numpy as np, device_models as dm, memsim as ms
    >>> g = np.array([[1e-5, 4e-5], [2e-5, 3e-5]])
    >>> found = ms.identify.infer(np.eye(2) * 0.2, 0.2 * g, ms.identify.Circuit(dm.Ideal(1e-6, 5e-5), 2, 2))
    >>> int(found.fit.outputs)  # two reads of two bit lines
    4
    """

    of_reads: Float[np.ndarray, "..."]
    degrees: Float[np.ndarray, "..."]
    squared: Float[np.ndarray, "..."]
    of_all: Float[np.ndarray, "..."]
    outputs: Int[np.ndarray, "..."]

    @property
    def p_value(self) -> np.ndarray:
        """Of reads as far off as these, by chance; NaN with less than one degree of freedom, which is no test.

        By the chi-square law of the same mean and variance (Satterthwaite1946).
        """
        tested = np.asarray(self.degrees) >= 1
        degrees = np.where(tested, self.degrees, 1.0)
        width = np.clip(np.asarray(self.squared), 1e-3 * degrees, degrees) / degrees
        return np.where(tested, _beyond(self.of_reads / width, degrees / width), np.nan)

    @property
    def p_value_of_all(self) -> np.ndarray:
        """Of reads and unknowns as far off as these, by chance."""
        return _beyond(self.of_all, np.asarray(self.outputs, float))


class Found(Checked):
    """What an array is, from its own reads: `print` says it.

    Arrays of many chips have a first axis for them.

    **Arguments:**

    - `conductances`: In siemens, shape (planes, rows, lines) as of `Chip.conductances`.
    - `shared`: What all lines share, by name: those of "word_line", "bit_line", "source", "sink", "scale" and "age"
      that were not known.
    - `gain`, `offset`: Of the converter of each bit line: relative, and in units of the output.
    - `matrix`: What an input is multiplied with, shape (outputs, inputs).
    - `fit`: Goodness of fit.
    - `correlation`: Of the shared unknowns, in their order.
    - `told`: How many numbers the reads told, of `unknowns`.
    - `close`: Whether the steps of the solver came to an end.
    - `x`, `unused`: Inputs that were read, and how many saturated outputs were left out.
    - `alone`: Whether reads alone tell wires from cells; else only what the device promises of its cells does.

    >>> import numpy as np, device_models as dm, memsim as ms
    >>> g = np.array([[1e-5, 4e-5], [2e-5, 3e-5]])
    >>> found = ms.identify.infer(np.eye(2) * 0.2, 0.2 * g, ms.identify.Circuit(dm.Ideal(1e-6, 5e-5), 2, 2))
    >>> found.conductances.mean.shape, found.unknowns
    ((1, 2, 2), 4)
    """

    conductances: Estimate
    shared: dict[str, Factor]
    gain: Estimate
    offset: Estimate
    matrix: Float[np.ndarray, "..."]
    fit: Fit
    correlation: Float[np.ndarray, "..."]
    told: Float[np.ndarray, "..."]
    close: Any
    x: Float[np.ndarray, "..."]
    unknowns: int = eqx.field(static=True)
    unused: int = eqx.field(static=True)
    alone: bool = eqx.field(static=True)

    @property
    def not_told(self) -> tuple[str, ...]:
        """Shared unknowns of which reads told less than half (in standard deviations), and what hides each."""
        return tuple(self._words(name) for name, factor in self.shared.items() if np.min(factor.told) < TOLD)

    def require(self, *names: str) -> None:
        """Raises `ValueError` where one of the `names`, or of all without names, was not told by the reads."""
        for name in names or tuple(self.shared):
            if name not in self.shared:
                raise ValueError(f"Names must be of unknowns. Got {name!r}, of {list(self.shared)}.")
            if np.min(self.shared[name].told) < TOLD:
                raise ValueError(
                    f"The reads must tell `{name}`. They do not: {self._words(name)}. {self._remedy(name)}"
                )

    def _words(self, name: str) -> str:
        share = max(float(np.min(self.shared[name].told)), 0.0)  # less than nothing where a median moved
        words = f"{name}: {share:.0%} of its variance is told"
        names = list(self.shared)
        row = np.abs(np.asarray(self.correlation)[..., names.index(name), :]).reshape(-1, len(names)).max(0)
        others = [other for k, other in enumerate(names) if other != name and row[k] > 0.5]
        if others:
            words += f", it cannot be told from {' and '.join(others)}"
        elif not self.alone or name not in RESISTANCES:
            words += ", the rest is hidden by the scatter of the cells"
        return words

    def _remedy(self, name: str) -> str:
        if name in RESISTANCES and not self.alone:
            return 'Read all terminals (`Circuit(..., terminals="all")`), or give closer `targets`.'
        return "Take more reads, or one of these as known."

    def __str__(self) -> str:
        if np.ndim(self.told):
            return f"{len(np.ravel(self.told))} chips, {float(np.mean(self.told)):.1f} of {self.unknowns} numbers told"
        g, std = np.asarray(self.conductances.mean), np.asarray(self.conductances.std)
        lines = [
            f"{len(self.x)} reads, {self.fit.outputs} outputs: {float(self.told):.1f} of {self.unknowns} numbers told",
            f"{g.size} cells, {1e6 * g.min():.3g} to {1e6 * g.max():.3g} uS, each to {1e6 * np.median(std):.2g} uS",
        ]
        for name, factor in self.shared.items():
            low, high = (float(end) for end in factor.interval())
            lines.append(
                f"{name} {float(factor.median):.4g} {UNITS[name]} ({low:.4g} to {high:.4g})".replace("  ", " ")
            )
        if np.any(self.gain.std):
            lines.append(f"gain of each line to {np.median(self.gain.std):.2g}")
        if np.any(self.offset.std):
            lines.append(f"offset of each line to {np.median(self.offset.std):.2g}")
        fit = self.fit
        if fit.degrees < 1:
            lines.append("fit: not tested, reads told as many numbers as they are; take more than that")
        else:
            lines.append(
                f"fit: {float(fit.of_reads):.4g} where {float(fit.degrees):.4g} is expected, p = {fit.p_value:.2g}"
            )
        lines.append(f"with the cells: {float(fit.of_all):.4g} of {fit.outputs}, p = {fit.p_value_of_all:.2g}")
        if self.unused:
            lines.append(f"{self.unused} saturated outputs left out")
        lines += [f"not known: {words}" for words in self.not_told]
        if not self.alone and any(name in RESISTANCES for name in self.shared):
            lines.append("wires are told from cells by what the device promises of its cells, not by reads alone")
        return "\n".join(lines)


def _normal_width(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)


def _beyond(squares: Any, degrees: Any) -> np.ndarray:
    from scipy.stats import chi2

    return np.asarray(chi2.sf(np.asarray(squares), np.maximum(np.asarray(degrees), 1e-9)))
