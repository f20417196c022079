"""How a simulation steps through time."""

from abc import abstractmethod
from typing import Any

import equinox as eqx
from jaxtyping import Array, Float

from .._checks import Checked, between, check, plain, that, whole
from ._interval import AbstractInterval


class AbstractSteps(Checked):
    """A rule for the steps between the samples of a waveform. No step reaches over a sample.

    >>> import device_models as dm
    >>> isinstance(dm.memristors.FixedSteps(4), dm.memristors.AbstractSteps)
    True
    """

    @property
    @abstractmethod
    def per_sample(self) -> int:
        """What the solver counts from one sample to the next."""

    @abstractmethod
    def solve(self, term: Any, interval: AbstractInterval, start: Float[Array, ""], count: int) -> Float[Array, " m"]:
        """The coordinates of `interval` at every count from 0 to `count`, for a Diffrax `term`."""


class FixedSteps(AbstractSteps):
    """The same number of third-order steps between any two samples.

    A step that is too long for a cell's speed does not pass: the error of every step is estimated by the difference to
    a second-order one, and the largest is held against `tolerance`.

    **Arguments:**

    - `substeps`: Steps between two samples.
    - `tolerance`: Largest estimated error of one step, as a share of the states that the cell may have. A cell that
        switches within one step fails; infinite where the moment of switching does not matter.

    >>> import numpy as np, device_models as dm
    >>> t = np.linspace(0.0, 1.0, 11)
    >>> steps = dm.memristors.FixedSteps(substeps=20)
    >>> trace = dm.memristors.simulate(dm.memristors.hp_strukov2008(), t, np.sin(2 * np.pi * t), steps=steps)
    >>> print(f"{trace.state[5] - trace.state[0]:.2f}")
    0.50
    """

    substeps: int = eqx.field(static=True, converter=plain, default=1)
    tolerance: float = eqx.field(static=True, converter=plain, default=1e-2)

    def __check_init__(self):
        tolerance = that("positive", lambda x: x > 0, hint="For no limit use inf.")
        check(self, substeps=whole(1), tolerance=tolerance)

    @property
    def per_sample(self) -> int:
        return self.substeps

    def solve(self, term: Any, interval: AbstractInterval, start: Float[Array, ""], count: int) -> Float[Array, " m"]:
        from ._solvers import fixed  # Diffrax is heavy

        return fixed(term, interval, start, count, self.tolerance)


class AdaptiveSteps(AbstractSteps):
    """Steps as short as two tolerances ask for, in the coordinate of the memristor's interval.

    For cells that switch abruptly, and for reference traces, which want 64-bit floats.

    **Arguments:**

    - `rtol`, `atol`: Relative and absolute tolerance of a step; the coordinate is of the order of one.
    - `solver`: A Diffrax solver with an error estimate, such as `diffrax.Kvaerno5()` for stiff cells; `None` for
        `diffrax.Tsit5()`.
    - `max_steps`: Most steps of a simulation, rejected ones included.

    >>> import numpy as np, device_models as dm
    >>> t = np.linspace(0.0, 1.0, 11)
    >>> steps = dm.memristors.AdaptiveSteps(rtol=1e-5, atol=1e-7)
    >>> trace = dm.memristors.simulate(dm.memristors.hp_strukov2008(), t, np.sin(2 * np.pi * t), steps=steps)
    >>> print(f"{trace.state[5] - trace.state[0]:.2f}")
    0.50
    """

    rtol: float = eqx.field(static=True, converter=plain, default=1e-4)
    atol: float = eqx.field(static=True, converter=plain, default=1e-6)
    solver: eqx.Module | None = None
    max_steps: int = eqx.field(static=True, converter=plain, default=100_000)

    def __check_init__(self):
        check(self, rtol=between(0.0, 1.0), atol=between(0.0, 1.0), max_steps=whole(1))

    @property
    def per_sample(self) -> int:
        return 1

    def solve(self, term: Any, interval: AbstractInterval, start: Float[Array, ""], count: int) -> Float[Array, " m"]:
        from ._solvers import adaptive  # Diffrax is heavy

        return adaptive(term, interval, start, count, self.rtol, self.atol, self.solver, self.max_steps)
