"""Which layer stands right before each batch norm of a model, found by tracing the model once."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core
from jax.extend.core import primitives
from jaxtyping import Array

from ._stateful import Stateful
from ._synapses._kernel import AbstractKernel
from ._synapses._linear import Linear

FOLDED = (eqx.nn.Linear, eqx.nn.Conv, eqx.nn.ConvTranspose, Linear, AbstractKernel)
OUT, IN = "memsim_out_of_", "memsim_into_"  # begin the names of functions that signals go through in the trace


def norms_of(model: Any) -> dict[str, Any]:
    """The batch norms of `model` by path."""
    leaves = jax.tree_util.tree_leaves_with_path(model, is_leaf=_is_norm)
    return {jax.tree_util.keystr(path): leaf for path, leaf in leaves if _is_norm(leaf)}


def layer_before_each_norm(model: Stateful, x: Any) -> dict[str, str]:
    """The path of the layer whose output each norm takes, by the path of the norm.

    Raises `ValueError` for a norm that takes something else, or that is not called exactly once, and for a layer that
    does not serve this norm alone.
    """
    sample = jax.ShapeDtypeStruct(np.shape(x), getattr(x, "dtype", jnp.result_type(float)))
    traced = eqx.filter_make_jaxpr(lambda x: _watched(model)(x, key=jax.random.key(0)))(sample)[0]
    found: dict[str, str] = {}
    calls: dict[str, int] = {}
    for jaxpr in _all(traced.jaxpr):
        made = {var: eqn for eqn in jaxpr.eqns for var in eqn.outvars}
        for eqn in jaxpr.eqns:
            name = _name(eqn)
            if name.startswith(OUT):
                layer = name.removeprefix(OUT)
                calls[layer] = calls.get(layer, 0) + 1
            if name.startswith(IN):
                norm = name.removeprefix(IN)
                calls[norm] = calls.get(norm, 0) + 1
                found[norm] = _before(norm, jaxpr, made, eqn.invars[0])
    for path in norms_of(model):
        _check_once(path, calls.get(path, 0))
        _check_once(found[path], calls[found[path]])
    return found


def _before(norm: str, jaxpr: core.Jaxpr, made: dict[Any, Any], var: Any) -> str:
    """The layer whose output is `var`, which nothing but the norm may use."""
    eqn = None if isinstance(var, core.Literal) else made.get(var)
    name = "" if eqn is None else _name(eqn)
    if not name.startswith(OUT):
        came = "an input of the model or of a loop" if eqn is None else f"`{name}`"
        raise ValueError(
            f"A batch norm must come right after a Linear, Conv or ConvTranspose to be folded. Got {norm} after {came}."
            " Fold without it: take it from the model, or keep its statistics up to date by `adapt_batch_norm`."
        )
    uses = sum(used is var for one in jaxpr.eqns for used in one.invars) + sum(used is var for used in jaxpr.outvars)
    if uses > 1:
        raise ValueError(
            f"The output of {name.removeprefix(OUT)} must go to {norm} alone for the norm to be folded. It is used in "
            f"{uses} places."
        )
    return name.removeprefix(OUT)


def _check_once(path: str, calls: int) -> None:
    if calls != 1:
        raise ValueError(f"{path} must be called once for a batch norm to be folded. It is called {calls} times.")


def _all(jaxpr: core.Jaxpr) -> Iterator[core.Jaxpr]:
    yield jaxpr
    for eqn in jaxpr.eqns:
        for inner in core.jaxprs_in_params(eqn.params):
            yield from _all(inner)


def _name(eqn: core.JaxprEqn) -> str:
    """What an equation is called: a function with a name by that."""
    if eqn.primitive is primitives.custom_jvp_call_p:
        return str(eqn.params["call_jaxpr"].jaxpr.debug_info.func_name)
    return str(eqn.params["name"] if eqn.primitive is primitives.jit_p else eqn.primitive.name)


def _is_norm(node: Any) -> bool:
    return isinstance(node, eqx.nn.BatchNorm)


def _watched(model: Stateful) -> Any:
    """`model` in inference, whose signals go through functions that are named after its layers and norms."""

    def swap(path: Any, node: Any) -> Any:
        name = jax.tree_util.keystr(path)
        if _is_norm(node):
            return _NormSeen(node, name)  # pyright: ignore[reportCallIssue]
        return _LayerSeen(node, name) if isinstance(node, FOLDED) else node

    kinds = (*FOLDED, eqx.nn.BatchNorm)
    still = eqx.nn.inference_mode(model)
    return jax.tree_util.tree_map_with_path(swap, still, is_leaf=lambda node: isinstance(node, kinds))


class _LayerSeen(eqx.Module):
    """A layer that marks what it gives out."""

    layer: Any
    path: str = eqx.field(static=True)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _through(OUT + self.path)(self.layer(*args, **kwargs))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.layer, name)


class _NormSeen(eqx.nn.StatefulLayer):
    """A norm that marks what it takes."""

    layer: Any
    path: str = eqx.field(static=True)

    def __call__(self, x: Array, *args: Any, **kwargs: Any) -> Any:
        return self.layer(_through(IN + self.path)(x), *args, **kwargs)


@functools.cache
def _through(name: str) -> Callable[[Array], Array]:
    """A function of this name, which a trace shows; what it computes is never run."""

    def mark(x: Array) -> Array:
        return -x

    mark.__name__ = name
    return jax.jit(mark)
