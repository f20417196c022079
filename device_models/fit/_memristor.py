"""Compact memristors fitted to measured currents, with exact derivatives through the differential equation."""

import dataclasses
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from .._checks import judge, not_nan, whole, write
from ..memristors._memristor import AbstractMemristor
from ..memristors._simulate import simulate
from ..memristors._steps import AbstractSteps, FixedSteps
from ._goodness import explained, kept, normality, pattern, uncorrelated
from ._input import Measured, enough, finite
from ._result import Estimate, Fit, Goodness, Panel, sources_of
from ._scales import AbstractScale, scale_of
from ._units import unit_of

METHOD = (
    "Nonlinear least squares (trust region, Jacobian by forward differentiation through the equation); 95 % intervals "
    "from the Jacobian at the minimum, symmetric on the scale that each parameter was searched on."
)
# Residuals of a trial that the solver refuses, in units of the measured current: the search turns back.
REFUSED = 1e3
# Of the Jacobian's singular values: below it, a combination of parameters does not move the current.
UNDETERMINED = 1e-9
SPREAD_OF_STARTS = 0.5  # on the scale of the search: a factor of 1.6 for a positive parameter


def fit_memristor(
    model: AbstractMemristor,
    time: Float[Measured, " n"],
    voltage: Float[Measured, "*sweeps n"],
    current: Float[Measured, "*sweeps n"],
    *,
    parameters: tuple[str, ...],
    bounds: Mapping[str, tuple[float, float]] | None = None,
    error: Float[Measured, "*sweeps n"] | None = None,
    starts: int = 1,
    key: Key[Array, ""] | None = None,
    steps: AbstractSteps = FixedSteps(),  # noqa: B008
) -> Fit:
    r"""Fits `parameters` of a `model` to the current that a voltage waveform drew, from the model's numbers on.

    Minimises $\sum_k ((I_k - I(t_k)) / e_k)^2$. A positive parameter is searched for by its logarithm, a negative one
    by that of its size, `x_0` and whatever has `bounds` between them, one that starts at zero as it is. So no trial
    leaves what the model may be, and sizes from metres to mobilities need no scaling.

    The intervals hold for independent errors of the relative sizes `error`. Residuals that are correlated make them
    too narrow; the test "independent errors" tells.

    **Arguments:**

    - `model`: A memristor whose fields are numbers near the truth.
    - `time`: Of the samples, in seconds and increasing.
    - `voltage`, `current`: At the samples, in volts and amperes; several sweeps each start from the model's `x_0`.
    - `parameters`: Names of the fields to fit; those of a part with a dot, "window.p".
    - `bounds`: Of some of them, in their own units.
    - `error`: Standard deviation of each current up to a common factor; the same for all if left out. The common factor
      is estimated.
    - `starts`: Searches; all but the first from numbers changed at random, and the best counts.
    - `key`: For these changes; needed for more than one.
    - `steps`: How the simulation steps through time.

    **Returns:** A `Fit` whose device is `model` with the fitted numbers.

    **Raises:** `ValueError` for data that are not finite or do not belong together, an unknown parameter, and
    parameters that this waveform does not tell apart.

    >>> import numpy as np, device_models as dm
    >>> cell, time = dm.memristors.hp_strukov2008(), np.linspace(0.0, 0.5, 50)
    >>> voltage = np.sin(8 * np.pi * time)
    >>> current = np.asarray(dm.memristors.simulate(cell, time, voltage).current, float)
    >>> noisy = current + 1e-6 * np.random.default_rng(0).normal(size=50)
    >>> fit = dm.fit.fit_memristor(cell, time, voltage, noisy, parameters=("r_off",))
    >>> fit.parameters["r_off"].holds(16e3), fit.parameters["r_off"].unit
    (True, 'ohm')
    """
    _check_settings(model, parameters, bounds, steps, starts, key)
    t, v, i = _checked(time, voltage, current)
    scales = tuple(_scale(model, name, bounds or {}) for name in parameters)
    enough(i.size, 3 * len(parameters), of="currents", why=f"for {len(parameters)} parameters")
    e = np.ones_like(i) if error is None else _broadcast(finite("error", error), np.shape(current)).reshape(i.shape)
    if e.min() <= 0:
        raise ValueError(f"`error` must be positive, a standard deviation. Got {e.min()}. Leave it out for equal ones.")
    e = e * np.sqrt(np.mean((i / e) ** 2))  # residuals in units of the current

    problem = _Problem(model, tuple(parameters), scales, steps, t, v, i, e)
    u, jacobian = _best(problem, starts, key)
    residual = problem.residual(u)
    n, p = jacobian.shape
    covariance = _inverse(jacobian, parameters) * np.sum(residual**2) / (n - p)
    found = _estimates(problem, u, covariance, n - p)
    values = [estimate.value for estimate in found.values()]
    slope = np.array([scale.slope(x) for scale, x in zip(scales, u, strict=True)])
    return Fit(
        device=_device(model, found, n),
        parameters=found,
        goodness=_goodness(problem, residual, p),
        method=METHOD,
        covariance=covariance * np.outer(slope, slope),
        panels=_panels(problem, problem.current(np.asarray(values)), residual / np.sqrt(np.sum(residual**2) / (n - p))),
    )


