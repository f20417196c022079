"""From reads that were taken to what the array is."""

from typing import Any

import equinox as eqx
import equinox.internal as eqxi
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Shaped

from .._array import Crossbar
from .._checks import check_finite, checked, write
from ._circuit import Circuit
from ._fold import Reads, folded
from ._found import Estimate, Factor, Fit, Found
from ._known import Known
from ._problem import Problem
from ._questions import FLOOR, Question, inputs_of, question
from ._reads import check_reads, check_units, real
from ._solve import Posterior, solved

MOST_SATURATED = 0.05
CONTRADICTION, BEYOND_CHANCE = 2.0, 1e-9  # squares of residuals relative to the expected ones, and their p value
DESIGN = write("A `Crossbar`, or a `Circuit` of bare cells.")


@checked(design=DESIGN, known=write("Such as `Known(targets=w)`."))
def infer(
    x: Shaped[Any, "reads inputs"],
    y: Shaped[Any, "*chips reads outputs"],
    design: Crossbar | Circuit,
    known: Known | None = None,
    *,
    strict: bool = True,
) -> Found:
    r"""The posterior of an array's cells, wires and converters from reads `y` of inputs `x`.

    A read is linear in its input, $y = (x\,W(G, R))\,s\,(1 + a) + b$, behind wires by Kirchhoff's equations. Cells are
    normal about what the device promises, resistances, scale and age log-normal; Gauss-Newton steps with the exact
    slopes of the circuit end at a normal law (Laplace). Unknowns that all lines share follow the score of their
    marginal, not of the joint law: the largest joint density is off by many of its widths where cells scatter.
    Everything is in float64.

    **Arguments:**

    - `x`: Shape (reads, inputs).
    - `y`: Shape (reads, outputs), or (chips, reads, outputs) of many chips of one design: one compiled call.
    - `design`: What is known of the array, its median resistances among it.
    - `known`: What else is.
    - `strict`: Whether reads that contradict each other raise, those of any chip where there are many.

    **Raises:** `ValueError` for reads that are NaN, too few, saturated, or off by more than their noise, and for
    designs and unknowns that reads cannot tell.

    >>> import device_models as dm, memsim as ms, numpy as np
    >>> g = np.array([[1e-5, 4e-5], [2e-5, 3e-5]])
    >>> found = ms.identify.infer(np.eye(2) * 0.2, 0.2 * g, ms.identify.Circuit(dm.Ideal(1e-6, 5e-5), 2, 2))
    >>> bool(np.allclose(found.conductances.mean[0], g, rtol=1e-4))
    True
    """
    known = Known() if known is None else known
    x, y = real("x", x), real("y", y)
    check_finite("x", x)
    check_finite("y", y, "Was an output not measured? Leave its read out.")
    with jax.enable_x64(True):
        asked = question(design, known)
    check_reads(x, y, asked, inputs_of(design, known), known)
    if isinstance(design, Circuit):
        check_units(x, y, design)
    used = _unsaturated(y, asked)
    driven = x if isinstance(design, Circuit) or design.dac is None else _driven(design, x)
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        reads = _reads(asked, driven, y, used)
        problem = _problem(asked, reads)
        found = _found(problem, asked, x, used, np.asarray(reads.rest))
    if strict:
        _check_fit(found, *x.shape)
    return found


def _unsaturated(y: np.ndarray, asked: Question) -> np.ndarray:
    if asked.largest is None:
        return np.ones(y.shape, bool)
    used = np.abs(y) < asked.largest * (1 - 1e-6)
    used |= asked.dead
    lost = (~used).mean(axis=(-2, -1))
    if np.any(lost > MOST_SATURATED):
        raise ValueError(
            f"At most {MOST_SATURATED:.0%} of the outputs may be at the end of the ADC's range"
            f"{_which(lost > MOST_SATURATED)}. Got {lost.max():.0%}. Choose smaller inputs, or a larger `full_scale`."
        )
    return used


