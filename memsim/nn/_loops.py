"""A key of its own for every read of a model that has loops: the loops count their steps for the reads within."""

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

Path = tuple[Any, ...]  # numbers of the functions around a read, and of the steps of those that are loops


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
    static = []

    def arrays() -> Any:
        found, rest = eqx.partition(run("marked"), eqx.is_array)
        static.append(rest)
        return found

    closed, shape = jax.make_jaxpr(arrays, return_shape=True)()
    found = _evaluate(closed.jaxpr, closed.consts, (), (), 0)
    return eqx.combine(jax.tree.unflatten(jax.tree.structure(shape), found), static[-1])


def _evaluate(jaxpr: core.Jaxpr, consts: Sequence[Any], args: Sequence[Any], path: Path, loops: int) -> list[Any]:
    """What `jaxpr` gives, its marked reads with the `path` folded in, in so many `loops`."""
    known = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*consts, *args), strict=True))
    number = 0  # of the function that holds reads

    def value(atom: Any) -> Any:
        return atom.val if isinstance(atom, core.Literal) else known[atom]

    for eqn in jaxpr.eqns:
        values = [value(atom) for atom in eqn.invars]
        if _is_mark(eqn):
            found = [_keyed(eqn, values[0], path, loops)]
        elif _holds_marks(eqn):
            if eqn.primitive not in RULES:
                raise ValueError(_no_key(f"a `{eqn.primitive.name}`, whose reads cannot be told apart"))
            found = RULES[eqn.primitive](eqn.params, values, (*path, number), loops)
            number += 1
        else:
            with eqn.ctx.manager:
                found = eqn.primitive.bind(*values, **eqn.primitive.get_bind_params(eqn.params))
            found = found if eqn.primitive.multiple_results else [found]
        known.update(zip(eqn.outvars, found, strict=True))
    return [value(atom) for atom in jaxpr.outvars]


def _is_mark(eqn: core.JaxprEqn) -> bool:
    return eqn.primitive is primitives.jit_p and eqn.params["name"].startswith(MARK)


def _holds_marks(eqn: core.JaxprEqn) -> bool:
    return any(
        _is_mark(inner) or _holds_marks(inner) for jaxpr in core.jaxprs_in_params(eqn.params) for inner in jaxpr.eqns
    )


def _keyed(eqn: core.JaxprEqn, key: Key[Array, "..."], path: Path, loops: int) -> Key[Array, "..."]:
    """The key of a read, or of one for each place of mapped axes."""
    if int(eqn.params["name"].removeprefix(MARK)) > loops:
        raise ValueError(_no_key("a loop that the model differentiates or compiles apart, and that it has left"))
    (key,) = core.jaxpr_as_fun(eqn.params["jaxpr"])(key)
    flat = key.reshape(-1)
    for one in path:
        flat = jax.vmap(jr.fold_in, (0, None))(flat, one)
    return flat.reshape(key.shape)


def _no_key(where: str) -> str:
    return (
        f"Each read of a model must be where it can get a key of its own. Got one in {where}. Give the layer's call "
        "there `key=`, made from a `key` that the model's own call gets by name."
    )


def _called(name: str) -> Callable[..., list[Any]]:
    def inline(params: dict[str, Any], values: list[Any], path: Path, loops: int) -> list[Any]:
        closed = params[name]
        return _evaluate(closed.jaxpr, closed.consts, values, path, loops)

    return inline


def _scanned(params: dict[str, Any], values: list[Any], path: Path, loops: int) -> list[Any]:
    closed, first, carried = params["jaxpr"], params["num_consts"], params["num_carry"]
    consts, init, xs = values[:first], values[first : first + carried], values[first + carried :]

    def body(carry: list[Any], inputs: Any) -> tuple[list[Any], list[Any]]:
        step, x = inputs
        found = _evaluate(closed.jaxpr, closed.consts, [*consts, *carry, *x], (*path, step), loops + 1)
        return found[:carried], found[carried:]

    steps = jnp.arange(params["length"], dtype=jnp.uint32)
    carry, ys = jax.lax.scan(
        body, init, (steps, xs), params["length"], reverse=params["reverse"], unroll=params["unroll"]
    )
    return [*carry, *ys]


def _repeated(params: dict[str, Any], values: list[Any], path: Path, loops: int) -> list[Any]:
    test, body = params["cond_jaxpr"], params["body_jaxpr"]
    first, second = params["cond_nconsts"], params["cond_nconsts"] + params["body_nconsts"]
    of_test, of_body, init = values[:first], values[first:second], values[second:]

    def goes_on(state: Any) -> Any:
        step, now = state
        (found,) = _evaluate(test.jaxpr, test.consts, [*of_test, *now], (*path, 0, step), loops + 1)
        return found

    def next_step(state: Any) -> Any:
        step, now = state
        found = _evaluate(body.jaxpr, body.consts, [*of_body, *now], (*path, 1, step), loops + 1)
        return step + jnp.ones_like(step), found

    return jax.lax.while_loop(goes_on, next_step, (jnp.zeros((), jnp.uint32), init))[1]


def _branched(params: dict[str, Any], values: list[Any], path: Path, loops: int) -> list[Any]:
    def branch(closed: Any) -> Callable[..., list[Any]]:
        return lambda *operands: _evaluate(closed.jaxpr, closed.consts, operands, path, loops)

    return jax.lax.switch(values[0], [branch(closed) for closed in params["branches"]], *values[1:])


def _recomputed(params: dict[str, Any], values: list[Any], path: Path, loops: int) -> list[Any]:
    if params["differentiated"]:
        raise ValueError(_no_key("a `jax.checkpoint` that the model itself differentiates"))
    jaxpr = params["jaxpr"]

    def run(*values: Any) -> list[Any]:
        return _evaluate(jaxpr, (), values, path, loops)

    return jax.checkpoint(run, prevent_cse=params["prevent_cse"], policy=params["policy"])(*values)


RULES = {
    primitives.scan_p: _scanned,
    primitives.while_p: _repeated,
    primitives.cond_p: _branched,
    primitives.jit_p: _called("jaxpr"),
    primitives.closed_call_p: _called("call_jaxpr"),
    primitives.remat_p: _recomputed,
}
