"""Weights that are written again where that gains most for the loss."""

import dataclasses
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, Key

from .._array import AnalogMatrix, Chip, DifferentialPair, OneShot, spread_rows
from .._array import nonzero as positive_scales
from .._checks import check, fraction, plain, whole
from ..nn import analog_layers
from ..nn._calling import evaluating
from ..nn._deploy import digital_weight, replace_weights
from ..train._samples import Samples
from ._remedy import AbstractRemedy, Case, Repair
from ._rewritten import Rewritten, RewrittenCells
from ._spent import Budget, Known, Spent, on_chips
from ._tuning import mean_loss

TOGETHER = 16  # samples whose gradients are computed side by side


class Rewrite(AbstractRemedy):
    r"""The weights whose rewriting gains most for the loss, written again; all others are left alone.

    Each cell is read, one word line at a time through the converters of its array. With the weight $\hat w$ that these
    reads tell, and the gradient $g_n$ of the loss of sample $n$ there, writing a weight that was meant to be $w$ anew,
    which leaves the mean square error $s^2$, is expected to gain

    $$\tfrac12 \overline{(g_n\,(\hat w - w))^2} - \tfrac12 \overline{g_n^2}\, s^2.$$

    This is second order, with the mean square of gradients for the curvature: where many weights have moved at random,
    gains of first order have both signs, and to write only those of one sign leads beyond the goal. $s$ is found by
    virtual writes of the design. Weights are taken in the order of what they gain, until the `share` is reached or
    nothing is gained. Targets are smaller by the factor of the drift compensation, which new cells get, too. Written
    cells age from then on. The gradient is that of the digital model, and takes no reads.

    **Arguments:**

    - `share`: Of all weights on chips that are written again, at most.
    - `repeats`: Reads of each word line, averaged.
    - `samples`: Of training data, for the gradient.
    - `draws`: Virtual writes.

    Each is written once, towards its target, as by `OneShot`, whatever the `programming` of the design: a descent on
    outputs, such as `GradientDescent`, is not repeated. Of cells that verify by themselves (`WriteVerify`) each write
    is verified.

    It is for pairs of cells that are each of one weight, as of `DifferentialPair`.

    >>> import memsim as ms
    >>> ms.heal.Rewrite(0.05).share
    0.05
    """

    share: float = eqx.field(static=True, converter=plain, default=0.05)
    repeats: int = eqx.field(static=True, converter=plain, default=4)
    samples: int = eqx.field(static=True, converter=plain, default=256)
    draws: int = eqx.field(static=True, converter=plain, default=4)

    def __check_init__(self):
        check(self, share=fraction(zero=False), repeats=whole(1), samples=whole(1), draws=whole(1))

    def planned(self, known: Known, budget: Budget) -> tuple[AbstractRemedy, Spent]:
        layers = list(known.layers.values())
        lines = sum(layer.inputs for layer in layers)
        repeats, weights = self.repeats, sum(layer.inputs * layer.outputs for layer in layers)
        if budget.reads is not None:
            repeats = min(repeats, budget.reads // lines)
            if repeats < 1:
                raise ValueError(
                    f"`budget.reads` must be at least {lines} for Rewrite: one of each word line. Got {budget.reads}."
                )
        share = self.share if budget.writes is None else min(self.share, budget.writes / weights)
        number = _number(share, weights)
        if number < 1:
            raise ValueError(
                f"`share` and `budget.writes` must allow at least one of {weights} weights for Rewrite. Got "
                f"share={self.share}, {budget.writes} writes."
            )
        writes = float(number)
        joules = sum(repeats * layer.inputs * layer.read_joules for layer in layers)
        each = sum(one.write_joules * one.inputs * one.outputs for one in layers) / weights
        spent = Spent(float(repeats * lines), writes, 0, joules + writes * each, each)
        return dataclasses.replace(self, share=share, repeats=repeats), spent

    def find(self, case: Case, *, key: Key[Array, ""]) -> Repair:
        places = list(on_chips(case.chip))
        plan_key, choice_key = jr.split(key)
        plan_keys = jr.split(plan_key, len(places))
        plans = {path: self._plan(case, path, own) for path, own in zip(places, plan_keys, strict=True)}
        curvatures = _curvatures(case, {path: plan.read for path, plan in plans.items()}, self.samples, key=choice_key)
        gains = {path: plan.gain(curvatures[path]) for path, plan in plans.items()}
        every = jnp.concatenate([gain.ravel() for gain in gains.values()])
        least = jnp.sort(every)[-_number(self.share, every.size)]
        chosen = {path: (gain >= least) & (gain > 0) for path, gain in gains.items()}
        again = {
            path: _written_again(on_chips(case.chip)[path], plans[path].cells, chosen[path], case.t) for path in places
        }
        writes = jnp.sum(jnp.stack([jnp.sum(each, dtype=every.dtype) for each in chosen.values()]))
        return Repair(replace_weights(case.chip, again), {}, writes=writes)

    def _plan(self, case: Case, path: str, key: Array) -> "_Plan":
        """What is known of one layer: what it holds by its reads, and what writing it would make of that."""
        read_key, draw_key = jr.split(key)
        made, w = on_chips(case.chip)[path], digital_weight(path, analog_layers(case.model)[path])
        _check_pairs(made, path)
        matrix: Any = analog_layers(case.now)[path].weight
        factor = _compensation(made, matrix, case.t)
        aim = (w / factor).astype(w.dtype)

        def written(key: Array) -> tuple[Array, Any]:
            cells = _new_cells(made, aim, key)
            fresh = dataclasses.replace(made, cells=cells, crossbar=_quiet(made))
            return fresh.uncompensated(jnp.zeros(()), None).matrix.effective_weight * factor, cells

        # The last of them is the write itself, of which nothing is known yet: compiled once with the virtual ones.
        drawn, cells = jax.lax.map(written, jr.split(draw_key, self.draws + 1))
        new = jax.tree.map(lambda leaf: leaf[-1], cells)
        return _Plan(
            _read_one_by_one(matrix, self.repeats, read_key), w, new, jnp.mean((drawn[:-1] - w[None]) ** 2, axis=0)
        )


def _number(share: float, weights: int) -> int:
    """How many weights a `share` of them is, at most: 1 / 49 of 49 is 1, which rounding would make less."""
    return int(share * weights * (1 + 1e-12))


class _Plan(NamedTuple):
    """Weights that were `read` and `meant`, `cells` written anew, and the mean square `error` that this leaves."""

    read: Float[Array, "outputs inputs"]
    meant: Float[Array, "outputs inputs"]
    cells: Any
    error: Float[Array, "outputs inputs"]

    def gain(self, curvature: Float[Array, "outputs inputs"]) -> Float[Array, "outputs inputs"]:
        """By how much the loss is expected to fall."""
        return 0.5 * curvature * ((self.read - self.meant) ** 2 - self.error)


def _check_pairs(made: Chip, path: str) -> None:
    mapping, effects = made.crossbar.mapping, made.crossbar.device.effects
    if not isinstance(mapping, DifferentialPair) or "stuck cells" in effects:
        raise ValueError(
            "Cells that are written again must each belong to one weight, and stay what they are made. Got "
            f"{type(mapping).__name__} and effects {effects} at {path}. Use `DifferentialPair`, and no `StuckCells`."
        )


def _read_one_by_one(matrix: AnalogMatrix, repeats: int, key: Array) -> Float[Array, "outputs inputs"]:
    """The weights that reads with one word line at full input each tell."""
    full = jnp.eye(matrix.inputs, dtype=matrix.weight.dtype) * matrix.input_range
    each = jax.lax.map(lambda key: matrix(full, key=key), jr.split(key, repeats))
    return (jnp.mean(each, axis=0) / matrix.input_range).T


def _compensation(made: Chip, matrix: AnalogMatrix, t: Array) -> Float[Array, "outputs inputs"]:
    """By what drift compensation multiplies each weight at this moment."""
    if made.reference is None:
        return jnp.ones_like(matrix.effective_weight)
    plain = dataclasses.replace(made, crossbar=_quiet(made)).uncompensated(t, None).matrix
    scale = matrix.sums.scale
    if scale is None:  # row tiles are one product, whose noise stands in the way of a single weight
        ours, theirs = matrix.effective_weight, plain.effective_weight
        factor = jnp.sum(ours * theirs, axis=1) / jnp.maximum(jnp.sum(theirs**2, axis=1), 1e-30)
        return jnp.broadcast_to(jnp.expand_dims(factor, 1), ours.shape)
    assert plain.sums.scale is not None
    factor = scale / jnp.where(plain.sums.scale == 0, 1.0, plain.sums.scale)
    return spread_rows(factor, matrix.inputs, matrix.sums.rows).T


def _quiet(made: Chip) -> Any:
    """The design without noise of reads."""
    return dataclasses.replace(made.crossbar, reads=dataclasses.replace(made.crossbar.reads, noise="off"))


def _new_cells(made: Chip, aim: Float[Array, "outputs inputs"], key: Array) -> Any:
    """Cells written once towards weights `aim`, in the scales of the chip."""
    design = made.crossbar
    relative = aim.T / spread_rows(positive_scales(made.scales), aim.shape[1], design.tile[0])
    off, on = design.cell_range
    target = off + (on - off) * design.mapping.fractions(jnp.clip(relative, -1.0, 1.0), design.tile[1])
    return design.device.program(target, key=key)


def _written_again(made: Chip, cells: Any, chosen: Bool[Array, "outputs inputs"], t: Array) -> Chip:
    """The chip with new `cells` for the `chosen` weights, at age `t`."""
    design = made.crossbar
    shape = jax.eval_shape(lambda: design.device.conductance(cells, jnp.zeros(()))).shape
    which = jnp.broadcast_to(chosen.T[None], shape)
    again = RewrittenCells(made.cells, cells, which, t)
    changed = dataclasses.replace(design, device=Rewritten(design.device), programming=OneShot())  # pyright: ignore
    before = jnp.ones((1, *chosen.T.shape), int) if made.writes is None else made.writes
    return dataclasses.replace(made, crossbar=changed, cells=again, writes=before + chosen.T[None].astype(int))


def _curvatures(
    case: Case, weights: dict[str, Array], samples: int, *, key: Key[Array, ""]
) -> dict[str, Float[Array, "outputs inputs"]]:
    """Mean square of the gradients of single samples, of the digital model with these `weights`."""
    model, number = evaluating(case.model), min(samples, len(case.samples))
    some = case.samples.take(jr.choice(key, len(case.samples), (number,), replace=False))

    def loss(weights: dict[str, Array], one: Samples) -> Array:
        alone = jax.tree.map(lambda values: values[None], one)
        return mean_loss(replace_weights(model, weights), None, alone, None)

    def of_one(one: Samples) -> dict[str, Array]:
        return jax.tree.map(jnp.square, jax.grad(loss)(weights, one))

    together = min(TOGETHER, number)
    parts = jax.tree.map(lambda v: v[: number // together * together].reshape(-1, together, *v.shape[1:]), some)
    sums = jax.lax.map(lambda part: jax.tree.map(lambda v: jnp.mean(v, axis=0), jax.vmap(of_one)(part)), parts)
    return jax.tree.map(lambda v: jnp.mean(v, axis=0), sums)
