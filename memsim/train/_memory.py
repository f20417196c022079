"""As many samples side by side as a budget of memory holds."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal
from jaxtyping import Array

from .._checks import positive

Memory = float | str | None
MEMORY_RULE = positive("in bytes", hint="A mebibyte is 2**20.")
UNITS = {"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
WORDS = re.compile(r"([0-9]+\.?[0-9]*) ?([A-Za-z]*)")
MEMORY = 2.0**28  # bytes; 256 MiB
MARGIN = 1.5  # the compiler needs up to 1.45 of the estimate (measured: dense, recurrent, convolutional)


def as_bytes(memory: Memory) -> float:
    """Bytes of a number of them, or of words such as "4 GiB"; `None` is what the device suggests.

    That is a quarter of what it says to have, and 256 MiB where it says nothing, as a CPU. Raises `ValueError` for
    other words.
    """
    if memory is None:
        told_of = jax.local_devices()[0].memory_stats() or {}
        return max(MEMORY, told_of.get("bytes_limit", 0.0) / 4)
    if not isinstance(memory, str):
        return float(memory)
    found = WORDS.fullmatch(memory.strip())
    if found is None or found[2].upper() not in UNITS or float(found[1]) <= 0:
        raise ValueError(f'`memory` must be positive, in bytes, or words such as "500 MiB" or "4 GiB". Got {memory!r}.')
    return float(found[1]) * UNITS[found[2].upper()]


def in_batches(one: Callable[..., Array], arguments: Any, memory: float) -> Array:
    """`jax.vmap(one)` of `arguments`, a pytree, in as few batches as fit in `memory` bytes by an estimate.

    What `one` makes of an element is the same whatever the batch. The last batch overlaps the one before where their
    size divides nothing, so that all have one size and nothing is padded or copied.
    """
    count = jax.tree.leaves(arguments)[0].shape[0]
    batches = -(-count // max(1, min(count, int(memory / bytes_of_one(one, arguments)))))
    size = -(-count // batches)
    if size == count:
        return jax.vmap(one)(*arguments)
    starts = jnp.minimum(jnp.arange(batches) * size, count - size)

    def batch(start: Array) -> Array:
        part = jax.tree.map(lambda values: jax.lax.dynamic_slice_in_dim(values, start, size), arguments)
        return jax.vmap(one)(*part)

    found = jax.lax.map(batch, starts)
    rest = count - (batches - 1) * size
    return jnp.concatenate([found[:-1].reshape(-1, *found.shape[2:]), found[-1, size - rest :]])


def bytes_of_one(one: Callable[..., Array], arguments: Any) -> float:
    """An estimate of the memory that `one` needs for one element of `arguments` besides the element itself."""
    element = jax.tree.map(lambda values: jax.ShapeDtypeStruct(values.shape[1:], values.dtype), arguments)
    return MARGIN * max(1, _peak(jax.make_jaxpr(one)(*element).jaxpr))


def _peak(jaxpr: Jaxpr) -> int:
    """The most bytes alive at once in what a function makes of its inputs, as if every operation wrote its result."""
    last = {
        v: place for place, equation in enumerate(jaxpr.eqns) for v in equation.invars if not isinstance(v, Literal)
    }
    last |= {v: len(jaxpr.eqns) for v in jaxpr.outvars if not isinstance(v, Literal)}
    # What hangs on neither, as weights do, is there once for all elements.
    given, made = set(jaxpr.invars), dict[Any, int]()
    most = 0
    for place, equation in enumerate(jaxpr.eqns):
        ins = {v for v in equation.invars if not isinstance(v, Literal)}
        if ins & given or any(v in made for v in ins):
            made |= {v: _bytes(v.aval) for v in equation.outvars}
            within = max((_peak(inner) for inner in _inner(equation.params)), default=0)
            most = max(most, sum(made.values()) + within)
        for v in (*ins, *equation.outvars):
            if last.get(v, -1) <= place and v in made:
                made[v] = 0
    return most


def _inner(parameters: dict[str, Any]) -> Iterator[Jaxpr]:
    """The functions within an operation, such as the body of a scan."""
    for value in parameters.values():
        for part in value if isinstance(value, tuple | list) else (value,):
            if isinstance(part, ClosedJaxpr):
                yield part.jaxpr
            elif isinstance(part, Jaxpr):
                yield part


def _bytes(aval: Any) -> int:
    return aval.size * aval.dtype.itemsize if hasattr(aval, "dtype") else 0


@contextmanager
def told(knobs: str) -> Iterator[None]:
    """Says which `knobs` need less memory where there is not enough of it."""
    try:
        yield
    except (jax.errors.JaxRuntimeError, MemoryError) as error:
        if isinstance(error, MemoryError) or any(
            words in str(error) for words in ("RESOURCE_EXHAUSTED", "ut of memory")
        ):
            raise MemoryError(f"There must be enough memory. Got: {error}. {knobs}") from error
        raise