def _driven(design: Crossbar, x: np.ndarray) -> np.ndarray:
    """The inputs as the DAC rounds them."""
    assert design.dac is not None
    return np.asarray(design.dac.codes(jnp.asarray(x, jnp.float32)), np.float64) * float(design.dac.step)


def _reads(asked: Question, x: np.ndarray, y: np.ndarray, used: np.ndarray) -> Reads:
    """What is told by the analog part of reads, each with its weight."""
    analog = y if asked.digital is None else y - x @ asked.digital
    variance = np.broadcast_to(asked.noise, y.shape)
    if asked.noise_of_cells is not None:
        variance = variance + x**2 @ asked.noise_of_cells
    floor = FLOOR * np.sqrt(np.mean(analog**2, axis=(-2, -1), keepdims=True))
    variance = np.maximum(variance, np.maximum(floor**2, np.finfo(float).tiny))
    weight = np.where(used & ~asked.dead, 1 / variance, 0.0)
    return folded(Reads(x, np.ones(len(x)), analog, weight))


def _problem(asked: Question, reads: Reads) -> Problem:
    fields = asked.ohms, np.float64(asked.log_age), asked.spreads, asked.gain, asked.offset, *reads[:4]
    return Problem(asked.array, asked.law, *(jnp.asarray(field) for field in fields), names=asked.names)


def _found(problem: Problem, asked: Question, x: np.ndarray, used: np.ndarray, rest: np.ndarray) -> Found:
    posterior, values = jax.tree.map(np.asarray, _told(problem))
    if not np.all(np.isfinite(posterior.mean.cells)):
        raise ValueError(
            "The reads must lead to one array. The steps of the solver led to no numbers at all. Look at the units of "
            "inputs and outputs, and give medians of the resistances that are nearer."
        )
    mean, var = posterior.mean, posterior.variances
    chips = used.ndim - 2
    told = _summed(jax.tree.map(lambda v: 1 - v, var), chips)
    outputs = np.asarray(np.sum(used & ~asked.dead, axis=(-2, -1)))
    degrees = np.asarray(np.maximum(outputs - told, 0.0))
    squared = outputs - told - posterior.halves
    of_reads = np.asarray(_summed(posterior.left**2, chips) + rest)
    of_all = np.asarray(of_reads + _summed(jax.tree.map(np.square, mean), chips))
    g, std, logs, matrix = values
    stds = np.sqrt(var.shared)
    shared = {
        name: _factor(logs[..., k], asked.spreads[k] * stds[..., k], 1 - stds[..., k] ** 2)
        for k, name in enumerate(asked.names)
    }
    return Found(
        Estimate(np.maximum(g, 0.0), std),
        shared,
        Estimate(asked.gain * mean.gain, asked.gain * np.sqrt(var.gain)),
        Estimate(asked.offset * mean.offset, asked.offset * np.sqrt(var.offset)),
        np.swapaxes(matrix if asked.digital is None else matrix + asked.digital, -1, -2),
        Fit(of_reads, degrees, np.asarray(squared), of_all, outputs),
        posterior.shared / (stds[..., None] * stds[..., None, :]),
        told,
        posterior.close,
        x,
        asked.law.mean[0].size + int(np.sum(asked.gain > 0) + np.sum(asked.offset > 0)) + len(asked.names),
        int((~used).sum()),
        problem.array.whole,
    )


def _factor(log: Any, spread: Any, told: Any) -> Factor:
    return Factor(np.asarray(np.exp(log)), np.asarray(spread), np.asarray(told))


def _summed(tree: Any, chips: int) -> np.ndarray:
    """Over all numbers of each chip."""
    return np.asarray(sum(np.sum(a, axis=tuple(range(chips, a.ndim))) for a in jax.tree.leaves(tree)))


