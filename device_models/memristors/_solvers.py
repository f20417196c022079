"""Diffrax solvers that keep the state of a memristor where it may be. Whoever imports this loads Diffrax."""

from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._interval import AbstractInterval


def fixed(term, interval, start, count: int, tolerance: float) -> Float[Array, " m"]:
    """Third-order steps from count to count, none of which has an error beyond `tolerance`."""
    solution = diffrax.diffeqsolve(
        term,
        ThirdOrder(interval),
        t0=0.0,
        t1=float(count),
        dt0=1.0,
        y0=start,
        saveat=diffrax.SaveAt(t0=True, steps=True, solver_state=True),
        stepsize_controller=diffrax.ConstantStepSize(),
        max_steps=count,
        adjoint=diffrax.DirectAdjoint(),
    )
    worst: Any = jax.lax.stop_gradient(solution.solver_state)
    return eqx.error_if(
        solution.ys,
        ~(worst <= tolerance),
        f"The estimated error of every step must be within `tolerance`={tolerance:g} of the range of the state. "
        "It is not: the memristor moves too fast for its steps, or its flow is not finite. Give more samples, raise "
        "`substeps`, or use `AdaptiveSteps`. If the moment of switching does not matter, raise `tolerance`.",
    )


def adaptive(term, interval, start, count: int, rtol, atol, solver, max_steps) -> Float[Array, " m"]:
    """As many steps as the tolerances ask for, one ending at every count."""
    samples = jnp.arange(count + 1, dtype=start.dtype)
    controller = diffrax.PIDController(rtol=rtol, atol=atol, dtmax=1.0)
    solution = diffrax.diffeqsolve(
        term,
        Kept(diffrax.Tsit5() if solver is None else solver, interval),
        t0=0.0,
        t1=float(count),
        dt0=0.01,
        y0=start,
        saveat=diffrax.SaveAt(ts=samples),
        stepsize_controller=diffrax.ClipStepSizeController(controller, step_ts=samples),
        max_steps=max_steps,
    )
    assert solution.ys is not None  # for the type checker: samples were asked for
    return solution.ys


class ThirdOrder(diffrax.AbstractSolver):
    """Third-order Runge-Kutta of Bogacki and Shampine whose state stays in `interval`.

    The same stages as `diffrax.Bosh3`, at a quarter of its time for one number; its own state is the largest error so
    far, so that a loop over a batch needs no look at each member's result.
    """

    interval: AbstractInterval
    term_structure = diffrax.ControlTerm
    interpolation_cls = diffrax.LocalLinearInterpolation

    def order(self, terms) -> int:
        return 3

    def init(self, terms, t0, t1, y0, args):
        return jnp.zeros_like(y0)

    def func(self, terms, t0, y0, args):
        return terms.vf(t0, y0, args)

    def step(self, terms, t0, t1, y0, args, solver_state, made_jump):
        # A gradient computes the stages again: keeping what is inside them for every step takes longer.
        y1, error = jax.checkpoint(lambda y0: self.stages(terms, t0, t1, y0, args))(y0)
        # Not finite counts as an error, which a maximum alone would lose.
        worst = jnp.where(jnp.isfinite(error), jnp.maximum(solver_state, jnp.abs(error)), jnp.inf)
        return y1, None, {"y0": y0, "y1": y1}, worst, diffrax.RESULTS.successful

    def stages(self, terms, t0, t1, y0, args):
        """The next coordinate, and how far the second-order one is from it as a share of the interval."""
        h, dt = terms.contr(t0, t1), t1 - t0
        k1 = terms.vf(t0, y0, args)
        k2 = terms.vf(t0 + 0.5 * dt, y0 + 0.5 * h * k1, args)
        k3 = terms.vf(t0 + 0.75 * dt, y0 + 0.75 * h * k2, args)
        y1 = self.interval.keep(y0 + h * (2 * k1 + 3 * k2 + 4 * k3) / 9)
        return y1, share(self.interval, y0 + h * k2) - share(self.interval, y1)


class Kept(diffrax.AbstractWrappedSolver):
    """Another solver whose state is put back into `interval` after every step."""

    solver: diffrax.AbstractSolver
    interval: AbstractInterval

    @property
    def term_structure(self):
        return self.solver.term_structure

    @property
    def interpolation_cls(self):  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.solver.interpolation_cls

    @property
    def term_compatible_contr_kwargs(self):
        return self.solver.term_compatible_contr_kwargs

    @property
    def root_finder(self):
        return self.solver.root_finder  # pyright: ignore[reportAttributeAccessIssue]

    @property
    def root_find_max_steps(self):
        return self.solver.root_find_max_steps  # pyright: ignore[reportAttributeAccessIssue]

    def order(self, terms):
        return self.solver.order(terms)

    def error_order(self, terms):
        return self.solver.error_order(terms)

    def init(self, terms, t0, t1, y0, args):
        return self.solver.init(terms, t0, t1, y0, args)

    def func(self, terms, t0, y0, args):
        return self.solver.func(terms, t0, y0, args)

    def step(self, terms, t0, t1, y0, args, solver_state, made_jump):
        y1, error, dense, state, result = self.solver.step(terms, t0, t1, y0, args, solver_state, made_jump)
        kept = self.interval.keep(y1)
        # Where both the step and its lower-order twin end at one wall, they agree.
        error = None if error is None else kept - self.interval.keep(y1 - error)
        return kept, error, dense, state, result


def share(interval: AbstractInterval, coordinate: Float[Array, ""]) -> Float[Array, ""]:
    """The state at a coordinate, as a share of the interval."""
    return (interval.state(coordinate) - interval.low) / (interval.high - interval.low)
