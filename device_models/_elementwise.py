"""Which functions are element by element: what an element becomes follows from itself alone."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

CALLS = {"jit", "pjit", "closed_call", "core_call", "remat", "checkpoint", "custom_jvp_call", "custom_vjp_call"}
ELEMENTWISE = {
    *("add", "sub", "mul", "div", "rem", "neg", "abs", "sign", "max", "min", "clamp", "select_n", "square", "sqrt"),
    *("rsqrt", "cbrt", "pow", "integer_pow", "exp", "exp2", "expm1", "log", "log1p", "logistic", "tanh", "sinh"),
    *("cosh", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh", "erf", "erfc"),
    *("erf_inv", "floor", "ceil", "round", "is_finite", "eq", "ne", "lt", "le", "gt", "ge", "and", "or", "xor", "not"),
    *("convert_element_type", "copy", "stop_gradient", "name", "optimization_barrier"),
}
REDUCTIONS = {"reduce_sum", "reduce_max", "reduce_min", "reduce_prod", "squeeze"}
Shape = tuple[int, ...]


def is_elementwise(function: Callable[[Array], Any], x: Float[Array, "*cells"]) -> bool:
    """Whether each element of all that `function` gives for arrays like `x` provably follows from its own in `x`.

    Several such arrays may be stacked and added up on the way, on axes in front of those of `x`. Loops, look-ups and
    primitives that are not known here are not proven, whatever they do.
    """
    made = jax.make_jaxpr(function)(jax.ShapeDtypeStruct(jnp.shape(x), x.dtype))
    return _follows(made.jaxpr, [True], jnp.shape(x)) is not None


def _follows(jaxpr: Any, given: list[bool], shape: Shape) -> list[bool] | None:
    """Which results depend on those arguments that are `given` element by element; `None` where one does otherwise."""
    depends = {var for var, is_given in zip(jaxpr.invars, given, strict=True) if is_given}
    for equation in jaxpr.eqns:
        inputs = [not hasattr(value, "val") and value in depends for value in equation.invars]
        outputs = _of_equation(equation, inputs, shape) if any(inputs) else []
        if outputs is None:
            return None
        depends.update(var for var, found in zip(equation.outvars, outputs, strict=False) if found)
    return [not hasattr(value, "val") and value in depends for value in jaxpr.outvars]


def _of_equation(equation: Any, inputs: list[bool], shape: Shape) -> list[bool] | None:
    """The same of one equation."""
    name, params = equation.primitive.name, equation.params
    if name in CALLS:
        inner = params.get("jaxpr", params.get("call_jaxpr"))
        return None if inner is None else _follows(getattr(inner, "jaxpr", inner), inputs, shape)
    came = [value.aval.shape for value, is_given in zip(equation.invars, inputs, strict=True) if is_given]
    made = equation.outvars[0].aval.shape
    in_front = len(came[0]) - len(shape)  # axes on which arrays are stacked
    if name == "broadcast_in_dim":
        last = tuple(range(len(made) - len(came[0]), len(made)))
        kept = params["broadcast_dimensions"] == last and made[len(made) - len(shape) :] == shape
    elif name in ("concatenate", "stack"):
        kept = params.get("dimension", params.get("axis")) < in_front + (name == "stack")
    elif name in REDUCTIONS:
        kept = all(axis < in_front for axis in params.get("axes", params.get("dimensions")))
    else:
        aligned = made[len(made) - len(shape) :] == shape and all(len(one) == len(made) for one in came)
        kept = name in ELEMENTWISE and aligned
    return [True] * len(equation.outvars) if kept else None