def _told(problem: Problem) -> tuple[Posterior, tuple[Array, ...]]:
    """The posterior of each chip, and its values; a first axis of `y` is of chips."""
    parts = eqxi.hashable_partition(problem, eqx.is_array)
    if problem.y.ndim > 2:
        return _on_one_thread[_many](*parts)
    return _on_one_thread[_one](*parts) if problem.array.whole else _compiled(*parts)


def _one(arrays: Any, static: Any) -> tuple[Posterior, tuple[Array, ...]]:
    problem = eqxi.hashable_combine(arrays, static)
    posterior = solved(problem)
    return posterior, _values(problem, posterior)


def _many(arrays: Any, static: Any) -> tuple[Posterior, tuple[Array, ...]]:
    problem = eqxi.hashable_combine(arrays, static)

    def one(y: Array, weight: Array) -> tuple[Posterior, tuple[Array, ...]]:
        of_one = eqx.tree_at(lambda p: (p.y, p.weight), problem, (y, weight))
        posterior = solved(of_one)
        return posterior, _values(of_one, posterior)

    return jax.vmap(one)(problem.y, problem.weight)


_compiled = jax.jit(_one, static_argnums=1)
# On one thread: factorisations by LAPACK of many matrices at once, within a loop, wait for each other for ever on few
# cores.
_on_one_thread = {
    of: jax.jit(of, static_argnums=1, compiler_options={"xla_cpu_multi_thread_eigen": False}) for of in (_one, _many)
}


def _values(problem: Problem, posterior: Posterior) -> tuple[Array, ...]:
    """Conductances, their standard deviations, logarithms of the shared unknowns, and the matrix."""
    u = posterior.mean
    at = problem.settings(u.shared)
    std = problem.law.stds(at.log_age) * jnp.sqrt(posterior.variances.cells)
    values = {**at.ohms._asdict(), "scale": at.scale, "age": jnp.exp(at.log_age)}
    logs = jnp.log(jnp.stack([values[name] for name in problem.names])) if problem.names else jnp.zeros(0)
    matrix = at.scale * problem.seen(u).matrix * (1 + problem.of_outputs(problem.gain * u.gain))[None]
    return problem.conductances(u), std, logs, matrix


def _check_fit(found: Found, reads: int, inputs: int) -> None:
    """Raises `ValueError` where reads, of any of the chips, are further off than their noise and chance allow."""
    fit = found.fit
    if not np.all(found.close):
        few = f" Are {reads} reads too few? {inputs}, of independent inputs, tell all that reads can." * (
            reads < inputs
        )
        raise ValueError(
            f"The reads must lead to one array{_which(np.logical_not(found.close))}. The steps of the solver came to "
            "no end. Is each read beside its own input, in the order that the design says, and none clipped? If so, "
            "give medians of the resistances that are nearer, or a larger `noise`; `strict=False` returns what there "
            f"is.{few}"
        )
    squares, degrees = np.asarray(fit.of_reads), np.asarray(fit.degrees)
    wrong = (degrees >= 1) & (squares > CONTRADICTION * degrees) & (fit.p_value < BEYOND_CHANCE)
    if np.any(wrong):
        worst = np.argmax(np.where(wrong, squares, 0.0))
        raise ValueError(
            f"Reads must agree within their noise{_which(wrong)}. Got squares of {np.ravel(squares)[worst]:.3g} times "
            f"the noise where {np.ravel(degrees)[worst]:.3g} is expected. Did the array change between reads, or clip? "
            "Has it resistances that are 0 in the design? Give a larger `Known(noise=...)`, or look at the residuals "
            "with `strict=False`."
        )


def _which(wrong: Bool[Any, "*chips"]) -> str:
    """Of many chips those that are wrong, in words."""
    if not np.ndim(wrong):
        return ""
    chips = np.flatnonzero(wrong)
    return f", of each chip; those of {len(chips)} do not, such as number {chips[0]}"
