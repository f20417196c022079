"""Maximum likelihood in double precision, with intervals that survive a misjudged error distribution."""

from collections.abc import Callable, Iterable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import log_ndtr
from jaxtyping import Array, Bool, Float, Int

from ._result import Estimate

MAX_STEPS, MAX_HALVINGS = 100, 40
# Twice the log-likelihood still to be gained, as Newton's model sees it: 1e-5 of a standard error from the maximum.
SMALLEST_DECREMENT = 1e-10


class Maximum(eqx.Module):
    """The parameters of largest likelihood, their covariance, and whether the search ended there."""

    parameters: Float[Array, " parameters"]
    log_likelihood: Float[Array, ""]
    covariance: Float[Array, "parameters parameters"]
    converged: Bool[Array, ""]


class _Search(eqx.Module):
    """Where a search is, what Newton's model says there, and how many steps it took."""

    x: Float[Array, " parameters"]
    value: Float[Array, ""]
    hessian: Float[Array, "parameters parameters"]
    decrement: Float[Array, ""]
    convex: Bool[Array, ""]
    done: Bool[Array, ""]
    count: int | Int[Array, ""]


@eqx.filter_jit
def maximise(log_likelihood: Callable[[Array, Any], Array], start: Float[Array, " parameters"], data: Any) -> Maximum:
    r"""Maximises the sum of `log_likelihood(parameters, data)`, one number an independent observation.

    Newton steps on $|H|$, the Hessian with its eigenvalues made positive, halved until the likelihood rises: a saddle
    repels and no step size is to be chosen. The covariance is the sandwich $H^{-1} (\sum_i s_i s_i^T) H^{-1}$ with the
    scores $s_i$, times $n / (n - p)$: it holds for errors of any distribution, where the inverse Hessian would not.
    """

    def loss(x):
        value = -jnp.sum(log_likelihood(x, data))
        return jnp.where(jnp.isfinite(value), value, jnp.inf)

    def search(state: _Search) -> _Search:
        gradient, hessian = jax.jacfwd(loss)(state.x), jax.jacfwd(jax.jacfwd(loss))(state.x)
        curvature, vectors = jnp.linalg.eigh(hessian)
        size = jnp.maximum(jnp.abs(curvature), 1e-12 * jnp.max(jnp.abs(curvature)))
        newton = -vectors @ ((vectors.T @ gradient) / size)
        decrement, convex = -gradient @ newton, jnp.all(curvature > 0)

        def fails(trial):
            scale, value, halvings = trial
            return (value > state.value - 1e-4 * scale * decrement) & (halvings < MAX_HALVINGS)

        def halve(trial):
            return trial[0] / 2, loss(state.x + trial[0] / 2 * newton), trial[2] + 1

        scale, value, halvings = jax.lax.while_loop(fails, halve, (jnp.full_like(decrement, 2.0), jnp.inf, -1))
        done = (convex & (decrement < SMALLEST_DECREMENT)) | (halvings == MAX_HALVINGS)
        x, value = jnp.where(done, state.x, state.x + scale * newton), jnp.where(done, state.value, value)
        return _Search(x, value, hessian, decrement, convex, done, state.count + 1)

    state = _Search(start, loss(start), jnp.diag(start), loss(start), jnp.asarray(False), jnp.asarray(False), 0)
    state = jax.lax.while_loop(lambda state: ~state.done & (state.count < MAX_STEPS), search, state)
    inverse = jnp.linalg.inv(state.hessian)
    scores = jax.jacfwd(lambda x: log_likelihood(x, data))(state.x)
    n, p = scores.shape
    sandwich = inverse @ (scores.T @ scores) @ inverse * (n / max(n - p, 1))
    # A spread fitted as zero has no score: there the inverse Hessian alone tells how large it may be.
    covariance = jnp.where(jnp.all(jnp.diag(sandwich) > 1e-3 * jnp.diag(inverse)), sandwich, inverse)
    # Rounding ends the search a little above the smallest decrement when the data are many.
    converged = state.done & state.convex & (state.decrement < 1e-4) & jnp.isfinite(state.value)
    return Maximum(state.x, -state.value, covariance, converged)


@jax.custom_jvp
def log_probability(x: Float[Array, " n"]) -> Float[Array, " n"]:
    """Logarithm of the probability that a standard normal is below `x`."""
    return log_ndtr(x)


@log_probability.defjvp
def _slope(primals, tangents):
    # In terms of the value itself: the derivatives of its series take seconds to compile.
    (x,), (dx,) = primals, tangents
    value = log_probability(x)
    return value, dx * jnp.exp(-0.5 * x**2 - 0.5 * jnp.log(2 * jnp.pi) - value)


def fitted(
    log_likelihood: Callable[[Array, Any], Array],
    start: Float[np.ndarray, " parameters"],
    data: tuple[np.ndarray, ...],
    *,
    remedy: str,
) -> tuple[Float[np.ndarray, " parameters"], Float[np.ndarray, "parameters parameters"], float]:
    """Parameters, covariance and log-likelihood at the maximum; `ValueError` with `remedy` where there is none."""
    with jax.enable_x64(True):
        found = maximise(log_likelihood, jnp.asarray(start), tuple(jnp.asarray(x) for x in data))
        found = jax.tree.map(np.asarray, found)
    if not (found.converged and np.all(np.diag(found.covariance) >= 0)):
        raise ValueError(f"The likelihood must have a maximum within the model. The search found none. {remedy}")
    return found.parameters, found.covariance, float(found.log_likelihood)


def positive_signs(
    x: Float[np.ndarray, " parameters"], designs: Iterable[Float[np.ndarray, "values _"]], *, first: int = 0
) -> Float[np.ndarray, " parameters"]:
    """Signs of parameters that make curves positive of which only the squares are known.

    The curves are `designs` times the parameters from `first` on.
    """
    sign, end = np.ones_like(x), first
    for design in designs:
        part = slice(end, end := end + design.shape[1])
        sign[part] = np.sign(np.sum(design @ x[part])) or 1.0
    return sign


def numbered(**counts: int) -> list[str]:
    """Names of the coefficients of some curves: `numbered(offset=2)` is offset[0] and offset[1]."""
    return [f"{name}[{i}]" for name, count in counts.items() for i in range(count)]


def estimates(
    names: list[str],
    units: list[str],
    values: Float[np.ndarray, " parameters"],
    covariance: Float[np.ndarray, "parameters parameters"],
    n: int,
) -> dict[str, Estimate]:
    """95 % intervals from a covariance: the quantile is Student's with `n` less the parameters degrees of freedom."""
    from scipy.stats import t

    reach = float(t.ppf(0.975, max(n - len(values), 1))) * np.sqrt(np.diag(covariance))
    return {
        name: Estimate(float(value), float(value - r), float(value + r), unit)
        for name, unit, value, r in zip(names, units, values, reach, strict=True)
    }
