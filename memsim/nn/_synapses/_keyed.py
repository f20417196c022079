"""A matrix that carries the key of its reads, and draws anew in each of them."""

import functools
import weakref
from collections.abc import Callable
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jax.custom_batching import custom_vmap
from jax.extend.core import take_current_trace
from jaxtyping import Array, Key

from ..._array import AnalogMatrix
from ..._keeping import StoredKey

COMPILED = "jit"
REPEATED = ("scan", "while_body", "while_cond", "fori_loop", "shard_map", "custom_root", "custom_linear_solve")
MARK = "memsim_read_within_"  # begins the name of a function that marks a read, and ends in the number of loops
WITHIN = 2**31 - 3  # folded into the key of such a read, so that it is none of those outside
Within = Literal["refused", "told", "marked"]


class ReadWithin(Exception):
    """A read happens within a loop, or another function of its own, and is to be marked."""


class Tally:
    """How often a matrix has been read with its key, in each function that is being compiled, and outside of them.

    It is shared by all copies of the matrix that tracing makes. Two of them are equal where their keys were given
    equally deep in loops, so that a compiled function is compiled once for all keys.

    **Arguments:**

    - `within`: What becomes of a read within a loop that the key comes from outside of: "refused"; or, of any function
      that is traced on its own, "told" by `ReadWithin`, or "marked" for `memsim.nn._loops` to give it a key.
    """

    def __init__(self, within: Within = "refused"):
        self.within: Within = within
        self.loops, self.home = _loops(), _home()
        self._counts: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()

    def next(self, key: Key[Array, ""]) -> Key[Array, ""]:
        """The key of this read; raises `ValueError` in a loop that `key` comes from outside of."""
        loops, deeper = _loops() - self.loops, self.within != "refused" and _home() is not self.home
        if deeper and self.within == "told":
            raise ReadWithin
        if loops > 0 and not deeper:
            raise ValueError(
                "Each step of a loop must have a read key of its own: with one from outside, every step would repeat "
                "the same noise. Got `with_read_keys` outside of a `jax.lax.scan`, `map`, `while_loop` or `shard_map`, "
                "and the read within. Call the model by `memsim.nn.call(model, x, key=key)`, which gives every step a "
                "key; or make the keys in the step, `with_read_keys(model, key=jax.random.fold_in(key, step))`, or "
                "give the layer's call `key=`."
            )
        place = _root()
        count = self._counts.get(place, 0)
        self._counts[place] = count + 1
        key = jr.fold_in(key, count)
        return marker(loops)(key) if deeper else key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tally) and (self.within, self.loops) == (other.within, other.loops)

    def __hash__(self) -> int:
        return hash((self.within, self.loops))

    def __reduce__(self) -> tuple[Any, ...]:  # copies and files start to count anew
        return Tally, ()


@functools.cache
def marker(loops: int) -> Callable[[Key[Array, ""]], Key[Array, ""]]:
    """Marks a read in so many loops by the name of the function that its key goes through."""

    def mark(key: Array) -> Array:
        return jr.fold_in(key, WITHIN)

    mark.__name__ = f"{MARK}{loops}"
    return jax.jit(mark)


class KeyedMatrix(eqx.Module):
    """An `AnalogMatrix` with the key of its reads in it, for models that call their layers without a key.

    Every read draws from a key of its own, which is `key` with the number of the read, counted since the key was given,
    and with the read's place under each `jax.vmap` folded in. So a model that calls a layer several times, or maps it
    over tokens, meets white noise; and the same key gives the same noise, compiled or not. A compiled function counts
    from zero, once, when it is traced: calling it again with the same key repeats its noise, also where it is called
    from within another function.

    **Arguments:**

    - `matrix`: The matrix.
    - `key`: For every read that gets no key of its own; of matrices in a stack, one for each.

    >>> import equinox as eqx, jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> model = ms.nn.convert(eqx.nn.Linear(2, 1, key=jr.key(0)))
    >>> aged = ms.deploy(model, ms.Crossbar(dm.pcm_joshi2020()), 3600.0, key=jr.key(1))
    >>> keyed = ms.nn.with_read_keys(aged, key=jr.key(2))
    >>> isinstance(keyed.weight, ms.nn.KeyedMatrix), bool(keyed(jnp.ones(2)) == keyed(jnp.ones(2)))
    (True, False)
    """

    matrix: AnalogMatrix
    stored_key: StoredKey
    tally: Tally = eqx.field(static=True)

    def __init__(self, matrix: AnalogMatrix, key: Key[Array, "*stack"], tally: Tally | None = None):
        self.matrix = matrix
        self.stored_key = StoredKey.of(key)
        self.tally = Tally() if tally is None else tally

    @property
    def key(self) -> Key[Array, "*stack"]:
        """The key of all reads."""
        return self.stored_key.key

    def read_key(self, x: Array) -> Key[Array, ""] | None:
        """The key of a read of `x`; `None` where a read needs none."""
        matrix = self.matrix
        rounds = matrix.adc is not None and matrix.adc.needs_key
        if not matrix.draws and not rounds:
            return None
        # Whatever of a read differs over a mapped axis makes it a read of its own. No derivative passes here.
        differs = jax.lax.stop_gradient((x, matrix.weight))
        return _at_place(self.tally.next(self.key), differs)


@custom_vmap
def _at_place(key: Key[Array, "..."], differs: Any) -> Key[Array, "..."]:
    """The key with its place folded in, along each mapped axis along which it does not differ and `differs` does."""
    return key


@_at_place.def_vmap
def _at_place_mapped(
    axis_size: int, in_batched: list[Any], key: Key[Array, "..."], differs: Any
) -> tuple[Key[Array, "..."], bool]:
    key_mapped, differs_mapped = in_batched
    key = _at_place(key, differs)  # its place along the axes mapped further outside
    if key_mapped or not any(jax.tree.leaves(differs_mapped)):
        return key, key_mapped
    return jax.vmap(jr.fold_in, (None, 0))(key, jnp.arange(axis_size)), True


def _loops() -> int:
    """In how many functions this is being traced that run several times for one trace."""
    return sum(kind.startswith(REPEATED) for kind, _ in _traces())


def _home() -> Any:
    """A reference to the trace of the innermost function that is traced on its own; `None` outside of any.

    The same one is the same object, and does not keep the trace.
    """
    innermost = next((trace for kind, trace in _traces() if kind), None)
    return None if innermost is None else weakref.ref(innermost)


def is_traced() -> bool:
    """Whether all that is computed here is recorded, to be run later."""
    return _home() is not None


def _root() -> Any:
    """The outermost function that is being compiled; what evaluates outside of any."""
    traces = _traces()
    compiled = [trace for kind, trace in traces if kind == COMPILED]
    return compiled[-1] if compiled else traces[-1][1]


def _traces() -> list[tuple[str, Any]]:
    """What is being traced, from the inside: what for, and the trace."""
    found = []
    with take_current_trace() as trace:
        while trace is not None:
            debug = getattr(getattr(trace, "frame", None), "debug_info", None)
            found.append(("" if debug is None else debug.traced_for, trace))
            trace = getattr(trace, "parent_trace", None)
    return found