@dataclasses.dataclass(frozen=True)
class _Problem:
    """Everything that the residuals are a function of, beside where the search is."""

    model: AbstractMemristor
    names: tuple[str, ...]
    scales: tuple[AbstractScale, ...]
    steps: AbstractSteps
    time: Float[np.ndarray, " n"]
    voltage: Float[np.ndarray, "sweeps n"]
    measured: Float[np.ndarray, "sweeps n"]
    error: Float[np.ndarray, "sweeps n"]

    def values(self, u: Float[np.ndarray, " p"]) -> Float[np.ndarray, " p"]:
        return np.array([scale.value(x) for scale, x in zip(self.scales, u, strict=True)])

    def current(self, values: Float[np.ndarray, " p"]) -> Float[np.ndarray, "sweeps n"]:
        with jax.enable_x64(True):
            return np.asarray(
                _current(jnp.asarray(values), self.model, self.names, self.time, self.voltage, self.steps)
            )

    def residual(self, u: Float[np.ndarray, " p"]) -> Float[np.ndarray, " samples"]:
        try:
            return ((self.current(self.values(u)) - self.measured) / self.error).ravel()
        except eqx.EquinoxRuntimeError:  # too fast for the steps
            return np.full(self.measured.size, REFUSED)

    def jacobian(self, u: Float[np.ndarray, " p"]) -> Float[np.ndarray, "samples p"]:
        with jax.enable_x64(True):
            values = jnp.asarray(self.values(u))
            slopes = _slopes(values, self.model, self.names, self.time, self.voltage, self.steps)
        slope = np.array([scale.slope(x) for scale, x in zip(self.scales, u, strict=True)])
        return (np.asarray(slopes) / self.error[..., None]).reshape(-1, len(u)) * slope


def _check_settings(model: Any, parameters: Any, bounds: Any, steps: Any, starts: Any, key: Any) -> None:
    judge("model", model, AbstractMemristor)
    judge("parameters", parameters, Sequence[str], write('Write a tuple of names: `("r_on", "mobility")`.'))
    judge("bounds", bounds, Mapping[str, tuple[float, float]] | None, not_nan("a dictionary of names and (low, high)"))
    judge("steps", steps, AbstractSteps)
    judge("starts", starts, int, whole(1))
    if key is not None:
        judge("key", key, Key[Array, ""])
    if not parameters or len(set(parameters)) < len(parameters):
        raise ValueError(f"`parameters` must be one or more different names. Got parameters={parameters}.")
    if unknown := [name for name in bounds or {} if name not in parameters]:
        raise ValueError(f"`bounds` must be of some of `parameters`, {parameters}. Got bounds of {unknown}.")


def _broadcast(error: Float[np.ndarray, "..."], shape: tuple[int, ...]) -> Float[np.ndarray, "..."]:
    try:
        return np.broadcast_to(error, shape)
    except ValueError:
        raise ValueError(f"`error` must be of the shape of `current`. Got {error.shape} and {shape}.") from None


def _with(model: AbstractMemristor, names: tuple[str, ...], values) -> AbstractMemristor:
    return eqx.tree_at(lambda m: [attrgetter(name)(m) for name in names], model, list(values))


@eqx.filter_jit
def _current(values, model, names, time, voltage, steps) -> Float[Array, "sweeps n"]:
    changed = _with(model, names, values)
    time, voltage = jnp.asarray(time), jnp.asarray(voltage)
    return jax.vmap(lambda v: simulate(changed, time, v, steps=steps).current)(voltage)


@eqx.filter_jit
def _slopes(values, model, names, time, voltage, steps) -> Float[Array, "sweeps n p"]:
    return jax.jacfwd(lambda x: _current(x, model, names, time, voltage, steps))(values)


def _checked(
    time: Float[Measured, " n"], voltage: Float[Measured, "*sweeps n"], current: Float[Measured, "*sweeps n"]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "sweeps n"], Float[np.ndarray, "sweeps n"]]:
    t, v, i = finite("time", time), finite("voltage", voltage), finite("current", current)
    if t.ndim != 1 or v.shape != i.shape or v.shape[-1:] != t.shape:
        raise ValueError(
            "`voltage` and `current` must be of one shape, (samples) or (sweeps, samples), and `time` (samples). "
            f"Got {v.shape}, {i.shape} and {t.shape}."
        )
    if np.any(np.diff(t) <= 0):
        raise ValueError(f"`time` must increase. It does not at sample {int(np.argmax(np.diff(t) <= 0)) + 1}. Sort it.")
    if not np.any(i):
        raise ValueError("`current` must not be zero throughout: it tells nothing.")
    return t, v.reshape(-1, len(t)), i.reshape(-1, len(t))


