"""What is done with every read of a model that has loops: it gets a key of its own, or what it does is measured.

The model is recorded, and computed again with its loops opened: they count their steps for the reads within, and hand
out the sums of what these were measured to do.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jax.extend import core
from jax.extend.core import primitives
from jaxtyping import Array, Key

from ._synapses._keyed import MARK, ReadWithin, Within, is_traced
from ._synapses._watched import METER

Path = tuple[Any, ...]  # numbers of the functions around a read, and of the steps of those that are loops
Sums = dict[int, tuple[Array, ...]]  # by place of a meter: each number summed over all reads
Found = tuple[list[Any], Sums]


def each_read_keyed(run: Callable[[Within], Any]) -> Any:
    """The output of `run`, whose reads within loops are told of or marked as its argument says.

    Where nothing is recorded, `run` is called as it is, and traced only once a read happens within a function of its
    own. Where all is recorded anyway, it is recorded here first.
    """
    if not is_traced():
        try:
            return run("told")
        except ReadWithin:
            pass
    return _replayed(lambda: run("marked"), _Keys())[0]


def metered(run: Callable[[], Any]) -> tuple[Any, Sums]:
    """The output of `run`, and what the meters in it say of all reads together."""
    return _replayed(run, _Meters())


class _Visit:
    """What is done at the marks of one kind."""

    begins: str  # the names of marks
    adds: bool  # whether marks add to the sums

    @abstractmethod
    def meet(self, eqn: core.JaxprEqn, values: list[Any], path: Path, loops: int) -> Found:
        """What a mark gives for `values`, and what it adds to the sums."""

    @abstractmethod
    def refusal(self, where: str) -> str:
        """What to say of marks in a function that cannot be opened."""

    def is_mark(self, eqn: core.JaxprEqn) -> bool:
        return eqn.primitive is primitives.jit_p and eqn.params["name"].startswith(self.begins)

    def holds_marks(self, eqn: core.JaxprEqn) -> bool:
        inside = (inner for jaxpr in core.jaxprs_in_params(eqn.params) for inner in jaxpr.eqns)
        return any(self.is_mark(inner) or self.holds_marks(inner) for inner in inside)


class _Keys(_Visit):
    """Reads get keys of their own, with their path folded in."""

    begins, adds = MARK, False

    def meet(self, eqn: core.JaxprEqn, values: list[Any], path: Path, loops: int) -> Found:
        if int(eqn.params["name"].removeprefix(MARK)) > loops:
            raise ValueError(
                self.refusal("a loop that the model differentiates or compiles apart, and that it has left")
            )
        (key,) = core.jaxpr_as_fun(eqn.params["jaxpr"])(*values)
        return [_folded(key, path)], {}

    def refusal(self, where: str) -> str:
        return (
            f"Each read of a model must be where it can get a key of its own. Got one in {where}. Give the layer's "
            "call there `key=`, made from a `key` that the model's own call gets by name."
        )


class _Meters(_Visit):
    """What reads were measured to do is added up."""

    begins, adds = METER, True

    def meet(self, eqn: core.JaxprEqn, values: list[Any], path: Path, loops: int) -> Found:
        # A call on mapped axes is many; numbers that are the same along such an axis do not have it.
        values = [jnp.asarray(value) for value in values]  # some are numbers of the record
        calls = max(value.size for value in values)
        sums = tuple(jnp.sum(value) * (calls // value.size) for value in values)
        return values, {int(eqn.params["name"].removeprefix(METER)): sums}

    def refusal(self, where: str) -> str:
        return f"Each read of a model must be where it can be measured. Got one in {where}."


def _replayed(run: Callable[[], Any], visit: _Visit) -> tuple[Any, Sums]:
    """The output of `run` with its marks met, and their sums."""
    static = []

    def arrays() -> Any:
        found, rest = eqx.partition(run(), eqx.is_array)
        static.append(rest)
        return found

    closed, shape = jax.make_jaxpr(arrays, return_shape=True)()
    found, sums = _evaluate(visit, closed.jaxpr, closed.consts, (), (), 0)
    return eqx.combine(jax.tree.unflatten(jax.tree.structure(shape), found), static[-1]), sums


def _evaluate(
    visit: _Visit, jaxpr: core.Jaxpr, consts: Sequence[Any], args: Sequence[Any], path: Path, loops: int
) -> Found:
    """What `jaxpr` gives, with the marks in it met on the `path`, in so many `loops`; and their sums."""
    known = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*consts, *args), strict=True))
    number = 0  # of the function that holds reads
    sums: Sums = {}

    def value(atom: Any) -> Any:
        return atom.val if isinstance(atom, core.Literal) else known[atom]

    for eqn in jaxpr.eqns:
        values = [value(atom) for atom in eqn.invars]
        more: Sums = {}
        if visit.is_mark(eqn):
            found, more = visit.meet(eqn, values, path, loops)
        elif visit.holds_marks(eqn):
            if eqn.primitive not in RULES:
                raise ValueError(visit.refusal(f"a `{eqn.primitive.name}`, whose reads cannot be told apart"))
            found, more = RULES[eqn.primitive](visit, eqn.params, values, (*path, number), loops)
            number += 1
        else:
            with eqn.ctx.manager:
                found = eqn.primitive.bind(*values, **eqn.primitive.get_bind_params(eqn.params))
            found = found if eqn.primitive.multiple_results else [found]
        known.update(zip(eqn.outvars, found, strict=True))
        sums = _added(sums, more)
    return [value(atom) for atom in jaxpr.outvars], sums


def _added(sums: Sums, more: Sums) -> Sums:
    """Both together; what only one has is zero in the other."""
    both = {name: jax.tree.map(jnp.add, sums[name], more[name]) for name in sums.keys() & more.keys()}
    return sums | more | both


def _zeros(sums: Callable[..., Sums], *args: Any) -> Sums:
    """As what `sums` gives, before anything is added."""
    return jax.tree.map(lambda each: jnp.zeros(each.shape, each.dtype), jax.eval_shape(sums, *args))


def _folded(key: Key[Array, "..."], path: Path) -> Key[Array, "..."]:
    """The key of a read, or of one for each place of mapped axes."""
    flat = key.reshape(-1)
    for one in path:
        flat = jax.vmap(jr.fold_in, (0, None))(flat, one)
    return flat.reshape(key.shape)


def _called(name: str) -> Callable[..., Found]:
    def inline(visit: _Visit, params: dict[str, Any], values: list[Any], path: Path, loops: int) -> Found:
        closed = params[name]
        return _evaluate(visit, closed.jaxpr, closed.consts, values, path, loops)

    return inline


def _scanned(visit: _Visit, params: dict[str, Any], values: list[Any], path: Path, loops: int) -> Found:
    closed, first, carried = params["jaxpr"], params["num_consts"], params["num_carry"]
    consts, init, xs = values[:first], values[first : first + carried], values[first + carried :]

    def body(carry: list[Any], inputs: Any) -> tuple[list[Any], tuple[list[Any], Sums]]:
        step, x = inputs
        found, sums = _evaluate(visit, closed.jaxpr, closed.consts, [*consts, *carry, *x], (*path, step), loops + 1)
        return found[:carried], (found[carried:], sums)

    steps = jnp.arange(params["length"], dtype=jnp.uint32)
    carry, (ys, sums) = jax.lax.scan(
        body, init, (steps, xs), params["length"], reverse=params["reverse"], unroll=params["unroll"]
    )
    return [*carry, *ys], jax.tree.map(lambda each: jnp.sum(each, axis=0), sums)


def _repeated(visit: _Visit, params: dict[str, Any], values: list[Any], path: Path, loops: int) -> Found:
    test, body = params["cond_jaxpr"], params["body_jaxpr"]
    first, second = params["cond_nconsts"], params["cond_nconsts"] + params["body_nconsts"]
    of_test, of_body, init = values[:first], values[first:second], values[second:]

    def goes_on(step: Array, now: list[Any]) -> tuple[Array, Sums]:
        (found,), sums = _evaluate(visit, test.jaxpr, test.consts, [*of_test, *now], (*path, 0, step), loops + 1)
        return found, sums

    def next_step(state: Any) -> Any:
        step, now, sums = state
        found, more = _evaluate(visit, body.jaxpr, body.consts, [*of_body, *now], (*path, 1, step), loops + 1)
        # What the test that let this step happen was measured to do; where nothing is, it is not made twice.
        tested = goes_on(step, now)[1] if visit.adds else {}
        return step + jnp.ones_like(step), found, _added(sums, _added(more, tested))

    start = jnp.zeros((), jnp.uint32), init
    none = _zeros(lambda state: next_step((*state, {}))[2], start) if visit.adds else {}
    steps, found, sums = jax.lax.while_loop(lambda state: goes_on(*state[:2])[0], next_step, (*start, none))
    return found, _added(sums, goes_on(steps, found)[1]) if visit.adds else {}


def _branched(visit: _Visit, params: dict[str, Any], values: list[Any], path: Path, loops: int) -> Found:
    def branch(closed: Any, none: Sums) -> Callable[..., Found]:
        def run(*operands: Any) -> Found:
            found, sums = _evaluate(visit, closed.jaxpr, closed.consts, operands, path, loops)
            return found, _added(none, sums)

        return run

    none: Sums = {}
    for closed in params["branches"]:
        none = none | _zeros(lambda *operands, closed=closed: branch(closed, {})(*operands)[1], *values[1:])
    return jax.lax.switch(values[0], [branch(closed, none) for closed in params["branches"]], *values[1:])


def _recomputed(visit: _Visit, params: dict[str, Any], values: list[Any], path: Path, loops: int) -> Found:
    if params["differentiated"]:
        raise ValueError(visit.refusal("a `jax.checkpoint` that the model itself differentiates"))
    jaxpr = params["jaxpr"]

    def run(*values: Any) -> Found:
        return _evaluate(visit, jaxpr, (), values, path, loops)

    return jax.checkpoint(run, prevent_cse=params["prevent_cse"], policy=params["policy"])(*values)


RULES = {
    primitives.scan_p: _scanned,
    primitives.while_p: _repeated,
    primitives.cond_p: _branched,
    primitives.jit_p: _called("jaxpr"),
    primitives.closed_call_p: _called("call_jaxpr"),
    primitives.remat_p: _recomputed,
}