def _scale(model: AbstractMemristor, name: str, bounds: Mapping[str, tuple[float, float]]) -> AbstractScale:
    try:
        value = attrgetter(name)(model)
        number = float(value)
    except (AttributeError, TypeError):
        numbers = [f.name for f in dataclasses.fields(model) if isinstance(getattr(model, f.name), float | jax.Array)]
        raise ValueError(
            f"`parameters` must name numbers of the model. Got {name!r}. "
            f"{type(model).__name__} has {', '.join(numbers)}."
        ) from None
    ends = bounds.get(name, model.bounds if name == "x_0" else None)
    return scale_of(name, number, None if ends is None else (float(ends[0]), float(ends[1])))


def _best(
    problem: _Problem, starts: int, key: Key[Array, ""] | None
) -> tuple[Float[np.ndarray, " p"], Float[np.ndarray, "samples p"]]:
    """The minimum of several searches and the Jacobian there."""
    from scipy.optimize import least_squares

    if starts > 1 and key is None:
        raise ValueError(f"`key` must be given for {starts} starts: all but the first are drawn at random.")
    first = np.array([scale.start for scale in problem.scales])
    problem.current(problem.values(first))  # what the simulation refuses at the start is the caller's to know
    points = [first]
    if key is not None:
        changes = np.asarray(jr.normal(key, (starts - 1, len(first))))
        points += list(first + SPREAD_OF_STARTS * changes)
    settings: dict[str, Any] = {"x_scale": "jac", "xtol": 1e-10, "ftol": 1e-12, "gtol": 1e-12}
    jacobian: Any = problem.jacobian  # SciPy's stubs know a name only
    searches = [least_squares(problem.residual, x, jacobian, **settings) for x in points]
    best = min(searches, key=lambda search: search.cost)
    if best.status == 0:
        raise ValueError(f"The search must end. It did not in {best.nfev} steps. Start nearer or fit fewer parameters.")
    return best.x, best.jac


def _inverse(jacobian: Float[np.ndarray, "samples p"], names: tuple[str, ...]) -> Float[np.ndarray, "p p"]:
    size = np.linalg.norm(jacobian, axis=0)
    _, singular, vectors = np.linalg.svd(jacobian / np.where(size > 0, size, 1.0), full_matrices=False)
    if singular[-1] <= UNDETERMINED * singular[0] or not np.all(size):
        together = [name for name, part in zip(names, vectors[-1], strict=True) if abs(part) > 0.1]
        raise ValueError(
            f"Each parameter must move the current in its own way. With this waveform {' and '.join(together)} do not. "
            "Fix one of them, or measure where they differ."
        )
    return (vectors.T / singular**2 @ vectors) / np.outer(size, size)


def _estimates(
    problem: _Problem, u: Float[np.ndarray, " p"], covariance: Float[np.ndarray, "p p"], freedom: int
) -> dict[str, Estimate]:
    from scipy.stats import t

    reach = float(t.ppf(0.975, freedom)) * np.sqrt(np.diag(covariance))
    found = {}
    for name, scale, x, r in zip(problem.names, problem.scales, u, reach, strict=True):
        low, high = sorted((scale.value(x - r), scale.value(x + r)))
        owner = attrgetter(name.rpartition(".")[0])(problem.model) if "." in name else problem.model
        unit = unit_of(type(owner).__name__, name.rpartition(".")[2], sources=problem.model.sources)
        found[name] = Estimate(scale.value(x), low, high, unit)
    return found


def _device(model: AbstractMemristor, found: Mapping[str, Estimate], n: int) -> AbstractMemristor:
    kept_lines = [line for line in model.sources if line.partition(" = ")[0] not in found]
    fitted = _with(model, tuple(found), [e.value for e in found.values()])
    return dataclasses.replace(
        fitted, sources=(*kept_lines, *sources_of(found, f"{n} currents"))
    )  # the constructor's checks, once more


def _goodness(problem: _Problem, residual: Float[np.ndarray, " samples"], p: int) -> Goodness:
    n = residual.size
    variance = np.sum(residual**2) / (n - p)
    z = residual / np.sqrt(variance)
    time = np.broadcast_to(problem.time, problem.measured.shape)
    tests = kept(
        current_against_time=pattern(z, time.ravel(), 1),
        current_against_voltage=pattern(z, problem.voltage.ravel(), 1),
        independent_errors=uncorrelated(z.reshape(problem.measured.shape)),
        normal_errors=normality(z),
    )
    log_likelihood = float(-0.5 * n * (np.log(2 * np.pi * np.mean(residual**2)) + 1) - np.sum(np.log(problem.error)))
    model = problem.measured + residual.reshape(problem.measured.shape) * problem.error
    # The variance is estimated, so chi2 is what it should be; the tests judge.
    return Goodness(n, log_likelihood, float(np.sum(z**2)), n - p, explained(problem.measured, model), tests)


def _panels(
    problem: _Problem, current: Float[np.ndarray, "sweeps n"], z: Float[np.ndarray, " samples"]
) -> tuple[Panel, ...]:
    v, i, m = problem.voltage.ravel(), 1e6 * problem.measured.ravel(), 1e6 * current.ravel()
    t = np.tile(problem.time, len(problem.voltage))
    return (
        Panel(v, i, v, m, z, "voltage (V)", "current (µA)"),
        Panel(t, i, t, m, z, "time (s)", "current (µA)"),
    )
